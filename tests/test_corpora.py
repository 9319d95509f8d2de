"""What can be trained on."""

import io
import tarfile
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnbow_widget import corpora


def test_c_headers_are_real_c_that_comes_with_numpy() -> None:
    corpus = corpora.c_headers()
    text = corpus.decode(corpus.tokens)
    assert len(corpus) > 100_000
    assert text.count("#define") > 500
    assert 80 < len(corpus.vocabulary) < 120
    np.testing.assert_array_equal(corpora.c_headers().tokens, corpus.tokens)


@given(st.text(st.characters(), min_size=1))
def test_any_text_comes_back(text: str) -> None:
    corpus = corpora.text(text)
    assert corpus.decode(corpus.tokens) == text
    assert list(corpus.vocabulary) == sorted(set(text))
    np.testing.assert_array_equal(corpus.encode(text), corpus.tokens)


def test_text_is_read_from_a_path_or_the_name_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_bytes("grüße\r\n".encode())
    for source in (path, str(path)):
        corpus = corpora.text(source)
        assert (corpus.name, corpus.decode(corpus.tokens)) == ("poem.txt", "grüße\n")
    assert corpora.text("no such file.txt").decode(corpora.text("no such file.txt").tokens) == "no such file.txt"
    assert len(corpora.text("x" * 100_000)) == 100_000


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "latin").write_bytes(b"na\xefve")
    with pytest.raises(ValueError, match="'empty' is empty"):
        corpora.text(tmp_path / "empty")
    with pytest.raises(ValueError, match="'text' is empty"):
        corpora.text("")
    with pytest.raises(ValueError, match=r"latin' is not text in UTF-8 \(byte 2 is 0xef\)"):
        corpora.text(tmp_path / "latin")
    with pytest.raises(FileNotFoundError):
        corpora.text(tmp_path / "absent")
    with pytest.raises(TypeError, match="source takes a text or a path, got bytes"):
        corpora.text(cast(Any, b"bytes"))


def test_characters_never_seen_are_named() -> None:
    with pytest.raises(ValueError, match="these are not: 'X', 'é'"):
        corpora.text("abc").encode("aXé")


FILES = {"kernel/b.c": "int b;\n", "kernel/sub/a.h": "int a;\n", "kernel/notes.txt": "no", "mm/c.c": "int c;\n"}


def _tree(folder: Path) -> Path:
    for name, content in FILES.items():
        path = folder / "linux-6.1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder / "linux-6.1"


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_kernel_is_read_alike_from_a_tree_and_a_tarball(tmp_path: Path, mode: Literal["w", "w:gz", "w:xz"]) -> None:
    tree, tarball = _tree(tmp_path), tmp_path / "linux.tar"
    with tarfile.open(tarball, mode) as archive:
        for name in reversed(FILES):
            content = FILES[name].encode()
            member = tarfile.TarInfo(f"./linux-6.1/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    for source in (tree, str(tarball)):
        corpus = corpora.linux_kernel(source)
        assert corpus.decode(corpus.tokens) == "int b;\nint a;\n"
        everything = corpora.linux_kernel(source, folder="")
        assert everything.decode(everything.tokens) == "int b;\nint a;\nint c;\n"


def test_what_is_no_kernel_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing at"):
        corpora.linux_kernel(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="no C source in folder 'arch'"):
        corpora.linux_kernel(_tree(tmp_path), folder="arch")
    (tmp_path / "file").write_text("text")
    with pytest.raises(ValueError, match="neither"):
        corpora.linux_kernel(tmp_path / "file")

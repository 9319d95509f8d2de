"""Texts that are hard to read, to draw or to send: trained on, described, sent and sampled; or refused by name."""

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from malformed import require_plain
from saving import writer_of
from unpacking import unpack

from rnnbow_widget import RNNbow, corpora
from rnnbow_widget.visible_text import visible

SMALL: dict[str, Any] = {"hidden_size": 3, "seq_length": 4, "record_every": 2, "seed": 0}

TEXTS = {
    "one character": "a" * 40,
    "two characters": "ab" * 20,
    "right to left": "שלום עולם، مرحبا بالعالم " * 4,
    "both directions": "abc אבג \u202edef\u202c \u2067ghi\u2069 " * 4,
    "emoji with joiners": "👩‍👩‍👧‍👦👨🏽‍🚀🏳️‍🌈🇩🇪" * 4,
    "combining marks": "e\u0301a\u0308o\u0302\u0323\u0489Z\u0351\u0352\u0353" * 4,
    "marks alone": "\u0301\u0308\u0302\u0323" * 10,
    "NULs": "a\0b\0\0c" * 8,
    "control characters": "".join(map(chr, range(32))) * 2 + "\x7f\x80\x9f" * 3,
    "lone surrogates": "a\ud800b\udfffc" * 8,
    "surrogates in the wrong order": "\udc00\ud800" * 12,
    "spaces of all kinds": " \t\n\r\v\f\u00a0\u1680\u2000\u200b\u2028\u2029\u202f\u3000\ufeff" * 3,
    "markup": "</script><img src=x onerror=alert(1)><!-- &amp; ]]>\"'`${1}" * 3,
    "private and unassigned": "\ue000\uf8ff\U000f0000\U0010ffff\ufffe\uffff\u0378" * 5,
    "Windows lines": "one\r\ntwo\r\nthree\r\n" * 4,
    "old Macintosh lines": "one\rtwo\rthree\r" * 4,
    "a mark of byte order": "\ufeffabc abc abc abc abc abc",
    "very many characters": "".join(map(chr, range(0x4E00, 0x4E00 + 3_000))),
    "a line of a megabyte": "the quick brown fox " * 50_000,
}


def is_drawable(text: str) -> bool:
    """It can be seen: no character without ink, and no mark that would sit on what is beside it."""
    inked = all(unicodedata.category(one)[0] not in "ZC" for one in text)
    return bool(text) and inked and not unicodedata.category(text[0]).startswith("M")


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_trained_on_sent_and_sampled(name: str, tmp_path: Path, tried: Callable[[str, int], None]) -> None:
    text = TEXTS[name]
    widget = RNNbow(text, **SMALL, save=tmp_path / "run.rnnbow")
    trainer = widget.trainer
    assert trainer is not None
    widget.train(4)
    widget.step()
    state = {key: value for key, value in widget.get_state().items() if key not in {"_esm", "_css", "layout"}}
    for chunk in state["_run"].pop("chunks"):
        unpack(chunk)
    require_plain(state)
    assert state["_labels"] == [one if one.isprintable() else drawn(one) for one in sorted(set(text))]
    assert all(map(is_drawable, map(visible, widget.run.vocabulary)))
    assert len(state["_samples"]["now"]["text"]) >= 240
    assert set(trainer.sample(50)) <= set(text)
    require_plain([repr(widget), widget.code()])
    page = tmp_path / "page.html"
    widget.to_html(page)
    content = page.read_text("ascii")
    assert content.lower().count("</script>") == content.lower().count("<script")
    assert "<img" not in content
    writer_of(trainer.run).close()
    again = RNNbow(tmp_path / "run.rnnbow")
    assert again.run.vocabulary == widget.run.vocabulary
    assert again.run[-1].targets == widget.run[-1].targets
    tried("texts that are hard to draw or to send", 1)


def drawn(character: str) -> str:
    """A label as it is sent: lone surrogates have no form in UTF-8."""
    return "\ufffd" if unicodedata.category(character) == "Cs" else character


def corpus_of(widget: RNNbow) -> corpora.Corpus:
    assert widget.trainer is not None
    assert isinstance(widget.trainer.data, corpora.Corpus)
    return widget.trainer.data


@pytest.mark.parametrize("name", TEXTS)
def test_the_same_text_in_a_file(name: str, tmp_path: Path, tried: Callable[[str, int], None]) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXTS[name].encode("utf-8", "surrogatepass"))
    if "surrogates" in name:
        with pytest.raises(ValueError, match=r"text\.txt' is not text in UTF-8 \(byte \d+ is 0x"):
            RNNbow(path, **SMALL)
    else:
        found = corpus_of(RNNbow(path, **SMALL))
        expected = corpora.text(TEXTS[name].replace("\r\n", "\n").removeprefix("\ufeff"))
        assert found.vocabulary == expected.vocabulary
        assert (found.tokens == expected.tokens).all()
    tried("texts that are hard to draw or to send", 1)


BINARY = {
    "nothing": b"",
    "one byte": b"a",
    "a mark of byte order alone": b"\xef\xbb\xbf",
    "UTF-16": "hello world, hello world".encode("utf-16"),
    "Latin 1": "schöne grüße, schöne grüße".encode("latin-1"),
    "cut in the middle of a character": "grüße"[:3].encode()[:-1],
    "too long a form": b"\xc0\x80" * 20,
    "a program": bytes(range(256)) * 4,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
}


@pytest.mark.parametrize("name", BINARY)
def test_files_that_are_no_text_are_refused_by_name(
    name: str, tmp_path: Path, tried: Callable[[str, int], None]
) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(BINARY[name])
    with pytest.raises(ValueError, match=r"file\.bin"):
        RNNbow(path, **SMALL)
    tried("files that are no text", 1)


def test_files_that_cannot_be_read_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        RNNbow(tmp_path / "missing.txt", **SMALL)
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        RNNbow(tmp_path, **SMALL)


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever is root may read everything")
def test_a_file_that_one_may_not_read_is_refused_by_name(tmp_path: Path) -> None:
    closed = tmp_path / "closed.txt"
    closed.write_text("abc " * 20)
    closed.chmod(0)
    with pytest.raises(PermissionError, match=r"closed\.txt"):
        RNNbow(closed, **SMALL)


def test_the_name_of_what_is_no_file_is_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_bytes", None)  # of a pipe, it would wait for whoever writes into it
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder", "missing.txt"):
        text = str(tmp_path / name)
        corpus = corpus_of(RNNbow(text, **SMALL))
        assert (corpus.name, corpus.decode(corpus.tokens)) == ("text", text)


@pytest.mark.parametrize("name", ["lone surrogates", "right to left", "NULs", "markup", "one character"])
def test_hard_texts_on_the_command_line(name: str, tmp_path: Path, tried: Callable[[str, int], None]) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXTS[name].encode("utf-8", "surrogatepass"))
    words = ["--batches=3", "--hidden-size=3", "--seq-length=4", "--record-every=1", f"--html={tmp_path / 'page.html'}"]
    command = [sys.executable, "-m", "rnnbow_widget", "train", str(path), *words]
    ended = subprocess.run(command, capture_output=True, timeout=120, check=False)
    said = ended.stderr.decode()
    assert "Traceback" not in said
    if name == "lone surrogates":
        assert ended.returncode != 0
        assert "text.txt" in said
    else:
        assert ended.returncode == 0, said
        assert "<img" not in (tmp_path / "page.html").read_text("ascii")
    tried("texts that are hard to draw or to send", 1)

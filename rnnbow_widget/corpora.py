"""Text to train on: sequences of characters, read from what is already on the machine."""

from __future__ import annotations

import tarfile
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .checks import instance
from .data import SEQ_LENGTH, Consecutive, Data, check_sizes

_SOURCES = (".c", ".h")
_LONGEST_LITERAL = 2_000  # characters of a text that a line of Python holds


class Corpus(Data):
    """A sequence of tokens and what they are called: each token is to be predicted from those before it.

    Parameters
    ----------
    name : str
        Where it comes from.
    tokens : int32 array (N,)
        Indices into `vocabulary`.
    vocabulary : tuple of str
        The distinct tokens (here: characters), sorted.

    Examples
    --------
    >>> from rnnbow_widget import corpora
    >>> corpus = corpora.text("abracadabra")
    >>> corpus
    Corpus('text', 11 characters, 5 distinct)
    >>> corpus.vocabulary
    ('a', 'b', 'c', 'd', 'r')
    >>> corpus.encode("cab")
    array([2, 0, 1], dtype=int32)
    """

    shows_inputs = False
    usual_length = SEQ_LENGTH

    def __init__(self, name: str, tokens: NDArray[np.int32], vocabulary: tuple[str, ...]) -> None:
        size = len(vocabulary)
        super().__init__(
            name,
            input_size=size,
            output_size=size,
            vocabulary=vocabulary,
            input_vocabulary=vocabulary,
            length=len(tokens),
        )
        self.tokens = tokens

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"Corpus({self.name!r}, {len(self):,} characters, {len(self.vocabulary)} distinct)"

    def windows(self, seq_length: int | None, batch_size: int, seed: int) -> Consecutive:
        """Return consecutive windows, of 25 characters unless told otherwise; see `Data`. Nothing is left to chance."""
        steps = SEQ_LENGTH if seq_length is None else seq_length
        check_sizes(steps, batch_size, len(self), self.name, "characters", extra=1)
        return Consecutive(self.tokens[:-1], self.tokens[1:], None, steps, batch_size, first=1)

    def encode(self, text: str) -> NDArray[np.int32]:
        """Return the tokens of `text`, int32 array (N,).

        Raises
        ------
        ValueError
            If a character is not in the vocabulary.
        """
        index = {character: i for i, character in enumerate(self.vocabulary)}
        unknown = sorted(set(text) - index.keys())
        if unknown:
            shown = ", ".join(map(repr, unknown[:8])) + (", …" if len(unknown) > 8 else "")
            raise ValueError(f"text takes characters that are in the training data; these are not: {shown}")
        return np.fromiter((index[character] for character in text), np.int32, len(text))

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of `tokens`."""
        return "".join(self.vocabulary[token] for token in tokens)


def text(source: str | PathLike[str], *, name: str | None = None, argument: str = "source") -> Corpus:
    """Characters of a text.

    Parameters
    ----------
    source : str or path
        The text itself, or a file with it in UTF-8, with a byte order mark or without, in which lines may end as those
        of Windows do. A `str` is a file's name if a file of that name exists, else the text.
    name : str, optional
        What to call it.
    argument : str
        What errors call `source`.

    Raises
    ------
    FileNotFoundError
        If a path leads to no file.
    ValueError
        If the text is empty or the file is not UTF-8.
    TypeError
        If `source` is neither text nor path.

    Returns
    -------
    Corpus

    Examples
    --------
    >>> from rnnbow_widget import corpora
    >>> corpora.text("to be or not to be", name="a question")
    Corpus('a question', 18 characters, 7 distinct)
    """
    if not isinstance(source, (str, PathLike)):
        raise TypeError(f"{argument} takes a text or a path, got {type(source).__name__}")
    if name is not None:
        name = instance("name", name, str)
    if isinstance(source, PathLike) or _names_a_file(source):
        path = Path(source)
        corpus = _characters(_decode(path.read_bytes(), str(path)), name or path.name)
        corpus.code = f"corpora.text({str(path)!r}{_named(name)})"
        return corpus
    corpus = _characters(source, name or "text")
    if len(source) <= _LONGEST_LITERAL:
        corpus.code = f"corpora.text({source!r}{_named(name)})"
    return corpus


def _named(name: str | None) -> str:
    return "" if name is None else f", name={name!r}"


def c_headers() -> Corpus:
    """The C headers that come with numpy: real source code, about 380 kB, on every machine that runs this.

    Returns
    -------
    Corpus

    Examples
    --------
    >>> from rnnbow_widget import corpora
    >>> len(corpora.c_headers()) > 300_000
    True
    """
    folder = Path(np.get_include())
    corpus = _characters("".join(_read_sources(folder)), "numpy's C headers")
    corpus.code = "corpora.c_headers()"
    return corpus


def linux_kernel(source: str | PathLike[str], *, folder: str = "kernel") -> Corpus:
    """C source of the Linux kernel, as in the RNNbow paper's use case.

    Parameters
    ----------
    source : str or path
        A kernel tree, or a tarball of one such as Debian's ``linux-source`` package installs.
    folder : str
        The part of the tree to read. "" reads all of it.

    Raises
    ------
    FileNotFoundError
        If `source` does not exist or holds no C source in `folder`.
    ValueError
        If a file is not UTF-8, or `source` is neither a folder nor a tarball.

    Returns
    -------
    Corpus

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rnnbow_widget import corpora
    >>> with tempfile.TemporaryDirectory() as tree:
    ...     Path(tree, "kernel").mkdir()
    ...     _ = Path(tree, "kernel", "fork.c").write_text("int nr_threads;")
    ...     corpora.linux_kernel(tree)
    Corpus('Linux kernel, kernel', 15 characters, 12 distinct)
    """
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"source takes a kernel tree or a tarball of one, and there is nothing at {str(path)!r}"
        )
    pieces = list(_read_sources(path / folder) if path.is_dir() else _read_tarball(path, folder))
    if not pieces:
        raise FileNotFoundError(f"no C source in folder {folder!r} of {str(path)!r}")
    corpus = _characters("".join(pieces), f"Linux kernel, {folder or 'all'}")
    corpus.code = f"corpora.linux_kernel({str(path)!r}, folder={folder!r})"
    return corpus


def _names_a_file(source: str) -> bool:
    try:
        return len(source) < 4096 and "\n" not in source and Path(source).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL: a text
        return False


def _read_sources(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SOURCES and path.is_file():
            yield _decode(path.read_bytes(), str(path))


def _read_tarball(path: Path, folder: str) -> Iterator[str]:
    try:
        with tarfile.open(path) as archive:
            found = {}
            for member in archive:
                _, _, inner = member.name.removeprefix("./").partition("/")  # without the archive's own top folder
                if member.isfile() and inner.startswith(f"{folder}/" if folder else "") and inner.endswith(_SOURCES):
                    content = archive.extractfile(member)
                    assert content is not None  # a regular file always has content
                    found[inner] = _decode(content.read(), f"{path}:{member.name}")
    except tarfile.ReadError as error:
        raise ValueError(
            f"source takes a kernel tree or a tarball of one, and {str(path)!r} is neither: {error}"
        ) from None
    return iter([found[name] for name in sorted(found)])


def _decode(content: bytes, name: str) -> str:
    text = content.removeprefix(BOM_UTF8)  # which some editors write, and nobody reads
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"byte {error.start + len(content) - len(text)} is 0x{text[error.start]:02x}"
        raise ValueError(f"{name!r} is not text in UTF-8 ({where}): convert it, or pass the text itself") from None
    return decoded.replace("\r\n", "\n")


def _characters(content: str, name: str) -> Corpus:
    if not content:
        raise ValueError(f"data {name!r} is empty: there is nothing to train on")
    # UTF-32 is one number per code point: the distinct ones are found without a Python loop. Lone surrogates are kept
    # as they are.
    points = np.frombuffer(content.encode("utf-32-le", "surrogatepass"), "<u4")  # (N,)
    found, tokens = np.unique(points, return_inverse=True)  # (V,), (N,)
    return Corpus(name, tokens.astype(np.int32), tuple(map(chr, found)))

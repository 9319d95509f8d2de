"""Where what is exported goes: to a file, to a stream, or back to who asked."""

from __future__ import annotations

import io
import os
from os import PathLike
from pathlib import Path
from typing import IO, Any

from .checks import shown

File = str | PathLike[str] | IO[Any]
"""A path, or something that is open for writing."""


def write_out(file: File, content: str | bytes) -> None:
    """Write what was exported. Text is UTF-8.

    A file that is there is replaced, and only when the new one is complete.

    Raises
    ------
    TypeError
        If `file` is neither a path nor something to write to.
    OSError
        If it cannot be written.
    ValueError
        If there is no file of such a name.
    """
    if isinstance(file, (str, PathLike)):
        try:
            path = Path(os.path.realpath(os.fsencode(file)).decode())
        except ValueError as error:  # an embedded null byte, a surrogate that stands alone
            raise ValueError(f"file takes the name of a file, got {shown(file)}: {error}") from None
        _replace(path, content.encode() if isinstance(content, str) else content)
    elif callable(getattr(file, "write", None)):
        takes_bytes = isinstance(file, (io.RawIOBase, io.BufferedIOBase))
        file.write(content.encode() if isinstance(content, str) and takes_bytes else content)
    else:
        raise TypeError(f"file takes a path, or what is open for writing; got {type(file).__name__}")


def _replace(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():  # a device, or a folder, which then says what is wrong
        path.write_bytes(content)
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise

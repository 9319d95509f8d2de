"""Run files: what is in them, and how it is checked before it is used. docs/run_files.md has the form."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .run_forms import made
from .snapshot import Snapshot
from .snapshot_bytes import SnapshotReader

SUFFIX = ".rnnbow"
APPLICATION_ID = 0x524E4E42  # "RNNB"
FORMAT = 1

SCHEMA = {
    "about": "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL)",
    "layouts": "CREATE TABLE layouts (id INTEGER PRIMARY KEY, description TEXT NOT NULL, crc INTEGER NOT NULL)",
    "overview": "CREATE TABLE overview (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, layout INTEGER NOT NULL, "
    "detailed BLOB NOT NULL, numbers BLOB NOT NULL, crc INTEGER NOT NULL)",
    "details": "CREATE TABLE details (place INTEGER PRIMARY KEY, layout INTEGER NOT NULL, arrays BLOB NOT NULL, "
    "crc INTEGER NOT NULL)",
}

PATIENCE_SECONDS = 5.0
"""How long who needs the file waits for others, whose turns are short."""

_NUMBERS = frozenset({"<i4", "<i8", "<f4", "<f8"})  # of overview columns
_NEEDED = frozenset({"batch", "start", "stop", "flags"})
_ROWS_AT_ONCE = 1_000

Activity = Literal["training", "idle", "ended"]


class RunFileError(Exception):
    """A run file cannot be read or written. The message names the path and says what is wrong.

    Attributes
    ----------
    path : Path
        Which file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rnnbow_widget import Run
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "no run.rnnbow")
    ...     _ = path.write_text("something else")
    ...     try:
    ...         Run.open(path)
    ...     except RunFileError as error:
    ...         print(error.path.name)
    no run.rnnbow
    """

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path} {what}")
        self.path = path

    @property
    def busy(self) -> bool:
        """Whether another process kept the file locked: it may soon succeed."""
        return getattr(self.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, str(self).removeprefix(f"{self.path} "))


class RunFileWarning(UserWarning):
    """A run cannot be written to its file just now, or no more; it goes on in memory.

    Examples
    --------
    Whoever would rather stop than lose what is recorded makes an error of it:

    >>> import warnings
    >>> from rnnbow_widget import Trainer
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", RunFileWarning)
    ...     run = Trainer("hello world, " * 40, hidden_size=8, seed=0).train(1)
    """


@dataclass(frozen=True)
class State:
    """How far a file is, and what its writer did last.

    Attributes
    ----------
    id : str
        Another for every run: a file whose writer has started over is told by it.
    written : int
        Recorded batches in the file.
    activity : str
        "training"; "idle": the writer may go on; or "ended": it said that it will not.
    sign : float
        When it gave its last sign of life, in seconds since 1970 by the writer's clock.
    writer : str
        Who may write; empty if the file is about to be replaced.
    """

    id: str
    written: int
    activity: Activity
    sign: float
    writer: str


@dataclass(frozen=True)
class Block:
    """Rows of an overview that follow each other and have the same columns.

    Attributes
    ----------
    columns : dict of array (rows,)
        As in `Overview`.
    detailed : bool array (rows,)
        Of which the file has the details.
    """

    columns: dict[str, NDArray[Any]]
    detailed: NDArray[np.bool_]


def checksum(content: bytes, *key: object) -> int:
    """CRC-32 of a row: of its key in words, then of its content. So a row that strayed to another place is noticed."""
    return zlib.crc32(content, zlib.crc32(f"{','.join(map(str, key))}:".encode()))


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that exists, to read it and, if it may be written to, to complete what a killed writer left."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=PATIENCE_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    # What others wrote is data: nothing in it may run, and a damaged page is noticed early.
    try:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the system into `RunFileError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise RunFileError(path, _explain(path, error)) from error
    except FileNotFoundError as error:
        raise RunFileError(path, "is not there any more") from error
    except OSError as error:
        raise RunFileError(path, f"cannot be used: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, MemoryError, RecursionError) as error:
        # What was read is not of the form that it must have.
        raise RunFileError(path, f"is damaged: {error}") from error


def _explain(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # extended codes: the plain one, and more
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) and journal_of(path).exists():
        return (
            f"was left in the middle of a write, and {journal_of(path).name} beside it, which undoes that, cannot be "
            "applied: open it once where file and folder may be written to"
        )
    told = {
        sqlite3.SQLITE_NOTADB: "is not a run file, or its beginning is damaged",
        sqlite3.SQLITE_BUSY: "is in use: another process kept it locked for too long. Try again",
        sqlite3.SQLITE_FULL: "cannot be written: the disk is full",
        sqlite3.SQLITE_IOERR: f"cannot be read or written: {error}",
        sqlite3.SQLITE_READONLY: "cannot be written: it, or its folder, is read-only",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened: it may not be read, or its folder is gone or read-only",
    }
    return told.get(code, f"is damaged: {error}")


def names_run_file(source: str | os.PathLike[str]) -> bool:
    """Whether this is meant as the name of a run file, and not as a text, which may end in anything."""
    name = os.fspath(source)
    return name.endswith(SUFFIX) and "\n" not in name


def journal_of(path: Path) -> Path:
    """Where SQLite keeps what undoes a write that is not complete."""
    return path.with_name(path.name + "-journal")


def require_run_file(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is no run file, or one of a newer format."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if path.stat().st_size == 0:
        raise RunFileError(path, "is empty: whoever made it ended before anything was written")
    if application != APPLICATION_ID:
        raise RunFileError(path, "is a database, but not a run file")
    if version > FORMAT:
        raise RunFileError(
            path,
            f"has format {version}, and this rnnbow_widget reads formats up to {FORMAT}: install a newer version",
        )
    # Indexes that SQLite makes by itself have no text: any other one, as a view or a trigger, is none of ours.
    found = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    if version < 1 or found != SCHEMA:
        raise RunFileError(path, "is damaged: its tables are not those of a run file")


def read_about(connection: sqlite3.Connection, path: Path, name: str) -> Any:
    """Value of a row of the table `about`."""
    row = connection.execute("SELECT value, crc FROM about WHERE name = ?", (name,)).fetchone()
    value, crc = row or ("", None)
    if not isinstance(value, str) or checksum(value.encode("utf-8", "replace"), "about", name) != crc:
        raise RunFileError(path, f"is damaged: {name!r} in the table about is missing or not what was written")
    return json.loads(value)


def read_state(connection: sqlite3.Connection, path: Path) -> State:
    """How far the file is."""
    state = made(State, read_about(connection, path, "state"))
    if state.written < 0:
        raise RunFileError(path, "is damaged: it says that less than nothing was written")
    return state


class Contents:
    """Reads rows of a run file, and checks them before they are used.

    Parameters
    ----------
    path : Path
        Which file; only errors need it.
    vocabulary : tuple of str
        What tokens are called.
    """

    def __init__(self, path: Path, vocabulary: tuple[str, ...]) -> None:
        self._path = path
        self._vocabulary = vocabulary
        self._readers: dict[int, SnapshotReader] = {}

    def overview(self, connection: sqlite3.Connection, first: int, stop: int) -> Iterator[Block]:
        """Rows ``first:stop`` of the overview."""
        rows = self._checked(connection, first, stop)
        for layout, alike in groupby(rows, key=lambda row: row[0]):
            dtype = self._dtype(connection, layout)
            blocks = list(alike)
            for _, count, _, numbers in blocks:
                if len(numbers) != count * dtype.itemsize:
                    raise self._damaged(f"a block of {count} overview rows has {len(numbers)} bytes")
            records = np.frombuffer(b"".join(numbers for *_, numbers in blocks), dtype)
            detailed = np.frombuffer(b"".join(detailed for _, _, detailed, _ in blocks), np.uint8) != 0
            yield Block({name: records[name] for name in dtype.names or ()}, detailed)

    def snapshot(self, connection: sqlite3.Connection, place: int) -> Snapshot:
        """The details of a recorded batch, by its place from 0."""
        found = connection.execute("SELECT layout, arrays, crc FROM details WHERE place = ?", (place,)).fetchone()
        if found is None:
            raise self._damaged(f"the details of recorded batch {place} are missing")
        layout, arrays, crc = found
        if not isinstance(arrays, bytes) or checksum(arrays, "details", place, layout) != crc:
            raise self._damaged(f"the details of recorded batch {place} are not what was written")
        reader = self._readers.get(layout)
        if reader is None:
            reader = SnapshotReader(self._description(connection, layout, "details"), self._vocabulary)
            self._readers[layout] = reader
        return reader.unpack(arrays)

    def _checked(
        self, connection: sqlite3.Connection, first: int, stop: int
    ) -> Iterator[tuple[int, int, bytes, bytes]]:
        """Blocks of overview rows without a gap: layout, count, which have details, numbers."""
        cursor = connection.execute(
            "SELECT first, count, layout, detailed, numbers, crc FROM overview WHERE first >= ? AND first < ? "
            "ORDER BY first",
            (first, stop),
        )
        place = first
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            for at, count, layout, detailed, numbers, crc in rows:
                if at != place:
                    raise self._damaged(f"overview rows from {place} on are missing")
                if not (isinstance(detailed, bytes) and isinstance(numbers, bytes) and isinstance(count, int)):
                    raise self._damaged(f"overview rows from {at} on are not what was written")
                if checksum(detailed + numbers, "overview", at, count, layout) != crc or len(detailed) != count:
                    raise self._damaged(f"overview rows from {at} on are not what was written")
                place += count
                yield layout, count, detailed, numbers
        if place != stop:
            raise self._damaged(f"{stop} batches were recorded, and the overview has {place}")

    def _dtype(self, connection: sqlite3.Connection, layout: int) -> np.dtype[np.void]:
        described = self._description(connection, layout, "overview")
        try:
            columns = described["columns"]
            known = all(isinstance(name, str) and name and dtype in _NUMBERS for name, dtype in columns)
            if known and len(columns) == len(dict(columns)) and dict(columns).keys() >= _NEEDED:
                return np.dtype([(name, dtype) for name, dtype in columns])
        except (KeyError, TypeError, ValueError):
            pass
        raise self._damaged(f"layout {layout} describes no overview")

    def _description(self, connection: sqlite3.Connection, layout: int, kind: str) -> dict[str, Any]:
        found = connection.execute("SELECT description, crc FROM layouts WHERE id = ?", (layout,)).fetchone()
        text, crc = found or ("", None)
        if not isinstance(text, str) or checksum(text.encode("utf-8", "replace"), "layouts", layout) != crc:
            raise self._damaged(f"layout {layout} is missing or not what was written")
        described = json.loads(text)
        if not isinstance(described, dict) or described.get("kind") != kind:
            raise self._damaged(f"layout {layout} is not one of {kind}")
        return described

    def _damaged(self, what: str) -> RunFileError:
        return RunFileError(self._path, f"is damaged: {what}")

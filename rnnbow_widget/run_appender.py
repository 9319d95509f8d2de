"""Adding to a run file, one transaction at a time. When, and what follows if it fails, is `run_writer`'s affair."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic, time
from typing import Any

import numpy as np

from .checks import shown
from .overview import Overview
from .run_file import (
    APPLICATION_ID,
    FORMAT,
    PATIENCE_SECONDS,
    SCHEMA,
    SUFFIX,
    Activity,
    Contents,
    RunFileError,
    State,
    checksum,
    connect,
    explained,
    journal_of,
    read_state,
)
from .snapshot import Snapshot
from .snapshot_bytes import pack_snapshot


class LostFileError(RunFileError):
    """The file is no longer the one that was being written, and will not be again."""


class Appender:
    """Makes a run file and adds to it. Not safe to use from several threads at once.

    Parameters
    ----------
    path : Path
        Where to.
    about : mapping
        ``vocabulary``, ``settings``, ``thinned_to`` and ``data``, as `RunReader` has them.

    Raises
    ------
    FileExistsError
        If there is a file.
    RunFileError
        If it cannot be made.

    Attributes
    ----------
    written : int
        Recorded batches that are in the file, and stay there whatever happens to this process.
    without_details : set of int
        Places of those that are there without their details.
    activity : str
        What the file says that its writer does.
    wait : float
        Seconds that the newest transaction waited for the disk, and for who reads.
    """

    written: int
    without_details: set[int]
    _about: dict[str, Any]
    _id: str
    _layouts: dict[str, int]
    _contents: Contents

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self._path = path
        self._writer = secrets.token_hex(8)
        self.activity: Activity = "idle"
        self.wait = 0.0
        self.start_over(about)
        make_empty(path)
        try:
            with explained(path):
                self._connection = connect(path)
                self._file = _identity(path)
                # With these, what was written survives the end of this process, and of the machine.
                self._connection.execute("PRAGMA journal_mode = DELETE")
                self._connection.execute("PRAGMA synchronous = EXTRA")
                with self._transaction(PATIENCE_SECONDS):
                    self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    self._connection.execute(f"PRAGMA user_version = {FORMAT}")
                    for create in SCHEMA.values():
                        self._connection.execute(create)
                    self._write_about()
                    self._write_state(self._id, 0, "idle")
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def start_over(self, about: Mapping[str, Any]) -> None:
        """Begin another run. What the file has is kept until the first batch of the new run is added."""
        # In one step: an interrupt may come at any time.
        vars(self).update(
            _about=dict(about),
            _id=secrets.token_hex(8),
            written=0,
            without_details=set(),
            _layouts={},
            _contents=Contents(self._path, tuple(about["vocabulary"])),
        )

    def add(self, overview: Overview, snapshots: Sequence[Snapshot | None], activity: Activity, seconds: float) -> None:
        """Add the next recorded batches and a sign of life, in one transaction: in the end all is there, or nothing.

        Parameters
        ----------
        overview : Overview
            Has the row of every batch, those that were added before included.
        snapshots : sequence of Snapshot
            Details of those that are new; None where they are not at hand.
        activity : str
            What the writer does now.
        seconds : float
            How long to wait for who reads the file.

        Raises
        ------
        RunFileError
            If that did not succeed; the file is as it was.
        """
        with explained(self._path):
            if _identity(self._path) != self._file:
                raise LostFileError(self._path, "was replaced by another file")
            layouts = dict(self._layouts)
            with self._transaction(seconds):
                state = read_state(self._connection, self._path)
                if state.writer != self._writer:
                    raise LostFileError(self._path, "was taken over by another writer")
                if state.id == self._id or snapshots:
                    stop = self.written + len(snapshots)
                    if state.id != self._id:
                        self._clear()
                        first = 0
                    else:
                        first = state.written  # more than noted, if an interrupt came right after its transaction
                    self._insert(overview, first, snapshots[first - self.written :], layouts)
                    self._write_state(self._id, stop, activity)
                else:
                    stop = 0
                    self._write_state(state.id, state.written, activity)
            self._layouts = layouts
            self.without_details.update(
                place for place, snapshot in enumerate(snapshots, self.written) if snapshot is None
            )
            self.activity = activity
            self.written = stop

    def snapshot(self, place: int) -> Snapshot | None:
        """Return the details of a recorded batch that was written, by its place from 0; None if it has none."""
        if place in self.without_details:
            return None
        with explained(self._path):
            return self._contents.snapshot(self._connection, place)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _insert(
        self, overview: Overview, first: int, snapshots: Sequence[Snapshot | None], layouts: dict[str, int]
    ) -> None:
        if not snapshots:
            return
        rows = []
        for place, snapshot in enumerate(snapshots, first):
            if snapshot is not None:
                packed, arrays = pack_snapshot(snapshot)
                layout = self._layout(packed.description, layouts)
                rows.append((place, layout, arrays, checksum(arrays, "details", place, layout)))
        self._connection.executemany("INSERT INTO details VALUES (?, ?, ?, ?)", rows)
        count = len(snapshots)
        columns = {name: overview.column(name, first, first + count) for name in overview.names}
        dtypes = [(name, column.dtype.newbyteorder("<").str) for name, column in columns.items()]
        records = np.empty(count, dtypes)
        for name, column in columns.items():
            records[name] = column
        described = json.dumps({"kind": "overview", "columns": dtypes}, separators=(",", ":"))
        layout = self._layout(described, layouts)
        detailed = bytes(snapshot is not None for snapshot in snapshots)
        numbers = records.tobytes()
        crc = checksum(detailed + numbers, "overview", first, count, layout)
        self._connection.execute(
            "INSERT INTO overview VALUES (?, ?, ?, ?, ?, ?)", (first, count, layout, detailed, numbers, crc)
        )

    def _layout(self, description: str, layouts: dict[str, int]) -> int:
        """Number of a layout, which is written if it is new."""
        if description not in layouts:
            (highest,) = self._connection.execute("SELECT max(id) FROM layouts").fetchone()
            number = 1 + (highest or 0)
            crc = checksum(description.encode(), "layouts", number)
            self._connection.execute("INSERT INTO layouts VALUES (?, ?, ?)", (number, description, crc))
            layouts[description] = number
        return layouts[description]

    def _clear(self) -> None:
        for table in ("overview", "details", "layouts"):
            self._connection.execute(f"DELETE FROM {table}")
        self._write_about()

    def _write_about(self) -> None:
        for name, value in self._about.items():
            _put(self._connection, name, value)

    def _write_state(self, run: str, written: int, activity: Activity) -> None:
        _put(self._connection, "state", asdict(State(run, written, activity, time(), self._writer)))

    @contextmanager
    def _transaction(self, seconds: float) -> Iterator[None]:
        self._roll_back()  # if an interrupt came in the middle of that before
        self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            begun = monotonic()
            self._connection.execute("COMMIT")
            self.wait = monotonic() - begun
        except BaseException:
            with suppress(sqlite3.Error):  # what went wrong first is what is told
                self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def checked_path(argument: str, path: str | os.PathLike[str]) -> Path:
    """Return where a run file is to be; its name says that it is one.

    Raises
    ------
    TypeError, ValueError
        If it is no path, or does not end in ``.rnnbow``.
    """
    takes = f"{argument} takes the name of a file that ends in {SUFFIX}"
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{takes}, got {shown(path)}")
    checked = Path(path).absolute()
    if checked.suffix != SUFFIX:
        raise ValueError(f"{takes}, got {str(path)!r}")
    return checked


def make_empty(path: Path) -> None:
    """Make an empty file, for which there is none yet.

    Raises
    ------
    FileExistsError
        If there is.
    RunFileError
        If it cannot be made.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
    except FileExistsError:
        raise
    except OSError as error:
        raise RunFileError(path, f"cannot be made: {error.strerror}") from error
    journal_of(path).unlink(missing_ok=True)  # one that stayed behind would be applied to the new file


def require_replaceable(path: Path) -> None:
    """Refuse to replace what is no run file. A damaged or empty one may be replaced.

    Raises
    ------
    RunFileError
        If it is something else.
    """
    with explained(path):
        if path.is_dir():
            raise RunFileError(path, "is a folder")
        if path.stat().st_size and _application(path) != APPLICATION_ID:
            raise RunFileError(path, "is not a run file: overwrite=True replaces run files only")


def take_over(path: Path) -> None:
    """Stop whoever writes a run file, which is about to be replaced: that writer finds out at its next transaction.

    To replace a file while it is written would have its writer's journal applied to the new one.
    """
    with explained(path):
        connection = connect(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            state = asdict(read_state(connection, path))
            _put(connection, "state", state | {"writer": ""})
            connection.execute("COMMIT")
        except (sqlite3.Error, RunFileError, TypeError, ValueError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise
            # It is damaged, so that nobody writes it, or cannot be written to.
        finally:
            connection.close()
        journal_of(path).unlink(missing_ok=True)


def _application(path: Path) -> int:
    """Whose a database is, as its header says; -1 if it is none."""
    connection = connect(path)
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        return int(application)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
    finally:
        connection.close()
    with path.open("rb") as file:  # closing it gives up all locks that this process has on it, but nobody writes it
        return int.from_bytes(file.read(72)[68:], "big")


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _put(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Write a row of the table `about`."""
    text = json.dumps(value, default=str)
    connection.execute(
        "INSERT OR REPLACE INTO about VALUES (?, ?, ?)", (name, text, checksum(text.encode(), "about", name))
    )

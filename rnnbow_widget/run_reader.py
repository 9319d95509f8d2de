"""Reading a run file, also while another process writes it."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, time
from typing import Any

from .about import About
from .checks import shown, whole_number
from .run_file import (
    Block,
    Contents,
    RunFileError,
    State,
    connect,
    explained,
    read_about,
    read_state,
    require_run_file,
)
from .run_forms import about_of, settings_of, vocabulary_of
from .snapshot import Snapshot

SILENT_SECONDS = 15.0
"""Without a sign of life for so long, whoever trained has probably ended without saying so."""


class RunReader:
    """A run file that is read, perhaps while another process writes it. Safe to use from several threads.

    Parameters
    ----------
    path : str or path
        Which file.

    Raises
    ------
    FileNotFoundError
        If there is none.
    TypeError
        If `path` is none.
    RunFileError
        If it is no run file, or damaged, or of a newer format.

    Attributes
    ----------
    path : Path
        Which file.
    vocabulary, settings, data :
        As of the `Run`, ``data`` being what it has as ``about``.
    thinned_to : int
        The file has the details of one in so many recorded batches; 1 if of all.
    state : State
        How far the file is, and what its writer did last, as it was looked at last.
    """

    vocabulary: tuple[str, ...]
    settings: dict[str, Any]
    data: About | None
    thinned_to: int
    state: State
    _contents: Contents

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path takes the name of a run file, got {shown(path)}")
        self.path = Path(path).absolute()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened = (0, 0, 0)  # device, file and process
        if not self.path.exists():
            raise FileNotFoundError(f"path takes a run file, and there is no {self.path}")
        if self.path.is_dir():
            raise RunFileError(self.path, "is a folder")
        with self._reading() as connection:
            state, whole = read_state(connection, self.path), self._read_whole(connection)
        self._take(state, whole)

    @property
    def written(self) -> int:
        """Recorded batches in the file, as it was looked at last."""
        return self.state.written

    @property
    def silent_seconds(self) -> float:
        """Seconds since the writer's last sign of life. Its clock counts only until it has given another one."""
        return self._silent_at_first + monotonic() - self._heard_at

    @property
    def trains(self) -> bool:
        """Whether the writer is training, as far as one can know."""
        return self.state.activity == "training" and self.silent_seconds <= SILENT_SECONDS

    @property
    def activity(self) -> str:
        """What the writer does, in words."""
        silence = duration(self.silent_seconds)
        if self.state.activity == "ended":
            return "ended: nothing will be added"
        if self.state.activity == "idle":
            return f"paused {silence} ago"
        return "training" if self.trains else f"no sign of life for {silence}: whoever trained it was probably ended"

    def look(self, known: int, of: str) -> tuple[bool, list[Block]]:
        """Look what is new.

        Parameters
        ----------
        known : int
            Rows of the overview that are known.
        of : str
            Id of the run that they are of.

        Returns
        -------
        bool
            Whether the file holds another run, because its writer has started over.
        list of Block
            Rows of the overview: those from `known` on, or of another run all.
        """
        with self._lock:
            with self._reading() as connection:
                state = read_state(connection, self.path)
                started_over = state.id != of
                changed = state.id != self.state.id
                whole = self._read_whole(connection) if changed else {"_contents": self._contents}
                if started_over:
                    known = 0
                elif state.written < known:
                    what = f"is damaged: it had {known} recorded batches, and now {state.written}"
                    raise RunFileError(self.path, what)
                blocks = list(whole["_contents"].overview(connection, known, state.written))
            # Only now: if a part of it could not be read, all of this is still as it was.
            self._take(state, whole)
        return started_over, blocks

    def snapshot(self, place: int, of: str) -> Snapshot:
        """Return the details of a recorded batch of the run with the id `of`, by its place from 0."""
        with self._reading() as connection:
            if {read_state(connection, self.path).id, self.state.id} != {of}:
                raise RunFileError(self.path, "holds another run by now, since its writer has started over: refresh()")
            return self._contents.snapshot(connection, place)

    def close(self) -> None:
        """Close the file. It is opened again when something is read."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}  # a connection cannot be copied: the copy opens the file itself

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]  # as the original was made

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One transaction: what is read within belongs together."""
        with self._lock, explained(self.path):
            try:
                connection = self._open()
                connection.execute("BEGIN")
                yield connection
                connection.execute("ROLLBACK")
            except BaseException:
                self.close()  # which ends the transaction too; who never had the reader could not close it
                raise

    def _open(self) -> sqlite3.Connection:
        """The connection: another one if the file was replaced, or in a fork of the process that had it."""
        found = self.path.stat()
        opened = (found.st_dev, found.st_ino, os.getpid())
        if self._connection is None or opened != self._opened:
            self.close()
            self._connection = connect(self.path)
            require_run_file(self._connection, self.path)
            self._opened = opened
        return self._connection

    def _read_whole(self, connection: sqlite3.Connection) -> dict[str, Any]:
        """Read what belongs to the whole run, by the names that it has here."""
        vocabulary = vocabulary_of(read_about(connection, self.path, "vocabulary"))
        return {
            "vocabulary": vocabulary,
            "settings": settings_of(read_about(connection, self.path, "settings")),
            "thinned_to": whole_number("thinned_to", read_about(connection, self.path, "thinned_to")),
            "data": about_of(read_about(connection, self.path, "data")),
            "_contents": Contents(self.path, vocabulary),
        }

    def _take(self, state: State, whole: Mapping[str, Any]) -> None:
        """Take over what was read; a state that is another one is a sign of life."""
        before = vars(self).get("state")
        vars(self).update(whole)
        self.state = state
        if before is None or state.id != before.id:
            self._silent_at_first, self._heard_at = max(0.0, time() - state.sign), monotonic()
        elif state != before:
            self._silent_at_first, self._heard_at = 0.0, monotonic()


def duration(seconds: float) -> str:
    """How long something took, in words."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}s"
    return f"{seconds:.0f} s"

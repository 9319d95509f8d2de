"""Writing a run to a file while it grows, so that it can be opened at any moment. docs/run_files.md says how."""

from __future__ import annotations

import math
import os
import secrets
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import boolean
from .overview import Overview
from .run_appender import Appender, LostFileError, checked_path, require_replaceable, take_over
from .run_file import PATIENCE_SECONDS, Activity, RunFileError, RunFileWarning, explained
from .snapshot import Snapshot

WRITE_SECONDS = 0.25
"""What is recorded is written after so long; on a slow disk later, so that it is not waited for much of the time."""
SIGN_SECONDS = 2.0
"""While it trains, the writer gives a sign of life so often, recorded batch or not."""

_TOLL = 50  # the disk is waited for again after so many times what it took before: at most 2 % of the time
_LONGEST_WAIT_SECONDS = 10.0
_MOST_WAITING_BYTES = 8_000_000  # are written at once
_SHORT_SECONDS = 0.1  # that training waits for a reader; what is not written then is written later
_RETRY_SECONDS = 1.0  # after a failure; then twice as long, and so on
_QUIET_SECONDS = 10.0  # that a file may be in use until it is told
_MOST_KEPT_BYTES = 64_000_000  # of what cannot be written
_ROW_BYTES = 500  # that a batch without details counts for


class RunWriter:
    """Writes a run to a file. Safe to use from several threads.

    What is appended is gathered and written in short turns. If that fails, training goes on: a `RunFileWarning` says
    so once, `trouble` says why, and it is tried again for as long as what waits takes less than 64 MB.

    Parameters
    ----------
    path : str or path
        Where to; the name ends in ``.rnnbow``.
    overview : Overview
        Has the rows of what is appended.
    about : mapping
        ``vocabulary``, ``settings``, ``thinned_to`` and ``data``, as `RunReader` has them.
    overwrite : bool
        Whether a run file that is there is replaced.
    argument : str
        What errors call `path`.

    Raises
    ------
    FileExistsError
        If there is such a file, and `overwrite` is false.
    RunFileError
        If the file cannot be made, or what is to be replaced is no run file.
    TypeError, ValueError
        If the path is none, or does not end in ``.rnnbow``.

    Attributes
    ----------
    path : Path
        Where to.
    overview : Overview
        Has the rows of the run that is written.
    trouble : str
        Why writing does not succeed, in a sentence; "" while it does.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        overview: Overview,
        about: Mapping[str, Any],
        *,
        overwrite: bool = False,
        argument: str = "path",
    ) -> None:
        overwrite = boolean("overwrite", overwrite)
        self.path = checked_path(argument, path)
        self.trouble = ""
        self._lock = threading.RLock()
        self.overview = overview
        self._waiting: dict[int, Snapshot | None] = {}  # by place; who is interrupted may find some that are written
        self._waiting_nbytes = 0
        self._activity: Activity = "idle"
        self._due_at = -math.inf
        self._signed_at = monotonic()
        self._failing_since = math.inf
        self._pause = _RETRY_SECONDS
        self._ended = False
        self._depth = 0
        self._process = os.getpid()
        if self.path.exists() and overwrite:
            require_replaceable(self.path)
            take_over(self.path)
            with explained(self.path):
                self.path.unlink()
        try:
            self._file = Appender(self.path, about)
        except FileExistsError:
            raise _exists(argument, self.path) from None

    @property
    def written(self) -> int:
        """How many recorded batches are in the file: they stay there, whatever happens to this process."""
        return self._file.written

    @property
    def given(self) -> int:
        """How many recorded batches are in the file, or wait to be written; once it has ended, all that there are."""
        with self._lock:
            return len(self.overview) if self._ended else max(self.written, next(reversed(self._waiting), -1) + 1)

    @property
    def behind(self) -> bool:
        """Whether nothing trains, and the file lacks something that is still to be written: `tick` tries again."""
        with self._lock:
            return not self._ended and self._activity == "idle" and self._lacks_something

    def append(self, snapshot: Snapshot | None) -> None:
        """Take the next recorded batch, whose row the overview has. None if its details are not at hand."""
        with self._lock:
            if not self._ended:
                self._waiting[self.given] = snapshot
                self._waiting_nbytes += _nbytes(snapshot)
        self.tick()

    def tick(self, activity: Activity | None = None) -> None:
        """Write what is due, and give signs of life. Takes next to no time if nothing is due: to be called often."""
        self._activity = activity or self._activity
        now = monotonic()
        if now < self._due_at and (self._waiting_nbytes < _MOST_WAITING_BYTES or self._failing_since <= now):
            return
        if self._waiting or now >= self._signed_at + SIGN_SECONDS:
            self._try(_SHORT_SECONDS)

    @contextmanager
    def training(self) -> Iterator[None]:
        """Within this, the file says that training is under way; in the end, at the outermost, all is written."""
        depth = self._depth
        try:
            self._depth = depth + 1
            self.tick("training")
            yield
        finally:
            self._depth = depth
            if depth == 0:
                self.flush("idle")

    @property
    def detailed(self) -> NDArray[np.bool_]:
        """Of which of the recorded batches that are `given` the details can be read, array (given,)."""
        with self._lock:
            there = np.full(self.given, not self._ended)
            waits_without = [place for place, snapshot in self._waiting.items() if snapshot is None]
            there[[*self._file.without_details, *waits_without]] = False
            return there

    def flush(self, activity: Activity | None = None) -> None:
        """Write all that waits. `trouble` says if that does not succeed; soon after a failure it is not tried."""
        self._activity = activity or self._activity
        failed_just_now = self._failing_since <= monotonic() < self._due_at
        if self._lacks_something and not failed_just_now:
            self._try(PATIENCE_SECONDS)

    def write(self) -> None:
        """Write all that waits.

        Raises
        ------
        RunFileError
            If that does not succeed. What waits is kept.
        """
        with self._lock:
            self._write(PATIENCE_SECONDS)

    def close(self) -> None:
        """Write all that waits, and that nothing will follow. What is appended afterwards is not written."""
        with self._lock:
            self._activity = "ended"
            self._try(PATIENCE_SECONDS)
            self._end()

    def start_over(self, overview: Overview, about: Mapping[str, Any]) -> None:
        """Begin another run. What the file has is kept until the first batch of the new run is written."""
        with self._lock:
            self._forget_waiting()
            self._file.start_over(about)
            self.overview = overview  # last: who is interrupted before has not begun

    def snapshot(self, place: int) -> Snapshot | None:
        """Return the details of a recorded batch, by its place from 0; None if they are neither written nor waiting."""
        with self._lock:
            if place >= self.written:
                return self._waiting.get(place)
            return None if self._ended else self._file.snapshot(place)

    @property
    def _lacks_something(self) -> bool:
        return bool(self._waiting) or self._activity != self._file.activity

    def _try(self, seconds: float) -> None:
        """Write all that waits; if that fails, say so, and see to it that it is tried again."""
        with self._lock:
            if self._ended or os.getpid() != self._process:  # a fork has no part in the file
                return
            begun = monotonic()
            try:
                self._write(seconds)
            except Exception as error:  # whatever it is, training must not end by it
                self._tell(error, begun)

    def _write(self, seconds: float) -> None:
        new = [snapshot for place, snapshot in self._waiting.items() if place >= self.written]
        self._file.add(self.overview, new, self._activity, seconds)
        self._forget_waiting()
        self.trouble, self._failing_since, self._pause = "", math.inf, _RETRY_SECONDS
        self._signed_at = monotonic()
        self._due_at = self._signed_at + max(WRITE_SECONDS, min(_TOLL * self._file.wait, _LONGEST_WAIT_SECONDS))

    def _tell(self, error: Exception, begun: float) -> None:
        now = monotonic()
        self._failing_since = min(begun, self._failing_since)
        closing = self._activity == "ended"
        busy = isinstance(error, RunFileError) and error.busy
        if busy and not closing and now < self._failing_since + _QUIET_SECONDS:
            self._due_at = now + WRITE_SECONDS
            return
        self._due_at = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_WAIT_SECONDS)
        final = isinstance(error, LostFileError) or self._waiting_nbytes > _MOST_KEPT_BYTES
        follows = "nothing more is written to it" if final or closing else "it is tried again"
        told, self.trouble = self.trouble, f"{error}; {follows}"
        missing = sum(place >= self.written for place in self._waiting)
        if final:
            self._end()
        if missing if closing else final or not told:
            kept = "Training goes on, and the run in memory is kept: run.save(path) writes it to another file."
            lost = f"Recorded batches that it lacks: {missing:,}."
            warnings.warn(f"{self.trouble}. {lost if closing else kept}", RunFileWarning, stacklevel=2)

    def _end(self) -> None:
        self._ended, self._due_at = True, math.inf
        self._forget_waiting()
        self._file.close()

    def _forget_waiting(self) -> None:
        self._waiting, self._waiting_nbytes = {}, 0


def save_run(
    path: str | os.PathLike[str],
    overview: Overview,
    about: Mapping[str, Any],
    snapshots: Iterable[Snapshot | None],
    *,
    overwrite: bool = False,
) -> None:
    """Write a whole run. If that fails, there is no new file, and what is to be replaced is as it was.

    Parameters
    ----------
    path, overview, about, overwrite :
        As of `RunWriter`.
    snapshots : iterable of Snapshot
        One for each row of the overview; None where details are not at hand.

    Raises
    ------
    FileExistsError, RunFileError, TypeError, ValueError
        As of `RunWriter`.
    """
    overwrite = boolean("overwrite", overwrite)
    target = checked_path("path", path)
    replaced = overwrite and target.exists()
    if replaced:
        require_replaceable(target)
    made = target.with_stem(f"{target.stem}-{secrets.token_hex(4)}") if replaced else target
    try:
        file = Appender(made, about)
    except FileExistsError:
        raise _exists("path", target) from None
    try:
        gathered: list[Snapshot | None] = []
        nbytes = 0
        for snapshot in snapshots:
            gathered.append(snapshot)
            nbytes += _nbytes(snapshot)
            if nbytes > _MOST_WAITING_BYTES:
                file.add(overview, gathered, "idle", PATIENCE_SECONDS)
                gathered, nbytes = [], 0
        file.add(overview, gathered, "ended", PATIENCE_SECONDS)
        file.close()
        if replaced:
            take_over(target)
            with explained(target):
                made.replace(target)
    except BaseException:
        file.close()
        made.unlink(missing_ok=True)
        raise


def _exists(argument: str, path: Path) -> FileExistsError:
    return FileExistsError(f"{argument} takes the name of a new file, and {path} exists: overwrite=True replaces it")


def _nbytes(snapshot: Snapshot | None) -> int:
    return _ROW_BYTES if snapshot is None else snapshot.nbytes

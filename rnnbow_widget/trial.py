"""One trial of a sweep, as whoever started it sees it: how far it is, from its run file, and how it ended."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from .checks import shown
from .contrast import PAST
from .grid import Settings
from .overview import DIVERGED, Overview
from .reach import longest_certain
from .run import Run
from .run_file import SUFFIX, RunFileError
from .run_reader import RunReader

TREND_POINTS = 32
"""Points at most of a trial's horizon over training: medians of as many stretches of equal length."""


class Home:
    """Where run files are; a temporary one goes when nothing needs it any more, or Python ends."""

    def __init__(self, folder: str | PathLike[str] | None) -> None:
        if folder is None:
            self.path = Path(mkdtemp(prefix="rnnbow-sweep-"))
            weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
        else:
            if not isinstance(folder, (str, PathLike)):
                raise TypeError(f"folder takes the name of a folder, got {shown(folder)}")
            try:
                self.path = Path(folder).absolute()
                self.path.mkdir(parents=True, exist_ok=True)
            except ValueError as error:  # an embedded null byte, a surrogate that stands alone
                raise ValueError(f"folder takes the name of a folder, got {shown(folder)}: {error}") from None


_HOMES: weakref.WeakKeyDictionary[Run, Home] = weakref.WeakKeyDictionary()  # of runs that were opened


class Trial:
    """One run of a sweep.

    Attributes
    ----------
    number : int
        Its place in the sweep, from 0.
    settings : dict
        What it is trained with, but for what every trial has; all of it is in ``run.settings``.
    batches : int
        How many it is to train.
    status : str
        "waiting", "training", "done", "diverged", "failed" or "cancelled".
    said, hint : str
        What happened and what to try, in sentences; empty if all went well.
    path : Path
        Its run file, which is there once a worker has begun.
    batch : int
        Batches that are known to be trained.
    loss, horizon : float
        Median of the newest `PAST` recorded batches: mean loss per step, and horizon length in steps. NaN if nothing
        is recorded, or it diverged.
    at_least : bool
        Whether the horizon is only a lower bound: the recorded lags, or the window, may end first.
    trend : list of (int, float)
        Batch number and median horizon length of at most `TREND_POINTS` stretches of training.
    """

    def __init__(self, number: int, settings: Settings, batches: int, folder: Home) -> None:
        self.number = number
        self.settings = settings
        self.batches = batches
        self.status = "waiting"
        self.said = self.hint = ""
        self.path = folder.path / f"trial_{number:04}{SUFFIX}"
        self.batch = 0
        self.loss = self.horizon = np.nan
        self.at_least = False
        self.trend: list[tuple[int, float]] = []
        self._folder = folder
        self._file: RunReader | None = None
        self._overview = Overview()
        self._of = ""  # id of the run in the file that it is of
        self._run: Run | None = None
        self._run_is_final = False
        self._is_complete = False
        self._trained: int | None = None

    def __repr__(self) -> str:
        loss = "" if np.isnan(self.loss) else f", loss {self.loss:.3g}, horizon {self.horizon:g}"
        return f"Trial({self.number}, {self.settings}, {self.status}{loss})"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status not in ("waiting", "training")

    @property
    def is_here(self) -> bool:
        """Whether its run can be opened: a worker has begun, and wrote it where it can be seen."""
        return self._file is not None or self._run is not None or self.path.exists()

    @property
    def run(self) -> Run:
        """What was recorded, opened from its file. While it trains, ``run.refresh()`` takes over what is new.

        Raises
        ------
        FileNotFoundError
            If nothing is here yet: it waits, or trains where this machine's disk cannot be seen.
        RunFileError
            If the file cannot be read.
        """
        ended = self.ended
        if self._run is None:
            self._run = self.opened()
        elif ended and not self._run_is_final:
            self._run.refresh()
        self._run_is_final = ended
        return self._run

    def opened(self) -> Run:
        """Open the run file once more: a run of its own, and the same errors as of `run`."""
        if not self.path.exists():
            raise FileNotFoundError(f"trial {self.number} has no run yet: it is {self.status}")
        run = Run.open(self.path)
        _HOMES[run] = self._folder
        return run

    def end(self, ending: str, said: str, hint: str, batch: int | None) -> None:
        """It has ended: how, what is to be said of it, and after how many batches, if that is known."""
        self.status, self.said, self.hint, self._trained = ending, said, hint, batch

    def refresh(self) -> bool:
        """Take over what its file has by now; False if there is nothing new."""
        if self._is_complete:
            return False
        complete = self.ended
        try:
            new = self._look()
        except (FileNotFoundError, RunFileError) as error:
            if not complete or (isinstance(error, RunFileError) and error.busy):
                return False
            new = True
            if self.path.exists():  # of a trial that was never begun there is nothing to be missed
                self.said = f"{self.said} {error}.".strip()
        if complete:  # that was the last look
            self.batch = self.batch if self._trained is None else self._trained
            self._is_complete = True
            self._file = None
            self._overview = Overview()
        return new or complete

    def _look(self) -> bool:
        if self._file is None:
            self._file = RunReader(self.path)
        started_over, blocks = self._file.look(len(self._overview), self._of)
        self._file.close()
        if started_over:
            self._overview = Overview()
            self._of = self._file.state.id
        for block in blocks:
            self._overview.extend(block.columns)
        begun = self.status == "waiting"
        if begun:
            self.status = "training"
        if blocks:
            self._summarize(self._file.settings)
        return bool(blocks) or begun

    def _summarize(self, settings: Mapping[str, Any]) -> None:
        overview = self._overview
        batches, horizons = overview.column("batch"), overview.column("horizon_length")  # (recorded,) each
        sound = ~(overview.column("flags") & DIVERGED).astype(bool)  # (recorded,)
        self.batch = int(batches[-1]) + 1
        self.loss = self.horizon = np.nan
        if sound[-1]:
            self.loss = float(np.median(overview.column("loss")[-PAST:]))
            self.horizon = float(np.median(horizons[-PAST:]))
            steps, lags = settings["seq_length"], settings["horizon"]
            self.at_least = self.horizon >= longest_certain(steps, lags if isinstance(lags, int) else steps)
        stretch = -(-self.batches // TREND_POINTS)
        batches, horizons = batches[sound], horizons[sound]
        edges = np.flatnonzero(np.diff(batches // stretch)) + 1  # where another stretch begins
        self.trend = [
            (int(some[(len(some) - 1) // 2]), float(np.median(own)))
            for some, own in zip(np.split(batches, edges), np.split(horizons, edges), strict=True)
            if len(some)
        ]

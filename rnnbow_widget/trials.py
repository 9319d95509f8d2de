"""The trials of a sweep: handed to an executor, followed while they train, and gathered. No widget, no messages."""

from __future__ import annotations

import secrets
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from . import corpora
from .arrays import trials_frame
from .checks import boolean, finite_float, whole_number
from .data import Data
from .grid import Grid, Settings, settings_of, varied
from .local_processes import LocalProcesses
from .sweep_worker import GO_ON, STOP, Outcome, Sign, train_trial
from .trainer import Trainer
from .trial import Home, Trial

if TYPE_CHECKING:
    import pandas

_TICK_SECONDS = 0.2  # between two looks of who waits


class Trials:
    """Trains every trial of a grid on an executor, and follows them.

    All are handed over at once. What is new is taken over by `refresh`, which costs little, and by `wait`: there is no
    thread of its own. `sweep` says what the arguments are.

    Attributes
    ----------
    data : Data
        What is trained on.
    batches : int
        How many each trial trains.
    trials : tuple of Trial
        In the order of the grid.
    varied : list of str
        Settings that are particular to trials.
    common : dict
        Settings of all trials.
    folder : Path
        Where the run files are.
    """

    def __init__(
        self,
        data: Data | str | PathLike[str],
        grid: Grid,
        *,
        batches: int,
        executor: Executor | int | None = None,
        seeds: Iterable[int] | None = None,
        folder: str | PathLike[str] | None = None,
        overwrite: bool = False,
        **settings: Any,
    ) -> None:
        self.data = data if isinstance(data, Data) else corpora.text(data, argument="data")
        self.batches = whole_number("batches", batches)
        self.common = {"horizon": None, **settings}
        found = settings_of(grid, seeds, settings)
        self.varied = varied(found)
        complete = [{**self.common, **own} for own in found]
        for own, whole in zip(found, complete, strict=True):
            _require_trainable(self.data, own, whole)
        self._own_executor = executor is None or isinstance(executor, int)
        self._executor = _checked_executor(executor, len(found))
        self._folder = Home(folder)
        self.folder = self._folder.path
        self.trials = tuple(Trial(number, own, self.batches, self._folder) for number, own in enumerate(found))
        _require_free([trial.path for trial in self.trials], boolean("overwrite", overwrite))
        self._sign = Sign(str(self.folder / f"sweep_{secrets.token_hex(4)}.sign"), secrets.token_hex(16))
        self._sign.set(GO_ON)
        weakref.finalize(self, self._sign.remove)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._rescuers: LocalProcesses | None = None
        self._rescued: set[int] = set()
        self._cancelled = False
        self._futures: dict[int, Future[Outcome]] = {}
        self._complete = dict(enumerate(complete))
        try:
            for trial in self.trials:
                self._hand_over(trial, self._executor)
        except BaseException:
            self.cancel()
            raise

    @property
    def finished(self) -> bool:
        """Whether every trial has ended."""
        return all(trial.ended for trial in self.trials)

    def refresh(self) -> list[Trial]:
        """Take over what is new; return the trials that have changed since."""
        with self._lock:
            return [trial for trial in self.trials if trial.refresh()]

    def wait(self, timeout: float | None = None, tell: Callable[[], None] = lambda: None) -> None:
        """Wait until every trial has ended.

        Parameters
        ----------
        timeout : float, optional
            Seconds at most.
        tell : callable
            Called now and then.

        Raises
        ------
        TimeoutError
            If some have not ended by then. They go on.
        """
        end = None if timeout is None else monotonic() + finite_float("timeout", timeout, at_least=0)
        while True:
            with self._changed:
                if not self.finished:
                    left = _TICK_SECONDS if end is None else min(_TICK_SECONDS, end - monotonic())
                    self._changed.wait(max(0.0, left))
                finished = self.finished
            tell()
            if finished:
                self.refresh()
                return
            if end is not None and monotonic() >= end:
                going = sum(not trial.ended for trial in self.trials)
                raise TimeoutError(f"{going} of {len(self.trials)} trials have not ended after {timeout:g} s")

    def cancel(self) -> None:
        """End it: trials that wait are not begun, and those that train end soon, with what they have recorded.

        Workers that share no disk with this machine are out of reach, and end with their trials.
        """
        with self._lock:
            self._cancelled = True
            if not self.finished:
                self._sign.set(STOP)
            futures = list(self._futures.values())
        for future in futures:
            future.cancel()

    def to_pandas(self) -> pandas.DataFrame:
        """Return a row for each trial, by its number: settings that were varied, status, numbers, and the run file.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        self.refresh()
        numbers = ("status", "loss", "horizon", "at_least", "batch", "said", "path")
        rows = [
            {name: trial.settings.get(name) for name in self.varied} | {name: getattr(trial, name) for name in numbers}
            for trial in self.trials
        ]
        return trials_frame(rows)

    def _hand_over(self, trial: Trial, executor: Executor) -> None:
        settings = self._complete[trial.number]
        try:
            future = executor.submit(train_trial, self.data, settings, self.batches, str(trial.path), self._sign)
        except BrokenExecutor as error:  # it broke by a trial before
            self._on_failed(trial, error)
            return
        self._futures[trial.number] = future
        future.add_done_callback(partial(self._on_ended, trial))

    def _on_ended(self, trial: Trial, future: Future[Outcome]) -> None:
        """Runs on a thread of the executor's, or on that which submitted it."""
        if future.cancelled():
            self._end(trial, Outcome("cancelled"))
        elif (error := future.exception()) is not None:
            self._on_failed(trial, error)
        else:
            self._end(trial, future.result())

    def _on_failed(self, trial: Trial, error: BaseException) -> None:
        """The worker has died, or what it needs did not arrive.

        An executor that breaks as a whole fails trials that have done nothing: each is tried once more, where it can
        harm no other.
        """
        broken = isinstance(error, BrokenExecutor) and not self._own_executor and trial.number not in self._rescued
        if broken and not self._cancelled:
            with self._lock:
                self._rescued.add(trial.number)
                if self._rescuers is None:
                    self._rescuers = LocalProcesses()
            try:
                self._hand_over(trial, self._rescuers)
            except RuntimeError as failure:  # Python ends
                self._end(trial, Outcome("failed", f"{failure}."))
        else:
            message = str(error) or type(error).__name__
            self._end(trial, Outcome("failed", f"{message[:1].upper()}{message[1:]}.", type(error).__name__))

    def _end(self, trial: Trial, outcome: Outcome) -> None:
        said, hint, ending = outcome.said, outcome.hint, outcome.ending
        if outcome.file is not None:
            try:
                trial.path.write_bytes(outcome.file)
            except OSError as error:
                said, ending = f"{said} Its run file could not be written: {error}.".strip(), "failed"
        with self._changed:
            self._futures.pop(trial.number, None)
            trial.end(ending, said, hint, outcome.batch)
            finished = self.finished
            self._changed.notify_all()
        if finished:
            if not self._cancelled:  # else somebody may begin a trial just now, and is to find that it is not wanted
                self._sign.remove()
            if self._own_executor:
                self._executor.shutdown(wait=False)
            if self._rescuers is not None:
                self._rescuers.shutdown(wait=False)


def _require_trainable(data: Data, own: Settings, complete: Mapping[str, Any]) -> None:
    """Raise what a `Trainer` with these settings would raise, and say whose they are."""
    try:
        Trainer(data, **complete)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error} (of the trial with {own or 'no settings of its own'})") from None


def _checked_executor(executor: Executor | int | None, trials: int) -> Executor:
    if executor is None:
        local = LocalProcesses()
        local.workers = min(local.workers, trials)
        return local
    if isinstance(executor, int) and not isinstance(executor, bool):
        return LocalProcesses(whole_number("executor", executor))
    if not isinstance(executor, Executor):
        of_client = "; of a dask client that is client.get_executor()" if hasattr(executor, "get_executor") else ""
        raise TypeError(
            f"executor takes a concurrent.futures.Executor, or how many local processes; got "
            f"{type(executor).__name__}{of_client}"
        )
    return executor


def _require_free(paths: Sequence[Path], overwrite: bool) -> None:
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise FileExistsError(
            f"folder takes one without these run files, and {there[0]} exists: overwrite=True replaces it"
        )
    for path in there:
        path.unlink()

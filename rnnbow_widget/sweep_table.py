"""A sweep: many runs that train elsewhere, as a table that fills; the widget, its traits and methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import traitlets

from .checks import one_of, whole_number
from .data import Data
from .display import mime_bundle
from .grid import Grid
from .page_message import client_of, kind_of, request_of
from .page_traits import PageWidget, computed, refused
from .protocol import drawable
from .relay import Relay, RelayedComparison, RelayedRun, state_of
from .run import Run
from .run_file import RunFileError
from .sides import MOST, Side, check_comparable, derived_names
from .status import explain
from .sweep_recipe import sweep_recipe
from .trial import Trial
from .trial_table import row_of, summary_of, text_of
from .trials import Trials
from .widget import CSS, ESM

if TYPE_CHECKING:
    import pandas

_TELL_SECONDS = 0.25
_OF_ALL = ("status", "batch", "loss", "horizon")  # columns that every table has


def sweep(
    data: Data | str | PathLike[str],
    grid: Grid,
    *,
    batches: int,
    executor: Executor | int | None = None,
    seeds: Iterable[int] | None = None,
    folder: str | PathLike[str] | None = None,
    overwrite: bool = False,
    **settings: Any,
) -> Sweep:
    """Train many networks on the same data, in other processes or on other machines, and follow them in a table.

    Everything is checked before anything is started. Then all trials are handed to the executor, and this returns at
    once. Each trial has the same result whatever the executor and the order.

    Parameters
    ----------
    data : Data, str or path
        What to train on, as of `Trainer`. It travels to every worker.
    grid : mapping or sequence of mappings
        Values of each setting of `Trainer`, of which every combination is tried, as ``{"cell": ["tanh", "lstm"]}``; or
        the settings of each trial.
    batches : int
        How many each trial trains.
    executor : Executor or int, optional
        Who trains: any ``concurrent.futures.Executor``, such as ``client.get_executor()`` of a dask client; or how many
        processes of this machine. By default as many of those as there are processors.
    seeds : iterable of int, optional
        Each combination is tried with each of them.
    folder : str or path, optional
        Where the trials' run files go, as ``trial_0000.rnnbow``; by default a temporary folder, which goes with the
        sweep. Workers that share this disk write there while they train; others send their file when they have ended.
    overwrite : bool
        Whether run files of these names that are there are replaced.
    **settings
        Of all trials. They record the whole window (``horizon=None``) unless a setting says otherwise.

    Returns
    -------
    Sweep
        The widget.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above, or no trainer can be made of the data and a trial's settings.
    FileExistsError
        If such run files are there, and `overwrite` is false.

    Examples
    --------
    >>> from rnnbow_widget import sweep
    >>> text = "hello world, " * 40
    >>> found = sweep(text, {"hidden_size": [4, 8]}, batches=20, record_every=5, executor=1).wait()
    >>> [trial.status for trial in found.trials]
    ['done', 'done']
    >>> found.runs[1].batches.tolist()
    [0, 5, 10, 15]
    """
    made = Trials(
        data,
        grid,
        batches=batches,
        executor=executor,
        seeds=seeds,
        folder=folder,
        overwrite=overwrite,
        **settings,
    )
    return Sweep(made)


class Sweep(PageWidget):
    """The trials of a sweep as a table, which fills while they train; made by `sweep`.

    A row has what is particular to a trial, how far it is, its loss, its horizon length, and how that went over
    training. One trial opens in the panels beneath, and two to four side by side. While a page shows the table, it asks
    what is new; the trials go on without one, and cells can run meanwhile.

    Parameters
    ----------
    trials : Trials
        What is shown.

    Attributes
    ----------
    trials : tuple of Trial
        All of them, in the order of the grid.
    folder : Path
        Where the run files are.
    sort_by : str
        By which column the table is sorted: "" for the order of the grid, the name of a setting, "status", "batch",
        "loss" or "horizon".
    descending : bool
        Whether the largest comes first. Trials without a number come last, either way.

    Examples
    --------
    >>> from rnnbow_widget import sweep
    >>> found = sweep("hello world, " * 40, {"hidden_size": [4, 8]}, batches=20, executor=1).wait()
    >>> found.finished, len(found.trials)
    (True, 2)
    """

    _esm = ESM
    _css = CSS

    sort_by = traitlets.Unicode("").tag(sync=True)
    descending = traitlets.Bool(False).tag(sync=True)
    _table = computed(lambda widget: widget._describe())
    _opened = computed(lambda widget: widget._describe_opened())

    def __init__(self, trials: Trials) -> None:
        self._sweep = trials
        self._told_at = monotonic()
        self._finished_told = False
        self._shown: tuple[int, ...] = ()
        self._inner: RelayedRun | RelayedComparison | None = None
        self._relay: Relay | None = None
        self._opened_id = 0
        super().__init__()
        self.on_msg(lambda _, content, buffers: self._receive(content, buffers))

    def __repr__(self) -> str:
        self._sweep.refresh()
        return f"Sweep({summary_of(self.trials)})\n{text_of(self.trials, self._sweep.varied)}"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return mime_bundle(self, None)  # its text is the whole table, which else is cut short

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials, in the order of the grid."""
        return self._sweep.trials

    @property
    def runs(self) -> dict[int, Run]:
        """What was recorded, by the number of the trial; of those whose run is here."""
        return {trial.number: trial.run for trial in self.trials if trial.is_here}

    @property
    def folder(self) -> Path:
        """Where the run files are."""
        return self._sweep.folder

    @property
    def finished(self) -> bool:
        """Whether every trial has ended."""
        return self._sweep.finished

    @property
    def opened(self) -> tuple[int, ...]:
        """Numbers of the trials that the panels show."""
        return self._shown

    # What a person can do. Each is what a button does.

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until every trial has ended: for scripts, and for cells that go on with the results.

        Parameters
        ----------
        timeout : float, optional
            Seconds at most.

        Raises
        ------
        TimeoutError
            If some have not ended by then. They go on.
        """
        self._sweep.wait(timeout, self._tell_now_and_then)
        self._tell()
        return self

    def cancel(self) -> None:
        """End it: trials that wait are not begun, and those that train end soon, with what they have recorded.

        Workers that share no disk with this machine are out of reach, and end with their trials.
        """
        self._sweep.cancel()
        self._tell()

    def show(self, *numbers: int) -> None:
        """Show trials in the panels: one alone, two to four side by side; without a number none.

        Raises
        ------
        FileNotFoundError
            If nothing of a trial is here yet.
        TypeError, ValueError
            If there is no such trial, or they cannot be compared; see `compare`.
        """
        for number in numbers:
            if whole_number("numbers", number, minimum=0) >= len(self.trials):
                raise ValueError(f"numbers takes those of trials, 0 to {len(self.trials) - 1}; got {number}")
        if len(numbers) > MOST:
            raise ValueError(f"numbers takes up to {MOST} trials, got {len(numbers)}")
        relay = Relay(self._send_relayed(self._opened_id + 1))
        inner = self._made(numbers, relay) if numbers else None
        if self._inner is not None:
            self._inner.close()
        self._opened_id += 1
        self._shown, self._inner, self._relay = tuple(numbers), inner, relay
        self.send_state("_opened")

    def code(self) -> str:
        """Return all of this as one line of Python, which trains the same trials when it is run, and shows the same.

        Whatever no line can hold, such as data of your own, is a name in it that a comment explains.
        """
        found = self._sweep
        settings = [dict(trial.settings) for trial in self.trials]
        return sweep_recipe(
            found.data, settings, found.batches, found.common, self._shown, self.sort_by, self.descending
        )

    def to_pandas(self) -> pandas.DataFrame:
        """Return the table as a data frame: a row for each trial, by its number.

        Raises
        ------
        ImportError
            If pandas is not installed: ``pip install 'rnnbow_widget[pandas]'``.
        """
        return self._sweep.to_pandas()

    # What pages see.

    @traitlets.validate("sort_by")
    def _check_column(self, proposal: Mapping[str, Any]) -> str:
        with refused():
            return one_of("sort_by", proposal["value"], ("", *self._sweep.varied, *_OF_ALL))

    def _describe(self) -> dict[str, Any]:
        self._sweep.refresh()
        return {
            "columns": self._sweep.varied,
            "batches": self._sweep.batches,
            "rows": [row_of(trial, self._sweep.varied) for trial in self.trials],
            "finished": self.finished,
        }

    def _describe_opened(self) -> dict[str, Any]:
        state = None if self._inner is None else state_of(self._inner)
        return {"id": self._opened_id, "numbers": list(self._shown), "state": state}

    def _made(self, numbers: Sequence[int], relay: Relay) -> RelayedRun | RelayedComparison:
        """Make the panels of these trials. Their runs are opened anew: what pages have been told of a run is theirs."""
        trials = [self.trials[number] for number in numbers]
        sides = [Side(trial.opened(), None) for trial in trials]
        if len(sides) == 1:
            return RelayedRun(sides[0].run, relay)
        check_comparable(sides)
        names = [f"{name} (trial {number})" for number, name in zip(numbers, derived_names(sides), strict=True)]
        return RelayedComparison(dict(zip(names, sides, strict=True)), relay)

    def _send_relayed(self, opened: int) -> Any:
        return lambda data, buffers: self.send({"kind": "relay", "id": opened, "data": data}, buffers)

    # Messages.

    def _receive(self, message: Any, buffers: Sequence[Any]) -> None:
        """Do what a page's message asks. What fails is shown on the pages."""
        handlers: dict[str, Callable[[], None]] = {
            "follow": lambda: self._tell(*request_of(message)),
            "show": lambda: self._on_show(message.get("numbers")),
            "cancel": self.cancel,
            "code": lambda: self.send({"kind": "code", "client": client_of(message), "line": self.code()}),
            "relay": lambda: self._on_relay(message, buffers),
        }
        try:
            handlers[kind_of(message, handlers)]()
        except Exception as error:
            said, hint = explain(error)
            self.log.error("rnnbow_widget: %s", said, exc_info=error)
            self.send({"kind": "error", "message": said, "hint": hint})

    def _on_show(self, numbers: Any) -> None:
        try:
            self.show(*(numbers if isinstance(numbers, list) else [numbers]))
        except (OSError, RunFileError, TypeError, ValueError) as error:
            message = str(error)
            self.send({"kind": "refused", "message": drawable(f"{message[:1].upper()}{message[1:]}.")})

    def _on_relay(self, message: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        if self._relay is not None and message.get("id") == self._opened_id:  # else of panels that are gone
            self._relay.deliver(message.get("data"), buffers)

    def _tell_now_and_then(self) -> None:
        if monotonic() - self._told_at >= _TELL_SECONDS:
            self._tell()

    def _tell(self, client: str | None = None, seq: int = 0) -> None:
        """Tell the pages what is new; once it is finished, everything, for who keeps it without a page."""
        self._told_at = monotonic()
        finished = self.finished
        changed = self._sweep.refresh()
        ends = finished and not self._finished_told
        told = self.trials if ends else changed
        rows = [row_of(trial, self._sweep.varied) for trial in told]
        self.send({"kind": "rows", "client": client, "seq": seq, "rows": rows, "finished": finished})
        if ends:
            self._finished_told = True
            self.send_state("_table")

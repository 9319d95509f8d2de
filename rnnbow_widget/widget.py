"""The widget: its traits, which hold what pages show, and its methods. The protocol is in docs/architecture.md."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from .checks import whole_number
from .conversation import Conversation
from .cues import Cue
from .data import Data
from .display import mime_bundle
from .export import File, write_out
from .horizon import HorizonChoice
from .measuring import MEASURES
from .overview import QUANTITIES
from .page import FIRST_VIEW, FORMS, MAX_BYTES, make_page
from .page_traits import Batch, Checked, Choice, PageWidget, computed, refused
from .recipe import recipe
from .reporter import SETTINGS, Reporter
from .run import Run
from .run_file import names_run_file
from .trainer import Trainer

if TYPE_CHECKING:
    from .attempt_view import AttemptView

Source = Trainer | Run | Data | str | PathLike[str]

_STATIC = Path(__file__).parent / "static"
# As texts: of files, anywidget keeps every widget that was ever made, to tell it when they change.
ESM = (_STATIC / "widget.js").read_text(encoding="utf-8")
CSS = (_STATIC / "widget.css").read_text(encoding="utf-8")


class RNNbow(PageWidget):
    """Four linked panels that show where the gradient of a recurrent network comes from, live while it trains.

    Display it by naming it at the end of a cell. While it plays, the page lends the kernel short stretches of time to
    train in, so cells stay responsive and a closed page trains nothing. Every button has a method of the same effect.

    Parameters
    ----------
    source : Trainer, Run, Data, str or path
        A trainer to drive, and to follow where it is driven elsewhere; a run to look at; a run file, whose name ends in
        ``.rnnbow``, which is followed while somebody writes it; or data, from which a trainer is made.
    measure : str
        What is drawn of an item: "norm" (``‖G_{t,j}‖``), "mean_abs" (its mean absolute entry) or "share" (its signed
        share of ``‖∂L/∂W_hh‖``).
    form : str
        How panel 3 is drawn: "bars" (stacked bars), "heatmap" (a cell for every item, for long windows) or "auto" (bars
        where they are wide enough to be read).
    quantity : str
        What panel 1 draws of each batch, one of `rnnbow_widget.overview.QUANTITIES`: "max_gradient", "mean_gradient",
        "grad_norm", "update_norm", "loss", "accuracy", "horizon_length", or one of `INDICATORS`.
    overlay : str, optional
        A second quantity that is laid over as a line.
    log_scale : bool
        Whether the bars of panel 1 stand on a logarithmic axis.
    stream : int, optional
        Which stream of a minibatch panels 2 to 4 show, counted from 0 as in `Snapshot.streams` (pages count from 1);
        None shows the average over streams.
    surface : str, optional
        Name of the gradient that panels 2 to 4 show, such as "W_hh_l1[f]" or "h"; see `Surfaces.parse`. By default the
        primary one, W_hh of the layer next to the read-out. One that is not recorded is recorded too from now on.
    **settings
        Passed on to `Trainer` when `source` is data, such as ``hidden_size=64, seed=1``.

    Raises
    ------
    TypeError, ValueError
        If the source or a setting is not of the kind above; the message names it.
    FileNotFoundError, RunFileError
        If there is no such run file, or it cannot be read; see `Run.open`.

    Attributes
    ----------
    trainer : Trainer or None
        What trains; None when a finished run is shown.
    run : Run
        What is shown: every number that is drawn can be read there as a numpy array.
    selected : int or None
        Number of the selected batch; None follows the newest.
    measure, quantity, overlay, log_scale, stream, surface :
        What is drawn, as above; assigning changes it on every page, and what is chosen there is read here.
    playing : bool
        Whether training is wanted.
    learning_rate, horizon, record_every :
        The trainer's settings; assigning changes them live, without losing state.

    Examples
    --------
    >>> from rnnbow_widget import RNNbow
    >>> widget = RNNbow("hello world, " * 40, hidden_size=16, record_every=10)
    >>> widget.train(100)
    >>> widget.run[-1].surfaces["W_hh"].shape
    (25, 10)
    """

    _esm = ESM
    _css = CSS

    selected = Batch().tag(sync=True)
    measure = Choice(MEASURES, "norm").tag(sync=True)
    form = Choice(FORMS, "auto").tag(sync=True)
    quantity = Choice(QUANTITIES, "max_gradient").tag(sync=True)
    overlay = Choice(QUANTITIES, None, allow_none=True).tag(sync=True)
    log_scale = traitlets.Bool(False).tag(sync=True)
    stream = Checked().tag(sync=True)
    surface = Checked().tag(sync=True)
    learning_rate = Checked().tag(sync=True, from_pages=False)
    horizon = Checked().tag(sync=True, from_pages=False)
    record_every = Checked().tag(sync=True, from_pages=False)
    playing = traitlets.Bool(False).tag(
        sync=True,
        from_pages=False,
        to_json=lambda value, widget: value and widget._conversation.leases.is_current(),
    )
    _touring = traitlets.Bool(False).tag(sync=True, from_pages=True)
    _labels = computed(lambda widget: widget._reporter.labels())
    _info = computed(lambda widget: widget._reporter.info())
    _run = computed(lambda widget: widget._reporter.feed.state(widget.selected, widget.stream))
    _status = computed(lambda widget: widget._conversation.status())
    _samples = computed(lambda widget: widget._reporter.samples)
    _cues = computed(lambda widget: widget._reporter.feed.cues())
    _choice = computed(lambda widget: widget._reporter.choice())

    def __init__(
        self,
        source: Source,
        *,
        measure: str = "norm",
        form: str = "auto",
        quantity: str = "max_gradient",
        overlay: str | None = None,
        log_scale: bool = False,
        stream: int | None = None,
        surface: str | None = None,
        **settings: Any,
    ) -> None:
        if isinstance(source, (str, PathLike)) and names_run_file(source):
            source = Run.open(source)
        if isinstance(source, (Trainer, Run)):
            if settings:
                kind = type(source).__name__
                raise TypeError(f"{', '.join(settings)}: settings are taken only with data; this {kind} has its own")
            self.trainer = source if isinstance(source, Trainer) else None
        else:
            self.trainer = Trainer(source, **settings)
        self.run: Run = source if isinstance(source, Run) else self.trainer.run  # type: ignore[union-attr]  # one of the two holds
        self._reporter = Reporter(self.run, self.trainer)
        self._conversation = Conversation(self, (self._reporter,), self.trainer)
        chosen = {"measure": measure, "form": form, "quantity": quantity, "overlay": overlay, "log_scale": log_scale}
        super().__init__(**chosen, stream=stream, surface=surface, **self._settings())
        self.on_msg(lambda _, content, __: self._conversation.receive(content))
        if self.trainer is None:
            self.run.follow(self._conversation.tell_recorded)
        else:
            self._surfaces = self.trainer.surfaces  # that pages know of
            self.trainer.follow(settings=self._take_settings, progress=self._conversation.tell_progress)

    @classmethod
    def from_arrays(cls, weights: Any, inputs: Any, targets: Any, **arrays: Any) -> AttemptView:
        """Show what somebody's own back-propagation came to, next to what it should be, and where it first differs.

        Parameters
        ----------
        weights, inputs, targets :
            What it was worked out with and for; see `Attempt.add`.
        **arrays
            What was found, any of ``hidden``, ``probabilities``, ``loss``, ``delta``, ``terms``, ``pieces``,
            ``gradients``; and ``state``, ``mask``, ``batch``: see `Attempt.add`. ``cell``, ``vocabulary``,
            ``tolerance``, ``name``: see `Attempt`. ``attempt``, of an earlier view: to go on with, as its next batch.

        Returns
        -------
        AttemptView
            A widget, whose ``attempt`` has everything in numbers. Printed, it says the same.

        Raises
        ------
        TypeError, ValueError
            If an argument is not of that kind; the message names it.

        Examples
        --------
        >>> from rnnbow_widget import RNN, RNNbow, bptt
        >>> rnn = RNN(5, 4, seed=1, init="uniform", dtype="float64")
        >>> found = bptt(rnn, rnn.forward([0, 1, 2], [1, 2, 3])).parameters["W_hh"]
        >>> RNNbow.from_arrays(rnn, [0, 1, 2], [1, 2, 3], gradients={"dWhh": found})
        Agrees with the reference: rel_error is at most 0.
          gradients['dWhh']    rel_error 0        agrees
        """
        from .attempt_view import show_attempt

        return show_attempt(weights, inputs, targets, **arrays)

    def __repr__(self) -> str:
        if self.trainer is None:
            return f"RNNbow({self.run!r})"
        data, batch = self.trainer.data, self.trainer.batch
        loss = "untrained" if batch == 0 else f"loss {data.about.loss_text(self.trainer.smooth_loss)}"
        return f"RNNbow({data.name}, batch {batch:,}, {loss}, {len(self.run):,} recorded)"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return mime_bundle(self, self.to_png if len(self.run) else None)

    # What a person can do. Each is what a button does.

    def play(self) -> None:
        """Train for as long as a page shows the widget, until `pause`."""
        self._conversation.play()

    def pause(self) -> None:
        """Stop playing, after the batch that is being trained."""
        self._conversation.stop()

    def train(self, batches: int) -> None:
        """Train a number of batches now. Pages are kept up to date meanwhile; none is needed.

        Raises
        ------
        DivergedError
            If loss or gradient is not finite. What was recorded is kept.
        """
        self._conversation.train(batches)

    def step(self) -> None:
        """Train one batch, and record it."""
        self._conversation.step("batch")

    def step_to_record(self) -> None:
        """Train up to and including the next batch that is due to be recorded."""
        self._conversation.step("record")

    def reset(self) -> None:
        """Go back to the untrained network of the same seed. The recorded batches are forgotten; settings stay."""
        self._conversation.reset()

    def measure_horizon(self) -> HorizonChoice:
        """Find the shortest horizon that would be enough, and draw what each leaves out; ``horizon`` stays as it is.

        See `Trainer.measure_horizon`.

        Raises
        ------
        ValueError
            If no loss has a gradient yet, or some are not finite.
        """
        return self._conversation.measure_horizon()

    def refresh(self) -> None:
        """Show what was added to the run file that was opened. Pages do so by themselves while they show the widget.

        Raises
        ------
        RunFileError
            If the file cannot be read any more. What was read is kept.
        ValueError
            If no run file was opened.
        """
        if self.run.writer:
            path = self.run.writer.path
            raise ValueError(f"refresh is for a run that was opened from a file; this one is saved to {path}")
        self._conversation.follow()

    def select(self, batch: int | None) -> None:
        """Select a recorded batch, or with None the newest one from now on.

        Raises
        ------
        KeyError
            If that batch was not recorded.
        """
        if batch is not None:
            batch = whole_number("batch", batch, minimum=0)
            self.run.index_of(batch)
        self.selected = batch

    def tour(self) -> None:
        """Start the guided tour through the panels, on every page that shows the widget and on the next one that does.

        It reads its figures from the batch that is shown; closing it on a page ends it. `examples.vanishing` has a run
        that is worth one.
        """
        self._touring = True

    def code(self) -> str:
        """Return all of this as one line of Python, which shows the same picture when it is run.

        It makes the data and the network, trains as many batches, with the settings that held for each, and chooses
        what is drawn. Whatever no line can hold, such as data of your own, is a name in it that a comment explains.
        """
        chosen = {name: getattr(self, name) for name in (*FIRST_VIEW, "surface") if name != "selected"}
        usual = {**FIRST_VIEW, "surface": self._reporter.primary}
        return recipe(self.run, self.trainer, chosen, usual, self.selected)

    def to_html(self, file: File, *, title: str | None = None, max_bytes: int = MAX_BYTES) -> None:
        """Write a page to share: these panels as one file for any browser, without a kernel or a network.

        It shows first what is shown here: the selected batch, the measure, and so on. For the rest see `Run.to_html`.

        Parameters
        ----------
        file : path or file object
            Where to. A file that is there is replaced.
        title : str, optional
            Heading of the page; by default the name of the data.
        max_bytes : int
            Size of the page at most.

        Raises
        ------
        TypeError, ValueError
            If an argument is not of the kind above, or `max_bytes` leaves no room for the run.
        OSError
            If the file cannot be written.
        """
        names = set(self.traits(sync=True)) - set(anywidget.AnyWidget.class_traits(sync=True))
        chosen = {name: getattr(self, name) for name in names if not name.startswith("_") and name != "playing"}
        write_out(file, make_page(self._reporter, chosen, title=title, max_bytes=max_bytes))

    def to_svg(self, batch: int | None = None) -> str:
        """Draw a batch, by default the selected one, as a still picture of what is shown here; see `Run.to_svg`."""
        return self.run.to_svg(self.selected if batch is None else batch, **self._drawn())

    def to_png(self, batch: int | None = None) -> bytes:
        """Draw a batch, by default the selected one, as a still picture of what is shown here; see `Run.to_png`."""
        return self.run.to_png(self.selected if batch is None else batch, **self._drawn())

    @property
    def cues(self) -> list[Cue]:
        """Batches worth looking at, ranked, with the reason in words; see `Run.cues`."""
        return self.run.cues()

    def _drawn(self) -> dict[str, Any]:
        """What a still picture draws."""
        surface = None if self.surface == self.run.primary else self.surface
        return {"surface": surface, "measure": self.measure, "stream": self.stream, "quantity": self.quantity}

    # Traits.

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self.trainer, name) if self.trainer else self.run.settings.get(name) for name in SETTINGS}

    @traitlets.validate(*SETTINGS)
    def _apply(self, proposal: Mapping[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        held = self._settings()[name]
        if type(value) is type(held) and value == held:
            return held
        if self.trainer is None:
            raise traitlets.TraitError(f"{name} cannot be changed: a finished run is shown, and nothing trains")
        setattr(self.trainer, name, value)
        return getattr(self.trainer, name)

    def _take_settings(self) -> None:
        """A setting was assigned, maybe to the trainer itself or to another widget of it: pages of this one see it."""
        for name, value in self._settings().items():
            setattr(self, name, value)
        if self.trainer and self.trainer.surfaces != self._surfaces:
            self._surfaces = self.trainer.surfaces
            if self.comm is not None:
                self.send_state("_info")

    @traitlets.validate("stream", "surface")
    def _check_view(self, proposal: Mapping[str, Any]) -> Any:
        check = {"stream": self._reporter.checked_stream, "surface": self._reporter.checked_surface}
        with refused():
            return check[proposal["trait"].name](proposal["value"])

    @traitlets.observe("surface")
    def _record_surface(self, change: Mapping[str, Any]) -> None:
        self._reporter.show_surface(change["new"])

    @traitlets.observe("stream")
    def _send_details_of_stream(self, _: object) -> None:
        """Send what of the run pages load and notebooks save: its details are those of the stream that is chosen."""
        if self.comm is not None:  # else nobody has anything of this widget
            self._conversation.renew_state()

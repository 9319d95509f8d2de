"""The widget: traits hold what pages show, messages carry what is new. The protocol is in docs/architecture.md."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import Any

import anywidget
import traitlets
from IPython.core.getipython import get_ipython

from .checks import one_of, positive_int
from .corpora import Corpus
from .cues import Cue
from .feed import Feed
from .horizon import HorizonChoice
from .measuring import MEASURES
from .protocol import drawable, json_number
from .run import QUANTITIES, Run
from .status import explain, status_of
from .trainer import DivergedError, Trainer

Source = Trainer | Run | Corpus | str | PathLike[str]

FORMS = ("auto", "bars", "heatmap")
"""How panel 3 is drawn; "auto": as bars while they are wide enough to be read."""

_STATIC = Path(__file__).parent / "static"
_FRAME_SECONDS = 0.05
_SLICE_SECONDS = 0.002  # trained at a stretch: so soon a stop is heard
_OVERLAP_SECONDS = 0.025  # more than the way to the page and back takes
_MANY = 1 << 30
_SAMPLE_SECONDS = 1.0
_CUE_SECONDS = 1.0
_SAMPLE_LENGTH = 240
_LONGEST_LEASE_MS = 2_000
_STALE_SECONDS = 10.0


class _Setting(traitlets.TraitType[Any, Any]):
    """A setting that the trainer checks; `traitlets.Any` would let None pass unchecked."""

    default_value = None


def _computed(compute: Callable[[Any], Any]) -> Any:
    """Return a trait whose value is worked out when a page asks for the widget's state, and not stored."""
    return traitlets.Any().tag(sync=True, to_json=lambda _, widget: compute(widget))


class RNNbow(anywidget.AnyWidget):
    """Four linked panels that show where the gradient of a recurrent network comes from, live while it trains.

    Display it by naming it at the end of a cell. While it plays, the page lends the kernel short stretches of time to
    train in, so cells stay responsive and a closed page trains nothing. Every button has a method of the same effect.

    Parameters
    ----------
    source : Trainer, Run, Corpus, str or path
        A trainer to drive; a run to look at; or data, from which a trainer is made.
    measure : str
        What is drawn of an item: "norm" (``‖G_{t,j}‖``), "mean_abs" (its mean absolute entry) or "share" (its signed
        share of ``‖∂L/∂W_hh‖``).
    form : str
        How panel 3 is drawn: "bars" (stacked bars), "heatmap" (a cell for every item, for long windows) or "auto" (bars
        where they are wide enough to be read).
    quantity : str
        What panel 1 draws of each batch, one of `rnnbow_widget.run.QUANTITIES`: "max_gradient", "mean_gradient",
        "grad_norm", "update_norm", "loss", "accuracy" or "horizon_length".
    overlay : str, optional
        A second quantity that is laid over as a line.
    log_scale : bool
        Whether the bars of panel 1 stand on a logarithmic axis.
    stream : int, optional
        Which stream of a minibatch panels 2 to 4 show, counted from 0 as in `Snapshot.streams` (pages count from 1);
        None shows the average over streams.
    **settings
        Passed on to `Trainer` when `source` is data, such as ``hidden_size=64, seed=1``.

    Raises
    ------
    TypeError, ValueError
        If the source or a setting is not of the kind above; the message names it.

    Attributes
    ----------
    trainer : Trainer or None
        What trains; None when a finished run is shown.
    run : Run
        What is shown: every number that is drawn can be read there as a numpy array.
    selected : int or None
        Number of the selected batch; None follows the newest.
    measure, quantity, overlay, log_scale, stream :
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

    _esm = _STATIC / "widget.js"
    _css = _STATIC / "widget.css"

    selected = traitlets.Int(None, allow_none=True).tag(sync=True)
    measure = traitlets.Enum(MEASURES, "norm").tag(sync=True)
    form = traitlets.Enum(FORMS, "auto").tag(sync=True)
    quantity = traitlets.Enum(QUANTITIES, "max_gradient").tag(sync=True)
    overlay = traitlets.Enum(QUANTITIES, None, allow_none=True).tag(sync=True)
    log_scale = traitlets.Bool(False).tag(sync=True)
    stream = traitlets.Int(None, allow_none=True).tag(sync=True)
    learning_rate = _Setting().tag(sync=True)
    horizon = _Setting().tag(sync=True)
    record_every = _Setting().tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True, to_json=lambda value, widget: value and widget._is_leased())
    _labels = _computed(lambda widget: [drawable(label) for label in widget.run.vocabulary])
    _info = _computed(lambda widget: widget._describe())
    _run = _computed(lambda widget: widget._feed.state(widget.selected, widget.stream))
    _status = _computed(lambda widget: widget._current_status())
    _samples = _computed(lambda widget: widget._written)
    _cues = _computed(lambda widget: widget._feed.cues())
    _choice = _computed(lambda widget: {"newest": _told_choice(widget._choice_now())})

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
        **settings: Any,
    ) -> None:
        if isinstance(source, (Trainer, Run)):
            if settings:
                kind = type(source).__name__
                raise TypeError(f"{', '.join(settings)}: settings are taken only with data; this {kind} has its own")
            self.trainer = source if isinstance(source, Trainer) else None
        else:
            self.trainer = Trainer(source, **settings)
        self.run: Run = source if isinstance(source, Run) else self.trainer.run  # type: ignore[union-attr]  # one of the two holds
        self._lock = threading.Lock()  # handlers may run on other threads than cells: whoever trains holds it
        self._sending = threading.Lock()  # what is numbered in order is sent in order
        self._feed = Feed(self.run)
        self._answered: dict[str, int] = {}
        self._last_lease: float | None = None
        self._training = False
        self._state_is_due = False
        self._rate = math.nan
        self._trouble = ("", "")
        self._written: dict[str, Any] = {"first": None, "now": None}
        self._written_at = -math.inf
        self._told_cues: list[dict[str, Any]] = []
        self._told_cues_at = -math.inf
        self._choice_told = self._choice_now()
        self._write()
        chosen = {"measure": measure, "form": form, "quantity": quantity, "overlay": overlay, "log_scale": log_scale}
        super().__init__(**chosen, stream=stream, **self._settings())
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        if self.trainer is None:
            return f"RNNbow({self.run!r})"
        loss = "untrained" if self.trainer.batch == 0 else f"loss {self.trainer.smooth_loss:.3g} nats/step"
        return f"RNNbow({self.trainer.data.name}, batch {self.trainer.batch:,}, {loss}, {len(self.run):,} recorded)"

    # What a person can do. Each is what a button does.

    def play(self) -> None:
        """Train for as long as a page shows the widget, until `pause`."""
        self._require_trainer()
        self._last_lease = None
        self.playing = True

    def pause(self) -> None:
        """Stop playing, after the batch that is being trained."""
        self.playing = False

    def train(self, batches: int) -> None:
        """Train a number of batches now. Pages are kept up to date meanwhile; none is needed.

        Raises
        ------
        DivergedError
            If loss or gradient is not finite. What was recorded is kept.
        """
        batches = positive_int("batches", batches, minimum=0)
        end = self._require_trainer().batch + batches
        try:
            with self._lock:
                self._stream(lambda trainer: end - trainer.batch)
        finally:
            self._send_state_after_cell()

    def step(self) -> None:
        """Train one batch, and record it."""
        self._take_step("batch")

    def step_to_record(self) -> None:
        """Train up to and including the next batch that is due to be recorded."""
        self._take_step("record")

    def reset(self) -> None:
        """Go back to the untrained network of the same seed. The recorded batches are forgotten; settings stay."""
        trainer = self._require_trainer()
        self.pause()
        with self._lock:
            trainer.reset()
            self._feed.start_over()
            self._trouble, self._rate = ("", ""), math.nan
            self._written["first"] = None
            self._write()
            self.selected = None
            self._send_whole()
        self._send_state_after_cell()

    def measure_horizon(self) -> HorizonChoice:
        """Find the shortest horizon that would be enough, and draw what each leaves out; `horizon` stays as it is.

        See `Trainer.measure_horizon`.

        Raises
        ------
        ValueError
            If no loss has a gradient yet, or some are not finite.
        """
        trainer = self._require_trainer()
        with self._lock:
            choice = trainer.measure_horizon()
            self._send_frame(None, 0, last=True)
        self._send_state_after_cell()
        return choice

    def select(self, batch: int | None) -> None:
        """Select a recorded batch, or with None the newest one from now on.

        Raises
        ------
        KeyError
            If that batch was not recorded.
        """
        if batch is not None:
            batch = positive_int("batch", batch, minimum=0)
            self.run.index_of(batch)
        self.selected = batch

    @property
    def cues(self) -> list[Cue]:
        """Batches worth looking at, ranked, with the reason in words; see `Run.cues`."""
        return self.run.cues()

    # Traits.

    def _settings(self) -> dict[str, Any]:
        names = ("learning_rate", "horizon", "record_every")
        return {name: getattr(self.trainer, name) if self.trainer else self.run.settings.get(name) for name in names}

    @traitlets.validate("learning_rate", "horizon", "record_every")
    def _apply(self, proposal: Mapping[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if self.trainer is None:
            if value != self.run.settings.get(name):
                raise traitlets.TraitError(f"{name} cannot be changed: a finished run is shown, and nothing trains")
            return value
        setattr(self.trainer, name, value)
        return getattr(self.trainer, name)

    @traitlets.validate("stream")
    def _check_stream(self, proposal: Mapping[str, Any]) -> int | None:
        try:
            return self._checked_stream(proposal["value"])
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(
                str(error)
            ) from None  # the only error after which traitlets keep what held before

    def _checked_stream(self, stream: Any) -> int | None:
        count = self._batch_size
        if stream is not None and positive_int("stream", stream, minimum=0) >= count:
            takes = f"0 to {count - 1}" if count > 1 else "0"
            raise ValueError(
                f"stream takes None, for the average over streams, or {takes}, "
                f"since batch_size is {count}; got {stream}"
            )
        return None if count == 1 else stream  # one stream is its own average

    @traitlets.observe("stream")
    def _send_details_of_stream(self, _: object) -> None:
        """Send what of the run pages load and notebooks save: its details are those of the stream that is chosen."""
        if self.comm is None:  # nobody has anything of this widget
            return
        self._feed.renew_state()
        # While it plays, batches may be recorded that no frame has told: it goes behind the next frame.
        if not self.playing:
            with self._sending:
                self._send_state_if_due()

    def _send_state_if_due(self) -> None:
        if self._feed.is_state_due():
            self.send_state("_run")

    @property
    def _batch_size(self) -> int:
        return self.trainer.batch_size if self.trainer else int(self.run.settings.get("batch_size", 1))

    def _is_leased(self) -> bool:
        """Whether a page that loads now may go on playing: not if the one that played has been gone for a while."""
        return self._last_lease is None or monotonic() - self._last_lease < _STALE_SECONDS

    def _describe(self) -> dict[str, Any]:
        settings = self.trainer.settings if self.trainer else self.run.settings
        return {
            "live": self.trainer is not None,
            "seq_length": settings.get("seq_length"),
            "batch_size": self._batch_size,
            "num_layers": settings.get("num_layers", 1),
            "bidirectional": settings.get("bidirectional", False),
            "hidden_size": settings.get("hidden_size"),
            "cell": settings.get("cell"),
            "data_name": drawable(str(settings.get("data", ""))),
            "data_length": self.trainer.data.length if self.trainer else None,
        }

    def _choice_now(self) -> HorizonChoice | None:
        return self.trainer.horizon_choice if self.trainer else None

    def _current_status(self) -> dict[str, Any]:
        training = self._training or self.playing
        return status_of(self.run, self.trainer, training=training, rate=self._rate, trouble=self._trouble)

    # Messages from pages.

    def _on_message(self, _: Any, message: Any, __: Any) -> None:
        try:
            kind = message.get("kind") if isinstance(message, dict) else None
            handlers: dict[Any, Callable[[Mapping[str, Any]], None]] = {
                "lease": self._on_lease,
                "step": self._on_step,
                "play": lambda _: self.play(),
                "stop": lambda _: self._on_stop(),
                "reset": lambda _: self.reset(),
                "measure_horizon": lambda _: self._on_measure_horizon(),
                "set": self._on_set,
                "resync": lambda _: self._send_whole(),
                "details": self._on_details,
            }
            if kind not in handlers:
                raise ValueError(f"kind takes one of {', '.join(handlers)}; got {kind!r}")
            handlers[kind](message)
        except DivergedError:
            pass  # the last frame has said so
        except Exception as error:
            self._fail(error)

    def _on_lease(self, message: Mapping[str, Any]) -> None:
        milliseconds = min(positive_int("ms", message.get("ms")), _LONGEST_LEASE_MS)

        def work(client: str, seq: int) -> None:
            self._last_lease = monotonic()
            end = self._last_lease + milliseconds / 1000
            self._stream(
                lambda _: _MANY if self.playing and monotonic() < end else 0, client, seq, end - _OVERLAP_SECONDS
            )

        self._answer(message, work)

    def _on_step(self, message: Mapping[str, Any]) -> None:
        self._answer(message, lambda client, seq: self._take_step_locked(str(message.get("until")), client, seq))

    def _answer(self, message: Mapping[str, Any], work: Callable[[str, int], None]) -> None:
        """Carry out a page's request once, or say that it was carried out before, or that something else trains now."""
        client, seq = str(message.get("client")), positive_int("seq", message.get("seq"))
        if not self._lock.acquire(timeout=2 * _OVERLAP_SECONDS):  # the request before may be about to end
            self.send({"kind": "busy", "client": client, "seq": seq})
            return
        try:
            if seq <= self._answered.get(client, 0):
                self.send({"kind": "done", "client": client, "seq": seq})
                return
            self._answered[client] = seq
            self._require_trainer()
            work(client, seq)
        finally:
            self._lock.release()

    def _on_stop(self) -> None:
        self.pause()
        if self._lock.acquire(blocking=False):  # otherwise the lease that is running ends now, and says so
            try:
                self._send_frame(None, 0, last=True)
            finally:
                self._lock.release()

    def _on_set(self, message: Mapping[str, Any]) -> None:
        name, value = message.get("name"), message.get("value")
        try:
            if name not in self._settings():
                raise ValueError(f"name takes one of {', '.join(self._settings())}; got {name!r}")
            setattr(self, name, value)
        except (TypeError, ValueError, traitlets.TraitError) as error:
            self.send({"kind": "refused", "name": name, "value": value, "message": str(error)})

    def _on_details(self, message: Mapping[str, Any]) -> None:
        """Answer at once, also while something trains: a run can be read while it grows."""
        batch = positive_int("batch", message.get("batch"), minimum=0)
        content, chunks = self._feed.details(batch, self._checked_stream(message.get("stream")))
        self.send({"kind": "details", "client": str(message.get("client")), **content}, chunks)

    def _on_measure_horizon(self) -> None:
        try:
            self.measure_horizon()
        except ValueError as error:
            self.send({"kind": "refused", "name": "measure_horizon", "value": None, "message": str(error)})

    # Training.

    def _require_trainer(self) -> Trainer:
        if self.trainer is None:
            raise ValueError("a finished run is shown: there is nothing to train. RNNbow(trainer) can train")
        return self.trainer

    def _take_step(self, until: str) -> None:
        self._require_trainer()
        self.pause()
        with self._lock:
            self._take_step_locked(until)
        self._send_state_after_cell()

    def _take_step_locked(self, until: str, client: str | None = None, seq: int = 0) -> None:
        until = one_of("until", until, ("batch", "record"))
        self.pause()
        with self._reported(client, seq) as (trainer, _):
            if until == "batch":
                trainer.step()
            else:
                trainer.step_to_record()

    def _stream(
        self, wanted: Callable[[Trainer], int], client: str | None = None, seq: int = 0, farewell: float = math.inf
    ) -> None:
        """Train while batches are `wanted`, and send frames; the last one at the time `farewell`, if that comes first.

        So the page's next request is here when this one ends. What is trained after the farewell goes with the frames
        of that one. The caller holds the lock.
        """
        with self._reported(client, seq) as (trainer, report):
            begun, batch = monotonic(), trainer.batch
            now, due, slice_ = begun, begun + _FRAME_SECONDS, 1
            while (most := wanted(trainer)) > 0:
                count, since = min(slice_, most), now
                trainer.train(count)
                now = monotonic()
                slice_ = max(1, min(2 * count, int(count * _SLICE_SECONDS / max(now - since, 1e-9))))
                if not report.ended and now >= min(due, farewell):
                    self._rate = (trainer.batch - batch) / (now - begun)
                    report.send(last=now >= farewell)
                    now = monotonic()
                    due = now + _FRAME_SECONDS

    @contextmanager
    def _reported(self, client: str | None, seq: int) -> Iterator[tuple[Trainer, _Report]]:
        """Whatever happens within, the pages learn of it: a last frame is sent, and an exception stops the playing."""
        trainer = self._require_trainer()
        report = _Report(self._send_frame, client, seq)
        self._training, self._trouble = True, ("", "")
        try:
            yield trainer, report
        except BaseException as error:
            self.pause()
            if isinstance(error, Exception):
                self._trouble = explain(error)
            raise
        finally:
            self._training = False
            if not report.ended:
                report.send(last=True)
            elif not self.playing:  # nobody will ask for the rest
                self._send_frame(None, 0, last=True)

    def _write(self) -> None:
        """Let the model write a sample."""
        if self.trainer:
            sample = {"batch": self.trainer.batch, "text": drawable(self.trainer.sample(_SAMPLE_LENGTH))}
            self._written["now"] = sample
            if self.trainer.batch == 0:
                self._written["first"] = sample
            self._written_at = monotonic()

    # Messages to pages.

    def _send_frame(self, client: str | None, seq: int, *, last: bool) -> None:
        content: dict[str, Any] = {"kind": "frame", "client": client, "seq": seq, "last": last, "playing": self.playing}
        if (last and not self.playing) or monotonic() - self._written_at > _SAMPLE_SECONDS:
            self._write()
            content["samples"] = self._written
        if last or monotonic() - self._told_cues_at > _CUE_SECONDS:
            self._told_cues_at = monotonic()
            cues = self._feed.cues()
            if cues != self._told_cues:
                content["cues"] = self._told_cues = cues
        with self._sending:
            choice = self._choice_now()
            if choice is not self._choice_told:
                self._choice_told = choice
                content["choice"] = _told_choice(choice)
            numbers, chunks = self._feed.frame(self.stream)
            self.send({**content, **numbers, "status": self._current_status()}, chunks)
            self._send_state_if_due()

    def _send_whole(self) -> None:
        with self._sending:
            numbers, chunks = self._feed.whole(self.selected, self.stream)
            content = {"kind": "whole", **numbers, "status": self._current_status(), "samples": self._written}
            self._told_cues = self._feed.cues()
            self._choice_told = self._choice_now()
            self.send({**content, "cues": self._told_cues, "choice": _told_choice(self._choice_told)}, chunks)
            self.send_state("_run")  # the pages' own copies lack what they missed

    def _send_state_after_cell(self) -> None:
        """Send the traits once when the running cell ends, for who keeps state without a page, such as nbconvert."""
        shell = get_ipython()
        if shell is None or self._state_is_due:
            return
        self._state_is_due = True

        def send(*_: object) -> None:
            shell.events.unregister("post_run_cell", send)
            self._state_is_due = False
            with self._sending:
                self.send_state(["_run", "_status", "_samples", "_cues", "_choice"])

        shell.events.register("post_run_cell", send)

    def _fail(self, error: Exception) -> None:
        """Show an exception on the pages, and put its traceback in the log."""
        self.pause()
        self._trouble = message, hint = explain(error)
        self.log.error("rnnbow_widget: %s", message, exc_info=error)
        self.send({"kind": "error", "message": message, "hint": hint})


class _Report:
    """The frames that answer one request."""

    def __init__(self, send: Callable[..., None], client: str | None, seq: int) -> None:
        self._send = send
        self._request = client, seq
        self.ended = False

    def send(self, *, last: bool) -> None:
        self.ended = last
        self._send(*self._request, last=last)


def _told_choice(choice: HorizonChoice | None) -> dict[str, Any] | None:
    """A choice as pages are told it."""
    if choice is None:
        return None
    return {**vars(choice), "residual": [json_number(left) for left in choice.residual.tolist()]}

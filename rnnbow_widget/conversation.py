"""A widget's conversation with its pages: what they ask is done, and what is new is sent to them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Protocol

import traitlets
from IPython.core.getipython import get_ipython

from .checks import positive_int
from .horizon import HorizonChoice
from .leases import FRAME_SECONDS, Leases
from .reporter import Reporter
from .status import explain
from .trainer import DivergedError, Trainer

SETTINGS = ("learning_rate", "horizon", "record_every")
"""What pages can set."""
STATE = ("_run", "_status", "_samples", "_cues", "_choice")
"""Traits that are worked out when somebody asks for them."""


class Widget(Protocol):
    """What the conversation needs of its widget."""

    log: Any
    playing: Any
    selected: Any
    stream: Any

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send a message to all pages."""

    def send_state(self, key: str | list[str]) -> None:
        """Send traits to all pages."""


class Conversation:
    """What one widget and its pages say to each other, as docs/architecture.md describes it.

    Parameters
    ----------
    widget : RNNbow
        Whose messages these are.
    reporter : Reporter
        What the pages are told of.
    trainer : Trainer or None
        What trains; None if a finished run is shown.

    Attributes
    ----------
    leases : Leases
        Who trains, and until when.
    """

    def __init__(self, widget: Widget, reporter: Reporter, trainer: Trainer | None) -> None:
        self._widget = widget
        self._reporter = reporter
        self._trainer = trainer
        self.leases = Leases(self)
        self._sending = threading.Lock()  # what is numbered in order is sent in order
        self._state_is_due = False
        self._records_elsewhere = False
        self._told_at = -math.inf

    # What buttons and methods do.

    def play(self) -> None:
        """Want training from now on; pages that see it ask for leases."""
        _ = self.trains
        self.leases.last = None
        self._widget.playing = True

    def pause(self) -> None:
        """Want no more training: a lease that is running ends."""
        self._widget.playing = False

    def train(self, batches: int) -> None:
        """Train a number of batches now."""
        batches = positive_int("batches", batches, minimum=0)
        try:
            self.leases.train(batches)
        finally:
            self._send_state_after_cell()

    def step(self, until: str) -> None:
        """Take a step now; `until`: "batch" or "record"."""
        _ = self.trains
        self.pause()
        self.leases.take_step(until)
        self._send_state_after_cell()

    def reset(self) -> None:
        """Go back to the start."""
        trains = self.trains
        self.pause()
        with self.leases.lock:
            trains.reset()
            self.leases.rate = math.nan
            self._reporter.start_over()
            self._widget.selected = None
            self._send_whole()
        self._send_state_after_cell()

    def measure_horizon(self) -> HorizonChoice:
        """Find which horizon would be enough, and tell it."""
        trainer = self.trains
        with self.leases.lock:
            choice = trainer.measure_horizon()
            self.send_frame(None, 0, last=True)
        self._send_state_after_cell()
        return choice

    def renew_state(self) -> None:
        """Send what of the run pages load and notebooks save: other details than before are wanted."""
        self._reporter.feed.renew_state()
        # While it plays, batches may be recorded that no frame has told: it goes behind the next frame.
        if not self.playing:
            with self._sending:
                self._send_state_if_due()

    # Messages from pages.

    def receive(self, message: Any) -> None:
        """Do what a page's message asks. What fails is shown on the pages."""
        try:
            kind = message.get("kind") if isinstance(message, dict) else None
            handlers: dict[Any, Callable[[Mapping[str, Any]], None]] = {
                "lease": self.leases.lease,
                "step": self.leases.step,
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
            self._report_failure(error)

    def _on_stop(self) -> None:
        self.pause()
        lock = self.leases.lock
        if lock.acquire(blocking=False):  # otherwise the lease that is running ends now, and says so
            try:
                self.send_frame(None, 0, last=True)
            finally:
                lock.release()

    def _on_set(self, message: Mapping[str, Any]) -> None:
        name, value = message.get("name"), message.get("value")
        try:
            if name not in SETTINGS:
                raise ValueError(f"name takes one of {', '.join(SETTINGS)}; got {name!r}")
            setattr(self._widget, name, value)
        except (TypeError, ValueError, traitlets.TraitError) as error:
            self.send({"kind": "refused", "name": name, "value": value, "message": str(error)})

    def _on_details(self, message: Mapping[str, Any]) -> None:
        """Answer at once, also while something trains: a run can be read while it grows."""
        batch = positive_int("batch", message.get("batch"), minimum=0)
        reporter = self._reporter
        stream, part = reporter.checked_stream(message.get("stream")), message.get("part")
        content, chunks = reporter.feed.details(batch, stream, part)
        self.send({"kind": "details", "client": str(message.get("client")), **content}, chunks)

    def _on_measure_horizon(self) -> None:
        try:
            self.measure_horizon()
        except ValueError as error:
            self.send({"kind": "refused", "name": "measure_horizon", "value": None, "message": str(error)})

    # What the leases need.

    @property
    def playing(self) -> bool:
        """Whether training is wanted."""
        return bool(self._widget.playing)

    @property
    def trains(self) -> Trainer:
        """What trains; ValueError if a finished run is shown."""
        if self._trainer is None:
            raise ValueError("a finished run is shown: there is nothing to train. RNNbow(trainer) can train")
        return self._trainer

    def begin(self) -> None:
        """Training begins: what went wrong before is past."""
        self._reporter.trouble = ("", "")

    def fail(self, error: Exception) -> None:
        """Keep what went wrong, for the next frame to tell."""
        self._reporter.trouble = explain(error)

    # Messages to pages.

    def send(self, content: dict[str, Any], chunks: list[bytes] | None = None) -> None:
        """Send a message to all pages."""
        self._widget.send(content, chunks)

    def send_frame(self, client: str | None, seq: int, *, last: bool) -> None:
        """Tell the pages what is new."""
        head = {"kind": "frame", "client": client, "seq": seq, "last": last, "playing": self.playing}
        with self._sending:
            content, chunks = self._reporter.frame(last=last, playing=self.playing, stream=self._widget.stream)
            self.send({**head, **content, "status": self.status()}, chunks)
            self._send_state_if_due()

    def tell_recorded(self) -> None:
        """Tell the pages what something else than a trainer has recorded: now and then, and when its cell ends."""
        self._records_elsewhere = True
        if monotonic() - self._told_at >= FRAME_SECONDS:
            self.send_frame(None, 0, last=False)
            self._told_at = monotonic()
        self._send_state_after_cell()

    def can_play_on(self) -> bool:
        """Whether a page that loads now finds training wanted."""
        return self.playing and self.leases.is_current()

    def status(self) -> dict[str, Any]:
        """Return how training goes, as the trait `_status` describes it."""
        training = self.leases.training or self.playing or self._records_elsewhere
        return self._reporter.status(training=training, rate=self.leases.rate)

    def _send_whole(self) -> None:
        with self._sending:
            content, chunks = self._reporter.whole(self._widget.selected, self._widget.stream)
            self.send({"kind": "whole", **content, "status": self.status()}, chunks)
            self._widget.send_state("_run")  # the pages' own copies lack what they missed

    def _send_state_if_due(self) -> None:
        if self._reporter.feed.is_state_due():
            self._widget.send_state("_run")

    def _send_state_after_cell(self) -> None:
        """Send the traits once when the running cell ends, for who keeps state without a page, such as nbconvert."""
        shell = get_ipython()
        if shell is None or self._state_is_due:
            return
        self._state_is_due = True

        def send(*_: object) -> None:
            shell.events.unregister("post_run_cell", send)
            self._state_is_due = False
            if self._records_elsewhere:
                self._records_elsewhere = False
                self.send_frame(None, 0, last=True)
            with self._sending:
                self._widget.send_state(list(STATE))

        shell.events.register("post_run_cell", send)

    def _report_failure(self, error: Exception) -> None:
        """Show an exception on the pages, and put its traceback in the log."""
        self.pause()
        self._reporter.trouble = message, hint = explain(error)
        self._widget.log.error("rnnbow_widget: %s", message, exc_info=error)
        self.send({"kind": "error", "message": message, "hint": hint})

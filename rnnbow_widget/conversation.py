"""A widget's conversation with its pages: what they ask is done, and what is new is sent to them.

In short (docs/architecture.md has every message, field by field):

1. A page that shows the widget while it plays asks for a *lease*; the kernel trains for so long, and no longer.
2. It answers with *frames*, which are numbered: what was recorded since the one before. Before a lease ends, a frame
   says so, and the page asks for the next.
3. A page that misses a number asks for the *whole*; what of a batch it does not hold it asks for as *details*.
4. A request has the page's name and a number: one that arrives twice is carried out once.
5. Buttons and settings are messages too, and what is refused is told; what is to be seen is chosen by traits.
6. Whatever fails here is told as an *error*, and from then on by the status.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol

import traitlets
from IPython.core.getipython import get_ipython

from .checks import shown, whole_number
from .horizon import HorizonChoice
from .leases import FRAME_SECONDS, Leases, Trains
from .page_message import client_of, echoed, kind_of, request_of
from .quiet import Quiet
from .reporter import SETTINGS, Part, Reporter
from .run_file import RunFileError
from .status import explain
from .training_loop import DivergedError

Handler = Callable[[Mapping[str, Any]], None]


class Widget(Protocol):
    """What the conversation needs of its widget."""

    log: Any
    playing: Any
    selected: Any
    stream: Any
    surface: Any

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send a message to all pages."""

    def send_state(self, key: str | list[str]) -> None:
        """Send traits to all pages."""

    def code(self) -> str:
        """Return all of it as a line of Python."""


class Conversation:
    """What one widget and its pages say to each other, as docs/architecture.md describes it.

    Parameters
    ----------
    widget : RNNbow
        Whose messages these are.
    reporters : sequence of Reporter
        What the pages are told of: one; several in `ComparisonConversation`.
    trains : Trainer, Lockstep or None
        What trains; None if nothing does.

    Attributes
    ----------
    leases : Leases
        Who trains, and until when.
    """

    def __init__(self, widget: Widget, reporters: Sequence[Reporter], trains: Trains | None) -> None:
        self._widget = widget
        self._reporters = reporters
        self._trains = trains
        self.leases = Leases(self)
        self._sending = threading.Lock()  # what is numbered in order is sent in order
        self._state_is_due = False
        self._told_at = -math.inf
        self._quiet = Quiet(FRAME_SECONDS, self._tell_rest)

    # What buttons and methods do.

    def play(self) -> None:
        """Want training from now on; pages that see it ask for leases."""
        _ = self.trains
        self.leases.last = None
        self._widget.playing = True

    def pause(self) -> None:
        """Want no more training: a lease that is running ends."""
        self._widget.playing = False

    def stop(self) -> None:
        """Want no more training, and tell the pages."""
        self.pause()
        lock = self.leases.lock
        if lock.acquire(blocking=False):  # otherwise the lease that is running ends now, and says so
            try:
                self.send_frame(None, 0, last=True)
            finally:
                lock.release()

    def train(self, batches: int) -> None:
        """Train a number of batches now."""
        batches = whole_number("batches", batches, minimum=0)
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
            for reporter in self._reporters:
                reporter.start_over()
            self._widget.selected = None
            for side in range(len(self._reporters)):
                self._send_whole(side)
        self._send_state_after_cell()

    def measure_horizon(self) -> HorizonChoice:
        """Find which horizon would be enough, and tell it."""
        _ = self.trains
        (reporter,) = self._reporters
        with self.leases.lock:
            choice = reporter.measure_horizon()
            self.send_frame(None, 0, last=True)
        self._send_state_after_cell()
        return choice

    def follow(self, client: str | None = None, seq: int = 0) -> None:
        """Tell what is new in the file that the run was opened from, or why it cannot be read; write what waits."""
        widget = self._widget
        (reporter,) = self._reporters
        with self.leases.lock:
            try:
                if reporter.tend_file():
                    widget.selected = widget.stream = widget.surface = None
                    widget.send_state(["_labels", "_info"])
                    self._send_whole(0)
            finally:
                self.send_frame(client, seq, last=True)

    def renew_state(self) -> None:
        """Send what of the run pages load and notebooks save: other details than before are wanted."""
        for reporter in self._reporters:
            reporter.feed.renew_state()
        # While it plays, batches may be recorded that no frame has told: it goes behind the next frame.
        if not self.playing:
            with self._sending:
                self._send_states_that_are_due()

    # Messages from pages.

    def receive(self, message: Any) -> None:
        """Do what a page's message asks. What fails is shown on the pages."""
        try:
            handlers = self._handlers()
            handlers[kind_of(message, handlers)](message)
        except DivergedError:
            pass  # the last frame has said so
        except Exception as error:
            self._report_failure(error)

    def _handlers(self) -> dict[Any, Handler]:
        return {
            "lease": self.leases.lease,
            "step": self.leases.step,
            "follow": self._on_follow,
            "play": lambda _: self.play(),
            "stop": lambda _: self.stop(),
            "reset": lambda _: self.reset(),
            "measure_horizon": lambda _: self._on_measure_horizon(),
            "set": self._on_set,
            "resync": lambda message: self._send_whole(self._side(message)),
            "details": self._on_details,
            "code": self._on_code,
        }

    def _side(self, message: Mapping[str, Any]) -> int:
        """Which of the reporters a message is about."""
        side = whole_number("side", message.get("side", 0), minimum=0)
        if side >= len(self._reporters):
            raise ValueError(f"side takes 0 to {len(self._reporters) - 1}, got {side}")
        return side

    def _on_follow(self, message: Mapping[str, Any]) -> None:
        with suppress(RunFileError):  # the frame has said so, and the page asks again
            self.follow(*request_of(message))

    def _on_set(self, message: Mapping[str, Any]) -> None:
        name, value = message.get("name"), message.get("value")
        try:
            if name not in SETTINGS:
                raise ValueError(f"name takes one of {', '.join(SETTINGS)}; got {shown(name)}")
            if "value" not in message:
                raise ValueError(f"value is missing: what {name} is to be")
            setattr(self._widget, name, value)
        except (TypeError, ValueError, traitlets.TraitError) as error:
            self.send({"kind": "refused", "name": echoed(name), "value": echoed(value), "message": str(error)})

    def _on_details(self, message: Mapping[str, Any]) -> None:
        """Answer at once, also while something trains: a run can be read while it grows."""
        side = self._side(message)
        content, chunks = self._reporters[side].details(message)
        self.send(self._about(side, content), chunks)

    def _on_code(self, message: Mapping[str, Any]) -> None:
        self.send({"kind": "code", "client": client_of(message), "line": self._widget.code()})

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
    def is_training(self) -> bool:
        """Whether something trains just now, through this widget or not."""
        return any(reporter.trainer.is_training for reporter in self._reporters if reporter.trainer)

    @property
    def trains(self) -> Trains:
        """What trains; ValueError if nothing does."""
        if self._trains is None:
            raise ValueError("a finished run is shown: there is nothing to train. RNNbow(trainer) can train")
        return self._trains

    def begin(self) -> None:
        """Training begins: what went wrong before is past."""
        for reporter in self._reporters:
            reporter.trouble = ("", "")

    def fail(self, error: Exception) -> None:
        """Keep what went wrong, for the next frame to tell."""
        for reporter in self._reporters:
            reporter.trouble = explain(error)

    # Messages to pages.

    def send(self, content: dict[str, Any], chunks: list[bytes] | None = None) -> None:
        """Send a message to all pages."""
        self._widget.send(content, chunks)

    def send_frame(self, client: str | None, seq: int, *, last: bool) -> None:
        """Tell the pages what is new."""
        head = {"kind": "frame", "client": client, "seq": seq, "last": last, "playing": self.playing}
        with self._sending:
            parts = []
            for side, reporter in enumerate(self._reporters):
                content, chunks = reporter.frame(last=last, playing=self.playing, stream=self._widget.stream)
                parts.append(({**content, "status": self.status(side)}, chunks))
            content, chunks = self._together(parts)
            self.send({**head, **content}, chunks)
            self._send_states_that_are_due()

    def tell_recorded(self) -> None:
        """Tell the pages what something else than a trainer has recorded: now and then, and when its cell ends."""
        for reporter in self._reporters:
            reporter.grows = reporter.grows or (reporter.trainer is None and reporter.feed.is_behind)
        if not self.leases.lock.locked():  # else something trains here, whose frames tell this too
            self._tell_what_others_do(goes_on=True)

    def tell_progress(self) -> None:
        """Tell the pages what was done with a trainer itself, or through another widget of it."""
        if self.leases.lock.locked():  # it was done through this one, which tells of it
            return
        for reporter in self._reporters:
            if reporter.trainer and (reporter.trainer.is_training or reporter.trainer.batch == 0):
                reporter.trouble = ("", "")
        self.leases.rate = math.nan
        self._tell_what_others_do(goes_on=self.is_training)

    def _tell_what_others_do(self, *, goes_on: bool) -> None:
        """Tell it now and then while it goes on; that it has ended only if it does not go on soon."""
        try:
            if goes_on and monotonic() - self._told_at >= FRAME_SECONDS:
                self.send_frame(None, 0, last=False)
                self._told_at = monotonic()
            self._quiet.disturb()
            self._send_state_after_cell()
        except Exception as error:  # who trains is not to be held up by it
            self._report_failure(error)

    def _tell_rest(self) -> None:
        """Tell how far others have come, unless they go on."""
        if get_ipython() is None:  # else this waits for the end of the cell that records
            self._rest()
        lock = self.leases.lock
        if not self.is_training and lock.acquire(blocking=False):
            try:
                self.send_frame(None, 0, last=True)
            except Exception as error:
                self._report_failure(error)
            finally:
                lock.release()

    def _rest(self) -> bool:
        """Nothing adds to runs any more; return whether something did."""
        grew = any(reporter.grows for reporter in self._reporters)
        for reporter in self._reporters:
            reporter.grows = False
        return grew

    def can_play_on(self) -> bool:
        """Whether a page that loads now finds training wanted."""
        return self.playing and self.leases.is_current()

    def status(self, side: int = 0) -> dict[str, Any]:
        """Return how training goes, as the trait `_status` describes it."""
        reporter = self._reporters[side]
        trainer = reporter.trainer
        training = trainer.is_training or self.playing if trainer else reporter.grows
        return reporter.status(training=training, rate=self.leases.rate if trainer else math.nan)

    def _send_whole(self, side: int) -> None:
        with self._sending:
            content, chunks = self._reporters[side].whole(self._widget.selected, self._widget.stream)
            self.send(self._about(side, {"kind": "whole", **content, "status": self.status(side)}), chunks)
            self._widget.send_state(self._run_trait(side))  # the pages' own copies lack what they missed

    def _send_states_that_are_due(self) -> None:
        for side, reporter in enumerate(self._reporters):
            if reporter.feed.is_state_due():
                self._widget.send_state(self._run_trait(side))

    # What is said of one of several; here there is one.

    def _together(self, parts: Sequence[Part]) -> Part:
        """Make one frame of those of all reporters."""
        (part,) = parts
        return part

    def _about(self, side: int, content: dict[str, Any]) -> dict[str, Any]:
        """Mark a message that is about one reporter."""
        return content

    def _run_trait(self, side: int) -> str:
        """Name of the trait that holds the run."""
        return "_run"

    def _state(self) -> list[str]:
        """Names of the traits that are worked out when somebody asks for them."""
        return ["_run", "_status", "_samples", "_cues", "_choice"]

    def _send_state_after_cell(self) -> None:
        """Send the traits once when the running cell ends, for who keeps state without a page, such as nbconvert."""
        shell = get_ipython()
        if shell is None or self._state_is_due:
            return
        self._state_is_due = True

        def send(*_: object) -> None:
            shell.events.unregister("post_run_cell", send)
            self._state_is_due = False
            if self._rest():
                self.send_frame(None, 0, last=True)
            with self._sending:
                self._widget.send_state(self._state())

        shell.events.register("post_run_cell", send)

    def _report_failure(self, error: Exception) -> None:
        """Show an exception on the pages, and put its traceback in the log."""
        self.pause()
        self.fail(error)
        message, hint = explain(error)
        self._widget.log.error("rnnbow_widget: %s", message, exc_info=error)
        self.send({"kind": "error", "message": message, "hint": hint})

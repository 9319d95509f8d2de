"""What machines of widgets have in common: what people, pages and the wire do, what fails, and what always holds."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import numpy as np
import pytest
from drawn import places_of, require_drawn
from failing import Failing, ImpatientLock, InjectedError, at_once
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from kernel_loop import KernelLoop
from machine import FAULT, MOST_PAGES, PAGE, PATIENCE_MS, Machine
from wire import Wire

from rnnbow_widget import (
    Comparison,
    DivergedError,
    RNNbow,
    Run,
    Snapshot,
    Trainer,
    comparison_conversation,
    conversation,
    leases,
    quiet,
    reporter,
)
from rnnbow_widget.reporter import Reporter

STREAMS = 2
SIDE = st.integers(0, 2)
FAILURES: dict[str, Callable[[Any, int], tuple[object, str]]] = {
    "training": lambda machine, side: (machine.trainer(side), "train"),
    "a batch": lambda machine, side: (machine.trainer(side)._loop, "train_batch"),
    "itemizing": lambda machine, side: (machine.trainer(side), "_look"),
    "recording": lambda machine, side: (machine.trainer(side), "_record"),
    "resetting": lambda machine, side: (machine.trainer(side), "reset"),
    "writing a sample": lambda machine, side: (machine.trainer(side), "sample"),
    "finding cues": lambda machine, side: (machine.runs[side], "cues"),
    "a frame": lambda machine, side: (machine.reporters[side], "frame"),
    "a whole": lambda machine, side: (machine.reporters[side], "whole"),
    "an answer": lambda machine, side: (machine.reporters[side], "details"),
    "a status": lambda machine, side: (machine.reporters[side], "status"),
    "sending": lambda machine, _: (machine.widget, "send"),
    "a line of Python": lambda machine, _: (machine.widget, "code"),
}
"""What can fail in the kernel, and which method that is."""


class Conversing(Machine):
    """A widget, and what can be done with it whatever it shows."""

    widget: RNNbow | Comparison
    uneven = False
    """Whether something was done with one of several sides alone."""

    def begin_with(self, make: Callable[[], RNNbow | Comparison]) -> None:
        """Begin with the widget that is made."""
        self.patch = pytest.MonkeyPatch()
        readings = count()
        for module in (leases, conversation, comparison_conversation, reporter, quiet):
            self.patch.setattr(module, "monotonic", lambda: next(readings) / 100)
        self.failing = Failing()
        self.widget = make()
        conversing: Any = self.widget._conversation
        conversing.leases.lock = ImpatientLock()
        conversing._sending = ImpatientLock()
        self.kernel_loop = conversing._quiet._made_on = KernelLoop()
        self.recorded: list[list[Snapshot]] = [[] for _ in self.runs]
        for side, run in enumerate(self.runs):
            self._keep_account(side, run)
        self.carried_out: Counter[tuple[str, int]] = Counter()
        self._keep_account_of_requests()
        self.wire = Wire(self.widget, self.pages)

    def _keep_account(self, side: int, run: Run) -> None:
        """Keep an account of our own of what is recorded. An interrupt that is meant for the run must not meet it."""
        append, clear = run.append, run.clear

        def noted(snapshot: Snapshot) -> None:
            recorded = len(run._overview)
            try:
                append(snapshot)
            finally:  # it may be recorded before something else fails
                if len(run._overview) > recorded:
                    self.recorded[side].append(snapshot)

        def forgotten() -> None:
            try:
                clear()
            finally:
                if not len(run._overview):
                    self.recorded[side] = []

        self.patch.setattr(run, "append", noted)
        self.patch.setattr(run, "clear", forgotten)

    def _keep_account_of_requests(self) -> None:
        """Keep an account of how often each lease or step of a page is begun."""
        leases = self.widget._conversation.leases
        begin = leases._reported

        def noted(client: str | None, seq: int) -> Any:
            if client is not None:
                self.carried_out[client, seq] += 1
            return begin(client, seq)

        self.patch.setattr(leases, "_reported", noted)

    @property
    def reporters(self) -> tuple[Reporter, ...]:
        return tuple(self.widget._conversation._reporters)

    @property
    def runs(self) -> list[Run]:
        """What is shown, side by side."""
        return [teller.run for teller in self.reporters]

    def trainer(self, side: int) -> Trainer:
        trainer = self.reporters[side].trainer
        assert trainer
        return trainer

    @property
    def trainers(self) -> list[Trainer]:
        return [self.trainer(side) for side in range(len(self.runs))]

    def side(self, index: int) -> int:
        return index % len(self.runs)

    def in_a_cell(self, call: Callable[[], Any]) -> bool:
        """Do what a cell does, which may fail; return whether it did not."""
        with suppress(DivergedError, InjectedError):
            call()
            return True
        return False

    # Pages come.

    @precondition(lambda self: len(self.wire.to_page) < MOST_PAGES)
    @rule(joined=st.booleans())
    def open_page(self, joined: bool) -> None:
        with suppress(InjectedError):  # then the host gets no state, and there is no page
            page = self.wire.open()
            if joined:
                self.wire.tell("join", page)

    @rule(index=PAGE, do=st.sampled_from(["join", "leave"]))
    def view(self, index: int, do: str) -> None:
        self.tell(index, do)

    # What a person does on a page.

    @rule(index=PAGE, name=st.sampled_from(["play", "play", "stop", "reset"]))
    def press(self, index: int, name: str) -> None:
        self.tell(index, "ask", name=name)

    @rule(index=PAGE, until=st.sampled_from(["batch", "record"]))
    def step(self, index: int, until: str) -> None:
        self.tell(index, "step", until=until)

    @rule(index=PAGE, choice=st.sampled_from([("stream", None), ("stream", 1), ("measure", "share")]))
    def choose(self, index: int, choice: tuple[str, Any]) -> None:
        self.tell(index, "choose", name=choice[0], value=choice[1])

    @rule(index=PAGE, side=SIDE, place=st.integers(0, 30), newest=st.booleans())
    def select(self, index: int, side: int, place: int, newest: bool) -> None:
        batches = self.runs[self.side(side)].batches
        batch = None if newest or not len(batches) else int(batches[place % len(batches)])
        self.tell(index, "select", batch=batch)

    @rule(
        index=PAGE,
        side=SIDE,
        batch=st.integers(0, 40),
        stream=st.sampled_from([None, 0, 1]),
        part=st.sampled_from([None, "W_ih", "units:W_hh", "cell:"]),
    )
    def want(self, index: int, side: int, batch: int, stream: int | None, part: str | None) -> None:
        self.tell(index, "want", side=self.side(side), places=[{"batch": batch, "stream": stream, "part": part}])

    # What a cell does.

    @rule(batches=st.integers(0, 7))
    def train(self, batches: int) -> None:
        self.in_a_cell(lambda: self.widget.train(batches))

    @rule(do=st.sampled_from(["play", "pause", "reset", "step", "step_to_record"]))
    def call(self, do: str) -> None:
        self.in_a_cell(getattr(self.widget, do))

    @rule(side=SIDE, batches=st.integers(1, 5))
    def train_alone(self, side: int, batches: int) -> None:
        """Whoever made the trainer may do with it what the widget does not ask for."""
        self.uneven = True
        self.in_a_cell(lambda: self.trainer(self.side(side)).train(batches))

    @rule(side=SIDE)
    def reset_trainer(self, side: int) -> None:
        self.uneven = True
        self.in_a_cell(self.trainer(self.side(side)).reset)

    @rule()
    def be_quiet(self) -> None:
        """The kernel has nothing else to do."""
        self.in_a_cell(self.kernel_loop.go_on)

    # What goes wrong.

    @rule(side=SIDE, what=st.sampled_from(list(FAILURES)), after=st.booleans())
    def fail_once(self, side: int, what: str, after: bool) -> None:
        self.failing.fail_once(*FAILURES[what](self, self.side(side)), after=after)

    @rule(side=SIDE)
    def diverge(self, side: int) -> None:
        self.trainer(self.side(side)).rnn.parameters.W_hh[0, 0] = np.nan

    # The wire, and threads.

    @rule(index=PAGE, fault=FAULT, times=st.integers(1, 4))
    def carry_to_kernel(self, index: int, fault: str, times: int) -> None:
        for _ in range(times):
            if (page := self.page(index)) is not None:
                self.wire.carry_to_kernel(page, fault)

    @rule(index=PAGE)
    def wait_in_vain(self, index: int) -> None:
        """A page that asks and hears nothing says so."""
        if page := self.page(index):
            self.tell(index, "ask", name="stop")
            self.wire.tell("pass", ms=PATIENCE_MS)
            assert self.says_that_nobody_answers(page)

    @rule()
    def handle_on_two_threads(self) -> None:
        self._handle_at_once()

    @rule(batches=st.integers(1, 30), directly=st.booleans())
    def handle_while_a_cell_trains(self, batches: int, directly: bool) -> None:
        self.uneven = self.uneven or directly
        trains = self.trainer(0) if directly else self.widget
        self._handle_at_once(lambda: self.in_a_cell(lambda: trains.train(batches)))

    def _handle_at_once(self, *beside: Callable[[], Any]) -> None:
        speaking = [(page, queue) for page, queue in self.wire.to_kernel.items() if queue][: 2 - len(beside)]
        heard = [(page, queue.popleft()) for page, queue in speaking]
        at_once(*beside, *((lambda one=one: self.wire.receive(*one)) for one in heard))

    # What always holds.

    @invariant()
    def every_recorded_batch_is_there_once(self) -> None:
        for run, recorded in zip(self.runs, self.recorded, strict=True):
            batches = [snapshot.batch for snapshot in recorded]
            assert run.batches.tolist() == batches
            assert (np.diff(batches) > 0).all()

    @invariant()
    def every_request_is_carried_out_once(self) -> None:
        assert set(self.carried_out.values()) <= {1}

    @invariant()
    def nothing_is_left_locked(self) -> None:
        conversation = self.widget._conversation
        assert not conversation.leases.lock.locked()
        assert not conversation._sending.locked()
        assert not conversation.is_training

    @invariant()
    def what_pages_draw_is_what_the_run_holds(self) -> None:
        for page in self.wire.to_page:
            self.compare(page, complete=False)

    def compare(self, page: str, *, complete: bool) -> dict[str, Any]:
        """Compare what a page would draw with what is held of each side; return what it has."""
        held = [{snapshot.batch: snapshot for snapshot in run.details()} for run in self.runs]
        places = [places_of(details, STREAMS) for details in held]
        look: dict[str, Any] = self.wire.tell("look", page, places=places)
        for teller, found, details, shown in zip(self.reporters, look["sides"], held, places, strict=True):
            if found["epoch"] == teller.feed.epoch:
                require_drawn(found, teller.run.overview, details, shown, complete=complete)
            else:
                assert not complete
        return look

    def says_that_nobody_answers(self, page: str) -> bool:
        look = self.wire.tell("look", page, places=[[] for _ in self.runs])
        return bool((look["whole"] or look["sides"][0]["state"])["silent"])

    # What holds once everything that was said has arrived.

    def come_to_rest(self) -> None:
        """Have nothing fail any more, and everything that was said arrive; nobody wants training."""
        self.nothing_is_left_locked()  # nor will it be, whoever waits for it
        self.failing.mend()
        for _ in range(4):
            self.wire.carry_all(60)  # somebody's wish to play may be among what waits
            self.widget.pause()
            self.wire.tell("pass", ms=PATIENCE_MS)
        self.kernel_loop.go_on()
        assert self.wire.carry_all()
        weights = [trainer.rnn.parameters.W_hh for trainer in self.trainers]
        if not all(np.isfinite(one).all() for one in weights):
            self.widget.reset()
        for page in list(self.wire.to_page)[:1]:
            self.lose_what_is_new(page)
        self.widget.step()
        for _ in range(4):  # a frame tells whoever missed one, and asks for the rest
            assert self.wire.carry_all()
            self.wire.tell("pass", ms=PATIENCE_MS)
        assert self.wire.carry_all()  # a page that follows has asked again

    def lose_what_is_new(self, page: str) -> None:
        """Have a page miss what is recorded; what it asks for when it notices is lost too."""
        self.widget.step()
        self.wire.lose_all(page)
        self.widget.step()
        while self.wire.to_page[page]:
            self.wire.carry_to_page(page)
        self.wire.lose_all(page)
        self.wire.tell("pass", ms=PATIENCE_MS)

    def require_whole(self, found: dict[str, Any], side: int) -> None:
        """A page has all of a side, and knows how it is."""
        state = found["state"]
        assert state["recorded"] == len(self.runs[side])
        assert not state["completing"]
        assert not state["silent"]
        assert state["problem"] is None
        assert state["selected"] == self.widget.selected
        assert state["stream"] == self.widget.stream

    def require_answered(self, page: str, side: int) -> None:
        """What a page wants of a batch it gets, or hears why not; a request that is lost is made again."""
        batches = [snapshot.batch for snapshot in self.recorded[side][-2:]]
        units = [(batch, "units:W_hh") for batch in batches[-1:]]  # none, if somebody has reset the trainer
        for batch, part in [*((batch, None) for batch in batches), *units]:
            place = {"batch": batch, "stream": self.widget.stream, "part": part}
            self.wire.tell("want", page, side=side, places=[place])
            self.wire.carry_to_kernel(page, "lost")
            for _ in range(3):
                assert self.wire.carry_all()
                self.wire.tell("pass", ms=PATIENCE_MS)
            assert self.wire.carry_all()  # another page that follows has asked again
            wanted: list[list[Any]] = [[] for _ in self.runs]
            wanted[side] = [place]
            (held,) = self.wire.tell("look", page, places=wanted)["sides"][side]["places"]
            assert held["held"] or held["missing"]["why"] in {"thinned", "refused"}

    def require_that_playing_plays(self) -> None:
        watched = next(iter(self.wire.to_page), None)
        if watched is None:
            return
        self.wire.tell("join", watched)
        self.wire.tell("show", watched, visible=True)
        trains = self.widget._conversation.trains
        before, leases = trains.batch, self.carried_out.total()
        self.wire.tell("ask", watched, name="play")
        self.wire.carry_all(20)
        assert self.carried_out.total() > leases + 1, "a lease that has ended is followed by the next at once"
        for _ in range(2):
            self.wire.tell("pass", ms=PATIENCE_MS)
            self.wire.carry_all(20)
        assert self.widget.playing
        assert trains.batch > before
        self.wire.lose_all(watched)
        self.wire.tell("pass", ms=PATIENCE_MS)
        assert self.says_that_nobody_answers(watched)
        assert "lease" in self.wire.asked(watched), "one of which nothing is heard is asked for again"
        self.wire.tell("ask", watched, name="stop")
        assert self.wire.carry_all()
        assert not self.widget.playing

    def settle(self) -> None:
        """Require what holds once everything has arrived."""
        raise NotImplementedError

    def teardown(self) -> None:
        if hasattr(self, "wire"):
            try:
                self.settle()
            finally:
                for page in list(self.wire.to_page):
                    self.wire.close(page)
                self.widget.close()
                self.patch.undo()

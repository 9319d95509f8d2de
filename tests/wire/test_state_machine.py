"""A widget and pages of it in any order of events, over a wire that loses, doubles and delays messages.

Whatever happens, what a view would draw is what the run holds, every recorded batch is there once, and nothing waits
for ever.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import npm
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from traitlets import TraitError
from wire import FAULTS, Pages, Wire, as_drawn

from rnnbow_widget import DivergedError, RNNbow, leases

pytestmark = pytest.mark.wire

JS = Path(__file__).resolve().parents[2] / "js"
TEXT = "the quick brown fox jumps over the lazy dog; " * 4
STREAMS = 2
PATIENCE_MS = 6_000
COLUMNS = ("loss", "grad_norm", "horizon_length", "max:W_hh", "mean:W_hh")
PAGE = st.integers(0, 2)
FAULT = st.sampled_from(FAULTS)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    host = tmp_path_factory.mktemp("pages") / "host.mjs"
    bundled = ["--bundle", "--platform=node", "--format=esm", "--log-level=error", f"--outfile={host}"]
    npm.npm("exec", "--", "esbuild", "test/wire/host.mjs", *bundled)
    pages = Pages(npm.NPM[0], host)
    yield pages
    pages.end()


class Conversing(RuleBasedStateMachine):
    """What people, pages, cells and the wire can do; hypothesis chooses in which order."""

    pages: ClassVar[Pages]

    @initialize(memory_limit=st.sampled_from([60_000, 256_000_000]), joined=st.booleans())
    def begin(self, memory_limit: int, joined: bool) -> None:
        self.clock = pytest.MonkeyPatch()
        readings = count()
        self.clock.setattr(leases, "monotonic", lambda: next(readings) / 100)
        self.widget = RNNbow(
            TEXT,
            hidden_size=4,
            seq_length=5,
            horizon=3,
            record_every=3,
            batch_size=STREAMS,
            seed=0,
            memory_limit=memory_limit,
        )
        self.wire = Wire(self.widget, self.pages)
        self.recorded: list[int] = []
        self._note_what_is_recorded()
        first = self.wire.open()
        if joined:
            self.wire.tell("join", first)

    def _note_what_is_recorded(self) -> None:
        """Keep an account of our own of what is recorded."""
        append, clear = self.widget.run.append, self.widget.run.clear

        def noted(snapshot: Any) -> None:
            append(snapshot)
            self.recorded.append(snapshot.batch)

        def forgotten() -> None:
            clear()
            self.recorded.clear()

        self.clock.setattr(self.widget.run, "append", noted)
        self.clock.setattr(self.widget.run, "clear", forgotten)

    def page(self, index: int) -> str | None:
        names = list(self.wire.to_page)
        return names[index % len(names)] if names else None

    def tell(self, index: int, do: str, **rest: Any) -> None:
        if (page := self.page(index)) is not None:
            self.wire.tell(do, page, **rest)

    # Pages come and go.

    @precondition(lambda self: len(self.wire.to_page) < 3)
    @rule(joined=st.booleans())
    def open_page(self, joined: bool) -> None:
        page = self.wire.open()
        if joined:
            self.wire.tell("join", page)

    @rule(index=PAGE)
    def close_page(self, index: int) -> None:
        if (page := self.page(index)) is not None:
            self.wire.close(page)

    @rule(index=PAGE, do=st.sampled_from(["join", "leave"]))
    def view(self, index: int, do: str) -> None:
        self.tell(index, do)

    @rule(index=PAGE, visible=st.booleans())
    def show(self, index: int, visible: bool) -> None:
        self.tell(index, "show", visible=visible)

    # What a person does on a page.

    @rule(index=PAGE, name=st.sampled_from(["play", "play", "stop", "reset", "measureHorizon"]))
    def press(self, index: int, name: str) -> None:
        self.tell(index, "ask", name=name)

    @rule(index=PAGE, until=st.sampled_from(["batch", "record"]))
    def step(self, index: int, until: str) -> None:
        self.tell(index, "step", until=until)

    @rule(
        index=PAGE,
        setting=st.sampled_from(
            [("learning_rate", 0.05), ("learning_rate", -1), ("horizon", 2), ("horizon", None), ("record_every", 2)]
        ),
    )
    def change_setting(self, index: int, setting: tuple[str, Any]) -> None:
        self.tell(index, "set", name=setting[0], value=setting[1])

    @rule(
        index=PAGE,
        choice=st.sampled_from(
            [("stream", None), ("stream", 1), ("surface", "W_ih"), ("surface", "W_hh"), ("measure", "share")]
        ),
    )
    def choose(self, index: int, choice: tuple[str, Any]) -> None:
        self.tell(index, "choose", name=choice[0], value=choice[1])

    @rule(index=PAGE, place=st.integers(0, 30), newest=st.booleans())
    def select(self, index: int, place: int, newest: bool) -> None:
        batches = self.widget.run.batches
        batch = None if newest or not len(batches) else int(batches[place % len(batches)])
        self.tell(index, "select", batch=batch)

    @rule(
        index=PAGE,
        batch=st.integers(0, 40),
        stream=st.sampled_from([None, 0, 1]),
        part=st.sampled_from([None, "W_ih", "units:W_hh", "cell:"]),
    )
    def want(self, index: int, batch: int, stream: int | None, part: str | None) -> None:
        self.tell(index, "want", places=[{"batch": batch, "stream": stream, "part": part}])

    # What a cell does.

    @rule(batches=st.integers(0, 7))
    def train(self, batches: int) -> None:
        with suppress(DivergedError, OSError):
            self.widget.train(batches)

    @rule(do=st.sampled_from(["play", "pause", "reset", "step", "step_to_record"]))
    def call(self, do: str) -> None:
        with suppress(DivergedError, OSError):
            getattr(self.widget, do)()

    @rule(setting=st.sampled_from([("learning_rate", 0.2), ("horizon", "auto"), ("record_every", 4), ("horizon", 0)]))
    def assign(self, setting: tuple[str, Any]) -> None:
        with suppress(TraitError, ValueError):
            setattr(self.widget, *setting)

    # What goes wrong.

    @rule()
    def fail_once(self) -> None:
        def failing(batches: int = 1) -> object:
            del self.widget.trainer.train
            raise OSError("the disk is full")

        if "train" not in vars(self.widget.trainer):
            self.widget.trainer.train = failing

    @rule()
    def diverge(self) -> None:
        self.widget.trainer.rnn.parameters.W_hh[0, 0] = np.nan

    # The wire, and time.

    @rule(index=PAGE, fault=FAULT, times=st.integers(1, 4))
    def carry_to_page(self, index: int, fault: str, times: int) -> None:
        for _ in range(times):
            if (page := self.page(index)) is not None:
                self.wire.carry_to_page(page, fault)

    @rule(index=PAGE, fault=FAULT, times=st.integers(1, 4))
    def carry_to_kernel(self, index: int, fault: str, times: int) -> None:
        for _ in range(times):
            if (page := self.page(index)) is not None:
                self.wire.carry_to_kernel(page, fault)

    @rule()
    def handle_on_two_threads(self) -> None:
        speaking = [(page, queue) for page, queue in self.wire.to_kernel.items() if queue][:2]
        heard = [(page, queue.popleft()) for page, queue in speaking]
        threads = [threading.Thread(target=self.wire.receive, args=one) for one in heard]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "it waits for ever"

    @rule(most=st.integers(1, 30))
    def carry_all(self, most: int) -> None:
        self.wire.carry_all(most)

    @rule(ms=st.sampled_from([50, 300, PATIENCE_MS]))
    def wait(self, ms: int) -> None:
        self.wire.tell("pass", ms=ms)

    # What always holds.

    @invariant()
    def every_recorded_batch_is_there_once(self) -> None:
        assert self.widget.run.batches.tolist() == self.recorded
        assert (np.diff(self.recorded) > 0).all()

    @invariant()
    def nothing_is_left_locked(self) -> None:
        assert not self.widget._conversation.leases.lock.locked()
        assert not self.widget._conversation.leases.training

    @invariant()
    def what_pages_draw_is_what_the_run_holds(self) -> None:
        for page in self.wire.to_page:
            self.compare(page, complete=False)

    def compare(self, page: str, *, complete: bool) -> dict[str, Any]:
        run, overview = self.widget.run, self.widget.run.overview
        details = {snapshot.batch: snapshot for snapshot in run.details()}
        shown = [{"batch": batch, "stream": stream, "part": None} for batch in details for stream in (None, 0, 1)]
        found = self.wire.tell("look", page, places=shown)
        if found["epoch"] != self.widget._reporter.feed._epoch:
            assert not complete
            return found
        rows = np.searchsorted(run.batches, found["batches"])
        assert run.batches[rows].tolist() == found["batches"], "each once, in order, and none that was not recorded"
        assert (np.diff(rows) > 0).all()
        if complete:
            assert found["batches"] == run.batches.tolist()
        for name in COLUMNS if len(rows) else ():
            assert found["columns"][name] == as_drawn(overview.column(name)[rows]), name
        for place, held in zip(shown, found["places"], strict=True):
            if held["held"] and place["batch"] in details:  # the page may hold what the kernel has given up since
                whole = details[place["batch"]]
                snapshot = whole if place["stream"] is None else whole.streams[place["stream"]]
                assert held["loss"] == as_drawn(snapshot.loss)
                assert held["pieces"]["W_hh"] == as_drawn(snapshot.surfaces["W_hh"])
        return found

    # What holds once everything that was said has arrived.

    @precondition(lambda self: hasattr(self, "wire"))
    @rule()
    def settle(self) -> None:
        vars(self.widget.trainer).pop("train", None)
        for _ in range(4):
            self.wire.carry_all(60)  # somebody's wish to play may be among what waits
            self.widget.pause()
            self.wire.tell("pass", ms=PATIENCE_MS)
        assert self.wire.carry_all()
        if not np.isfinite(self.widget.trainer.rnn.parameters.W_hh).all():
            self.widget.reset()
        self.widget.step()
        for _ in range(4):  # a frame tells whoever missed one, and asks for the rest
            assert self.wire.carry_all()
            self.wire.tell("pass", ms=PATIENCE_MS)
        for page in self.wire.to_page:
            state = self.compare(page, complete=True)["state"]
            assert state["recorded"] == len(self.widget.run)
            assert not state["completing"]
            assert not state["silent"]
            assert state["problem"] is None
            assert state["playing"] is False
            assert state["selected"] == self.widget.selected
            assert state["stream"] == self.widget.stream
            assert state["surface"] == self.widget.surface
            assert state["status"] == json.loads(json.dumps(self.widget._conversation.status()))
            assert state["settings"] == {name: getattr(self.widget, name) for name in state["settings"]}
            self.require_answered(page)
        self.require_that_playing_plays()

    def require_answered(self, page: str) -> None:
        places = [{"batch": batch, "stream": self.widget.stream, "part": None} for batch in self.recorded[-2:]]
        for place in places:
            self.wire.tell("want", page, places=[place])
            for _ in range(3):
                assert self.wire.carry_all()
                self.wire.tell("pass", ms=PATIENCE_MS)
            (held,) = self.wire.tell("look", page, places=[place])["places"]
            assert held["held"] or held["missing"]["why"] in {"thinned", "refused"}

    def require_that_playing_plays(self) -> None:
        watched = next(iter(self.wire.to_page), None)
        if watched is None:
            return
        self.wire.tell("join", watched)
        self.wire.tell("show", watched, visible=True)
        before = self.widget.trainer.batch
        self.wire.tell("ask", watched, name="play")
        self.wire.carry_all(20)
        for _ in range(2):
            self.wire.tell("pass", ms=PATIENCE_MS)
            self.wire.carry_all(20)
        assert self.widget.playing
        assert self.widget.trainer.batch > before
        self.wire.tell("ask", watched, name="stop")
        assert self.wire.carry_all()
        assert not self.widget.playing

    def teardown(self) -> None:
        if hasattr(self, "wire"):
            try:
                self.settle()
            finally:
                for page in list(self.wire.to_page):
                    self.wire.close(page)
                self.widget.close()
                self.clock.undo()


def test_whatever_happens_pages_show_what_the_run_holds(pages: Pages) -> None:
    Conversing.pages = pages
    run_state_machine_as_test(
        Conversing,
        settings=settings(
            max_examples=1000 if settings.get_current_profile_name() == "soak" else 25,
            stateful_step_count=40,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )

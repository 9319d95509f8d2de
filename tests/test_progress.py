"""What is done with a trainer itself, or through another widget of it, is told to pages; without a browser."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from functools import partial
from time import monotonic
from typing import Any

import numpy as np
import pytest
from pages import TEXT, Page
from recorded import recorded, run_of

from rnnbow_widget import Comparison, DivergedError, RNNbow, Trainer, compare, conversation, quiet
from rnnbow_widget.leases import FRAME_SECONDS
from rnnbow_widget.quiet import Quiet


class Live:
    """A widget in a running kernel, and its pages."""

    def __init__(self, widget: RNNbow | Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
        self.page = Page(widget, monkeypatch)

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [content for content, _ in self.page.sent if content["kind"] == "frame"]

    async def ended(self) -> dict[str, Any]:
        """Wait for the frame that says that it is over, and return it."""
        async with asyncio.timeout(10):
            while not (self.frames and self.frames[-1]["last"]):
                await asyncio.sleep(0.005)
        return self.frames[-1]


def in_kernel(act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(act())


def make(**settings: Any) -> Trainer:
    return Trainer(TEXT, **{"hidden_size": 6, "record_every": 10, "seed": 1, **settings})


@pytest.mark.parametrize("through", ["trainer", "another widget"])
def test_what_is_trained_elsewhere_is_told_at_once_and_in_the_end(
    monkeypatch: pytest.MonkeyPatch, through: str
) -> None:
    async def act() -> None:
        trainer = make()
        live = Live(RNNbow(trainer), monkeypatch)
        (trainer if through == "trainer" else RNNbow(trainer)).train(295)
        assert (live.frames[0]["status"]["state"], live.page.batches()[:1]) == ("training", [0])
        end = await live.ended()
        assert live.page.batches() == list(range(0, 295, 10)), "each is told once"
        assert [frame["frame"] for frame in live.frames] == list(range(len(live.frames)))
        assert (end["status"]["state"], end["status"]["batch"], end["recorded"]) == ("paused", 295, 30)
        assert end["samples"]["now"] == {"batch": 295, "text": trainer.sample(240)}
        cues = [frame["cues"] for frame in live.frames if "cues" in frame]
        assert cues[-1] == live.page.widget.get_state("_cues")["_cues"] != []

    in_kernel(act)


def test_many_short_calls_are_few_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        trainer = make(record_every=1)
        live = Live(RNNbow(trainer), monkeypatch)
        told_at: list[float] = []
        monkeypatch.setattr(live.page.widget, "send", lambda *_: told_at.append(monotonic()))
        for _ in range(300):
            trainer.train(1)
        assert len(told_at) >= 1
        assert (np.diff(told_at) >= FRAME_SECONDS).all()

    in_kernel(act)


def test_between_two_stretches_of_training_nothing_says_that_it_has_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        trainer = make(record_every=1000)
        live = Live(RNNbow(trainer), monkeypatch)
        for _ in range(5):  # as leases of another widget, of which each ends long after the frame before
            trainer.train(9)
            live.page.widget._conversation._told_at = -math.inf
        assert {frame["status"]["state"] for frame in live.frames} == {"training"}
        assert (await live.ended())["status"]["state"] == "paused"

    in_kernel(act)


def test_a_reset_and_a_measured_horizon_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        trainer = make()
        live = Live(RNNbow(trainer), monkeypatch)
        trainer.train(20)
        await live.ended()
        live.page.sent.clear()
        choice = trainer.measure_horizon()
        await live.ended()
        assert [frame["choice"]["horizon"] for frame in live.frames if "choice" in frame] == [choice.horizon]
        live.page.sent.clear()
        trainer.reset()
        end = await live.ended()
        assert (end["epoch"], end["recorded"], end["status"]["state"]) == (1, 0, "ready")
        assert end["samples"]["first"] == end["samples"]["now"]

    in_kernel(act)


def test_the_other_sides_of_a_comparison_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        first, second = make(), make(cell="lstm")
        live = Live(compare(first, second), monkeypatch)
        first.train(15)
        end = await live.ended()
        assert [side["status"]["state"] for side in end["sides"]] == ["paused", "ready"]
        assert [side["status"]["batch"] for side in end["sides"]] == [15, 0]
        assert [side["recorded"] for side in end["sides"]] == [2, 0]

    in_kernel(act)


def test_what_went_wrong_before_is_past_once_it_trains_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        trainer = make()
        live = Live(RNNbow(trainer), monkeypatch)
        before = trainer.rnn.parameters.vector.copy()
        trainer.rnn.parameters.W_hh[:] = np.nan
        with pytest.raises(DivergedError):
            live.page.widget.train(1)
        assert live.frames[-1]["status"]["message"]
        trainer.rnn.parameters.vector[:] = before
        live.page.sent.clear()
        trainer.train(20)
        end = await live.ended()
        assert (end["status"]["state"], end["status"]["message"]) == ("paused", "")

    in_kernel(act)


def test_who_trains_is_not_held_up_by_pages_that_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        trainer, twin = make(), make()
        live = Live(RNNbow(trainer), monkeypatch)
        monkeypatch.setattr(live.page.widget._reporter, "frame", lambda **_: 1 / 0)
        trainer.train(25)
        twin.train(25)
        assert np.array_equal(trainer.rnn.parameters.vector, twin.rnn.parameters.vector)
        assert live.page.sent[-1][0]["kind"] == "error"
        assert "ZeroDivisionError" in live.page.sent[-1][0]["message"]

    in_kernel(act)


class Loop:
    """Stands for a kernel's event loop, and for the clock: it goes on when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.calls: list[tuple[float, Callable[[], None]]] = []
        monkeypatch.setattr(quiet, "monotonic", lambda: self.now)
        monkeypatch.setattr(quiet, "_running_loop", lambda: self)

    def is_closed(self) -> bool:
        return False

    def call_soon_threadsafe(self, call: Callable[..., None], *arguments: Any) -> None:
        self.call_later(0, call, *arguments)

    def call_later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        self.calls.append((self.now + seconds, partial(call, *arguments)))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        due = [call for at, call in self.calls if at <= self.now]
        self.calls = [(at, call) for at, call in self.calls if at > self.now]
        for call in due:
            call()


def test_quiet_waits_while_it_is_disturbed_and_acts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    acted: list[float] = []
    loop = Loop(monkeypatch)
    waiting = Quiet(0.5, lambda: acted.append(loop.now))
    for _ in range(5):
        waiting.disturb()
        waiting.disturb()
        loop.pass_time(0.25)
        assert len(loop.calls) <= 1
    assert acted == []
    for _ in range(8):
        loop.pass_time(0.25)
    assert acted == [101.5], "half a second after the last time"
    waiting.disturb()
    for _ in range(8):
        loop.pass_time(0.25)
    assert len(acted) == 2


def test_where_no_kernel_runs_nothing_waits() -> None:
    acted: list[bool] = []
    Quiet(0, lambda: acted.append(True)).disturb()

    async def make_quiet() -> Quiet:
        return Quiet(0, lambda: acted.append(True))

    asyncio.run(make_quiet()).disturb()  # that kernel has ended
    assert acted == []


def test_a_run_that_others_add_to_rests_where_nobody_says_when_a_cell_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "get_ipython", lambda: None)

    async def act() -> None:
        run = run_of(1)
        live = Live(RNNbow(run), monkeypatch)
        run.append(recorded(1))
        run.append(recorded(2))
        assert live.frames[0]["status"]["state"] == "training"
        end = await live.ended()
        assert (end["status"]["state"], end["recorded"]) == ("paused", 3)

    in_kernel(act)


def test_a_comparison_follows_runs_that_others_add_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        growing, finished = run_of(1), run_of(2)
        live = Live(compare(growing, finished), monkeypatch)
        growing.append(recorded(1))
        assert [side["status"]["state"] for side in live.frames[0]["sides"]] == ["training", "paused"]
        growing.append(recorded(2))
        end = await live.ended()
        assert [side["recorded"] for side in end["sides"]] == [3, 2]
        assert [side["status"]["state"] for side in end["sides"]] == ["paused", "paused"]

    monkeypatch.setattr(conversation, "get_ipython", lambda: None)
    in_kernel(act)

"""A comparison and pages of it in any order of events, over a wire that loses, doubles and delays messages.

Whatever happens, what a view would draw of every side is what that side's run holds, every recorded batch is there
once, sides stay in step, and nothing waits for ever. When nothing is lost and nothing fails, pages have all that there
is to say as soon as it is said.
"""

import json
from collections.abc import Collection
from typing import Any

import numpy as np
import pytest
from conversing import SIDE, STREAMS, Conversing
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from machine import run_machine
from wire import Pages

from rnnbow_widget import Comparison, compare
from rnnbow_widget.contrast import PAST
from rnnbow_widget.lockstep import Lockstep

pytestmark = pytest.mark.wire

TEXT = "the quick brown fox jumps over the lazy dog; " * 4
CELLS = ("tanh", "gru", "relu")


class SideBySide(Conversing):
    """Two or three networks that train in step."""

    widget: Comparison
    settled = 0

    @property
    def lockstep(self) -> Lockstep:
        assert self.widget._lockstep is not None
        return self.widget._lockstep

    @initialize(sides=st.integers(2, 3), memory_limit=st.sampled_from([60_000, 256_000_000]), joined=st.booleans())
    def begin(self, sides: int, memory_limit: int, joined: bool) -> None:
        common = {"hidden_size": 4, "seq_length": 5, "horizon": 3, "batch_size": STREAMS, "memory_limit": memory_limit}
        cells = [{"cell": cell, "record_every": 3 + place} for place, cell in enumerate(CELLS[:sides])]
        self.begin_with(lambda: compare(*cells, data=TEXT, **common, seed=0))
        self.open_page(joined)

    @rule(
        side=SIDE,
        setting=st.sampled_from([("learning_rate", 0.2), ("horizon", "auto"), ("horizon", 2), ("record_every", 2)]),
    )
    def assign(self, side: int, setting: tuple[str, Any]) -> None:
        # One that had diverged goes on from where it stayed.
        self.uneven = self.uneven or self.lockstep.diverged[self.side(side)] is not None
        setattr(self.trainer(self.side(side)), *setting)

    @invariant()
    def sides_are_in_step(self) -> None:
        assert self.uneven or self.failing.raised or self.lockstep.level

    @precondition(lambda self: hasattr(self, "wire"))
    @rule()
    def settle(self) -> None:
        self.come_to_rest()
        self.uneven = self.failing.raised = False
        self.require_told()
        for page in self.wire.to_page:
            for side in range(len(self.runs)):
                self.require_answered(page, side)
        self.require_that_playing_plays()
        self.settled += 1
        self.require_told_at_once(self.side(self.settled))

    def require_told(self, *, diverged: Collection[int] = ()) -> None:
        """All sides are in step, but for those that have diverged, and pages have all that there is to say."""
        assert self.wire.carry_all()
        going_on = {trainer.batch for side, trainer in enumerate(self.trainers) if side not in diverged}
        assert len(going_on) == 1, f"sides have trained {[trainer.batch for trainer in self.trainers]} batches"
        told = {name: getattr(self.widget, name) for name in ("selected", "stream", "measure")}
        told |= {"sentence": self.widget.sentence(self.widget.selected), "playing": False, **self.widget._describe()}
        for page in self.wire.to_page:
            look = self.compare(page, complete=True)
            assert look["whole"] == {**told, "problem": None, "silent": False}
            for side, found in enumerate(look["sides"]):
                self.require_whole(found, side)
                self.require_copied(found, side)
                state, trainer = found["state"], self.trainer(side)
                assert state["status"] == json.loads(json.dumps(self.widget._conversation.status(side)))
                stays = "diverged" if side in diverged else "paused" if trainer.batch else "ready"
                assert (state["status"]["state"], state["status"]["batch"]) == (stays, trainer.batch)
                assert bool(state["status"]["message"]) == (side in diverged)
                assert state["samples"] == self.reporters[side].samples
                assert state["samples"]["now"]["batch"] == trainer.batch
                assert state["cues"] == json.loads(json.dumps(self.reporters[side].feed.cues()))

    def require_copied(self, found: dict[str, Any], side: int) -> None:
        """A notebook that is saved has every batch, and of the newest the details that are shown."""
        batches = self.runs[side].batches.tolist()
        assert found["copied"]["batches"] == batches
        if batches:
            assert [batches[-1], self.widget.stream] in found["copied"]["details"]

    def require_told_at_once(self, side: int) -> None:
        """What is done to all sides, or to one, is told with nothing lost, nothing failing and no time passing."""
        self.widget.reset()
        assert self.widget.selected is None
        assert not any(map(len, self.runs))
        for page in list(self.wire.to_page)[:1]:
            self.wire.lose_all(page)  # traits say it too
        self.require_told()
        for trainer in self.trainers:
            trainer.learning_rate, trainer.record_every = 0.01, 1
        self.widget.train(PAST + 2)
        self.require_told()
        assert all(run.batches.tolist() == list(range(PAST + 2)) for run in self.runs)
        self.widget.stream = None if self.widget.stream else 1
        self.widget.select(PAST - 1)
        assert f"At batch {PAST - 1} " in self.widget.sentence(PAST - 1)
        self.require_told()
        for page in list(self.wire.to_page)[:1]:
            self.wire.tell("select", page, batch=None)
        self.require_told()
        for trainer in self.trainers:
            trainer.train(3)
        self.kernel_loop.go_on()
        self.require_told()
        for page in list(self.wire.to_page)[:1]:
            self.require_steps(page, side)
        self.trainer(side).rnn.parameters.W_hh[0, 0] = np.nan
        self.widget.train(4)
        self.require_told(diverged=[side])
        self.trainer(side).reset()
        self.widget.step()
        self.require_told()

    def require_steps(self, page: str, side: int) -> None:
        """A step that fails in one side is told of all; the next one is taken, and one that has to wait too."""
        self.failing.fail_once(self.trainer(side), "step")
        self.wire.tell("step", page, until="batch")
        assert self.wire.carry_all()
        for one in self.wire.to_page:
            look = self.compare(one, complete=True)
            assert look["whole"]["problem"]
            assert {found["state"]["status"]["state"] for found in look["sides"]} == {"error"}
        self.wire.tell("step", page, until="batch")
        self.require_told()
        batch = self.trainer(side).batch
        with self.widget._conversation.leases.lock:
            self.wire.tell("step", page, until="batch")
            assert self.wire.carry_all()
        self.wire.tell("pass", ms=300)
        self.require_told()
        assert self.trainer(side).batch == batch + 1


def test_whatever_happens_pages_show_what_every_side_holds(pages: Pages) -> None:
    run_machine(SideBySide, pages, examples=10)

"""A comparison and pages of it in any order of events, over a wire that loses, doubles and delays messages.

Whatever happens, what a view would draw of every side is what that side's run holds, every recorded batch is there
once, sides stay in step, and nothing waits for ever.
"""

import json
from typing import Any

import pytest
from conversing import SIDE, STREAMS, Conversing
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from machine import run_machine
from wire import Pages

from rnnbow_widget import Comparison, compare
from rnnbow_widget.lockstep import Lockstep

pytestmark = pytest.mark.wire

TEXT = "the quick brown fox jumps over the lazy dog; " * 4
CELLS = ("tanh", "gru", "relu")


class SideBySide(Conversing):
    """Two or three networks that train in step."""

    widget: Comparison

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

    @rule(side=SIDE, batches=st.integers(1, 5))
    def train_alone(self, side: int, batches: int) -> None:
        self.uneven = True
        self.in_a_cell(lambda: self.trainer(self.side(side)).train(batches))

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
        assert self.lockstep.level
        self.uneven = self.failing.raised = False
        for page in self.wire.to_page:
            look = self.compare(page, complete=True)
            for side, found in enumerate(look["sides"]):
                self.require_whole(found, side)
                assert found["state"]["status"] == json.loads(json.dumps(self.widget._conversation.status(side)))
            told = {name: getattr(self.widget, name) for name in ("selected", "stream", "measure")}
            sentence = self.widget._told()["sentence"]
            assert look["whole"] == {**told, "sentence": sentence, "playing": False, "problem": None, "silent": False}
            for side in range(len(self.runs)):
                self.require_answered(page, side)
        self.require_that_playing_plays()


def test_whatever_happens_pages_show_what_every_side_holds(pages: Pages) -> None:
    run_machine(SideBySide, pages, examples=15)

"""A widget and pages of it in any order of events, over a wire that loses, doubles and delays messages.

Whatever happens, what a view would draw is what the run holds, every recorded batch is there once, and nothing waits
for ever.
"""

import json
from contextlib import suppress
from typing import Any

import pytest
from conversing import STREAMS, Conversing
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from machine import PAGE, run_machine
from traitlets import TraitError
from wire import Pages

from rnnbow_widget import RNNbow

pytestmark = pytest.mark.wire

TEXT = "the quick brown fox jumps over the lazy dog; " * 4


class OneRun(Conversing):
    """One run, and what only its widget can do."""

    widget: RNNbow

    @initialize(memory_limit=st.sampled_from([60_000, 256_000_000]), joined=st.booleans())
    def begin(self, memory_limit: int, joined: bool) -> None:
        settings = {"hidden_size": 4, "seq_length": 5, "horizon": 3, "record_every": 3, "batch_size": STREAMS}
        self.begin_with(lambda: RNNbow(TEXT, **settings, seed=0, memory_limit=memory_limit))
        self.open_page(joined)

    @rule(index=PAGE)
    def measure_horizon(self, index: int) -> None:
        self.tell(index, "ask", name="measureHorizon")

    @rule(
        index=PAGE,
        setting=st.sampled_from(
            [("learning_rate", 0.05), ("learning_rate", -1), ("horizon", 2), ("horizon", None), ("record_every", 2)]
        ),
    )
    def change_setting(self, index: int, setting: tuple[str, Any]) -> None:
        self.tell(index, "set", name=setting[0], value=setting[1])

    @rule(index=PAGE, surface=st.sampled_from(["W_ih", "W_hh"]))
    def choose_surface(self, index: int, surface: str) -> None:
        self.tell(index, "choose", name="surface", value=surface)

    @rule(setting=st.sampled_from([("learning_rate", 0.2), ("horizon", "auto"), ("record_every", 4), ("horizon", 0)]))
    def assign(self, setting: tuple[str, Any]) -> None:
        with suppress(TraitError, ValueError):
            self.in_a_cell(lambda: setattr(self.widget, *setting))

    @precondition(lambda self: hasattr(self, "wire"))
    @rule()
    def settle(self) -> None:
        self.come_to_rest()
        for page in self.wire.to_page:
            (found,) = self.compare(page, complete=True)["sides"]
            self.require_whole(found, 0)
            state = found["state"]
            assert state["playing"] is False
            assert state["surface"] == self.widget.surface
            assert state["status"] == json.loads(json.dumps(self.widget._conversation.status()))
            assert state["settings"] == {name: getattr(self.widget, name) for name in state["settings"]}
            self.require_answered(page, 0)
        self.require_that_playing_plays()


def test_whatever_happens_pages_show_what_the_run_holds(pages: Pages) -> None:
    run_machine(OneRun, pages, examples=25)

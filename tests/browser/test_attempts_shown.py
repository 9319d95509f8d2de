"""What somebody's own back-propagation came to, next to the reference, in JupyterLab: the sentence and the mark."""

import re
from collections.abc import Callable

import pytest
from figure import Figure
from playwright.sync_api import Page, expect

SOURCE = """
import numpy as np
from rnnbow_widget import RNN, RNNbow, bptt, itemized_delta
rnn = RNN(8, 20, init="uniform", seed=3, dtype="float64")
x = np.arange(26) % 8
forward = rnn.forward(x[:-1], x[1:])
delta = itemized_delta(rnn, forward)
terms = {{(t, j): np.outer(delta[j, t - j], forward.hidden[j]) for t in range(25) for j in range(t + 1)}}
{more}
v
"""
WRONG = """
wrong = {(t, j): G * (1.5 if t - j > 2 else 1) for (t, j), G in terms.items()}
v = RNNbow.from_arrays(rnn, x[:-1], x[1:], terms=wrong)
v.form = FORM
"""
INSIDE = """mark => {
  const frame = mark.querySelector("rect").getBoundingClientRect();
  const part = mark.closest("svg").querySelector("polygon.part[data-step='1'][data-lag='3']").getBoundingClientRect();
  return Math.abs(frame.x + 1 - part.x) < 1 && frame.y <= part.y && part.bottom <= frame.bottom;
}"""


@pytest.mark.parametrize("form", ["bars", "heatmap"])
def test_the_first_difference_is_said_marked_and_pinned(show: Callable[..., Figure], page: Page, form: str) -> None:
    show(SOURCE.format(more=WRONG.replace("FORM", repr(form))))
    root = page.locator(".rnnbow.comparison").first
    expect(root.locator("p.contrast")).to_have_text(
        re.compile(r"First differs at batch 0 in terms: what the loss of step 4 sends to step 1 \(lag 3\) .* agree\."),
    )
    for name in ("yours", "reference"):
        side = root.locator(f".side[data-side={name}]")
        mark = side.locator(".piece-mark")
        expect(mark).not_to_have_class(re.compile("hidden"))
        expect(mark.locator("title")).to_have_text("first differs here")
        expect(side.locator("[data-panel=horizon]")).to_contain_text("The pinned loss at step 4")
        if form == "bars":
            assert mark.evaluate(INSIDE)
    expect(root.locator("[data-panel=trend]")).to_be_hidden()


def test_gradients_alone_show_the_reference_and_the_sentence(show: Callable[..., Figure], page: Page) -> None:
    more = 'v = RNNbow.from_arrays(rnn, x[:-1], x[1:], gradients={"dWhh": bptt(rnn, forward).parameters["W_hh"].T})'
    show(SOURCE.format(more=more))
    root = page.locator(".rnnbow.comparison").first
    expect(root.locator("p.contrast")).to_contain_text("First differs at batch 0 in gradients['dWhh']")
    expect(root.locator(".side")).to_have_count(1)
    expect(root.locator(".piece-mark")).to_have_class(re.compile("hidden"))

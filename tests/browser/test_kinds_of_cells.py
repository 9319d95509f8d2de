"""Every cell in the widget: it is drawn as it was recorded, and named."""

from collections.abc import Callable

import pytest
from expected import PIXEL, assert_parts_are
from figure import Figure
from harness import kernel_value
from playwright.sync_api import expect

from rnnbow_widget.cells import CELLS

SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), {settings}, hidden_size=24, record_every=20, init="uniform", learning_rate=0.02)
w.train(400)
w
"""


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_a_cell_is_drawn_and_trains_on(cell: str, show: Callable[..., Figure]) -> None:
    assert_is_drawn_and_trains_on(show(SOURCE.format(settings=f"cell={cell!r}")), cell)


@pytest.mark.parametrize(
    ("arrangement", "named"),
    [
        ("num_layers=3", "gru in 3 layers (shown: ∂L/∂W_hh, layer 3 of 3)"),
        ("bidirectional=True", "gru, both directions (shown: ∂L/∂W_hh, both directions)"),
        (
            "num_layers=3, bidirectional=True",
            "gru in 3 layers, both directions (shown: ∂L/∂W_hh, layer 3 of 3, both directions)",
        ),
    ],
)
def test_the_top_of_several_layers_is_drawn_and_trains_on(
    arrangement: str, named: str, show: Callable[..., Figure]
) -> None:
    assert_is_drawn_and_trains_on(show(SOURCE.format(settings=f"cell='gru', {arrangement}")), named)


def assert_is_drawn_and_trains_on(figure: Figure, named: str) -> None:
    figure.expect_recorded(20)
    expect(figure.root).to_contain_text(f"{named} · 24 hidden units")
    picture = figure.read()
    axis, maxima = picture.axes["overview"], kernel_value(figure.page, "w.run.column('max_gradient')")
    assert len(picture.bars) == len(maxima)
    assert [bar.top for bar in picture.bars] == pytest.approx([axis.y(height) for height in maxima], abs=PIXEL)
    first_lag = kernel_value(figure.page, "w.run[-1].first_lags.get(w.run[-1].primary, 0)")
    items = kernel_value(figure.page, "w.run[-1].surfaces[w.run[-1].primary]")  # (n, K)
    assert_parts_are(picture, items, first_lag=first_lag)
    batch = kernel_value(figure.page, "w.trainer.batch")
    figure.button("step").click()
    figure.expect_batch(batch)
    figure.expect_recorded(21)

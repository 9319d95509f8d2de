"""Windows of 512 steps with all lags, in the page: a click on a batch, and hovering over its quarter million pieces."""

import numpy as np
from playwright.sync_api import Page

from .browser import next_drawing, shown
from .overview_places import find_overview
from .page_work import PageWork, Point, Seconds, frame_row, spread
from .table import Findings, Row, duration

STEPS = 512
RECORDED = 16
CLICK_SECONDS = 0.1
MOVES = 100
SOURCE = f"""\
from rnnbow_widget import RNNbow, corpora
widget = RNNbow(corpora.c_headers(), seed=0, init="orthogonal", seq_length={STEPS}, horizon=None, record_every=1)
widget.train({RECORDED})
widget"""
# The pointer's arrival already shows the batch under it, so that is where the clock starts.
AWAIT_PAINTED = """\
() => {
  const root = document.querySelector(".rnnbow");
  const before = root.dataset.batch;
  let begun = null;
  window.painted = new Promise((resolve) => {
    const start = (event) => { begun ??= event.timeStamp; };
    root.addEventListener("pointermove", start, { capture: true, once: true });
    const drawn = new MutationObserver(() => {
      if (root.dataset.batch === before) return;
      drawn.disconnect();
      setTimeout(() => resolve((performance.now() - begun) / 1000));  // when this frame has been painted
    });
    drawn.observe(root, { attributeFilter: ["data-batch"] });
  });
}"""


def measure() -> Findings:
    with shown(SOURCE) as page:
        clicks = _clicks(page)  # (batches,)
        work = PageWork(page)
        hover = work.of_moves(_points_on_pieces(page))  # (moves,)
        page.locator(".heat-marks rect.pointed-cell:not(.hidden)").wait_for()  # the moves were felt
    late = float(np.percentile(clicks, 95))
    name = f"n={STEPS}, k={STEPS}"
    return Findings(
        [
            Row(
                f"{name}: from the pointer on a batch, and a click, to painted (p95)",
                duration(late),
                asked=f"< {duration(CLICK_SECONDS)}",
                met=late < CLICK_SECONDS,
            ),
            frame_row(f"{name}: hover a piece", hover),
        ],
        [spread(f"{name}, clicks", clicks), spread(f"{name}, hovering", hover)],
    )


def _clicks(page: Page) -> Seconds:
    """Seconds from pointing at each batch, and pressing, until its pieces are painted, (batches,)."""
    seconds = []
    for point in find_overview(page).sweep(RECORDED):
        page.mouse.move(2, 2)
        next_drawing(page)
        page.evaluate(AWAIT_PAINTED)
        page.mouse.move(*point)
        page.mouse.down()
        page.mouse.up()
        seconds.append(page.evaluate("painted"))
        next_drawing(page)
    return np.array(seconds)


def _points_on_pieces(page: Page) -> list[Point]:
    """Points along the diagonal of the heat map, on the side where there are pieces: a loss sends to earlier steps."""
    canvas = page.locator("canvas.heat")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    parts = np.linspace(0.02, 0.85, MOVES).tolist()
    return [(box["x"] + part * box["width"], box["y"] + (0.9 - part) * box["height"]) for part in parts]

"""What hovering over the widget costs the page, in the paper's windows with the whole window recorded."""

from playwright.sync_api import Page

from .browser import shown
from .overview_places import find_overview
from .page_work import PageWork, Point, frame_row, spread
from .table import Findings

RECORDED = 100
SOURCE = f"""\
from rnnbow_widget import RNNbow, corpora
widget = RNNbow(corpora.c_headers(), seed=0, horizon=None)
widget.train({100 * RECORDED})
widget"""
CENTERS_OF_VISIBLE = """\
(parts) => parts.map((part) => part.getBoundingClientRect())
  .filter(({ height }) => height >= 1)
  .map(({ x, y, width, height }) => [x + width / 2, y + height / 2])"""


def measure() -> Findings:
    with shown(SOURCE) as page:
        work = PageWork(page)
        parts = work.of_moves(_centers_of_parts(page))  # (parts,)
        page.locator("polygon.pointed").wait_for()  # the moves were felt
        batches = work.of_moves(find_overview(page).sweep(RECORDED))  # (batches,)
        page.locator("rect.preview-bar:not(.hidden)").wait_for()
    return Findings(
        [frame_row("hover a part, n=25, k=25", parts), frame_row("hover a batch, n=25, k=25", batches)],
        [spread("Hovering over parts", parts), spread("Hovering over batches", batches)],
    )


def _centers_of_parts(page: Page) -> list[Point]:
    panel = page.locator('[data-panel="gradients"]')
    panel.scroll_into_view_if_needed()
    centers: list[Point] = panel.locator("polygon.part").evaluate_all(CENTERS_OF_VISIBLE)
    return centers

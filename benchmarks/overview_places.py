"""Places on panel 1 of the widget that a page shows."""

from dataclasses import dataclass

import numpy as np
from playwright.sync_api import Page

from .page_work import Point

PLOT = '[data-panel="overview"] path.bars'


@dataclass(frozen=True)
class Overview:
    """The rectangle that the bars fill, in pixels of the page."""

    x: float
    width: float
    bottom: float

    def place(self, part: float) -> Point:
        """A point low in the plot, from 0 at the left to 1 at the right."""
        return self.x + part * self.width, self.bottom - 1

    def sweep(self, count: int) -> list[Point]:
        """Points from left to right; if there are `count` batches, one on each."""
        return [self.place(part) for part in ((np.arange(count) + 0.5) / count).tolist()]


def find_overview(page: Page) -> Overview:
    """Scroll panel 1 into view, and return where its bars are."""
    bars = page.locator(PLOT)
    bars.scroll_into_view_if_needed()
    box = bars.bounding_box()
    assert box is not None
    return Overview(box["x"], box["width"], box["y"] + box["height"])

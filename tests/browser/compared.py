"""A comparison that a page shows: its sides, and where a person points in it."""

from harness import ANSWER_MS
from playwright.sync_api import Locator, Page, expect

BATCHES = """() => document.querySelector(".comparison:not([data-drawing])")
  && [...document.querySelectorAll(".side")].map((side) => side.dataset.batch)"""


class Compared:
    """A displayed comparison."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".rnnbow.comparison").first
        self.sides = self.root.locator(".side")

    def button(self, action: str) -> Locator:
        return self.root.locator(f".toolbar [data-action={action}]")

    def expect_batch(self, *batches: int) -> None:
        for index, batch in enumerate(batches):
            expect(self.sides.nth(index)).to_have_attribute("data-batch", str(batch))

    def expect_recorded(self, count: int) -> None:
        for side in self.sides.all():
            expect(side).to_have_attribute("data-recorded", str(count))

    def shown(self) -> list[str]:
        """The batches that the sides show when all have drawn: they do so in successive frames."""
        found: list[str] = self.page.wait_for_function(BATCHES, timeout=ANSWER_MS).json_value()
        return found

    def part(self, side: int, step: int, lag: int) -> Locator:
        part = f"polygon.part[data-step='{step}'][data-lag='{lag}']"
        return self.sides.nth(side).locator(f"[data-panel=gradients] {part}")

    def lit(self, side: int) -> set[tuple[int, int]]:
        parts = self.sides.nth(side).locator("polygon.part.same-loss")
        return {
            (int(step), int(lag))
            for step, lag in parts.evaluate_all("all => all.map(p => [p.dataset.step, p.dataset.lag])")
        }

    def place(self, part: float) -> tuple[float, float]:
        """A place in the plot over training, by its part of the run."""
        box = self.root.locator("[data-panel=trend] svg[tabindex]").bounding_box()
        ends = self.root.locator("[data-panel=trend] path.trend-line").first.bounding_box()
        assert box
        assert ends
        return ends["x"] + part * ends["width"], box["y"] + 60

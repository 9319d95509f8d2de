"""One displayed widget: what Chromium draws of it, read back from the page, and where a person points in it.

Places are in pixels of the page, as laid out; colours are as computed. Nothing here knows how the widget draws.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from harness import next_drawing
from playwright.sync_api import Locator, Page, expect

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
HALF_PIXEL = 0.5  # d3-axis moves ticks by as much, so that their lines are crisp

READ = """root => {
  const all = (selector, read) => Array.from(root.querySelectorAll(selector), read);
  const box = (node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return { x, y, width, height };
  };
  const mark = (node) => ({
    ...box(node),
    step: Number(node.dataset.step ?? -1),
    lag: Number(node.dataset.lag ?? -1),
    fill: getComputedStyle(node).fill,
    classes: [...node.classList],
  });
  const step = (node) => ({
    ...mark(node.querySelector(".cell")),
    step: Number(node.dataset.step),
    classes: [...node.classList],
    target: node.querySelector(".target").textContent,
    prediction: node.querySelector(".prediction").textContent,
    verdict: node.querySelector(".verdict").getAttribute("d"),
    shade: getComputedStyle(node.querySelector(".shade")).fill,
  });
  const ticks = (panel) => [...root.querySelectorAll(`[data-panel=${panel}] .axis.values .tick`)]
    .filter((tick) => tick.getClientRects().length > 0)  // panel 3 keeps the axis of the form that is not shown
    .map((tick) => [tick.querySelector("text").textContent, tick.querySelector("line").getBoundingClientRect().y]);
  const overview = root.querySelector("[data-panel=overview] svg[tabindex]").getBoundingClientRect();
  const selected = root.querySelector(".selected-bar");
  return {
    parts: all("polygon.part", mark),
    beyond: all("rect.beyond", mark),
    totals: all("rect.total", mark),
    received: all("rect.received", mark),
    steps: all(".step", step),
    bars: root.querySelector(".bars").getAttribute("d"),
    origin: [overview.x, overview.y],
    selected: { ...mark(selected), batch: selected.dataset.batch },
    ticks: { overview: ticks("overview"), gradients: ticks("gradients"), horizon: ticks("horizon") },
    headline: root.querySelector(".headline").textContent,
    finding: root.querySelector(".finding").textContent,
  };
}"""

LABELS = """root => [...root.querySelectorAll("svg")].flatMap((svg, index) => [...svg.querySelectorAll("text")]
  .filter((text) => text.textContent && text.getClientRects().length > 0)
  .map((text) => {
    const { x, y, width, height } = text.getBoundingClientRect();
    return { svg: index, text: text.textContent, x, y, width, height };
  }))"""


BROKEN = """root => [...root.querySelectorAll("svg *")].flatMap((node) => [...node.attributes]
  .filter(({ name, value }) => !name.startsWith("data-") && /NaN|Infinity|undefined/.test(value))
  .map(({ name, value }) => `${node.tagName} ${name}: ${value.slice(0, 40)}`))"""


@dataclass(frozen=True)
class Mark:
    """A rectangle that stands for a number."""

    step: int
    lag: int
    x: float
    y: float
    width: float
    height: float
    fill: str
    classes: frozenset[str]

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Step:
    """A column of panel 2: its labels, and the place of its coloured cell."""

    cell: Mark
    classes: frozenset[str]
    target: str
    prediction: str
    verdict: str
    shade: str


@dataclass(frozen=True)
class Bar:
    """A bar of the overview."""

    x: float
    top: float
    width: float


@dataclass(frozen=True)
class Axis:
    """The scale that an axis' labels tell: the place of zero, and how far up a value of one lies."""

    zero: float
    unit: float

    def y(self, value: float) -> float:
        return self.zero - value * self.unit


@dataclass(frozen=True)
class Picture:
    """All that one figure draws at one moment."""

    parts: Mapping[tuple[int, int], Mark]
    beyond: Mapping[int, Mark]
    totals: Mapping[int, Mark]
    received: Mapping[int, Mark]
    steps: Mapping[int, Step]
    bars: list[Bar]
    selected: Mark
    selected_batch: int
    axes: Mapping[str, Axis]
    headline: str
    finding: str

    def having(self, name: str) -> set[tuple[int, int]]:
        """Return (step, lag) of the parts that have a class."""
        return {place for place, part in self.parts.items() if name in part.classes}

    @property
    def caused(self) -> set[int]:
        """Steps whose labels are shaded."""
        return {place for place, step in self.steps.items() if "caused" in step.classes}


class Figure:
    """A widget's ``index``-th display on a page."""

    def __init__(self, page: Page, index: int = 0) -> None:
        self.page = page
        self.root = page.locator(".rnnbow").nth(index)

    # What it shows.

    def read(self) -> Picture:
        """Read the picture, with all that is due drawn."""
        next_drawing(self.page)
        found = self.root.evaluate(READ)
        left, top = found["origin"]
        return Picture(
            parts={(part.step, part.lag): part for part in map(_mark, found["parts"])},
            beyond=_by_step(found["beyond"]),
            totals=_by_step(found["totals"]),
            received=_by_step(found["received"]),
            steps={step["step"]: _step(step) for step in found["steps"]},
            bars=[Bar(left + x, top + y, width) for x, y, width in _bars(found["bars"])],
            selected=_mark(found["selected"]),
            selected_batch=int(found["selected"]["batch"]),
            axes={panel: axis(ticks) for panel, ticks in found["ticks"].items()},
            headline=found["headline"],
            finding=found["finding"],
        )

    def button(self, action: str) -> Locator:
        """Return a button of the toolbar, or "follow"."""
        return self.root.locator(f"button[data-action={action}]")

    def setting(self, name: str) -> Locator:
        """Return a field of the toolbar."""
        return self.root.locator(f"[data-setting={name}]")

    def refusal(self, name: str) -> Locator:
        """Return what stands beside a field whose value was refused."""
        return self.root.locator(f".field:has([data-setting={name}]) .refusal")

    def status(self, name: str) -> Locator:
        """Return an entry of the status line."""
        return self.root.locator(f"[data-status={name}]")

    @property
    def banner(self) -> Locator:
        return self.root.get_by_role("alert")

    @property
    def tooltip(self) -> Locator:
        return self.root.locator(".tooltip")

    def tooltip_rows(self) -> dict[str, str]:
        """Return what the tooltip says, by label."""
        names, values = self.tooltip.locator("dt"), self.tooltip.locator("dd")
        return dict(zip(names.all_text_contents(), values.all_text_contents(), strict=True))

    def overlapping_labels(self) -> list[str]:
        """Labels that lie on another one of the same plot. Boxes of text have room above and below its ink."""

        def touch(a: dict[str, Any], b: dict[str, Any]) -> bool:
            across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
            down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
            return bool(a["svg"] == b["svg"] and across > 0.5 and down > 2.5)

        labels = self.root.evaluate(LABELS)
        return [f"{a['text']} on {b['text']}" for a, b in combinations(labels, 2) if touch(a, b)]

    def broken_attributes(self) -> list[str]:
        """Attributes of marks that should have a number and have none."""
        found: list[str] = self.root.evaluate(BROKEN)
        return found

    @property
    def recorded(self) -> int:
        """Number of batches that the overview draws."""
        return int(self.root.get_attribute("data-recorded") or 0)

    def expect_batch(self, batch: int) -> None:
        """Wait until panels 2, 3 and 4 show a batch."""
        expect(self.root).to_have_attribute("data-batch", str(batch))

    def expect_recorded(self, count: int) -> None:
        """Wait until the overview has so many bars."""
        expect(self.root).to_have_attribute("data-recorded", str(count))

    def expect_more_recorded(self, than: int) -> None:
        """Wait until the overview has more bars than before."""
        self.page.wait_for_function(
            "([root, than]) => Number(root.dataset.recorded) > than",
            arg=[self.root.element_handle(), than],
        )

    def expect_state(self, state: str) -> None:
        """Wait until the status line says "ready", "training", "paused", "diverged" or "error"."""
        expect(self.status("state")).to_have_text(state)

    # What a person does.

    def resize(self, width: int) -> None:
        """Make the browser's window so large that the widget is ``width`` pixels wide."""
        window = self.page.viewport_size
        assert window
        here = self.root.evaluate("root => root.getBoundingClientRect().width")
        self.page.set_viewport_size({"width": round(window["width"] + width - here), "height": window["height"]})
        expect(self.root).to_have_js_property("offsetWidth", width)
        next_drawing(self.page)

    def point(self, mark: Mark | tuple[float, float]) -> None:
        """Move the mouse to a mark, or to a place on the page."""
        self.page.mouse.move(*(mark.center if isinstance(mark, Mark) else mark))
        next_drawing(self.page)

    def click(self, mark: Mark | tuple[float, float]) -> None:
        """Click a mark, or a place on the page."""
        self.point(mark)
        self.page.mouse.down()
        self.page.mouse.up()
        next_drawing(self.page)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at a place on the page, move to another, and let go there."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=4)
        self.page.mouse.up()
        next_drawing(self.page)

    def open_part(self, name: str) -> Locator:
        """Open a panel by its title, such as "cell" or "units", and wait until it shows the batch of the others."""
        panel = self.root.locator(f"[data-panel={name}]")
        panel.locator("summary").click()
        self.expect_same_batch(panel)
        return panel

    def expect_same_batch(self, panel: Locator) -> None:
        """Wait until an opened panel shows the batch that the others show."""
        batch = self.root.get_attribute("data-batch") or ""
        expect(panel).to_have_attribute("data-batch", batch)
        expect(panel.locator(".part-note")).to_be_hidden()

    def bar_place(self, index: int) -> tuple[float, float]:
        """Where to point to mean the overview's bar of a recorded batch (each bar must have its own pixels)."""
        picture = self.read()
        bar = picture.bars[index]
        return bar.x + bar.width / 2, picture.axes["overview"].zero - 2

    def leave(self) -> None:
        """Move the mouse out of the plots."""
        self.page.mouse.move(2, 2)
        next_drawing(self.page)

    def steer(self, panel: str, *keys: str) -> None:
        """Press keys in a panel's plot."""
        self.root.locator(f"[data-panel={panel}] svg[tabindex]").focus()
        for key in keys:
            self.page.keyboard.press(key)
        next_drawing(self.page)


def toggle_explanations(root: Locator) -> None:
    """Press all buttons that explain a panel: their texts open, or close again."""
    buttons = root.locator("button.how:visible").all()
    assert buttons
    for button in buttons:
        button.click()


def drawn_number(text: str) -> float:
    """Return the value of a number as it is drawn: 1,234.5, −0.1200, 3.1×10⁻⁷ or 10⁻⁷."""
    found = re.fullmatch(r"(−?)([\d.,]+)(×10)?([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*)", text)
    assert found, f"{text!r} is no number"
    sign, digits, times, power = found.groups()
    if power and not times:
        digits = "1"
    value = float(f"{digits.replace(',', '')}e{power.translate(SUPERSCRIPTS) or '0'}")
    return -value if sign else value


def _mark(found: Mapping[str, Any]) -> Mark:
    place = {name: found[name] for name in ("step", "lag", "x", "y", "width", "height", "fill")}
    return Mark(**place, classes=frozenset(found["classes"]))


def _step(found: Mapping[str, Any]) -> Step:
    texts = {name: found[name] for name in ("target", "prediction", "verdict", "shade")}
    return Step(cell=_mark({**found, "lag": -1}), classes=frozenset(found["classes"]), **texts)


def _by_step(found: Iterable[Mapping[str, Any]]) -> dict[int, Mark]:
    return {mark.step: mark for mark in map(_mark, found)}


def _bars(path: str) -> list[tuple[float, float, float]]:
    """Left, top and width of each bar of the overview's path."""
    return [
        (float(x), float(top), float(width))
        for x, top, width in re.findall(r"M([\d.e+-]+),[\d.e+-]+V([\d.e+-]+)h([\d.e+-]+)V[\d.e+-]+Z", path)
    ]


def axis(ticks: list[tuple[str, float]]) -> Axis:
    """Return the scale between an axis' first and last label; without two, nothing can be compared with it."""
    if len(ticks) < 2:
        return Axis(zero=math.nan, unit=math.nan)
    (low, low_y), (high, high_y) = [(drawn_number(text), y - HALF_PIXEL) for text, y in (ticks[0], ticks[-1])]
    unit = (low_y - high_y) / (high - low)
    return Axis(zero=low_y + low * unit, unit=unit)

"""Panel 1, read back from the page, and what it should show of many batches: how values share columns of pixels."""

import math
import re
from itertools import pairwise

import numpy as np
from figure import Figure, drawn_number
from harness import next_drawing
from numpy.typing import NDArray

LEFT = 72  # where the bars begin, in pixels of the plot
PLOT = """section => {
  const svg = section.querySelector("svg[tabindex]").getBoundingClientRect();
  const ticks = (selector) => [...section.querySelectorAll(`${selector} .tick`)].map((tick) =>
    [tick.querySelector("text").textContent, tick.querySelector("line").getBoundingClientRect().y - svg.y - 0.5]);
  const path = (selector) => section.querySelector(selector).getAttribute("d") ?? "";
  return {
    origin: [svg.x, svg.y],
    bars: path(".bars"),
    medians: path(".medians"),
    line: path("path.line"),
    values: ticks(".axis.values"),
    second: ticks(".axis.of-line"),
    note: section.querySelector(".reading").textContent,
    marks: [...section.querySelectorAll(".cue-marks > g")].map((mark) =>
      [Number(mark.dataset.batch), mark.dataset.cue, Number(/\\((.*),/.exec(mark.getAttribute("transform"))[1])]),
  };
}"""
Floats = NDArray[np.float64]


class Overview:
    """What panel 1 draws at one moment; places are in pixels of its plot."""

    def __init__(self, figure: Figure) -> None:
        next_drawing(figure.page)
        found = figure.root.locator("[data-panel=overview]").evaluate(PLOT)
        self.left, self.top = found["origin"]
        bars = re.findall(r"M([\d.]+),([\d.]+)V([\d.]+)h([\d.]+)V", found["bars"])
        self.x = [float(x) for x, *_ in bars]
        self.tops = np.array([float(top) for _, _, top, _ in bars])
        self.base = float(bars[0][1])
        self.medians = np.array([float(y) for y in re.findall(r"V([\d.]+)h1", found["medians"])])
        self.line = np.array([float(y) for _, y in re.findall(r"[ML]([\d.]+),([\d.]+)", found["line"])])
        self.values = [(drawn_number(text), y) for text, y in found["values"]]
        self.second = [(drawn_number(text), y) for text, y in found["second"]]
        self.note = found["note"]
        self.marks = found["marks"]

    def place(self, column: int) -> tuple[float, float]:
        """Where on the page to point to mean a column."""
        return self.left + self.x[column] + 0.5, self.top + self.base - 2


def scale(ticks: list[tuple[float, float]], values: Floats, *, log: bool = False) -> Floats:
    """Places of values on the axis that ticks tell."""
    numbers = [(math.log10(value) if log else value, y) for value, y in ticks]
    (low, low_y), (high, high_y) = min(numbers), max(numbers)
    places: Floats = low_y + ((np.log10(values) if log else values) - low) * (high_y - low_y) / (high - low)
    return places


def shared_columns(values: Floats, columns: int, room: int) -> list[Floats]:
    """The values that each pixel column of the whole run stands for, up to 5 % of the room being left empty."""
    length = len(values)
    per_column = math.ceil(1.05 ** math.ceil(math.log(length) / math.log(1.05)) - 1e-9) / room
    firsts = [min(length, math.ceil(index * per_column)) for index in range(columns + 1)]
    assert firsts[-1] == length, "the whole run is drawn"
    return [values[first:end] for first, end in pairwise(firsts)]


def room(figure: Figure) -> int:
    """Width of the plot in pixels, as the strip beneath it shows it."""
    return int(figure.root.locator("svg.context .ground").get_attribute("width") or 0)

"""A long run in the page: how soon it is there, what a move over panel 1 costs, and what another batch costs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from playwright.sync_api import Error, Page

from .browser import kernel_exec, opened
from .overview_places import Overview, find_overview
from .page_work import PageWork, Seconds, frame_row, spread
from .playing import playing
from .table import Findings, Row, dearer, duration

ASKED = 100_000
FAR = 1_000_000
EARLY = 100
FULL = 2_000
"""Batches at which the overview has one in each pixel column: from here on, drawing has nothing more to draw."""
DISPLAY_SECONDS = 1.0
APPEND_RATIO = 1.2
STRETCH_SECONDS = 3
MOVES = 100
NOTCHES = 24
NOTCH = 50  # pixels of the wheel: half a doubling
PAN_NOTCHES = 8
GIVE_UP_SECONDS = 180

SOURCE = "widget = RNNbow(trainer)\nwidget"
PREPARE = """\
from rnnbow_widget import RNNbow
from benchmarks.long_runs import long_trainer
trainer = long_trainer({})"""
SHOW = """\
async ([count, patience]) => {
  const begun = performance.now();
  const seen = () => document.querySelector(`.rnnbow[data-recorded="${count}"]`);
  const drawn = new Promise((resolve, reject) => {
    const look = () => {
      if (performance.now() - begun > 1000 * patience) reject(new Error(`nothing was drawn within ${patience} s`));
      else if (!seen()) requestAnimationFrame(look);
      else setTimeout(() => resolve(performance.now() - begun));  // when this frame has been painted
    };
    look();
  });
  const [milliseconds] = await Promise.all([drawn, window.jupyterapp.commands.execute("notebook:run-all-cells")]);
  return milliseconds / 1000;
}"""
COUNT_DRAWINGS = """\
() => {
  window.drawings = 0;
  const count = new MutationObserver(() => { window.drawings += 1; });
  count.observe(document.querySelector(".rnnbow"), { attributeFilter: ["data-recorded"] });
}"""


class NotShownError(RuntimeError):
    """The run was too much for the page, or for what drives it."""


@dataclass(frozen=True)
class Measured:
    display: float
    hover: Seconds
    zoom: Seconds
    pan: Seconds
    drawing: float
    """Seconds of the page's work for each drawing while training goes on."""


def measure() -> Findings:
    long = _measure_if_shown(ASKED)
    if not isinstance(long, Measured):
        return long
    full, early = _measure(FULL), _measure(EARLY)
    name = "page: take in a frame and draw it, at {:,} vs at {:,}"
    return Findings(
        [
            *_rows(ASKED, long, asked=True),
            dearer(name.format(ASKED, EARLY), long.drawing, early.drawing, APPEND_RATIO),
            dearer(name.format(ASKED, FULL), long.drawing, full.drawing),
        ],
        _notes(ASKED, long),
    )


def measure_far() -> Findings:
    """The same of a run ten times as long, of which nothing is asked."""
    far = _measure_if_shown(FAR)
    if not isinstance(far, Measured):
        return far
    rows = _rows(FAR, far, asked=False)
    return Findings(
        [*rows, Row(f"{FAR:,} recorded: take in a frame and draw it", duration(far.drawing))], _notes(FAR, far)
    )


def _measure_if_shown(length: int) -> Measured | Findings:
    """What was measured, or a row that says that there was nothing to measure."""
    try:
        return _measure(length)
    except NotShownError as error:
        name = f"{length:,} recorded"
        return Findings([Row(f"{name}: shown", "no", met=False)], [f"{name}: could not be shown ({error})."])


def _measure(length: int) -> Measured:
    with opened(SOURCE) as page:
        kernel_exec(page, PREPARE.format(length))
        display = _show(page, length)
        work, overview = PageWork(page), find_overview(page)
        hover = work.of_moves(overview.sweep(MOVES))
        page.locator("rect.preview-bar:not(.hidden)").wait_for()  # the moves were felt
        zoom = _zoom(page, work, overview)
        pan = _pan(page, work, overview)
        return Measured(display, hover, zoom, pan, _take_in(page, work))


def _show(page: Page, length: int) -> float:
    """Run the cell; return the seconds until the run is painted."""
    try:
        return float(page.evaluate(SHOW, [length, GIVE_UP_SECONDS]))
    except Error as error:
        raise NotShownError(error.message.splitlines()[0]) from error


def _zoom(page: Page, work: PageWork, overview: Overview) -> Seconds:
    """Turn the wheel all the way in and out again, in the middle; a step each, (steps,)."""
    page.mouse.move(*overview.place(0.5))
    page.keyboard.down("Control")
    seconds = work.of_each([_wheel(page, pixels) for pixels in NOTCHES * [-NOTCH] + NOTCHES * [NOTCH]])
    page.keyboard.up("Control")
    return seconds


def _wheel(page: Page, pixels: int) -> Callable[[], None]:
    return partial(page.mouse.wheel, 0, pixels)


def _pan(page: Page, work: PageWork, overview: Overview) -> Seconds:
    """Zoom in, then drag there and back, a frame each, (moves,); last, show all again."""
    page.mouse.move(*overview.place(0.5))
    page.keyboard.down("Control")
    for _ in range(PAN_NOTCHES):
        page.mouse.wheel(0, -NOTCH)
    page.keyboard.up("Control")
    page.locator('[data-panel="overview"] svg.zoomed').wait_for()
    there = np.linspace(0.5, 0.9, MOVES // 2).tolist()
    page.mouse.down()
    seconds = work.of_moves([overview.place(part) for part in there + there[::-1]])
    page.locator('[data-panel="overview"] svg.dragging').wait_for()  # the moves were felt
    page.mouse.up()
    page.mouse.dblclick(*overview.place(0.5))
    page.locator('[data-panel="overview"] svg.zoomed').wait_for(state="detached")
    return seconds


def _take_in(page: Page, work: PageWork) -> float:
    """Seconds of work for each drawing while the widget plays and the pointer is elsewhere."""
    page.mouse.move(1, 1)
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCell.node.scrollIntoView(); }")
    page.evaluate(COUNT_DRAWINGS)
    with playing(page):
        before, drawn = work.seconds(), page.evaluate("drawings")
        page.wait_for_timeout(1000 * STRETCH_SECONDS)
        seconds, drawings = work.seconds() - before, page.evaluate("drawings") - drawn
    return float(seconds / drawings)


def _rows(length: int, found: Measured, *, asked: bool) -> list[Row]:
    name = f"{length:,} recorded: "
    shown = Row(f"{name}from running the cell to drawn", duration(found.display))
    if asked:
        limit = f"< {duration(DISPLAY_SECONDS)}"
        shown = Row(shown.name, shown.ours, asked=limit, met=found.display < DISPLAY_SECONDS)
    return [
        shown,
        frame_row(f"{name}hover", found.hover, asked=asked),
        frame_row(f"{name}wheel zoom", found.zoom, asked=asked),
        frame_row(f"{name}pan", found.pan, asked=asked),
    ]


def _notes(length: int, found: Measured) -> list[str]:
    moves = {"hovering": found.hover, "zooming": found.zoom, "panning": found.pan}
    return [spread(f"{length:,} recorded, {what}", seconds) for what, seconds in moves.items()]

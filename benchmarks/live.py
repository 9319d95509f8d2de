"""The widget in JupyterLab in Chromium: what showing costs the training, and what hovering costs the page."""

import os

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import CDPSession, Page

from .browser import kernel_exec, next_drawing, shown
from .table import Findings, Row, duration

Point = tuple[float, float]

ROUNDS = 10
STRETCH_SECONDS = 2
WARM_UP_BATCHES = 1_000
RECORDED = 100
LEAST_LIVE_SHARE = 0.8
FRAME_SECONDS = 0.016

LIVE = """\
from time import perf_counter
from rnnbow_widget import RNNbow, Trainer, corpora
alone = Trainer(corpora.c_headers(), seed=0)
widget = RNNbow(corpora.c_headers(), seed=0)
widget"""
HEADLESS = f"""\
begun, first = perf_counter(), alone.batch
while perf_counter() - begun < {STRETCH_SECONDS}:
    alone.train(100)
print((alone.batch - first) / (perf_counter() - begun))"""
WHOLE_WINDOW = f"""\
from rnnbow_widget import RNNbow, corpora
widget = RNNbow(corpora.c_headers(), seed=0, horizon=None)
widget.train({100 * RECORDED})
widget"""

SHOWN_BATCH_IS_AT_LEAST = """\
(batch) => Number(document.querySelector('[data-status="batch"]').textContent.replace(/\\D/g, "")) >= batch"""
CENTERS_OF_VISIBLE = """\
(parts) => parts.map((part) => part.getBoundingClientRect())
  .filter(({ height }) => height >= 1)
  .map(({ x, y, width, height }) => [x + width / 2, y + height / 2])"""


def measure() -> Findings:
    with shown(LIVE) as page:
        rates = np.array([(_play(page), _train_alone(page)) for _ in range(ROUNDS)])  # (rounds, 2): batches/s
    with shown(WHOLE_WINDOW) as page:
        parts = _sweep(page, _centers_of_parts(page), "rect.pointed")  # (parts,): seconds
        batches = _sweep(page, _points_on_overview(page), "rect.preview-bar:not(.hidden)")  # (batches,): seconds
    return Findings(
        [
            _live_row(rates),
            _hover_row("hover a part, n=25, k=25: script, style and layout (p95)", parts),
            _hover_row("hover a batch, n=25, k=25: script, style and layout (p95)", batches),
        ],
        [_live_note(rates), _hover_note("parts", parts), _hover_note("batches", batches)],
    )


def _train_alone(page: Page) -> float:
    """Batches per second of a trainer in the same kernel that nobody looks at."""
    return float(kernel_exec(page, HEADLESS))


def _play(page: Page) -> float:
    """Batches per second while the widget plays."""
    play = page.locator('[data-action="play"]')
    warm = _progress(page)[1] + WARM_UP_BATCHES
    play.click()
    page.wait_for_function(SHOWN_BATCH_IS_AT_LEAST, arg=warm)
    begun, first = _progress(page)
    page.wait_for_timeout(1000 * STRETCH_SECONDS)
    ended, last = _progress(page)
    play.click()
    page.locator('[data-status="state"]', has_text="paused").wait_for()
    return (last - first) / (ended - begun)


def _progress(page: Page) -> tuple[float, int]:
    """The kernel's clock, and the batches that the widget has trained by then."""
    seconds, batch = kernel_exec(page, "print(perf_counter(), widget.trainer.batch)").split()
    return float(seconds), int(batch)


def _centers_of_parts(page: Page) -> list[Point]:
    panel = page.locator('[data-panel="gradients"]')
    panel.scroll_into_view_if_needed()
    centers: list[Point] = panel.locator("rect.part").evaluate_all(CENTERS_OF_VISIBLE)
    return centers


def _points_on_overview(page: Page) -> list[Point]:
    """A point for each recorded batch; the last column of the picture is the last batch."""
    bars = page.locator('[data-panel="overview"] path.bars')
    bars.scroll_into_view_if_needed()
    box = bars.bounding_box()
    assert box is not None
    places = (np.arange(RECORDED) + 0.5) / RECORDED  # (batches,): from 0, left, to 1, right
    return [(box["x"] + place * box["width"], box["y"] + box["height"] - 1) for place in places.tolist()]


def _sweep(page: Page, points: list[Point], answer: str) -> NDArray[np.float64]:
    """Move the mouse from point to point; return the seconds of work that each move meant for the page, (points,)."""
    devtools = page.context.new_cdp_session(page)
    # The thread's own time: that of other programs does not count.
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    seconds = np.empty(len(points))  # (points,)
    for move, (x, y) in enumerate(points):
        before = _work(devtools)
        page.mouse.move(x, y)
        next_drawing(page)
        seconds[move] = _work(devtools) - before
    page.locator(answer).wait_for()  # the moves were felt
    return seconds


def _work(devtools: CDPSession) -> float:
    """Seconds of script, style and layout so far; an upper bound, since layout that a script waits for counts twice."""
    metrics = {metric["name"]: metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"] + metrics["RecalcStyleDuration"] + metrics["LayoutDuration"])


def _live_row(rates: NDArray[np.float64]) -> Row:
    # The best stretch of each, as everywhere: other work on the machine only ever slows down.
    live, alone = rates.max(axis=0)
    share = live / alone
    return Row(
        "playing in JupyterLab in Chromium, vs headless (batches/s)",
        f"{live:,.0f}",
        f"{alone:,.0f}",
        f"{share:.0%}",
        f"≥ {LEAST_LIVE_SHARE:.0%}",
        bool(share >= LEAST_LIVE_SHARE),
    )


def _live_note(rates: NDArray[np.float64]) -> str:
    shares = ", ".join(f"{live / alone:.0%}" for live, alone in rates)
    return (
        f"Playing: {ROUNDS} stretches of {STRETCH_SECONDS} s, in turn with headless ones; share of each: {shares}. "
        f"Load average since: {os.getloadavg()[0]:.1f} (other work on the machine is felt here most of all)."
    )


def _hover_row(name: str, seconds: NDArray[np.float64]) -> Row:
    late = float(np.percentile(seconds, 95))
    return Row(name, duration(late), asked=f"< {duration(FRAME_SECONDS)}", met=late < FRAME_SECONDS)


def _hover_note(what: str, seconds: NDArray[np.float64]) -> str:
    median, most = duration(float(np.median(seconds))), duration(float(np.max(seconds)))
    return f"Hover: {len(seconds)} moves over {what}, each up to the next drawing; median {median}, {most} at most."

"""What the page's main thread does: script, style and layout, in seconds of its own; and the bytes that it holds."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import CDPSession, Page

from .browser import next_drawing
from .table import Row, duration

Point = tuple[float, float]
Seconds = NDArray[np.float64]

FRAME_SECONDS = 0.016
WORK = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")


class PageWork:
    """Meters of one page, by the protocol of Chromium's developer tools."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        # The thread's own time: that of other programs does not count.
        self._devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds(self) -> float:
        """Work so far; an upper bound, since layout that a script waits for counts twice."""
        metrics = self._devtools.send("Performance.getMetrics")["metrics"]
        return float(sum(metric["value"] for metric in metrics if metric["name"] in WORK))

    def of_each(self, actions: Iterable[Callable[[], object]]) -> Seconds:
        """Seconds of work that each action meant, up to the next drawing, (actions,)."""
        seconds = []
        for action in actions:
            before = self.seconds()
            action()
            next_drawing(self._page)
            seconds.append(self.seconds() - before)
        return np.array(seconds)

    def of_moves(self, points: Sequence[Point]) -> Seconds:
        """Seconds of work that each move of the mouse meant, (points,)."""
        return self.of_each(partial(self._page.mouse.move, *point) for point in points)

    def bytes_held(self) -> int:
        """Bytes of the page's live objects and of their buffers, which do not count as heap."""
        self._devtools.send("HeapProfiler.collectGarbage")
        usage = self._devtools.send("Runtime.getHeapUsage")
        return int(usage["usedSize"] + usage["backingStorageSize"])


def frame_row(name: str, seconds: Seconds, *, asked: bool = True) -> Row:
    """The work that nineteen of twenty actions stay below; it must fit into a frame."""
    late = float(np.percentile(seconds, 95))
    name = f"{name}: script, style, layout (p95)"
    if not asked:
        return Row(name, duration(late))
    return Row(name, duration(late), asked=f"≤ {duration(FRAME_SECONDS)}", met=late <= FRAME_SECONDS)


def spread(what: str, seconds: Seconds) -> str:
    median, most = duration(float(np.median(seconds))), duration(float(np.max(seconds)))
    return f"{what}: {len(seconds)} times, each up to the next drawing; median {median}, {most} at most."

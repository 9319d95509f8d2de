"""What the page's main thread does: script, style and layout, in seconds of its own; and the bytes that it holds."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import CDPSession, Page

from .browser import next_drawing
from .table import Row, duration

Point = tuple[float, float]
Seconds = NDArray[np.float64]

FRAME_SECONDS = 0.016
BEGIN, CALLBACK = "WebFrameWidgetImpl::BeginMainFrame", "FireAnimationFrame"
FRAME_WORK = (CALLBACK, "UpdateLayoutTree", "Layout")
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

    def of_frames(self, seconds: float) -> Seconds:
        """Seconds of work of each animation frame in which scripts draw, for a while, (frames,)."""
        events: list[dict[str, Any]] = []
        ended: list[object] = []
        self._devtools.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
        self._devtools.on("Tracing.tracingComplete", lambda end: ended.append(end))  # noqa: PLW0108
        categories = {"includedCategories": ["blink", "devtools.timeline"]}
        self._devtools.send("Tracing.start", {"traceConfig": categories, "transferMode": "ReportEvents"})
        self._page.wait_for_timeout(1000 * seconds)
        self._devtools.send("Tracing.end")
        while not ended:
            self._page.wait_for_timeout(50)
        return _by_frame(events)

    def bytes_held(self) -> int:
        """Bytes of the page's live objects and of their buffers, which do not count as heap."""
        self._devtools.send("HeapProfiler.collectGarbage")
        usage = self._devtools.send("Runtime.getHeapUsage")
        return int(usage["usedSize"] + usage["backingStorageSize"])


def _by_frame(events: Sequence[dict[str, Any]]) -> Seconds:
    """Sum the thread's time in callbacks, style and layout between the beginnings of frames, (frames,)."""
    threads = Counter((event["pid"], event["tid"]) for event in events if event["name"] == CALLBACK)
    thread = threads.most_common(1)[0][0]
    own = [event for event in events if (event["pid"], event["tid"]) == thread and "tdur" in event]
    begun = np.array(sorted(event["ts"] for event in own if event["name"] == BEGIN))
    work, draws = np.zeros(len(begun) + 1), np.zeros(len(begun) + 1, bool)
    for event in own:
        if event["name"] in FRAME_WORK:
            frame = np.searchsorted(begun, event["ts"], side="right")
            work[frame] += event["tdur"] / 1e6
            draws[frame] |= event["name"] == CALLBACK
    return np.asarray(work[1:][draws[1:]])


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


def spread_of_frames(what: str, seconds: Seconds) -> str:
    median, most = duration(float(np.median(seconds))), duration(float(np.max(seconds)))
    return f"{what}: {len(seconds)} frames that draw; median {median}, {most} at most."

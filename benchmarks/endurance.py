"""Every batch recorded, for long: whether the memory of kernel and page stays flat."""

from time import monotonic

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from .browser import kernel_exec, shown
from .page_work import PageWork
from .playing import batches_trained, playing
from .table import Findings, Row

SECONDS = 60.0
SAMPLES = 30
MOST_GROWTH = 0.03
# What may be kept of the run, so that the limit is reached in the first half, however short the whole is.
BYTES_PER_SECOND, MOST_BYTES = 1e6, 256e6
SOURCE = """\
import psutil
from rnnbow_widget import RNNbow, corpora
widget = RNNbow(corpora.c_headers(), seed=0, record_every=1)
widget.run.memory_limit = {:g}
widget"""
RESIDENT = "print(psutil.Process().memory_info().rss)"


def measure(seconds: float = SECONDS) -> Findings:
    with shown(SOURCE.format(min(MOST_BYTES, BYTES_PER_SECOND * seconds))) as page:
        samples = _watch(page, seconds)  # (samples, 3): seconds, bytes of the kernel, bytes of the page
        trained = batches_trained(page)
    name = f"{seconds:g} s, every batch recorded: {{}}, end vs middle"
    return Findings(
        [
            _row(name.format("kernel's memory"), samples[:, [0, 1]]),
            _row(name.format("page's memory"), samples[:, [0, 2]]),
        ],
        [f"Every batch recorded: {trained:,} batches in {seconds:g} s, {len(samples)} samples of memory."],
    )


def _watch(page: Page, seconds: float) -> NDArray[np.float64]:
    work = PageWork(page)
    samples = []
    with playing(page):
        begun = monotonic()
        while (passed := monotonic() - begun) < seconds:
            samples.append((passed, float(kernel_exec(page, RESIDENT)), float(work.bytes_held())))
            page.wait_for_timeout(1000 * seconds / SAMPLES)
    return np.array(samples)


def _row(name: str, samples: NDArray[np.float64]) -> Row:
    """Growth over the last half, by the line that fits it best; `samples` (samples, 2) are seconds and bytes."""
    times, held = samples[len(samples) // 2 :].T
    slope, start = np.polyfit(times - times[0], held, 1)
    end = start + slope * (times[-1] - times[0])
    growth = end / start - 1
    return Row(
        name,
        f"{end / 1e6:,.0f} MB",
        f"{start / 1e6:,.0f} MB",
        f"{growth:+.1%}",
        f"≤ {MOST_GROWTH:.0%}",
        bool(growth <= MOST_GROWTH),
    )

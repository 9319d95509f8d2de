"""The Play button of the widget that a page shows, and how fast is trained meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from .browser import kernel_exec

SHOWN_BATCH_IS_AT_LEAST = """\
(batch) => Number(document.querySelector('[data-status="batch"]').textContent.replace(/\\D/g, "")) >= batch"""
WARM_UP_BATCHES = 1_000


def batches_trained(page: Page) -> int:
    """Number of batches as the status line has it."""
    text = page.locator('[data-status="batch"]').text_content() or "0"
    return int("".join(character for character in text if character.isdecimal()))


def progress(page: Page, trainer: str) -> tuple[float, int]:
    """The kernel's clock, and the batches that a trainer has trained by then."""
    code = f"from time import perf_counter; print(perf_counter(), {trainer}.batch)"
    seconds, batch = kernel_exec(page, code).split()
    return float(seconds), int(batch)


def batches_per_second(page: Page, trainer: str, seconds: float) -> float:
    """How fast a trainer trains, by the kernel's clock, over a stretch of time."""
    begun, first = progress(page, trainer)
    page.wait_for_timeout(1000 * seconds)
    ended, last = progress(page, trainer)
    return (last - first) / (ended - begun)


@contextmanager
def playing(page: Page) -> Iterator[None]:
    """Train by pressing Play, and wait until it is under way; pause at the end."""
    play = page.locator('[data-action="play"]')
    warm = batches_trained(page) + WARM_UP_BATCHES
    play.click()
    page.wait_for_function(SHOWN_BATCH_IS_AT_LEAST, arg=warm)
    yield
    play.click()
    page.locator('[data-status="state"]', has_text="paused").wait_for()

"""The Play button of the widget that a page shows."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

SHOWN_BATCH_IS_AT_LEAST = """\
(batch) => Number(document.querySelector('[data-status="batch"]').textContent.replace(/\\D/g, "")) >= batch"""
WARM_UP_BATCHES = 1_000


def batches_trained(page: Page) -> int:
    """Number of batches as the status line has it."""
    text = page.locator('[data-status="batch"]').text_content() or "0"
    return int("".join(character for character in text if character.isdecimal()))


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

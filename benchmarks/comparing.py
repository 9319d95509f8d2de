"""Four live runs side by side in JupyterLab in Chromium: what each still trains, and what the page has to do."""

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

from .browser import shown
from .page_work import PageWork, frame_row, spread_of_frames
from .playing import batches_per_second, progress
from .table import Findings, Row

ROUNDS = 5
STRETCH_SECONDS = 2
LEAST_SHARE = 0.2
FRAMES_SECONDS = 10
UNDER_WAY_BATCHES = 50

SOURCE = """\
from rnnbow_widget import RNNbow, Trainer, compare, corpora
data = corpora.c_headers()
single = RNNbow(Trainer(data, seed=0))
four = compare(*(Trainer(data, seed=seed) for seed in range(4)))"""
PLACES = {"single": 0, "four": 1}
TRAINERS = {"single": "single.trainer", "four": "list(four.trainers.values())[0]"}


def measure() -> Findings:
    with shown(f"{SOURCE}\nfrom IPython.display import display\ndisplay(single, four)") as page:
        page.set_viewport_size({"width": 1200, "height": 3200})
        rates = np.array([[_play(page, name) for name in PLACES] for _ in range(ROUNDS)])  # (rounds, 2): batches/s
        work = PageWork(page)
        _start(page, "four")
        frames = work.of_frames(FRAMES_SECONDS)  # (frames,)
        _stop(page, "four")
    note = f"Comparing: {ROUNDS} stretches of {STRETCH_SECONDS} s, in turn; share of each: "
    shares = ", ".join(f"{four / single:.0%}" for single, four in rates)
    return Findings(
        [_row(rates), frame_row("playing four runs", frames)],
        [note + shares + ".", spread_of_frames("Drawing four runs", frames)],
    )


def _button(page: Page, name: str) -> Locator:
    return page.locator(".rnnbow").nth(PLACES[name]).locator('[data-action="play"]')


def _start(page: Page, name: str) -> None:
    button = _button(page, name)
    button.click()
    button.filter(has_text="Pause").wait_for()
    before = progress(page, TRAINERS[name])[1]
    while progress(page, TRAINERS[name])[1] < before + UNDER_WAY_BATCHES:
        page.wait_for_timeout(100)


def _stop(page: Page, name: str) -> None:
    button = _button(page, name)
    button.click()
    button.filter(has_text="Play").wait_for()


def _play(page: Page, name: str) -> float:
    """Batches per second of one trainer while its widget plays."""
    _start(page, name)
    rate = batches_per_second(page, TRAINERS[name], STRETCH_SECONDS)
    _stop(page, name)
    return rate


def _row(rates: NDArray[np.float64]) -> Row:
    single, four = rates.max(axis=0)
    share = four / single
    return Row(
        "each of four runs that play side by side, vs one that plays alone (batches/s)",
        f"{four:,.0f}",
        f"{single:,.0f}",
        f"{share:.0%}",
        f"≥ {LEAST_SHARE:.0%}",
        bool(share >= LEAST_SHARE),
    )

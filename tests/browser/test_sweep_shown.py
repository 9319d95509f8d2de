"""A sweep in JupyterLab: rows that fill while trials train, sorted, opened in the panels, and compared."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from figure import Figure
from harness import (
    SLOW_MS,
    Lab,
    kernel_exec,
    kernel_value,
    next_drawing,
    save,
    set_theme,
    wait_for_value,
)
from looks import assert_fits
from playwright.sync_api import Locator, Page, expect

SETUP = "from rnnbow_widget import corpora, sweep"
ARGUMENTS = "batches=400, record_every=20, hidden_size=10, executor=2"
GRID = "{'cell': ['tanh', 'lstm'], 'learning_rate': [0.1, 0.001, 1e30]}"
HOSTILE = """
import os
import numpy as np
from rnnbow_widget.corpora import Corpus

class Hostile(Corpus):
    def __init__(self):
        super().__init__("hostile", np.arange(600, dtype=np.int32) % 5, tuple("abcde"))
        self.maker = os.getpid()
    def windows(self, *arguments):
        if os.getpid() != self.maker:
            raise ValueError({name!r})
        return super().windows(*arguments)
"""


class Shown:
    """The sweep that a page shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".rnnbow.sweep")

    def row(self, trial: int) -> Locator:
        return self.root.locator(f"tr[data-trial='{trial}']")

    def order(self) -> list[int]:
        found: list[int] = self.root.locator("tbody tr").evaluate_all("rows => rows.map(row => +row.dataset.trial)")
        return found

    def expect_finished(self) -> None:
        expect(self.root).to_have_attribute("data-finished", "true", timeout=SLOW_MS)


@pytest.fixture
def shown(show: Callable[..., Figure], page: Page) -> Callable[..., Shown]:
    """Runs a notebook with a sweep, `s`."""

    def run(arguments: str = ARGUMENTS, grid: str = GRID, data: str = "corpora.c_headers()") -> Shown:
        show(SETUP, f"s = sweep({data}, {grid}, {arguments})\ns")
        found = Shown(page)
        expect(found.root.locator("tbody tr")).not_to_have_count(0)
        return found

    return run


def test_rows_fill_while_trials_train_and_cells_run_meanwhile(shown: Callable[..., Shown]) -> None:
    sweep = shown(ARGUMENTS.replace("batches=400", "batches=30_000"), "{'seed': [0, 1, 2]}")
    expect(sweep.row(0).locator(".trial-status")).to_have_text("training", timeout=SLOW_MS)
    expect(sweep.row(2).locator(".trial-status")).to_have_text("waiting")
    expect(sweep.row(2).locator("button")).to_be_disabled()
    before = sweep.row(0).locator("td[data-label=batches]").inner_text()
    expect(sweep.row(0).locator("td[data-label=batches]")).not_to_have_text(before, timeout=SLOW_MS)
    expect(sweep.row(0).locator(".trend-line")).to_have_attribute("d", re.compile(r"^M.*L"))
    assert kernel_value(sweep.page, "6 * 7") == 42, "the kernel is free"
    sweep.root.locator("button[data-action=cancel]").click()
    sweep.expect_finished()
    expect(sweep.root.locator(".summary")).to_have_text("3 trials: 3 cancelled")
    expect(sweep.root.locator("button[data-action=cancel]")).to_be_hidden()


def test_rows_have_the_numbers_of_their_runs_and_are_sorted_by_them(shown: Callable[..., Shown]) -> None:
    sweep = shown()
    page = sweep.page
    sweep.expect_finished()
    expect(sweep.root.locator(".summary")).to_have_text("6 trials: 4 done, 2 diverged")
    expect(sweep.row(2).locator(".trial-said")).to_contain_text("not finite")
    losses: list[float] = kernel_value(page, "[t.loss for t in s.trials]")
    for trial in (0, 1, 3, 4):
        expect(sweep.row(trial).locator("td[data-label=loss]")).to_have_text(f"{losses[trial]:.3f}")
    by_loss = sorted((0, 1, 3, 4), key=lambda trial: losses[trial])
    sweep.root.locator("[data-sort=loss]").click()
    expect(sweep.root.locator("th:has([data-sort=loss])")).to_have_attribute("aria-sort", "ascending")
    assert sweep.order() == [*by_loss, 2, 5], "diverged trials have no loss, and come last"
    sweep.root.locator("[data-sort=loss]").click()
    expect(sweep.root.locator("th:has([data-sort=loss])")).to_have_attribute("aria-sort", "descending")
    assert sweep.order() == [*by_loss[::-1], 2, 5]
    wait_for_value(page, "[s.sort_by, s.descending]", ["loss", True])


def test_trials_open_in_the_panels_and_side_by_side(shown: Callable[..., Shown]) -> None:
    sweep = shown()
    page = sweep.page
    sweep.expect_finished()
    sweep.row(3).locator("button").click()
    figure = Figure(page, 1)
    figure.expect_batch(380)
    figure.expect_recorded(20)
    expect(sweep.row(3)).to_have_class("shown")
    assert kernel_value(page, "s.opened") == [3]
    figure.click(figure.bar_place(4))
    figure.leave()
    figure.expect_batch(80)
    wait_for_value(page, "s._inner.selected", 80)
    figure.setting("measure").select_option("share")
    wait_for_value(page, "s._inner.measure", "share")
    picture = figure.read()
    assert len(picture.bars) == 20

    for trial in (0, 4):
        sweep.row(trial).locator("input").check()
    sweep.root.locator("button[data-action=compare]").click()
    sides = page.locator(".rnnbow.comparison .side")
    expect(sides).to_have_count(2)
    expect(sides.nth(0)).to_contain_text("(trial 0)")
    expect(sides.nth(1)).to_have_attribute("data-batch", "380")
    save(page)
    page.reload()
    expect(page.locator(".rnnbow.sweep tbody tr")).to_have_count(6, timeout=SLOW_MS)
    expect(page.locator(".rnnbow.comparison .side").nth(1)).to_have_attribute("data-batch", "380")
    sweep.root.locator("button[data-action=close]").click()
    expect(page.locator(".rnnbow.comparison")).to_have_count(0)


def test_a_trial_that_trains_is_followed_in_the_panels(shown: Callable[..., Shown]) -> None:
    sweep = shown(ARGUMENTS.replace("batches=400", "batches=1_000_000"), "{'seed': [0, 1]}")
    expect(sweep.row(1).locator("button")).to_be_enabled(timeout=SLOW_MS)
    sweep.row(1).locator("button").click()
    figure = Figure(sweep.page, 1)
    figure.expect_state("training")
    figure.expect_more_recorded(figure.recorded)
    figure.expect_more_recorded(figure.recorded)
    kernel_exec(sweep.page, "s.cancel()")
    sweep.expect_finished()
    figure.expect_state("paused")
    expect(sweep.page.locator(".rnnbow .file")).to_contain_text("ended: nothing will be added")


def test_everything_can_be_done_by_keys(shown: Callable[..., Shown]) -> None:
    sweep = shown()
    sweep.expect_finished()
    keyboard = sweep.page.keyboard
    sweep.root.locator("[data-sort=loss]").focus()
    keyboard.press("Enter")
    expect(sweep.root.locator("th:has([data-sort=loss])")).to_have_attribute("aria-sort", "ascending")
    order = sweep.order()
    sweep.row(order[0]).locator("input").focus()
    keyboard.press("Space")
    keyboard.press("ArrowDown")
    expect(sweep.row(order[1]).locator("input")).to_be_focused()
    keyboard.press("Space")
    compare = sweep.root.locator("button[data-action=compare]")
    expect(compare).to_be_enabled()
    compare.focus()
    keyboard.press("Enter")
    expect(sweep.page.locator(".rnnbow.comparison .side")).to_have_count(2)
    sweep.row(order[2]).locator("button").focus()
    keyboard.press("ArrowUp")
    expect(sweep.row(order[1]).locator("button")).to_be_focused()
    keyboard.press("Enter")
    Figure(sweep.page, 1).expect_recorded(20)


def test_what_cannot_be_compared_is_refused_in_words(shown: Callable[..., Shown]) -> None:
    sweep = shown(grid="{'seq_length': [10, 20]}")
    sweep.expect_finished()
    for trial in (0, 1):
        sweep.row(trial).locator("input").check()
    sweep.root.locator("button[data-action=compare]").click()
    expect(sweep.root.get_by_role("alert")).to_have_text(
        "Compare takes runs over the same windows; seq_length differs: 10 and 20."
    )


def test_settings_and_messages_are_drawn_as_text(shown: Callable[..., Shown], lab: Lab) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    Path(lab.notebooks, "hostile.py").write_text(HOSTILE.format(name=hostile))
    sweep = shown("batches=50, hidden_size=4, executor=1", "{'seed': [0]}", "__import__('hostile').Hostile()")
    sweep.expect_finished()
    expect(sweep.row(0).locator(".trial-said")).to_contain_text(hostile)
    assert sweep.root.locator("img").count() == 0


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_fits_wide_and_narrow_pages(shown: Callable[..., Shown], theme: str) -> None:
    sweep = shown()
    sweep.expect_finished()
    set_theme(sweep.page, theme)
    expect(sweep.root).to_have_attribute("data-theme", theme.split()[1].lower())
    for width in (1500, 1200, 700):
        sweep.page.set_viewport_size({"width": width, "height": 1700})
        next_drawing(sweep.page)
        assert_fits(sweep.root, width)
    set_theme(sweep.page, "JupyterLab Light")


def test_the_table_explains_itself_and_is_copied_as_python(shown: Callable[..., Shown]) -> None:
    sweep = shown(grid="{'cell': ['tanh', 'lstm']}")
    sweep.expect_finished()
    how = sweep.root.get_by_role("button", name="How to read: Trials")
    how.click()
    expect(sweep.root.locator(".how-to")).to_contain_text("medians of the newest 11")
    expect(sweep.root.locator("svg.pointer")).to_be_visible()
    how.click()
    expect(sweep.root.locator(".how-to")).to_be_hidden()
    sweep.root.locator("[data-action=code]").click()
    line = sweep.root.get_by_role("textbox", name="This widget as Python")
    expect(line).to_have_value(kernel_value(sweep.page, "s.code()"))

"""Runs of which the page, the kernel or a saved notebook does not hold everything: nothing looks empty, all is said."""

import re
from collections.abc import Callable

import pytest
from figure import Figure
from harness import (
    Lab,
    kernel_exec,
    kernel_value,
    notebook_path,
    open_saved,
    save,
    shut_kernel_down,
)
from page_log import PageLog
from playwright.sync_api import Locator, Page, expect

# Details of a batch are larger than what goes along with a frame: the page holds those of the newest only.
SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=12, seq_length=96, horizon=None, record_every=1, seed=3, memory_limit={})
w
"""
# Requests for details lie unanswered until the gate is opened.
GATE = """
asked, answer = [], w._conversation._on_details
def close_gate():
    w._conversation._on_details = asked.append
def open_gate():
    w._conversation._on_details = answer
    while asked:
        answer(asked.pop(0))
close_gate()
"""
LONG = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=4, seq_length=5, horizon=5, record_every=1, seed=3)
w
"""
# The page is told in the end only, by one frame.
UNTOLD = "w._conversation._told_at = float('inf'); w.trainer.train({}); w._conversation._told_at = 0; "
PLACES = """root => [...root.querySelectorAll(".of-batch > section")].map(panel => {
  const { y, height } = panel.getBoundingClientRect();
  return [y, height];
})"""


def note_of(figure: Figure) -> Locator:
    return figure.root.locator(".pending-note")


def extent_of(figure: Figure) -> Locator:
    return figure.root.locator(".extent")


def expect_pending(figure: Figure, words: str) -> None:
    """Panels 2 to 4 keep what they drew, as something that is not meant; a line says what is missing and why."""
    expect(note_of(figure)).to_contain_text(words)
    area = figure.root.locator(".of-batch")
    expect(area).to_have_attribute("aria-busy", "true")
    expect(area).to_have_css("opacity", re.compile(r"0\.2"))
    expect(figure.root).to_have_attribute("data-batch", "")


def expect_settled(figure: Figure, batch: int) -> None:
    figure.expect_batch(batch)
    expect(note_of(figure)).to_be_hidden()
    expect(figure.root.locator(".of-batch")).to_have_attribute("aria-busy", "false")


def test_details_that_the_page_does_not_hold_are_pending_and_then_drawn(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(1e9))
    kernel_exec(figure.page, GATE + UNTOLD.format(40) + "w.step()")
    figure.expect_recorded(41)
    expect_settled(figure, 40)
    places = figure.root.evaluate(PLACES)
    figure.point(figure.bar_place(7))
    expect_pending(figure, "Batch 7: waiting for the kernel…")
    expect(figure.root.locator(".headline")).to_contain_text("Preview of batch 7")
    assert figure.root.evaluate(PLACES) == places, "nothing jumps"
    expect(note_of(figure).get_by_role("button")).to_be_hidden()
    figure.point(figure.bar_place(8))
    figure.point(figure.bar_place(21))
    expect_pending(figure, "Batch 21: waiting for the kernel…")
    kernel_exec(figure.page, "open_gate()")
    expect_settled(figure, 21)
    loss = kernel_value(figure.page, "w.run.at(21).loss[3]")
    figure.steer("predictions", "Home", "ArrowRight", "ArrowRight", "ArrowRight")
    assert float(figure.tooltip_rows()["loss"].split()[0]) == pytest.approx(loss, abs=1e-3)
    figure.leave()
    expect_settled(figure, 40)
    kernel_exec(figure.page, "close_gate()")
    figure.point(figure.bar_place(21))
    expect_settled(figure, 21)  # it is held now
    figure.point(figure.bar_place(3))
    expect_pending(figure, "Batch 3: waiting")
    expect(note_of(figure)).to_contain_text("has not answered for some seconds")
    expect(note_of(figure).get_by_role("button")).to_have_text("Nearest with details: 7")
    kernel_exec(figure.page, "open_gate()")
    expect_settled(figure, 3)


def test_details_come_while_the_network_trains(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(1e9))
    kernel_exec(figure.page, UNTOLD.format(40) + "w.step()")
    figure.button("play").click()
    figure.expect_more_recorded(45)
    kernel_exec(figure.page, "w.select(5)")
    expect_settled(figure, 5)
    figure.expect_state("training")
    figure.button("play").click()
    figure.expect_state("paused")
    figure.button("follow").click()
    expect_settled(figure, kernel_value(figure.page, "w.run[-1].batch"))


def test_what_was_thinned_says_so_and_a_button_goes_to_the_nearest(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(2_000_000))
    expect(extent_of(figure)).to_be_hidden()
    kernel_exec(figure.page, UNTOLD.format(60) + "w.run.recall = None; w.step()")  # nothing is worked out again
    figure.expect_recorded(61)
    every = kernel_value(figure.page, "w.run.thinned_to")
    assert every > 1
    expect(extent_of(figure)).to_have_text(
        f"Memory limit of 2 MB: details of one in {every} recorded batches are kept, and of the newest. "
        "The overview has all."
    )
    thinned = kernel_value(figure.page, "int(w.run.batches[~w.run.detailed][3])")
    figure.click(figure.bar_place(thinned))
    figure.leave()
    expect_pending(figure, f"The details of batch {thinned} were thinned to stay within the memory limit (2 MB).")
    picture = figure.root.locator(".selected-bar")
    expect(picture).to_have_attribute("data-batch", str(thinned))
    figure.resize(720)  # what stays on screen is drawn anew
    plots = [figure.root.locator(f"[data-panel={panel}] svg[tabindex]") for panel in ("overview", "gradients")]
    widths = [plot.evaluate("svg => svg.width.baseVal.value") for plot in plots]
    assert len(set(widths)) == 1, f"panels of different widths: {widths}"
    button = note_of(figure).get_by_role("button")
    nearest = int((button.text_content() or "").split(": ")[1])
    assert kernel_value(figure.page, f"w.run.at({nearest}).batch") == nearest
    button.click()
    expect_settled(figure, nearest)
    assert kernel_value(figure.page, "w.selected") == nearest
    kernel_exec(figure.page, f"w.select({thinned})")
    expect_pending(figure, f"The details of batch {thinned} were thinned")
    figure.steer("overview", "d")
    expect_settled(figure, nearest)
    figure.button("reset").click()
    figure.expect_state("ready")
    expect(extent_of(figure)).to_be_hidden()


def test_a_notebook_saved_with_a_long_run_is_small_and_says_what_it_holds(
    show: Callable[..., Figure], page: Page, lab: Lab
) -> None:
    figure = show(LONG)
    kernel_exec(page, "w.train(16_000)")
    figure.expect_recorded(16_000)
    expect(extent_of(figure)).to_be_hidden()
    figure.button("play").click()
    figure.expect_more_recorded(16_100)
    figure.button("play").click()
    figure.expect_state("paused")
    recorded = kernel_value(page, "len(w.run)")
    figure.expect_recorded(recorded)
    tallest = kernel_value(page, "int(w.run.batches[w.run.column('max_gradient').argmax()])")
    save(page)
    path = notebook_path(page, lab)
    assert path.stat().st_size < 2_000_000
    open_saved(page, lab, path)
    expect(extent_of(figure)).to_have_text(
        re.compile(
            r"No kernel has answered; the notebook holds [\d,]+ of [\d,]+ recorded batches; every peak is among them\."
        ),
    )
    held = figure.recorded
    assert 1_000 < held < recorded
    expect(extent_of(figure)).to_contain_text(f"holds {held:,} of {recorded:,} recorded")
    figure.expect_batch(recorded - 1)
    cues = figure.root.locator(".cues button[data-cue=tallest]")
    expect(cues).to_have_attribute("data-batch", str(tallest))
    figure.root.locator(".cues summary").click()
    cues.click()
    expect(figure.root.locator(".headline")).to_contain_text(f"Batch {tallest:,}")
    figure.steer("overview", "Home", *["ArrowRight"] * 3)
    expect(note_of(figure)).to_contain_text("are not in this notebook, and no kernel has answered")
    note_of(figure).get_by_role("button").click()
    expect(note_of(figure)).to_be_hidden()


def test_a_page_that_is_loaded_while_a_long_run_trains_shows_all_of_it(
    show: Callable[..., Figure], page: Page, lab: Lab
) -> None:
    figure = show(LONG)
    save(page)
    path = notebook_path(page, lab)
    kernel_exec(page, UNTOLD.format(16_000) + "w.step()")
    figure.button("play").click()
    figure.expect_more_recorded(16_010)
    open_saved(page, lab, path, kernel=True)
    figure.expect_more_recorded(16_100)
    expect(extent_of(figure)).to_be_hidden()
    figure.expect_state("training")
    figure.button("play").click()
    figure.expect_state("paused")
    figure.expect_recorded(kernel_value(page, "len(w.run)"))
    kernel_exec(page, "w.select(5001)")
    expect_settled(figure, 5001)


def test_when_its_kernel_ends_while_it_plays_the_figure_stays_and_says_so(
    show: Callable[..., Figure], page: Page, page_log: PageLog
) -> None:
    figure = show(  # records seldom enough for all details to go along
        "from rnnbow_widget import RNNbow, corpora\n"
        "w = RNNbow(corpora.c_headers(), hidden_size=24, horizon=6, record_every=50, seed=3)\n"
        "w"
    )
    figure.button("play").click()
    figure.expect_more_recorded(20)
    shut_kernel_down(page)
    expect(figure.root.locator(".silence")).to_contain_text("has not answered")
    recorded = figure.recorded
    assert recorded > 20
    figure.steer("overview", "Home")
    expect_settled(figure, 0)
    figure.steer("overview", "ArrowRight")
    expect_settled(figure, 50)
    figure.point(figure.read().parts[9, 0])
    assert figure.read().caused == {9}
    figure.leave()
    figure.expect_recorded(recorded)
    # Of traits that cannot be saved, ipywidgets itself tells the console; ours is that nothing throws.
    assert all("Could not send widget sync message" in line for line in page_log.complaints)
    page_log.console.clear()

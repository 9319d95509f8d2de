"""Runs side by side in JupyterLab: live in lockstep, one hover, one selection, one scale or each its own."""

import re
from collections.abc import Callable
from itertools import product

import pytest
from compared import Compared
from figure import Figure, toggle_explanations
from harness import (
    Lab,
    kernel_exec,
    kernel_value,
    next_drawing,
    save,
    set_theme,
    shut_kernel_down,
    wait_for_kernel,
    wait_for_value,
)
from looks import assert_fits
from playwright.sync_api import Page, expect

SOURCE = """
from rnnbow_widget import compare, corpora
w = compare({cells}, data=corpora.c_headers(), hidden_size=12, record_every=5, horizon=6, seed=3)
w.train({batches})
w
"""
# All is trained and thinned before there is a widget: a page that is quick keeps what frames told it meanwhile.
THINNED = """
from rnnbow_widget import Trainer, compare, corpora
settings = dict(hidden_size=12, seq_length=96, record_every=1, horizon=None, seed=3)
trainers = [Trainer(corpora.c_headers(), cell=cell, **settings) for cell in ("tanh", "lstm")]
trainers[1].run.memory_limit = 2_000_000
for trainer in trainers:
    trainer.train(60)
trainers[1].run.recall = None  # nothing is worked out again
w = compare(*trainers)
w
"""
HEIGHTS = """side => Object.fromEntries([...side.querySelectorAll("polygon.part")].map((part) =>
  [`${part.dataset.step} ${part.dataset.lag}`, part.getBoundingClientRect().height]))"""
ROWS = """rows => {
  const tops = [...document.querySelectorAll(".side")].map((side) => side.getBoundingClientRect().y);
  return new Set(tops).size === rows;
}"""
WIDTHS = """side => [...side.querySelectorAll("[data-panel] svg[tabindex]")].map((svg) => svg.width.baseVal.value)"""
FIRST_COLOR = "side => side.style.getPropertyValue('--rnnbow-lag-0')"
PLOTS = """side => [...side.querySelectorAll(".panel svg:not(.icon)")].map((svg) => svg.getBoundingClientRect().y)"""
NO_INK = """() => {
  const { getContext } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.getContext = () => { throw new Error("no ink"); };
  window.giveInk = () => { HTMLCanvasElement.prototype.getContext = getContext; };
}"""
TICKS = """side => [...side.querySelectorAll("[data-panel=gradients] .axis.values .tick text")]
  .map((text) => text.textContent)"""


@pytest.fixture
def compared(show: Callable[..., Figure], page: Page) -> Callable[..., Compared]:
    def run(cells: str = '"tanh", "lstm"', batches: int = 83) -> Compared:
        show(SOURCE.format(cells=cells, batches=batches))
        found = Compared(page)
        expect(found.root).to_be_visible()
        return found

    return run


def test_what_is_pointed_at_in_one_is_highlighted_in_all(compared: Callable[..., Compared]) -> None:
    shown = compared()
    shown.expect_batch(80, 80)
    shown.part(0, 10, 2).hover(force=True)
    next_drawing(shown.page)
    expected = {(12 - lag, lag) for lag in range(6)}
    assert (shown.lit(0), shown.lit(1)) == (expected, expected)
    for side in shown.sides.all():
        expect(side.locator(".tooltip")).to_contain_text("step 10")
        expect(side.locator("[data-panel=horizon] .finding")).to_contain_text("loss at step 12")
    shown.page.mouse.move(5, 5)
    next_drawing(shown.page)
    assert shown.lit(0) == shown.lit(1) == set()


def test_a_batch_is_previewed_and_selected_in_all(compared: Callable[..., Compared]) -> None:
    shown = compared()
    shown.expect_batch(80, 80)
    plot = shown.root.locator("[data-panel=trend] svg[tabindex]")
    shown.page.mouse.move(*shown.place(0.5))
    shown.expect_batch(40, 40)
    expect(shown.root.locator(".headline")).to_contain_text("Batch 40")
    shown.page.mouse.click(*shown.place(0.25))
    shown.page.mouse.move(5, 5)
    shown.expect_batch(20, 20)
    wait_for_value(shown.page, "w.selected", 20)
    plot.focus()
    plot.press("ArrowRight")
    shown.expect_batch(25, 25)
    plot.press("End")
    shown.expect_batch(80, 80)
    plot.press("Escape")
    wait_for_value(shown.page, "w.selected", None)
    kernel_exec(shown.page, "w.select(60)")
    shown.expect_batch(60, 60)
    expect(shown.root.locator(".contrast")).to_have_text(kernel_value(shown.page, "w.sentence(60)"))


def test_panel_3_has_one_scale_or_each_its_own(compared: Callable[..., Compared]) -> None:
    shown = compared()
    shown.expect_batch(80, 80)

    def per_unit(side: int) -> float:
        heights = shown.sides.nth(side).evaluate(HEIGHTS)
        items = kernel_value(shown.page, f"list(w.runs.values())[{side}][-1].surfaces['W_hh']")
        (step, lag) = max(product(range(25), range(6)), key=lambda place: items[place[0]][place[1]])
        return float(heights[f"{step} {lag}"]) / float(items[step][lag])

    assert per_unit(0) == pytest.approx(per_unit(1), rel=1e-3)
    assert shown.sides.nth(0).evaluate(TICKS) == shown.sides.nth(1).evaluate(TICKS)
    shown.root.locator("[data-choice=own]").click()
    wait_for_value(shown.page, "w.scale", "own")
    next_drawing(shown.page)
    assert per_unit(0) != pytest.approx(per_unit(1), rel=0.05)
    kernel_exec(shown.page, "w.scale = 'shared'")
    expect(shown.root.locator("[data-choice=shared]")).to_have_attribute("aria-pressed", "true")
    next_drawing(shown.page)
    assert per_unit(0) == pytest.approx(per_unit(1), rel=1e-3)


@pytest.mark.parametrize("cells", ['"tanh", "lstm", "gru"', '"tanh", "lstm", "gru", "relu"'])
def test_all_play_in_lockstep_and_pause_together(compared: Callable[..., Compared], cells: str) -> None:
    shown = compared(cells, batches=0)
    shown.button("play").click()
    for recorded in (3, 10):
        shown.page.wait_for_function(
            f"[...document.querySelectorAll('.side')].every(s => Number(s.dataset.recorded) > {recorded})"
        )
        assert len(set(shown.shown())) == 1
    shown.button("play").click()
    expect(shown.button("play")).to_have_text("Play")
    wait_for_value(shown.page, "w._conversation.is_training", False)
    assert len(kernel_value(shown.page, "list({t.batch for t in w.trainers.values()})")) == 1
    shown.expect_recorded(kernel_value(shown.page, "len(w.runs['LSTM'])"))
    batch = kernel_value(shown.page, "w.trainers['tanh'].batch")
    expect(shown.root.locator(".together")).to_contain_text(f"batch {batch:,}")
    shown.button("step").click()
    shown.expect_batch(*[batch] * shown.sides.count())
    shown.button("reset").click()
    expect(shown.sides.first.locator(".invitation")).to_be_visible()
    wait_for_value(shown.page, "[t.batch for t in w.trainers.values()][-1]", 0)


def test_a_side_whose_details_are_not_there_keeps_what_it_shows_in_the_room_and_the_colors_of_now(
    show: Callable[..., Figure], page: Page
) -> None:
    show(THINNED)
    shown = Compared(page)
    shown.expect_batch(59, 59)
    thinned = kernel_value(page, "int(w.runs['LSTM'].batches[~w.runs['LSTM'].detailed][3])")
    kernel_exec(page, f"w.select({thinned})")
    first, second = shown.sides.nth(0), shown.sides.nth(1)
    expect(second.locator(".pending-note")).to_contain_text("were thinned")
    expect(first).to_have_attribute("data-batch", str(thinned))
    colors = first.evaluate(FIRST_COLOR)
    try:
        set_theme(page, "JupyterLab Dark")
        page.wait_for_function(f"before => ({FIRST_COLOR})(document.querySelector('.side')) !== before", arg=colors)
        shown.shown()
        assert second.evaluate(FIRST_COLOR) == first.evaluate(FIRST_COLOR)
    finally:
        set_theme(page, "JupyterLab Light")
    before = first.evaluate(WIDTHS)
    page.set_viewport_size({"width": 1000, "height": 1700})
    page.wait_for_function(f"before => ({WIDTHS})(document.querySelector('.side'))[0] !== before", arg=before[0])
    shown.shown()
    assert second.evaluate(WIDTHS) == first.evaluate(WIDTHS)


def test_one_that_diverges_says_so_while_the_others_play_on(compared: Callable[..., Compared]) -> None:
    shown = compared('"tanh", "lstm", "gru"')
    kernel_exec(shown.page, "w.trainers['LSTM'].rnn.parameters.W_hh[:] = float('nan')")
    shown.button("play").click()
    expect(shown.sides.nth(1).locator(".side-trouble")).to_contain_text("Stays at batch 83.")
    before = int(shown.shown()[0])
    shown.page.wait_for_function(f"Number(document.querySelectorAll('.side')[2].dataset.batch) > {before}")
    shown.button("play").click()
    expect(shown.button("play")).to_have_text("Play")
    first, stays, third = shown.shown()
    assert (first, stays) == (third, "83")
    expect(shown.root.locator(".contrast")).to_contain_text("LSTM diverged at batch 83")


def test_a_page_that_is_loaded_again_shows_the_same_and_a_saved_notebook_needs_no_kernel(
    compared: Callable[..., Compared], page: Page, lab: Lab
) -> None:
    shown = compared()
    shown.expect_batch(80, 80)
    shown.page.mouse.click(*shown.place(0.25))
    shown.page.mouse.move(5, 5)
    shown.expect_batch(20, 20)
    save(page)
    page.reload()
    wait_for_kernel(page)
    shown.expect_recorded(17)
    shown.expect_batch(20, 20)
    shown.button("step").click()
    shown.expect_recorded(18)
    save(page)
    sentence = shown.root.locator(".contrast").inner_text()
    lab.end_kernels()
    page.reload()
    shown.expect_recorded(18)
    shown.expect_batch(20, 20)
    expect(shown.root.locator(".contrast")).to_have_text(re.sub(r"\s+", " ", sentence))
    shown.part(1, 10, 2).hover(force=True)
    next_drawing(page)
    assert shown.lit(0) == {(12 - lag, lag) for lag in range(6)}


def test_a_kernel_that_ends_while_all_play_is_told(compared: Callable[..., Compared], lab: Lab, page: Page) -> None:
    shown = compared(batches=0)
    shown.button("play").click()
    page.wait_for_function("Number(document.querySelector('.side').dataset.recorded) > 3")
    shut_kernel_down(page)
    expect(shown.root.locator(".silence")).to_contain_text("not answered")
    assert len(set(shown.shown())) == 1


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_sides_stand_beside_each_other_or_below_and_nothing_sticks_out(
    compared: Callable[..., Compared], page: Page, theme: str
) -> None:
    shown = compared('"tanh", "lstm", "gru"')
    shown.expect_batch(80, 80, 80)
    set_theme(page, theme)
    for width, rows in ((1500, 1), (1150, 2), (800, 3)):
        page.set_viewport_size({"width": width, "height": 1700})
        page.wait_for_function(ROWS, arg=rows)
        next_drawing(page)
        assert_fits(shown.root, width)
        if rows == 1:
            assert shown.sides.nth(0).evaluate(PLOTS) == shown.sides.nth(1).evaluate(PLOTS), "panels are aligned"
            toggle_explanations(shown.sides.nth(0))
            assert shown.sides.nth(0).evaluate(PLOTS) == shown.sides.nth(1).evaluate(PLOTS), "also where one says more"
            toggle_explanations(shown.sides.nth(0))
    set_theme(page, "JupyterLab Light")


def test_a_line_of_python_is_copied_and_a_tour_goes_through_the_sides(compared: Callable[..., Compared]) -> None:
    shown = compared()
    page = shown.page
    shown.button("code").click()
    line = shown.root.get_by_role("textbox", name="This widget as Python")
    expect(line).to_have_value(kernel_value(page, "w.code()"))
    shown.button("tour").click()
    tour = shown.root.get_by_role("dialog")
    expect(tour).to_be_focused()
    expect(tour).to_contain_text("1 of 5")
    expect(tour).to_contain_text("tanh, LSTM")
    page.keyboard.press("ArrowRight")
    expect(tour).to_contain_text(kernel_value(page, "w.sentence()"))
    for place in (3, 4, 5):
        page.keyboard.press("ArrowRight")
        expect(tour).to_contain_text(f"{place} of 5")
        expect(shown.root.locator("svg.pointer")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(tour).to_have_count(0)
    expect(shown.button("tour")).to_be_focused()


def test_a_side_that_could_not_be_drawn_is_drawn_as_soon_as_it_can_be(
    compared: Callable[..., Compared], page: Page
) -> None:
    shown = compared()
    shown.expect_batch(80, 80)
    page.evaluate(NO_INK)
    kernel_exec(page, "w.form = 'heatmap'")
    banner = shown.root.locator(".banner")
    expect(banner).to_have_text("The comparison could not be drawn. no ink")
    page.evaluate("window.giveInk()")
    kernel_exec(page, "w.quantity = 'loss'")
    expect(banner).to_be_hidden()
    for side in shown.sides.all():
        expect(side.locator("canvas.heat")).to_be_visible()


def test_how_sides_differ_is_shown_as_it_is_by_now(compared: Callable[..., Compared]) -> None:
    shown = compared()
    facts = shown.root.locator(".side-facts")
    expect(facts.nth(1)).to_contain_text("cell lstm · ")
    expect(shown.root).not_to_contain_text("Recording intervals differ")
    kernel_exec(shown.page, "w.trainers['LSTM'].learning_rate = 0.02; w.trainers['LSTM'].record_every = 10")
    expect(facts.nth(0)).to_contain_text("cell tanh, learning rate 0.1, record every 5 · ")
    expect(facts.nth(1)).to_contain_text("cell lstm, learning rate 0.02, record every 10 · ")
    expect(shown.root).to_contain_text("Recording intervals differ: of each side the nearest recorded batch is shown.")


def test_runs_that_others_add_to_are_followed(show: Callable[..., Figure], page: Page) -> None:
    show(
        "from rnnbow_widget import Run, Trainer, compare, corpora\n"
        "found = [Trainer(corpora.c_headers(), cell=cell, hidden_size=12, record_every=5, horizon=6).train(83)\n"
        "         for cell in ('tanh', 'lstm')]\n"
        "growing = [Run(run.vocabulary, run.settings, about=run.about) for run in found]\n"
        "w = compare(*growing)\n"
        "w"
    )
    shown = Compared(page)
    together = shown.root.locator(".together")
    expect(together).to_have_text("Finished runs.")
    expect(shown.root.locator(".side")).to_have_count(2)
    kernel_exec(page, "for run, more in zip(growing, found):\n    for one in more:\n        run.append(one)")
    shown.expect_batch(80, 80)
    expect(together).to_have_text("Finished runs.")
    expect(shown.root.locator(".contrast")).to_have_text(kernel_value(page, "w.sentence(80)"))

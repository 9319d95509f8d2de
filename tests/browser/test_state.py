"""What outlives a view: a second view, other pages, a reload, a saved notebook. What nobody sees trains nothing."""

import json
from collections.abc import Callable

import pytest
from figure import Figure, Picture
from harness import (
    TOKEN,
    Lab,
    hide,
    kernel_exec,
    kernel_value,
    notebook_path,
    open_saved,
    run_all,
    save,
    wait_for_kernel,
    wait_for_value,
)
from page_log import PageLog, watched_page
from playwright.sync_api import Browser, Page, expect

SOURCE = """
from time import monotonic
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=24, horizon=6, record_every=5, seed=3)
w
"""


def assert_same_bars(first: Picture, second: Picture) -> None:
    heights = [{place: part.height for place, part in picture.parts.items()} for picture in (first, second)]
    assert heights[0] == pytest.approx(heights[1], abs=0.02)


def assert_all_is_there(figure: Figure, batches: list[int]) -> None:
    """The whole run is drawn, and every hover works."""
    figure.expect_recorded(len(batches))
    figure.expect_batch(batches[-1])
    figure.point(figure.bar_place(2))
    figure.expect_batch(batches[2])
    figure.leave()
    figure.expect_batch(batches[-1])
    before = figure.read()
    figure.point(before.parts[12, 3])
    picture = figure.read()
    assert picture.having("same-loss") == {(15 - lag, lag) for lag in range(6)}
    assert picture.caused == {15}
    assert picture.received.keys() == set(range(10, 16))
    expect(figure.tooltip).to_be_visible()
    figure.leave()
    assert figure.read() == before


def test_a_second_view_shows_the_same_and_is_selected_in_with_the_first(show: Callable[..., Figure]) -> None:
    first = show(SOURCE, "w")
    first.page.set_viewport_size({"width": 1200, "height": 3000})
    second = Figure(first.page, 1)
    kernel_exec(first.page, "w.train(83)")
    for figure in (first, second):
        figure.expect_batch(80)
    assert_same_bars(first.read(), second.read())
    second.click(second.bar_place(3))
    second.leave()
    for figure in (first, second):
        figure.expect_batch(15)
    first.point(first.read().parts[9, 0])
    assert first.read().caused == {9}
    assert not second.read().caused, "pointing concerns one view only"
    first.leave()
    second.button("play").click()
    for figure in (first, second):
        figure.expect_state("training")
        figure.expect_more_recorded(30)
    first.button("play").click()
    for figure in (first, second):
        figure.expect_state("paused")
    # Hosts take views away and make new ones: the other goes on.
    first.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[0].model.sharedModel.setOutputs([])"
    )
    expect(first.page.locator(".rnnbow")).to_have_count(1)
    left = Figure(first.page)
    recorded = left.recorded
    kernel_exec(left.page, "w.train(10)")
    left.expect_recorded(recorded + 2)


def test_two_pages_of_one_kernel_show_the_same_and_both_can_play(
    show: Callable[..., Figure], page: Page, browser: Browser
) -> None:
    first = show(SOURCE)
    kernel_exec(page, "w.train(83)")
    first.expect_batch(80)
    save(page)
    with watched_page(browser, PageLog()) as other_page:
        other_page.goto(f"{page.url}?token={TOKEN}")
        wait_for_kernel(other_page)
        second = Figure(other_page)
        second.expect_batch(80)
        assert_same_bars(first.read(), second.read())
        second.click(second.bar_place(2))
        second.leave()
        first.expect_batch(10)
        first.button("follow").click()
        second.expect_batch(80)
        second.button("play").click()
        for figure in (first, second):
            figure.expect_state("training")
            figure.expect_more_recorded(30)
        first.button("play").click()
        for figure in (first, second):
            figure.expect_state("paused")
            figure.expect_recorded(kernel_value(page, "len(w.run)"))
            figure.expect_batch(kernel_value(page, "w.run[-1].batch"))
        second.button("play").click()
        first.expect_state("training")
    # The page that began it is closed; the other trains on.
    first.expect_more_recorded(first.recorded + 10)


def test_a_page_that_is_loaded_again_shows_the_whole_run_and_goes_on_playing(
    show: Callable[..., Figure], page: Page, lab: Lab
) -> None:
    figure = show(SOURCE)
    save(page)
    path = notebook_path(page, lab)
    kernel_exec(page, "w.train(83); w.select(40)")  # after the save: only the kernel knows
    figure.expect_batch(40)
    before = figure.read()
    open_saved(page, lab, path, kernel=True)
    figure.expect_batch(40)
    after = figure.read()
    assert_same_bars(after, before)
    assert (after.steps.keys(), after.headline) == (before.steps.keys(), before.headline)
    figure.button("follow").click()
    assert_all_is_there(figure, kernel_value(page, "w.run.batches"))
    figure.button("play").click()
    figure.expect_more_recorded(17)
    open_saved(page, lab, path, kernel=True)
    figure.expect_state("training")
    figure.expect_more_recorded(figure.recorded)
    figure.button("play").click()
    figure.expect_state("paused")


def test_a_saved_notebook_shows_the_whole_run_without_its_kernel(
    show: Callable[..., Figure], page: Page, lab: Lab
) -> None:
    figure = show(SOURCE)
    kernel_exec(page, "w.train(40)")
    figure.button("play").click()
    figure.expect_more_recorded(12)
    figure.button("play").click()
    figure.expect_state("paused")
    batches = kernel_value(page, "w.run.batches")
    figure.expect_recorded(len(batches))
    before = figure.read()
    first_sample = figure.root.locator("[data-sample=first]").text_content()
    save(page)
    path = notebook_path(page, lab)
    saved = json.loads(path.read_text())
    assert "application/vnd.jupyter.widget-state+json" in saved["metadata"]["widgets"]
    assert "RNNbow(numpy's C headers" in "".join(saved["cells"][0]["outputs"][0]["data"]["text/plain"])
    open_saved(page, lab, path)
    assert kernel_value(page, "'w' in globals()") is False
    assert_all_is_there(figure, batches)
    assert_same_bars(figure.read(), before)
    expect(figure.root.locator("[data-sample=first]")).to_have_js_property("textContent", first_sample)
    figure.setting("measure").select_option("share")
    expect(figure.root.locator("[data-panel=gradients]")).to_contain_text("signed share")
    figure.button("play").click()
    expect(figure.root.locator(".silence")).to_contain_text("has not answered")
    assert figure.recorded == len(batches)


def test_a_hidden_page_trains_nothing_until_it_is_seen_again(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.button("play").click()
    figure.expect_more_recorded(3)
    hide(figure.page)
    wait_for_value(figure.page, "monotonic() - w._conversation.leases.last > 1.5", True)  # five leases' time
    trained = kernel_value(figure.page, "w.trainer.batch")
    assert kernel_value(figure.page, "w.playing"), "training is still wanted"
    wait_for_value(figure.page, "monotonic() - w._conversation.leases.last > 2", True)
    assert kernel_value(figure.page, "w.trainer.batch") == trained
    recorded = figure.recorded
    hide(figure.page, hidden=False)
    figure.expect_more_recorded(recorded + 3)
    figure.button("play").click()
    figure.expect_state("paused")


def test_what_is_shown_nowhere_any_more_trains_nothing(show: Callable[..., Figure], page: Page) -> None:
    figure = show(f"{SOURCE.strip()[:-2]}\nw.play()\nw")
    figure.expect_more_recorded(3)
    kernel_exec(page, "first = w")
    run_all(page)  # the cell makes a new widget; nothing shows the one before
    figure.expect_more_recorded(3)
    assert kernel_value(page, "first is not w")
    wait_for_value(page, "monotonic() - first._conversation.leases.last > 1.5", True)  # five leases' time
    assert kernel_value(page, "[first.playing, w.playing]") == [True, True]
    assert kernel_value(page, "monotonic() - w._conversation.leases.last < 1.5"), "what is shown trains on"
    figure.expect_more_recorded(figure.recorded)
    trained = kernel_value(page, "first.trainer.batch")
    cell = "window.jupyterapp.shell.currentWidget.content.widgets[0]"
    page.evaluate(f"() => {cell}.model.sharedModel.setSource('first')")
    run_all(page)
    figure.expect_state("training")
    wait_for_value(page, f"first.trainer.batch > {trained}", True)

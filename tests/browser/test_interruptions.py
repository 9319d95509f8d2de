"""What interrupts kernel and page, and what holds in the end: nothing is lost or there twice, and all views agree."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from figure import Figure
from harness import SLOW_MS, Lab, kernel_exec, kernel_value, open_notebook, run_all
from page_log import PageLog, watched_page
from playwright.sync_api import Browser, Page, expect

SOURCE = """
import os
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=24, horizon=6, record_every=5, seed=3)
w
"""
# Every socket of the page loses, doubles and holds back some of the widget's frames. What is held back arrives after
# the frame that follows it. Counts what it did, so that a test that troubled nothing fails.
TROUBLED_SOCKETS = """
window.troubled = { lost: 0, doubled: 0, late: 0 };
window.trouble = false;
const read = new TextDecoder("latin1");
let frames = 0;
window.WebSocket = class extends WebSocket {
  set onmessage(listener) {
    let held = null;
    super.onmessage = (event) => {
      const text = typeof event.data === "string" ? event.data : read.decode(event.data.slice(0, 65536));
      const isFrame = window.trouble && /"kind": ?"frame"/.test(text);
      if (isFrame) {
        frames += 1;
        if (frames % 7 === 3) { window.troubled.lost += 1; return; }
        if (frames % 7 === 5) { window.troubled.doubled += 1; listener.call(this, event); }
        if (frames % 7 === 0 && !held) { window.troubled.late += 1; held = event; return; }
      }
      listener.call(this, event);
      if (held) { const late = held; held = null; listener.call(this, late); }
    };
  }
};
"""
# A file's time says when the kernel has last trained, to who cannot ask the page.
NOTED = """{source}
from pathlib import Path
train = w.trainer.train
def noted(batches):
    Path({sign!r}).touch()
    return train(batches)
w.trainer.train = noted
w
"""
NARROW = """
from ipywidgets import HBox, Layout
HBox([w], layout=Layout(width="430px"))
"""


def expect_the_whole_run(figure: Figure) -> None:
    """The figure draws every recorded batch once, at its height, and the newest in the panels."""
    page = figure.page
    batches = kernel_value(page, "w.run.batches")
    assert batches == list(range(0, 5 * len(batches), 5)), "nothing was trained twice or left out"
    figure.expect_recorded(len(batches))
    figure.expect_batch(batches[-1])
    assert figure.status("batch").text_content() == f"{kernel_value(page, 'w.trainer.batch'):,}"
    picture = figure.read()
    tallest = picture.axes["gradients"].zero - min(
        mark.y for mark in [*picture.parts.values(), *picture.beyond.values()]
    )
    assert tallest / picture.axes["gradients"].unit == pytest.approx(
        kernel_value(page, "w.run[-1].max_gradient()"), rel=0.02
    )


def pause(figure: Figure) -> None:
    figure.button("play").click()
    figure.expect_state("paused")


def test_frames_that_are_lost_doubled_or_late_leave_a_whole_run(browser: Browser, lab: Lab) -> None:
    with watched_page(browser, PageLog()) as page:
        page.add_init_script(TROUBLED_SOCKETS)
        lab.write("lost.ipynb", SOURCE)
        open_notebook(page, lab, "lost.ipynb")
        run_all(page)
        figure = Figure(page)
        page.evaluate("() => { window.trouble = true }")
        figure.button("play").click()
        page.wait_for_function("() => Object.values(window.troubled).every((count) => count >= 3)", timeout=SLOW_MS)
        page.evaluate("() => { window.trouble = false }")
        figure.expect_more_recorded(figure.recorded)
        pause(figure)
        expect_the_whole_run(figure)
        lab.end_kernels()


def test_a_kernel_that_stands_still_for_a_while_goes_on_where_it_was(show: Callable[..., Figure]) -> None:
    """As a suspended laptop, or a machine with something better to do, looks from the page."""
    figure = show(SOURCE)
    process = kernel_value(figure.page, "os.getpid()")
    figure.button("play").click()
    figure.expect_more_recorded(5)
    silence = figure.root.locator(".silence")
    os.kill(process, signal.SIGSTOP)
    try:
        expect(silence).to_contain_text("has not answered")
        recorded = figure.recorded
        figure.leave()
        figure.expect_recorded(recorded)
    finally:
        os.kill(process, signal.SIGCONT)
    expect(silence).to_be_hidden()
    figure.expect_state("training")
    figure.expect_more_recorded(recorded + 5)
    pause(figure)
    expect_the_whole_run(figure)


def test_a_page_that_stands_still_for_a_while_trains_nothing_and_goes_on(
    show: Callable[..., Figure], page: Page, lab: Lab
) -> None:
    sign = lab.root / "trained"
    figure = show(NOTED.format(source=SOURCE.strip()[:-2], sign=str(sign)))
    figure.button("play").click()
    figure.expect_more_recorded(5)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Debugger.enable")
    devtools.send("Debugger.pause")
    try:
        deadline = time.monotonic() + 30
        while time.time() - sign.stat().st_mtime < 1.5:  # five leases' time
            assert time.monotonic() < deadline, "a page that stands still goes on training"
            time.sleep(0.05)
    finally:
        devtools.send("Debugger.resume")
        devtools.send("Debugger.disable")
    figure.expect_more_recorded(figure.recorded + 5)
    pause(figure)
    expect_the_whole_run(figure)


def test_a_slow_page_falls_behind_in_nothing(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 8})
    try:
        figure.button("play").click()
        figure.expect_more_recorded(100)
        pause(figure)
        expect_the_whole_run(figure)
    finally:
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})


def test_a_view_that_is_opened_in_the_middle_of_training_shows_the_whole_run(show: Callable[..., Figure]) -> None:
    first = show(SOURCE)
    first.page.set_viewport_size({"width": 1200, "height": 3000})
    first.button("play").click()
    first.expect_more_recorded(20)
    first.page.evaluate(
        """() => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          notebook.model.sharedModel.insertCell(1, { cell_type: "code", source: "w" });
        }"""
    )
    run_second = (
        "async () => { const { commands } = window.jupyterapp; await commands.execute('notebook:run-all-below') }"
    )
    first.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1 }")
    first.page.evaluate(run_second)
    second = Figure(first.page, 1)
    second.expect_more_recorded(first.recorded)
    second.expect_state("training")
    pause(second)
    for figure in (first, second):
        expect_the_whole_run(figure)


def test_views_of_different_sizes_show_the_same_numbers(show: Callable[..., Figure]) -> None:
    wide = show(SOURCE, NARROW)
    wide.page.set_viewport_size({"width": 1200, "height": 3000})
    narrow = Figure(wide.page, 1)
    kernel_exec(wide.page, "w.train(400)")
    for figure in (wide, narrow):
        expect_the_whole_run(figure)
    pictures = [figure.read() for figure in (wide, narrow)]
    assert pictures[0].steps[24].cell.width > 2 * pictures[1].steps[24].cell.width
    assert [step.target for step in pictures[0].steps.values()] == [step.target for step in pictures[1].steps.values()]
    heights = [{place: part.height for place, part in picture.parts.items()} for picture in pictures]
    assert heights[0] == pytest.approx(heights[1], abs=0.02)
    narrow.click(narrow.bar_place(3))
    narrow.leave()
    for figure in (wide, narrow):
        figure.expect_batch(15)
    wide.point(wide.read().parts[9, 2])
    assert wide.read().caused == {11}
    assert not narrow.read().caused, "pointing concerns one view only"

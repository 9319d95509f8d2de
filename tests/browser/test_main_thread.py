"""Kernels that answer pages on their main thread only, as ipykernel 6 does: comms over subshells are off."""

from collections.abc import Callable, Iterator

import pytest
from figure import Figure
from harness import Lab, begin_cell, kernel_exec, kernel_value, wait_for_value
from playwright.sync_api import Page, expect

SOURCE = """
import threading
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=24, horizon=6, record_every=5, seed=3)
threads, train = set(), w.trainer.train
def watched(batches):
    threads.add(threading.current_thread() is threading.main_thread())
    return train(batches)
w.trainer.train = watched
w
"""
# The cell says when it has begun, by a file, and goes on when that file is gone.
BUSY = "from pathlib import Path\nfrom time import sleep\nPath({0!r}).touch()\nwhile Path({0!r}).exists(): sleep(0.01)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    kernels = {"@jupyterlab/apputils-extension:kernels-settings": {"commsOverSubshells": "disabled"}}
    with Lab(tmp_path_factory.mktemp("main-thread"), settings=kernels) as lab:
        yield lab


def test_buttons_and_cells_take_turns_on_the_main_thread(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    for _ in range(2):
        figure.button("play").click()
        figure.expect_more_recorded(figure.recorded + 10)
        assert kernel_exec(figure.page, "print(6 * 7)") == "42\n"
        figure.expect_more_recorded(figure.recorded + 10)
        figure.button("play").click()
        figure.expect_state("paused")
        figure.expect_recorded(kernel_value(figure.page, "len(w.run)"))
    figure.button("step").click()
    wait_for_value(figure.page, "w.trainer.batch - w.run[-1].batch", 1)
    kernel_exec(figure.page, "w.play()")
    figure.expect_more_recorded(figure.recorded + 5)
    kernel_exec(figure.page, "w.train(50); w.pause()")
    figure.expect_state("paused")
    figure.expect_recorded(kernel_value(figure.page, "len(w.run)"))
    assert kernel_value(figure.page, "list(threads)") == [True], "all of it trained on the main thread"
    figure.button("reset").click()
    figure.expect_state("ready")


def test_a_long_cell_is_said_to_keep_the_kernel_busy_and_training_goes_on_after_it(
    show: Callable[..., Figure], page: Page, lab: Lab
) -> None:
    figure = show(SOURCE)
    figure.button("play").click()
    figure.expect_more_recorded(5)
    flag = lab.root / "busy"
    begin_cell(page, BUSY.format(str(flag)))
    silence = figure.root.locator(".silence")
    expect(silence).to_have_text(
        "The kernel has not answered for some seconds. It may be busy with a cell, or not running."
    )
    recorded = figure.recorded
    flag.unlink()
    expect(silence).to_be_hidden()
    figure.expect_more_recorded(recorded + 10)
    figure.expect_state("training")
    figure.button("play").click()
    figure.expect_state("paused")
    batches = kernel_value(page, "w.run.batches")
    assert batches == list(range(0, 5 * len(batches), 5)), "nothing was trained twice or left out"
    figure.expect_recorded(len(batches))

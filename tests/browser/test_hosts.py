"""Other hosts than JupyterLab: in each the widget is drawn from the same numbers, answers a click, and trains."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from figure import Figure
from harness import SLOW_MS, notebook, run_all, wait_for_kernel
from hosts import NotebookServer, running_marimo, running_voila
from page_log import PageLog, logged_page
from playwright.sync_api import Browser, Page, expect
from servers import own_environment
from using import SOURCE, use

FURTHER = "widget.train(200)\nwidget"
COMPARISON = """
from rnnbow_widget import compare
both = compare("tanh", "lstm", data="hello world, how are you? " * 60, hidden_size=8, record_every=10, seed=0)
both.train(41)
both
"""
ATTEMPT = """
import numpy as np
from rnnbow_widget import RNN, RNNbow, bptt
rnn = RNN(8, 20, seed=3, dtype="float64")
x = np.arange(26) % 8
gradient = bptt(rnn, rnn.forward(x[:-1], x[1:])).parameters["W_hh"]
attempt = RNNbow.from_arrays(rnn, x[:-1], x[1:], gradients={"dWhh": gradient.T})
attempt
"""
SWEEP = """
from rnnbow_widget import sweep
found = sweep("hello world, how are you? " * 60, {"cell": ["tanh", "lstm"]}, batches=60, hidden_size=8, record_every=10)
found
"""


@contextmanager
def page_of_a_host(browser: Browser) -> Iterator[Page]:
    """Give a page in which nothing of ours must go wrong; what the host itself complains of or asks for is its own."""
    log = PageLog()
    with logged_page(browser, log) as page:
        yield page
    ours = [line for line in log.complaints if "blob:" in line or "rnnbow" in line]  # widgets are loaded from blobs
    assert not ours, ours


def test_notebook_7(browser: Browser, tmp_path: Path) -> None:
    with NotebookServer(tmp_path) as server, page_of_a_host(browser) as page:
        server.write("page.ipynb", SOURCE)
        page.goto(server.address("page.ipynb"))
        wait_for_kernel(page)
        run_all(page)
        use(Figure(page))


def test_voila(browser: Browser, tmp_path: Path) -> None:
    with running_voila(tmp_path, SOURCE) as address, page_of_a_host(browser) as page:
        page.goto(address)
        use(Figure(page))


def test_a_marimo_app(browser: Browser, tmp_path: Path) -> None:
    with running_marimo(tmp_path, "run", SOURCE, theme="dark") as address, page_of_a_host(browser) as page:
        page.goto(address)
        figure = Figure(page)
        use(figure)
        expect(figure.root).to_have_attribute("data-theme", "dark")  # marimo's, where the system's is light


def test_a_marimo_notebook_shows_all_that_was_trained_when_it_is_loaded_again(browser: Browser, tmp_path: Path) -> None:
    with running_marimo(tmp_path, "edit", SOURCE, theme="light") as address, page_of_a_host(browser) as page:
        page.goto(address)
        figure = Figure(page)
        use(figure)
        recorded = figure.recorded
        page.reload()
        figure.expect_recorded(recorded)
        figure.expect_state("paused")


def assert_all_are_shown(page: Page) -> None:
    """A comparison, an attempt that differs, and a sweep whose trials are done."""
    compared, attempt = (page.locator(".rnnbow.comparison").nth(place) for place in (0, 1))
    for side in (0, 1):
        expect(compared.locator(".side").nth(side)).to_have_attribute("data-batch", "40", timeout=SLOW_MS)
    expect(attempt.locator("p.contrast")).to_contain_text("First differs at batch 0", timeout=SLOW_MS)
    sweep = page.locator(".rnnbow.sweep")
    expect(sweep).to_have_attribute("data-finished", "true", timeout=SLOW_MS)
    expect(sweep.locator("tbody tr")).to_have_count(2)


@pytest.mark.parametrize("mode", ["run", "edit"])
def test_comparisons_attempts_and_sweeps_in_marimo(browser: Browser, tmp_path: Path, mode: str) -> None:
    cells = (COMPARISON, ATTEMPT, SWEEP)
    with running_marimo(tmp_path, mode, *cells, theme="light") as address, page_of_a_host(browser) as page:
        page.goto(address)
        assert_all_are_shown(page)
        page.locator(".rnnbow.sweep tr[data-trial='1'] button").click()
        opened = page.locator(".rnnbow:not(.comparison, .sweep)")
        expect(opened).to_have_attribute("data-recorded", "6", timeout=SLOW_MS)
        page.reload()
        assert_all_are_shown(page)
        compared = page.locator(".rnnbow.comparison").first
        compared.locator(".toolbar [data-action=play]").click()
        expect(compared.locator(".side").first).not_to_have_attribute("data-recorded", "5", timeout=SLOW_MS)
        compared.locator(".toolbar [data-action=play]").click()
        expect(compared.locator(".banner")).to_be_hidden()


def exported(folder: Path, **environment: str) -> Path:
    """Run a notebook and write it as HTML."""
    (folder / "page.ipynb").write_text(json.dumps(notebook(SOURCE, FURTHER)), encoding="utf-8")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", "page.ipynb"]
    subprocess.run(command, cwd=folder, env=own_environment(folder) | environment, check=True, capture_output=True)
    return folder / "page.html"


def open_without_network(page: Page, path: Path) -> None:
    page.context.set_offline(True)
    page.goto(path.as_uri())


def test_exported_html_holds_the_run_for_the_scripts_that_it_takes_from_the_network(
    browser: Browser, tmp_path: Path
) -> None:
    path = exported(tmp_path)
    with page_of_a_host(browser) as page:
        open_without_network(page, path)
        expect(page.locator(".jp-CodeCell")).to_have_count(2)
        saved = page.locator("script[type='application/vnd.jupyter.widget-state+json']").text_content()
        states = [model["state"] for model in json.loads(saved or "")["state"].values()]
        (state,) = [state for state in states if "_run" in state]
        assert state["_run"]["recorded"] == 13
        assert state["_esm"]
        expect(Figure(page).root).to_have_count(0)  # nothing draws it


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HTML of a notebook that was run as a grader runs it, without a browser."""
    return exported(tmp_path_factory.mktemp("graded"), NBGRADER_EXECUTION="autograde")


def test_html_of_a_graded_notebook_has_still_pictures_that_need_no_network(browser: Browser, graded: Path) -> None:
    with page_of_a_host(browser) as page:
        open_without_network(page, graded)
        pictures = page.locator(".jp-OutputArea img")
        expect(pictures).to_have_count(2)
        for picture in pictures.all():
            expect(picture).to_be_visible()
            assert picture.evaluate("image => image.naturalWidth") > 800
        before, after = (picture.get_attribute("src") for picture in pictures.all())
        assert before != after  # it was trained between them


def test_a_graded_notebook_is_printed_as_pdf_with_its_still_pictures(browser: Browser, graded: Path) -> None:
    with page_of_a_host(browser) as page:
        open_without_network(page, graded)
        widths = page.locator(".jp-OutputArea img").evaluate_all("images => images.map((one) => one.naturalWidth)")
        printed = page.pdf(print_background=True)
    assert printed.startswith(b"%PDF")
    drawn = [int(width) for width in re.findall(rb"/Subtype /Image\s*/Width (\d+)", printed)]
    assert [width for width in drawn if width in widths] == widths

"""The notebook on PyTorch as a person meets it: a loop watched live, its file reopened, a page to share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from expected import visible
from figure import Figure, drawn_number
from harness import REPOSITORY, Lab, kernel_value, open_notebook, run_all
from page_log import PageLog, watched_page
from playwright.sync_api import Browser, Page, expect

NOTEBOOK = REPOSITORY / "notebooks" / "07_pytorch.ipynb"
RECORDED, NEWEST = 60, 1180
LOOP_MS = 180_000
# What the first widget drew while the notebook ran: [bars, batch, state, widgets on the page].
NOTE_WHAT_IS_DRAWN = """() => {
  window.drawn = [];
  new MutationObserver(() => {
    const roots = document.querySelectorAll(".rnnbow");
    if (!roots[0]?.dataset.recorded) return;
    const state = roots[0].querySelector("[data-status=state]")?.textContent;
    window.drawn.push([Number(roots[0].dataset.recorded), Number(roots[0].dataset.batch), state, roots.length]);
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-recorded", "data-batch"] });
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab, page_log: PageLog) -> Iterator[Page]:
    """The notebook, every cell of which has run."""
    shutil.copy(NOTEBOOK, lab.notebooks)
    with watched_page(browser, page_log) as page:
        page.set_viewport_size({"width": 1200, "height": 9000})  # JupyterLab draws only cells that are in view
        open_notebook(page, lab, NOTEBOOK.name)
        page.evaluate(NOTE_WHAT_IS_DRAWN)
        run_all(page)
        yield page
    lab.end_kernels()


@pytest.fixture
def watched(page: Page) -> Figure:
    """The widget of the watched loop, which has ended."""
    figure = Figure(page, 0)
    expect(figure.root).to_have_attribute("data-recorded", str(RECORDED), timeout=LOOP_MS)
    figure.expect_state("paused")
    return figure


def test_the_panels_follow_the_loop_while_it_runs(page: Page, watched: Figure) -> None:
    seen = [tuple(entry) for entry in page.evaluate("window.drawn")]
    during = [entry for entry in seen if entry[2] == "training" and entry[3] == 1]  # no cell after the loop has run
    counts = [recorded for recorded, *_ in during]
    assert counts == sorted(counts)
    assert len(set(counts) - {RECORDED}) >= 5, seen
    batches = [batch for _, batch, *_ in during]
    assert batches == sorted(batches)
    assert len(set(batches) - {NEWEST}) >= 5, seen
    watched.expect_batch(NEWEST)
    assert kernel_value(page, "watching.trouble") == ""
    expect(page.locator('[data-mime-type="application/vnd.jupyter.error"]')).to_have_count(0)
    expect(page.locator('[data-mime-type="application/vnd.jupyter.stderr"]')).to_have_count(0)


def test_what_is_drawn_are_the_loops_numbers(page: Page, watched: Figure) -> None:
    told = kernel_value(
        page,
        "(lambda one: {'items': one.surfaces['W_hh_l1'], 'targets': one.targets, 'found': one.predictions})"
        "(watching.run[-1])",
    )
    picture, items = watched.read(), np.array(told["items"])
    unit = picture.axes["gradients"].unit
    assert len(picture.steps) == len(items) == 32
    # Late lags share a part: whole bars are compared.
    heights = [sum(part.height for (step, _), part in picture.parts.items() if step == j) for j in range(32)]
    np.testing.assert_allclose(heights, items.sum(axis=1) * unit, atol=2.0, rtol=1e-3)
    assert [step.target for step in picture.steps.values()] == list(map(visible, told["targets"]))
    assert [step.prediction for step in picture.steps.values()] == list(map(visible, told["found"]))
    expect(watched.root.locator("[data-panel=layers]")).to_be_visible()


def test_what_watching_costs_is_said(page: Page, watched: Figure) -> None:
    share = 100 * float(kernel_value(page, "watching.run.overhead"))
    said = watched.root.locator(".extent").inner_text()
    assert said.startswith("Recording takes ")
    assert drawn_number(said.removeprefix("Recording takes ").split()[0]) == pytest.approx(share, rel=0.01)
    assert "Saved to lstm.rnnbow." in watched.root.locator(".file").inner_text()


def test_the_file_is_shown_again(page: Page, watched: Figure) -> None:
    reopened = Figure(page, 1)
    reopened.expect_recorded(RECORDED)
    reopened.expect_batch(NEWEST)
    expect(reopened.root.locator(".file")).to_contain_text("Follows lstm.rnnbow: paused")
    pictures = []
    for figure in (watched, reopened):  # there is one mouse
        figure.point(figure.bar_place(3))
        figure.expect_batch(60)
        pictures.append(figure.read())
        figure.leave()
        figure.expect_batch(NEWEST)
    first, second = pictures
    assert [first.steps[j].prediction for j in range(32)] == [second.steps[j].prediction for j in range(32)]
    for place, part in first.parts.items():
        assert second.parts[place].height == pytest.approx(part.height, abs=0.1)


def test_the_page_opens_from_disk_and_responds(page: Page, watched: Figure, browser: Browser, tmp_path: Path) -> None:
    expect(page.locator(".rnnbow")).to_have_count(2)
    written = Path(str(kernel_value(page, "str(page)")))
    log = PageLog()
    with watched_page(browser, log, offline=True) as alone:
        alone.goto(written.as_uri())
        figure = Figure(alone)
        expect(alone).to_have_title("An LSTM reads C headers")
        figure.expect_recorded(RECORDED)
        figure.expect_batch(NEWEST)
        figure.click(figure.bar_place(5))
        figure.leave()
        figure.expect_batch(100)
        figure.steer("overview", "ArrowRight")
        figure.expect_batch(120)
        figure.point(figure.read().steps[20].cell)
        assert figure.read().caused == {20}
        expect(figure.tooltip).to_be_visible()
        figure.setting("measure").select_option("share")
        expect(figure.root.locator("[data-panel=gradients]")).to_contain_text("signed share")
    assert log.asked == {written.as_uri()}

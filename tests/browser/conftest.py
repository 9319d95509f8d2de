"""Fixtures of the browser tests: one JupyterLab and one Chromium for all of them, a page for each file."""

import os
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from chromium import MISSING, find_chromium
from figure import Figure
from harness import ANSWER_MS, Lab, close_notebooks, open_notebook, run_all, set_theme
from page_log import VIEWPORT, PageLog, running_chromium, watched_page
from playwright.sync_api import Browser, Page, expect

HERE = Path(__file__).parent
FAILURES = HERE / "failures"
WITHOUT_BROWSER = "RNNBOW_WITHOUT_BROWSER"
FAILED = pytest.StashKey[bool]()

# Most of what is waited for has a kernel behind it, and a machine that may have other work.
expect.set_options(timeout=ANSWER_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as a browser test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, for its page's picture."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab server that all tests share; each writes notebooks of its own into it."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium that all tests share; without one they fail, unless RNNBOW_WITHOUT_BROWSER is set."""
    if os.environ.get(WITHOUT_BROWSER):
        pytest.skip(f"{WITHOUT_BROWSER} is set")
    if find_chromium() is None:
        pytest.fail(f"{MISSING} To go without browser tests, set {WITHOUT_BROWSER}=1.", pytrace=False)
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page_log() -> PageLog:
    """What the page said and did: console, errors, dialogs, and requests to other machines."""
    return PageLog()


@pytest.fixture(scope="module")
def module_page(browser: Browser, page_log: PageLog) -> Iterator[Page]:
    """One page for the tests of a file: JupyterLab takes longer to load than most tests to run."""
    with watched_page(browser, page_log) as page:
        yield page


@pytest.fixture
def page(module_page: Page, lab: Lab, page_log: PageLog, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in which nothing is open, and nothing must go wrong; if the test fails, a picture of it is kept."""
    module_page.set_viewport_size(VIEWPORT)
    loaded_before = module_page.url.startswith(lab.url)
    loads: list[Page] = []

    def note(page: Page) -> None:
        loads.append(page)

    module_page.on("domcontentloaded", note)
    yield module_page
    module_page.remove_listener("domcontentloaded", note)
    failed = request.node.stash.get(FAILED, False)
    if failed:
        name = re.sub(r"[^\w.-]+", "-", request.node.name)
        module_page.screenshot(path=FAILURES / f"{name}.png")
    if failed or len(loads) > (not loaded_before):  # else JupyterLab may still be restoring what was open
        module_page.goto("about:blank")
    close_notebooks(module_page)
    lab.end_kernels()
    complaints = page_log.complaints
    page_log.clear()
    assert not complaints


@pytest.fixture
def show(lab: Lab, page: Page, request: pytest.FixtureRequest) -> Callable[..., Figure]:
    """Open a new notebook with cells of these sources, run them, and return the first figure that they show."""

    def run(*sources: str) -> Figure:
        name = f"{re.sub(r'[^a-z0-9]+', '-', request.node.name.lower())}.ipynb"
        lab.write(name, *sources)
        open_notebook(page, lab, name)
        if page.locator("body").get_attribute("data-jp-theme-light") == "false":  # a test before this one failed
            set_theme(page, "JupyterLab Light")
        run_all(page)
        return Figure(page)

    return run

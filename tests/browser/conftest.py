"""Fixtures of the browser tests: one JupyterLab and one Chromium for all of them, a new page for each."""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from chromium import MISSING, find_chromium
from harness import Lab, PageLog
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
FAILURES = HERE / "failures"
WITHOUT_BROWSER = "RNNBOW_WITHOUT_BROWSER"
# As root in a container, on a machine whose network may be closed: no sandbox, no GPU, no small talk with other hosts.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
FAILED = pytest.StashKey[bool]()


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
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium that all tests share; without one they fail, unless RNNBOW_WITHOUT_BROWSER is set."""
    if os.environ.get(WITHOUT_BROWSER):
        pytest.skip(f"{WITHOUT_BROWSER} is set")
    chromium = find_chromium()
    if chromium is None:
        pytest.fail(f"{MISSING} To go without browser tests, set {WITHOUT_BROWSER}=1.", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page_log() -> PageLog:
    """What the test's page said and did: console, errors, and requests to other machines."""
    return PageLog()


@pytest.fixture
def page(browser: Browser, page_log: PageLog, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A new page that shares nothing with other tests; if the test fails, a picture of it is kept."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page_log.watch(page)
    yield page
    if request.node.stash.get(FAILED, False):
        name = re.sub(r"[^\w.-]+", "-", request.node.name)
        page.screenshot(path=FAILURES / f"{name}.png")
    context.close()

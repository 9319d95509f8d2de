"""JupyterLite: the site is files, Python runs in the page, and the widget does there what it does elsewhere."""

from collections.abc import Iterator

import pytest
from assignments import names
from figure import Figure
from harness import kernel_exec, kernel_value, run_all
from lite import LOADING_MS, open_in_site, open_site, served, write
from lite_site import LESSONS, make_site
from page_log import PageLog, logged_page
from playwright.sync_api import Browser, Page
from using import SOURCE, use

TEXT = "Now they had to cut and polish what was left of it, and it took them the rest of the summer. " * 20
"""Not numpy's headers: those of its version in the page are others than those here."""
WITHOUT_THREADS = """
import threading
try:
    threading.Thread(target=print).start()
except RuntimeError as error:
    print(error)
"""
SAVING = """
from rnnbow_widget import Run, Trainer
path = "/tmp/run.rnnbow"
Trainer("hello world, " * 40, hidden_size=8, record_every=2, save=path, seed=0).train(9)
print(len(Run.open(path)))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site that is made anew."""
    folder = tmp_path_factory.mktemp("site") / "site"
    make_site(folder)
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def log() -> PageLog:
    """What the page says, and what it asks of other machines."""
    return PageLog()


@pytest.fixture(scope="module")
def lite(browser: Browser, site: str, log: PageLog) -> Iterator[Page]:
    """A page of the site: it loads once for all tests."""
    with logged_page(browser, log) as page:
        page.set_default_timeout(LOADING_MS)
        open_site(page, site)
        yield page


def test_the_site_has_the_lessons_and_assignments_of_students(lite: Page) -> None:
    found = lite.evaluate(
        """async (folders) => {
          const { contents } = window.jupyterapp.serviceManager;
          const listed = await Promise.all(folders.map((folder) => contents.get(folder, { content: true })));
          return listed.flatMap(({ content }) => content.map(({ path }) => path));
        }""",
        ["", *(f"assignments/{name}" for name in names())],
    )
    assert {f"{name}.ipynb" for name in LESSONS} <= set(found)
    assert {f"assignments/{name}/{name}.ipynb" for name in names()} <= set(found)
    given = lite.evaluate(
        """async (path) => {
          const { contents } = window.jupyterapp.serviceManager;
          return JSON.stringify((await contents.get(path, { content: true })).content);
        }""",
        f"assignments/{names()[0]}/{names()[0]}.ipynb",
    )
    assert "YOUR CODE HERE" in given
    assert "BEGIN SOLUTION" not in given
    assert "HIDDEN TESTS" not in given


@pytest.fixture(scope="module")
def trained(lite: Page) -> Page:
    """The page with a notebook that has trained a widget."""
    write(lite, "page.ipynb", SOURCE.replace("corpora.c_headers()", repr(TEXT)))
    open_in_site(lite, "page.ipynb")
    run_all(lite)
    return lite


def test_the_widget_trains_in_the_page_and_asks_nothing_of_other_machines(trained: Page, log: PageLog) -> None:
    use(Figure(trained), TEXT)
    assert not log.outside, log.outside
    said = [line for line in log.console if not line.startswith("log: Load")]  # which packages Pyodide loads
    ours = [line for line in [*said, *log.errors] if "blob:" in line or "rnnbow" in line]
    assert not ours, ours


def test_the_kernel_is_the_page_and_has_no_threads(trained: Page) -> None:
    assert kernel_value(trained, "__import__('sys').platform") == "emscripten"
    assert "can't start new thread" in kernel_exec(trained, WITHOUT_THREADS)


def test_a_run_is_written_to_a_file_in_the_pages_memory(trained: Page) -> None:
    assert kernel_exec(trained, SAVING) == "5\n"

"""JupyterLab in Chromium, by the harness of the browser tests."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, ViewportSize

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path += [str(REPOSITORY / "tests" / "browser"), str(REPOSITORY / "scripts")]

from harness import Lab, kernel_exec, next_drawing, open_notebook, run_all  # noqa: E402
from page_log import running_chromium  # noqa: E402

VIEWPORT: ViewportSize = {"width": 1200, "height": 1400}
NAME = "benchmark.ipynb"

__all__ = ["kernel_exec", "next_drawing", "opened", "running_chromium", "shown"]


@contextmanager
def opened(source: str, *, imported: bool = True) -> Iterator[Page]:
    """A page of Chromium with a JupyterLab of its own, whose only notebook has one cell; it has not run yet.

    `imported`: the kernel has the package already.
    """
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_chromium() as browser,
        Lab(Path(folder)) as lab,
    ):
        page = browser.new_page(viewport=VIEWPORT)
        lab.write(NAME, source)
        open_notebook(page, lab, NAME)
        kernel_exec(page, f"import sys; sys.path.append({str(REPOSITORY)!r})")
        if imported:  # if that fails, it says why: a cell would only show it
            kernel_exec(page, "import rnnbow_widget")
        yield page


@contextmanager
def shown(source: str) -> Iterator[Page]:
    """As `opened`, with the cell run; it shows the widget."""
    with opened(source) as page:
        run_all(page)
        page.locator(".rnnbow").first.wait_for()
        yield page

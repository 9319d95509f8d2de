"""JupyterLab in Chromium, by the harness of the browser tests."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path += [str(REPOSITORY / "tests" / "browser"), str(REPOSITORY / "scripts")]

from chromium import MISSING, find_chromium  # noqa: E402 - is on the path only now
from harness import Lab, kernel_exec, next_drawing, open_notebook, run_all  # noqa: E402

FLAGS = ["--disable-dev-shm-usage", "--disable-gpu", "--no-sandbox"]  # as root, in a container

__all__ = ["kernel_exec", "next_drawing", "shown"]


@contextmanager
def shown(source: str) -> Iterator[Page]:
    """A page of Chromium with a JupyterLab of its own, whose only notebook has run one cell and shows the widget."""
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError(MISSING)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        lab = Lab(Path(folder))
        try:
            page = browser.new_page(viewport={"width": 1200, "height": 1400})
            lab.write("benchmark.ipynb", source)
            open_notebook(page, lab, "benchmark.ipynb")
            kernel_exec(page, "import rnnbow_widget")  # if that fails, it says why: a cell would only show it
            run_all(page)
            page.locator(".rnnbow").wait_for()
            yield page
        finally:
            browser.close()
            lab.stop()

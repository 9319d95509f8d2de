"""Takes the pictures of the README in a real JupyterLab: ``make screenshots``."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "browser"))

from harness import Lab, command, open_notebook, run_all, running_chromium, set_theme  # noqa: E402

IMAGES = REPOSITORY / "docs" / "images"
SOURCE = """
from rnnbow_widget import RNNbow, corpora
widget = RNNbow(corpora.c_headers(), horizon=10, seed=0)
widget.train(20_000)
widget
"""
PICTURES = {"rnnbow-light": "JupyterLab Light", "rnnbow-dark": "JupyterLab Dark"}


def take(page: Page, theme: str, path: Path) -> None:
    """Take a picture of the widget while a part of panel 3 is pointed at."""
    set_theme(page, theme)
    widget = page.locator(".rnnbow")
    widget.locator('rect.part[data-step="5"][data-lag="1"]').hover()
    widget.locator("[role=tooltip]").wait_for()
    widget.screenshot(path=path)


def main(images: Path = IMAGES) -> None:
    """Take them, into a folder."""
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_chromium() as browser, Lab(Path(folder)) as lab:
        page = browser.new_page(viewport={"width": 1160, "height": 1700})
        lab.write("figure.ipynb", SOURCE)
        open_notebook(page, lab, "figure.ipynb")
        command(page, "application:toggle-left-area")
        run_all(page)
        for name, theme in PICTURES.items():
            take(page, theme, images / f"{name}.png")


if __name__ == "__main__":
    main()

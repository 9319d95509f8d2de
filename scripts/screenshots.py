"""Takes the pictures of the README and of docs/architecture.md in a real JupyterLab: ``make screenshots``."""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "browser"))

from harness import Lab, close_notebooks, command, next_drawing, open_notebook, run_all, set_theme  # noqa: E402
from page_log import running_chromium  # noqa: E402

IMAGES = REPOSITORY / "docs" / "images"
SOURCE = """
from rnnbow_widget import RNNbow, corpora
widget = RNNbow(corpora.c_headers(), horizon=10, seed=0)
widget.train(20_000)
widget
"""
LAYERS = """
from rnnbow_widget import RNNbow, corpora
settings = dict(cell="gru", hidden_size=32, num_layers=4, bidirectional=True, init="uniform", horizon=10, seed=0)
widget = RNNbow(corpora.c_headers(), **settings)
widget.train(1_500)
widget
"""
POINTED = ("W_hh_l1", 10)
"""The track, and the step whose loss is pointed at in the map of layers."""
MARGIN = 8
PICTURES = {"rnnbow-light": "JupyterLab Light", "rnnbow-dark": "JupyterLab Dark"}


def take(page: Page, theme: str, path: Path) -> None:
    """Take a picture of the widget while a part of panel 3 is pointed at."""
    set_theme(page, theme)
    widget = page.locator(".rnnbow")
    widget.locator('polygon.part[data-step="5"][data-lag="1"]').hover()
    widget.locator("[role=tooltip]").wait_for()
    next_drawing(page)
    widget.screenshot(path=path)


def take_layers(page: Page, path: Path) -> None:
    """Take a picture of the map of layers while a loss is pointed at, and of the track beneath it."""
    widget = page.locator(".rnnbow")
    track, step = POINTED
    next_drawing(page)  # what is above may still grow
    label = widget.locator(f'.track-labels [data-track="{track}"]').bounding_box()
    steps = widget.locator("[data-panel=gradients] .axis.steps text")
    column = steps.filter(has_text=re.compile(f"^{step}$")).bounding_box()
    assert label
    assert column
    page.mouse.move(column["x"] + column["width"] / 2, label["y"] + label["height"] / 2)
    widget.locator("[role=tooltip]").wait_for()
    next_drawing(page)
    whole = widget.bounding_box()
    first, last = (widget.locator(f"[data-panel={name}]").bounding_box() for name in ("layers", "gradients"))
    assert whole
    assert first
    assert last
    top, bottom = first["y"] - MARGIN, last["y"] + last["height"] + MARGIN
    page.screenshot(path=path, clip={"x": whole["x"], "y": top, "width": whole["width"], "height": bottom - top})


def main(images: Path = IMAGES) -> None:
    """Take them, into a folder."""
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_chromium() as browser, Lab(Path(folder)) as lab:
        page = browser.new_page(viewport={"width": 1160, "height": 1700})
        for name, source in {"figure": SOURCE, "layers": LAYERS}.items():
            lab.write(f"{name}.ipynb", source)
        open_notebook(page, lab, "figure.ipynb")
        command(page, "application:toggle-left-area")
        run_all(page)
        for name, theme in PICTURES.items():
            take(page, theme, images / f"{name}.png")
        close_notebooks(page)
        open_notebook(page, lab, "layers.ipynb")
        run_all(page)
        set_theme(page, PICTURES["rnnbow-light"])
        take_layers(page, images / "layers.png")


if __name__ == "__main__":
    main()

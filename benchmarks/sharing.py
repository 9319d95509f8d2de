"""What is passed on: the front end's bundle, a page that is one file, and the state that a saved notebook holds."""

import json
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from ipywidgets import Widget
from playwright.sync_api import Browser

from rnnbow_widget import RNNbow

from .browser import VIEWPORT, running_chromium
from .long_runs import long_trainer
from .setting import paper_trainer
from .table import Findings, Row, duration

LAGS = 5
BATCHES = 500
OPENINGS = 5
RECORDED = (500, 10_000, 100_000)
MOST_BUNDLE, MOST_PAGE, MOST_STATE = 250_000, 1_000_000, 2_000_000
MOST_SECONDS = 1.0
# From the beginning of loading to the frame after that in which panels 2, 3 and 4 show a batch.
DRAWN = """\
() => {
  const look = () => {
    if (document.querySelector('.rnnbow[data-batch]:not([data-batch=""]) .received')) {
      requestAnimationFrame(() => { document.title = `drawn ${performance.now() / 1000}`; });
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def measure() -> Findings:
    bundle = len((files("rnnbow_widget") / "static" / "widget.js").read_bytes())
    trainer = paper_trainer(horizon=LAGS, record_every=1)
    trainer.train(BATCHES)
    with TemporaryDirectory() as folder, running_chromium() as browser:
        path = Path(folder, "run.html")
        begun = perf_counter()
        RNNbow(trainer).to_html(path)
        written, size = perf_counter() - begun, path.stat().st_size
        opened = sorted(_opened(browser, path) for _ in range(OPENINGS))
    states = [(recorded, _state(recorded)) for recorded in RECORDED]
    page = f"page of {BATCHES} batches, n=25, k={LAGS}"
    return Findings(
        [
            _size("bundle of the front end", bundle, MOST_BUNDLE),
            _size(page, size, MOST_PAGE),
            Row("  written in", duration(written)),
            Row(
                "  from loading to drawn, from disk, without a network (the best)",
                duration(opened[0]),
                asked=f"< {MOST_SECONDS:g} s",
                met=opened[0] < MOST_SECONDS,
            ),
            *(_size(f"state in a saved notebook, {count:,} recorded", size, MOST_STATE) for count, size in states),
        ],
        [f"Loading a {page}: drawn after {', '.join(f'{each:.2f}' for each in opened)} s, each time as a new one."],
    )


def _opened(browser: Browser, path: Path) -> float:
    """Seconds from the beginning of loading to drawn, by the page's own clock."""
    context = browser.new_context(viewport=VIEWPORT, offline=True)
    page = context.new_page()
    page.add_init_script(f"({DRAWN})()")
    page.goto(path.as_uri())
    page.locator(".rnnbow .received").first.wait_for()
    while not (title := page.title()).startswith("drawn "):
        page.wait_for_timeout(10)
    context.close()
    return float(title.removeprefix("drawn "))


def _state(recorded: int) -> int:
    """Bytes of the widget's state as a notebook holds it: JSON, with arrays in base 64."""
    widget = RNNbow(long_trainer(recorded))
    state = Widget.get_manager_state(widgets=[widget])
    widget.close()
    return len(json.dumps(state))


def _size(name: str, size: int, most: int) -> Row:
    return Row(name, f"{size / 1000:,.1f} kB", asked=f"< {most / 1000:,.0f} kB", met=size < most)

"""A page that is one file, opened from disk: all that the panels do, without a kernel and without a network."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from expected import assert_parts_are, is_label
from figure import Figure
from looks import ENOUGH, contrast, luminance
from page_log import PageLog, watched_page
from playwright.sync_api import Browser, expect

from rnnbow_widget import RNNbow, Trainer, compare
from rnnbow_widget.corpora import Corpus
from rnnbow_widget.protocol import drawable
from rnnbow_widget.visible_text import visible

TEXT = "static inline int min(int a, int b) { return a < b ? a : b; }\n" * 20
HOSTILE = ("</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "&lt;", "\u202e\x07")

Open = Callable[..., Figure]


@pytest.fixture
def log() -> PageLog:
    return PageLog()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path, log: PageLog) -> Iterator[Open]:
    """Write a widget's page and open it from disk, with no network; nothing must go wrong, and nothing be asked for."""
    path = tmp_path / "run.html"
    with ExitStack() as opened:

        def open_it(widget: RNNbow, scheme: str = "light", **settings: Any) -> Figure:
            widget.to_html(path, **settings)
            page = opened.enter_context(watched_page(browser, log, color_scheme=scheme, offline=True))
            page.goto(path.as_uri())
            return Figure(page)

        yield open_it
        assert log.asked == {path.as_uri()}


def trained(data: str | Corpus = TEXT, recorded: int = 12, **settings: Any) -> RNNbow:
    widget = RNNbow(Trainer(data, **{"hidden_size": 12, "horizon": 5, "record_every": 10, **settings}))
    widget.train(10 * recorded - 9)
    return widget


def test_it_draws_the_numbers_of_the_run(open_page: Open) -> None:
    widget = trained()
    figure = open_page(widget)
    figure.expect_recorded(12)
    figure.expect_batch(110)
    picture, snapshot = figure.read(), widget.run[-1]
    assert len(picture.bars) == 12
    assert_parts_are(picture, snapshot.surfaces["W_hh"], rel=2e-3, within=0.05)
    assert [step.target for step in picture.steps.values()] == list(map(visible, snapshot.targets))
    expect(figure.button("play")).to_be_hidden()
    expect(figure.status("state")).to_have_text("paused")


def test_it_links_panels_by_mouse_and_keys(open_page: Open) -> None:
    figure = open_page(trained())
    figure.expect_batch(110)
    figure.point(figure.bar_place(3))
    figure.expect_batch(30)
    figure.click(figure.bar_place(4))
    figure.leave()
    figure.expect_batch(40)
    part = figure.read().parts[6, 2]
    figure.point(part)
    expect(figure.tooltip).to_be_visible()
    assert figure.read().caused == {8}
    figure.steer("overview", "ArrowRight")
    figure.expect_batch(50)


def test_it_zooms_and_changes_what_is_drawn(open_page: Open) -> None:
    widget = trained()
    figure = open_page(widget)
    figure.expect_batch(110)
    steps = len(figure.read().steps)
    figure.steer("gradients", "+", "+")
    assert len([step for step in figure.read().steps.values() if step.cell.width > 0]) < steps
    figure.steer("gradients", "0")
    figure.setting("measure").select_option("share")
    expect(figure.root.locator("[data-panel=gradients]")).to_contain_text("signed share")
    figure.root.locator("[data-panel=gradients] .segments button").nth(1).click()
    expect(figure.root.locator("[data-panel=gradients] canvas")).to_be_visible()


def test_it_shows_first_what_the_widget_shows(open_page: Open) -> None:
    widget = trained(batch_size=2)
    widget.select(60)
    widget.measure, widget.stream, widget.overlay = "share", 1, "loss"
    figure = open_page(widget, title="A run to share")
    figure.expect_batch(60)
    expect(figure.page).to_have_title("A run to share")
    expect(figure.setting("measure")).to_have_value("share")
    expect(figure.root).to_have_attribute("data-stream", "1")
    assert "loss" in figure.read().headline
    figure.setting("stream").select_option("average")
    expect(figure.root).to_have_attribute("data-stream", "")
    expect(figure.root.locator(".pending-note")).to_be_hidden()


def test_it_says_what_it_does_not_hold(open_page: Open, tmp_path: Path) -> None:
    widget = trained(recorded=30, horizon=25)
    widget.to_html(tmp_path / "whole.html")
    figure = open_page(widget, max_bytes=(tmp_path / "whole.html").stat().st_size - 20_000)
    figure.expect_recorded(30)
    expect(figure.root.locator(".extent")).to_contain_text("of 30 recorded batches, evenly spread")
    note = figure.root.locator(".pending-note > div")
    figure.steer("overview", "Home")
    for _ in range(30):
        if note.is_visible():
            break
        figure.steer("overview", "ArrowRight")
    expect(note).to_contain_text("it is a file, without a kernel to ask")
    note.get_by_role("button").click()
    expect(note).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_systems_theme(open_page: Open, scheme: str) -> None:
    figure = open_page(trained(recorded=3), scheme)
    figure.expect_batch(20)
    expect(figure.root).to_have_attribute("data-theme", scheme)
    for place in (".rnnbow", "body"):
        ground = figure.page.locator(place).evaluate("node => getComputedStyle(node).backgroundColor")
        assert (luminance(ground) > 0.5) == (scheme == "light")
    for place in ("h1", ".settings", "footer"):
        ink = figure.page.locator(place).first.evaluate("node => getComputedStyle(node).color")
        assert contrast(ink, ground) > ENOUGH


def test_labels_and_names_are_drawn_as_text(open_page: Open) -> None:
    widget = trained(Corpus(HOSTILE[0], np.arange(400, dtype=np.int32) % len(HOSTILE), HOSTILE), seq_length=6)
    figure = open_page(widget, title=HOSTILE[1])
    figure.expect_batch(110)
    targets = [step.target for step in figure.read().steps.values()]
    for target, label in zip(targets, widget.run[-1].targets, strict=True):
        assert is_label(target, visible(drawable(label)))
    expect(figure.page.locator("h1")).to_have_text(HOSTILE[1])
    expect(figure.page.locator(".settings").first).to_contain_text(HOSTILE[0])
    assert figure.page.locator("img").count() == 0
    assert figure.page.locator("script:not([type])").count() == 1


HARD = (
    *"אع",  # written from right to left
    "👩\u200d👩\u200d👧\u200d👦",  # one picture of several characters
    "\u0301",  # a mark that sits on what is before it
    *"\0\ud800\u202e\u200d\u2028\ufeff",  # without ink
    "</script><img src=x onerror=alert(1)>",
    "`${alert(2)}`",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hard_text_is_drawn_and_nothing_of_it_is_run(open_page: Open, scheme: str) -> None:
    steps = len(HARD)
    data = Corpus("hard", np.arange(steps * 30, dtype=np.int32) % steps, HARD)
    figure = open_page(trained(data, seq_length=steps), scheme=scheme)
    figure.expect_batch(110)
    drawn = [figure.read().steps[j].target for j in range(steps)]
    labels = [drawable(HARD[(110 * steps + j + 1) % steps]) for j in range(steps)]
    for text, label in zip(drawn, labels, strict=True):
        assert is_label(text, visible(label))
    assert figure.page.locator("img").count() == 0
    assert figure.page.locator("script:not([type])").count() == 1


def test_the_policy_stops_scripts_that_are_not_the_pages(open_page: Open, log: PageLog) -> None:
    figure = open_page(trained(recorded=3))
    figure.expect_batch(20)
    ran = figure.page.evaluate("""() => {
      const script = document.createElement("script");
      script.append("window.ran = true");
      document.body.append(script);
      return window.ran === true;
    }""")
    assert not ran
    assert log.console
    assert all("TrustedScript" in refused for refused in log.console)
    log.console.clear()


@pytest.mark.parametrize("sink", ["innerHTML", "outerHTML", "setAttribute", "eval"])
def test_the_policy_makes_no_markup_and_no_code_of_text(open_page: Open, log: PageLog, sink: str) -> None:
    figure = open_page(trained(recorded=3))
    figure.expect_batch(20)
    # In a task of its own: what a debugger calls may evaluate text, whatever the policy says.
    refused = figure.page.evaluate(
        """sink => new Promise((done) => setTimeout(() => {
          const node = document.body.appendChild(document.createElement("p"));
          try {
            if (sink === "eval") eval("window.ran = true");
            else if (sink === "setAttribute") node.setAttribute("onclick", "window.ran = true");
            else node[sink] = "<img src=x onerror='window.ran = true'>";
            done("taken");
          } catch ({ name }) {
            done(name);
          }
        }))""",
        sink,
    )
    assert refused == ("EvalError" if sink == "eval" else "TypeError")
    assert figure.page.evaluate("window.ran") is None
    assert figure.page.locator("img").count() == 0
    log.console.clear()  # which tells what was refused


def test_a_damaged_file_is_said_to_be_damaged(open_page: Open, tmp_path: Path) -> None:
    figure = open_page(trained(recorded=3))
    figure.expect_batch(20)
    path = tmp_path / "run.html"
    path.write_text(path.read_text(encoding="ascii").replace('id="rnnbow-chunks">', 'id="rnnbow-chunks">0'))
    figure.page.reload()
    expect(figure.page.get_by_role("alert")).to_contain_text("This file is damaged or not complete")


def test_it_reflows_on_a_narrow_page(open_page: Open) -> None:
    figure = open_page(trained(recorded=3))
    figure.expect_batch(20)
    figure.resize(360)
    assert figure.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not figure.overlapping_labels()


def test_a_comparison_is_a_page_too(browser: Browser, tmp_path: Path) -> None:
    both = compare("tanh", "lstm", data=TEXT, hidden_size=10, record_every=10)
    both.train(101)
    path = tmp_path / "both.html"
    both.to_html(path)
    with watched_page(browser, PageLog(), offline=True) as page:
        page.goto(path.as_uri())
        sides = page.locator(".rnnbow .side")
        expect(sides).to_have_count(2)
        for index in range(2):
            expect(sides.nth(index)).to_have_attribute("data-batch", "100")
            expect(sides.nth(index).locator("[data-panel=gradients] svg")).to_be_visible()
        page.locator("[data-panel=trend] svg").focus()
        page.keyboard.press("Home")
        for index in range(2):
            expect(sides.nth(index)).to_have_attribute("data-batch", "0")
        expect(page.locator(".rnnbow .toolbar button[data-action=play]")).to_be_hidden()
        page.set_viewport_size({"width": 420, "height": 1200})
        expect(sides.nth(1)).to_be_visible()
        expect(page.locator("html")).to_have_js_property("scrollWidth", 420)  # drawing takes a few frames

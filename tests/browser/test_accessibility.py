"""For everybody: what axe finds, what keys reach, and what is said of each panel to who does not see it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe import violations
from figure import Figure, toggle_explanations
from harness import SLOW_MS, Lab, command, kernel_exec, next_drawing, open_notebook, run_all
from looks import assert_fits, each_theme
from page_log import PageLog, logged_page
from playwright.sync_api import Browser, Page, expect

SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=12, horizon=None, record_every=5, seed=3, learning_rate=0.01, {more})
w.train(83)
w
"""
COMPARISON = """
from rnnbow_widget import compare, corpora
w = compare("tanh", "lstm", data=corpora.c_headers(), hidden_size=12, record_every=5)
w.train(83)
w
"""
SWEEP = """
from rnnbow_widget import corpora, sweep
s = sweep(corpora.c_headers(), {"cell": ["tanh", "lstm"]}, batches=40, record_every=20, hidden_size=10)
s
"""
ATTEMPT = """
import numpy as np
from rnnbow_widget import RNN, RNNbow, itemized_delta
rnn = RNN(8, 12, init="uniform", seed=3, dtype="float64")
x = np.arange(26) % 8
forward = rnn.forward(x[:-1], x[1:])
delta = itemized_delta(rnn, forward)
terms = {(t, j): np.outer(delta[j, t - j], forward.hidden[j]) for t in range(25) for j in range(t + 1)}
wrong = {(t, j): G * (1.5 if t - j > 2 else 1) for (t, j), G in terms.items()}
v = RNNbow.from_arrays(rnn, x[:-1], x[1:], terms=wrong)
v
"""
FOLDOUTS = ("choice", "cell", "units")
MOVING = """root => [root, ...root.querySelectorAll("*")].filter((node) => {
  const { transitionDuration, animationName } = getComputedStyle(node);
  return animationName !== "none" || transitionDuration.split(",").some((part) => parseFloat(part) > 0);
}).map((node) => node.getAttribute("class"))"""


@pytest.mark.parametrize("more", ["", "num_layers=2, batch_size=3"], ids=["one layer", "layers and streams"])
def test_axe_finds_nothing_in_the_panels(show: Callable[..., Figure], page: Page, more: str) -> None:
    figure = show(SOURCE.format(more=more))
    figure.expect_batch(80)
    for theme in each_theme(figure.root):
        for width in (1100, 400):
            figure.resize(width)
            assert violations(page, figure.root) == [], (theme, width)


def test_axe_finds_nothing_in_what_can_be_opened(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE.format(more="cell='lstm'"))
    figure.expect_batch(80)
    kernel_exec(page, "w.measure_horizon()")
    figure.root.locator(".diagnoses summary").click()
    figure.root.locator(".cues summary").click()
    for panel in FOLDOUTS:
        figure.root.locator(f"[data-panel={panel}] summary").click()
        expect(figure.root.locator(f"[data-panel={panel}] .part-note")).to_have_count(0 if panel == "choice" else 1)
    expect(figure.root.locator(".unit-card").first).to_be_visible()
    expect(figure.root.locator(".cell-edge").first).to_be_attached()
    toggle_explanations(figure.root)
    for theme in each_theme(figure.root):
        assert violations(page, figure.root) == [], theme
    figure.button("tour").click()
    for _ in range(7):
        expect(figure.root.get_by_role("dialog")).to_be_visible()
        assert violations(page, figure.root) == []
        page.keyboard.press("ArrowRight")
    expect(figure.root.get_by_role("dialog")).to_have_count(0)
    for form in ("heatmap", "bars"):
        figure.root.locator(f"[data-choice={form}]").click()
        assert violations(page, figure.root) == [], form


def test_axe_finds_nothing_in_a_comparison(show: Callable[..., Figure], page: Page) -> None:
    figure = show(COMPARISON)
    figure.expect_batch(80)
    for theme in each_theme(figure.root):
        assert violations(page, figure.root) == [], theme
    figure.resize(400)
    assert violations(page, figure.root) == []


@pytest.mark.parametrize("source", [SWEEP, ATTEMPT], ids=["sweep", "attempt"])
def test_axe_finds_nothing_in_a_sweep_or_an_attempt(show: Callable[..., Figure], page: Page, source: str) -> None:
    figure = show(source)
    expect(figure.root.locator("td, .side[data-batch]").first).to_be_visible(timeout=SLOW_MS)
    for theme in each_theme(figure.root):
        assert violations(page, figure.root) == [], theme


def test_axe_finds_nothing_in_a_page_that_is_one_file(
    show: Callable[..., Figure], page: Page, browser: Browser, tmp_path: Path
) -> None:
    figure = show(SOURCE.format(more=""))
    figure.expect_batch(80)
    path = tmp_path / "page.html"
    kernel_exec(page, f"w.to_html({str(path)!r})")
    with logged_page(browser, PageLog(), bypass_csp=True) as alone:  # the page allows no script but its own
        for scheme in ("light", "dark"):
            alone.emulate_media(color_scheme=scheme)
            alone.goto(path.as_uri())
            Figure(alone).expect_batch(80)
            assert violations(alone, alone.locator("body")) == [], scheme


def test_everything_can_be_reached_by_keys_and_shows_the_focus(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE.format(more=""))
    figure.expect_batch(80)
    wanted = set(
        figure.root.evaluate(
            """root => [...root.querySelectorAll("button, input, select, summary, svg[tabindex]")]
          .filter((node) => node.checkVisibility() && !node.disabled)
          .map((node, index) => (node.dataset.reach = String(index)))"""
        )
    )
    figure.button("play").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    reached: set[str] = set()
    for _ in range(len(wanted) + 10):
        found = page.evaluate(
            """() => {
              const node = document.activeElement;
              const { outlineStyle, outlineWidth } = getComputedStyle(node);
              return [node.dataset.reach ?? null, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
            }"""
        )
        if found[0] is not None:
            reached.add(found[0])
            assert found[1], f"no focus is seen on {found[0]}"
        page.keyboard.press("Tab")
    assert reached == wanted


def test_each_panel_says_what_it_shows_and_says_something_else_when_that_changes(
    show: Callable[..., Figure], page: Page
) -> None:
    figure = show(SOURCE.format(more=""))
    figure.expect_batch(80)

    def said() -> dict[str, str]:
        return {
            panel: figure.root.locator(
                f"[data-panel={panel}] svg[tabindex], [data-panel={panel}] svg[role=img]"
            ).first.evaluate(
                "svg => { const id = svg.getAttribute('aria-describedby');"
                "return svg.getAttribute('aria-label') + ' | ' + (id ? document.getElementById(id).textContent : '') }"
            )
            for panel in ("overview", "predictions", "gradients", "horizon")
        }

    first = said()
    assert "17 recorded batches, 0 to 80" in first["overview"]
    assert "25 steps" in first["predictions"]
    assert "received the most" in first["gradients"]
    assert "1 % of its largest piece" in first["horizon"]
    kernel_exec(page, "w.select(20)")
    figure.expect_batch(20)
    second = said()
    assert {panel for panel in first if first[panel] != second[panel]} == {"predictions", "gradients", "horizon"}
    figure.setting("quantity").select_option("loss")
    next_drawing(page)
    assert said()["overview"] != second["overview"]


def test_nothing_is_announced_while_it_trains(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE.format(more=""))
    figure.expect_batch(80)
    live = (
        "root => [...root.querySelectorAll('[aria-live], [role=status], [role=alert]')].map((node) => node.textContent)"
    )
    before = figure.root.evaluate(live)
    assert before, "something is there that could be announced"
    figure.button("play").click()
    figure.expect_more_recorded(figure.recorded + 10)
    assert figure.root.evaluate(live) == before
    figure.button("play").click()
    figure.expect_state("paused")
    figure.steer("overview", "ArrowLeft")
    expect(figure.root.locator(".announcer")).to_have_text(re.compile(r"^Batch [\d,]+ selected"))


@pytest.mark.parametrize("source", [SOURCE.format(more=""), COMPARISON], ids=["run", "comparison"])
def test_nothing_is_lost_at_200_percent(browser: Browser, tmp_path: Path, source: str) -> None:
    """Zoomed to 200 %, a window of 1,280 pixels has 640 for a page, each drawn as four."""
    zoomed = {"viewport": {"width": 640, "height": 900}, "device_scale_factor": 2}
    with Lab(tmp_path) as lab, logged_page(browser, PageLog(), **zoomed) as page:
        lab.write("zoomed.ipynb", source)
        open_notebook(page, lab, "zoomed.ipynb")
        command(page, "application:toggle-left-area")
        run_all(page)
        figure = Figure(page)
        figure.expect_batch(80)
        toggle_explanations(figure.root)
        if "compare" not in source:
            figure.button("tour").click()
            expect(figure.root.get_by_role("dialog")).to_be_visible()
        next_drawing(page)
        assert_fits(figure.root)


def test_who_wants_no_motion_gets_none(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE.format(more=""))
    figure.expect_batch(80)
    figure.button("tour").click()
    assert figure.root.evaluate(MOVING) != [], "others get some"
    page.emulate_media(reduced_motion="reduce")
    try:
        assert figure.root.evaluate(MOVING) == []
    finally:
        page.emulate_media(reduced_motion="no-preference")

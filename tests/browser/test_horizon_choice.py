"""Which horizon is enough: the plot beneath panel 4 against the numbers in Python, and what lies beyond a horizon.

One notebook serves all tests; each begins with the same run.
"""

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from figure import HALF_PIXEL, Figure, drawn_number
from harness import Lab, kernel_exec, kernel_value, run_notebook, wait_for_value
from playwright.sync_api import Browser, expect

SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=24, horizon=6, record_every=5, seed=3)
w
"""
STEPS = 25
POINTS = """section => {
  const svg = section.querySelector("svg[tabindex]").getBoundingClientRect();
  const at = (node) => node.getBoundingClientRect();
  const numbers = (selector) => section.querySelector(selector).getAttribute("d");
  return {
    origin: [svg.x, svg.y],
    points: numbers(".residual-points"),
    line: numbers(".residuals"),
    ticks: [...section.querySelectorAll(".axis.values .tick")].map((tick) =>
      [tick.querySelector("text").textContent, at(tick.querySelector("line")).y]),
    tolerance: at(section.querySelector("line.tolerance")).y,
    enough: at(section.querySelector(".enough-line")).x,
    force: (({ x, width }) => x + width / 2)(at(section.querySelector(".in-force"))),
  };
}"""


@pytest.fixture(scope="module")
def shared(browser: Browser, lab: Lab) -> Iterator[Figure]:
    with run_notebook(browser, lab, "choice.ipynb", SOURCE) as page:
        yield Figure(page)


@pytest.fixture
def figure(shared: Figure) -> Figure:
    kernel_exec(shared.page, "w.reset(); w.horizon, w.measure, w.form = 6, 'norm', 'auto'; w.train(83)")
    shared.expect_batch(80)
    expect(shared.setting("horizon")).to_have_value("6")
    return shared


def measure(figure: Figure) -> list[float]:
    """Open the plot, ask for a measurement, and return the residuals that Python has."""
    summary = figure.root.locator("[data-panel=choice] summary")
    if not figure.button("measure-horizon").is_visible():
        summary.click()
    expect(summary).not_to_contain_text("enough:")
    figure.button("measure-horizon").click()
    expect(summary).to_contain_text("enough:")
    residual: list[float] = kernel_value(figure.page, "w.trainer.horizon_choice.residual")
    return residual


def places(figure: Figure) -> tuple[dict[str, Any], list[tuple[float, float]]]:
    """What is drawn, and the place of the point of every k from 1 on, on the page."""
    found = figure.root.locator("[data-panel=choice]").evaluate(POINTS)
    left, top = found["origin"]
    dots = re.findall(r"M([\d.]+),([\d.]+)a([\d.]+),", found["points"])
    return found, [(left + float(x) + float(radius), top + float(y)) for x, y, radius in dots]


def test_the_plot_has_every_residual_at_its_height(figure: Figure) -> None:
    residual = measure(figure)
    choice = kernel_value(figure.page, "{k: v for k, v in vars(w.trainer.horizon_choice).items() if k != 'residual'}")
    found, points = places(figure)
    assert len(points) == STEPS
    ticks = [(math.log10(drawn_number(text)), y - HALF_PIXEL) for text, y in found["ticks"]]
    (high, top), (low, bottom) = max(ticks), min(ticks)

    def height(part: float) -> float:
        return float(top + (high - math.log10(part)) * (bottom - top) / (high - low))

    for k, (_, y) in enumerate(points, 1):
        if residual[k] > 0:
            assert y == pytest.approx(height(residual[k]), abs=0.1), k
        else:
            assert y > bottom + 5, "zeros stand below the axis"
    assert residual[STEPS] == 0
    spacings = [after[0] - before[0] for before, after in pairwise(points)]
    assert spacings == pytest.approx([spacings[0]] * (STEPS - 1), abs=0.03)
    assert found["tolerance"] == pytest.approx(height(choice["tolerance"]), abs=0.1)
    assert found["enough"] == pytest.approx(points[choice["horizon"] - 1][0], abs=0.1)
    assert found["force"] == pytest.approx(points[6 - 1][0], abs=0.1)
    said = figure.root.locator("[data-panel=choice] summary")
    expect(said).to_contain_text(f"{choice['horizon']} lags are enough: at most {percent(residual[choice['horizon']])}")
    expect(said).to_contain_text(f"The one in force, 6, leaves out up to {percent(residual[6])}.")
    expect(figure.root.locator(".choice-body .hint")).to_contain_text(f"worst of {choice['losses']} losses")


def test_pointing_reads_a_horizon_and_a_click_or_enter_sets_it(figure: Figure) -> None:
    residual = measure(figure)
    reading = figure.root.locator(".choice-reading")
    svg = figure.root.locator("[data-panel=choice] svg[tabindex]")
    svg.scroll_into_view_if_needed()
    _, points = places(figure)
    for k in (1, 7, 24):
        figure.point(points[k - 1])
        expect(reading).to_have_text(f"With k = {k}, up to {percent(residual[k])} of a loss’s gradient is left out")
    figure.point(points[STEPS - 1])
    expect(reading).to_have_text(f"With k = {STEPS}, nothing is left out")
    figure.click(points[8 - 1])
    wait_for_value(figure.page, "w.trainer.horizon", 8)
    expect(figure.setting("horizon")).to_have_value("8")
    figure.leave()
    expect(reading).to_have_text("part of a loss’s gradient that is left out")
    found, points = places(figure)
    assert found["force"] == pytest.approx(points[8 - 1][0], abs=0.1)

    enough = kernel_value(figure.page, "w.trainer.horizon_choice.horizon")
    figure.steer("choice", "ArrowLeft")
    expect(reading).to_contain_text(f"With k = {enough},")
    figure.steer("choice", "ArrowRight", "ArrowRight", "ArrowLeft")
    expect(reading).to_contain_text(f"With k = {enough + 1},")
    expect(figure.root.locator("[aria-live=polite]")).to_contain_text(f"With k = {enough + 1},")
    figure.steer("choice", "Home", "ArrowRight", "Enter")
    wait_for_value(figure.page, "w.trainer.horizon", 2)
    figure.steer("choice", "Escape")
    expect(reading).not_to_contain_text("With k")
    figure.button("use-choice").click()
    wait_for_value(figure.page, "w.trainer.horizon", enough)
    expect(figure.button("use-choice")).to_be_hidden()
    figure.button("auto-horizon").click()
    wait_for_value(figure.page, "w.trainer.horizon", "auto")
    expect(figure.setting("horizon")).to_have_value("auto")
    figure.button("auto-horizon").click()
    wait_for_value(figure.page, "w.trainer.horizon", enough)


def test_the_field_takes_a_number_auto_or_all(figure: Figure) -> None:
    field = figure.setting("horizon")
    for typed, value, kept in [("auto", "auto", "auto"), ("all", None, ""), ("7", 7, "7"), ("", None, "")]:
        field.fill(typed)
        field.press("Enter")
        wait_for_value(figure.page, "w.trainer.horizon", value)
        expect(field).to_have_value(kept)
    field.fill("many")
    field.press("Enter")
    expect(figure.refusal("horizon")).to_have_text("Horizon takes a number of lags, auto, or all.")
    expect(field).to_have_value("")
    assert kernel_value(figure.page, "w.trainer.horizon") is None
    field.fill("auto")
    field.press("Enter")
    wait_for_value(figure.page, "w.trainer.horizon", "auto")
    expect(figure.refusal("horizon")).to_be_empty()
    figure.button("record").click()
    figure.expect_batch(85)
    chosen = kernel_value(figure.page, "w.trainer.horizon_choice.horizon")
    assert {lag for _, lag in figure.read().parts} == set(range(chosen))
    expect(figure.root.locator("[data-panel=choice] summary")).to_contain_text("That is the horizon in force.")


def test_it_is_measured_between_leases_and_what_cannot_be_is_said(figure: Figure) -> None:
    figure.button("play").click()
    figure.expect_more_recorded(20)
    measure(figure)
    recorded = figure.recorded
    figure.expect_more_recorded(recorded)
    measured_at = kernel_value(figure.page, "w.trainer.horizon_choice.batch")
    assert 83 < measured_at <= kernel_value(figure.page, "w.trainer.batch")
    figure.button("play").click()
    figure.expect_state("paused")
    expect(figure.root.locator(".choice-body .hint")).to_contain_text(f"after batch {measured_at:,}")
    kernel_exec(figure.page, "kept = w.trainer.rnn.parameters.W_ho.copy(); w.trainer.rnn.parameters.W_ho[:] = 0")
    figure.button("measure-horizon").click()
    refusal = figure.root.locator(".choice-body .refusal")
    expect(refusal).to_have_text("no horizon can be chosen from these windows: all gradients are 0")
    kernel_exec(figure.page, "w.trainer.rnn.parameters.W_ho[:] = kept; found = w.measure_horizon()")
    expect(refusal).to_be_empty()
    expect(figure.banner).to_be_hidden()
    expect(figure.root.locator("[data-panel=choice] summary")).to_contain_text(
        f"{kernel_value(figure.page, 'found.horizon')} lags are enough"
    )


def test_panel_3_says_what_lies_beyond_the_horizon(figure: Figure) -> None:
    said = figure.root.locator(".beyond-share")
    for name, words in {"norm": "by norm", "mean_abs": "by mean |entry|", "share": "the whole gradient"}.items():
        kernel_exec(figure.page, f"w.measure = {name!r}")
        share = kernel_value(figure.page, f"w.run[-1].beyond_share(measure={name!r})")
        expect(said).to_contain_text(percent(abs(share)))
        expect(said).to_contain_text(words)
        assert ("works against" in said.inner_text()) == (share < 0)
    kernel_exec(figure.page, "w.form = 'heatmap'; w.measure = 'norm'")
    expect(said).to_have_text(
        f"{percent(kernel_value(figure.page, 'w.run[-1].beyond_share()'))} of what the weights received, by norm, lies "
        "beyond the 6 recorded lags."
    )
    kernel_exec(figure.page, "w.horizon = None; w.step()")
    expect(said).to_have_text("The horizon is the whole window: nothing lies beyond it.")


def percent(part: float) -> str:
    """A part as the page writes it."""
    return "< 0.01 %" if 0 < part < 1e-4 else f"{100 * part:.{2 if part < 0.01 else 1}f} %"

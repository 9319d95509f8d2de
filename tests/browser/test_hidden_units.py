"""Hidden units: their order and figures against the gradient in Python, and how a person turns the panels to one."""

from collections.abc import Callable

import numpy as np
import pytest
from expected import assert_parts_are
from figure import Figure, drawn_number
from harness import (
    Lab,
    kernel_exec,
    kernel_value,
    next_drawing,
    notebook_path,
    save,
    wait_for_kernel,
    wait_for_value,
)
from page_log import PageLog, watched_page
from playwright.sync_api import Browser, Locator, Page, expect

SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), {settings}, record_every=20, init="uniform", learning_rate=0.02, seed=3)
w.train(400)
w
"""
SOME = 12
# Rows of the gradient of W_hh, by gate and unit.
ROWS = "w.trainer.replay({batch}).gradients.parameters['W_hh'].reshape(-1, {units}, {units})"


def opened(figure: Figure) -> Locator:
    """Open the panel, of the newest batch."""
    figure.expect_batch(380)
    return figure.open_part("units")


def cards(panel: Locator) -> list[int]:
    found: list[int] = panel.locator(".unit-card").evaluate_all("all => all.map((card) => Number(card.dataset.unit))")
    return found


def rank_by(panel: Locator, ranking: str) -> list[int]:
    panel.locator("select").select_option(ranking)
    expect(panel.locator(".unit-card").first).to_be_visible()
    next_drawing(panel.page)
    return cards(panel)


def told(panel: Locator, unit: int) -> str:
    return panel.locator(f".unit-card[data-unit='{unit}']").get_attribute("aria-label") or ""


@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_units_are_ranked_and_told_by_their_rows_of_the_gradient(cell: str, show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings=f"cell={cell!r}, hidden_size=30"))
    panel = opened(figure)
    gradient = np.array(kernel_value(figure.page, ROWS.format(batch=380, units=30)))  # (gates, H, H)
    sizes = np.sqrt((gradient**2).sum(axis=(0, 2)))  # (H,)
    shares = sizes**2 / (sizes**2).sum()
    expected = [int(unit) for unit in np.argsort(-sizes)[:SOME]]
    assert rank_by(panel, "share") == expected
    assert rank_by(panel, "size") == expected
    for unit in expected:
        words = told(panel, unit)
        assert drawn_number(words.split(" norm ")[1].split(",")[0]) == pytest.approx(sizes[unit], rel=1e-3)
        assert drawn_number(words.split(": ")[1].split(" %")[0]) == pytest.approx(100 * shares[unit], abs=0.06)
    reach = [told(panel, unit).split("reaches back ")[1].split(" step")[0] for unit in rank_by(panel, "reach")]
    lengths = [float(text) for text in reach]
    assert lengths == sorted(lengths, reverse=True)
    agreements = [drawn_number(told(panel, unit).split("agreement ")[1]) for unit in rank_by(panel, "against")]
    assert agreements == sorted(agreements)


def test_a_click_turns_the_panels_to_a_unit_and_escape_back(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="cell='gru', hidden_size=24, horizon=8"))
    panel = opened(figure)
    unit = cards(panel)[2]
    card = panel.locator(f".unit-card[data-unit='{unit}']")
    everything = figure.read().parts
    card.click()
    expect(card).to_have_attribute("aria-pressed", "true")
    wait_for_value(figure.page, "w.surface", f"W_hh[{unit}]")
    expect(figure.root.locator(".of-batch")).not_to_have_class("of-batch pending")
    expect(panel).to_contain_text(f"The panels show unit {unit} alone.")
    assert_parts_are(figure.read(), kernel_value(figure.page, f"w.run.surface(380, 'W_hh[{unit}]')"))
    card.press("Escape")
    wait_for_value(figure.page, "w.surface", "W_hh")
    expect(card).to_have_attribute("aria-pressed", "false")
    assert figure.read().parts.keys() == everything.keys()
    assert_parts_are(figure.read(), kernel_value(figure.page, "w.run.surface(380, 'W_hh')"))
    kernel_exec(figure.page, "w.surface = 'h'")
    card.click()
    wait_for_value(figure.page, "w.surface", f"h[{unit}]")
    figure.button("all-units").click()
    wait_for_value(figure.page, "w.surface", "h")
    expect(figure.button("all-units")).to_be_hidden()


def test_keys_lead_through_the_units_and_choose_one(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="hidden_size=40"))
    panel = opened(figure)
    order = cards(panel)
    focused = panel.locator(".unit-card:focus")
    panel.locator(".unit-card").first.focus()
    figure.page.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("data-unit", str(order[1]))
    figure.page.keyboard.press("End")
    expect(focused).to_have_attribute("data-unit", str(order[-1]))
    figure.page.keyboard.press("Enter")
    wait_for_value(figure.page, "w.surface", f"W_hh[{order[-1]}]")
    figure.page.keyboard.press("Escape")
    wait_for_value(figure.page, "w.surface", "W_hh")
    panel.locator("[data-action=more-units]").click()
    expect(panel.locator(".unit-card")).to_have_count(2 * SOME)
    panel.locator("[data-action=more-units]").click()
    panel.locator("[data-action=more-units]").click()
    expect(panel.locator(".unit-card")).to_have_count(40)
    assert sorted(cards(panel)) == list(range(40))
    expect(panel.locator("[data-action=more-units]")).to_be_hidden()
    panel.locator("[data-action=fewer-units]").click()
    expect(panel.locator(".unit-card")).to_have_count(SOME)


@pytest.mark.parametrize("units", [4, 512])
def test_four_units_are_enough_and_512_not_too_many(units: int, show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings=f"hidden_size={units}"))
    panel = opened(figure)
    expect(panel.locator(".unit-card")).to_have_count(min(SOME, units))
    assert panel.locator("svg *").count() == 3 * min(SOME, units), "few elements"
    kernel_exec(figure.page, f"w.surface = 'W_hh[{units - 1}]'")
    chosen = panel.locator(".unit-card[aria-pressed=true]")
    expect(chosen).to_have_attribute("data-unit", str(units - 1))


def test_a_saved_notebook_says_what_it_lacks(
    show: Callable[..., Figure], page: Page, lab: Lab, browser: Browser
) -> None:
    figure = show(SOURCE.format(settings="hidden_size=24"))
    figure.expect_batch(380)
    save(page)
    path = notebook_path(page, lab)
    lab.end_kernels()
    without = path.with_name(f"without-{path.name}")
    without.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with watched_page(browser, PageLog()) as other:
        other.goto(lab.address(without.name))
        wait_for_kernel(other)
        again = Figure(other)
        again.expect_batch(380)
        for panel, words in (
            ("cell", "The flow inside the cell"),
            ("units", "The hidden units’ part"),
        ):
            section = again.root.locator(f"[data-panel={panel}]")
            section.locator("summary").click()
            expect(section.locator(".part-note")).to_contain_text(f"{words} of batch 380")
            expect(section.locator(".part-note")).to_contain_text("not in this notebook")

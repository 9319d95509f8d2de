"""Other gradients than the primary one: chosen with mouse and keys, and drawn as numpy has them."""

import re
from collections.abc import Callable

import pytest
from expected import assert_parts_are
from figure import Figure
from harness import Lab, kernel_exec, kernel_value, notebook_path, open_saved, save
from playwright.sync_api import Page, expect

SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), {settings}, hidden_size=12, record_every=20, learning_rate=0.05, init="uniform")
w.train(101)
w
"""
LSTM = SOURCE.format(settings="cell='lstm', num_layers=2, bidirectional=True, horizon=8")


def assert_surface_is(figure: Figure, surface: str) -> None:
    """Compare every part of panel 3's bars with the array that Python gives."""
    expect(figure.root).to_have_attribute("data-surface", surface)
    batch = int(figure.root.get_attribute("data-batch") or -1)
    items = kernel_value(figure.page, f"w.run.surface({batch}, {surface!r})")  # (n, K)
    first = kernel_value(figure.page, f"w.run.with_surface({batch}, {surface!r}).first_lags.get({surface!r}, 0)")
    picture = figure.read()
    assert_parts_are(picture, items, first_lag=first, within=0.05)
    for (_, lag), part in picture.parts.items():
        if lag > 0:
            assert part.bottom <= picture.axes["gradients"].zero + 0.05, "later losses are above the axis"
        elif lag < 0:
            assert part.y >= picture.axes["gradients"].zero - 0.05, "earlier ones below"


@pytest.mark.parametrize(
    ("choices", "surface", "words"),
    [
        ({"surface": "W_ih"}, "W_ih_l1_both", "∂L/∂W_ih, layer 2 of 2, both directions"),
        ({"layer": "0"}, "W_hh_l0_both", "∂L/∂W_hh, layer 1 of 2, both directions"),
        ({"direction": "reverse"}, "W_hh_l1_reverse", "∂L/∂W_hh, layer 2 of 2, reverse"),
        ({"surface": "c", "layer": "0", "direction": "forward"}, "c", "∂L_t/∂c_j, layer 1 of 2, forward"),
        ({"direction": "forward", "gate": "f"}, "W_hh_l1[f]", "∂L/∂W_hh, layer 2 of 2, forward, gate f"),
    ],
)
def test_each_kind_of_surface_is_chosen_said_and_drawn(
    choices: dict[str, str], surface: str, words: str, show: Callable[..., Figure]
) -> None:
    figure = show(LSTM)
    for setting, value in choices.items():
        figure.setting(setting).select_option(value)
    assert_surface_is(figure, surface)
    assert kernel_value(figure.page, "w.surface") == surface
    expect(figure.root.locator("[data-panel=gradients] svg[role=application] > .axis-title").first).to_contain_text(
        words
    )
    expect(figure.root.locator(".about")).to_contain_text(f"shown: {words}")
    batch = kernel_value(figure.page, "w.trainer.batch")
    figure.button("step").click()
    figure.expect_batch(batch)
    assert_surface_is(figure, surface)


def test_keys_choose_a_surface_and_a_unit(show: Callable[..., Figure]) -> None:
    figure = show(LSTM)
    figure.setting("surface").focus()
    figure.page.keyboard.press("ArrowDown")
    assert_surface_is(figure, "W_ih_l1_both")
    unit = figure.setting("unit")
    unit.fill("7")
    unit.press("Enter")
    assert_surface_is(figure, "W_ih_l1_both[7]")
    unit.fill("99")
    unit.press("Enter")
    expect(figure.refusal("unit")).to_contain_text("0 to 11")
    assert kernel_value(figure.page, "w.surface") == "W_ih_l1_both[7]"
    unit.fill("")
    unit.press("Enter")
    assert_surface_is(figure, "W_ih_l1_both")


def test_python_chooses_too_and_what_does_not_exist_is_not_offered(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="horizon=8"))
    for setting in ("layer", "direction", "gate"):
        expect(figure.setting(setting)).to_be_hidden()
    expect(figure.root.locator("[data-panel=layers]")).to_be_hidden()
    assert "c" not in figure.setting("surface").locator("option").evaluate_all("all => all.map((one) => one.value)")
    kernel_exec(figure.page, "w.surface = 'h'")
    expect(figure.setting("surface")).to_have_value("h")
    assert_surface_is(figure, "h")


def test_a_loss_reaches_both_ways(show: Callable[..., Figure]) -> None:
    figure = show(LSTM)
    figure.steer("gradients", "ArrowLeft", *["ArrowLeft"] * 12)
    expect(figure.tooltip).to_contain_text("Own loss (lag 0)")
    figure.steer("gradients", "ArrowDown", "ArrowDown", "ArrowDown")
    expect(figure.tooltip).to_contain_text("Loss 3 steps earlier (lag −3)")
    expect(figure.root.locator("[aria-live=polite]")).to_contain_text("Loss 3 steps earlier (lag −3). ")
    lit = figure.read().having("same-loss")
    assert {step + lag for step, lag in lit} == {9}
    assert {step for step, _ in lit} == set(range(2, 17)), "steps before the loss, and after it"
    expect(figure.root.locator("[data-panel=horizon] .received")).to_have_count(15)
    expect(figure.root.locator("[data-panel=horizon] .finding")).to_contain_text("ahead")


def test_both_memories_of_an_lstm_are_seen_together(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="cell='lstm', horizon=None"))
    figure.setting("surface").select_option("h")
    expect(figure.root.locator("[data-panel=horizon] .companion")).to_have_count(1)
    expect(figure.root.locator("[data-panel=horizon] .finding")).to_contain_text("Along c (line): ")
    figure.setting("surface").select_option("c")
    expect(figure.root.locator("[data-panel=horizon] .finding")).to_contain_text("Along h (line): ")
    figure.setting("surface").select_option("W_hh")
    expect(figure.root.locator("[data-panel=horizon] .companion")).to_have_count(0)


def test_a_row_of_the_map_opens_its_layer_and_a_loss_fans_out_in_all_of_them(show: Callable[..., Figure]) -> None:
    figure = show(LSTM)
    layers = figure.root.locator("[data-panel=layers]")
    labels = layers.locator(".track-labels text")
    expect(labels).to_have_text(["layer 2 ▸", "layer 2 ◂", "layer 1 ▸", "layer 1 ◂"])
    expect(layers.locator(".track-labels .shown")).to_have_count(2)
    row = labels.nth(3).bounding_box()
    step = figure.read().steps[9].cell
    assert row
    figure.point((step.center[0], row["y"] + row["height"] / 2))
    expect(figure.tooltip).to_contain_text("∂L/∂W_hh, layer 1 of 2, reverse")
    expect(layers.locator(".fan")).to_contain_text("The loss at step 9")
    assert {step + lag for step, lag in figure.read().having("same-loss")} == {9}
    figure.click((step.center[0], row["y"] + row["height"] / 2))
    assert_surface_is(figure, "W_hh_l0_reverse")
    expect(layers.locator(".track-labels .shown")).to_have_text(["layer 1 ◂"])
    figure.leave()
    figure.steer("layers", "ArrowLeft", "ArrowUp", "Enter")
    assert_surface_is(figure, "W_hh")
    expect(layers.locator(".track-labels .shown")).to_have_text(["layer 1 ▸"])


def test_a_saved_notebook_has_every_layer_without_a_kernel(show: Callable[..., Figure], page: Page, lab: Lab) -> None:
    figure = show(LSTM)
    figure.setting("surface").select_option("W_ih")
    assert_surface_is(figure, "W_ih_l1_both")
    kernel_exec(page, "w.surface = 'W_hh_l1'")
    assert_surface_is(figure, "W_hh_l1")
    save(page)
    path = notebook_path(page, lab)
    assert path.stat().st_size < 2e6
    open_saved(page, lab, path)
    expect(figure.root).to_have_attribute("data-surface", "W_hh_l1")
    figure.steer("layers", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowDown", "Enter")
    expect(figure.root).to_have_attribute("data-surface", "W_hh_l0_reverse")
    expect(figure.root.locator("[data-panel=gradients]")).to_contain_text("layer 1 of 2, reverse")


def test_a_jacobian_stands_under_its_bound(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="horizon=None, surface='jacobian'"))
    expect(figure.root).to_have_attribute("data-surface", "jacobian")
    expect(figure.setting("measure")).to_be_hidden()
    horizon = figure.root.locator("[data-panel=horizon]")
    expect(horizon.locator("[data-choice=log]")).to_have_attribute("aria-pressed", "true")
    expect(horizon.locator(".bound")).to_have_attribute("d", re.compile("^M"))
    expect(horizon).to_contain_text("bound (σ_max·γ)^lag")
    assert not figure.read().parts, "norms of Jacobians do not add up to bars"
    figure.root.locator("[data-panel=gradients] [data-choice=bars]").click()
    expect(figure.root.locator("[data-panel=gradients] .part").first).to_be_visible()
    assert_surface_is(figure, "jacobian")

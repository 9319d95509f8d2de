"""Inside the cell: numbers on the edges against the surfaces that Python works out on its own, and how one walks."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from figure import Figure, drawn_number
from harness import kernel_exec, kernel_value, next_drawing
from looks import assert_fits, each_theme, weak_texts
from playwright.sync_api import Locator, expect

SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), {settings}, hidden_size=24, horizon=None, record_every=20, learning_rate=0.02, seed=3)
w.train(400)
w
"""
STEPS = 25
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
# What else gives an edge's norm: a surface of the same step. The input is one-hot, so that δxᵀ is as large as δ.
SURFACES = {
    "tanh": {"h": "h", "a": "W_ih"},
    "relu": {"h": "h", "a": "W_ih"},
    "lstm": {"h": "h", "c": "c", "i": "W_ih[i]", "f": "W_ih[f]", "g": "W_ih[g]", "o": "W_ih[o]"},
    "gru": {"h": "h", "r": "W_ih[r]", "z": "W_ih[z]", "n": "W_ih[n]"},
}
# What leaves a step is what enters the step before.
PASSED_ON = {"h_before": "later_h", "c_before": "later_c", "direct": "later_direct"}
SPOTS = [(24, 24), (24, 17), (12, 3)]  # loss, step
LABELS = """panel => Object.fromEntries([...panel.querySelectorAll(".cell-edge")].map((edge) =>
  [edge.dataset.edge, panel.querySelector(`text[data-edge="${edge.dataset.edge}"]`).textContent]))"""
STRIPS = """panel => Object.fromEntries([...panel.querySelectorAll(".cell-strips g[data-edge]")].map((row) =>
  [row.dataset.edge, row.querySelector(".number").textContent]))"""
WIDTHS = """panel => Object.fromEntries([...panel.querySelectorAll(".cell-edge .flow")].map((line) =>
  [line.parentNode.dataset.edge, Number(line.getAttribute("stroke-width"))]))"""


def look_at(figure: Figure, panel: Locator, loss: int, step: int) -> None:
    """Point at a piece in panel 3."""
    figure.point(figure.read().parts[step, loss - step])
    picture = panel.locator("svg[tabindex]")
    expect(picture).to_have_attribute("data-step", str(step))
    expect(picture).to_have_attribute("data-loss", str(loss))


def numbers(panel: Locator, read: str = LABELS) -> dict[str, float]:
    next_drawing(panel.page)
    return {edge: drawn_number(text) for edge, text in panel.evaluate(read).items()}


@pytest.mark.parametrize("cell", sorted(SURFACES))
def test_every_number_is_the_norm_that_python_has(cell: str, show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings=f"cell={cell!r}"))
    figure.expect_batch(380)
    panel = figure.open_part("cell")
    truth: dict[str, Any] = {
        edge: kernel_value(figure.page, f"w.run.surface(380, {surface!r})") for edge, surface in SURFACES[cell].items()
    }
    for loss, step in SPOTS:
        look_at(figure, panel, loss, step)
        drawn, strips = numbers(panel), numbers(panel, STRIPS)
        assert drawn == strips
        for edge, surface in truth.items():
            assert drawn[edge] == pytest.approx(surface[step][loss - step], rel=0.05), edge
        assert (drawn["loss"] > 0) == (loss == step)
        widths = panel.evaluate(WIDTHS)
        in_order = sorted(drawn, key=lambda edge: drawn[edge])
        ordered = [widths[edge] for edge in in_order]
        assert ordered == pytest.approx(sorted(ordered), abs=0.2), "as wide as large, to the two digits that are drawn"
        figure.leave()
    look_at(figure, panel, 24, 10)
    here = numbers(panel)
    look_at(figure, panel, 24, 9)
    before = numbers(panel)
    for leaving, entering in PASSED_ON.items():
        if leaving in here:
            assert here[leaving] == before[entering], leaving


def test_it_opens_with_the_loss_that_panel_4_shows(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="cell='lstm'"))
    figure.expect_batch(380)
    picture = figure.open_part("cell").locator("svg[tabindex]")
    opening = re.search(r"The strongest loss, at step (\d+) ", figure.read().finding)
    assert opening
    expect(picture).to_have_attribute("data-loss", opening[1])
    expect(picture).to_have_attribute("data-step", opening[1])


def test_keys_walk_back_in_time_and_read_the_edges(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="cell='lstm'"))
    figure.expect_batch(380)
    panel = figure.open_part("cell")
    picture = panel.locator("svg[tabindex]")
    loss = int(picture.get_attribute("data-loss") or "")
    assert loss > 3
    expect(picture).to_have_attribute("data-step", str(loss))
    figure.steer("cell", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    expect(picture).to_have_attribute("data-step", str(loss - 3))
    drawn = figure.read()
    assert drawn.caused == {loss}, "the other panels show the loss"
    assert drawn.having("pointed") == {(loss - 3, 3)}, "and the piece"
    surface = kernel_value(figure.page, "w.run.surface(380, 'c')")
    names = panel.evaluate(LABELS)
    edge = next(index for index, name in enumerate(panel.evaluate(STRIPS)) if name == "c")
    figure.steer("cell", *["ArrowDown"] * (edge + 1))
    expect(figure.tooltip).to_be_visible()
    rows = figure.tooltip_rows()
    assert drawn_number(rows["norm"]) == pytest.approx(surface[loss - 3][3], rel=1e-5)
    assert f"∂L{loss}/∂c{loss - 3}".translate(SUBSCRIPTS) in rows
    expect(figure.root.locator(".announcer")).to_contain_text("norm")
    figure.page.keyboard.press("Escape")
    expect(figure.tooltip).to_be_hidden()
    figure.steer("cell", "Home")
    expect(picture).to_have_attribute("data-step", "0")
    figure.steer("cell", "End", "PageUp")
    expect(picture).to_have_attribute("data-step", str(max(0, loss - 10)))
    panel.locator("[data-action=later]").click()
    expect(picture).to_have_attribute("data-step", str(max(0, loss - 10) + 1))
    panel.get_by_role("slider").fill("7")
    expect(picture).to_have_attribute("data-step", "7")
    panel.locator("summary").focus()
    next_drawing(figure.page)
    assert not figure.read().caused
    expect(picture).to_have_attribute("data-step", "7")
    assert panel.evaluate(LABELS).keys() == names.keys()


def test_pointing_and_walking_never_ask_the_kernel(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="cell='gru'"))
    figure.page.set_viewport_size({"width": 1200, "height": 2600})
    figure.expect_batch(380)
    panel = figure.open_part("cell")
    figure.page.evaluate(
        """() => {
          const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
          window.sentToKernel = 0;
          kernel.anyMessage.connect((_, { direction }) => { if (direction === "send") window.sentToKernel += 1; });
        }"""
    )
    for loss, step in SPOTS:
        look_at(figure, panel, loss, step)
    figure.leave()
    figure.steer("cell", *["ArrowLeft"] * 5, "ArrowDown", "Escape")
    row = panel.locator(".cell-strips .ground").nth(2).bounding_box()
    assert row
    figure.page.mouse.move(row["x"] + 1.5 * row["width"] / STEPS, row["y"] + 5)
    expect(panel.locator("svg[tabindex]")).to_have_attribute("data-step", "1")
    assert figure.page.evaluate("window.sentToKernel") == 0


def test_the_panel_keeps_up_while_the_network_trains(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="cell='lstm'"))
    figure.expect_batch(380)
    panel = figure.open_part("cell")
    units = figure.open_part("units")
    figure.button("play").click()
    figure.expect_more_recorded(40)
    figure.button("play").click()
    figure.expect_state("paused")
    figure.expect_batch(kernel_value(figure.page, "w.run[-1].batch"))
    for open_panel in (panel, units):
        figure.expect_same_batch(open_panel)
    figure.click(figure.bar_place(4))
    figure.leave()
    figure.expect_batch(80)
    for open_panel in (panel, units):
        figure.expect_same_batch(open_panel)
    look_at(figure, panel, 12, 10)
    truth = kernel_value(figure.page, "w.run.surface(80, 'c')")
    assert numbers(panel)["c"] == pytest.approx(truth[10][2], rel=0.05)


def test_a_stream_is_followed(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="cell='gru', batch_size=3"))
    figure.expect_batch(380)
    panel = figure.open_part("cell")
    expect(panel.locator("summary")).to_contain_text("average over 3 streams")
    look_at(figure, panel, 20, 18)
    average = numbers(panel)["h"]
    figure.leave()
    found = []
    for stream in range(3):
        kernel_exec(figure.page, f"w.stream = {stream}")
        expect(panel.locator("summary")).to_contain_text(f"stream {stream + 1} of 3")
        expect(panel.locator(".part-note")).to_be_hidden()
        look_at(figure, panel, 20, 18)
        found.append(numbers(panel)["h"])
        figure.leave()
    assert average == pytest.approx(sum(found) / 3, rel=0.05)


def test_both_directions_of_a_layer_can_be_looked_into(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings="cell='lstm', num_layers=2, bidirectional=True"))
    figure.expect_batch(380)
    panel = figure.open_part("cell")
    expect(panel.locator("summary")).to_contain_text("W_hh_l1")
    panel.get_by_role("button", name="reverse").click()
    expect(panel.locator("summary")).to_contain_text("W_hh_l1_reverse")
    expect(panel.locator(".part-note")).to_be_hidden()
    picture = panel.locator("svg[tabindex]")
    loss = int(picture.get_attribute("data-loss") or "")
    assert loss < STEPS - 4
    figure.steer("cell", *["ArrowRight"] * 4)
    expect(picture).to_have_attribute("data-step", str(loss + 4))
    truth = kernel_value(figure.page, "w.run.surface(380, 'c_l1_reverse')")
    assert numbers(panel)["c"] == pytest.approx(truth[loss + 4][-5], rel=0.05)


@pytest.mark.parametrize("cell", ["lstm", "gru", "tanh"])
def test_nothing_sticks_out_or_overlaps_and_all_is_legible(cell: str, show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(settings=f"cell={cell!r}"))
    figure.page.set_viewport_size({"width": 1200, "height": 2600})
    figure.expect_batch(380)
    figure.open_part("cell")
    figure.open_part("units").locator(".unit-card").nth(1).click()
    expect(figure.root.locator(".unit-card[aria-pressed=true]")).to_have_count(1)
    expect(figure.root).not_to_have_attribute("aria-busy", "true")
    for width in (600, 1600, 430):
        figure.resize(width)
        for key in ("End", "PageUp"):
            figure.steer("cell", key)
            assert_fits(figure.root, width)
            assert figure.overlapping_labels() == [], width
    for theme in each_theme(figure.root):
        assert weak_texts(figure.root) == [], theme


def test_in_a_place_without_room_for_its_strips_no_width_is_negative(
    show: Callable[..., Figure],
) -> None:
    figure = show(SOURCE.format(settings="cell='lstm'"))
    figure.expect_batch(380)
    panel = figure.open_part("cell")
    grounds = panel.locator(".cell-strips .ground")
    width = "all => all.map((one) => Number(one.getAttribute('width')))"
    assert min(grounds.evaluate_all(width)) > 100
    figure.root.evaluate("root => { root.parentElement.style.width = '180px'; }")
    expect(figure.root).to_have_js_property("offsetWidth", 180)
    expect(grounds.first).to_have_attribute("width", re.compile(r"^\d$"))
    assert min(grounds.evaluate_all(width)) >= 0

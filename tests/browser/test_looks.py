"""Legible in both themes and at every width: contrast, alignment, nothing that sticks out or lies on something else."""

import re
from collections.abc import Callable
from itertools import pairwise, product

import pytest
from figure import Figure
from harness import command, kernel_exec, kernel_value, next_drawing
from looks import GRAPHICS, TEXTS, assert_fits, contrast, each_theme, weak_texts
from playwright.sync_api import Page, expect

SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=24, horizon={horizon}, record_every=5, seed=3)
w.train({batches})
w
"""
SHORT = "w = RNNbow('hello, world. ' * 30, seq_length=5, hidden_size=8)\nw.train(30)\nw"


def test_all_text_stands_out_from_its_own_background_in_both_themes(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE.format(horizon=6, batches=83))
    figure.expect_batch(80)
    open_choice(figure)
    figure.setting("horizon").fill("0")
    figure.setting("horizon").press("Enter")
    expect(figure.refusal("horizon")).not_to_be_empty()
    kernel_exec(page, "w.trainer.train = lambda batches: 1 / 0")
    figure.button("play").click()
    expect(figure.banner).to_be_visible()
    backgrounds = []
    for _ in each_theme(figure.root):
        figure.leave()
        figure.point(figure.read().parts[9, 2])
        expect(figure.tooltip).to_be_visible()
        kinds = {text["what"].split()[0] for text in figure.root.evaluate(TEXTS)}
        assert kinds >= {"DT", "text", "PRE", "BUTTON", "SPAN", "STRONG", "H3"}
        assert weak_texts(figure.root) == []
        backgrounds.append(figure.root.evaluate("root => getComputedStyle(root).backgroundColor"))
    assert len(set(backgrounds)) == 2, "a background of its own in each theme"
    assert all(re.fullmatch(r"rgb\(.*\)", background) for background in backgrounds), "that hides what lies behind"


@pytest.mark.parametrize("horizon", [6, None])
def test_nothing_sticks_out_or_overlaps_at_any_width(show: Callable[..., Figure], horizon: int | None) -> None:
    figure = show(SOURCE.format(horizon=horizon, batches=1503))
    figure.expect_recorded(301)
    open_choice(figure)
    for width in (600, 1600, 400):
        figure.resize(width)
        for measure in ("norm", "mean_abs", "share"):
            figure.setting("measure").select_option(measure)
            next_drawing(figure.page)
            assert_fits(figure.root, width)
            assert figure.overlapping_labels() == [], width
            picture = figure.read()
            swatches = figure.root.locator(".legend .strip i")
            assert swatches.evaluate_all("all => all.map(swatch => getComputedStyle(swatch).backgroundColor)") == [
                picture.parts[0, lag].fill for lag in range(horizon or 25)
            ]
            assert min(swatches.evaluate_all("all => all.map(swatch => swatch.getBoundingClientRect().width)")) > 3
            for mark in [*picture.parts.values(), *picture.received.values()]:
                cell = picture.steps[mark.step].cell
                assert (mark.x, mark.width) == pytest.approx((cell.x, cell.width), abs=0.001)
            edges = [step.cell.x for step in picture.steps.values()]
            assert len({after - before for before, after in pairwise(edges)}) == 1
        figure.point(picture.steps[24].cell)
        inside = figure.tooltip.evaluate(
            "tip => { const a = tip.getBoundingClientRect(), b = tip.parentElement.getBoundingClientRect();"
            "return a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom }"
        )
        assert inside, width
        figure.leave()


def test_a_figure_that_is_hidden_draws_nothing_and_is_right_when_shown_again(
    show: Callable[..., Figure], page: Page
) -> None:
    figure = show(SOURCE.format(horizon=6, batches=83))
    figure.expect_batch(80)
    command(page, "notebook:hide-cell-outputs")
    expect(figure.root).to_be_hidden()
    kernel_exec(page, "w.train(40); w.measure = 'share'; w.select(20)")
    next_drawing(page)
    command(page, "notebook:show-cell-outputs")
    figure.expect_recorded(25)
    figure.expect_batch(20)
    expect(figure.setting("measure")).to_have_value("share")
    assert len(figure.read().parts) == sum(min(6, 25 - step) for step in range(25))


def test_training_moves_nothing_but_the_numbers(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE.format(horizon=6, batches=83))
    figure.expect_batch(80)
    tops = "root => [...root.querySelectorAll('.panel svg:not(.icon)')].map((svg) => svg.getBoundingClientRect().top)"
    before = figure.root.evaluate(tops)
    figure.button("play").click()
    for _ in range(4):
        figure.expect_more_recorded(figure.recorded + 10)
        assert figure.root.evaluate(tops) == before
    figure.button("play").click()
    figure.expect_state("paused")
    for step in (3, 9, 15):
        figure.point(figure.read().steps[step].cell)
        assert figure.root.evaluate(tops) == before


def test_bars_have_an_outline_that_stands_out_and_neighbours_of_other_extensions_change_no_panel(
    show: Callable[..., Figure],
) -> None:
    figure = show(SOURCE.format(horizon=None, batches=83))
    figure.expect_batch(80)
    outlines = figure.root.locator("path.bar-outlines")
    color, path = outlines.evaluate("path => [getComputedStyle(path).stroke, path.getAttribute('d')]")
    assert contrast(color, "rgb(255, 255, 255)") >= GRAPHICS
    parts = figure.read().parts
    highest = {step: min(part.y for (of, _), part in parts.items() if of == step) for step in range(25)}
    drawn = [[float(number) for number in re.findall(r"-?[\d.]+", bar)] for bar in path.split("z") if bar]
    for step, (_, y, width, *_) in enumerate(drawn):
        expected = highest[step] - highest[0], parts[step, 0].width
        assert (y - drawn[0][1], width) == pytest.approx(expected, abs=0.02)
    grounds = (
        "all => all.map((panel) => { const { backgroundColor, boxShadow, borderTopWidth } = getComputedStyle(panel);"
    )
    looks = figure.root.locator(".panel").evaluate_all(
        f"{grounds} return [backgroundColor, boxShadow, borderTopWidth] }})"
    )
    assert {tuple(look) for look in looks} == {("rgba(0, 0, 0, 0)", "none", "0px")}


def test_buttons_begin_at_the_left_and_a_foldouts_help_stands_beside_its_title(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE.format(horizon=6, batches=83))
    figure.expect_batch(80)
    open_choice(figure)
    box = "node => { const box = node.getBoundingClientRect(); return [box.left, box.right, box.top, box.bottom] }"
    for width in (1200, 400):
        figure.resize(width)
        next_drawing(figure.page)
        edge = figure.root.locator(".status").evaluate(box)[0]
        assert figure.button("play").evaluate(box)[0] == pytest.approx(edge, abs=1)
        panel = figure.root.locator("[data-panel=choice]")
        _, title_right, title_top, title_bottom = panel.locator("summary").evaluate(box)
        left, right, top, bottom = panel.locator("button.how").evaluate(box)
        assert left >= title_right
        assert right <= panel.evaluate(box)[1]
        assert top < title_bottom
        assert bottom > title_top
        panel.locator("button.how").click()
        assert panel.locator(".how-to").evaluate(box)[2] >= panel.locator("summary").evaluate(box)[3]
        panel.locator("button.how").click()


def test_no_room_is_kept_for_a_reading_that_there_is_not(show: Callable[..., Figure]) -> None:
    figure = show(f"from rnnbow_widget import RNNbow\n{SHORT}")
    expect(figure.root.locator(".diagnoses")).to_be_visible()
    assert kernel_value(figure.page, "w.run.reading(w.run.batches[-1]).sentence()") == ""
    expect(figure.root.locator(".reading-aloud")).to_be_hidden()


def test_everything_is_in_view_on_half_a_narrow_page(show: Callable[..., Figure], page: Page) -> None:
    """The gradient's choices are wider there than the widget, if nothing holds them back, and so are titles of axes."""
    show(
        "from rnnbow_widget import RNNbow, corpora\n"
        "w = RNNbow(corpora.c_headers(), cell='lstm', bidirectional=True, hidden_size=10, record_every=10, seed=0)\n"
        "w.train(101)\nw",
        "from ipywidgets import HBox, Layout\nHBox([w], layout=Layout(width='250px'))",
    )
    narrow = Figure(page, 1)
    narrow.expect_batch(100)
    next_drawing(page)
    controls = narrow.root.locator("button:visible, select:visible, input:visible")
    frame = narrow.root.bounding_box()
    assert frame
    assert controls.count() > 20
    for control in controls.all():
        box = control.bounding_box()
        assert box
        assert box["x"] >= frame["x"], control.inner_text()
        assert box["x"] + box["width"] <= frame["x"] + frame["width"], control.inner_text()
    for form, overlay in product(("bars", "heatmap"), ("loss", None)):
        kernel_exec(page, f"w.form, w.overlay = {form!r}, {overlay!r}")
        expect(narrow.setting("overlay")).to_have_value(overlay or "")
        next_drawing(page)
        assert_fits(narrow.root, (form, overlay))


def open_choice(figure: Figure) -> None:
    """Measure which horizon is enough, and show the plot."""
    kernel_exec(figure.page, "w.measure_horizon()")
    figure.root.locator("[data-panel=choice] summary").click()
    expect(figure.root.locator("[data-panel=choice] svg[tabindex]")).to_be_visible()


def test_in_a_place_narrower_than_its_axes_no_width_is_negative(show: Callable[..., Figure], page: Page) -> None:
    figure = show(
        SOURCE.format(horizon=6, batches=83),
        "from ipywidgets import HBox, Layout\nHBox([w], layout=Layout(width='60px'))",
    )
    figure.expect_batch(80)
    narrow = Figure(page, 1)
    narrow.expect_recorded(17)
    next_drawing(page)
    widths = narrow.root.locator("rect[width]").evaluate_all(
        "all => all.map((one) => Number(one.getAttribute('width')))"
    )
    assert len(widths) > 25
    assert min(widths) >= 0

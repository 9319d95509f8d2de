"""Long windows, drawn and steered: the heat map, grouped lags, one zoom for panels 2 to 4, logarithmic panel 4.

One notebook serves all tests; each puts back what it changes.
"""

import math
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from figure import Figure, drawn_number
from harness import Lab, kernel_exec, kernel_value, next_drawing, run_notebook
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, expect

STEPS, LAGS = 128, 20
DENSE = 500  # steps of a window that has more cells than pixels
# Batches: the first, one with all lags, one with all lags whose gradient vanishes, one with a few lags.
ZERO_STATE, WHOLE, VANISHING, SHORT = 0, 1, 2, 3
WIDTH = 960  # wide enough for bars of the shorter windows
SOURCE = f"""
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=16, seq_length={STEPS}, horizon=None, init="orthogonal", seed=3)
w.step(); w.step(); w.trainer.rnn.parameters.W_hh *= 0.5; w.step(); w.horizon = {LAGS}; w.step()
w
"""
DENSE_SOURCE = f"""
dense = RNNbow(corpora.c_headers(), hidden_size=16, seq_length={DENSE}, horizon=None, init="orthogonal", seed=3)
dense.step()
dense
"""
PIXELS = """canvas => {
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const bytes = new Uint8Array(copy.getImageData(0, 0, width, height).data.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  const box = canvas.getBoundingClientRect();
  return { box: [box.x, box.y, box.width, box.height], size: [width, height], bytes: btoa(text) };
}"""
LEGEND = """legend => ({
  stops: [...legend.querySelectorAll("svg > rect")].map((stop) =>
    [Number(stop.getAttribute("x")), getComputedStyle(stop).fill]),
  ticks: [...legend.querySelectorAll(".colour-tick")].map((tick) =>
    [Number(/\\((.*),/.exec(tick.getAttribute("transform"))[1]), tick.textContent]),
  zero: getComputedStyle(legend.querySelector(".flat-swatch")).backgroundColor,
})"""
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Canvas:
    """A heat map as it is painted: pixels [y, x, rgba] with y upwards, and its place on the page."""

    pixels: Bytes
    left: float
    bottom: float
    width: float
    height: float

    def place(self, column: float, row: float, columns: int, rows: int) -> tuple[float, float]:
        """Where on the page the middle of a cell is."""
        x = self.left + (column + 0.5) * self.width / columns
        return x, self.bottom - (row + 0.5) * self.height / rows


@pytest.fixture(scope="module")
def figures(browser: Browser, lab: Lab) -> Iterator[tuple[Figure, Figure]]:
    """A window of which every cell has pixels of its own, and one of which not."""
    # Both are in view, also where they are narrow.
    with run_notebook(browser, lab, "long.ipynb", SOURCE, DENSE_SOURCE, height=5400) as page:
        first, second = Figure(page, 0), Figure(page, 1)
        first.expect_batch(SHORT)
        second.expect_batch(0)
        first.resize(WIDTH)
        yield first, second


@pytest.fixture
def figure(figures: tuple[Figure, Figure]) -> Iterator[Figure]:
    figure, _ = figures
    yield figure
    kernel_exec(figure.page, "w.measure, w.form = 'norm', 'auto'; w.select(None)")
    figure.steer("gradients", "0", "Escape")
    figure.leave()
    choose(figure, "horizon", "linear").click()


def show(figure: Figure, batch: int, *, measure: str = "norm", form: str = "auto") -> None:
    kernel_exec(figure.page, f"w.measure, w.form = {measure!r}, {form!r}; w.select({batch})")
    figure.expect_batch(batch)
    expect(figure.setting("measure")).to_have_value(measure)
    next_drawing(figure.page)


def choose(figure: Figure, panel: str, choice: str) -> Locator:
    return figure.root.locator(f"[data-panel={panel}] [data-choice={choice}]")


def pieces(figure: Figure, batch: int, *, measure: str = "norm") -> Floats:
    """What was recorded, [j, d], with NaN where the loss lies outside the window."""
    key = "W_hh" if measure == "norm" else f"W_hh:{measure}"
    items = np.array(kernel_value(figure.page, f"w.run.at({batch}).surfaces[{key!r}]"))
    steps, lags = np.indices(items.shape)
    items[steps + lags >= len(items)] = np.nan
    return items


def by_row(items: Floats, rows: str) -> Floats:
    """Pieces as the heat map arranges them: [row, column], rows upwards."""
    if rows == "lag":
        return items.T
    arranged = np.full((len(items), len(items)), np.nan)
    for step, lag in zip(*np.nonzero(~np.isnan(items)), strict=True):
        arranged[step + lag, step] = items[step, lag]
    return arranged


def canvas(figure: Figure) -> Canvas:
    found = figure.root.locator("canvas.heat").evaluate(PIXELS)
    left, top, width, height = found["box"]
    columns, rows = found["size"]
    pixels = np.frombuffer(b64decode(found["bytes"]), np.uint8).reshape(rows, columns, 4)[::-1]
    return Canvas(pixels, left, top + height, width, height)


def colors_expected(figure: Figure, values: Floats, sizes: Floats) -> Floats:
    """Colours that the legend gives to values above zero: between its stops, as its scale is said to be."""
    legend = figure.root.locator("section:has(canvas.heat) .heat-legend").evaluate(LEGEND)
    stops = [(x, rgb(color)) for x, color in legend["stops"]]
    least, most = sizes.min(), sizes.max()
    decades = math.log10(most / least)
    power = 0.5 if decades > 6 else 1
    intensity = 1 - (np.log10(most / values) / decades) ** power
    ticks = [(x, drawn_number(text)) for x, text in legend["ticks"]]
    left, right = min(x for x, _ in ticks), max(x for x, _ in ticks)
    for x, size in ticks:
        told = 1 - (max(0.0, math.log10(most / size)) / decades) ** power
        assert told == pytest.approx((x - left) / (right - left), abs=0.02), "the numbers stand where their colours are"
    places = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(intensity, places, [color[channel] for _, color in stops]) for channel in range(3)], -1)


def rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = map(int, re.findall(r"\d+", color)[:3])
    return red, green, blue


@pytest.mark.parametrize(("batch", "rows"), [(ZERO_STATE, "loss"), (WHOLE, "lag"), (SHORT, "lag")])
def test_every_cell_of_the_heat_map_has_the_colour_of_its_number(figure: Figure, batch: int, rows: str) -> None:
    show(figure, batch, form="heatmap")
    choose(figure, "gradients", rows).click()
    next_drawing(figure.page)
    items = pieces(figure, batch)
    cells = by_row(items, rows)  # (rows, n)
    drawn = canvas(figure)
    y, x = (np.indices(cells.shape) + 0.5) * np.array(drawn.pixels.shape[:2] / np.array(cells.shape))[:, None, None]
    seen = drawn.pixels[y.astype(int), x.astype(int)]  # (rows, n, 4)
    assert (seen[..., 3] == np.where(np.isnan(cells), 0, 255)).all(), "nothing where there is no piece"
    above = cells > 0
    expected = colors_expected(figure, cells[above], items[items > 0])
    assert np.abs(seen[above][:, :3] - expected).max() <= 6, "the legend's stops are a few shades apart"
    zeros = seen[cells == 0][:, :3]
    assert bool(len(zeros)) == (batch == ZERO_STATE), "after a zero state the first step receives nothing"
    zero = figure.root.locator("section:has(canvas.heat) .heat-legend").evaluate(LEGEND)["zero"]
    assert {tuple(color) for color in zeros.tolist()} <= {rgb(zero)}


@pytest.mark.parametrize("rows", ["loss", "lag"])
def test_a_piece_that_the_next_batch_does_not_have_is_pointed_at_no_more(figure: Figure, rows: str) -> None:
    show(figure, WHOLE, form="heatmap")
    choose(figure, "gradients", rows).click()
    next_drawing(figure.page)
    pointed = figure.root.locator(".heat-marks .pointed-cell")
    figure.point(canvas(figure).place(5, 100 if rows == "lag" else 105, STEPS, STEPS))
    expect(pointed).to_be_visible()
    kernel_exec(figure.page, f"w.select({SHORT})")
    figure.expect_batch(SHORT)
    expect(pointed).to_be_hidden()
    assert figure.broken_attributes() == []


@pytest.mark.parametrize("rows", ["loss", "lag"])
def test_pointing_at_a_cell_finds_that_very_piece(figure: Figure, rows: str) -> None:
    show(figure, WHOLE, measure="share", form="heatmap")
    choose(figure, "gradients", rows).click()
    next_drawing(figure.page)
    items = pieces(figure, WHOLE, measure="share")
    drawn = canvas(figure)
    for step, lag in [(0, 0), (0, 127), (60, 3), (100, 27), (127, 0), (33, 61)]:
        loss = step + lag
        figure.point(drawn.place(step, lag if rows == "lag" else loss, STEPS, STEPS))
        told = figure.tooltip_rows()
        assert told["received by"].startswith(f"step {step}, ")
        assert told["sent by the loss at"].startswith(f"step {loss}, ")
        assert drawn_number(told["signed share"]) == pytest.approx(items[step, lag], rel=5e-4)
        assert f"The loss at step {loss} (" in figure.read().finding
    figure.click(drawn.place(60, 3 if rows == "lag" else 63, STEPS, STEPS))
    figure.leave()
    assert "The pinned loss at step 63 (" in figure.read().finding
    figure.point(drawn.place(STEPS - 1, STEPS - 1 if rows == "lag" else 0, STEPS, STEPS))
    expect(figure.tooltip).to_be_hidden()


@pytest.fixture
def dense(figures: tuple[Figure, Figure]) -> Iterator[Figure]:
    _, dense = figures
    yield dense
    dense.leave()
    dense.resize(WIDTH)


@pytest.mark.parametrize("width", [WIDTH, 400])
def test_a_pixel_with_many_cells_shows_and_finds_the_largest(dense: Figure, width: int) -> None:
    dense.resize(width)
    expect(dense.root.locator("[data-panel=gradients] .hint")).to_contain_text("A pixel shows the largest of the cells")
    drawn = canvas(dense)
    rows, columns = drawn.pixels.shape[:2]
    assert rows < DENSE
    assert (columns < DENSE) == (width < DENSE)
    row_of = np.arange(DENSE) * rows // DENSE  # (n,): the line of pixels that a row is drawn in
    column_of = np.arange(DENSE) * columns // DENSE  # (n,): where columns share pixels, else the first of its pixels
    for step, loss in [(3, 3), (50, 51), (50, 200), (250, 499), (480, 481), (10, 300)]:
        together = np.flatnonzero(column_of == column_of[step])
        received = {j: kernel_value(dense.page, f"dense.run[0].surfaces['W_hh'][{j}]") for j in together}
        inside = [(t, j) for t in np.flatnonzero(row_of == row_of[loss]) for j in together if j <= t]
        largest, by = max(inside, key=lambda cell: received[cell[1]][cell[0] - cell[1]])
        x = drawn.left + (column_of[step] + 0.5) * drawn.width / columns
        dense.point((x, drawn.bottom - (row_of[loss] + 0.5) * drawn.height / rows))
        told = dense.tooltip_rows()
        assert told["received by"].startswith(f"step {by}, ")
        assert told["sent by the loss at"].startswith(f"step {largest}, ")
        assert drawn_number(told["norm"]) == pytest.approx(received[by][largest - by], rel=5e-4)


def test_the_invitation_to_read_labels_has_room_on_a_narrow_page(dense: Figure) -> None:
    dense.resize(400)
    invitation, frame = dense.root.locator(".label-strip .invite").bounding_box(), dense.root.bounding_box()
    assert invitation
    assert frame
    assert invitation["x"] + invitation["width"] <= frame["x"] + frame["width"]


def test_a_switch_chooses_bars_or_heat_map_for_python_too(figure: Figure) -> None:
    show(figure, SHORT)
    heat, bars = figure.root.locator("canvas.heat"), figure.root.locator("path.part")
    expect(heat).to_be_hidden()
    for form, other in [("heatmap", "bars"), ("bars", "heatmap")]:
        choose(figure, "gradients", form).click()
        expect(choose(figure, "gradients", form)).to_have_attribute("aria-pressed", "true")
        expect(choose(figure, "gradients", other)).to_have_attribute("aria-pressed", "false")
        expect(heat).to_be_visible(visible=form == "heatmap")
        expect(bars).to_have_count(LAGS if form == "bars" else 0)
        assert kernel_value(figure.page, "w.form") == form


@pytest.mark.parametrize("measure", ["norm", "share"])
def test_many_lags_are_grouped_and_bars_stay_as_tall(figure: Figure, measure: str) -> None:
    show(figure, WHOLE, measure=measure, form="bars")
    items = np.nan_to_num(pieces(figure, WHOLE, measure=measure))
    ladder = [(0, 0), (1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, 64), (65, 127)]
    axis = figure.read().axes["gradients"]
    groups = figure.root.locator("path.part").evaluate_all(
        "all => all.map((path) => [path.getAttribute('d'), getComputedStyle(path).fill, path.ownerSVGElement"
        ".getBoundingClientRect().x, path.ownerSVGElement.getBoundingClientRect().y])"
    )
    assert len(groups) == len(ladder)
    swatches = figure.root.locator(".legend .strip i")
    assert swatches.evaluate_all("all => all.map((swatch) => getComputedStyle(swatch).backgroundColor)") == [
        fill for _, fill, *_ in groups
    ]
    expect(figure.root.locator(".legend .strip")).to_have_text("123–45–89–1617–3233–6465–127")
    parts = [rectangles(path, left, top) for path, _, left, top in groups]
    step_of = {x: step for step, x in enumerate(sorted({part.x for part in parts[0]}))}
    assert len(step_of) == STEPS
    ups, downs = np.zeros(STEPS), np.zeros(STEPS)  # as far as each bar is stacked
    for (first, last), drawn in zip(ladder, parts, strict=True):
        above = np.maximum(items[:, first : last + 1], 0).sum(axis=1)  # (n,)
        below = np.minimum(items[:, first : last + 1], 0).sum(axis=1)  # (n,)
        wanted = {("up", j): (ups[j], ups[j] + above[j]) for j in range(STEPS)}
        wanted |= {("down", j): (downs[j] + below[j], downs[j]) for j in range(STEPS)}
        for part in drawn:
            bottom = part.top + part.height
            side = "up" if (part.top + bottom) / 2 < axis.zero else "down"
            low, high = wanted.pop((side, step_of[part.x]))
            assert part.top == pytest.approx(axis.y(high), abs=0.05)
            assert bottom == pytest.approx(axis.y(low), abs=0.05)
        assert all((high - low) * axis.unit < 0.1 for low, high in wanted.values()), "nothing that is there is left out"
        ups += above
        downs += below
    assert min(part.top for drawn in parts for part in drawn) == pytest.approx(
        axis.y(kernel_value(figure.page, f"w.run.at({WHOLE}).max_gradient('W_hh', {measure!r})")), abs=0.05
    )


@dataclass(frozen=True)
class Rectangle:
    x: float
    top: float
    height: float


def rectangles(path: str, left: float, top: float) -> list[Rectangle]:
    found = re.findall(r"M([\d.]+),([\d.]+)h([\d.]+)v([\d.e-]+)h", path)
    return [Rectangle(left + float(x), top + float(y), float(height)) for x, y, _, height in found]


def steps_in_view(figure: Figure) -> list[int]:
    """What the strip says that the panels show."""
    said = figure.root.locator(".context-head .range").inner_text()
    if said == f"All {STEPS} steps":
        return list(range(STEPS))
    found = re.fullmatch(rf"Steps (\d+)–(\d+) of {STEPS}", said)
    assert found, said
    return list(range(int(found[1]), int(found[2]) + 1))


def assert_aligned(figure: Figure, items: Floats, axis: Any) -> None:
    """Panels 2, 3 and 4 show the same steps in the same pixels, at the heights that they have without zoom."""
    steps = steps_in_view(figure)
    picture = figure.read()
    assert list(picture.steps) == steps
    columns = {step: (picture.steps[step].cell.x, picture.steps[step].cell.width) for step in steps}
    edges = [x for x, _ in columns.values()]
    assert {round(after - before) for before, after in pairwise(edges)} == {edges[1] - edges[0]}
    assert {step for step, _ in picture.parts} == set(steps)
    assert set(picture.received) <= set(steps)
    for mark in [*picture.parts.values(), *picture.received.values()]:
        assert (mark.x, mark.width) == pytest.approx(columns[mark.step], abs=0.001)
    assert picture.axes["gradients"] == axis, "zooming compares, and does not rescale"
    for (step, lag), part in picture.parts.items():
        assert part.height == pytest.approx(items[step, lag] * axis.unit, abs=0.02)


def center(figure: Figure, step: int) -> tuple[float, float]:
    """A place in panel 3, in the column of a step in view."""
    steps = steps_in_view(figure)
    plot = figure.root.locator("[data-panel=gradients] svg[tabindex]")
    box = plot.bounding_box()
    assert box
    grid = figure.root.locator("[data-panel=gradients] .zero-line").bounding_box()
    assert grid
    return grid["x"] + (step - steps[0] + 0.5) * grid["width"] / len(steps), box["y"] + 200


def test_one_zoom_for_panels_2_3_and_4_by_wheel_and_drag(figure: Figure) -> None:
    show(figure, SHORT, form="bars")
    items = pieces(figure, SHORT)
    axis = figure.read().axes["gradients"]
    mouse, keyboard = figure.page.mouse, figure.page.keyboard
    assert steps_in_view(figure) == list(range(STEPS))

    figure.point(center(figure, 64))
    keyboard.down("Control")
    mouse.wheel(0, -500)
    keyboard.up("Control")
    expect(figure.root.locator(".context-head .range")).not_to_have_text(f"All {STEPS} steps")
    assert 30 < len(steps_in_view(figure)) < 60
    assert figure.root.locator(".part.pointed").get_attribute("data-step") == "64", "what is pointed at stays"
    assert_aligned(figure, items, axis)

    before = steps_in_view(figure)
    x, y = center(figure, 64)
    width = center(figure, 65)[0] - x
    figure.drag((x, y), (x - 5 * width, y))
    assert steps_in_view(figure) == [step + 5 for step in before]
    assert "pinned" not in figure.read().finding, "a drag is no click"
    figure.leave()
    assert_aligned(figure, items, axis)


def test_keys_and_buttons_zoom_and_move_the_steps_in_view(figure: Figure) -> None:
    show(figure, SHORT, form="bars")
    items = pieces(figure, SHORT)
    axis = figure.read().axes["gradients"]
    figure.steer("gradients", "+", "+", "+")
    before = steps_in_view(figure)
    assert_aligned(figure, items, axis)
    figure.steer("gradients", "Shift+ArrowLeft")
    moved = steps_in_view(figure)
    assert len(moved) == len(before)
    assert moved[0] < before[0]
    figure.steer("gradients", "+")
    assert len(steps_in_view(figure)) < len(moved)
    assert_aligned(figure, items, axis)
    figure.steer("gradients", "-", "-")
    assert len(steps_in_view(figure)) > len(moved)
    figure.steer("gradients", "0")
    assert steps_in_view(figure) == list(range(STEPS))
    expect(figure.button("zoom-reset")).to_be_disabled()
    figure.button("zoom-in").click()
    next_drawing(figure.page)
    assert len(steps_in_view(figure)) == STEPS // 2
    figure.button("zoom-reset").click()
    next_drawing(figure.page)
    assert steps_in_view(figure) == list(range(STEPS))


def test_a_brush_over_the_strip_shows_the_steps_beneath_it(figure: Figure) -> None:
    show(figure, SHORT, form="bars")
    items = pieces(figure, SHORT)
    axis = figure.read().axes["gradients"]
    profile = figure.root.locator(".context .profile").bounding_box()
    assert profile
    width = profile["width"] / STEPS

    def drag(start: float, end: float) -> None:
        y = profile["y"] + profile["height"] / 2
        figure.drag((profile["x"] + start * width, y), (profile["x"] + end * width, y))

    drag(20, 60)
    assert steps_in_view(figure) == list(range(20, 60))
    assert_aligned(figure, items, axis)
    drag(40, 50)
    assert steps_in_view(figure) == list(range(30, 70)), "from the inside it is moved"
    drag(70, 80)
    assert steps_in_view(figure) == list(range(30, 80)), "an edge is moved alone"
    drag(100, 126)
    assert steps_in_view(figure) == list(range(100, 126))
    show(figure, SHORT, form="heatmap")
    drawn, picture = canvas(figure), figure.read()
    first, second = picture.steps[100].cell, picture.steps[101].cell
    gap = second.x - first.x - first.width
    assert drawn.left == pytest.approx(first.x - gap / 2, abs=0.001)
    for step in (100, 113, 125):
        figure.point(drawn.place(step - 100, 0, 26, min(LAGS, STEPS - 100)))
        assert figure.tooltip_rows()["received by"].startswith(f"step {step}, ")


def test_panel_4_on_a_logarithmic_axis_has_every_piece_at_its_height_and_counts_the_rest(figure: Figure) -> None:
    note = figure.root.locator(".axis-note")
    for batch, measure in [(WHOLE, "norm"), (WHOLE, "share"), (ZERO_STATE, "norm")]:
        show(figure, batch, measure=measure)
        choose(figure, "horizon", "log").click()
        next_drawing(figure.page)
        items = pieces(figure, batch, measure=measure)
        picture = figure.read()
        said = re.search(r"at step (\d+) \(", picture.finding)
        assert said
        loss = int(said[1])
        sent = {loss - lag: items[loss - lag, lag] for lag in range(loss + 1)}
        assert picture.received.keys() == sent.keys()
        ticks = figure.root.locator("[data-panel=horizon] .axis.values .tick").evaluate_all(
            "all => all.map((tick) => [tick.querySelector('text').textContent, "
            "tick.querySelector('line').getBoundingClientRect().y - 0.5])"
        )
        powers = sorted((math.log10(drawn_number(text)), y) for text, y in ticks)
        (low, near), (high, far) = powers[0], powers[-1]
        for step, mark in picture.received.items():
            if sent[step] == 0:
                assert mark.height == 0
                continue
            end = near + (math.log10(abs(sent[step])) - low) * (far - near) / (high - low)
            assert mark.bottom == pytest.approx(end, abs=0.1)
            assert ("negative" in mark.classes) == (sent[step] < 0)
        negative = sum(value < 0 for value in sent.values())
        assert (f"Violet, {negative} steps" in note.inner_text()) == (measure == "share")
        assert ("Grey dash at step 0" in note.inner_text()) == (batch == ZERO_STATE)
        choose(figure, "horizon", "linear").click()
        expect(note).to_have_text("")


def test_panel_4_marks_where_the_loss_no_longer_reaches(figure: Figure) -> None:
    show(figure, VANISHING)
    items = pieces(figure, VANISHING)
    drawn = figure.read()
    said = re.search(r"at step (\d+) \(.* falls below 1 % of its largest piece (\d+) steps? back", drawn.finding)
    assert said, drawn.finding
    loss, lag = int(said[1]), int(said[2])
    sizes = [items[loss - d, d] for d in range(loss + 1)]
    assert lag == next(d for d in range(int(np.argmax(sizes)), loss + 1) if sizes[d] < 0.01 * max(sizes))
    mark = figure.root.locator(".gone-mark line").bounding_box()
    assert mark
    assert mark["x"] == pytest.approx(drawn.received[loss - lag + 1].x, abs=1.5)

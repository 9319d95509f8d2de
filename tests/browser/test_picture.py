"""What Chromium draws, compared with the arrays in Python: every height, place, colour and label."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from expected import PIXEL, stacked, visible
from figure import Figure, Picture, drawn_number
from harness import Lab, kernel_exec, kernel_value, run_notebook, set_theme
from looks import luminance
from playwright.sync_api import Browser, Page, expect

MEASURES = ("norm", "mean_abs", "share")
HORIZONS = (6, None)
STEPS = 25
BATCH = 65  # neither the first nor the last recorded one

SOURCE = """
from rnnbow_widget import RNNbow, corpora
{name} = RNNbow(corpora.c_headers(), hidden_size=24, horizon={horizon}, record_every=5, seed=3)
{name}.train(83)
{name}.select({batch})
{name}
"""
ARRAYS = """
def arrays(widget, batch, measure):
    snapshot, key = widget.run.at(batch), "W_hh" if measure == "norm" else f"W_hh:{measure}"
    return {
        "items": snapshot.surfaces[key],
        "beyond": snapshot.beyond[key],
        "total": snapshot.step_totals[key],
        "targets": snapshot.targets,
        "predictions": snapshot.predictions,
        "correct": snapshot.correct,
        "max_gradient": snapshot.max_gradient("W_hh", measure),
        "loss": float(snapshot.loss.mean()),
        "span": [snapshot.start, snapshot.stop],
        "batches": widget.run.batches,
        "maxima": [other.max_gradient("W_hh", measure) for other in widget.run],
    }
"""
PIXELS = """async ([png, places]) => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return places.map(([x, y]) => [...context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data.slice(0, 3)]);
}"""


@dataclass(frozen=True)
class Drawn:
    """A picture, and the arrays that it stands for."""

    picture: Picture
    arrays: dict[str, Any]
    measure: str
    horizon: int | None
    painted: dict[tuple[int, int], str]

    @property
    def lags(self) -> int:
        return self.horizon or STEPS


@pytest.fixture(scope="module")
def drawings(browser: Browser, lab: Lab) -> dict[tuple[str, int | None], Drawn]:
    """One notebook with two widgets, read in each measure."""
    names = {horizon: f"w{horizon}" for horizon in HORIZONS}
    sources = [SOURCE.format(name=names[k], horizon=k, batch=BATCH) for k in HORIZONS]
    drawings = {}
    with run_notebook(browser, lab, "picture.ipynb", ARRAYS, *sources, height=4000) as page:
        for index, horizon in enumerate(HORIZONS):
            figure = Figure(page, index)
            figure.expect_batch(BATCH)
            for measure in MEASURES:
                kernel_exec(page, f"{names[horizon]}.measure = '{measure}'")
                expect(figure.setting("measure")).to_have_value(measure)
                picture = figure.read()
                arrays = kernel_value(page, f"arrays({names[horizon]}, {BATCH}, {measure!r})")
                drawings[measure, horizon] = Drawn(picture, arrays, measure, horizon, _painted(figure, picture))
    return drawings


@pytest.fixture(
    params=[(m, k) for m in MEASURES for k in HORIZONS], ids=lambda combination: "{}-{}".format(*combination)
)
def drawn(drawings: dict[tuple[str, int | None], Drawn], request: pytest.FixtureRequest) -> Drawn:
    return drawings[request.param]


def _painted(figure: Figure, picture: Picture) -> dict[tuple[int, int], str]:
    """Colour of the screen's pixel in the middle of every part that is tall enough to have one for itself."""
    covered = [(mark.step, mark.y - 2, mark.bottom + 2) for mark in picture.totals.values()]

    def is_free(place: tuple[int, int], y: float) -> bool:
        return not any(step == place[0] and top <= y <= bottom for step, top, bottom in covered)

    tall = {place: part.center for place, part in picture.parts.items() if part.height >= 3}
    seen = {place: center for place, center in tall.items() if is_free(place, center[1])}
    shot = b64encode(figure.page.screenshot()).decode()
    pixels = figure.page.evaluate(PIXELS, [shot, list(seen.values())])
    return {place: f"rgb({', '.join(map(str, pixel))})" for place, pixel in zip(seen, pixels, strict=True)}


def test_each_part_is_as_tall_as_its_piece_and_stands_on_those_before_it(drawn: Drawn) -> None:
    picture, axis = drawn.picture, drawn.picture.axes["gradients"]
    exists = {(j, d) for j in range(STEPS) for d in range(drawn.lags) if j + d < STEPS}
    assert picture.parts.keys() == exists
    for j in range(STEPS):
        places = stacked(drawn.arrays["items"][j], drawn.arrays["beyond"][j])
        for d in range(min(drawn.lags, STEPS - j)):
            part = picture.parts[j, d]
            assert part.y == pytest.approx(axis.y(places[d].high), abs=PIXEL), (j, d)
            assert part.bottom == pytest.approx(axis.y(places[d].low), abs=PIXEL), (j, d)
        assert picture.beyond[j].y == pytest.approx(axis.y(places[-1].high), abs=PIXEL)
        assert picture.beyond[j].bottom == pytest.approx(axis.y(places[-1].low), abs=PIXEL)
    assert any(mark.height > 0 for mark in picture.beyond.values()) == (drawn.horizon is not None)
    assert any(part.y >= axis.zero for part in picture.parts.values() if part.height > 0) == (drawn.measure == "share")


def test_the_mark_of_each_bar_is_at_the_size_of_the_sum(drawn: Drawn) -> None:
    axis = drawn.picture.axes["gradients"]
    for j, total in enumerate(drawn.arrays["total"]):
        assert drawn.picture.totals[j].center[1] == pytest.approx(axis.y(total), abs=PIXEL)


def test_the_tallest_bar_is_the_height_that_the_overview_draws_and_the_headline_says(drawn: Drawn) -> None:
    picture, arrays = drawn.picture, drawn.arrays
    tops = [*picture.parts.values(), *picture.beyond.values()]
    highest = min(mark.y for mark in tops)
    assert highest == pytest.approx(picture.axes["gradients"].y(arrays["max_gradient"]), abs=PIXEL)
    start, stop = arrays["span"]
    said = re.match(
        r"Batch (\S+)  ·  targets (\S+)–(\S+) of \S+  ·  max gradient (\S+)  ·  loss (\S+) nats per step",
        picture.headline,
    )
    assert said, picture.headline
    numbers = list(map(drawn_number, said.groups()))
    assert numbers[:3] == [BATCH, start, stop - 1]
    assert numbers[3] == pytest.approx(arrays["max_gradient"], rel=5e-4)
    assert numbers[4] == pytest.approx(arrays["loss"], abs=5e-4)


def test_the_overview_has_a_bar_of_the_right_height_for_every_recorded_batch(drawn: Drawn) -> None:
    picture, arrays = drawn.picture, drawn.arrays
    axis = picture.axes["overview"]
    assert arrays["batches"] == list(range(0, 83, 5))
    assert len(picture.bars) == len(arrays["batches"])
    for bar, height in zip(picture.bars, arrays["maxima"], strict=True):
        assert bar.top == pytest.approx(axis.y(height), abs=PIXEL)
    spacings = {round(after.x - before.x, 3) for before, after in pairwise(picture.bars)}
    assert len(spacings) == 1
    selected, bar = picture.selected, picture.bars[arrays["batches"].index(BATCH)]
    assert picture.selected_batch == BATCH
    assert (selected.x, selected.y, selected.width) == pytest.approx((bar.x, bar.top, bar.width), abs=PIXEL)
    assert selected.bottom == pytest.approx(axis.zero, abs=PIXEL)


def test_the_columns_of_panels_2_3_and_4_are_the_same_pixels(drawn: Drawn) -> None:
    picture = drawn.picture
    columns = {step: (picture.steps[step].cell.x, picture.steps[step].cell.width) for step in range(STEPS)}
    for mark in [*picture.parts.values(), *picture.beyond.values(), *picture.received.values()]:
        assert (mark.x, mark.width) == pytest.approx(columns[mark.step], abs=0.001)
    for mark in picture.totals.values():
        assert mark.center[0] == pytest.approx(picture.steps[mark.step].cell.center[0], abs=0.001)
    edges = [x for x, _ in columns.values()]
    spacings = {after - before for before, after in pairwise(edges)}
    assert len(spacings) == 1
    assert spacings.pop() == round(edges[1] - edges[0]), "columns are whole pixels apart"


def test_parts_get_lighter_with_the_lag_and_are_painted_in_their_colour(drawn: Drawn) -> None:
    picture = drawn.picture
    fills = [picture.parts[0, lag].fill for lag in range(drawn.lags)]
    assert all(part.fill == fills[part.lag] for part in picture.parts.values())
    light = [luminance(fill) for fill in fills]
    assert all(before < after for before, after in pairwise(light))
    assert len(drawn.painted) > 20
    assert drawn.painted == {place: picture.parts[place].fill for place in drawn.painted}


def test_labels_are_those_of_the_snapshot_and_what_is_right_differs_from_what_is_wrong_by_shape(drawn: Drawn) -> None:
    steps, arrays = drawn.picture.steps, drawn.arrays
    assert [steps[j].target for j in range(STEPS)] == list(map(visible, arrays["targets"]))
    assert [steps[j].prediction for j in range(STEPS)] == list(map(visible, arrays["predictions"]))
    right = {j for j in range(STEPS) if "right" in steps[j].classes}
    wrong = {j for j in range(STEPS) if "wrong" in steps[j].classes}
    assert right == {j for j in range(STEPS) if arrays["correct"][j]}
    assert wrong == set(range(STEPS)) - right
    assert right
    assert wrong
    assert {steps[j].verdict for j in right}.isdisjoint({steps[j].verdict for j in wrong})
    assert {steps[j].cell.fill for j in right}.isdisjoint({steps[j].cell.fill for j in wrong})


def test_panel_4_hangs_the_pieces_of_the_strongest_loss_below_the_steps_that_received_them(drawn: Drawn) -> None:
    picture, items = drawn.picture, drawn.arrays["items"]
    sent = [sum(abs(items[t - d][d]) for d in range(min(drawn.lags, t + 1))) for t in range(STEPS)]
    strongest = sent.index(max(sent))
    assert f"at step {strongest} (" in picture.finding
    pieces = {strongest - d: items[strongest - d][d] for d in range(min(drawn.lags, strongest + 1))}
    axis = picture.axes["horizon"]
    assert axis.unit < 0, "larger values lie lower"
    assert picture.received.keys() == pieces.keys()
    for step, mark in picture.received.items():
        ends = sorted([axis.zero, axis.y(pieces[step])])
        assert [mark.y, mark.bottom] == pytest.approx(ends, abs=PIXEL)


def test_the_dark_theme_draws_the_same_places_in_colours_of_its_own(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE.format(name="w", horizon=None, batch=BATCH))
    figure.expect_batch(BATCH)
    light = figure.read()
    set_theme(page, "JupyterLab Dark")
    expect(figure.root).to_have_attribute("data-theme", "dark")
    dark = figure.read()
    set_theme(page, "JupyterLab Light")
    for place, part in dark.parts.items():
        assert (part.height, part.width) == pytest.approx((light.parts[place].height, light.parts[place].width))
        assert part.fill != light.parts[place].fill
    fills = [dark.parts[0, lag].fill for lag in range(STEPS)]
    assert all(luminance(before) < luminance(after) for before, after in pairwise(fills))

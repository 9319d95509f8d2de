"""The overview of many batches: what each pixel column shows, zoom and pan, scales, the second line, and cues.

One notebook serves all tests; each puts back what it changes.
"""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from figure import Figure
from harness import Lab, kernel_exec, kernel_value, next_drawing, run_notebook, wait_for_value
from overview import LEFT, Floats, Overview, room, scale, shared_columns
from playwright.sync_api import Browser, expect

RECORDED = 3_000
EVERY = 2
SOURCE = f"""
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=4, seq_length=8, horizon=2, record_every={EVERY}, clip_norm=3.0, seed=3)
w.train({EVERY * RECORDED - 1})
w
"""


@pytest.fixture(scope="module")
def shared(browser: Browser, lab: Lab) -> Iterator[Figure]:
    with run_notebook(browser, lab, "overview.ipynb", SOURCE) as page:
        figure = Figure(page)
        figure.expect_recorded(RECORDED)
        yield figure


@pytest.fixture
def figure(shared: Figure) -> Iterator[Figure]:
    yield shared
    kernel_exec(shared.page, "w.quantity, w.overlay, w.log_scale = 'max_gradient', None, False; w.select(None)")
    expect(shared.button("follow")).to_have_attribute("aria-pressed", "true")
    expect(shared.setting("overlay")).to_have_value("")
    shared.steer("overview", "0")
    shared.leave()


def column(figure: Figure, name: str) -> Floats:
    return np.array(kernel_value(figure.page, f"w.run.column({name!r})"))


def pointed_batch(figure: Figure, place: tuple[float, float]) -> int:
    """The batch that is previewed at a place."""
    figure.point(place)
    return int(figure.root.get_attribute("data-batch") or -1)


def wheel(figure: Figure, place: tuple[float, float], delta: float) -> None:
    figure.point(place)
    figure.page.keyboard.down("Control")
    figure.page.mouse.wheel(0, delta)
    figure.page.keyboard.up("Control")
    next_drawing(figure.page)


def batches_in_view(figure: Figure) -> tuple[int, int]:
    """First and last batch under the pointer, at the ends of the plot."""
    drawn = Overview(figure)
    ends = pointed_batch(figure, drawn.place(0)), pointed_batch(figure, drawn.place(-1))
    figure.leave()
    return ends


@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
@pytest.mark.parametrize("quantity", ["max_gradient", "loss"])
def test_each_pixel_column_shows_the_highest_and_the_median_of_its_batches(
    figure: Figure, quantity: str, log: bool
) -> None:
    kernel_exec(figure.page, f"w.quantity, w.log_scale = {quantity!r}, {log}")
    expect(figure.setting("quantity")).to_have_value(quantity)
    expect(figure.button("log-scale")).to_have_attribute("aria-pressed", str(log).lower())
    drawn = Overview(figure)
    groups = shared_columns(column(figure, quantity), len(drawn.x), room(figure))
    assert drawn.x == list(range(LEFT, LEFT + len(groups))), "one column for each pixel"
    peaks = np.array([group.max() for group in groups])
    medians = np.array([np.median(group) for group in groups])
    np.testing.assert_allclose(drawn.tops, scale(drawn.values, peaks, log=log), atol=0.06)
    np.testing.assert_allclose(drawn.medians, scale(drawn.values, medians, log=log), atol=0.06)
    said = re.search(r"stands for about ([\d.]+) batches", drawn.note)
    assert said
    assert float(said[1]) == pytest.approx(np.mean([len(group) for group in groups]), rel=0.1)


def test_a_second_quantity_is_a_line_with_an_axis_of_its_own(figure: Figure) -> None:
    figure.setting("overlay").select_option("loss")
    wait_for_value(figure.page, "w.overlay", "loss")
    drawn = Overview(figure)
    groups = shared_columns(column(figure, "loss"), len(drawn.x), room(figure))
    np.testing.assert_allclose(drawn.line, scale(drawn.second, np.array([np.median(g) for g in groups])), atol=0.06)
    figure.setting("overlay").select_option("")
    wait_for_value(figure.page, "w.overlay", None)
    expect(figure.root.locator("[data-panel=overview] path.line")).to_be_hidden()


def test_the_wheel_zooms_around_the_pointer_and_every_batch_has_its_height(figure: Figure) -> None:
    whole = Overview(figure)
    place = whole.place(len(whole.x) // 2)
    before = pointed_batch(figure, place)
    for _ in range(5):
        wheel(figure, place, -120)
    after = pointed_batch(figure, place)
    drawn = Overview(figure)
    per_column = EVERY * RECORDED / len(whole.x)
    assert after == pytest.approx(before, abs=per_column + EVERY), "what the pointer is on stays under it"
    figure.leave()
    first, last = batches_in_view(figure)
    assert len(drawn.x) == (last - first) // EVERY + 1, "each batch has a bar of its own"
    values = column(figure, "max_gradient")[first // EVERY : last // EVERY + 1]
    np.testing.assert_allclose(drawn.tops, scale(drawn.values, values), atol=0.06)
    assert drawn.tops.min() < drawn.base - 20, "the axis is that of what is in view"
    for index in (0, 3, len(values) - 1):
        assert pointed_batch(figure, drawn.place(index)) == first + EVERY * index
    for _ in range(8):
        wheel(figure, place, 120)
    figure.leave()
    assert Overview(figure).x == whole.x
    expect(figure.button("whole-run")).to_be_disabled()


def test_a_drag_and_keys_pan_and_zoom_and_several_ways_lead_back(figure: Figure) -> None:
    page, whole = figure.page, batches_in_view(figure)
    kernel_exec(page, f"w.select({EVERY * RECORDED // 2})")
    figure.expect_batch(EVERY * RECORDED // 2)
    figure.steer("overview", "+", "+", "+", "+")
    first, last = batches_in_view(figure)
    assert first < EVERY * RECORDED // 2 < last
    assert last - first == pytest.approx((whole[1] - whole[0]) / 16, abs=0.01 * EVERY * RECORDED)
    x, y = Overview(figure).place(20)
    figure.drag((x, y), (x + 150, y))
    moved, _ = batches_in_view(figure)
    assert moved == pytest.approx(first - 150 * (last - first) / room(figure), abs=2 * EVERY)
    assert kernel_value(page, "w.selected") == EVERY * RECORDED // 2, "a drag selects nothing"
    figure.steer("overview", "Shift+ArrowRight")
    panned, _ = batches_in_view(figure)
    assert panned == pytest.approx(moved + (last - first) / 4, abs=2 * EVERY)
    figure.steer("overview", "-")
    wider = batches_in_view(figure)
    assert wider[1] - wider[0] == pytest.approx(2 * (last - first), abs=4 * EVERY)
    figure.steer("overview", "0")
    assert batches_in_view(figure) == whole
    figure.steer("overview", "+")
    figure.button("whole-run").click()
    assert batches_in_view(figure) == whole
    figure.steer("overview", "+")
    page.mouse.dblclick(*Overview(figure).place(5))
    assert batches_in_view(figure) == whole


def test_the_strip_shows_the_whole_run_and_its_brush_the_window(figure: Figure) -> None:
    kernel_exec(figure.page, "w.select(0)")
    figure.expect_batch(0)
    ground = figure.root.locator("svg.context .ground").bounding_box()
    columns = len(Overview(figure).x)
    assert ground

    def drag(start: float, end: float) -> None:
        y = ground["y"] + ground["height"] / 2
        figure.drag((ground["x"] + start * columns, y), (ground["x"] + end * columns, y))
        figure.leave()

    def assert_shows(start: float, end: float) -> None:
        found = batches_in_view(figure)
        pixel = EVERY * RECORDED / columns
        assert found == pytest.approx((start * EVERY * RECORDED, end * EVERY * RECORDED), abs=4 * pixel)
        brush = figure.root.locator("svg.context .brush").bounding_box()
        assert brush
        assert (brush["x"] - ground["x"]) / columns == pytest.approx(start, abs=0.01)
        assert brush["width"] / columns == pytest.approx(end - start, abs=0.01)

    drag(0.2, 0.5)
    assert_shows(0.2, 0.5)
    drag(0.3, 0.6)
    assert_shows(0.5, 0.8)
    drag(0.8, 0.9)
    assert_shows(0.5, 0.9)
    drag(0.5, 0.7)
    assert_shows(0.7, 0.9)
    fill = figure.root.locator("svg.context .brush").evaluate("brush => getComputedStyle(brush).fill")
    assert fill != "none", "what the brush covers is tinted"


def test_a_window_at_the_end_follows_training_and_another_stays(figure: Figure) -> None:
    figure.steer("overview", "+", "+", "+", "+", "+")
    before = batches_in_view(figure)
    newest = kernel_value(figure.page, "w.run[-1].batch")
    assert before[1] == newest
    recorded = figure.recorded
    kernel_exec(figure.page, f"w.train({10 * EVERY})")
    figure.expect_recorded(recorded + 10)
    after = batches_in_view(figure)
    assert after == (before[0] + 10 * EVERY, newest + 10 * EVERY)
    figure.steer("overview", "Shift+ArrowLeft", "Shift+ArrowLeft")
    stays = batches_in_view(figure)
    kernel_exec(figure.page, f"w.train({10 * EVERY})")
    figure.expect_recorded(recorded + 20)
    assert batches_in_view(figure) == stays


def test_cues_are_marked_at_their_batches_listed_with_reasons_and_reached_by_keys(figure: Figure) -> None:
    page = figure.page
    cues = kernel_value(page, "[[cue.batch, cue.kind, cue.reason] for cue in w.cues]")
    assert len(cues) > 3
    drawn = Overview(figure)
    ranked = {batch: kind for batch, kind, _ in reversed(cues)}
    assert drawn.marks
    for batch, kind, x in drawn.marks:
        assert ranked[batch] == kind, "a batch is marked with its first kind"
        group = (batch // EVERY) / len(column(figure, "loss")) * len(drawn.x)
        assert x - LEFT == pytest.approx(group, abs=1.5)
    for batch in ranked:
        x = LEFT + (batch // EVERY) / len(column(figure, "loss")) * len(drawn.x)
        assert any(abs(mark - x) < 14 for _, _, mark in drawn.marks), "only marks that would touch are left out"

    figure.root.locator("details.cues summary").click()
    entries = figure.root.locator("details.cues button")
    assert entries.evaluate_all("all => all.map((entry) => [Number(entry.dataset.batch), entry.dataset.cue])") == [
        [batch, kind] for batch, kind, _ in cues
    ]
    assert figure.root.locator(".cue-reason").all_inner_texts() == [reason for *_, reason in cues]
    entries.nth(1).click()
    wait_for_value(page, "w.selected", cues[1][0])
    figure.expect_batch(cues[1][0])
    expect(entries.nth(1)).to_have_attribute("aria-current", "true")

    kernel_exec(page, "w.select(0)")
    figure.expect_batch(0)
    ahead = sorted(batch for batch in ranked if batch > 0)
    said = figure.root.locator("[aria-live=polite]")
    for batch in ahead[:3]:
        figure.steer("overview", "n")
        figure.expect_batch(batch)
        reason = next(reason for at, _, reason in cues if at == batch)
        expect(said).to_have_text(f"Batch {batch:,} selected. {reason}")
    figure.steer("overview", "p")
    figure.expect_batch(ahead[1])
    wait_for_value(page, "w.selected", ahead[1])
    figure.root.locator("details.cues summary").click()

    mark = figure.root.locator(".cue-marks > g").first
    batch = int(mark.get_attribute("data-batch") or -1)
    mark.click()
    wait_for_value(page, "w.selected", batch)

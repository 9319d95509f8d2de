"""A minibatch: the average over streams and each single stream as drawn, compared with Python; the choice outlives."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from expected import PIXEL, stacked, visible
from figure import Figure, Picture, drawn_number
from harness import (
    Lab,
    kernel_exec,
    kernel_value,
    next_drawing,
    notebook_path,
    open_saved,
    run_notebook,
    save,
    wait_for_value,
)
from looks import assert_fits
from playwright.sync_api import Browser, Page, expect

STREAMS, STEPS, LAGS, BATCH = 4, 25, 6, 65
DENSE = 128
MEASURES = ("norm", "mean_abs", "share")
VIEWS = [None, *range(STREAMS)]
AVERAGE = f"average over {STREAMS} streams"
SOURCE = f"""
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=24, batch_size={STREAMS}, horizon={LAGS}, record_every=5, seed=3)
w.train(83)
w
"""
DENSE_SOURCE = f"""
dense = RNNbow(corpora.c_headers(), hidden_size=16, batch_size=3, seq_length={DENSE}, horizon=None, seed=3)
dense.train(300)
dense
"""
ARRAYS = """
def arrays(widget, batch, stream, measure):
    whole, key = widget.run.at(batch), "W_hh" if measure == "norm" else f"W_hh:{measure}"
    shown = whole if stream is None else whole.streams[stream]
    return {
        "items": shown.surfaces[key],
        "beyond": shown.beyond[key],
        "total": shown.step_totals[key],
        "right": [int(sum(one.correct[j] for one in whole.streams)) for j in range(whole.steps)],
        "targets": None if stream is None else shown.targets,
        "predictions": None if stream is None else shown.predictions,
        "correct": None if stream is None else shown.correct,
        "span": [shown.start, shown.stop],
        "max_gradient": whole.max_gradient("W_hh", measure),
        "loss": float(whole.loss.mean()),
    }
"""
SHARES = """root => {
  const svg = root.querySelector("[data-panel=predictions] svg").getBoundingClientRect();
  const read = (name) => [...root.querySelector(`.shares.${name}`).getAttribute("d")
    .matchAll(/M([\\d.]+),([\\d.]+)h([\\d.]+)v([\\d.]+)/g)]
    .map(([, ...numbers]) => numbers.map(Number))
    .map(([x, y, width, height]) => ({ x: svg.x + x, y: svg.y + y, width, height }));
  const hidden = root.querySelector(".share-columns").getClientRects().length === 0;
  return {
    hidden,
    right: read("right"),
    wrong: read("wrong"),
    texts: [...root.querySelectorAll(".share-columns text")].map((text) => text.textContent),
  };
}"""


def named(stream: int | None, count: int = STREAMS) -> str:
    return f"average over {count} streams" if stream is None else f"stream {stream + 1} of {count}"


def choose(figure: Figure, stream: int | None) -> None:
    """As a person does, by the list in the toolbar."""
    figure.setting("stream").select_option(index=0 if stream is None else 1 + stream)
    expect_stream(figure, stream)


def expect_stream(figure: Figure, stream: int | None) -> None:
    expect(figure.root).to_have_attribute("data-stream", "" if stream is None else str(stream))
    expect(figure.root.locator(".of-batch")).to_have_attribute("aria-busy", "false")
    next_drawing(figure.page)


@pytest.fixture(scope="module")
def figures(browser: Browser, lab: Lab) -> Iterator[tuple[Figure, Figure]]:
    with run_notebook(browser, lab, "streams.ipynb", ARRAYS, SOURCE, DENSE_SOURCE, height=4200) as page:
        first, second = Figure(page, 0), Figure(page, 1)
        first.expect_batch(80)
        second.expect_batch(200)
        yield first, second


@pytest.fixture
def figure(figures: tuple[Figure, Figure]) -> Iterator[Figure]:
    figure, _ = figures
    kernel_exec(figure.page, f"w.measure, w.stream = 'norm', None; w.select({BATCH})")
    figure.expect_batch(BATCH)
    expect_stream(figure, None)
    yield figure
    figure.leave()


def heights(picture: Picture) -> list[float]:
    return [round(picture.axes["overview"].zero - bar.top, 2) for bar in picture.bars]


def shares(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = figure.root.evaluate(SHARES)
    return found


def assert_draws(picture: Picture, arrays: dict[str, Any]) -> None:
    """Panels 3 and 4 are as tall as the numbers say."""
    axis = picture.axes["gradients"]
    for j in range(STEPS):
        places = stacked(arrays["items"][j], arrays["beyond"][j])
        for d in range(min(LAGS, STEPS - j)):
            part = picture.parts[j, d]
            assert [part.y, part.bottom] == pytest.approx([axis.y(places[d].high), axis.y(places[d].low)], abs=PIXEL)
        beyond = picture.beyond[j]
        assert [beyond.y, beyond.bottom] == pytest.approx([axis.y(places[-1].high), axis.y(places[-1].low)], abs=PIXEL)
        assert picture.totals[j].center[1] == pytest.approx(axis.y(arrays["total"][j]), abs=PIXEL)
    found = re.search(r"at step (\d+) ", picture.finding)
    assert found, picture.finding
    loss, axis = int(found[1]), picture.axes["horizon"]
    pieces = {loss - d: arrays["items"][loss - d][d] for d in range(min(LAGS, loss + 1))}
    assert picture.received.keys() == pieces.keys()
    for step, mark in picture.received.items():
        assert [mark.y, mark.bottom] == pytest.approx(sorted([axis.zero, axis.y(pieces[step])]), abs=PIXEL)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("stream", VIEWS)
def test_what_is_drawn_is_the_chosen_stream_in_numbers_and_words(
    figure: Figure, stream: int | None, measure: str
) -> None:
    kernel_exec(figure.page, f"w.measure = {measure!r}")
    expect(figure.setting("measure")).to_have_value(measure)
    choose(figure, stream)
    assert kernel_value(figure.page, "w.stream") == stream
    arrays = kernel_value(figure.page, f"arrays(w, {BATCH}, {stream}, {measure!r})")
    picture = figure.read()
    assert_draws(picture, arrays)
    for panel in ("predictions", "gradients", "horizon"):
        expect(figure.root.locator(f"[data-panel={panel}] h3")).to_contain_text(named(stream))
    assert named(stream) in picture.finding
    if measure == "norm":
        total = "norm of the mean of the streams’ sums" if stream is None else "norm of the sum"
        expect(figure.root.locator("[data-panel=gradients] .legend").first).to_contain_text(total)


@pytest.mark.parametrize("stream", range(STREAMS))
def test_labels_are_those_of_the_stream(figure: Figure, stream: int) -> None:
    choose(figure, stream)
    arrays = kernel_value(figure.page, f"arrays(w, {BATCH}, {stream}, 'norm')")
    steps = figure.read().steps
    assert [steps[j].target for j in range(STEPS)] == list(map(visible, arrays["targets"]))
    assert [steps[j].prediction for j in range(STEPS)] == list(map(visible, arrays["predictions"]))
    assert {j for j in steps if "right" in steps[j].classes} == {j for j in range(STEPS) if arrays["correct"][j]}
    assert shares(figure)["hidden"]
    figure.point(steps[7].cell)
    rows = figure.tooltip_rows()
    assert (rows["shown"], rows["true label"]) == (named(stream), visible(arrays["targets"][7]))


def test_the_average_shows_how_many_streams_were_right_and_where_to_read_text(figure: Figure) -> None:
    right = kernel_value(figure.page, f"arrays(w, {BATCH}, None, 'norm')")["right"]
    assert len(set(right)) > 2
    found, picture = shares(figure), figure.read()
    assert found["texts"] == [f"{count}/{STREAMS}" for count in right]
    assert picture.steps == {}
    filled = {round(box["x"]): box for box in found["right"]}
    empty = {round(box["x"]): box for box in found["wrong"]}
    for step, count in enumerate(right):
        part = picture.parts[step, 0]
        x = round(part.x)
        tall = [boxes[x]["height"] if x in boxes else 0 for boxes in (filled, empty)]
        assert tall == pytest.approx([44 * count / STREAMS, 44 * (1 - count / STREAMS)], abs=PIXEL)
        for boxes in (filled, empty):
            if x in boxes:
                assert (boxes[x]["x"], boxes[x]["width"]) == pytest.approx((part.x, part.width), abs=0.001)
        if count:
            assert filled[x]["y"] + filled[x]["height"] == pytest.approx(
                max(b["y"] + b["height"] for b in found["right"])
            )
    hint = figure.root.locator("[data-panel=predictions] .hint")
    expect(hint).to_contain_text(f"Average over {STREAMS} streams: labels differ; choose one stream to read its text")


def test_the_average_explains_cancellation_and_its_tooltips_name_no_label(figure: Figure) -> None:
    expect(figure.root.locator("[data-panel=gradients] .hint")).to_contain_text("streams cancel")
    right = kernel_value(figure.page, f"arrays(w, {BATCH}, None, 'norm')")["right"]
    figure.point(figure.read().parts[12, 3])
    rows = figure.tooltip_rows()
    assert (rows["shown"], rows["received by"], rows["sent by the loss at"]) == (AVERAGE, "step 12", "step 15")
    assert rows["predicted there"] == f"{right[15]} of {STREAMS} streams right"
    assert "norm of the mean of the streams’ sums" in rows
    choose(figure, 1)
    figure.point(figure.read().parts[12, 3])
    rows = figure.tooltip_rows()
    assert rows["shown"] == named(1)
    assert re.fullmatch("step 12, ‘.+’", rows["received by"])
    assert "norm of the sum" in rows
    expect(figure.root.locator("[data-panel=gradients] .hint")).not_to_contain_text("streams cancel")


def test_screen_readers_hear_which_stream_it_is(figure: Figure) -> None:
    announcer = figure.root.locator(".announcer")
    right = kernel_value(figure.page, f"arrays(w, {BATCH}, None, 'norm')")["right"]
    figure.steer("predictions", "Home")
    expect(announcer).to_contain_text(f"Step 0: {right[0]} of {STREAMS} streams right. shown: {AVERAGE}")
    figure.steer("gradients", "Escape", "ArrowLeft")
    expect(announcer).to_contain_text(f"shown: {AVERAGE}")
    choose(figure, 3)
    figure.steer("predictions", "Escape", "Home")
    expect(announcer).to_contain_text(f"shown: {named(3)}")
    figure.steer("predictions", "Escape")


def test_the_headline_has_the_place_of_the_stream_and_the_numbers_of_the_minibatch(figure: Figure) -> None:
    reading = figure.root.locator("[data-panel=overview] .reading")
    before = figure.read()
    for stream in VIEWS:
        choose(figure, stream)
        arrays = kernel_value(figure.page, f"arrays(w, {BATCH}, {stream}, 'norm')")
        picture = figure.read()
        assert heights(picture) == heights(before), "the overview is the minibatch's, whichever stream is shown"
        said = re.fullmatch(
            r"Batch (\S+)  ·  ([\w ]+?)(?:  ·  targets (\S+)–(\S+) of \S+)?  ·  "
            r"minibatch: max gradient (\S+)  ·  loss (\S+) nats per step(?:  ·  clipped)?",
            picture.headline,
        )
        assert said, picture.headline
        assert said[2] == named(stream)
        place = None if stream is None else [arrays["span"][0], arrays["span"][1] - 1]
        assert (said[3] and [drawn_number(said[3]), drawn_number(said[4])]) == place
        assert drawn_number(said[5]) == pytest.approx(arrays["max_gradient"], rel=5e-4)
        assert drawn_number(said[6]) == pytest.approx(arrays["loss"], abs=5e-4)
        expect(reading).to_contain_text("" if stream is None else f"the minibatch’s, the {AVERAGE}")
    expect(reading).to_be_visible()
    choose(figure, None)
    expect(reading).to_be_hidden()


def test_the_list_is_reached_and_used_by_keys_and_python_sees_the_choice(figure: Figure) -> None:
    select = figure.setting("stream")
    assert select.locator("option").all_text_contents() == [f"average of {STREAMS}", "1", "2", "3", "4"]
    figure.setting("measure").focus()
    figure.page.keyboard.press("ArrowDown")
    wait_for_value(figure.page, "w.measure", "mean_abs")
    figure.page.keyboard.press("Tab")
    expect(select).to_be_focused()
    figure.page.keyboard.press("ArrowDown")
    figure.page.keyboard.press("ArrowDown")
    expect_stream(figure, 1)
    wait_for_value(figure.page, "w.stream", 1)
    expect(select).to_have_attribute("title", re.compile(r"widget\.stream = 1"))
    kernel_exec(figure.page, "w.stream = 3")
    expect_stream(figure, 3)
    expect(select.locator("option:checked")).to_have_text("4")


def test_long_windows_and_narrow_pages_show_shares_too(figures: tuple[Figure, Figure]) -> None:
    first, figure = figures
    right = kernel_value(figure.page, "arrays(dense, 200, None, 'norm')")["right"]
    for width in (960, 420):
        figure.resize(width)
        found = shares(figure)
        assert (found["hidden"], found["texts"]) == (False, [])
        assert len(found["right"]) == sum(count > 0 for count in right)
        assert len(found["wrong"]) == sum(count < 3 for count in right)
        tall = [box["height"] for box in found["right"]]
        assert tall == pytest.approx([44 * count / 3 for count in right if count], abs=PIXEL)
        assert not figure.overlapping_labels()
        assert not first.overlapping_labels()
        assert_fits(figure.root, width)
    expect(figure.root.locator("[data-panel=predictions] .hint")).to_contain_text("choose one stream")
    expect(figure.root.locator(".letters")).to_be_hidden()
    figure.steer("predictions", "Home")
    expect(figure.root.locator(".announcer")).to_contain_text(f"Step 0: {right[0]} of 3 streams right")
    box = figure.root.locator(".share-mark").bounding_box()
    part = found["right"][0] if right[0] else found["wrong"][0]
    assert box
    assert box["x"] == pytest.approx(part["x"], abs=1.1)
    choose(figure, 2)
    figure.steer("predictions", "Home")
    expect(figure.root.locator(".letters")).to_be_visible()
    labels = kernel_value(figure.page, "arrays(dense, 200, 2, 'norm')")["targets"]
    read = figure.root.locator(".letters .target").all_text_contents()
    assert read == [visible(label) for label in labels[: len(read)]]
    assert len(read) > 10
    figure.steer("predictions", "Escape")
    figure.resize(960)


def test_the_choice_can_change_while_it_plays(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE)
    figure.button("play").click()
    for stream in (2, 0, None, 3):
        recorded = figure.recorded
        figure.setting("stream").select_option(index=0 if stream is None else 1 + stream)
        expect_stream(figure, stream)
        figure.expect_more_recorded(recorded + 20)
        expect_stream(figure, stream)
    figure.button("play").click()
    figure.expect_state("paused")
    kernel_exec(page, ARRAYS)
    newest = kernel_value(page, "w.run[-1].batch")
    figure.expect_batch(newest)
    expect_stream(figure, 3)
    assert_draws(figure.read(), kernel_value(page, f"arrays(w, {newest}, 3, 'norm')"))


def test_a_page_that_is_loaded_again_keeps_the_choice(show: Callable[..., Figure], page: Page, lab: Lab) -> None:
    figure = show(SOURCE)
    figure.expect_batch(80)
    save(page)
    choose(figure, 2)  # after the save: only the kernel knows
    before = figure.read()
    path = notebook_path(page, lab)
    open_saved(page, lab, path, kernel=True)
    figure.expect_batch(80)
    expect_stream(figure, 2)
    after = figure.read()
    assert [step.target for step in after.steps.values()] == [step.target for step in before.steps.values()]
    assert after.headline == before.headline
    figure.point(figure.bar_place(2))
    figure.expect_batch(10)
    expect_stream(figure, 2)
    figure.leave()


def test_a_saved_notebook_has_the_chosen_stream_and_says_that_others_are_not_there(
    show: Callable[..., Figure], page: Page, lab: Lab
) -> None:
    figure = show(SOURCE)
    figure.expect_batch(80)
    average = saved_bytes(figure, lab)
    choose(figure, 1)
    before = figure.read()
    chosen = saved_bytes(figure, lab)
    assert chosen < 1.1 * average, "one stream at a time, however many there are"
    path = notebook_path(page, lab)
    open_saved(page, lab, path)
    assert kernel_value(page, "'w' in globals()") is False
    figure.expect_batch(80)
    expect_stream(figure, 1)
    after = figure.read()
    assert [step.target for step in after.steps.values()] == [step.target for step in before.steps.values()]
    for index, batch in enumerate(range(0, 83, 5)):
        figure.point(figure.bar_place(index))
        figure.expect_batch(batch)
        expect_stream(figure, 1)
    figure.leave()
    figure.setting("stream").select_option(index=3)
    note = figure.root.locator(".pending-note")
    expect(note).to_contain_text("The details of batch 80, stream 3 of 4 are not in this notebook")
    expect(note).to_contain_text("Of that batch the notebook holds stream 2.")
    choose(figure, 1)
    expect(note).to_be_hidden()


def saved_bytes(figure: Figure, lab: Lab) -> int:
    """Save, and return how many characters of the notebook are state of widgets."""
    save(figure.page)
    saved = json.loads(notebook_path(figure.page, lab).read_text())
    return len(json.dumps(saved["metadata"]["widgets"]))


def test_one_stream_has_no_list_and_no_name(show: Callable[..., Figure]) -> None:
    figure = show("from rnnbow_widget import RNNbow, corpora\nw = RNNbow(corpora.c_headers(), seed=3)\nw.train(1)\nw")
    figure.expect_batch(0)
    expect(figure.setting("stream")).to_be_hidden()
    assert set(figure.root.locator(".of-stream").all_text_contents()) == {""}
    assert "stream" not in " ".join(figure.root.locator(".hint, .headline, .about, .finding").all_text_contents())

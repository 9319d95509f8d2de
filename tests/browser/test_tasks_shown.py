"""Tasks on the page: numbers and named classes, inputs, steps without a loss, baselines; compared with Python."""

from collections.abc import Iterator

import pytest
from figure import Figure, drawn_number
from harness import Lab, kernel_exec, kernel_value, next_drawing, run_notebook
from playwright.sync_api import Browser, expect

ADDING = """
from rnnbow_widget import RNNbow, Trainer, tasks
settings = dict(cell="lstm", hidden_size=8, init="uniform", record_every=10, horizon=None, seed=1)
adding = RNNbow(Trainer(tasks.Adding(12), batch_size=3, **settings), quantity="loss", stream=1)
adding.train(41)
adding
"""
RECALL = """
recall = RNNbow(Trainer(tasks.DelayedRecall(3, 30), **settings))
recall.train(11)
recall
"""
ORDER = """
order = RNNbow(Trainer(tasks.TemporalOrder(40), **settings), form="heatmap")
order.train(11)
order
"""


@pytest.fixture(scope="module")
def figures(browser: Browser, lab: Lab) -> Iterator[tuple[Figure, Figure, Figure]]:
    with run_notebook(browser, lab, "tasks.ipynb", ADDING, RECALL, ORDER, height=6000) as page:
        found = Figure(page, 0), Figure(page, 1), Figure(page, 2)
        for figure, batch in zip(found, (40, 10, 10), strict=True):
            figure.expect_batch(batch)
        yield found


def test_values_are_drawn_as_numbers_with_their_inputs(figures: tuple[Figure, Figure, Figure]) -> None:
    figure = figures[0]
    told = kernel_value(
        figure.page,
        "(lambda one: {'true': one.targets[-1, 0], 'found': one.predictions[-1, 0], 'inputs': one.inputs, "
        "'loss': one.loss[-1]})(adding.run[-1].streams[1])",
    )
    numbers = figure.root.locator(".value-columns text")
    expect(numbers).to_have_count(2)  # of the one step that has a loss
    assert drawn_number(numbers.nth(0).text_content() or "") == pytest.approx(told["true"], abs=6e-3)
    assert drawn_number(numbers.nth(1).text_content() or "") == pytest.approx(told["found"], abs=6e-3)
    rows = figure.root.locator(".input-rows g > path")
    expect(rows).to_have_count(2)
    marked = rows.nth(1).get_attribute("d") or ""
    assert marked.count("M") == sum(marker for _, marker in told["inputs"]) == 2
    assert (rows.nth(0).get_attribute("d") or "").count("M") == 12
    expect(figure.root.locator(".input-rows .row-label")).to_have_text(["number", "marker"])
    expect(figure.root.locator("[data-panel=predictions] .hint")).to_contain_text("Only step 11 has a loss")
    figure.steer("predictions", "End")
    rows_said = figure.tooltip_rows()
    assert drawn_number(rows_said["true value"]) == pytest.approx(told["true"], rel=1e-3)
    assert drawn_number(rows_said["predicted"]) == pytest.approx(told["found"], rel=1e-3)
    assert drawn_number(rows_said["loss"]) == pytest.approx(told["loss"], abs=6e-4)
    assert rows_said["input"].startswith("number ")
    figure.steer("predictions", "Home")
    expect(figure.tooltip).to_contain_text("no loss here")
    figure.steer("predictions", "Escape")


def test_the_baseline_is_a_line_and_in_the_status(figures: tuple[Figure, Figure, Figure]) -> None:
    figure = figures[0]
    level = figure.root.locator(".levels g")
    expect(level).to_have_count(1)
    expect(level.locator(".words")).to_have_text("baseline 0.167: always says 1")
    axis = figure.read().axes["overview"]
    box = level.locator("line").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] / 2 == pytest.approx(axis.y(1 / 6), abs=1)
    expect(figure.status("loss")).to_contain_text("baseline 0.167")
    expect(figure.status("perplexity")).to_be_hidden()
    figure.setting("quantity").select_option("grad_norm")
    expect(level).to_have_count(0)
    figure.setting("overlay").select_option("loss")
    expect(level).to_have_count(1)
    figure.setting("overlay").select_option("")
    figure.setting("quantity").select_option("loss")


def test_an_average_of_values_is_its_loss(figures: tuple[Figure, Figure, Figure]) -> None:
    figure = figures[0]
    figure.setting("stream").select_option(index=0)
    expect(figure.root).to_have_attribute("data-stream", "")
    expect(figure.root.locator(".value-columns text")).to_have_count(0)
    expect(figure.root.locator(".value-columns .baseline")).not_to_have_class("baseline hidden")
    expect(figure.root.locator(".input-rows")).to_have_count(0)
    figure.steer("predictions", "End")
    assert "mean of 3 streams" in figure.tooltip.inner_text()
    figure.steer("predictions", "Escape")
    figure.setting("stream").select_option(index=2)
    expect(figure.root.locator(".value-columns text")).to_have_count(2)


def test_many_values_are_marks_on_one_scale(figures: tuple[Figure, Figure, Figure]) -> None:
    figure = figures[1]
    figure.page.set_viewport_size({"width": 900, "height": 6000})
    next_drawing(figure.page)
    expect(figure.root.locator(".value-columns text")).to_have_count(0)
    counted = int(kernel_value(figure.page, "int(recall.run[-1].counted.sum())"))
    assert counted == 27
    for mark in ("true-value", "predicted-value", "error-size"):
        assert (figure.root.locator(f".value-columns .{mark}").get_attribute("d") or "").count("M") == counted
    figure.page.set_viewport_size({"width": 1200, "height": 6000})


def test_classes_have_names_and_steps_without_a_loss_have_none(figures: tuple[Figure, Figure, Figure]) -> None:
    figure = figures[2]
    told = kernel_value(
        figure.page,
        "(lambda one: {'true': one.targets, 'found': one.predictions[-1], "
        "'inputs': [one.input_vocabulary[token] for token in one.inputs]})(order.run[-1])",
    )
    steps = figure.root.locator("[data-panel=predictions] .step")
    expect(figure.root.locator(".input-rows .letters text")).to_have_text(told["inputs"])
    expect(steps.locator("text.target")).to_have_text(told["true"])
    assert told["true"][:-1] == [""] * 39
    assert told["true"][-1] in {"XX", "XY", "YX", "YY"}
    expect(steps.nth(39).locator("text.prediction")).to_have_text(told["found"])
    assert "lossless" in (steps.nth(38).get_attribute("class") or "")
    hint = figure.root.locator("[data-panel=gradients] .hint").first
    expect(hint).to_contain_text("Only step 39 has a loss: nothing is sent from the others, which is not vanishing.")
    expect(figure.root.locator(".samples")).to_be_hidden()
    figure.steer("predictions", "Home")
    expect(figure.root.locator("[data-panel=horizon] .finding")).to_contain_text("no loss here")
    figure.steer("predictions", "Escape")


def test_it_trains_on_from_the_page(figures: tuple[Figure, Figure, Figure]) -> None:
    figure = figures[1]
    before = figure.recorded
    figure.button("play").click()
    figure.expect_more_recorded(before + 2)
    figure.button("play").click()
    figure.expect_state("paused")
    expect(figure.banner).to_be_hidden()
    batch = int(kernel_value(figure.page, "recall.run[-1].batch"))
    figure.expect_batch(batch)
    kernel_exec(figure.page, "recall.reset()")
    expect(figure.root.locator(".levels g")).to_have_count(0)

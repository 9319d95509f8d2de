"""Training from the toolbar and from Python: both do the same, and the page shows what the kernel has."""

import time
from collections.abc import Callable

from agreement import assert_overview_agrees
from figure import Figure
from harness import kernel_exec, kernel_value, wait_for_value
from playwright.sync_api import Locator, expect

SOURCE = """
import numpy as np
from rnnbow_widget import RNNbow, Trainer, corpora

def make():
    return Trainer(corpora.c_headers(), hidden_size=16, horizon=5, record_every=20, seed=7)

def same(first, second):
    "Whether two trainers have done the same, to the last bit."
    return bool(
        first.batch == second.batch
        and np.array_equal(first.rnn.parameters.vector, second.rnn.parameters.vector)
        and first.run.batches.tolist() == second.run.batches.tolist()
        and all(
            a.surfaces.keys() == b.surfaces.keys()
            and all(np.array_equal(a.surfaces[key], b.surfaces[key]) for key in a.surfaces)
            for a, b in zip(first.run, second.run)
        )
    )

w, twin = RNNbow(make()), make()
w
"""
ANSWER_SECONDS = 2
# What is drawn: recorded batches and state.
NOTE_WHAT_IS_DRAWN = """root => {
  window.drawn = [];
  new MutationObserver(() => {
    window.drawn.push([Number(root.dataset.recorded), root.querySelector("[data-status=state]").textContent]);
  }).observe(root, { attributeFilter: ["data-recorded"] });
}"""


def assert_shows_what_the_kernel_has(figure: Figure) -> None:
    figure.expect_recorded(kernel_value(figure.page, "len(w.run)"))
    expect(figure.status("batch")).to_have_text(f"{kernel_value(figure.page, 'w.trainer.batch'):,}")
    if not kernel_value(figure.page, "len(w.run)"):
        return
    figure.expect_batch(kernel_value(figure.page, "w.run[-1].batch"))
    assert assert_overview_agrees(figure, "w") > 0


def enter(field: Locator, text: str) -> None:
    field.fill(text)
    field.press("Enter")


def test_play_trains_while_other_cells_run_and_pause_ends_it(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    expect(figure.root).to_contain_text("Press Play")
    figure.button("play").click()
    figure.expect_state("training")
    expect(figure.button("play")).to_have_text("Pause")
    expect(figure.button("step")).to_be_disabled()
    figure.expect_more_recorded(3)
    batch = figure.status("batch").text_content() or ""
    expect(figure.status("batch")).not_to_have_text(batch)
    for _ in range(3):
        begun, recorded = time.monotonic(), figure.recorded
        assert kernel_exec(figure.page, "print(6 * 7)") == "42\n"
        assert time.monotonic() - begun < ANSWER_SECONDS
        figure.expect_more_recorded(recorded)
    expect(figure.status("loss")).to_contain_text("nats/step")
    expect(figure.status("rate")).not_to_have_text("—")

    figure.button("play").click()
    figure.expect_state("paused")
    expect(figure.button("play")).to_have_text("Play")
    trained = kernel_value(figure.page, "w.trainer.batch")
    assert_shows_what_the_kernel_has(figure)
    assert kernel_value(figure.page, "w.trainer.batch") == trained
    assert kernel_value(figure.page, "[w.playing, w._conversation.leases.lock.locked()]") == [False, False]
    kernel_exec(figure.page, "twin.train(w.trainer.batch)")
    assert kernel_value(figure.page, "same(w.trainer, twin)"), "leases train as one call does"


def test_one_batch_next_record_and_reset_do_what_the_methods_do(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    for action, method in [
        ("step", "step"),
        ("record", "step_to_record"),
        ("step", "step"),
        ("step", "step"),
        ("record", "step_to_record"),
    ]:
        recorded = kernel_value(figure.page, "len(w.run)")
        figure.button(action).click()
        figure.expect_recorded(recorded + 1)
        kernel_exec(figure.page, f"twin.{method}()")
        assert kernel_value(figure.page, "same(w.trainer, twin)"), action
        assert_shows_what_the_kernel_has(figure)
        figure.expect_state("paused")
    assert kernel_value(figure.page, "w.run.batches") == [0, 20, 21, 22, 40]
    figure.button("reset").click()
    figure.expect_recorded(0)
    figure.expect_state("ready")
    kernel_exec(figure.page, "twin.reset()")
    assert kernel_value(figure.page, "same(w.trainer, twin)")
    expect(figure.root).to_contain_text("Press Play")
    figure.button("record").click()
    figure.expect_batch(0)
    kernel_exec(figure.page, "twin.step_to_record()")
    assert kernel_value(figure.page, "same(w.trainer, twin)")


def test_fields_change_the_trainer_and_keep_the_run(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.button("record").click()
    figure.expect_recorded(1)
    enter(figure.setting("learning_rate"), "0.02")
    enter(figure.setting("horizon"), "")
    enter(figure.setting("record_every"), "7")
    wait_for_value(figure.page, "[w.trainer.learning_rate, w.trainer.horizon, w.trainer.record_every]", [0.02, None, 7])
    figure.button("record").click()
    figure.expect_batch(7)
    assert len(figure.read().parts) == 25 * 26 // 2, "the whole window"
    kernel_exec(figure.page, "w.horizon = 3; w.learning_rate = 0.05")
    expect(figure.setting("horizon")).to_have_value("3")
    expect(figure.setting("learning_rate")).to_have_value("0.05")
    kernel_exec(figure.page, "w.trainer.horizon = 2; RNNbow(w.trainer).learning_rate = 0.04")
    expect(figure.setting("horizon")).to_have_value("2")
    expect(figure.setting("learning_rate")).to_have_value("0.04")
    kernel_exec(figure.page, "w.trainer.horizon = 3; w.trainer.learning_rate = 0.05")
    figure.button("record").click()
    figure.expect_batch(14)
    assert {lag for _, lag in figure.read().parts} == {0, 1, 2}
    kernel_exec(
        figure.page,
        "twin.step(); twin.learning_rate, twin.horizon, twin.record_every = 0.02, None, 7; twin.step_to_record(); "
        "twin.horizon, twin.learning_rate = 3, 0.05; twin.step_to_record()",
    )
    assert kernel_value(figure.page, "same(w.trainer, twin)")
    figure.click(figure.bar_place(0))
    figure.leave()
    figure.expect_batch(0)
    assert {lag for _, lag in figure.read().parts} == set(range(5)), "each batch is drawn with the lags it was given"


def test_a_refused_value_says_why_beside_the_field_and_changes_nothing(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.button("step").click()
    figure.expect_recorded(1)
    for name, refused, sentence, kept in [
        ("learning_rate", "-1", "learning_rate takes a finite number greater than 0, got -1", "0.1"),
        ("learning_rate", "", "learning_rate takes a finite number greater than 0, got None", "0.1"),
        ("horizon", "0", "horizon takes a whole number of at least 1, got 0", "5"),
        ("record_every", "2.5", "record_every takes a whole number, got 2.5", "20"),
    ]:
        field = figure.setting(name)
        enter(field, refused)
        expect(figure.refusal(name)).to_contain_text(sentence)
        expect(field).to_have_value(kept)
        expect(field).to_have_attribute("aria-invalid", "")
        expect(figure.banner).to_be_hidden()
    wait_for_value(figure.page, "[w.trainer.learning_rate, w.trainer.horizon, w.trainer.record_every]", [0.1, 5, 20])
    enter(figure.setting("horizon"), "4")
    wait_for_value(figure.page, "w.trainer.horizon", 4)
    expect(figure.refusal("horizon")).to_be_empty()
    assert_shows_what_the_kernel_has(figure)


def test_what_python_does_shows_on_the_page(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    kernel_exec(figure.page, "w.step(); w.step_to_record()")
    figure.expect_batch(20)
    assert_shows_what_the_kernel_has(figure)
    kernel_exec(figure.page, "w.train(100)")
    figure.expect_batch(120)
    assert_shows_what_the_kernel_has(figure)
    figure.expect_state("paused")
    kernel_exec(figure.page, "w.play()")
    figure.expect_state("training")
    figure.expect_more_recorded(20)
    expect(figure.button("play")).to_have_text("Pause")
    kernel_exec(figure.page, "w.train(200); w.trainer.train(200)")  # a cell may train too, while the page plays
    recorded = kernel_value(figure.page, "len(w.run)")
    figure.expect_more_recorded(recorded)
    kernel_exec(figure.page, "w.pause()")
    figure.expect_state("paused")
    assert_shows_what_the_kernel_has(figure)
    kernel_exec(figure.page, "twin.step(); twin.train(w.trainer.batch - 1)")
    assert kernel_value(figure.page, "same(w.trainer, twin)")
    written = kernel_value(figure.page, "w._reporter.samples")
    expect(figure.root.locator("[data-sample=first]")).to_have_js_property("textContent", written["first"]["text"])
    expect(figure.root.locator("[data-sample=now]")).to_have_js_property("textContent", written["now"]["text"])
    kernel_exec(figure.page, "w.play()")
    figure.expect_state("training")
    kernel_exec(figure.page, "w.reset()")
    figure.expect_recorded(0)
    figure.expect_state("ready")
    expect(figure.button("play")).to_have_text("Play")
    kernel_exec(figure.page, "twin.reset()")
    assert kernel_value(figure.page, "same(w.trainer, twin)")


def test_what_the_trainer_does_by_itself_is_drawn_while_it_does_it(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.root.evaluate(NOTE_WHAT_IS_DRAWN)
    kernel_exec(figure.page, "w.trainer.train(20_000)")
    figure.expect_state("paused")
    assert_shows_what_the_kernel_has(figure)
    counts = [recorded for recorded, state in figure.page.evaluate("window.drawn") if state == "training"]
    assert counts == sorted(counts)
    assert len(set(counts) - {1000}) >= 3, counts
    kernel_exec(figure.page, "twin.train(20_000)")
    assert kernel_value(figure.page, "same(w.trainer, twin)")
    kernel_exec(figure.page, "w.trainer.reset()")
    figure.expect_recorded(0)
    figure.expect_state("ready")


def test_two_widgets_of_one_trainer_show_the_same(show: Callable[..., Figure]) -> None:
    first = show(SOURCE, "RNNbow(w.trainer)")
    first.page.set_viewport_size({"width": 1200, "height": 3000})  # JupyterLab draws only cells that are in view
    second = Figure(first.page, 1)
    second.button("play").click()
    for figure in (first, second):
        figure.expect_more_recorded(5)
        figure.expect_state("training")
    second.button("play").click()
    for figure in (first, second):
        figure.expect_state("paused")
        assert_shows_what_the_kernel_has(figure)
    recorded = kernel_value(first.page, "len(w.run)")
    first.button("record").click()
    for figure in (first, second):
        figure.expect_recorded(recorded + 1)
        assert_shows_what_the_kernel_has(figure)
    enter(first.setting("learning_rate"), "0.02")
    expect(second.setting("learning_rate")).to_have_value("0.02")
    second.button("reset").click()
    for figure in (first, second):
        figure.expect_recorded(0)
        figure.expect_state("ready")

"""What goes wrong is said on the page, and the run up to there stays; what looks like markup is drawn as text."""

from collections.abc import Callable

from expected import is_label
from figure import Figure
from harness import kernel_exec, kernel_value, shut_kernel_down
from page_log import PageLog
from playwright.sync_api import Page, expect

SOURCE = """
import numpy as np
from rnnbow_widget import RNN, RNNbow, Trainer, corpora
w = RNNbow(corpora.c_headers(), hidden_size=24, horizon=6, record_every=5, seed=3)
w.train(23)
w
"""
MARKUP = ("<script>window.ran = true</script>", "&amp;", "<img src=x onerror='window.ran = true'>", "a", "b", "c")
STRANGE = {
    "\0": "␀",
    "\n": "↵",
    "\t": "⇥",
    " ": "␣",
    "😀": "😀",
    "א": "א",
    "\u202e": "U+202E",
    "<": "<",
    "&": "&",
    "x": "x",
}


def assert_stopped_and_kept(figure: Figure, batches: list[int]) -> None:
    expect(figure.button("play")).to_have_text("Play")
    figure.expect_recorded(len(batches))
    assert kernel_value(figure.page, "[w.playing, w._conversation.leases.lock.locked()]") == [False, False]
    assert kernel_value(figure.page, "w.run.batches") == batches
    figure.click(figure.bar_place(3))
    figure.leave()
    figure.expect_batch(batches[3])
    assert figure.broken_attributes() == []


def test_a_gradient_that_is_not_finite_ends_the_training_and_is_marked(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.expect_batch(20)
    expect(figure.banner).to_be_hidden()
    crosses = figure.root.locator(".diverged-bars .cross")
    expect(crosses).to_have_count(0)
    kernel_exec(figure.page, "w.trainer.rnn.parameters.W_hh[:] = np.nan")
    figure.button("play").click()
    figure.expect_state("diverged")
    expect(figure.banner).to_have_text(
        "The loss of batch 23 is not finite: training stopped before the weights changed. "
        "Reset and train with a smaller learning_rate, or with clipping (clip_value or clip_norm)."
    )
    figure.expect_batch(23)
    expect(crosses).to_have_count(1)
    expect(figure.root.locator(".headline")).to_contain_text("diverged")
    expect(figure.root.locator("[data-panel=gradients]")).to_contain_text("not finite cannot be drawn")
    expect(figure.root.locator("[data-panel=gradients]")).not_to_contain_text("is zero")
    assert figure.broken_attributes() == []
    assert figure.overlapping_labels() == []
    figure.point(figure.read().steps[4].cell)
    expect(figure.tooltip).to_contain_text("not a number")
    figure.leave()
    assert_stopped_and_kept(figure, [0, 5, 10, 15, 20, 23])
    figure.button("reset").click()
    figure.expect_state("ready")
    expect(figure.banner).to_be_hidden()
    figure.button("step").click()
    figure.expect_batch(0)
    expect(crosses).to_have_count(0)


def test_a_rate_far_too_large_is_said_to_diverge_and_a_smaller_one_trains_again(show: Callable[..., Figure]) -> None:
    figure = show(
        "from rnnbow_widget import RNNbow, corpora\n"
        "w = RNNbow(corpora.c_headers(), hidden_size=24, optimizer='sgd', clip_value=None, learning_rate=1e36, "
        "record_every=1, seed=3)\nw"
    )
    figure.button("play").click()
    figure.expect_state("diverged")
    expect(figure.banner).to_contain_text("is not finite")
    expect(figure.banner).to_contain_text("smaller learning_rate")
    assert figure.broken_attributes() == []
    assert figure.recorded == kernel_value(figure.page, "len(w.run)")
    figure.button("reset").click()
    figure.expect_state("ready")
    figure.setting("learning_rate").fill("0.01")
    figure.setting("learning_rate").press("Enter")
    figure.button("play").click()
    figure.expect_more_recorded(20)
    figure.button("play").click()
    figure.expect_state("paused")
    expect(figure.banner).to_be_hidden()


def test_an_exception_in_the_kernel_is_shown_and_playing_again_is_possible(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    kernel_exec(figure.page, "w.trainer.train = lambda batches: 1 / 0")
    figure.button("play").click()
    figure.expect_state("error")
    expect(figure.banner).to_contain_text("ZeroDivisionError: division by zero")
    expect(figure.banner).to_contain_text("what was recorded is kept")
    assert_stopped_and_kept(figure, [0, 5, 10, 15, 20])
    kernel_exec(figure.page, "del w.trainer.train")
    figure.button("play").click()
    figure.expect_more_recorded(10)
    figure.expect_state("training")
    expect(figure.banner).to_be_hidden()
    figure.button("play").click()
    figure.expect_state("paused")


def test_markup_in_the_data_is_drawn_as_text(show: Callable[..., Figure], page: Page) -> None:
    figure = show(
        "import numpy as np\n"
        "from rnnbow_widget import RNNbow\n"
        "from rnnbow_widget.corpora import Corpus\n"
        f"words = {MARKUP!r}\n"
        "tokens = np.random.default_rng(0).integers(0, len(words), 400).astype(np.int32)\n"
        "w = RNNbow(Corpus('<b>data</b> &amp; more', tokens, words), hidden_size=8, seq_length=6, record_every=5)\n"
        "w.train(20)\n"
        "w"
    )
    figure.expect_batch(15)
    drawn = figure.read().steps
    labels = kernel_value(page, "w.run[-1].targets")
    for step, label in enumerate(labels):
        shown = drawn[step].target
        assert is_label(shown, label.replace(" ", "␣")), label
        figure.point(drawn[step].cell)
        assert figure.tooltip_rows()["true label"] == label.replace(" ", "␣")
    expect(figure.root).to_contain_text("<b>data</b> &amp; more")
    expect(figure.root.locator("[data-sample=now]")).to_have_js_property(
        "textContent", kernel_value(page, "w._reporter.samples['now']['text']")
    )
    assert page.evaluate("window.ran") is None
    expect(figure.root.locator("script, img, b")).to_have_count(0)


def test_characters_without_ink_or_with_a_will_of_their_own_are_visible(
    show: Callable[..., Figure], page: Page
) -> None:
    figure = show(
        "from rnnbow_widget import RNNbow, corpora\n"
        f"text = {''.join(STRANGE)!r} * 30\n"
        f"w = RNNbow(corpora.text(text), hidden_size=8, seq_length={len(STRANGE)}, record_every=5)\n"
        "w.train(6)\n"
        "w"
    )
    figure.expect_batch(5)
    targets = kernel_value(page, "w.run[-1].targets")
    for width in (600, 1000):
        figure.resize(width)
        picture = figure.read()
        for step, label in enumerate(targets):
            shown = picture.steps[step].target
            assert is_label(shown, STRANGE[label]), label
            text = figure.root.locator(f".step[data-step='{step}'] .target").bounding_box()
            assert text
            assert text["width"] <= picture.steps[step].cell.width + 2, f"{shown} is wider than its column"
    assert "U+202E" in [step.target for step in picture.steps.values()]
    expect(figure.root.locator("[data-sample=now]")).to_have_js_property(
        "textContent", kernel_value(page, "w._reporter.samples['now']['text']")
    )


def test_when_its_kernel_is_shut_down_the_figure_stays_and_says_that_nobody_answers(
    show: Callable[..., Figure], page: Page, page_log: PageLog
) -> None:
    figure = show(SOURCE)
    figure.expect_batch(20)
    shut_kernel_down(page)
    figure.click(figure.bar_place(2))
    figure.leave()
    figure.expect_batch(10)
    figure.setting("measure").select_option("share")
    expect(figure.root.locator("[data-panel=gradients]")).to_contain_text("signed share")
    figure.setting("horizon").fill("3")
    figure.setting("horizon").press("Enter")
    figure.button("play").click()
    expect(figure.root.locator(".silence")).to_contain_text("has not answered")
    figure.expect_recorded(5)
    # Of traits that cannot be saved, ipywidgets itself tells the console; ours is that nothing throws.
    assert all("Could not send widget sync message" in line for line in page_log.complaints)
    page_log.console.clear()

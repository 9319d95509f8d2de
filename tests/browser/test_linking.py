"""How the panels are linked: hover, click and keys in one show in the others, and in the kernel."""

from collections.abc import Callable

import pytest
from figure import Figure, Picture, drawn_number
from harness import kernel_exec, kernel_value, wait_for_value
from playwright.sync_api import expect

STEPS, LAGS = 25, 6
BATCHES = list(range(0, 83, 5))
SOURCE = f"""
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=24, horizon={LAGS}, record_every=5, seed=3)
w.train(83)
w
"""


def pieces_of(loss: int) -> set[tuple[int, int]]:
    """(step, lag) of all that a loss sent, t = j + d."""
    return {(loss - lag, lag) for lag in range(min(LAGS, loss + 1))}


def assert_follows(picture: Picture, loss: int) -> None:
    """All panels show one loss: its parts, its labels, its pieces."""
    assert picture.having("same-loss") == pieces_of(loss)
    assert picture.caused == {loss}
    assert picture.received.keys() == {step for step, _ in pieces_of(loss)}
    assert len({picture.parts[place].fill for place in pieces_of(loss)}) == 1, "highlighted in one colour"


def assert_follows_nothing(picture: Picture) -> None:
    assert not picture.having("same-loss")
    assert not picture.having("pointed")
    assert not picture.caused
    assert "strongest loss" in picture.finding


def test_pointing_at_a_part_shows_all_that_its_loss_sent_in_every_panel(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.expect_batch(80)
    before = figure.read()
    items = kernel_value(figure.page, "w.run[-1].surfaces['W_hh']")
    losses = kernel_value(figure.page, "w.run[-1].loss")
    totals = kernel_value(figure.page, "w.run[-1].step_total")
    places = [(9, 2), (9, 0), (3, 4), (0, 0), (24, 0), (19, 5)]
    pointable = [place for place in places if before.parts[place].height >= 1]  # others are too thin
    assert len(pointable) >= 4
    for step, lag in pointable:
        loss = step + lag
        figure.point(before.parts[step, lag])
        picture = figure.read()
        assert_follows(picture, loss)
        assert picture.having("pointed") == {(step, lag)}
        assert picture.steps[loss].shade != before.steps[loss].shade
        assert f"The loss at step {loss} (" in picture.finding
        axis = picture.axes["horizon"]
        for place, lag_of_piece in pieces_of(loss):
            height = abs(axis.y(items[place][lag_of_piece]) - axis.zero)
            assert picture.received[place].height == pytest.approx(height, abs=0.02)
        rows = figure.tooltip_rows()
        assert rows["received by"].startswith(f"step {step}, ")
        assert rows["sent by the loss at"].startswith(f"step {loss}, ")
        assert drawn_number(rows["norm"]) == pytest.approx(items[step][lag], rel=5e-4)
        assert drawn_number(rows["norm of the sum"]) == pytest.approx(totals[step], rel=5e-4)
        assert rows["that loss"] == f"{losses[loss]:.3f} nats"
    figure.leave()
    picture = figure.read()
    assert_follows_nothing(picture)
    assert picture == before
    expect(figure.tooltip).to_be_hidden()


def test_pointing_at_a_label_shows_where_its_loss_went_and_a_click_pins_it(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.expect_batch(80)
    snapshot = kernel_value(figure.page, "(lambda s: [s.loss, s.probability, s.correct])(w.run[-1])")
    steps = figure.read().steps
    for loss in (0, 11, 24):
        figure.point(steps[loss].cell)
        assert_follows(figure.read(), loss)
        rows = figure.tooltip_rows()
        assert rows["loss"] == f"{snapshot[0][loss]:.3f} nats"
        assert drawn_number(rows["probability of the true label"]) == pytest.approx(snapshot[1][loss], rel=5e-4)
        expect(figure.tooltip).to_contain_text(f"Step {loss}: {'right' if snapshot[2][loss] else 'wrong'}")
    figure.click(steps[11].cell)
    figure.leave()
    pinned = figure.read()
    assert_follows(pinned, 11)
    assert "The pinned loss at step 11 (" in pinned.finding
    figure.point(steps[5].cell)
    assert_follows(figure.read(), 5)
    figure.leave()
    assert_follows(figure.read(), 11)
    figure.click(steps[11].cell)
    figure.leave()
    assert_follows_nothing(figure.read())


def test_pointing_at_the_overview_previews_and_a_click_selects_for_the_kernel_too(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.expect_batch(80)
    expect(figure.button("follow")).to_have_attribute("aria-pressed", "true")
    kernel_exec(figure.page, "changes = []; w.observe(lambda change: changes.append(change.new), 'selected')")
    for index in (0, 7, 3):
        figure.point(figure.bar_place(index))
        figure.expect_batch(BATCHES[index])
        picture = figure.read()
        assert picture.headline.startswith(f"Preview of batch {BATCHES[index]}  ·")
        assert picture.selected_batch == 80, "the selected bar stays"
    figure.leave()
    figure.expect_batch(80)
    assert kernel_value(figure.page, "changes") == [], "hover does not need the kernel"

    figure.click(figure.bar_place(7))
    wait_for_value(figure.page, "w.selected", BATCHES[7])
    figure.leave()
    figure.expect_batch(BATCHES[7])
    assert figure.read().selected_batch == BATCHES[7]
    expect(figure.button("follow")).to_have_attribute("aria-pressed", "false")
    kernel_exec(figure.page, "w.train(10)")
    figure.expect_recorded(len(BATCHES) + 2)
    figure.expect_batch(BATCHES[7])
    figure.button("follow").click()
    wait_for_value(figure.page, "w.selected", None)
    figure.expect_batch(90)


def test_python_selects_a_batch_and_a_measure_on_the_page_and_the_page_a_measure_in_python(
    show: Callable[..., Figure],
) -> None:
    figure = show(SOURCE)
    kernel_exec(figure.page, "w.select(15)")
    figure.expect_batch(15)
    assert figure.read().selected_batch == 15
    kernel_exec(figure.page, "w.select(None)")
    figure.expect_batch(80)
    kernel_exec(figure.page, "w.measure = 'share'")
    expect(figure.setting("measure")).to_have_value("share")
    expect(figure.root.locator("[data-panel=gradients]")).to_contain_text("signed share")
    shares = kernel_value(figure.page, "w.run[-1].surfaces['W_hh:share']")
    picture = figure.read()
    part = max(picture.parts.values(), key=lambda part: part.height)
    figure.point(part)
    rows = figure.tooltip_rows()
    assert drawn_number(rows["signed share"]) == pytest.approx(shares[part.step][part.lag], rel=5e-4)
    figure.setting("measure").select_option("mean_abs")
    wait_for_value(figure.page, "w.measure", "mean_abs")
    expect(figure.root.locator("[data-panel=gradients]")).to_contain_text("mean |entry|")


def test_keys_do_in_the_overview_what_the_mouse_does(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.expect_batch(80)
    for keys, batch in [
        (["ArrowLeft"], 75),
        (["ArrowLeft", "ArrowLeft"], 65),
        (["ArrowRight"], 70),
        (["Home"], 0),
        (["ArrowLeft"], 0),
        (["PageDown"], 50),
        (["End"], 80),
        (["PageUp"], 30),
    ]:
        figure.steer("overview", *keys)
        figure.expect_batch(batch)
        wait_for_value(figure.page, "w.selected", batch)
    expect(figure.root.locator("[aria-live=polite]")).to_have_text("Batch 30 selected.")
    figure.steer("overview", "Escape")
    wait_for_value(figure.page, "w.selected", None)
    figure.expect_batch(80)
    assert is_focused(figure, "overview"), "JupyterLab took no key for itself"


def test_keys_do_in_the_gradients_what_the_mouse_does(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.expect_batch(80)
    place = (24, 0)
    for key, move in [
        ("ArrowLeft", (0, 0)),  # the first key begins at the last step
        ("ArrowLeft", (-1, 0)),
        ("ArrowUp", (0, 1)),
        ("ArrowLeft", (-1, 0)),
        ("ArrowUp", (0, 1)),
        ("ArrowRight", (1, -1)),  # of step 23, the losses end with the window
        ("ArrowDown", (0, -1)),
    ]:
        figure.steer("gradients", key)
        place = (place[0] + move[0], place[1] + move[1])
        picture = figure.read()
        assert picture.having("pointed") == {place}
        assert_follows(picture, sum(place))
        expect(figure.tooltip).to_be_visible()
    expect(figure.root.locator("[aria-live=polite]")).to_contain_text("Own loss (lag 0). received by: step 23, ")
    figure.steer("gradients", "ArrowLeft", "Enter")
    figure.point(figure.read().steps[3].cell)
    figure.leave()
    assert_follows(figure.read(), 22)
    assert "The pinned loss at step 22 (" in figure.read().finding
    figure.steer("gradients", " ")
    assert_follows_nothing(figure.read())
    figure.steer("gradients", "ArrowLeft")
    assert_follows(figure.read(), 24)
    figure.steer("gradients", "Escape")
    assert_follows_nothing(figure.read())
    expect(figure.tooltip).to_be_hidden()
    assert is_focused(figure, "gradients"), "JupyterLab took no key for itself"
    figure.steer("gradients", "ArrowLeft", "Shift+Tab")
    assert_follows_nothing(figure.read())
    expect(figure.tooltip).to_be_hidden()


def test_a_piece_that_has_no_height_is_not_outlined(show: Callable[..., Figure]) -> None:
    figure = show(SOURCE)
    figure.expect_batch(80)
    figure.steer("overview", "Home")
    figure.expect_batch(0)  # the state before it is zero, and so are all pieces of step 0
    figure.steer("gradients", *["ArrowLeft"] * STEPS, "ArrowUp")
    picture = figure.read()
    assert picture.parts[0, 1].height == 0
    assert picture.having("same-loss") == pieces_of(1)
    assert not picture.having("pointed")
    figure.steer("gradients", "ArrowRight")
    assert figure.read().having("pointed") == {(1, 1)}


def is_focused(figure: Figure, panel: str) -> bool:
    focused = figure.page.evaluate("document.activeElement?.closest('section')?.dataset.panel")
    return bool(focused == panel)

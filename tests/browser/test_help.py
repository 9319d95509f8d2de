"""What explains the panels: the tour, a text and a pointer for each, and all of it as a line of Python."""

from collections.abc import Callable

import pytest
from figure import Figure, Mark
from harness import kernel_exec, kernel_value, next_drawing, wait_for_value
from playwright.sync_api import Page, expect

SOURCE = """
from rnnbow_widget import RNNbow, corpora
w = RNNbow(corpora.c_headers(), hidden_size=12, horizon=None, record_every=5, seed=3, learning_rate=0.01)
w.train(83)
w
"""
STEPS = 7
OUTLINED = """root => {
  const box = (node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return { x, y, width, height };
  };
  return [...root.querySelectorAll("svg.pointer rect")].map(box);
}"""


@pytest.fixture(autouse=True)
def unseen(page: Page) -> None:
    """Nobody has seen the tour yet."""
    if page.url.startswith("http"):
        page.evaluate("() => localStorage.clear()")


def offered(show: Callable[..., Figure]) -> Figure:
    figure = show(SOURCE)
    figure.expect_batch(80)
    return figure


def outlined(figure: Figure) -> list[dict[str, float]]:
    next_drawing(figure.page)
    found: list[dict[str, float]] = figure.root.evaluate(OUTLINED)
    return found


def surrounds(box: dict[str, float], mark: Mark) -> bool:
    return bool(
        box["x"] <= mark.x + 1
        and box["y"] <= mark.y + 1
        and box["x"] + box["width"] >= mark.x + mark.width - 1
        and box["y"] + box["height"] >= mark.y + mark.height - 1
        and box["width"] <= mark.width + 12
    )


def test_the_tour_goes_from_panel_to_panel_by_keys_and_is_remembered(show: Callable[..., Figure], page: Page) -> None:
    figure = offered(show)
    offer = figure.root.get_by_role("group", name="Tour")
    expect(offer).to_be_visible()
    figure.button("take-tour").click()
    expect(offer).to_be_hidden()
    tour = figure.root.get_by_role("dialog")
    expect(tour).to_be_focused()
    titles = []
    for place in range(STEPS):
        expect(tour).to_contain_text(f"{place + 1} of {STEPS}")
        titles.append(tour.locator("h3").inner_text())
        (box,) = outlined(figure)
        assert box["width"] > 0
        inside = tour.evaluate(
            "tip => { const a = tip.getBoundingClientRect(), b = tip.parentElement.getBoundingClientRect();"
            "return a.left >= b.left && a.right <= b.right }"
        )
        assert inside
        page.keyboard.press("ArrowRight")
    assert len(set(titles)) == STEPS
    expect(tour).to_have_count(0)
    assert outlined(figure) == []
    figure.button("tour").click()
    expect(tour).to_contain_text(f"1 of {STEPS}")
    page.keyboard.press("ArrowLeft")
    expect(tour).to_contain_text(f"1 of {STEPS}")
    figure.button("tour-next").click()
    expect(tour).to_contain_text(f"2 of {STEPS}")
    figure.button("tour-back").click()
    expect(tour).to_contain_text(f"1 of {STEPS}")
    page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    expect(figure.button("tour")).to_be_focused()
    again = offered(show)
    expect(again.root.get_by_role("group", name="Tour")).to_be_hidden()


def test_the_offer_is_declined_once_and_for_all(show: Callable[..., Figure]) -> None:
    figure = offered(show)
    figure.button("no-tour").click()
    expect(figure.root.get_by_role("group", name="Tour")).to_be_hidden()
    again = offered(show)
    expect(again.root.get_by_role("group", name="Tour")).to_be_hidden()


def test_the_tour_follows_the_live_widget(show: Callable[..., Figure], page: Page) -> None:
    figure = offered(show)
    figure.button("take-tour").click()
    tour = figure.root.get_by_role("dialog")
    expect(tour).to_contain_text("17 are here")
    expect(tour).to_contain_text("Batch 80")
    assert surrounds(outlined(figure)[0], figure.read().selected)
    kernel_exec(page, "w.train(30); w.select(20)")
    figure.expect_batch(20)
    expect(tour).to_contain_text("23 are here")
    expect(tour).to_contain_text("Batch 20")
    assert surrounds(outlined(figure)[0], figure.read().selected)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    picture = figure.read()
    largest = max(picture.parts.values(), key=lambda part: part.height)
    assert surrounds(outlined(figure)[0], largest)
    expect(tour).to_contain_text(f"Step {kernel_value(page, 'int(w.run.at(20).bar_heights().argmax())')} received")


def test_the_kernel_starts_the_tour_and_closing_it_is_told(show: Callable[..., Figure], page: Page) -> None:
    figure = show(SOURCE.replace("w.train(83)", "w.train(83); w.tour()"))
    tour = figure.root.get_by_role("dialog")
    expect(tour).to_be_visible()
    tour.focus()
    page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    wait_for_value(page, "w._touring", False)
    kernel_exec(page, "w.tour()")
    expect(tour).to_be_visible()


@pytest.mark.parametrize("panel", ["overview", "predictions", "gradients", "horizon"])
def test_a_panel_explains_itself_and_points_into_the_live_picture(
    show: Callable[..., Figure], page: Page, panel: str
) -> None:
    figure = offered(show)
    button = figure.root.locator(f"[data-panel={panel}] button.how")
    note = figure.root.locator(f"[data-panel={panel}] .how-to")
    button.focus()
    page.keyboard.press("Enter")
    expect(note).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    (box,) = outlined(figure)
    assert box["height"] > 0
    kernel_exec(page, "w.select(20)")
    figure.expect_batch(20)
    (box,) = outlined(figure)
    picture = figure.read()
    if panel == "horizon":
        line = figure.root.locator(".gone-mark line").first.bounding_box()
        assert line
        assert abs(box["x"] + box["width"] / 2 - line["x"]) < 4
    else:
        marks = {
            "overview": [picture.selected],
            "predictions": [step.cell for step in picture.steps.values()],
            "gradients": [max(picture.parts.values(), key=lambda part: part.height)],
        }[panel]
        assert any(surrounds(box, mark) for mark in marks)
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    assert outlined(figure) == []


def test_all_of_it_is_copied_as_a_line_of_python(show: Callable[..., Figure], page: Page) -> None:
    figure = offered(show)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure.setting("measure").select_option("share")
    kernel_exec(page, "w.select(20)")
    figure.expect_batch(20)
    figure.button("code").click()
    line = figure.root.get_by_label("This widget as Python")
    expect(line).to_be_visible()
    expect(line).to_have_value(kernel_value(page, "w.code()"))
    expect(figure.root.locator(".code-line [role=status]")).to_have_text("Copied.")
    assert page.evaluate("() => navigator.clipboard.readText()") == line.input_value()
    assert "measure='share'" in line.input_value()
    figure.button("close-code").click()
    expect(line).to_be_hidden()


def test_what_a_batch_says_follows_what_is_shown(show: Callable[..., Figure], page: Page) -> None:
    figure = offered(show)
    said = figure.root.locator(".reading-aloud")
    for batch in (80, 20):
        kernel_exec(page, f"w.select({batch})")
        figure.expect_batch(batch)
        expect(said).to_have_text(f"Batch {batch}: {kernel_value(page, f'w.run.reading({batch}).sentence()')}")
    figure.point(figure.bar_place(0))
    figure.expect_batch(0)
    expect(said).to_have_text(f"Batch 0: {kernel_value(page, 'w.run.reading(0).sentence()')}")
    figure.leave()
    kernel_exec(page, "w.surface = 'h'")
    expect(said).to_be_hidden()  # nothing is read of states: no room is kept for it
    kernel_exec(page, "w.surface = 'W_hh'")
    expect(said).to_be_visible()
    names = kernel_value(page, "[found.name for found in w.run.diagnoses()]")
    expect(figure.root.locator(".diagnoses summary")).to_have_text(f"Diagnosis: {' · '.join(names)}")

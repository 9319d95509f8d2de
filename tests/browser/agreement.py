"""Whether what is drawn equals what the run in the kernel holds, whatever was done to the page before."""

import math
from typing import Any

import numpy as np
import pytest
from expected import PIXEL, visible
from figure import Figure, axis
from harness import SLOW_MS, kernel_exec, kernel_value, next_drawing
from overview import Overview, room, scale, shared_columns
from playwright.sync_api import Locator, Page, expect

TOLD = """
import math
from rnnbow_widget.snapshot import stream_views, surface_key
def nearest(batches, wanted):
    return batches[-1] if wanted is None else min(batches, key=lambda batch: abs(batch - wanted))
def told(run, selected):
    batches = run.batches.tolist()
    return {"batches": batches, "shown": nearest(batches, selected) if batches else None}
def drawn(run, batch, stream, surface, measure):
    found = run.with_surface(batch, surface)
    (shown,), key = stream_views([found], stream), surface_key(surface, measure)
    labels = stream is not None or not found.streams
    return {
        "items": shown.surfaces[key],
        "total": shown.step_totals.get(key),
        "first_lag": shown.first_lags.get(surface, 0),
        "targets": shown.targets if labels else None,
        "predictions": shown.predictions if labels else None,
        "correct": shown.correct if labels else None,
    }
"""
SHOWN = """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap((cell) => {
  const outputs = cell.model.outputs;
  const model = outputs?.length && outputs.get(outputs.length - 1).data["application/vnd.jupyter.widget-view+json"];
  const root = cell.node.querySelector(".rnnbow");
  return model && root ? [[model.model_id, [...document.querySelectorAll(".rnnbow")].indexOf(root)]] : [];
})"""
SIDE = """side => ({
  parts: [...side.querySelectorAll("polygon.part")].map((part) =>
    [Number(part.dataset.step), Number(part.dataset.lag), part.getBoundingClientRect().height]),
  ticks: [...side.querySelectorAll("[data-panel=gradients] .axis.values .tick")]
    .filter((tick) => tick.getClientRects().length > 0)
    .map((tick) => [tick.querySelector("text").textContent, tick.querySelector("line").getBoundingClientRect().y]),
  batch: side.dataset.batch,
  recorded: Number(side.dataset.recorded),
})"""
TRAITS = ("measure", "quantity", "overlay", "stream", "surface", "learning_rate", "horizon", "record_every")


def shown_figures(page: Page, name: str) -> list[Figure]:
    """Every display of the widget that the kernel has under a name."""
    model = kernel_value(page, f"{name}.model_id")
    return [Figure(page, index) for shown, index in page.evaluate(SHOWN) if shown == model]


def plain(page: Page, name: str) -> None:
    """Choose what is drawn when nobody has chosen anything, but keep the batch."""
    kernel_exec(
        page,
        f"{name}.measure, {name}.form, {name}.quantity, {name}.log_scale = 'norm', 'bars', 'max_gradient', False\n"
        f"{name}.overlay = {name}.surface = None\n"
        f"{name}.stream = None if {name}.trainer.batch_size == 1 else 1",
    )


def assert_agrees(figure: Figure, name: str) -> int:
    """Compare a figure of the `RNNbow` of that name, which must not be playing; return how many marks were compared."""
    page = figure.page
    told = kernel_value(page, f"told({name}.run, {name}.selected)")
    expect(figure.root).to_have_attribute("data-recorded", str(len(told["batches"])), timeout=SLOW_MS)
    _assert_controls_agree(figure, name)
    if told["shown"] is None:
        expect(figure.root.locator(".invitation")).to_be_visible()
        return 0
    expect(figure.root).to_have_attribute("data-batch", str(told["shown"]), timeout=SLOW_MS)
    chosen = kernel_value(page, f"[{name}.measure, {name}.stream, {name}._reporter.checked_surface({name}.surface)]")
    measure, stream, surface = chosen
    expect(figure.root).to_have_attribute("data-surface", surface, timeout=SLOW_MS)
    expect(figure.root).to_have_attribute("data-stream", "" if stream is None else str(stream), timeout=SLOW_MS)
    if surface.startswith("jacobian"):
        measure = "norm"
    numbers = kernel_value(page, f"drawn({name}.run, {told['shown']}, {stream}, {surface!r}, {measure!r})")
    return _assert_bars_agree(figure, numbers)


def _assert_controls_agree(figure: Figure, name: str) -> None:
    page = figure.page
    status = kernel_value(page, f"{name}._conversation.status()")
    figure.expect_state(status["state"])
    expect(figure.status("batch")).to_have_text(f"{status['batch']:,}")
    for trait in ("learning_rate", "horizon", "record_every"):
        value = kernel_value(page, f"{name}.{trait}")
        expect(figure.setting(trait)).to_have_value("" if value is None else _as_typed(value))
    expect(figure.setting("measure")).to_have_value(kernel_value(page, f"{name}.measure"))
    expect(figure.button("play")).to_have_text("Play")


def _as_typed(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _assert_bars_agree(figure: Figure, numbers: dict[str, Any]) -> int:
    picture = figure.read()
    items, first = numbers["items"], numbers["first_lag"]
    assert all(math.isfinite(value) for row in items for value in row) or not picture.parts
    unit, zero = picture.axes["gradients"].unit, picture.axes["gradients"].zero
    for (step, lag), part in picture.parts.items():
        assert part.height == pytest.approx(abs(items[step][lag - first]) * unit, abs=0.05), (step, lag)
    for step, mark in picture.totals.items():
        total = numbers["total"][step]
        y = picture.axes["gradients"].y(abs(total) if first < 0 else total)
        if first < 0:  # the bar stands about the axis by size, and the mark is counted from its lower end
            y += max(part.bottom for place, part in picture.parts.items() if place[0] == step) - zero
        assert mark.center[1] == pytest.approx(y, abs=0.05), step
    if numbers["targets"] is not None:
        for step, drawn in picture.steps.items():
            assert drawn.target == visible(numbers["targets"][step])
            assert drawn.prediction == visible(numbers["predictions"][step])
            assert ("right" in drawn.classes) == numbers["correct"][step]
    return len(picture.parts) + len(picture.totals) + len(picture.steps)


def assert_overview_agrees(figure: Figure, name: str) -> int:
    """Compare the bars of panel 1 of a figure that draws what nobody has chosen; return how many were compared."""
    values = np.array(kernel_value(figure.page, f"{name}.run.column('max_gradient')"), float)  # (recorded,)
    if not np.isfinite(values).any():
        return 0
    figure.steer("overview", "0")
    overview = Overview(figure)
    each = len(overview.tops) == len(values)
    columns = list(values[:, None]) if each else shared_columns(values, len(overview.tops), room(figure))
    finite = np.array([np.isfinite(column).any() for column in columns])
    highest = np.array([np.nanmax(column) for column, some in zip(columns, finite, strict=True) if some])
    assert overview.tops[finite] == pytest.approx(scale(overview.values, highest), abs=PIXEL)
    return int(finite.sum())


def assert_sides_agree(root: Locator, name: str) -> int:
    """Compare every side of the comparison of that name, paused; return how many parts were compared."""
    page = root.page
    kernel_exec(page, f"{name}.measure, {name}.form, {name}.stream = 'norm', 'bars', None")
    compared = 0
    for index, side in enumerate(root.locator(".side").all()):
        run = f"list({name}.runs.values())[{index}]"
        told = kernel_value(page, f"told({run}, {name}.selected)")
        expect(side).to_have_attribute("data-recorded", str(len(told["batches"])), timeout=SLOW_MS)
        if told["shown"] is None:
            continue
        expect(side).to_have_attribute("data-batch", str(told["shown"]), timeout=SLOW_MS)
        next_drawing(page)
        found = side.evaluate(SIDE)
        items = kernel_value(page, f"{run}.at({told['shown']}).surfaces['W_hh']")
        unit = axis(found["ticks"]).unit if found["parts"] else 0.0
        for step, lag, height in found["parts"]:
            assert height == pytest.approx(items[step][lag] * unit, abs=0.05), (index, step, lag)
        compared += len(found["parts"])
    return compared


def assert_table_agrees(root: Locator, name: str) -> int:
    """Compare the table of the sweep of that name, which has ended; return how many losses were compared."""
    page = root.page
    expect(root).to_have_attribute("data-finished", "true", timeout=SLOW_MS)
    losses = kernel_value(page, f"[trial.loss for trial in {name}.trials]")
    for trial, loss in enumerate(losses):
        if math.isfinite(loss):
            expect(root.locator(f"tr[data-trial='{trial}'] td[data-label=loss]")).to_have_text(f"{loss:.3f}")
    return sum(map(math.isfinite, losses))

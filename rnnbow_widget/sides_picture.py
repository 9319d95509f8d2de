"""A still picture of several runs side by side, of the same batch. Needs matplotlib."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import numpy as np

from .picture import Pieces, as_png, draw_gradients, draw_horizon, new_figure, our_settings
from .run import Run

_WIDTH, _HEIGHTS = 5.6, (1.3, 2.2, 1.4)  # inches: of a side, and of the panels
_LINE = 75  # characters that fit above a side
_MARK = "#9c1c1c"
_FEW = 30  # batches that are dots, too


def draw_sides(
    runs: Mapping[str, Run],
    batch: int | None = None,
    *,
    measure: str = "norm",
    quantity: str = "horizon_length",
    stream: int | None = None,
    mark: tuple[int, int] | None = None,
    words: str = "",
) -> bytes:
    """Draw a quantity of all runs over training, and of each run panels 3 and 4 on scales that all have in common.

    Parameters
    ----------
    runs : mapping of str to Run
        By name; in each something is recorded.
    batch : int, optional
        Number of a batch; of runs that have not recorded it the nearest is drawn. By default the newest.
    measure, quantity, stream :
        As for `rnnbow_widget.picture.draw`.
    mark : (int, int), optional
        Step and lag of a piece to point at.
    words : str
        What is said above it.

    Returns
    -------
    bytes
        A PNG.
    """
    several = max(map(len, runs.values())) > 1
    heights = _HEIGHTS if several else _HEIGHTS[1:]
    with our_settings():
        figure = new_figure(_WIDTH * len(runs), sum(heights) + 0.6 * len(heights))
        lines = textwrap.fill(words, _LINE * len(runs))
        figure.suptitle(lines, x=0.01, horizontalalignment="left", fontsize=10)
        places = figure.add_gridspec(len(heights), len(runs), height_ratios=heights)
        if several:
            over = figure.add_subplot(places[0, :])
            for name, run in runs.items():
                over.plot(run.batches, run.column(quantity), label=name, marker="." if len(run) < _FEW else "")
            over.legend(frameon=False)
            over.locator_params(axis="x", integer=True)
            over.set_title(quantity.replace("_", " "), loc="left")
        rows = []
        for column, (name, run) in enumerate(runs.items()):
            bars, horizon = (figure.add_subplot(places[row, column]) for row in (-2, -1))
            wanted = run.batches[-1] if batch is None else batch
            number = int(run.batches[np.abs(run.batches - wanted).argmin()])
            snapshot = run.at(number)
            if stream is not None and snapshot.streams:
                snapshot = snapshot.streams[stream]
            pieces = Pieces(snapshot, snapshot.primary, measure)
            draw_gradients(bars, pieces, measure)
            loss = draw_horizon(horizon, pieces, measure, None if mark is None else sum(mark))
            bars.set_title(f"{name} · gradients per step, batch {number:,}", loc="left")
            horizon.set_title(f"{name} · what the loss at step {loss} sent back", loc="left")
            for panel in (bars, horizon):
                panel.set_xlim(-0.6, snapshot.steps - 0.4)
                panel.locator_params(axis="x", integer=True)
                panel.spines[["top", "right", "left", "bottom"]].set_visible(False)
                if mark is not None:
                    panel.axvline(mark[0], color=_MARK, linewidth=0.8, linestyle=":")
            if mark is not None:
                top = horizon.get_xaxis_transform()  # steps, and parts of the panel's height
                horizon.text(mark[0], 0.92, " first differs here", color=_MARK, transform=top)
            rows.append((bars, horizon))
        for alike in zip(*rows, strict=True):
            limits = [limit for panel in alike for limit in panel.get_ylim()]
            for panel in alike:
                panel.set_ylim(min(limits), max(limits))
    return as_png(figure)

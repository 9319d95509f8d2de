"""A still picture of the four panels, for reports: SVG or PNG, without a browser. Needs matplotlib.

The panels are those of the widget, in its colours.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import one_of, whole_number
from .measuring import MEASURES
from .overview import BAR_QUANTITIES, QUANTITIES
from .run import Run
from .snapshot import Float32, Snapshot, surface_key
from .visible_text import visible

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.font_manager import findfont, get_font
    from matplotlib.text import Text
except ImportError as error:
    raise ImportError("pictures need matplotlib: pip install 'rnnbow_widget[pictures]'") from error

_WIDTH, _HEIGHTS = 9.0, (1.1, 0.7, 2.2, 1.4)  # inches: of the picture, and of its panels
_DOTS = 160  # to an inch, of a PNG
_SEPARATE = 32  # more lags than this are grouped, as in the widget
_LEGIBLE = 64  # labels of more steps than this are too small to be read
_BARS = 600  # the overview has so many at most
_LONGEST_LABEL = 4

# The widget's colours on a light page: ordered in lightness, so that colour-blind people can tell them apart.
_LATER = ("#0b3d34", "#1d6b4a", "#4f9149", "#94b84f", "#d3d773")
_EARLIER = ("#3b1f4d", "#6a3fb0", "#8f74c9", "#b6a5dd", "#dcd3f0")
_TEXT, _MUTED, _BAR, _SELECTED, _SENT = "#1c1f23", "#5c6570", "#7d8791", "#d6207f", "#85b0e8"
_RIGHT, _WRONG, _BEYOND, _HATCH = "#d5efe6", "#fbe3d3", "#eceef0", "#8b939c"

_SETTINGS: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8,
    "text.color": _TEXT,
    "axes.labelcolor": _MUTED,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "text.parse_math": False,  # labels are text, whatever is in them
    "hatch.linewidth": 0.6,
    "hatch.color": _HATCH,
    "svg.fonttype": "none",  # text stays text: it can be searched, and has every letter that the reader's fonts have
    "svg.hashsalt": "rnnbow_widget",
}
_AXES = {
    "norm": "norm of each piece",
    "mean_abs": "mean |entry| of each piece",
    "share": "signed share of each piece",
}


def draw(
    run: Run,
    batch: int | None = None,
    *,
    surface: str | None = None,
    measure: str = "norm",
    stream: int | None = None,
    quantity: str = "max_gradient",
) -> Figure:
    """Draw a recorded batch, and the run around it.

    Parameters
    ----------
    run : Run
        What was recorded.
    batch : int, optional
        Number of a recorded batch; by default the newest one.
    surface : str, optional
        Name of a surface; by default the primary one.
    measure : str
        "norm", "mean_abs" or "share".
    stream : int, optional
        Which stream of a minibatch, from 0; by default the average over streams.
    quantity : str
        What the overview shows of each batch, one of `rnnbow_widget.overview.QUANTITIES`.

    Returns
    -------
    matplotlib.figure.Figure
        Nothing of matplotlib's own state is changed.

    Raises
    ------
    KeyError, ReplayError, ThinnedError
        If the batch was not recorded, its details are held no more, or the surface cannot be worked out.
    TypeError, ValueError
        If an argument is not of the kind above, or nothing is recorded.
    """
    if not len(run):
        raise ValueError("run takes one in which something is recorded; this one is empty")
    one_of("measure", measure, MEASURES)
    one_of("quantity", quantity, QUANTITIES)
    number = int(run.batches[-1]) if batch is None else whole_number("batch", batch, minimum=0)
    snapshot = run.at(number) if surface is None else run.with_surface(number, surface)
    if stream is not None:
        if whole_number("stream", stream, minimum=0) >= len(snapshot.streams):
            raise ValueError(f"stream takes one of the {len(snapshot.streams)} streams, from 0; got {stream}")
        snapshot = snapshot.streams[stream]
    surface = surface or snapshot.primary
    with our_settings():
        figure = new_figure(_WIDTH, sum(_HEIGHTS) + 2.4)
        overview, labels, gradients, horizon = figure.subplots(4, height_ratios=_HEIGHTS)
        _draw_overview(overview, run, number, quantity, surface, measure)
        _draw_labels(labels, snapshot)
        pieces = Pieces(snapshot, surface, measure)
        draw_gradients(gradients, pieces, measure)
        draw_horizon(horizon, pieces, measure)
        for panel in (labels, gradients, horizon):
            panel.set_xlim(-0.6, snapshot.steps - 0.4)
        for panel in (overview, gradients, horizon):
            panel.locator_params(axis="x", integer=True)
        for panel in (overview, labels, gradients, horizon):
            panel.spines[["top", "right", "left", "bottom"]].set_visible(False)
    return figure


def to_svg(run: Run, batch: int | None = None, **settings: Any) -> str:
    """Return a picture as SVG; the same run gives the same text. For arguments and errors see `draw`."""
    written = io.StringIO()
    with our_settings(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # text is drawn with the reader's fonts
        draw(run, batch, **settings).savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()


def to_png(run: Run, batch: int | None = None, **settings: Any) -> bytes:
    """Return a picture as PNG. For arguments and errors see `draw`."""
    return as_png(draw(run, batch, **settings))


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches, which lays itself out."""
    return Figure(figsize=(width, height), layout="constrained")


def as_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    written = io.BytesIO()
    with our_settings():
        _name_what_has_no_glyph(figure)
        figure.savefig(written, format="png", dpi=_DOTS, metadata={"Software": None})
    return written.getvalue()


@contextmanager
def our_settings() -> Iterator[None]:
    """Draw in the same way whatever a person's own settings of matplotlib are; they stay as they are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def _name_what_has_no_glyph(figure: Figure) -> None:
    """Have characters that matplotlib's font cannot draw stand as their numbers."""
    font = get_font(findfont("DejaVu Sans"))
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        drawn = text.get_text()
        named = "".join(one if one == "\n" or font.get_char_index(ord(one)) else f"U+{ord(one):04X}" for one in drawn)
        if named != drawn:
            text.set_text(named)
            text.set_fontsize(4)


class Pieces:
    """The pieces of one surface of a batch, in one measure."""

    def __init__(self, snapshot: Snapshot, surface: str, measure: str) -> None:
        key = surface_key(surface, measure)
        one_of("surface and measure", key, snapshot.surfaces)
        self.surface = surface
        self.snapshot = snapshot
        self.steps = snapshot.steps
        self.items: Float32 = np.nan_to_num(snapshot.surfaces[key], posinf=0, neginf=0)  # (n, K)
        nothing = np.zeros(self.steps, np.float32)
        self.total = snapshot.step_totals.get(key)  # (n,) or None
        self.beyond: Float32 = np.nan_to_num(snapshot.beyond.get(key, nothing), posinf=0, neginf=0)  # (n,)
        self.first_lag = snapshot.first_lags.get(surface, 0)
        self.lags = np.arange(self.items.shape[1]) + self.first_lag  # (K,)

    def rungs(self) -> list[tuple[int, NDArray[np.intp]]]:
        """Lags that are drawn as one, nearest first: the smallest distance in lags, and their columns."""
        distance = np.abs(self.lags)  # (K,)
        ends = [(d, d) for d in range(int(distance.max()) + 1)]
        if len(ends) > _SEPARATE:
            ends = [(0, 0)] + [((1 << p) // 2 + 1, 1 << p) for p in range(len(ends).bit_length())]
        found = []
        for first, last in ends:
            within = (distance >= first) & (distance <= last)
            for side in (self.lags >= 0, self.lags < 0):
                columns = np.flatnonzero(within & side)
                if len(columns):
                    found.append((first if self.lags[columns[0]] >= 0 else -first, columns))
        return found

    def of_loss(self, loss: int) -> Float32:
        """What one loss sent each step, array (n,); NaN where no piece was recorded."""
        sent = np.full(self.steps, np.nan, np.float32)
        index = loss - np.arange(self.steps) - self.first_lag  # (n,)
        steps = np.flatnonzero((index >= 0) & (index < len(self.lags)))
        sent[steps] = self.items[steps, index[steps]]
        return sent

    def strongest_loss(self) -> int:
        """The loss that sent the most."""
        return int(np.argmax([np.nansum(np.abs(self.of_loss(loss))) for loss in range(self.steps)]))


def _draw_overview(panel: Axes, run: Run, batch: int, quantity: str, surface: str, measure: str) -> None:
    shown = surface if surface_key(surface, measure) in run.overview.surfaces else run.primary
    values = run.column(quantity, shown, measure)  # (recorded,)
    batches = run.batches  # (recorded,)
    size = -(-len(values) // _BARS)
    starts = np.arange(0, len(values), size)
    finite = np.where(np.isfinite(values), values, 0)
    tallest = np.maximum.reduceat(finite, starts)  # (bars,)
    width = 0.9 * size * (batches[-1] - batches[0]) / max(1, len(batches) - 1) if len(batches) > 1 else 1
    panel.bar(batches[starts], tallest, width, color=_BAR, align="edge")
    chosen = run.index_of(batch)
    panel.bar(batches[chosen // size * size], finite[chosen], width, color=_SELECTED, align="edge")
    panel.set_xlabel("batch", loc="left")
    name = f"{quantity.replace('_', ' ')} of {shown}" if quantity in BAR_QUANTITIES else quantity.replace("_", " ")
    named = name if size == 1 else f"{name}: the highest of each {size} recorded batches"
    _head(panel, "1", f"Overview · {named}; batch {batch:,}: {values[chosen]:.4g}")


def _draw_labels(panel: Axes, snapshot: Snapshot) -> None:
    panel.set_xticks([])
    if not snapshot.vocabulary:
        _draw_vectors(panel, snapshot)
        return
    panel.set_yticks([])
    panel.set_ylim(0, 2)
    steps = np.arange(snapshot.steps)
    counted = np.flatnonzero(np.isfinite(snapshot.accuracy))  # steps that have a loss
    right = snapshot.accuracy[counted]  # (counted,)
    if snapshot.streams:
        panel.bar(counted, np.full(len(counted), 2.0), 0.92, color=_WRONG)
        panel.bar(counted, 2 * right, 0.92, color=_RIGHT)
        _head(panel, "2", f"Targets and predictions · share of {len(snapshot.streams)} streams that were right")
        return
    panel.bar(steps, np.ones(len(steps)), 0.92, color=_BEYOND)
    panel.bar(counted, np.ones(len(counted)), 0.92, color=np.where(right > 0, _RIGHT, _WRONG).tolist())
    legible = snapshot.steps <= _LEGIBLE
    for step in counted.tolist() if legible else ():
        for height, label in ((1.5, snapshot.targets[step]), (0.5, snapshot.predictions[step])):
            panel.text(step, height, _short(label), ha="center", va="center")
    _head(panel, "2", f"Targets and predictions · {right.sum():.0f} of {len(counted)} right")
    if legible:
        panel.set_yticks([0.5, 1.5], ["predicted", "true"])
        panel.tick_params(left=False)


def _draw_vectors(panel: Axes, snapshot: Snapshot) -> None:
    """Targets that are vectors, and what came out; an average has no more than its loss."""
    steps = np.arange(snapshot.steps)
    if snapshot.target_values is None or snapshot.prediction_values is None:
        panel.bar(steps, np.nan_to_num(snapshot.loss, posinf=0), 0.92, color=_BAR)
        _head(panel, "2", f"Loss of each step · average over {len(snapshot.streams)} streams")
        return
    counted = np.ones(snapshot.steps) if snapshot.counted is None else snapshot.counted  # (n,)
    targets = np.where(counted[:, None] > 0, snapshot.target_values, np.nan)  # (n, O)
    panel.plot(steps, snapshot.prediction_values, color=_SENT, linewidth=1.2)
    panel.plot(steps, targets, color=_TEXT, linewidth=0, marker="_", markersize=6)
    _head(panel, "2", "Targets (dashes) and predictions (lines)")


def draw_gradients(panel: Axes, pieces: Pieces, measure: str) -> None:
    """Draw panel 3."""
    steps = np.arange(pieces.steps)
    up, down = np.zeros(pieces.steps), np.zeros(pieces.steps)  # (n,)

    def stack(heights: NDArray[Any], **looks: Any) -> None:
        for part, base in ((np.maximum(heights, 0), up), (np.minimum(heights, 0), down)):  # (n,)
            if part.any():
                panel.bar(steps, part, 0.92, base, **looks)
            np.add(base, part, out=base)

    rungs = pieces.rungs()
    for place, (lag, columns) in enumerate(rungs):
        color = _colors(len(rungs))[place] if lag >= 0 else _colors(len(rungs), _EARLIER)[place]
        together = pieces.items[:, columns]  # (n, columns)
        for heights in (np.maximum(together, 0).sum(axis=1), np.minimum(together, 0).sum(axis=1)):
            stack(-heights if lag < 0 and measure != "share" else heights, color=color, linewidth=0)
    stack(pieces.beyond, facecolor=_BEYOND, hatch="/////", edgecolor=_HATCH, linewidth=0)
    if pieces.total is not None:
        for color, width in (("white", 2.4), (_TEXT, 1.0)):
            panel.hlines(pieces.total, steps - 0.46, steps + 0.46, color=color, linewidth=width)
    panel.axhline(0, color=_MUTED, linewidth=0.6)
    first, last = int(pieces.lags[0]), int(pieces.lags[-1])
    snapshot = pieces.snapshot
    of = "" if snapshot.stream is None else f", stream {snapshot.stream + 1}"
    average = f", average over {len(snapshot.streams)} streams" if snapshot.streams else ""
    _head(
        panel, "3", f"Gradients per step · batch {snapshot.batch:,}{of}{average} · {_AXES[measure]} of {pieces.surface}"
    )
    lags = f"from lag {first} (dark) to {last} (light)" if first == 0 else f"lags {first} to {last}, dark at 0"
    beyond = "; hatched: beyond them" if pieces.beyond.any() else ""
    sums = "" if pieces.total is None else "; line: size of the sum"
    panel.set_xlabel(f"step; {lags}{beyond}{sums}", loc="left")


def draw_horizon(panel: Axes, pieces: Pieces, measure: str, loss: int | None = None) -> int:
    """Draw panel 4: what a loss sent, by default the one that sent the most. Returns the loss."""
    which = "the strongest loss, at" if loss is None else "the loss at"
    loss = pieces.strongest_loss() if loss is None else loss
    sent = pieces.of_loss(loss)  # (n,)
    panel.bar(np.arange(pieces.steps), np.nan_to_num(sent), 0.92, color=_SENT)
    panel.plot([loss], [0], marker="^", color=_SELECTED, clip_on=False)
    panel.axhline(0, color=_MUTED, linewidth=0.6)
    panel.set_xlabel("step", loc="left")
    _head(panel, "4", f"Gradient horizon · {_AXES[measure]} that {which} step {loss} sent back")
    return loss


def _head(panel: Axes, number: str, words: str) -> None:
    panel.set_title(f"{number}  {words}", loc="left", fontsize=9, color=_TEXT)


def _short(label: str) -> str:
    drawn = visible(label)
    return drawn if len(drawn) <= _LONGEST_LABEL or drawn.startswith("U+") else f"{drawn[: _LONGEST_LABEL - 1]}…"


def _colors(count: int, stops: tuple[str, ...] = _LATER) -> list[Any]:
    """As many colours, spaced as in the widget: the first ones further apart if there are many."""
    last = max(count, len(stops)) - 1
    spread = (last - len(stops) + 1) / 40
    lags = np.arange(count)
    places = np.log1p(spread * lags) / np.log1p(spread * last) if spread > 0 else lags / last  # (count,)
    return list(LinearSegmentedColormap.from_list("lags", stops)(places))

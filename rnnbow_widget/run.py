"""The data model: a Run is a sequence of Snapshots, whatever produced them. numpy only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from .cues import Cue, CueFinder

Array = NDArray[np.floating[Any]]
Float32 = NDArray[np.float32]
Indices = NDArray[np.intp]
Int32 = NDArray[np.int32]

_BLOCK = 10_000  # snapshots that are looked at together
REACH_THRESHOLD = 0.01
"""A loss no longer reaches a step whose piece is below this part of that loss's largest piece."""


def surface_key(surface: str, measure: str = "norm") -> str:
    """Name of a surface in one measure: ``W_hh`` for the norm, ``W_hh:share`` and so on for the others."""
    return surface if measure == "norm" else f"{surface}:{measure}"


@dataclass(frozen=True, repr=False)
class Snapshot:
    """One recorded batch.

    Arrays indexed ``[j, d]`` hold what step j received from the loss d steps later; ``[j]`` is a step of the window.

    Attributes
    ----------
    batch : int
        Number of the batch, from 0.
    start, stop : int
        Positions in the training data that the targets cover: ``[start, stop)``.
    loss : float32 array (n,)
        Cross-entropy of each step, in nats.
    target_tokens, prediction_tokens : int32 array (n,)
        True labels, and the likeliest ones.
    probability : float32 array (n,)
        Probability that the model gave to the target.
    surfaces : dict of float32 array (n, k)
        Itemized gradients. ``surfaces["W_hh"]`` is ``‖G_{t,j}‖``; other measures are under ``surface_key(surface,
        measure)``.
    step_totals : dict of float32 array (n,)
        The same measures of the sum ``Σ_t G_{t,j}`` over all losses.
    beyond : dict of float32 array (n,)
        The same measures of the part of that sum that lies past the recorded lags.
    grad_norm, update_norm : float
        Norm of the gradient with respect to all parameters, before and after clipping.
    vocabulary : tuple of str
        What the tokens are called.
    diverged : bool
        Loss or gradient was not finite, and the weights were left as they were.
    from_zero_state : bool
        The state before the first step was zero, so that the first step's items are exactly 0. That is not vanishing.
    """

    batch: int
    start: int
    stop: int
    loss: Float32
    target_tokens: Int32
    prediction_tokens: Int32
    probability: Float32
    surfaces: Mapping[str, Float32]
    step_totals: Mapping[str, Float32]
    beyond: Mapping[str, Float32]
    grad_norm: float
    update_norm: float
    vocabulary: tuple[str, ...] = field(repr=False)
    diverged: bool = False
    from_zero_state: bool = False

    @property
    def steps(self) -> int:
        """Length of the window, n."""
        return len(self.loss)

    @property
    def horizon(self) -> int:
        """Number of recorded lags, k."""
        return int(self.surfaces["W_hh"].shape[1])

    @property
    def targets(self) -> tuple[str, ...]:
        """True label of each step."""
        return tuple(self.vocabulary[token] for token in self.target_tokens)

    @property
    def predictions(self) -> tuple[str, ...]:
        """Likeliest label of each step."""
        return tuple(self.vocabulary[token] for token in self.prediction_tokens)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the likeliest label was the true one, bool array (n,)."""
        return np.equal(self.target_tokens, self.prediction_tokens)

    @property
    def clipped(self) -> bool:
        """Whether clipping changed the gradient."""
        return self.update_norm < self.grad_norm

    @property
    def step_total(self) -> Float32:
        """``‖Σ_t G_{t,j}‖`` of W_hh per step, array (n,): the height of the bar, or less where pieces cancel."""
        return self.step_totals["W_hh"]

    @property
    def beyond_horizon(self) -> Float32:
        """Norm of what W_hh received at each step from losses past the recorded lags, array (n,)."""
        return self.beyond["W_hh"]

    def bar_heights(self, surface: str = "W_hh", measure: str = "norm") -> Float32:
        """Height of each step's bar, array (n,): its pieces and what lies beyond. Of signed shares, those above 0."""
        key = surface_key(surface, measure)
        heights: Float32 = np.maximum(self.surfaces[key], 0).sum(axis=1) + np.maximum(self.beyond[key], 0)  # (n,)
        return heights

    def max_gradient(self, surface: str = "W_hh", measure: str = "norm") -> float:
        """The tallest bar: what the overview draws for this batch."""
        return float(self.bar_heights(surface, measure).max())

    def mean_gradient(self, surface: str = "W_hh", measure: str = "norm") -> float:
        """Mean height of the window's bars."""
        return float(self.bar_heights(surface, measure).mean())

    def beyond_share(self, surface: str = "W_hh", measure: str = "norm") -> float:
        """Part of what the weights received that lies past the recorded lags; 0 if nothing does.

        Of signed shares it is exact, ``Σ_j beyond[j] / ‖∂L/∂W_hh‖``, and may be negative. Of the other measures it is
        the part of all bars together that is beyond: ``Σ_j beyond[j] / Σ_j bar_heights[j]``.
        """
        key = surface_key(surface, measure)
        beyond = self.beyond[key].sum(dtype=np.float64)
        whole = self.step_totals[key] if measure == "share" else self.bar_heights(surface, measure)  # (n,)
        return float(beyond / whole.sum(dtype=np.float64)) if self.beyond[key].any() else 0.0

    @cached_property
    def horizon_length(self) -> float:
        """How many steps back the gradient of a typical loss reaches; see `horizon_length`."""
        return horizon_length(self.surfaces["W_hh"], self.from_zero_state)

    def __repr__(self) -> str:
        right = int(self.correct.sum())
        state = ", diverged" if self.diverged else ""
        return (
            f"Snapshot(batch {self.batch:,}, data {self.start:,}–{self.stop:,}, loss {self.loss.sum():.4g} nats, "
            f"{right} of {self.steps} right, max gradient {self.max_gradient():.4g}, "
            f"horizon {self.horizon_length:g} of {self.horizon}{state})"
        )


class Run(Sequence[Snapshot]):
    """What was recorded, in order, and under which settings.

    Parameters
    ----------
    vocabulary : tuple of str
        What the tokens are called.
    settings : mapping
        What the run was made with, to show and to reproduce it.

    Examples
    --------
    ``run[-1].surfaces["W_hh"]`` is the newest batch's array (n, k); ``run.column("max_gradient")`` has one number per
    batch.
    """

    def __init__(self, vocabulary: tuple[str, ...], settings: Mapping[str, Any] | None = None) -> None:
        self.vocabulary = vocabulary
        self.settings = dict(settings or {})
        self._snapshots: list[Snapshot] = []

    def append(self, snapshot: Snapshot) -> None:
        """Add the newest snapshot.

        Raises
        ------
        ValueError
            If it is not of a later batch than the last one.
        """
        if self._snapshots and snapshot.batch <= self._snapshots[-1].batch:
            raise ValueError(f"snapshot takes a batch after {self._snapshots[-1].batch}, got batch {snapshot.batch}")
        self._snapshots.append(snapshot)

    def clear(self) -> None:
        """Forget all snapshots."""
        self._snapshots.clear()

    @overload
    def __getitem__(self, index: int) -> Snapshot: ...
    @overload
    def __getitem__(self, index: slice) -> list[Snapshot]: ...
    def __getitem__(self, index: int | slice) -> Snapshot | list[Snapshot]:
        return self._snapshots[index]

    def __len__(self) -> int:
        return len(self._snapshots)

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self._snapshots)

    def at(self, batch: int) -> Snapshot:
        """Return the snapshot of a batch number.

        Raises
        ------
        KeyError
            If that batch was not recorded.
        """
        place = int(np.searchsorted(self.batches, batch))
        if place == len(self) or self[place].batch != batch:
            raise KeyError(f"batch {batch} was not recorded")
        return self[place]

    @property
    def batches(self) -> NDArray[np.int64]:
        """Numbers of the recorded batches, array (recorded,)."""
        return np.array([snapshot.batch for snapshot in self], np.int64)

    def column(self, name: str) -> NDArray[np.float64]:
        """One number per recorded batch, array (recorded,).

        Parameters
        ----------
        name : str
            One of `QUANTITIES`: "max_gradient", "mean_gradient", "grad_norm", "update_norm", "loss" (mean per step, in
            nats), "accuracy" or "horizon_length".

        Raises
        ------
        ValueError
            If there is no such column.
        """
        if name not in _COLUMNS:
            raise ValueError(f"name takes one of {', '.join(map(repr, _COLUMNS))}; got {name!r}")
        return np.array([_COLUMNS[name](snapshot) for snapshot in self], np.float64)

    def cues(self) -> list[Cue]:
        """Batches worth looking at, ranked, with the reason in words: extremes, sudden changes, clipping, divergence.

        What counts as which is in docs/measures.md.
        """
        finder = CueFinder()
        look_at(finder, self)
        return finder.cues()

    @property
    def nbytes(self) -> int:
        """Bytes held in arrays. Grows with recorded batches × n × k."""
        return sum(_nbytes(snapshot) for snapshot in self)

    def __repr__(self) -> str:
        if not self:
            return "Run(nothing recorded yet)"
        first, last = self[0], self[-1]
        ended = ", diverged" if last.diverged else ""
        return (
            f"Run({len(self):,} recorded batches, {first.batch:,} to {last.batch:,}; "
            f"loss {first.loss.mean():.3g} → {last.loss.mean():.3g} nats per step, "
            f"horizon {first.horizon_length:g} → {last.horizon_length:g} steps, {self.nbytes / 1e6:.2g} MB{ended})"
        )


_COLUMNS: dict[str, Callable[[Snapshot], float]] = {
    "max_gradient": lambda snapshot: snapshot.max_gradient(),
    "mean_gradient": lambda snapshot: snapshot.mean_gradient(),
    "grad_norm": lambda snapshot: snapshot.grad_norm,
    "update_norm": lambda snapshot: snapshot.update_norm,
    "loss": lambda snapshot: float(snapshot.loss.mean()),
    "accuracy": lambda snapshot: float(snapshot.correct.mean()),
    "horizon_length": lambda snapshot: snapshot.horizon_length,
}
QUANTITIES = tuple(_COLUMNS)
"""What there is one number of per batch: the columns of a run, and what the overview can draw."""


def look_at(finder: CueFinder, snapshots: Sequence[Snapshot]) -> None:
    """Show a finder of cues the snapshots that it has not seen."""
    for first in range(0, len(snapshots), _BLOCK):
        block = snapshots[first : first + _BLOCK]
        finder.extend(
            [s.batch for s in block],
            [s.max_gradient() for s in block],
            [s.horizon_length for s in block],
            [s.grad_norm for s in block],
            [s.update_norm for s in block],
            [s.diverged for s in block],
        )


def horizon_length(items: Array, from_zero_state: bool = False, threshold: float = REACH_THRESHOLD) -> float:
    """How many steps back the gradient of a typical loss reaches.

    A loss reaches back as many steps as it takes until its piece falls below `threshold` times its largest piece; if
    the window or the recorded lags end first, it reaches at least to there, and that number is taken. The horizon
    length is the median over the losses that have at least half a window, or all recorded lags, behind them.

    Parameters
    ----------
    items : array (n, k)
        ``‖G_{t,j}‖`` at ``[j, t - j]``.
    from_zero_state : bool
        Whether the first step's items are 0 only because the state before it was zero; they are then not looked at.
    threshold : float
        Part of the largest piece, between 0 and 1.

    Returns
    -------
    float
        Number of steps, from 0 to k; NaN if items are not finite.
    """
    steps, lags = items.shape
    if not np.isfinite(items).all():
        return float("nan")
    received, lag, seen = _by_loss(steps, lags, from_zero_state)
    pieces = np.where(seen, items[received, lag], 0)  # (losses, k): row t, what loss t sent back 0, 1, … steps
    small = seen & (pieces < threshold * pieces.max(axis=1, keepdims=True))  # (losses, k)
    small &= np.arange(lags) > pieces.argmax(axis=1)[:, None]  # a piece before the largest one is not a decay
    reach = np.where(small.any(axis=1), small.argmax(axis=1), seen.sum(axis=1))  # (losses,)
    return float(np.median(reach))


@lru_cache(maxsize=16)
def _by_loss(steps: int, lags: int, from_zero_state: bool) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    """Indices that turn ``[j, d]`` into ``[t, d]``, and which entries exist, for the losses that count."""
    first = min(lags, (steps + 1) // 2) - 1
    t, d = np.meshgrid(np.arange(first, steps), np.arange(lags), indexing="ij")  # (losses, k)
    seen = t - d >= (1 if from_zero_state else 0)  # (losses, k)
    return np.maximum(t - d, 0), d, seen


def _nbytes(snapshot: Snapshot) -> int:
    arrays = [snapshot.loss, snapshot.target_tokens, snapshot.prediction_tokens, snapshot.probability]
    for mapping in (snapshot.surfaces, snapshot.step_totals, snapshot.beyond):
        arrays += mapping.values()
    return sum(array.nbytes for array in arrays)

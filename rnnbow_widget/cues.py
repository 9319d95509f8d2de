"""Which recorded batches are worth looking at, and why. Robust statistics of one number per batch; numpy only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from .reading import counted
from .running_median import RunningMedian

Floats = NDArray[np.float64]

KINDS = ("diverged", "tallest", "sudden_change", "first_clipped", "longest_horizon", "shortest_horizon")
"""What a cue can be, in the order in which cues are ranked."""

PAST = 30
"""A sudden change is one against this many finite recorded batches before."""
LEAST_PAST = 10
"""Fewer finite batches than this are no past to compare with, and no run to have extremes."""
DEVIATIONS = 6.0
"""A sudden change is at least this many robust standard deviations from the median of the past, …"""
FACTOR = 2.0
"""… and at least this many times that median, or less than its inverse."""
MOST_CHANGES = 8
"""At most this many sudden changes are named: the strongest."""
APART = 10
"""Of sudden changes that are fewer recorded batches apart than this, only the strongest is named."""

_MOST_KEPT = MOST_CHANGES * (2 * APART - 1)  # each of the strongest can hide so many others, and no more
_NORMAL = 1.4826  # times the median absolute deviation: the standard deviation, if values were normal
_LEAST_DEVIATION = 0.02  # of the logarithm, about 2 %: a past that hardly varies makes no small change a sudden one


@dataclass(frozen=True)
class Cue:
    """A batch worth looking at.

    Attributes
    ----------
    batch : int
        Number of the batch.
    kind : str
        One of `KINDS`.
    score : float
        How marked it is; to be compared within a kind only.
    reason : str
        Why, in a sentence.
    """

    batch: int
    kind: str
    score: float
    reason: str


@dataclass(frozen=True)
class _Change:
    index: int
    batch: int
    score: float
    height: float
    factor: float
    past: int


class CueFinder:
    """Finds cues in a run that grows: what was looked at once is not looked at again, and not kept.

    Attributes
    ----------
    seen : int
        How many recorded batches were taken in.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._heights = RunningMedian()
        self._recent = np.empty(0)  # logarithms of the newest finite heights, (at most PAST,)
        self._changes: list[_Change] = []
        self._tallest: tuple[float, int] | None = None
        self._longest: tuple[float, int] | None = None
        self._shortest: tuple[float, int] | None = None
        self._clipped: tuple[float, float, int] | None = None
        self._diverged: list[int] = []

    def extend(
        self,
        batches: Sequence[int] | NDArray[np.integer[Any]],
        max_gradient: ArrayLike,
        horizon_length: ArrayLike,
        grad_norm: ArrayLike,
        update_norm: ArrayLike,
        clipped: ArrayLike,
        diverged: ArrayLike,
    ) -> None:
        """Take in recorded batches that follow those taken in before.

        Parameters
        ----------
        batches : array of int (new,)
            Their numbers.
        max_gradient, horizon_length : array (new,)
            Of each batch; values that are not finite are passed over.
        grad_norm, update_norm : array (new,)
            Norm of the gradient before and after clipping.
        clipped, diverged : array of bool (new,)
            Which of them were clipped, and which diverged.
        """
        numbers = [int(batch) for batch in batches]
        heights, horizons = np.asarray(max_gradient, np.float64), np.asarray(horizon_length, np.float64)
        before, after = np.asarray(grad_norm, np.float64), np.asarray(update_norm, np.float64)
        self._find_changes(numbers, heights)
        self._heights.extend(heights)
        self._tallest = _extreme(self._tallest, heights, numbers)
        self._longest = _extreme(self._longest, horizons, numbers)
        self._shortest = _extreme(self._shortest, -horizons, numbers)
        shortened = np.flatnonzero(np.asarray(clipped, bool))
        if self._clipped is None and len(shortened):
            first = shortened[0]
            self._clipped = float(before[first]), float(after[first]), numbers[first]
        self._diverged += [numbers[i] for i in np.flatnonzero(np.asarray(diverged, bool))]
        self.seen += len(numbers)

    def cues(self) -> list[Cue]:
        """Return all cues of the run as it stands, ranked: by kind, and within a kind the most marked first."""
        found = [Cue(b, "diverged", 1.0, "Loss or gradient is not finite: training diverged.") for b in self._diverged]
        enough = self._heights.count >= LEAST_PAST
        if self._tallest and enough:
            height, batch = self._tallest
            typical = self._heights.value
            times = f", {height / typical:.3g} times the run's median" if typical > 0 else ""
            found.append(Cue(batch, "tallest", height, f"Tallest bar of the run: max gradient {height:.3g}{times}."))
        found += [_cue_of(change) for change in self._strongest()]
        if self._clipped:
            before, after, batch = self._clipped
            reason = f"First batch that was clipped: its gradient's norm went from {before:.3g} to {after:.3g}."
            found.append(Cue(batch, "first_clipped", before, reason))
        if self._longest and self._shortest and enough and self._longest[0] > -self._shortest[0]:
            for kind, (value, batch) in (("longest", self._longest), ("shortest", self._shortest)):
                steps = abs(value)
                reason = f"{kind.capitalize()} horizon of the run: gradients reach back {counted(steps, 'step')}."
                found.append(Cue(batch, f"{kind}_horizon", steps, reason))
        return found

    def _find_changes(self, numbers: list[int], heights: Floats) -> None:
        countable = np.isfinite(heights) & (heights > 0)
        places = np.flatnonzero(countable)
        if not len(places):
            return
        known = len(self._recent)
        logs = np.concatenate([self._recent, np.log(heights[places])])  # (known + countable,)
        # A past that is not full yet is completed by NaN, which medians leave out.
        padded = np.concatenate([np.full(PAST, np.nan), logs])
        pasts = sliding_window_view(padded, PAST)[known:-1]  # (countable, PAST)
        enough = np.arange(known, len(logs)) >= LEAST_PAST  # (countable,)
        self._recent = logs[-PAST:]
        places, pasts, values = places[enough], pasts[enough], logs[known:][enough]
        if not len(places):
            return
        medians = _medians(pasts)  # (enough,)
        spreads = _NORMAL * _medians(np.abs(pasts - medians[:, None]))  # (enough,)
        steps = values - medians
        scores = np.abs(steps) / np.maximum(spreads, _LEAST_DEVIATION)
        for i in np.flatnonzero((scores >= DEVIATIONS) & (np.abs(steps) >= math.log(FACTOR))):
            place = int(places[i])
            past = int(np.isfinite(pasts[i]).sum())
            index = self.seen + place
            factor = math.exp(steps[i])
            self._changes.append(_Change(index, numbers[place], float(scores[i]), float(heights[place]), factor, past))
        self._changes = sorted(self._changes, key=lambda change: -change.score)[:_MOST_KEPT]

    def _strongest(self) -> list[_Change]:
        chosen: list[_Change] = []
        for change in self._changes:
            if all(abs(change.index - other.index) >= APART for other in chosen):
                chosen.append(change)
            if len(chosen) == MOST_CHANGES:
                break
        return chosen


def _medians(rows: Floats) -> Floats:
    """Median of each row, array (rows, PAST) → (rows,). Only the first rows may begin with NaN."""
    ragged = int(np.isnan(rows[:, 0]).sum())
    return np.concatenate([np.nanmedian(rows[:ragged], axis=1), np.median(rows[ragged:], axis=1)])


def _extreme(held: tuple[float, int] | None, values: Floats, numbers: list[int]) -> tuple[float, int] | None:
    """Return the largest finite value so far, and the first batch that has it."""
    finite = np.where(np.isfinite(values), values, -np.inf)
    if not len(finite) or finite.max() == -np.inf:
        return held
    place = int(finite.argmax())
    value = float(finite[place])
    return held if held and held[0] >= value else (value, numbers[place])


def _cue_of(change: _Change) -> Cue:
    reason = (
        f"Sudden {'rise' if change.factor > 1 else 'drop'}: max gradient {change.height:.3g} is {change.factor:.3g} "
        f"times the median of the {change.past} recorded batches before it."
    )
    return Cue(change.batch, "sudden_change", change.score, reason)

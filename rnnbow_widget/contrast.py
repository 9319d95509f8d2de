"""What differs between runs over the same data, in numbers and in a sentence. numpy only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from .overview import DIVERGED
from .reach import longest_certain
from .run import Run

Floats = NDArray[np.float64]

PAST = 11
"""Batches that all runs have recorded, up to the one in question, that runs are compared by."""
AGREEING = 10
"""In a clear difference, at least this many of them point the same way, …"""
LEAST_STEPS = 1.0
"""… and medians differ by at least this many steps of horizon, …"""
LEAST_LOSS = 0.01
"""… or this part of the larger loss."""
_SEARCHED = 4_096  # recorded batches of each run that are searched for such as all have


@dataclass(frozen=True)
class Contrast:
    """Several runs at one batch: the newest batches that all of them have recorded, up to that one.

    Attributes
    ----------
    names : tuple of str
        What the runs that are compared are called: those that have not diverged.
    batches : array of int (m,)
        Numbers of those batches, at most `PAST`.
    horizon_length, loss : array (runs, m)
        Of each run at each of them: steps, and mean loss per step.
    lower_bound : tuple of bool
        Whether a run's median horizon length is only a lower bound: the recorded lags, or the window, may end first.
    diverged : mapping of str to int
        Runs that have diverged by then, and at which batch.
    """

    names: tuple[str, ...]
    batches: NDArray[np.int64]
    horizon_length: Floats
    loss: Floats
    lower_bound: tuple[bool, ...]
    diverged: Mapping[str, int]

    @property
    def median_horizon(self) -> Floats:
        """Median horizon length of each run in steps, array (runs,); NaN if no batch is recorded by all."""
        return _medians(self.horizon_length)

    @property
    def median_loss(self) -> Floats:
        """Median loss of each run, array (runs,); NaN if no batch is recorded by all."""
        return _medians(self.loss)

    def is_clear(self, values: Floats, least: float) -> bool:
        """Whether the largest and the smallest of some medians differ clearly.

        Batches are compared one by one, since all runs see the same data in it: of `PAST` batches at least `AGREEING`
        point the same way, which happens by chance once in 85 times if both are alike and batches independent.

        Parameters
        ----------
        values : array (runs, m)
            One number for each run and batch.
        least : float
            A smaller difference of medians is none.
        """
        if len(self.batches) < PAST or not np.isfinite(values).all():
            return False
        medians = _medians(values)  # (runs,)
        high, low = values[medians.argmax()], values[medians.argmin()]  # (m,) each
        return bool(medians.max() - medians.min() >= least and (high > low).sum() >= AGREEING)

    def sentence(self) -> str:
        """What differs, in words; empty if nothing can be said yet."""
        parts = [
            f"{name} diverged at batch {batch:,} and stays there." for name, batch in sorted(self.diverged.items())
        ]
        if len(self.batches) < PAST:
            return " ".join(parts)
        horizons = [
            f"{'at least ' if bound else ''}{value:g}"
            for value, bound in zip(self.median_horizon, self.lower_bound, strict=True)
        ]
        losses = [f"{value:.3g}" for value in self.median_loss]
        horizon = self.is_clear(self.horizon_length, LEAST_STEPS)
        loss = self.is_clear(self.loss, LEAST_LOSS * float(np.max(self.median_loss, initial=0.0)))
        at = f"At batch {self.batches[-1]:,} the median horizon"
        if all(self.lower_bound):  # what lies anywhere above cannot be told apart
            parts.append(f"{at} reaches at least as far as can be seen: {_listed(horizons, 'step', self.names)}.")
        else:
            parts.append(self._told(at, horizon, -self.median_horizon, horizons, "step"))
        parts.append(self._told("The median loss", loss, self.median_loss, losses, ""))
        return " ".join(parts)

    def _told(self, what: str, clear: bool, order_by: Floats, texts: Sequence[str], noun: str) -> str:
        order = np.argsort(order_by, kind="stable")
        listed = _listed([texts[i] for i in order], noun, [self.names[i] for i in order])
        return f"{what} is {listed}." if clear else f"{what} does not differ clearly: {listed}."


def _listed(texts: Sequence[str], noun: str, names: Sequence[str]) -> str:
    """Values in words, each with whose it is; what they count is told once."""
    counted = noun and f" {noun}{'' if texts[0].removeprefix('at least ') == '1' else 's'}"
    said = [
        f"{text}{'' if place else counted} for {name}"
        for place, (text, name) in enumerate(zip(texts, names, strict=True))
    ]
    return f"{', '.join(said[:-1])} and {said[-1]}"


def contrast(runs: Mapping[str, Run], batch: int | None = None) -> Contrast:
    """Compare runs over the same data at a batch.

    Parameters
    ----------
    runs : mapping of str to Run
        The runs and what they are called.
    batch : int, optional
        Looks at what was recorded up to this batch; by default at all.
    """
    stops = {name: _stop(run, batch) for name, run in runs.items()}
    diverged = {name: at for name, run in runs.items() if (at := _diverged_at(run, stops[name])) is not None}
    compared = {name: run for name, run in runs.items() if name not in diverged}
    found = [run.batches[max(0, stops[name] - _SEARCHED) : stops[name]] for name, run in compared.items()]
    common = reduce(np.intersect1d, found)[-PAST:] if len(found) > 1 else np.empty(0, np.int64)  # (m,)

    def values(column: str) -> Floats:
        rows = [run.column(column)[np.searchsorted(run.batches, common)] for run in compared.values()]  # (m,) each
        return np.array(rows).reshape(len(compared), len(common))

    horizons = values("horizon_length")  # (runs, m)
    reach = zip(_medians(horizons), compared.values(), strict=True)
    bounds = tuple(bool(median >= _longest_certain(run)) for median, run in reach)
    return Contrast(tuple(compared), common, horizons, values("loss"), bounds, diverged)


def _stop(run: Run, batch: int | None) -> int:
    """How many batches were recorded up to this one."""
    return len(run) if batch is None else int(np.searchsorted(run.batches, batch, side="right"))


def _diverged_at(run: Run, stop: int) -> int | None:
    """The last of the first `stop` recorded batches if it diverged: a run ends with it."""
    flags = run.overview.column("flags")[:stop]  # (stop,)
    return int(run.batches[stop - 1]) if stop and flags[-1] & DIVERGED else None


def _longest_certain(run: Run) -> float:
    return longest_certain(run[-1].steps, run[-1].horizon) if run else math.inf


def _medians(values: Floats) -> Floats:
    """Median of each row, (runs, m) → (runs,); NaN of nothing."""
    return np.median(values, axis=1) if values.shape[1] else np.full(len(values), np.nan)

"""Measures of pieces of a gradient ``δ_{t,j} h_{j-1}ᵀ``, and of their sums, without building a matrix for a piece."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite

import numpy as np

from .checks import one_of
from .forward import ForwardPass
from .gradients import norm, squared_norms_wide
from .parameters import Array

MEASURES = ("norm", "mean_abs", "share")
"""How an item becomes a number: Frobenius norm, mean absolute entry, or signed share of the whole gradient's norm."""


@dataclass(frozen=True)
class Measured:
    """Pieces of the gradient with respect to W_hh as numbers, by the step that received and the lag of the loss.

    All arrays are indexed ``[j, d]`` or ``[j]``: received by step j from the loss at step t = j + d. Those of a
    minibatch are indexed ``[j, b, d]`` and ``[j, b]``; b is the stream.

    Attributes
    ----------
    items : dict of array (n, k) or (n, B, k)
        One array per measure. Zero where t ≥ n.
    total : dict of array (n,) or (n, B)
        The same measure of ``Σ_t G_{t,j}``, all losses included, whatever the horizon.
    beyond : dict of array (n,) or (n, B)
        The same measure of the part of that sum that `items` leaves out: past the horizon, or below epsilon.
    """

    items: dict[str, Array]
    total: dict[str, Array]
    beyond: dict[str, Array]


def wanted_measures(measures: Collection[str]) -> list[str]:
    """Return the names of measures, each one of `MEASURES`."""
    if isinstance(measures, str):
        raise TypeError(f"measures takes a collection of names, got the string {measures!r}")
    return [one_of("measures", name, MEASURES) for name in measures]


class Measuring:
    """Turns δ into the wanted measures of ``δ_{t,j} h_{j-1}ᵀ``.

    Parameters
    ----------
    before : array (N, H) or (n, B, H)
        h_{j-1} of each step and stream; N in what follows is then n, B.
    whole : array (gates·H, H), optional
        The whole gradient, for shares.
    width : int
        gates·H.
    lags : int
        Number of lags k for which `items`, arrays (N, k), have room.
    wanted : list of str
        Names of measures.
    """

    def __init__(self, before: Array, whole: Array | None, width: int, lags: int, wanted: list[str]) -> None:
        self.items = {name: np.zeros((*before.shape[:-1], lags), before.dtype) for name in wanted}
        self._sizes: Array = np.empty(0, before.dtype)  # used again, since new memory of this size is slow
        self.weights: dict[str, Array] = {}
        if "norm" in wanted:
            self.weights["norm"] = np.sqrt(np.vecdot(before, before))  # (N,)
        if "mean_abs" in wanted:
            self.weights["mean_abs"] = np.abs(before).mean(axis=-1) / width  # (N,)
        if "share" in wanted and whole is not None:
            self.weights["share"] = before @ whole.T / (norm(whole) or 1.0)  # (N, gates·H): G h_{j-1} / ‖G‖

    def add(self, first: int, start: int, delta: Array) -> None:
        """Measure δ (lags, rows, gates·H) of the lags and the rows from here on."""
        lags, rows, _ = delta.shape
        for name, items in self.items.items():
            place = items[start : start + rows, first : first + lags]  # (rows, lags)
            place += self._measure(name, delta, self.weights[name][start : start + rows]).T

    def of(self, name: str, delta: Array) -> Array:
        """Measure δ (…, N, gates·H): array (…, N)."""
        return self._measure(name, delta, self.weights[name])

    def _measure(self, name: str, delta: Array, weights: Array) -> Array:
        if name == "norm":
            found: Array = _squared_norms(delta)
            np.sqrt(found, out=found)
            found *= weights  # ‖δ hᵀ‖ = ‖δ‖·‖h‖
        elif name == "mean_abs":
            if self._sizes.size < delta.size:
                self._sizes = np.empty(delta.size, delta.dtype)
            sizes = np.abs(delta, out=self._sizes[: delta.size].reshape(delta.shape))  # like delta
            found = sizes @ np.ones(delta.shape[-1], delta.dtype) * weights  # mean|δ hᵀ| = mean|δ|·mean|h|
        else:
            found = np.vecdot(delta, weights)  # ⟨δ hᵀ, G⟩ = δ · (G h)
        return found


class StreamAverage:
    """Measures the mean over streams of ``δ_b h_bᵀ``, step by step."""

    def __init__(self, flat: ForwardPass, streams: int) -> None:
        self.streams = streams
        before = flat.hidden[: len(flat.loss)]  # (N, H)
        self.before = before.reshape(-1, streams, before.shape[1]).astype(np.float64)  # (n, B, H)

    def of(self, name: str, delta: Array, measured: Array) -> Array:
        """Measure the mean of δ (N, gates·H), array (n,); `measured`, (N,), is the measure of each stream's own."""
        own = measured.reshape(-1, self.streams)  # (n, B)
        if self.streams == 1 or name == "share":
            mean: Array = own.mean(axis=1)  # shares are linear
            return mean
        rows = delta.reshape(*own.shape, -1).astype(np.float64)  # (n, B, gates·H)
        if name == "norm":  # ‖Σ_b δ_b h_bᵀ‖² = Σ_{b,c} (δ_b·δ_c) (h_b·h_c)
            grams = (rows @ rows.mT) * (self.before @ self.before.mT)  # (n, B, B)
            sizes = np.sqrt(np.maximum(grams.sum(axis=(1, 2)), 0))  # (n,): rounding can make a tiny sum negative
        else:  # mean|Σ_b δ_b h_bᵀ| does not come apart: the matrices are built, one step at a time
            sizes = np.array([np.abs(d.T @ h).mean() for d, h in zip(rows, self.before, strict=True)])  # (n,)
        found: Array = (sizes / self.streams).astype(measured.dtype)
        return found


def _squared_norms(rows: Array) -> Array:
    """Squared Euclidean norms over the last axis, in the rows' dtype unless they overflow it."""
    found: Array = np.vecdot(rows, rows)
    return found if isfinite(found.sum()) else squared_norms_wide(rows)

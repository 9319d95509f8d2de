"""Measures of pieces of a gradient ``δ_{t,j} h_{j-1}ᵀ``, and of their sums, without building a matrix for a piece."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import DTypeLike

from .checks import names, one_of
from .gradients import norm, squared_norms_wide
from .parameters import Array

MEASURES = ("norm", "mean_abs", "share")
"""How an item becomes a number: Frobenius norm, mean absolute entry, or signed share of the whole gradient's norm."""


@dataclass(frozen=True)
class Measured:
    """Pieces of a gradient as numbers, by the step that received and the lag of the loss.

    All arrays are indexed ``[j, d]`` or ``[j]``: received by step j from the loss at step t = j + d, unless the
    subclass says otherwise. Those of a minibatch are indexed ``[j, b, d]`` and ``[j, b]``; b is the stream.

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
    return [one_of("measures", name, MEASURES) for name in names("measures", measures)]


class Measuring:
    """Turns δ into the wanted measures of ``δ_{t,j} h_{j-1}ᵀ``, or of other vectors and what they are multiplied with.

    Parameters
    ----------
    weights : dict of array
        By the name of a measure: what is to be multiplied with the size of a vector, (N,), or of shares what the vector
        is to be multiplied with, (N, gates·H). See `outer_weights`. N may stand for two axes, n and B.
    lags : int
        Number of lags k for which `items`, arrays (N, k), have room.
    shape : tuple of int
        N.
    dtype : dtype
        Of the items.
    """

    def __init__(self, weights: dict[str, Array], lags: int, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.items = {name: np.zeros((*shape, lags), dtype) for name in weights}
        self._sizes: Array = np.empty(0, dtype)  # used again, since new memory of this size is slow
        self.weights = weights

    def add(self, first: int, start: int, delta: Array) -> None:
        """Measure δ (lags, rows, gates·H) of the lags and the rows from here on."""
        lags, rows, _ = delta.shape
        for name, items in self.items.items():
            place = items[start : start + rows, first : first + lags]  # (rows, lags)
            place += self._measure(name, delta, self.weights[name][start : start + rows]).T

    def of(self, name: str, delta: Array, weights: Array | None = None) -> Array:
        """Measure δ (…, N, gates·H): array (…, N). Other axes need `weights` of a shape that fits them."""
        return self._measure(name, delta, self.weights[name] if weights is None else weights)

    def _measure(self, name: str, delta: Array, weights: Array) -> Array:
        if name == "norm":
            found: Array = squared_norms(delta)
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


def outer_weights(
    before: Array, whole: Array | None, width: int, wanted: list[str], *, size: int, whole_norm: float | None = None
) -> dict[str, Array]:
    """Return what `Measuring` needs to measure outer products ``δ h_{j-1}ᵀ``.

    Parameters
    ----------
    before : array (N, q)
        h_{j-1}, or whatever else the matrix multiplies.
    whole : array (gates·H, q), optional
        The whole gradient, for shares.
    width : int
        gates·H.
    wanted : list of str
        Names of measures.
    size : int
        Columns of the matrix: more than q, if `before` leaves out some in which it is 0 at all steps.
    whole_norm : float, optional
        What shares are divided by, if `whole` is not all that they are shares of.
    """
    weights: dict[str, Array] = {}
    if "norm" in wanted:
        weights["norm"] = np.sqrt(np.vecdot(before, before))  # (N,)
    if "mean_abs" in wanted:
        weights["mean_abs"] = np.abs(before).sum(axis=-1) / (size * width)  # (N,)
    if "share" in wanted and whole is not None:
        whole_norm = norm(whole) if whole_norm is None else whole_norm
        # Turned in memory first: a product of rows by rows is slower than that.
        weights["share"] = before @ whole.T.copy()  # (N, gates·H): G h_{j-1} / ‖G‖
        weights["share"] /= before.dtype.type(whole_norm or 1.0)
    return weights


class StreamAverage:
    """Measures the mean over streams of ``δ_b h_bᵀ``, step by step.

    Parameters
    ----------
    before : array (n, B, q)
        h_{j-1}, or whatever else the matrix multiplies.
    size : int
        Columns of the matrix, as for `outer_weights`.
    """

    def __init__(self, before: Array, size: int) -> None:
        self.streams = before.shape[1]
        self.size = size
        self.before = before.astype(np.float64)  # (n, B, q)

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
            sums = np.array([np.abs(d.T @ h).sum() for d, h in zip(rows, self.before, strict=True)])  # (n,)
            sizes = sums / (self.size * rows.shape[-1])
        found: Array = (sizes / self.streams).astype(measured.dtype)
        return found


def squared_norms(rows: Array) -> Array:
    """Return squared Euclidean norms over the last axis, in the rows' dtype unless they overflow it."""
    found: Array = np.vecdot(rows, rows)
    return found if isfinite(np.add.reduce(found, axis=None)) else squared_norms_wide(rows)

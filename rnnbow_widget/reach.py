"""How far the gradients of single losses reach: the horizon length. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating[Any]]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Indices = NDArray[np.intp]

REACH_THRESHOLD = 0.01
"""A loss no longer reaches a step whose piece is below this part of that loss's largest piece."""


def horizon_length(
    items: Array,
    from_zero_state: bool = False,
    threshold: float = REACH_THRESHOLD,
    counted: ArrayLike | None = None,
) -> float:
    """How many steps back the gradient of a typical loss reaches.

    A loss reaches back as many steps as it takes until its piece falls below `threshold` times its largest piece; if
    the window or the recorded lags end first, it reaches at least to there, and that number is taken. The horizon
    length is the median over the losses that have at least half a window, or all recorded lags, behind them. Steps
    without a loss have none that could reach anywhere.

    Parameters
    ----------
    items : array (n, k)
        ``‖G_{t,j}‖`` at ``[j, t - j]``.
    from_zero_state : bool
        Whether the first step's items are 0 only because the state before it was zero; they are then not looked at.
    threshold : float
        Part of the largest piece, between 0 and 1.
    counted : array (n,), optional
        Which steps have a loss, as 0 and 1; by default all.

    Returns
    -------
    float
        Number of steps, from 0 to k; NaN if items are not finite, or no loss is to be looked at.

    Examples
    --------
    >>> import numpy as np
    >>> items = np.array([[0.1 ** lag if step + lag < 12 else 0 for lag in range(6)] for step in range(12)])
    >>> horizon_length(items)  # 1, .1 and .01 of the largest piece count; .001 does not
    3.0
    """
    there = None if counted is None else np.asarray(counted, np.float32)  # (n,)
    return median_of_streams(items[None], [from_zero_state], [there], threshold)


def longest_certain(steps: int, lags: int) -> float:
    """Horizon lengths from here on may have been cut short: by the recorded lags, or by the beginning of the window."""
    return min(lags, steps / 2)


def reaches(items: Array, first_lag: int, from_zero_state: bool) -> Float64:
    """How many steps each loss that counts reaches back; see `horizon_length`.

    Parameters
    ----------
    items : array (…, n, K)
        Pieces of several batches, or of several units.
    first_lag : int
        The first of their lags.
    from_zero_state : bool
        As for `horizon_length`.

    Returns
    -------
    float64 array (…, losses)
        NaN where items are not finite.
    """
    return _reaches(backward(items, first_lag), from_zero_state, REACH_THRESHOLD)


def of_losses(reaches: Float64, counted: Array | None) -> Float64:
    """Return the reaches (…, losses) of the last steps, without those of steps that have no loss.

    Parameters
    ----------
    reaches : float64 array (…, losses)
        What the function of that name returned.
    counted : array (n,) or None
        How much each step counts, in the order of the items; None if all have a loss.
    """
    return reaches if counted is None else reaches[..., counted[-reaches.shape[-1] :] > 0]


def median_reach(reaches: Float64) -> float:
    """Return the median of an array (losses,): a tenth of the time of numpy's own. NaN of none."""
    if not len(reaches):
        return float("nan")
    ordered = np.sort(reaches)  # NaN comes last
    middle = len(ordered) // 2
    return float("nan") if isnan(ordered[-1]) else float(ordered[middle] + ordered[-1 - middle]) / 2


def median_of_streams(
    items: Array,
    from_zero_state: Sequence[bool],
    counted: Sequence[Float32 | None],
    threshold: float = REACH_THRESHOLD,
) -> float:
    """Return the median of the reaches of the losses of all streams.

    Parameters
    ----------
    items : array (B, n, k)
        What `backward` returned, of each stream.
    from_zero_state : sequence of bool
        Which of them began with a state of zeros.
    counted : sequence of array (n,) or None
        Which steps of each have a loss.
    threshold : float
        As for `horizon_length`.
    """
    reaches = [_reaches(one[None], zero, threshold)[0] for one, zero in zip(items, from_zero_state, strict=True)]
    return median_reach(np.concatenate([of_losses(*both) for both in zip(reaches, counted, strict=True)]))


def begins_at_zero(surface: str, items: Array, first_lag: int, from_zero_state: bool) -> bool:
    """Return whether pieces at the step that `reaches` looks at last are 0 only because a state was zero.

    Parameters
    ----------
    surface : str
        Name of the surface. Only pieces of W_hh are multiplied with a state.
    items : array (…, n, K)
        Its pieces.
    first_lag : int
        Their first lag.
    from_zero_state : bool
        Whether the state before the window was zero, in the layers that read forward.
    """
    if "_reverse" in surface:  # which starts every window from zero, at its last step
        return surface.startswith("W_hh") and reaches_ahead(items, first_lag)
    return surface.startswith("W_hh") and from_zero_state


def reaches_ahead(items: Array, first_lag: int) -> bool:
    """Return whether items (…, n, K) have no lags above 0: no loss reaches back, and `reaches` is of steps ahead."""
    return first_lag < 0 and -first_lag == items.shape[-1] - 1


def backward(items: Array, first_lag: int) -> Array:
    """Return the items (…, n, k) by which a loss reaches back from it: those of lags from 0 on.

    Where no loss reaches back, those by which it reaches ahead, as if time ran the other way.
    """
    return items[..., ::-1, ::-1] if reaches_ahead(items, first_lag) else items[..., -first_lag:]


def _reaches(items: Array, from_zero_state: bool, threshold: float) -> Float64:
    """How many steps each loss that counts reaches back, array (batches, losses), from items (batches, n, k).

    NaN for a batch with items that are not finite.
    """
    batches, steps, lags = items.shape
    places, seen, behind = pieces_by_loss(steps, lags, from_zero_state)
    flat = items.reshape(batches, -1)  # (batches, n·k)
    pieces = flat.take(places, axis=1)  # (batches, losses, k): row t, what loss t sent back 0, 1, … steps
    with np.errstate(invalid="ignore"):
        pieces *= seen
        small = pieces < threshold * np.maximum.reduce(pieces, axis=2, keepdims=True)  # (batches, losses, k)
    small &= seen
    small &= np.arange(lags) > pieces.argmax(axis=2)[..., None]  # a piece before the largest one is not a decay
    first = small.argmax(axis=2)  # (batches, losses): 0 where there is none, since lag 0 cannot lie behind the largest
    found: Float64 = np.where(first, first, behind).astype(np.float64)  # (batches, losses)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduce(flat, axis=1)  # (batches,)
    for doubtful in np.flatnonzero(~np.isfinite(sums)):  # a sum may overflow
        if not np.isfinite(flat[doubtful]).all():
            found[doubtful] = np.nan
    return found


@lru_cache(maxsize=16)
def pieces_by_loss(steps: int, lags: int, from_zero_state: bool) -> tuple[Indices, NDArray[np.bool_], Indices]:
    """Where ``[j, d]`` has the pieces ``[t, d]`` of the losses that count, those of the last steps.

    Parameters
    ----------
    steps, lags : int
        Length n of the window, and number k of recorded lags.
    from_zero_state : bool
        Whether the piece of the first step tells nothing, because the state before it was zero.

    Returns
    -------
    int array (losses, k)
        Places in the flattened items.
    bool array (losses, k)
        Which of them exist, and tell something.
    int array (losses,)
        How many.
    """
    first = min(lags, (steps + 1) // 2) - 1
    t, d = np.meshgrid(np.arange(first, steps), np.arange(lags), indexing="ij")  # (losses, k)
    seen = t - d >= (1 if from_zero_state else 0)  # (losses, k)
    return np.maximum(t - d, 0) * lags + d, seen, seen.sum(axis=1)

"""Losses, step by step, and their gradients with respect to what the read-out gives."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .forward import ForwardPass
from .parameters import Array, Tokens

_SMALL = 1e-30
"""Sums of exponentials from here to its inverse are exact: far from where float32 loses digits or overflows."""


def softmax_cross_entropy(logits: Array, targets: Tokens, ones: Array) -> tuple[Array, Array]:
    """Return the softmax of logits, (N, O), and ``-log p[target]`` of each row, (N,): PyTorch's `cross_entropy`.

    Parameters
    ----------
    logits : array (N, O)
        May be overwritten.
    targets : int array (N,)
        Classes.
    ones : array (O,)
        A product with it sums over short rows faster than numpy's sum.
    """
    weights = np.exp(logits)  # (N, O)
    sums = weights.dot(ones)  # (N,)
    if not (sums[sums.argmin()] > _SMALL and sums[sums.argmax()] < 1 / _SMALL):
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)  # the same softmax, and sums from 1 to O
        np.exp(logits, out=weights)
        weights.dot(ones, out=sums)
    # log Σ exp(z) - z_target, and not -log p: finite where p underflows to 0
    loss: Array = np.log(sums) - logits.take(row_starts(logits) + targets)  # (N,)
    weights /= sums[:, None]
    return weights, loss


def mean_squared_error(values: Array, targets: Array) -> Array:
    """Return the mean over entries of the squared difference, (N,), of rows (N, O): PyTorch's `mse_loss` of each."""
    difference = values - targets  # (N, O)
    found: Array = np.vecdot(difference, difference) / values.dtype.type(values.shape[-1])
    return found


def read_out_gradients(flat: ForwardPass) -> Array:
    """Gradient of each step's loss with respect to what the read-out gives, array (N, O), of a flattened pass.

    ``p - y`` of classes, with respect to the logits; ``2 (v - y) / O`` of vectors. 0 where there is no loss.
    """
    if flat.of_classes:
        found: Array = flat.predicted.copy()  # (N, O)
        places = row_starts(found) + flat.targets  # (N,)
        found.put(places, found.take(places) - 1)
    else:
        found = flat.predicted - flat.targets
        found *= 2 / found.shape[1]
    if flat.mask is not None:
        found[~flat.mask] = 0
    return found


def output_gradients(flat: ForwardPass, W_ho: Array) -> tuple[Array, Array]:
    """Gradients of each step's loss, of a flattened pass, where the walk back begins.

    Parameters
    ----------
    flat : ForwardPass
        Whose own `entering` it is, if it has that; else that of its read-out and loss.
    W_ho : array (O, q)
        The read-out, or its first q columns.

    Returns
    -------
    array (N, O)
        With respect to what the read-out gives.
    array (N, q)
        With respect to what the top layer gives out, the first q entries: an array of its own.
    """
    if flat.entering is not None:
        return np.zeros_like(flat.predicted), flat.entering[:, : W_ho.shape[1]].copy()
    at_read_out = read_out_gradients(flat)  # (N, O)
    return at_read_out, at_read_out.dot(W_ho)


def row_starts(array: Array) -> Tokens:
    """Where each row of a contiguous array (N, O) begins in its memory, int array (N,): quicker than two indices."""
    return _multiples(*array.shape)


@lru_cache(maxsize=8)
def _multiples(count: int, of: int) -> Tokens:
    return np.arange(0, count * of, of)

"""What one batch trains on: inputs, targets, and which steps have a loss; and the checks of such arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .checks import array_of
from .parameters import Mask, Signal, Tokens


class Window(NamedTuple):
    """Steps of one sequence, or of B sequences side by side.

    Attributes
    ----------
    inputs : int array (n,) or (n, B), or array (n, V) or (n, B, V)
        Tokens, or vectors.
    targets : int array (n,) or (n, B), or array (n, O) or (n, B, O)
        Classes, or vectors. 0 where there is no loss.
    mask : bool array (n,) or (n, B), or None
        Which steps have a loss; None if all have.
    starts : sequence of int
        Where in the data the targets of each sequence begin.
    fresh : bool
        Whether the state before the first step is zero; else it is that after the window before.
    """

    inputs: Signal
    targets: Signal
    mask: Mask | None
    starts: Sequence[int]
    fresh: bool

    def alone(self) -> Window:
        """Return the window of the only sequence, without an axis of sequences. Its arrays are views."""
        mask = None if self.mask is None else self.mask[:, 0]
        return self._replace(inputs=self.inputs[:, 0], targets=self.targets[:, 0], mask=mask)


def check_tokens(name: str, values: ArrayLike, size: int, most_axes: int = 1) -> Tokens:
    """Return tokens, int array (n,), or (n, B) if two axes are allowed.

    Raises
    ------
    TypeError, ValueError
        If they are of another shape or kind, or out of range.
    """
    array = array_of(name, values)
    if not 1 <= array.ndim <= most_axes or array.size == 0:
        axes = "a one-dimensional array" if most_axes == 1 else "an array (n,) or (n, B)"
        raise ValueError(f"{name} takes {axes} of at least one token, got shape {array.shape}")
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name} takes whole numbers, got dtype {array.dtype}")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= size:
        raise ValueError(f"{name} takes tokens from 0 to {size - 1}, got {low if low < 0 else high}")
    return array.astype(np.intp, copy=False)


def check_tokens_or_vectors(name: str, values: ArrayLike, size: int, dtype: DTypeLike) -> Signal:
    """Return tokens, int array (n,) or (n, B), or vectors, array (n, size) or (n, B, size), by the values' own kind.

    Raises
    ------
    TypeError, ValueError
        If they are of another shape or kind, out of range, or not finite.
    """
    array = array_of(name, values)
    if array.dtype.kind != "f" or array.size == 0:
        return check_tokens(name, array, size, most_axes=2)
    if not 2 <= array.ndim <= 3 or array.shape[-1] != size:
        vectors = f"vectors, an array (n, {size}) or (n, B, {size})"
        raise ValueError(f"{name} takes whole numbers, or {vectors}; got {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} takes finite numbers, got some that are not")
    return array.astype(dtype, copy=False)


def check_targets(values: ArrayLike, size: int, dtype: DTypeLike, mask: Mask | None) -> Signal:
    """Return classes or vectors as `check_tokens_or_vectors` does; where there is no loss, anything is taken as 0."""
    array = array_of("targets", values)
    if mask is not None and array.shape[: mask.ndim] == mask.shape:
        array = np.where(mask[(..., *[None] * (array.ndim - mask.ndim))], array, np.zeros_like(array))
    return check_tokens_or_vectors("targets", array, size, dtype)


def check_mask(values: ArrayLike, shape: tuple[int, ...]) -> Mask:
    """Return which steps have a loss, bool array of this shape; what is said of steps alone holds for all sequences.

    Raises
    ------
    TypeError, ValueError
        If it is of another shape or kind.
    """
    array = array_of("mask", values)
    if array.dtype.kind != "b":
        raise TypeError(f"mask takes True and False, got dtype {array.dtype}")
    if array.shape not in (shape, shape[:1]):
        raise ValueError(f"mask takes an entry for each step, shape {shape}, got shape {array.shape}")
    return np.broadcast_to(array.reshape(*array.shape, *[1] * (len(shape) - array.ndim)), shape)

"""How well what somebody worked out agrees with what it should be, in one number; and where it first does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

TOLERANCES = {"float64": 1e-6, "float32": 1e-3, "float16": 1e-1}
"""What counts as agreeing, by the dtype of what was worked out: far above rounding, far below any mistake."""
FLOORS = {"float64": 1e-140, "float32": 1e-30, "float16": 1e-4}
"""Pieces below this part of the largest one have too few digits left to be compared."""


@dataclass(frozen=True)
class Difference:
    """Where something first differs from what it should be.

    Attributes
    ----------
    batch : int
        Number of the batch.
    argument : str
        What differs, as the argument is called: ``terms``, ``hidden``, ``gradients['W_hh']``.
    rel_error : float
        See `rel_error`; of a piece, that of the piece.
    found, expected : float
        Norms of what was found and of what it should be.
    loss, step : int or None
        Of a piece: the step whose loss sent it, and the step that received it. Of an array by steps: `step` alone.
    agreeing_lags : int
        Of a piece: how many lags agree in all steps, from 0 on.
    """

    batch: int
    argument: str
    rel_error: float
    found: float
    expected: float
    loss: int | None = None
    step: int | None = None
    agreeing_lags: int = 0

    @property
    def lag(self) -> int | None:
        """How many steps the piece went back; None if it is no piece."""
        return None if self.loss is None or self.step is None else self.loss - self.step

    def sentence(self) -> str:
        """Say it."""
        numbers = f"norm {self.found:.4g} instead of {self.expected:.4g}, rel_error {self.rel_error:.2g}"
        start = f"First differs at batch {self.batch:,} in {self.argument}"
        if self.lag is None:
            return f"{start}{'' if self.step is None else f' at step {self.step}'}: {numbers}."
        if self.lag < 0:
            return (
                f"{start}: step {self.step} comes after step {self.loss}, so that the loss of step {self.loss} sends "
                f"nothing there; got norm {self.found:.4g}."
            )
        piece = f"what the loss of step {self.loss} sends to step {self.step} (lag {self.lag})"
        if not self.agreeing_lags:
            return f"{start}: {piece} has {numbers}."
        agree = "lag 0 agrees" if self.agreeing_lags == 1 else f"lags 0 to {self.agreeing_lags - 1} agree"
        return f"{start}: {piece} has {numbers}. All of {agree}."


def rel_error(found: ArrayLike, expected: ArrayLike) -> float:
    """How far an array is from what it should be: ``‖found − expected‖ / max(‖found‖, ‖expected‖)``.

    Of all entries together, so that entries that happen to be nearly 0 do not count more than others. It is 0 if both
    are equal, at most 2, and infinite if what was found is not finite.

    Parameters
    ----------
    found, expected : array
        Of one shape.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If one of them does not consist of real numbers.
    ValueError
        If their shapes differ, or what is expected is not finite.

    Examples
    --------
    >>> rel_error([1.0, 2.0], [1.0, 2.0])
    0.0
    >>> round(rel_error([3.0, 0.0], [0.0, 4.0]), 2)
    1.25
    """
    a, b = real_array("found", found), real_array("expected", expected)
    if a.shape != b.shape:
        raise ValueError(f"found takes an array of shape {b.shape}, as expected has; got shape {a.shape}")
    if not np.isfinite(b).all():
        raise ValueError("expected takes finite numbers")
    return float(rel_errors(a.reshape(1, -1), b.reshape(1, -1))[0])


def rel_errors(found: Float64, expected: Float64, floor: float = 0.0) -> Float64:
    """`rel_error` along the last axis: arrays (…, m) → (…). Where both norms are at most `floor`, it is 0."""
    largest = np.maximum(np.abs(found).max(axis=-1, initial=0), np.abs(expected).max(axis=-1, initial=0))  # (…)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)[..., None]  # squares of tiny numbers vanish
    with np.errstate(invalid="ignore", over="ignore"):
        a, b = found / scale, expected / scale  # (…, m)
        size = np.maximum(np.linalg.norm(a, axis=-1), np.linalg.norm(b, axis=-1))  # (…)
        error = np.linalg.norm(a - b, axis=-1) / np.where(size > 0, size, 1.0)
    error = np.where(np.isfinite(error), error, np.inf)
    compared: Float64 = np.where(size * scale[..., 0] <= floor, 0.0, error)
    return compared


def norms(rows: Float64) -> Float64:
    """Euclidean norms along the last axis, (…, m) → (…), also of numbers whose squares are out of range."""
    largest = np.abs(rows).max(axis=-1, initial=0)  # (…)
    scale = np.where(largest > 0, largest, 1.0)
    found: Float64 = np.linalg.norm(rows / scale[..., None], axis=-1) * scale
    return found


def first_piece(errors: Float64, tolerance: float) -> tuple[int, int, int] | None:
    """Find the first piece that does not agree, in the order in which a loss is followed back.

    Parameters
    ----------
    errors : array (n, n)
        At ``[t, j]`` that of what the loss of step t sent to step j.
    tolerance : float
        Errors up to this are agreement.

    Returns
    -------
    (int, int, int) or None
        The loss t, the step j, and how many lags agree before: the smallest lag, and in it the first loss. A step that
        comes after the loss comes last.
    """
    steps = len(errors)
    for lag in (*range(steps), *range(-1, -steps, -1)):
        wrong = np.flatnonzero(~(np.diagonal(errors, -lag) <= tolerance))  # (m,): of losses lag, lag + 1, … or 0, 1, …
        if wrong.size:
            loss = int(wrong[0]) + max(0, lag)
            return loss, loss - lag, lag if lag > 0 else 0
    return None


def first_step(errors: Float64, tolerance: float) -> int | None:
    """Find the first step that does not agree, from errors (n,); None if all do."""
    wrong = np.flatnonzero(~(errors <= tolerance))
    return int(wrong[0]) if wrong.size else None


def real_array(name: str, values: Any, *, finite: bool = False) -> Float64:
    """Return an array of real numbers in double precision, of any shape.

    Raises
    ------
    TypeError
        If it has other entries.
    ValueError
        If its rows have different lengths, or `finite` is asked for and an entry is not.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} takes an array, got rows of different shapes") from None
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} takes real numbers, got dtype {array.dtype}")
    if finite and not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ValueError(f"{name} takes finite numbers, got {array[place]} at {list(place)}")
    return array.astype(np.float64)

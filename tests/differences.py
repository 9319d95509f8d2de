"""How far arrays are from each other, and what they are compared with: differences, and measures of built matrices."""

from collections.abc import Callable

import numpy as np


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, relative to the largest expected entry."""
    assert found.shape == expected.shape
    scale = np.abs(expected).max(initial=0)
    return float(np.abs(found - expected).max(initial=0) / (scale or 1.0))


def central_differences(function: Callable[[], float], array: np.ndarray) -> np.ndarray:
    """Derivatives of a function with respect to each entry of an array that it reads."""
    step, found = 1e-5, np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = function()
        array[index] = kept - step
        below = function()
        array[index] = kept
        found[index] = (above - below) / (2 * step)
    return found


MEASURED: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "norm": lambda matrices, whole: np.linalg.norm(matrices, axis=(-2, -1)),
    "mean_abs": lambda matrices, whole: np.abs(matrices).mean(axis=(-2, -1)),
    "share": lambda matrices, whole: (matrices * whole).sum(axis=(-2, -1)) / (np.linalg.norm(whole) or 1),
}
"""The measures by their definitions, of matrices (…, gates·H, H) that are parts of a whole gradient (gates·H, H)."""


def at_loss(found: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Turn [j, i] with t = j + lags[i] into [j, t]: array (n, n, …). What has no loss in the window must be 0."""
    n = len(found)
    turned = np.zeros((n, n, *found.shape[2:]))
    for j in range(n):
        for i, lag in enumerate(lags):
            if 0 <= j + lag < n:
                turned[j, j + lag] = found[j, i]
            else:
                assert not found[j, i].any()
    return turned

"""The median of numbers that arrive one after the other, at a cost and in a memory that do not grow with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SHIFT = 15  # of a float32's 31 bits without its sign, 16 tell the bin: 8 of exponent, 8 of mantissa
_BINS = 1 << 16


class RunningMedian:
    """Counts numbers of at least 0 in bins that are 0.2 to 0.4 % wide; the median is the middle of its bin."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int32] = np.zeros(_BINS, np.int32)
        self.count = 0

    def extend(self, values: ArrayLike) -> None:
        """Take in values; those that are negative or not finite are passed over.

        Parameters
        ----------
        values : array (new,)
            Read as float32.
        """
        numbers = np.asarray(values, np.float32)
        countable = np.abs(numbers[np.isfinite(numbers) & (numbers >= 0)])  # abs: -0.0 has a sign bit
        # The bits of floats that are not negative are in the order of the floats.
        bins, counts = np.unique(countable.view(np.uint32) >> _SHIFT, return_counts=True)
        self._counts[bins] += counts
        self.count += len(countable)

    @property
    def value(self) -> float:
        """Median of what was taken in, to 0.2 %; of an even number the lower of the middle two; NaN of nothing."""
        if not self.count:
            return float("nan")
        held = int(np.searchsorted(np.cumsum(self._counts), (self.count + 1) // 2))
        if held == 0:
            return 0.0
        edges = (np.array([held, held + 1], np.uint32) << _SHIFT).view(np.float32)
        return float(np.minimum(edges, np.finfo(np.float32).max).mean(dtype=np.float64))

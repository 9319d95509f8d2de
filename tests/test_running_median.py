"""The running median: that of all values, nearly."""

import numpy as np
import pytest

from rnnbow_widget.running_median import RunningMedian


def test_the_running_median_is_the_median() -> None:
    values = np.exp(np.random.default_rng(0).normal(-20, 9, 4001)).astype(np.float32)
    median = RunningMedian()
    assert np.isnan(median.value)
    for part in np.split(values, [1, 5, 1000, 1001]):
        median.extend(part)
    median.extend([np.nan, np.inf, -1.0])
    assert median.value == pytest.approx(np.median(values), rel=2**-8)
    assert median.count == 4001
    median.extend(np.zeros(5000))
    assert median.value == 0
    largest = RunningMedian()
    largest.extend([np.finfo(np.float32).max])
    assert np.isfinite(largest.value)

"""The definition of the horizon length."""

import numpy as np

from rnnbow_widget.reach import horizon_length


def _decaying(rate: float, steps: int, lags: int) -> np.ndarray:
    items = np.zeros((steps, lags), np.float32)
    for j in range(steps):
        for d in range(min(lags, steps - j)):
            items[j, d] = rate**d
    return items


def test_horizon_length_counts_the_steps_until_one_percent() -> None:
    assert horizon_length(_decaying(0.1, 25, 10)) == 3  # 1, .1, .01 reach; .001 does not
    assert horizon_length(_decaying(0.5, 25, 10)) == 7
    assert horizon_length(_decaying(1e-3, 25, 10)) == 1
    assert horizon_length(_decaying(0.9, 25, 10)) == 10  # still there when the recorded lags end
    assert horizon_length(np.zeros((4, 2))) == 2


def test_horizon_length_goes_by_the_threshold_and_by_the_losses_that_there_are() -> None:
    slow = np.arange(25) % 3 > 0  # (n,): two of three losses decay by half a step
    items = np.zeros((25, 10), np.float32)
    for j in range(25):
        for d in range(min(10, 25 - j)):
            items[j, d] = (0.5 if slow[j + d] else 0.1) ** d
    assert horizon_length(items) == horizon_length(items, counted=slow) == 7
    assert horizon_length(items, counted=~slow) == 3
    assert horizon_length(items, threshold=0.2) == 3
    assert horizon_length(items, threshold=0.2, counted=~slow) == 1
    assert np.isnan(horizon_length(items, counted=np.zeros(25)))


def test_a_piece_before_the_largest_one_is_not_a_decay() -> None:
    items = np.zeros((4, 4))
    items[3, 0], items[2, 1], items[1, 2], items[0, 3] = 0.001, 1, 0.5, 0.001
    items[2, 0], items[1, 1], items[0, 2] = 1, 1, 1
    items[1, 0], items[0, 1] = 1, 1
    # reach: loss 1 both steps it has, loss 2 all three, loss 3 up to lag 2
    assert horizon_length(items) == 3


def test_the_zero_state_is_not_taken_for_vanishing() -> None:
    items = _decaying(0.9, 6, 6)
    items[0] = 0
    assert horizon_length(items, from_zero_state=True) == np.median([2, 3, 4, 5])
    assert horizon_length(items, from_zero_state=False) == np.median([2, 3, 4, 5])
    one = np.zeros((1, 1))
    assert horizon_length(one, from_zero_state=True) == 0


def test_a_batch_that_is_not_finite_has_no_horizon() -> None:
    assert np.isnan(horizon_length(np.array([[np.nan]])))

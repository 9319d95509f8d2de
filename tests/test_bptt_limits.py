"""Itemized BPTT at the limits of floating point, and of what it takes."""

import warnings
from math import frexp
from typing import Any, cast

import numpy as np
import pytest
from differences import relative_error
from strategies import LinearCell, make_case

from rnnbow_widget.bptt_itemized import _drop, itemized_bptt, itemized_delta, safe_scale
from rnnbow_widget.losses import read_out_gradients
from rnnbow_widget.measuring import MEASURES
from rnnbow_widget.rnn import RNN


def test_single_precision_reads_vanishing_gradients_down_to_the_floor() -> None:
    case = make_case(steps=120, hidden=20, init="normal", dtype=np.float32)
    double = make_case(steps=120, hidden=20, init="normal")
    double.rnn.parameters.vector[:] = case.rnn.parameters.vector
    found = itemized_bptt(case.rnn, case.forward())
    expected = np.linalg.norm(itemized_delta(double.rnn, double.forward()), axis=-1)  # (n, n)
    weights = np.linalg.norm(double.forward().hidden[:-1], axis=-1)[:, None]
    seen = expected > found.floor * 10
    assert seen.sum() > 120 * 15
    assert found.floor < 1e-28
    np.testing.assert_allclose(found.items["norm"][seen], (expected * weights)[seen], rtol=1e-5)


def test_exploding_gradients_are_measured_without_overflow_or_warning() -> None:
    rnn = RNN(3, 8, cell=LinearCell, init="orthogonal", dtype=np.float32)
    rnn.parameters.W_hh *= 8
    rnn.parameters.W_ih[:] *= 1e-6
    x = np.zeros(18, int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        itemized = itemized_bptt(rnn, rnn.forward(x, x), measures=MEASURES)
    lags = itemized.items["norm"][1]
    assert np.isfinite(lags).all()
    assert lags[15] / lags[1] > 1e9


@pytest.mark.parametrize("streams", [None, 2])
@pytest.mark.parametrize("horizon", [None, 2])
def test_what_overflows_and_what_is_no_number_is_shown_and_no_accident(
    horizon: int | None, streams: int | None
) -> None:
    """Weights of 1e200 overflow within two steps, and a sum of infinities of both signs is not a number."""
    rnn = RNN(3, 4, cell=LinearCell, init="orthogonal", dtype=np.float64)
    x = np.arange(6) % 3 if streams is None else np.arange(12).reshape(6, 2) % 3
    forward = rnn.forward(x, x)
    rnn.parameters.W_hh *= 1e200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        itemized = itemized_bptt(rnn, forward, horizon, measures=MEASURES)
        delta = itemized_delta(rnn, forward, horizon)
        plain, average = itemized.gradients.parameters.W_hh, itemized.average
        sums = itemized_bptt(rnn, forward, horizon).gradients  # without shares: of a whole window, from its own rows
    assert not np.isfinite(sums.parameters.W_hh).all()
    assert not np.isfinite(plain).all()
    assert not np.isfinite(itemized.total["norm"]).all()
    assert not np.isfinite(average.total["norm"]).all()
    assert np.isfinite(delta[..., :2, :]).all(), "two lags do not overflow"
    assert (horizon is None) != bool(np.isfinite(delta).all())


@pytest.mark.parametrize("gain", [1e200, np.inf])
def test_plain_gradients_of_several_layers_may_overflow_as_well(gain: float) -> None:
    rnn = RNN(3, 4, cell=LinearCell, num_layers=2, init="orthogonal", dtype=np.float64)
    forward = rnn.forward(np.arange(6) % 3, np.arange(6) % 3)
    for name in ("W_hh", "W_hh_l1"):
        weights = rnn.parameters[name]
        weights *= gain
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = itemized_bptt(rnn, forward).gradients.parameters
    assert not np.isfinite(plain["W_hh"]).all()


@pytest.mark.parametrize("size", [1e-18, 1e-3, 0.5, 1.0, 1.5, 3e5, 1e15])
def test_single_precision_is_scaled_by_a_power_of_two_to_just_below_2_to_the_40(size: float) -> None:
    scale = safe_scale(np.full((2, 8), size / 4, np.float32))
    assert frexp(scale)[0] == 0.5
    assert 2.0**39 <= scale * size < 2.0**40


def test_what_has_no_size_or_room_enough_is_not_scaled() -> None:
    for value, dtype in ((0, np.float32), (np.inf, np.float32), (np.nan, np.float32), (1e-3, np.float64)):
        assert safe_scale(np.full((2, 8), value, dtype)) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_floor_is_in_the_units_of_the_gradients(dtype: type) -> None:
    case = make_case(dtype=dtype)
    incoming = read_out_gradients(case.forward()) @ case.rnn.parameters.W_ho  # (n, H)
    expected = 2.0**-60 / safe_scale(incoming) if dtype == np.float32 else 1e-150
    assert itemized_bptt(case.rnn, case.forward()).floor == expected


def test_rows_are_dropped_by_their_norm_and_not_before() -> None:
    """Each step back multiplies by 1e-5: 1e-75 at lag 15 is followed on, 1e-155 at lag 31 is not."""
    rnn = RNN(3, 4, cell=LinearCell, init="identity", dtype=np.float64)
    rnn.parameters.W_hh *= 1e-5
    x = np.arange(40) % 3
    delta = itemized_delta(rnn, rnn.forward(x, x))  # (n, n, H)
    sizes = np.array([np.abs(delta[39 - d, d]).max() for d in range(40)])  # (n,): of the last loss
    assert (sizes[:31] > 0).all()
    assert not sizes[31:].any()


def test_rows_at_their_limit_are_dropped_and_what_is_no_number_is_not() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [3.0, 4.1], [np.nan, 0.0], [1.0, 0.0]])  # (losses, R)
    assert _drop(rows, np.full(5, 25.0))
    np.testing.assert_array_equal(rows, [[0, 0], [0, 0], [3, 4.1], [np.nan, 0], [0, 0]])
    assert _drop(rows[2:4], np.full(2, 25.0)), "none is dropped, so some are left"
    assert not _drop(rows[:2], np.full(2, 25.0))


def test_single_precision_stays_single() -> None:
    case, double = make_case(dtype=np.float32, cell="lstm"), make_case(cell="lstm")
    double.rnn.parameters.vector[:] = case.rnn.parameters.vector
    for horizon in (None, 4):
        found = itemized_bptt(case.rnn, case.forward(), horizon, measures=MEASURES)
        delta = itemized_delta(case.rnn, case.forward(), horizon)
        assert itemized_bptt(case.rnn, case.forward(), horizon).delta.dtype == np.float32
        parts = [*found.items.values(), *found.total.values(), *found.beyond.values()]
        assert {array.dtype for array in (*parts, found.delta, delta, found.gradients.delta)} == {np.dtype(np.float32)}
        expected = itemized_delta(double.rnn, double.forward(), horizon)
        assert relative_error(delta, expected) < 2e-6


def test_what_is_no_network_or_pass_is_named() -> None:
    case = make_case()
    functions: list[Any] = [itemized_bptt, itemized_delta]
    for function in functions:
        with pytest.raises(TypeError, match="rnn takes"):
            function("tanh", case.forward())
        with pytest.raises(TypeError, match="forward takes"):
            function(case.rnn, case.inputs)
    with pytest.raises(TypeError, match="gradients takes"):
        itemized_bptt(case.rnn, case.forward(), gradients=cast(Any, case.rnn.parameters))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"horizon": 0}, "horizon takes a whole number of at least 1, got 0"),
        ({"horizon": -3}, "horizon takes a whole number of at least 1, got -3"),
        ({"horizon": 2.5}, "horizon takes a whole number, got 2.5"),
        ({"horizon": True}, "horizon takes a whole number, got True"),
        ({"epsilon": -1}, "epsilon takes a finite number of at least 0, got -1"),
        ({"epsilon": float("nan")}, "epsilon takes a finite number of at least 0, got nan"),
        ({"measures": ("median",)}, "measures takes one of 'norm', 'mean_abs', 'share'; got 'median'"),
        ({"measures": "norm"}, "measures takes a collection of strings, got 'norm'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    case = make_case()
    with pytest.raises((TypeError, ValueError), match=message):
        itemized_bptt(case.rnn, case.forward(), **arguments)

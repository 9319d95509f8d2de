"""One number for how well arrays agree, and the order in which differences are looked for."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnnbow_widget import rel_error
from rnnbow_widget.agreement import Difference, first_piece, first_step, rel_errors

NUMBERS = arrays(np.float64, (3, 4), elements=st.floats(-1e100, 1e100))


@given(NUMBERS, NUMBERS)
def test_it_is_symmetric_at_most_2_and_0_of_equals(a: np.ndarray, b: np.ndarray) -> None:
    assert rel_error(a, a) == 0
    assert 0 <= rel_error(a, b) <= 2 * (1 + 1e-12)
    assert rel_error(a, b) == pytest.approx(rel_error(b, a))


@given(arrays(np.float64, 5, elements=st.floats(-10, 10)), st.floats(1e-200, 1e200))
def test_units_do_not_matter(a: np.ndarray, factor: float) -> None:
    b = a + 0.5
    assert rel_error(factor * a, factor * b) == pytest.approx(rel_error(a, b), rel=1e-9)


def test_what_is_not_finite_never_agrees() -> None:
    assert rel_error([np.nan, 1.0], [0.0, 1.0]) == np.inf
    assert rel_error([np.inf], [1.0]) == np.inf


@pytest.mark.parametrize(
    ("found", "expected", "error", "words"),
    [
        ([1.0], [1.0, 2.0], ValueError, r"found takes an array of shape \(2,\), as expected has; got shape \(1,\)"),
        ([1.0], [np.nan], ValueError, "expected takes finite numbers"),
        (["a"], [1.0], TypeError, "found takes real numbers, got dtype <U1"),
        ([1.0], [1j], TypeError, "expected takes real numbers, got dtype complex128"),
        ([[1.0], [1.0, 2.0]], [1.0], ValueError, "found takes an array, got rows of different shapes"),
    ],
)
def test_what_cannot_be_compared_is_refused(found: Any, expected: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        rel_error(found, expected)


def test_below_the_floor_nothing_is_compared() -> None:
    found, expected = np.array([[1e-20], [1e-20]]), np.array([[3e-20], [1.0]])
    assert rel_errors(found, expected, 1e-15).tolist() == [0, 1]


def test_pieces_are_looked_at_lag_by_lag() -> None:
    errors = np.zeros((5, 5))
    errors[4, 1] = errors[3, 1] = errors[0, 4] = 1
    assert first_piece(errors, 0.5) == (3, 1, 2)
    errors[2, 2] = np.nan
    assert first_piece(errors, 0.5) == (2, 2, 0)
    future = np.zeros((3, 3))
    future[0, 2] = 1
    assert first_piece(future, 0.5) == (0, 2, 0)
    assert first_piece(np.zeros((3, 3)), 0.0) is None
    assert first_step(np.array([0.0, 2.0, 3.0]), 1.0) == 1
    assert first_step(np.zeros(3), 1.0) is None


def test_sentences() -> None:
    numbers: Any = {"rel_error": 0.5, "found": 2.0, "expected": 1.0}
    piece = Difference(3, "terms", **numbers, loss=5, step=3, agreeing_lags=2)
    assert piece.sentence() == (
        "First differs at batch 3 in terms: what the loss of step 5 sends to step 3 (lag 2) has norm 2 instead of 1, "
        "rel_error 0.5. All of lags 0 to 1 agree."
    )
    future = Difference(0, "terms", **numbers, loss=1, step=3)
    assert "step 3 comes after step 1" in future.sentence()
    assert "differs at batch 0 in hidden at step 2:" in Difference(0, "hidden", **numbers, step=2).sentence()
    assert piece.lag == 2
    assert Difference(0, "loss", **numbers).lag is None

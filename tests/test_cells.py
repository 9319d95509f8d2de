"""Whole windows of a cell are its steps, one after the other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import relative_error

from rnnbow_widget.cells import Cell, TanhCell


def _window(seed: int, steps: int, hidden: int) -> tuple[TanhCell, np.ndarray, np.ndarray, np.ndarray]:
    """A cell, what enters it forward (n, H), its states (n+1, H) with only the first one set, what enters backward."""
    generator = np.random.default_rng(seed)
    cell = TanhCell(generator.normal(0, 1 / np.sqrt(hidden), (hidden, hidden)))
    projected, incoming = generator.normal(size=(2, steps, hidden))
    states = np.zeros((steps + 1, hidden))
    states[0] = generator.uniform(-1, 1, hidden)
    return cell, projected, states, incoming


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 80), min_size=1, max_size=3), st.integers(1, 12))
@settings(deadline=None, max_examples=40)
def test_a_window_is_its_steps(seed: int, lengths: list[int], hidden: int) -> None:
    cell, *_ = _window(seed, 1, hidden)
    for steps in lengths:  # the same cell for windows of several lengths
        _, projected, states, incoming = _window(seed, steps, hidden)
        expected = states.copy()
        Cell.forward_window(cell, projected, expected)
        cell.forward_window(projected, states)
        assert relative_error(states, expected) < 1e-12
        slopes, delta, expected = cell.linearize(states), np.empty_like(incoming), np.empty_like(incoming)
        Cell.backward_window(cell, slopes, incoming, expected)
        cell.backward_window(slopes, incoming, delta)
        assert relative_error(delta, expected) < 1e-12


def test_threads_do_not_share_memory() -> None:
    cell, projected, states, _ = _window(0, 25, 40)
    expected = states.copy()
    Cell.forward_window(cell, projected, expected)

    def run(factor: int) -> bool:
        own = states.copy()
        for _ in range(100):
            cell.forward_window(projected, own)
            if relative_error(own, expected) > 1e-12:
                return False
            cell.forward_window(projected * factor, states.copy())
        return True

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(run, range(2, 6)))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_not_finite_reaches_later_steps_only() -> None:
    cell, projected, states, incoming = _window(0, 12, 5)
    projected[7, 2] = np.nan
    cell.forward_window(projected, states)
    assert np.isfinite(states[:8]).all()
    assert np.isnan(states[8:]).any(axis=1).all()
    cell, projected, states, incoming = _window(0, 12, 5)
    cell.forward_window(projected, states)
    incoming[7, 2] = np.inf
    delta = np.empty_like(incoming)
    cell.backward_window(cell.linearize(states), incoming, delta)
    assert np.isfinite(delta[8:]).all()
    assert not np.isfinite(delta[:8]).all(axis=1).any()
    incoming[7, 2] = 1
    cell.backward_window(cell.linearize(states), incoming, delta)
    assert np.isfinite(delta).all()

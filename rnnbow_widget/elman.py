"""Elman cells: one layer of units that feeds back on itself, with tanh or with a rectifier."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any

import numpy as np
from numpy import add, maximum, multiply, tanh
from numpy.typing import NDArray

from .cell import Cell
from .parameters import Array


class ElmanCell(Cell):
    """``h_j = f(W_ih x_j + W_hh h_{j-1} + b)`` (eq. 1 of the RNNbow paper, with a bias); subclasses say what f is."""

    gates = 1
    steepest = 1.0

    def __init__(self, W_hh: Array, b_hn: Array | None = None) -> None:
        super().__init__(W_hh, b_hn)
        self._activate = self.activation()
        self._spare: list[_Recurrence] = []

    @abstractmethod
    def activation(self) -> Callable[[Array, Array], Any]:
        """Return f, as a function of pre-activations (…, H) and of the array to write."""

    @abstractmethod
    def slopes(self, states: Array) -> Array:
        """Return the derivative of f, array (…, H), where it has these values."""

    def linearize(self, states: Array, gates: Array) -> Array:
        """Return the derivative of f at each step, array (n, H) or (n, B, H); see `Cell`."""
        return self.slopes(states[1:])

    def forward_step(self, gates: Array, before: Array, after: Array) -> None:
        """Write the state after one step; see `Cell`."""
        before.dot(self.W_hh.T, after)
        add(after, gates, after)
        self._activate(after, after)

    def backward_step(self, local: Array, later: Array | None, incoming: Array | None, rows: Array) -> None:
        """Take gradients one step back: ``δ_j = (W_hhᵀ δ_{j+1} + incoming) ⊙ f'``; see `Cell`."""
        if later is None:
            assert incoming is not None
            rows[...] = incoming
        else:
            later.dot(self.W_hh, rows)
            if incoming is not None:
                add(rows, incoming, rows)
        multiply(rows, local, rows)

    def delta(self, rows: Array) -> Array:
        """Return δ of rows: all that there is; see `Cell`."""
        return rows

    def forward_window(self, gates: Array, states: Array) -> None:
        """Take all forward steps of a window; see `Cell`."""
        activate = self._activate
        if gates.ndim == 3:
            turned = self.W_hh.T.copy()  # (H, H): a product of few rows by rows is slow
            for own, before, after in zip(gates, states[:-1], states[1:], strict=True):
                before.dot(turned, after)
                add(after, own, after)
                activate(after, after)
            return
        run = self._take_recurrence(len(gates))
        run.matrix[...] = self.W_hh.T
        for part in _parts(len(gates)):
            count = part.stop - part.start
            run.enters[:count] = gates[part]
            run.results[0] = states[part.start]
            for product, weights, after, _ in run.calls[:count]:
                product(weights, after)
                activate(after, after)
            states[part.start + 1 : part.stop + 1] = run.results[1 : count + 1]
        self._spare.append(run)
        if not isfinite(states[-1].dot(states[-1])):
            super().forward_window(gates, states)  # what is not finite reaches those steps only that it has to

    def backward_window(self, linearization: Array, incoming: Array, rows: Array) -> None:
        """Take all backward steps of a window; see `Cell`."""
        if rows.ndim == 3:
            super().backward_window(linearization, incoming, rows)
            return
        run = self._take_recurrence(len(rows))
        run.matrix[...] = self.W_hh
        slopes, enters, found = linearization[::-1], incoming[::-1], rows[::-1]  # (n, H) each: the last step first
        run.results[0] = 0  # nothing comes from after the window
        for part in _parts(len(rows)):
            count = part.stop - part.start
            run.enters[:count] = enters[part]
            run.factors[:count] = slopes[part]
            for product, weights, after, slope in run.calls[:count]:
                product(weights, after)
                multiply(after, slope, after)
            found[part] = run.results[1 : count + 1]
            run.results[0] = run.results[count]
        self._spare.append(run)
        if not isfinite(rows[0].dot(rows[0])):
            super().backward_window(linearization, incoming, rows)

    def _take_recurrence(self, steps: int) -> _Recurrence:
        """Return memory for a window of so many steps; its user gives it back. No two threads get the same."""
        steps = min(steps, _STEPS)
        try:
            spare = self._spare.pop()
        except IndexError:
            return _Recurrence(steps, self.W_hh)
        return spare if len(spare.calls) == steps else _Recurrence(steps, self.W_hh)


class TanhCell(ElmanCell):
    """The cell of the paper: f is tanh."""

    name = "tanh"

    def activation(self) -> Callable[[Array, Array], Any]:
        """Return tanh; see `ElmanCell`."""
        return tanh

    def slopes(self, states: Array) -> Array:
        """Return ``1 - h²``; see `ElmanCell`."""
        found = np.square(states)
        np.subtract(1, found, found)
        return found


class ReLUCell(ElmanCell):
    """A cell of rectified linear units, ``f(a) = max(a, 0)``, with slope 0 at 0 (Le, Jaitly and Hinton 2015)."""

    name = "relu"

    def activation(self) -> Callable[[Array, Array], Any]:
        """Return the rectifier; see `ElmanCell`."""
        zeros = np.zeros(self.hidden_size, self.W_hh.dtype)  # (H,)
        return lambda values, found: maximum(values, zeros, out=found)

    def saturated(self, states: Array) -> NDArray[np.bool_]:
        """Return which units are not active, bool array (…, H): no gradient passes them; see `Cell`."""
        found: NDArray[np.bool_] = states <= 0
        return found

    def slopes(self, states: Array) -> Array:
        """Return 1 for units that are active, 0 for others; see `ElmanCell`."""
        found: Array = (states > 0).astype(states.dtype)
        return found


_STEPS = 32  # more make the products longer, fewer make more parts


def _parts(steps: int) -> Iterator[slice]:
    """Cut a window into parts that a `_Recurrence` can hold."""
    return (slice(first, min(first + _STEPS, steps)) for first in range(0, steps, _STEPS))


class _Recurrence:
    """Memory for the steps of ``x_{i+1} = f(M x_i + c_i)``, laid out so that the argument of f is one call of numpy.

    What enters, c_i, is attached to the matrix, and the unit vector e_i to x_i: ``[x_i, e_i] @ [Mᵀ; c_0; c_1; …]``. At
    the sizes that this is for, a call costs as much as its work, and the loop over steps is most of a training batch.
    (0 · inf is NaN: where something that enters is not finite, no result is.)

    Parameters
    ----------
    steps : int
        Number of steps, m.
    like : array (H, H)
        A matrix of the size and dtype of M.

    Attributes
    ----------
    matrix : array (H, H)
        ``Mᵀ``.
    enters : array (m, H)
        ``c_i``.
    results : array (m+1, H)
        ``x_i``.
    factors : array (m, H)
        For f, if it needs any.
    calls : list
        For each step: its product, to be called with the weights and the row of the result; that row; its factors.
    """

    def __init__(self, steps: int, like: Array) -> None:
        size, dtype = len(like), like.dtype
        weights = np.zeros((size + steps, size), dtype)  # (H+m, H)
        rows = np.eye(steps + 1, size + steps, size, dtype)  # (m+1, H+m)
        self.matrix, self.enters = weights[:size], weights[size:]
        self.results = rows[:, :size]
        self.factors = np.zeros((steps, size), dtype)
        self.calls = [
            (row.dot, weights, after, factors)
            for row, after, factors in zip(rows, self.results[1:], self.factors, strict=False)
        ]

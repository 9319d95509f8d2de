"""Recurrent cells: one step forward and one back, and windows of them. No gradient bookkeeping happens here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import isfinite
from typing import ClassVar

import numpy as np
from numpy import add, multiply, tanh

from .parameters import Array


class Cell(ABC):
    """One recurrent step and its derivative.

    A cell borrows the recurrent weights; it owns no parameters. Both steps write into arrays that the caller provides.
    The backward step is linear in the gradient it is given and acts on any number of rows at once, so that plain
    back-propagation through time (one row, the sum over all losses) and itemized (a row for every loss) share it.

    Those two steps and `linearize` are all that a cell has to have; it may run whole windows in a quicker way.

    Parameters
    ----------
    W_hh : array (gates·H, H)
        Recurrent weights. Read, never written.
    """

    name: ClassVar[str]
    gates: ClassVar[int]
    """Blocks of pre-activations per hidden unit."""

    def __init__(self, W_hh: Array) -> None:
        self.W_hh = W_hh

    @abstractmethod
    def forward_step(self, projected: Array, before: Array, after: Array) -> None:
        """Write the state after one step.

        Parameters
        ----------
        projected : array (gates·H,) or (B, gates·H)
            Input and bias, already multiplied: ``W_ih x + b``.
        before, after : array (H,) or (B, H)
            The state that the step starts from, and the one that it writes; of one stream, or of each of several.
        """

    @abstractmethod
    def linearize(self, states: Array) -> Array:
        """Return what the backward steps need of a whole window, from its `states` (n+1, H) or (n+1, B, H).

        The result has the axes (n,) or (n, B), and then any.
        """

    @abstractmethod
    def backward_step(self, local: Array, later: Array | None, incoming: Array | None, rows: Array) -> None:
        """Take gradients one step back: from the pre-activations of step j+1 to those of step j.

        Rows are independent of each other; each may belong to a step and a loss of its own.

        Parameters
        ----------
        local : array (…)
            Each row's entry of what `linearize` returned, that of step j.
        later : array (…, gates·H) or None
            Gradients with respect to the pre-activations of step j+1. None if nothing comes from there.
        incoming : array (…, H) or None
            Gradients that enter at step j itself, with respect to its state. None if there are none.
        rows : array (…, gates·H)
            Written: gradients with respect to the pre-activations of step j.
        """

    def forward_window(self, projected: Array, states: Array) -> None:
        """Take all forward steps of a window.

        Parameters
        ----------
        projected : array (n, gates·H) or (n, B, gates·H)
            Input and bias of each step, already multiplied.
        states : array (n+1, H) or (n+1, B, H)
            Row 0 is the state before the first step; the others are written.
        """
        for row, before, after in zip(projected, states[:-1], states[1:], strict=True):
            self.forward_step(row, before, after)

    def backward_window(self, linearization: Array, incoming: Array, delta: Array) -> None:
        """Take all backward steps of a window, for the sum of its losses.

        Parameters
        ----------
        linearization : array (n, …) or (n, B, …)
            What `linearize` returned.
        incoming : array (n, H) or (n, B, H)
            Gradients that enter at each step, with respect to its state.
        delta : array (n, gates·H) or (n, B, gates·H)
            Written: gradients with respect to the pre-activations of each step.
        """
        later = None  # (gates·H,) or (B, gates·H): the step after
        for local, own, row in zip(linearization[::-1], incoming[::-1], delta[::-1], strict=True):
            self.backward_step(local, later, own, row)
            later = row


class TanhCell(Cell):
    """The Elman cell, ``h_j = tanh(W_ih x_j + W_hh h_{j-1} + b)`` (eq. 1 of the RNNbow paper, with a bias)."""

    name = "tanh"
    gates = 1

    def __init__(self, W_hh: Array) -> None:
        super().__init__(W_hh)
        self._spare: list[_Recurrence] = []

    def forward_step(self, projected: Array, before: Array, after: Array) -> None:
        """Write the state after one step; see `Cell`."""
        before.dot(self.W_hh.T, after)
        add(after, projected, after)
        tanh(after, after)

    def linearize(self, states: Array) -> Array:
        """Return tanh' at each step, array (n, H) or (n, B, H)."""
        slopes = np.square(states[1:])
        np.subtract(1, slopes, slopes)
        return slopes

    def backward_step(self, local: Array, later: Array | None, incoming: Array | None, rows: Array) -> None:
        """Take gradients one step back: ``δ_j = (W_hhᵀ δ_{j+1} + incoming) ⊙ tanh'``; see `Cell`."""
        if later is None:
            rows[...] = 0 if incoming is None else incoming
        else:
            later.dot(self.W_hh, rows)
            if incoming is not None:
                add(rows, incoming, rows)
        multiply(rows, local, rows)

    def forward_window(self, projected: Array, states: Array) -> None:
        """Take all forward steps of a window; see `Cell`."""
        if projected.ndim == 3:
            turned = self.W_hh.T.copy()  # (H, H): a product of few rows by rows is slow
            for own, before, after in zip(projected, states[:-1], states[1:], strict=True):
                before.dot(turned, after)
                add(after, own, after)
                tanh(after, after)
            return
        run = self._take_recurrence(len(projected))
        run.matrix[...] = self.W_hh.T
        for part in _parts(len(projected)):
            count = part.stop - part.start
            run.enters[:count] = projected[part]
            run.results[0] = states[part.start]
            for product, weights, after, _ in run.calls[:count]:
                product(weights, after)
                tanh(after, after)
            states[part.start + 1 : part.stop + 1] = run.results[1 : count + 1]
        self._spare.append(run)
        if not isfinite(states[-1].dot(states[-1])):
            super().forward_window(projected, states)  # what is not finite reaches those steps only that it has to

    def backward_window(self, linearization: Array, incoming: Array, delta: Array) -> None:
        """Take all backward steps of a window; see `Cell`."""
        if delta.ndim == 3:
            super().backward_window(linearization, incoming, delta)
            return
        run = self._take_recurrence(len(delta))
        run.matrix[...] = self.W_hh
        slopes, enters, found = linearization[::-1], incoming[::-1], delta[::-1]  # (n, H) each: the last step first
        run.results[0] = 0  # nothing comes from after the window
        for part in _parts(len(delta)):
            count = part.stop - part.start
            run.enters[:count] = enters[part]
            run.factors[:count] = slopes[part]
            for product, weights, after, slope in run.calls[:count]:
                product(weights, after)
                multiply(after, slope, after)
            found[part] = run.results[1 : count + 1]
            run.results[0] = run.results[count]
        self._spare.append(run)
        if not isfinite(delta[0].dot(delta[0])):
            super().backward_window(linearization, incoming, delta)

    def _take_recurrence(self, steps: int) -> _Recurrence:
        """Return memory for a window of so many steps; its user gives it back. No two threads get the same."""
        steps = min(steps, _STEPS)
        try:
            spare = self._spare.pop()
        except IndexError:
            return _Recurrence(steps, self.W_hh)
        return spare if len(spare.calls) == steps else _Recurrence(steps, self.W_hh)


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

"""Recurrent cells: one forward step and one backward step each. No gradient bookkeeping happens here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy import add, multiply, tanh

from .parameters import Array


class Cell(ABC):
    """One recurrent step and its derivative.

    A cell borrows the recurrent weights; it owns no parameters. Both steps write into arrays that the caller provides.
    The backward step is linear in the gradient it is given and acts on any number of rows at once, so that plain
    back-propagation through time (one row, the sum over all losses) and itemized (a row for every loss) share it.

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
        projected : array (gates·H,)
            Input and bias, already multiplied: ``W_ih x + b``.
        before, after : array (H,)
            The state that the step starts from, and the one that it writes.
        """

    @abstractmethod
    def linearize(self, states: Array) -> Array:
        """Return what the backward steps need of a whole window, array (n, …), from its `states` (n+1, H)."""

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


class TanhCell(Cell):
    """The Elman cell, ``h_j = tanh(W_ih x_j + W_hh h_{j-1} + b)`` (eq. 1 of the RNNbow paper, with a bias)."""

    name = "tanh"
    gates = 1

    def __init__(self, W_hh: Array) -> None:
        super().__init__(W_hh)
        self._product = W_hh.dot  # bound once: a window calls it for every step

    def forward_step(self, projected: Array, before: Array, after: Array) -> None:
        """Write the state after one step; see `Cell`."""
        self._product(before, after)
        add(after, projected, after)
        tanh(after, after)

    def linearize(self, states: Array) -> Array:
        """Return tanh' at each step, array (n, H)."""
        slopes = np.square(states[1:])  # (n, H)
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

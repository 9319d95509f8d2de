"""What a recurrent cell is: one forward and one backward step, and windows of them. No gradient bookkeeping here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .parameters import Array

Edge = tuple[str, str, str]
"""Name, from and to."""
CLOSE = 0.9
"""Of a limit of 1: what lies above is saturated."""


class Cell(ABC):
    """One recurrent step and its derivative.

    A cell borrows the recurrent weights; it owns no parameters. Both steps write into arrays that the caller provides.
    The backward step is linear in the gradient it is given and acts on any number of rows at once, so that plain
    back-propagation through time (one row, the sum over all losses) and itemized (a row for every loss) share it.

    Those two steps and `linearize` are all that a cell has to have; it may run whole windows in a quicker way.

    A *state* is what a step hands on: h first, array (…, H), then whatever else (an LSTM's c). S is its width.
    A *row* is what a step hands back: first ``∂L/∂(W_hh h_{j-1})``, the δ of the recurrent pre-activations, array
    (…, gates·H); then whatever reaches the state before on other ways. R is its width.

    Parameters
    ----------
    W_hh : array (gates·H, H)
        Recurrent weights. Read, never written.
    b_hn : array (H,), optional
        For a cell that `has_b_hn`, this bias. Read, never written.
    """

    name: ClassVar[str]
    gates: ClassVar[int]
    """Blocks of pre-activations per hidden unit."""
    state_blocks: ClassVar[int] = 1
    """Width of a state, in hidden units: ``S = state_blocks · H``."""
    carried_blocks: ClassVar[int] = 0
    """What a row has beside δ, in hidden units: ``R = (gates + carried_blocks) · H``."""
    forget_gate: ClassVar[int | None] = None
    """Which block of pre-activations is that of a forget gate, if there is one."""
    has_b_hn: ClassVar[bool] = False
    """Whether the last block of ``W_hh h_{j-1}`` has a bias of its own, which does not merge with the input's."""
    gate_names: ClassVar[tuple[str, ...]] = ()
    """What the blocks of pre-activations are called, if there are several."""
    steepest: ClassVar[float | None] = None
    """Largest slope of the activation, of a cell without gates; None if no such bound is known."""
    edges: ClassVar[tuple[Edge, ...]] = (
        ("h", "h", "f"),
        ("later_h", "h_next", "h"),
        ("loss", "loss", "h"),
        ("a", "f", "a"),
        ("h_before", "a", "h_prev"),
        ("x", "a", "x"),
    )
    """Along which edges gradients flow through a step, from its output to its inputs: name, from, to."""

    def __init__(self, W_hh: Array, b_hn: Array | None = None) -> None:
        self.W_hh = W_hh
        self.b_hn = b_hn
        self.hidden_size = W_hh.shape[1]
        self.state_width = self.state_blocks * self.hidden_size
        self.delta_width = self.gates * self.hidden_size
        self.row_width = (self.gates + self.carried_blocks) * self.hidden_size

    @abstractmethod
    def forward_step(self, gates: Array, before: Array, after: Array) -> None:
        """Write the state after one step.

        Parameters
        ----------
        gates : array (gates·H,) or (B, gates·H)
            Input and bias, already multiplied: ``W_ih x + b``. May be overwritten, with what `linearize` is to find.
        before, after : array (S,) or (B, S)
            The state that the step starts from, and the one that it writes; of one stream, or of each of several.
        """

    @abstractmethod
    def linearize(self, states: Array, gates: Array) -> Array:
        """Return what the backward steps need of a whole window.

        The result has the axes (n,) or (n, B), and then any.

        Parameters
        ----------
        states : array (n+1, S) or (n+1, B, S)
            States before the first step and after each.
        gates : array (n, gates·H) or (n, B, gates·H)
            As the forward steps left them.
        """

    @abstractmethod
    def backward_step(self, local: Array, later: Array | None, incoming: Array | None, rows: Array) -> None:
        """Take gradients one step back: from step j+1 to step j.

        Rows are independent of each other; each may belong to a step and a loss of its own.

        Parameters
        ----------
        local : array (…)
            Each row's entry of what `linearize` returned, that of step j.
        later : array (…, R) or None
            What step j+1 handed back. None if nothing comes from there.
        incoming : array (…, H) or None
            Gradients that enter at step j itself, with respect to its h. None if there are none, and some come later.
        rows : array (…, R)
            Written: what step j hands back.
        """

    def delta(self, rows: Array) -> Array:
        """Return δ of rows (…, R), ``∂L/∂(W_hh h_{j-1})``, array (…, gates·H): a view."""
        return rows[..., : self.delta_width]

    def input_delta(self, rows: Array) -> Array:
        """Return the gradients of rows (…, R) with respect to what enters, ``W_ih x + b``, array (…, gates·H).

        The same as `delta` where both simply add; a cell for which they do not says so here.
        """
        return self.delta(rows)

    def saturated(self, states: Array) -> NDArray[np.bool_]:
        """Return which activations are close to a limit, from states (…, S): bool array (…, H).

        By default ``|h| > 0.9``, for a cell whose h lies between -1 and 1.
        """
        found: NDArray[np.bool_] = np.abs(states[..., : self.hidden_size]) > CLOSE
        return found

    def candidate_rows(self) -> Array:
        """Return the square block of W_hh whose spectrum says most of a step: with gates, that of the candidate."""
        return self.W_hh[: self.hidden_size]

    def _by_gate(self, delta: Array) -> dict[str, Array]:
        """Cut vectors (…, gates·H) into those of each gate, arrays (…, H)."""
        blocks = delta.reshape(*delta.shape[:-1], self.gates, self.hidden_size)
        return {name: blocks[..., gate, :] for gate, name in enumerate(self.gate_names)}

    def at_hidden(self, later: Array | None, incoming: Array | None) -> Array:
        """Return ``∂L/∂h_j``, array (…, H): what comes through W_hh, and what enters; see `backward_step`.

        A cell in which h reaches the next step on other ways too adds them here.
        """
        if later is None:
            assert incoming is not None
            return incoming
        found: Array = self.delta(later).dot(self.W_hh)  # (…, H)
        if incoming is not None:
            found += incoming
        return found

    def state_gradient(self, local: Array, later: Array | None, incoming: Array | None) -> Array:
        """Return the gradients with respect to the state after step j, array (…, S); see `backward_step`.

        That of h is what later steps and the step's own output send back. A cell with more than h appends what reaches
        the rest, on all ways: that of an LSTM's c has what comes through h_j too.
        """
        return self.at_hidden(later, incoming)

    def edge_gradients(self, local: Array, later: Array, incoming: Array, rows: Array) -> dict[str, Array]:
        """Return the gradients with respect to what flows along each of `edges`, arrays (rows, …); but for "x".

        Parameters
        ----------
        local, later, incoming, rows :
            As for `backward_step`, which wrote the rows.
        """
        return {
            "h": self.at_hidden(later, incoming),
            "later_h": self.delta(later).dot(self.W_hh),
            "loss": incoming,
            "a": self.delta(rows),
            "h_before": self.delta(rows).dot(self.W_hh),
        }

    def forward_window(self, gates: Array, states: Array) -> None:
        """Take all forward steps of a window.

        Parameters
        ----------
        gates : array (n, gates·H) or (n, B, gates·H)
            Input and bias of each step, already multiplied. May be overwritten, with what `linearize` is to find.
        states : array (n+1, S) or (n+1, B, S)
            Row 0 is the state before the first step; the others are written.
        """
        for row, before, after in zip(gates, states[:-1], states[1:], strict=True):
            self.forward_step(row, before, after)

    def backward_window(self, linearization: Array, incoming: Array, rows: Array) -> None:
        """Take all backward steps of a window, for the sum of its losses.

        Parameters
        ----------
        linearization : array (n, …) or (n, B, …)
            What `linearize` returned.
        incoming : array (n, H) or (n, B, H)
            Gradients that enter at each step, with respect to its h.
        rows : array (n, R) or (n, B, R)
            Written: what each step hands back.
        """
        later = None  # (R,) or (B, R): of the step after
        for local, own, row in zip(linearization[::-1], incoming[::-1], rows[::-1], strict=True):
            self.backward_step(local, later, own, row)
            later = row

"""Gated cells: LSTM and GRU, in the variants and with the order of gates that PyTorch has."""

from __future__ import annotations

import numpy as np
from numpy import add, arctanh, exp, multiply, negative, reciprocal, subtract, tanh
from numpy.typing import NDArray

from .cell import CLOSE, Cell
from .parameters import Array


class LSTMCell(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    With ``a = W_ih x_j + b + W_hh h_{j-1}`` in blocks i, f, g, o:
    ``c_j = σ(a_f) ⊙ c_{j-1} + σ(a_i) ⊙ tanh(a_g)``, ``h_j = σ(a_o) ⊙ tanh(c_j)``.

    A state is [h, c]. A row is [δ, ∂L/∂c_{j-1}]: the latter is the gradient along the cell's own path, which every step
    multiplies by its forget gate.
    """

    name = "lstm"
    gates = 4
    state_blocks = 2
    carried_blocks = 1
    forget_gate = 1
    gate_names = ("i", "f", "g", "o")
    edges = (
        ("h", "h", "output"),
        ("later_h", "h_next", "h"),
        ("loss", "loss", "h"),
        ("o", "output", "o"),
        ("tanh_c", "output", "c"),
        ("later_c", "c_next", "c"),
        ("c", "c", "cell"),
        ("f", "cell", "f"),
        ("i", "cell", "i"),
        ("g", "cell", "g"),
        ("c_before", "cell", "c_prev"),
        ("h_before", "gates", "h_prev"),
        ("x", "gates", "x"),
    )

    def forward_step(self, gates: Array, before: Array, after: Array) -> None:
        """Write the state after one step, and the activated gates; see `Cell`."""
        size = self.hidden_size
        gates += before[..., :size].dot(self.W_hh.T)
        i, f, g, o = (gates[..., first : first + size] for first in range(0, 4 * size, size))
        candidate = tanh(g)  # (…, H)
        _sigmoid(gates)  # of all blocks: one call is quicker than two on parts
        g[...] = candidate
        h, c = after[..., :size], after[..., size:]
        multiply(f, before[..., size:], c)
        multiply(i, g, candidate)
        add(c, candidate, c)
        tanh(c, h)
        multiply(h, o, h)

    def linearize(self, states: Array, gates: Array) -> Array:
        """Return the factors of each step, array (n, 6·H) or (n, B, 6·H); see `Cell`.

        Blocks 0 to 4 are what leads from ``∂L/∂c_j`` to the blocks of a row, but for that of o, which is reached from
        ``∂L/∂h_j``. Block 5 leads from ``∂L/∂h_j`` to ``∂L/∂c_j``.
        """
        size = self.hidden_size
        blocks = gates.reshape(*gates.shape[:-1], 4, size)  # (…, 4, H)
        i, f, g, o = (blocks[..., k, :] for k in range(4))  # (…, H) each
        outer = tanh(states[1:, ..., size:])  # (…, H): tanh(c_j)
        found = np.empty((*gates.shape[:-1], 6, size), gates.dtype)
        slopes = found[..., :4, :]  # (…, 4, H)
        subtract(1, blocks, slopes)
        slopes *= blocks  # σ' of i, f and o
        slopes[..., 0, :] *= g
        slopes[..., 1, :] *= states[:-1, ..., size:]
        slopes[..., 2, :] = (1 - np.square(g)) * i
        slopes[..., 3, :] *= outer
        found[..., 4, :] = f
        found[..., 5, :] = (1 - np.square(outer)) * o
        factors: Array = found.reshape(*gates.shape[:-1], 6 * size)
        return factors

    def backward_step(self, local: Array, later: Array | None, incoming: Array | None, rows: Array) -> None:
        """Take gradients one step back; see `Cell`."""
        at_h = self.at_hidden(later, incoming)  # (…, H)
        at_c = self._at_cell(local, later, at_h)  # (…, H)
        np.concatenate((at_c, at_c, at_c, at_h, at_c), -1, rows)
        multiply(rows, local[..., : self.row_width], rows)  # of long rows: half of what it costs block by block

    def state_gradient(self, local: Array, later: Array | None, incoming: Array | None) -> Array:
        """Return ``∂L/∂h_j`` and ``∂L/∂c_j``, side by side; see `Cell`."""
        at_h = self.at_hidden(later, incoming)  # (…, H)
        return np.concatenate([at_h, self._at_cell(local, later, at_h)], axis=-1)

    def saturated(self, states: Array) -> NDArray[np.bool_]:
        """Return where ``|tanh(c)| > 0.9``, bool array (…, H): little passes from h to c; see `Cell`."""
        found: NDArray[np.bool_] = np.abs(states[..., self.hidden_size :]) > arctanh(CLOSE)
        return found

    def candidate_rows(self) -> Array:
        """Return the rows of g; see `Cell`."""
        return self.W_hh[2 * self.hidden_size : 3 * self.hidden_size]

    def edge_gradients(self, local: Array, later: Array, incoming: Array, rows: Array) -> dict[str, Array]:
        """Return the gradients along h, along c, and to the pre-activations of the gates; see `Cell`."""
        found = super().edge_gradients(local, later, incoming, rows)
        blocks = found.pop("a")  # (…, 4H)
        through = found["h"] * local[..., self.row_width :]  # (…, H): from h_j to c_j
        along = later[..., self.delta_width :]  # (…, H)
        before = rows[..., self.delta_width :]  # (…, H)
        return found | {
            **self._by_gate(blocks),
            "tanh_c": through,
            "later_c": along,
            "c": through + along,
            "c_before": before,
        }

    def _at_cell(self, local: Array, later: Array | None, at_h: Array) -> Array:
        """Return ``∂L/∂c_j``, array (…, H): what comes through h_j, and along c."""
        found: Array = at_h * local[..., self.row_width :]  # (…, H)
        if later is not None:
            add(found, later[..., self.delta_width :], found)
        return found


class GRUCell(Cell):
    """Gated recurrent unit (Cho et al. 2014), in the variant that applies the reset gate after the product.

    In blocks r, z, n, with ``q = W_ih x_j + b`` and ``s = W_hh h_{j-1}``: ``r = σ(q_r + s_r)``, ``z = σ(q_z + s_z)``,
    ``n = tanh(q_n + r ⊙ (s_n + b_hn))``, ``h_j = (1 - z) ⊙ n + z ⊙ h_{j-1}``.

    A row is [δ_r, δ_z, ∂L/∂s_n, ∂L/∂q_n, direct]. What is direct is the gradient that the update gate lets pass,
    ``z ⊙ ∂L/∂h_j``.
    """

    name = "gru"
    gates = 3
    carried_blocks = 2
    has_b_hn = True
    gate_names = ("r", "z", "n")
    edges = (
        ("h", "h", "mix"),
        ("later_h", "h_next", "h"),
        ("later_direct", "h_next", "h"),
        ("loss", "loss", "h"),
        ("r", "reset", "r"),
        ("z", "mix", "z"),
        ("n", "mix", "n"),
        ("reset_product", "n", "reset"),
        ("direct", "mix", "h_prev"),
        ("h_before", "gates", "h_prev"),
        ("x", "gates", "x"),
    )

    def __init__(self, W_hh: Array, b_hn: Array | None = None) -> None:
        super().__init__(W_hh)
        self.b_hn: Array = np.zeros(self.hidden_size, W_hh.dtype) if b_hn is None else b_hn  # (H,)

    def forward_step(self, gates: Array, before: Array, after: Array) -> None:
        """Write the state after one step, and the activated gates; see `Cell`."""
        size = self.hidden_size
        recurrent = before.dot(self.W_hh.T)  # (…, 3H)
        opening = gates[..., : 2 * size]  # (…, 2H): r and z
        opening += recurrent[..., : 2 * size]
        _sigmoid(opening)
        r, z, n = (gates[..., first : first + size] for first in range(0, 3 * size, size))
        reset = recurrent[..., 2 * size :]  # (…, H)
        add(reset, self.b_hn, reset)
        multiply(reset, r, reset)
        add(n, reset, n)
        tanh(n, n)
        subtract(before, n, after)
        multiply(after, z, after)
        add(after, n, after)

    def linearize(self, states: Array, gates: Array) -> Array:
        """Return what leads from ``∂L/∂h_j`` to the blocks of a row, array (n, 5·H) or (n, B, 5·H); see `Cell`."""
        size = self.hidden_size
        before = states[:-1]  # (…, H)
        r, z, n = (gates[..., first : first + size] for first in range(0, 3 * size, size))  # (…, H) each
        own = before @ self.W_hh[2 * size :].T + self.b_hn  # (…, H): what r multiplies
        closed = 1 - z  # (…, H)
        found = np.empty((*gates.shape[:-1], 5, size), gates.dtype)
        at_n = (1 - np.square(n)) * closed  # (…, H)
        found[..., 3, :] = at_n
        at_n *= r
        found[..., 2, :] = at_n
        found[..., 0, :] = at_n * own * (1 - r)
        found[..., 1, :] = (before - n) * z * closed
        found[..., 4, :] = z
        factors: Array = found.reshape(*gates.shape[:-1], 5 * size)
        return factors

    def backward_step(self, local: Array, later: Array | None, incoming: Array | None, rows: Array) -> None:
        """Take gradients one step back; see `Cell`."""
        at_h = self.at_hidden(later, incoming)  # (…, H)
        np.concatenate((at_h, at_h, at_h, at_h, at_h), -1, rows)
        multiply(rows, local, rows)

    def candidate_rows(self) -> Array:
        """Return the rows of n; see `Cell`."""
        return self.W_hh[2 * self.hidden_size :]

    def at_hidden(self, later: Array | None, incoming: Array | None) -> Array:
        """Return ``∂L/∂h_j``, with what comes straight through the update gate; see `Cell`."""
        found = super().at_hidden(later, incoming)  # (…, H)
        if later is not None:
            found += later[..., 4 * self.hidden_size :]
        return found

    def edge_gradients(self, local: Array, later: Array, incoming: Array, rows: Array) -> dict[str, Array]:
        """Return the gradients along h, past the gates, and to the pre-activations of the gates; see `Cell`."""
        found = super().edge_gradients(local, later, incoming, rows)
        del found["a"]
        direct = slice(4 * self.hidden_size, None)
        return found | {
            **self._by_gate(self.input_delta(rows)),
            "later_direct": later[..., direct],
            "reset_product": rows[..., 2 * self.hidden_size : 3 * self.hidden_size],
            "direct": rows[..., direct],
        }

    def input_delta(self, rows: Array) -> Array:
        """Return the gradients with respect to what enters: that of n is not the recurrent one; see `Cell`."""
        size = self.hidden_size
        return np.concatenate([rows[..., : 2 * size], rows[..., 3 * size : 4 * size]], axis=-1)


def _sigmoid(values: Array) -> None:
    """Apply ``1 / (1 + exp(-x))`` in place. A large -x overflows to infinity, of which the inverse is right: 0."""
    negative(values, values)
    exp(values, values)
    add(values, 1, values)
    reciprocal(values, values)

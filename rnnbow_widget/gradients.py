"""Plain back-propagation through time: the gradient of a window's summed loss."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from .parameters import Array, Parameters, Rows, Tokens
from .rnn import RNN, ForwardPass, row_starts


@dataclass(frozen=True, slots=True)
class Gradients:
    """Gradient of the window's loss, by plain back-propagation through time.

    Attributes
    ----------
    parameters : Parameters
        ``∂L/∂θ`` for every parameter, with the network's names and shapes.
    delta : array (n, gates·H) or (n, B, gates·H)
        ``Σ_t δ_{t,j}``: gradient with respect to the recurrent pre-activations ``W_hh h_{j-1}`` of each step.
    """

    parameters: Parameters
    delta: Array

    @property
    def norm(self) -> float:
        """Euclidean norm of the gradient with respect to all parameters."""
        return norm(self.parameters.vector)


def bptt(rnn: RNN, forward: ForwardPass) -> Gradients:
    """Plain back-propagation through time over one window (eq. 20 to 22 of the paper).

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.

    Returns
    -------
    Gradients
        Of the *sum* of the losses of all steps; of a minibatch, of the mean over streams of these sums.
    """
    flat = forward.flattened()
    at_logits, rows = _back_propagate(rnn, flat, forward.streams)  # (N, O), (N, R)
    found = parameter_gradients(rnn, flat, at_logits, rows)
    return Gradients(found, rnn.cell.delta(rows.reshape(*forward.loss.shape, -1)))


class TrainingGradients:
    """Plain back-propagation for one window after the other: what `bptt` finds, sooner.

    Memory is used again: what is returned is valid until the next call.

    Parameters
    ----------
    rnn : RNN
        The network.
    sparse : bool
        Whether to leave out the columns of W_ih whose tokens do not occur in the window: their gradient is 0.
    """

    def __init__(self, rnn: RNN, sparse: bool) -> None:
        self._rnn = rnn
        self._sparse = sparse
        self._all = np.arange(rnn.input_size)  # (V,)
        self._memory = np.empty_like(rnn.parameters.vector)  # (P,)
        self._by_count: dict[int, Parameters] = {}  # views of the memory, with so many columns of W_ih
        self._last_step = np.zeros(rnn.input_size, np.intp)  # (V,): where each token was last seen in a window

    def __call__(self, forward: ForwardPass) -> tuple[Gradients, Rows | None]:
        """Return the gradients, and which columns of W_ih are among them if not all are."""
        flat = forward.flattened()
        tokens = self._occurring(flat.inputs) if self._sparse else self._all  # (k,)
        found = self._by_count.get(tokens.size)
        if found is None:
            found = self._by_count[tokens.size] = self._rnn.parameters.of_tokens(tokens.size, self._memory)
        at_logits, rows = _back_propagate(self._rnn, flat, forward.streams)  # (N, O), (N, R)
        one_hot = (tokens[:, None] == flat.inputs).astype(rows.dtype)  # (k, N)
        _sum_over_steps(self._rnn, flat, at_logits, rows, one_hot, found)
        if forward.loss.ndim == 2:
            rows = rows.reshape(*forward.loss.shape, -1)  # (n, B, R)
        gradients = Gradients(found, self._rnn.cell.delta(rows))
        return gradients, Rows(tokens, self._rnn.parameters.W_ih_columns.shape) if self._sparse else None

    def _occurring(self, inputs: Tokens) -> Tokens:
        """The distinct tokens, in the order of their last steps: several times quicker than sorting them."""
        steps = np.arange(inputs.size)  # (n,)
        self._last_step[inputs] = steps
        found: Tokens = inputs[self._last_step[inputs] == steps]  # (k,)
        return found


def logit_gradients(flat: ForwardPass) -> Array:
    """Gradient of each step's loss with respect to its logits, ``p - y``: array (N, O) for a flattened pass."""
    found: Array = flat.probabilities.copy()  # (N, O)
    places = row_starts(found) + flat.targets  # (N,)
    found.put(places, found.take(places) - 1)
    return found


def parameter_gradients(rnn: RNN, flat: ForwardPass, at_logits: Array, rows: Array) -> Parameters:
    """Sum over the rows (N, R) of a flattened pass: ``δ_j h_{j-1}ᵀ`` and its like for the other parameters."""
    found = rnn.parameters.empty_like()
    one_hot = np.zeros((rnn.input_size, len(rows)), rows.dtype)  # (V, N)
    one_hot[flat.inputs, np.arange(len(rows))] = 1
    _sum_over_steps(rnn, flat, at_logits, rows, one_hot, found)
    return found


def norm(array: Array) -> float:
    """Euclidean norm of all entries."""
    flat = array.reshape(-1)
    squared = float(flat.dot(flat))
    return sqrt(squared if isfinite(squared) else squared_norms_wide(flat))


def squared_norms_wide(rows: Array) -> Array:
    """Squared Euclidean norms over the last axis, in double precision."""
    wide = rows.astype(np.float64)
    found: Array = np.vecdot(wide, wide)
    return found


def _back_propagate(rnn: RNN, flat: ForwardPass, streams: int) -> tuple[Array, Array]:
    """Gradients with respect to the logits, (N, O), and what each step hands back, (N, R)."""
    at_logits = logit_gradients(flat)  # (N, O)
    if streams > 1:
        at_logits /= streams  # the loss is the mean over streams
    incoming = at_logits.dot(rnn.parameters.W_ho)  # (N, H): ∂L_j/∂h_j
    rows = np.empty((len(incoming), rnn.cell.row_width), rnn.dtype)  # (N, R)
    if streams == 1:
        rnn.cell.backward_window(flat.linearization, incoming, rows)
    else:
        arrays = (flat.linearization, incoming, rows)  # views of which, (n, B, …):
        rnn.cell.backward_window(*(array.reshape(-1, streams, *array.shape[1:]) for array in arrays))
    return at_logits, rows


def _sum_over_steps(
    rnn: RNN, flat: ForwardPass, at_logits: Array, rows: Array, one_hot: Array, found: Parameters
) -> None:
    """Write the gradients of all parameters; of W_ih, the columns of the tokens that `one_hot` (k, N) has rows for."""
    count = len(rows)
    delta, input_delta = rnn.cell.delta(rows), rnn.cell.input_delta(rows)  # (N, gates·H) each
    one_hot.dot(input_delta, found.W_ih_columns)
    delta.T.dot(flat.hidden[:count], found.W_hh)
    ones = np.ones(count, rows.dtype)  # (N,): a product with it sums over rows faster than numpy's sum
    ones.dot(input_delta, found.b_h)
    if found.b_hn is not None:
        ones.dot(delta[:, -found.b_hn.size :], found.b_hn)
    at_logits.T.dot(flat.hidden[-count:], found.W_ho)
    ones.dot(at_logits, found.b_o)

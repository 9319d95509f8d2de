"""Plain back-propagation through time: the gradient of a window's summed loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, sqrt

import numpy as np
from numpy.typing import DTypeLike

from .cell import Cell
from .checks import instance
from .forward import ForwardPass, Track, turned
from .losses import output_gradients
from .parameters import Array, Parameters, Rows, Tokens
from .rnn import RNN

AllRows = tuple[tuple[Array, ...], ...]
"""What each step hands back, array (N, R), by layer and direction, in the order in which it reads."""


@dataclass(frozen=True, slots=True)
class Gradients:
    """Gradient of the window's loss, by plain back-propagation through time.

    Attributes
    ----------
    parameters : Parameters
        ``∂L/∂θ`` for every parameter, with the network's names and shapes.
    delta : array (n, gates·H) or (n, B, gates·H)
        ``Σ_t δ_{t,j}``: gradient with respect to the recurrent pre-activations ``W_hh h_{j-1}`` of each step, in the
        top layer, forward.
    rows : tuple of tuple of array (N, R)
        What each step of every layer and direction hands back, ``rows[layer][direction]``; see `Cell`.
    """

    parameters: Parameters
    delta: Array
    rows: AllRows = field(repr=False)

    @property
    def norm(self) -> float:
        """Euclidean norm of the gradient with respect to all parameters."""
        return norm(self.parameters.vector)


def checked_pass(rnn: RNN, forward: ForwardPass, gradients: Gradients | None = None) -> ForwardPass:
    """Return the forward pass if all are what they should be.

    Raises
    ------
    TypeError
        If an argument is of another class.
    """
    instance("rnn", rnn, RNN)
    if gradients is not None:
        instance("gradients", gradients, Gradients)
    return instance("forward", forward, ForwardPass)


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

    Examples
    --------
    >>> from rnnbow_widget import RNN, bptt
    >>> rnn = RNN(5, 8, seed=1)
    >>> gradients = bptt(rnn, rnn.forward([0, 1, 2], [1, 2, 3]))
    >>> gradients.parameters["W_hh"].shape
    (8, 8)
    """
    flat = forward.flattened()
    at_logits, rows = _back_propagate(rnn, flat, forward.streams)  # (N, O), and (N, R) of each layer and direction
    found = parameter_gradients(rnn, flat, at_logits, rows, forward.streams)
    return Gradients(found, rnn.cell.delta(rows[-1][0].reshape(*forward.loss.shape, -1)), rows)


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
        sparse = self._sparse and flat.inputs.dtype.kind != "f"
        tokens = self._occurring(flat.inputs) if sparse else self._all  # (k,)
        found = self._by_count.get(tokens.size)
        if found is None:
            found = self._by_count[tokens.size] = self._rnn.parameters.of_tokens(tokens.size, self._memory)
        at_logits, rows = _back_propagate(self._rnn, flat, forward.streams)  # (N, O), and (N, R) of each …
        entered = _entered(flat, tokens, at_logits.dtype)  # (k, N)
        _sum_over_steps(self._rnn, flat, at_logits, rows, entered, found, forward.streams)
        delta = self._rnn.cell.delta(rows[-1][0])  # (N, gates·H)
        if forward.loss.ndim == 2:
            delta = delta.reshape(*forward.loss.shape, -1)  # (n, B, gates·H)
        gradients = Gradients(found, delta, rows)
        return gradients, Rows(tokens, self._rnn.parameters.W_ih_columns.shape) if sparse else None

    def _occurring(self, inputs: Tokens) -> Tokens:
        """The distinct tokens, in the order of their last steps: several times quicker than sorting them."""
        steps = np.arange(inputs.size)  # (n,)
        self._last_step[inputs] = steps
        found: Tokens = inputs[self._last_step[inputs] == steps]  # (k,)
        return found


def entering_gradients(rnn: RNN, forward: ForwardPass, rows: AllRows) -> AllRows:
    """Gradients of the window's loss with respect to h of each step, as they enter from the read-out or from above.

    Parameters
    ----------
    rnn, forward :
        As for `bptt`.
    rows : tuple of tuple of array (N, R)
        Those of the plain gradients.

    Returns
    -------
    tuple of tuple of array (N, H)
        By layer and direction, in the order in which it reads. What comes from later steps of the layer is not in it.
    """
    flat, streams = forward.flattened(), forward.streams
    incoming = output_gradients(flat, rnn.parameters.W_ho)[1] / rnn.dtype.type(streams)  # (N, D·H)
    found: list[tuple[Array, ...]] = []
    for layer in range(rnn.num_layers - 1, -1, -1):
        entering: tuple[Array, ...] = (incoming[:, : rnn.hidden_size],)
        if rnn.bidirectional:
            entering += (turned(incoming[:, rnn.hidden_size :], streams),)
        found.append(entering)
        if layer:
            incoming = _below(rnn, layer, rows[layer], streams)
    return tuple(found[::-1])


def parameter_gradients(rnn: RNN, flat: ForwardPass, at_logits: Array, rows: AllRows, streams: int) -> Parameters:
    """Sum over the rows of a flattened pass: ``δ_j h_{j-1}ᵀ`` and its like for the other parameters."""
    found = rnn.parameters.empty_like()
    entered = _entered(flat, np.arange(rnn.input_size), at_logits.dtype)  # (V, N)
    _sum_over_steps(rnn, flat, at_logits, rows, entered, found, streams)
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


def _back_propagate(rnn: RNN, flat: ForwardPass, streams: int) -> tuple[Array, AllRows]:
    """Gradients with respect to the logits, (N, O), and what each step hands back, (N, R) per layer and direction."""
    at_logits, incoming = output_gradients(flat, rnn.parameters.W_ho)  # (N, O), (N, D·H)
    if streams > 1:  # the loss is the mean over streams
        at_logits /= streams
        incoming /= streams
    found: list[tuple[Array, ...]] = []
    for layer in range(rnn.num_layers - 1, -1, -1):
        cells, tracks = rnn.cells[layer], flat.tracks[layer]
        forth = incoming[:, : rnn.hidden_size]  # (N, H)
        rows: tuple[Array, ...] = (_follow(cells[0], tracks[0], forth, streams),)
        if rnn.bidirectional:
            back = turned(incoming[:, rnn.hidden_size :], streams)  # (N, H)
            rows += (_follow(cells[1], tracks[1], back, streams),)
        found.append(rows)
        if layer:
            incoming = _below(rnn, layer, rows, streams)
    return at_logits, tuple(found[::-1])


def _below(rnn: RNN, layer: int, rows: tuple[Array, ...], streams: int) -> Array:
    """Gradients with respect to what the layer below gives out, (N, D·H), from rows (N, R) of each direction."""
    entering = [cell.input_delta(own) for cell, own in zip(rnn.cells[layer], rows, strict=True)]  # (N, gates·H) each
    weights = [own.W_ih for own in rnn.parameters.layers[layer]]  # (gates·H, D·H) each
    found: Array = entering[0].dot(weights[0])  # (N, D·H)
    if rnn.bidirectional:
        found += turned(entering[1], streams).dot(weights[1])
    return found


def _follow(cell: Cell, track: Track, incoming: Array, streams: int) -> Array:
    """Return what each step of a track hands back, array (N, R)."""
    rows = np.empty((len(incoming), cell.row_width), incoming.dtype)  # (N, R)
    if streams == 1:
        cell.backward_window(track.linearization, incoming, rows)
    else:
        arrays = (track.linearization, incoming, rows)  # views of which, (n, B, …):
        cell.backward_window(*(array.reshape(-1, streams, *array.shape[1:]) for array in arrays))
    return rows


def _entered(flat: ForwardPass, tokens: Tokens, dtype: DTypeLike) -> Array:
    """What went in at each step, array (k, N): vectors, or of tokens the rows of their one-hot vectors for some."""
    if flat.inputs.dtype.kind == "f":
        turned_vectors: Array = flat.inputs.T
        return turned_vectors
    found: Array = (tokens[:, None] == flat.inputs).astype(dtype)
    return found


def _sum_over_steps(
    rnn: RNN,
    flat: ForwardPass,
    at_logits: Array,
    rows: AllRows,
    entered: Array,
    found: Parameters,
    streams: int,
) -> None:
    """Write the gradients of all parameters; of W_ih, the columns that `entered` (k, N) has rows for."""
    count = len(at_logits)
    ones = np.ones(count, at_logits.dtype)  # (N,): a product with it sums over rows faster than numpy's sum
    for layer, row in enumerate(rows):
        for direction, own_rows in enumerate(row):
            cell, own = rnn.cells[layer][direction], found.layers[layer][direction]
            delta, entering = cell.delta(own_rows), cell.input_delta(own_rows)  # (N, gates·H) each
            delta.T.dot(flat.tracks[layer][direction].hidden[:count], own.W_hh)
            ones.dot(entering, own.b_h)
            if own.b_hn is not None:
                ones.dot(delta[:, -own.b_hn.size :], own.b_hn)
            if direction:
                entering = turned(entering, streams)
            if layer:
                entering.T.dot(flat.outputs[layer - 1], own.W_ih)
            elif rnn.bidirectional:
                own.W_ih.T[...] = entered.dot(entering)
            else:
                entered.dot(entering, found.W_ih_columns)
    at_logits.T.dot(flat.outputs[-1], found.W_ho)
    ones.dot(at_logits, found.b_o)

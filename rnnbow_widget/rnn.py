"""The network: parameters, forward pass, loss, sampling. Gradients are the business of `bptt_itemized`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .cell import Cell
from .cells import cell_type
from .checks import finite_float, one_of, positive_int
from .exchange import make_modules, read_modules
from .initialization import PRESETS
from .parameters import Array, Parameters, Tokens

_SMALL = 1e-30
"""Sums of exponentials from here to its inverse are exact: far from where float32 loses digits or overflows."""


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """What one window leaves behind for back-propagation. All arrays are the pass's own.

    Arrays of a minibatch have a second axis, that of its B streams: n in the shapes below is then n, B.

    Attributes
    ----------
    inputs, targets : int array (n,)
        Tokens that went in, and tokens that should have come out.
    states : array (n+1, S)
        What a step hands on; row 0 is the state before the first step, row j+1 the state after step j.
    hidden : array (n+1, H)
        The part of `states` that is h: all of it, but for an LSTM, whose states are [h, c].
    linearization : array (n, …)
        What the cell's backward step needs of each step.
    probabilities : array (n, V)
        Softmax of the logits.
    loss : array (n,)
        Cross-entropy of each step, in nats.
    """

    inputs: Tokens
    targets: Tokens
    states: Array
    hidden: Array
    linearization: Array
    probabilities: Array
    loss: Array

    @property
    def steps(self) -> int:
        """Length of the window, n."""
        return len(self.loss)

    @property
    def streams(self) -> int:
        """Number of streams B; 1 if there is no axis for them."""
        return self.loss.shape[1] if self.loss.ndim == 2 else 1

    def stream(self, index: int) -> ForwardPass:
        """Return the pass of one stream of a minibatch, without the axis of streams. Its arrays are views."""
        return ForwardPass(
            self.inputs[:, index],
            self.targets[:, index],
            self.states[:, index],
            self.hidden[:, index],
            self.linearization[:, index],
            self.probabilities[:, index],
            self.loss[:, index],
        )

    def flattened(self) -> ForwardPass:
        """Return the pass with steps and streams as one axis, the streams of a step together. Its arrays are views.

        ``N = n·B`` rows, and (n+1)·B of `states`: the row before a row is B rows up.
        """
        if self.loss.ndim == 1:
            return self
        return ForwardPass(
            self.inputs.reshape(-1),
            self.targets.reshape(-1),
            self.states.reshape(-1, self.states.shape[-1]),
            self.hidden.reshape(-1, self.hidden.shape[-1]),
            self.linearization.reshape(-1, *self.linearization.shape[2:]),
            self.probabilities.reshape(-1, self.probabilities.shape[-1]),
            self.loss.reshape(-1),
        )


class RNN:
    """A recurrent layer on token input, and a linear read-out with softmax cross-entropy.

    ``h_j = cell(W_ih x_j + b_h, h_{j-1})``, ``p_j = softmax(W_ho h_j + b_o)`` with one-hot ``x_j``. (Eq. 2 of the
    RNNbow paper prints a sigmoid; its text, and we, use softmax.) Gates are stacked along the rows of W_ih, W_hh and
    b_h, in PyTorch's order: i, f, g, o of an LSTM, r, z, n of a GRU.

    Parameters
    ----------
    input_size : int
        Number of distinct tokens V.
    hidden_size : int
        Number of hidden units H.
    output_size : int, optional
        Number of output classes O; by default as many as input tokens.
    cell : str or type of Cell
        The recurrent cell: "tanh", "relu", "lstm", "gru", or a class of your own.
    init : str
        Preset of the first weights: "normal" (N(0, .01²)), "uniform" (±1/√H), "orthogonal" or "identity". The last
        two make a block of W_hh for every gate.
    forget_bias : float, optional
        Added to the first bias of an LSTM's forget gate: how open it is before training. By default 1, with which
        Jozefowicz, Zaremba and Sutskever (2015) found LSTMs to learn as well as any cell that they tried.
    seed : int
        Seed of the weights' own generator.
    dtype : dtype
        float32 or float64.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above; the message names it.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 100,
        output_size: int | None = None,
        *,
        cell: str | type[Cell] = "tanh",
        init: str = "normal",
        forget_bias: float | None = None,
        seed: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.input_size = positive_int("input_size", input_size)
        self.hidden_size = positive_int("hidden_size", hidden_size)
        self.output_size = self.input_size if output_size is None else positive_int("output_size", output_size)
        kind = cell_type(cell)
        self.init = one_of("init", init, PRESETS)
        self.seed = positive_int("seed", seed, minimum=0)
        self.dtype = _float_dtype(dtype)
        self.forget_bias = _forget_bias(forget_bias, kind)
        sizes = (self.input_size, self.hidden_size, self.output_size)
        self.parameters = Parameters(*sizes, self.dtype, kind.gates, kind.has_b_hn)
        self.cell = kind(self.parameters.W_hh, self.parameters.b_hn)
        self._ones = np.ones(self.output_size, self.dtype)  # (O,)
        self._given: Array | None = None  # (P,): first weights that were not drawn
        self.reset()

    @classmethod
    def from_torch(cls, module: Any, linear: Any) -> RNN:
        """Take over a network from PyTorch. `reset` goes back to its weights.

        Parameters
        ----------
        module : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
            The recurrent layer, on one-hot input. Its weights are copied bit for bit; its two biases are added where
            they only add, which is everywhere but in a GRU's n gate.
        linear : torch.nn.Linear
            From its hidden state to logits.

        Returns
        -------
        RNN
            Of the same dtype, with ``init="given"``.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        TypeError, ValueError
            If there is no counterpart here, as for dropout; the message says for what and why.
        """
        settings, arrays = read_modules(module, linear)
        rnn = cls(**settings)
        for name, array in arrays.items():
            rnn.parameters[name][...] = array
        rnn._given = rnn.parameters.vector.copy()
        rnn.init, rnn.forget_bias = "given", None
        return rnn

    def to_torch(self) -> tuple[Any, Any]:
        """Return the network as PyTorch's modules, with copies of its weights.

        Returns
        -------
        torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
            For one-hot input (n, V) or (n, B, V). Its second bias is 0, but for a GRU's b_hn.
        torch.nn.Linear
            From its hidden state to logits.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        ValueError
            If PyTorch has no such cell.
        """
        return make_modules(self.cell.name, self.parameters.sizes, self.parameters)

    def __repr__(self) -> str:
        sizes = f"{self.input_size}→{self.hidden_size}→{self.output_size}"
        count = self.parameters.vector.size
        forget = "" if self.forget_bias is None else f", forget_bias={self.forget_bias:g}"
        return f"RNN({self.cell.name}, {sizes}, {count:,} parameters, init={self.init!r}{forget}, {self.dtype.name})"

    def reset(self) -> None:
        """Go back to the first weights: drawn again with the same seed, or those that were taken over."""
        if self._given is not None:
            self.parameters.vector[:] = self._given
            return
        self.parameters.vector[:] = 0
        PRESETS[self.init](self.parameters, np.random.default_rng(self.seed))
        if self.forget_bias is not None and self.cell.forget_gate is not None:
            self.parameters.b_h.reshape(self.cell.gates, -1)[self.cell.forget_gate] += self.forget_bias

    def zero_state(self, streams: int | None = None) -> Array:
        """Return a state of zeros, array (S,), or (B, S) for a number of streams; S is H, for an LSTM 2·H: [h, c]."""
        width = self.cell.state_width
        return np.zeros(width if streams is None else (streams, width), self.dtype)

    def forward(self, inputs: ArrayLike, targets: ArrayLike, state: ArrayLike | None = None) -> ForwardPass:
        """Run one window, or a minibatch of windows of parallel streams.

        Parameters
        ----------
        inputs, targets : int array (n,) or (n, B)
            Tokens in ``[0, V)`` and classes in ``[0, O)``. Steps come first, streams second, as is PyTorch's default.
        state : array (S,) or (B, S), optional
            State to start from, such as the last one of the window before; zeros by default.

        Returns
        -------
        ForwardPass

        Raises
        ------
        TypeError, ValueError
            If a shape, a kind of number or a token is out of range.
        """
        x = _tokens("inputs", inputs, self.input_size, most_axes=2)  # (n,) or (n, B)
        y = _tokens("targets", targets, self.output_size, most_axes=2)  # (n,) or (n, B)
        if x.shape != y.shape:
            raise ValueError(f"targets takes as many tokens as inputs, shape {x.shape}, got shape {y.shape}")
        shape = (*x.shape[1:], self.cell.state_width)
        with np.errstate(over="ignore", invalid="ignore"):  # large logits: the softmax sees to them
            return self.forward_unchecked(
                x, y, np.zeros(shape, self.dtype) if state is None else self._state(state, shape)
            )

    def forward_unchecked(self, x: Tokens, y: Tokens, state: Array) -> ForwardPass:
        """Run one window of arrays that are known to be right; see `forward`. The caller sees to warnings too."""
        if x.ndim == 2 and x.shape[1] == 1:  # one stream is one stream, whatever its shape
            alone = self.forward_unchecked(x[:, 0], y[:, 0], state[0])
            return ForwardPass(*(getattr(alone, name)[:, None] for name in alone.__slots__))
        states = np.empty((len(x) + 1, *state.shape), self.dtype)  # (n+1, S) or (n+1, B, S)
        states[0] = state
        gates = self.parameters.W_ih_columns[x]  # (n, gates·H) or (n, B, gates·H)
        gates += self.parameters.b_h
        self.cell.forward_window(gates, states)
        hidden = states[..., : self.hidden_size]  # (n+1, H) or (n+1, B, H)
        after = hidden[1:].reshape(-1, self.hidden_size)  # (N, H)
        probabilities, loss = self._softmax_cross_entropy(after, y.reshape(-1))  # (N, O), (N,)
        if x.ndim == 2:
            probabilities, loss = probabilities.reshape(*x.shape, -1), loss.reshape(x.shape)
        return ForwardPass(x, y, states, hidden, self.cell.linearize(states, gates), probabilities, loss)

    def sample(
        self,
        token: int,
        length: int,
        *,
        state: ArrayLike | None = None,
        temperature: float = 1.0,
        generator: np.random.Generator,
    ) -> Tokens:
        """Let the network write.

        Parameters
        ----------
        token : int
            First input, in ``[0, V)``. It is not part of the result.
        length : int
            Number of tokens to write.
        state : array (S,), optional
            State to start from; zeros by default.
        temperature : float
            Divides the logits. Towards 0 the likeliest token always wins; 1 samples the model's distribution.
        generator : numpy.random.Generator
            Source of chance.

        Returns
        -------
        int array (length,)

        Raises
        ------
        TypeError, ValueError
            If an argument is out of range, or the network's outputs are not its inputs (O ≠ V).
        """
        if self.output_size != self.input_size:
            sizes = f"{self.output_size} and {self.input_size}"
            raise ValueError(f"sample takes a network whose outputs are its inputs; the sizes are {sizes}")
        length = positive_int("length", length, minimum=0)
        temperature = finite_float("temperature", temperature, above=0)
        current = int(_tokens("token", [token], self.input_size)[0])
        before = self.zero_state() if state is None else self._state(state, (self.cell.state_width,))  # (S,)
        after = np.empty_like(before)  # (S,)
        written = np.empty(length, np.intp)  # (length,)
        W_ho, b_o = self.parameters.W_ho, self.parameters.b_o
        for i, chance in enumerate(generator.random(length)):
            with np.errstate(over="ignore"):  # in a sigmoid, where the limit is right
                self.cell.forward_step(self.parameters.W_ih_columns[current] + self.parameters.b_h, before, after)
            before, after = after, np.empty_like(after)
            logits = (W_ho @ before[: self.hidden_size] + b_o).astype(np.float64)  # (V,)
            weights = np.exp((logits - logits.max()) / temperature)  # (V,)
            cumulative = np.cumsum(weights)  # (V,)
            current = min(int(np.searchsorted(cumulative, chance * cumulative[-1], side="right")), self.input_size - 1)
            written[i] = current
        return written

    def _state(self, state: ArrayLike, shape: tuple[int, ...]) -> Array:
        array = np.asarray(state, self.dtype)
        if array.shape != shape:
            raise ValueError(f"state takes shape {shape}, got {array.shape}")
        return array

    def _softmax_cross_entropy(self, states: Array, targets: Tokens) -> tuple[Array, Array]:
        # W_ho is turned in memory first: a small product of rows by rows is slower than turning and multiplying.
        logits = states.dot(self.parameters.W_ho.T.copy())  # (n, O)
        logits += self.parameters.b_o
        weights = np.exp(logits)  # (n, O)
        sums = weights.dot(self._ones)  # (n,): faster than numpy's sum over short rows
        if not (sums[sums.argmin()] > _SMALL and sums[sums.argmax()] < 1 / _SMALL):
            logits -= np.maximum.reduce(logits, axis=1, keepdims=True)  # the same softmax, and sums from 1 to O
            np.exp(logits, out=weights)
            weights.dot(self._ones, out=sums)
        # log Σ exp(z) - z_target, and not -log p: finite where p underflows to 0
        loss: Array = np.log(sums) - logits.take(row_starts(logits) + targets)  # (n,)
        weights /= sums[:, None]
        return weights, loss


def row_starts(array: Array) -> Tokens:
    """Where each row of a contiguous array (n, O) begins in its memory, int array (n,): quicker than two indices."""
    return _multiples(*array.shape)


@lru_cache(maxsize=8)
def _multiples(count: int, of: int) -> Tokens:
    return np.arange(0, count * of, of)


def _forget_bias(value: float | None, cell: type[Cell]) -> float | None:
    if cell.forget_gate is None:
        if value is not None:
            raise ValueError(f"forget_bias is for a cell with a forget gate, such as 'lstm'; cell is {cell.name!r}")
        return None
    return 1.0 if value is None else finite_float("forget_bias", value)


def _float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    try:
        found = np.dtype(dtype).name
    except TypeError:
        found = ""
    if found not in ("float32", "float64"):
        raise ValueError(f"dtype takes float32 or float64, got {dtype!r}")
    return np.dtype(found)


def _tokens(name: str, values: ArrayLike, size: int, most_axes: int = 1) -> Tokens:
    array = np.asarray(values)
    if not 1 <= array.ndim <= most_axes or array.size == 0:
        axes = "a one-dimensional array" if most_axes == 1 else "an array (n,) or (n, B)"
        raise ValueError(f"{name} takes {axes} of at least one token, got shape {array.shape}")
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name} takes whole numbers, got dtype {array.dtype}")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= size:
        raise ValueError(f"{name} takes tokens from 0 to {size - 1}, got {low if low < 0 else high}")
    return array.astype(np.intp, copy=False)

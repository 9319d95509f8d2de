"""The network: parameters, forward pass, loss, sampling. Gradients are the business of `bptt_itemized`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .cells import Cell, TanhCell
from .checks import finite_float, one_of, positive_int
from .initialization import PRESETS
from .parameters import Array, Parameters, Tokens

_SMALL = 1e-30
"""Sums of exponentials from here to its inverse are exact: far from where float32 loses digits or overflows."""


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """What one window leaves behind for back-propagation. All arrays are the pass's own.

    Attributes
    ----------
    inputs, targets : int array (n,)
        Tokens that went in, and tokens that should have come out.
    states : array (n+1, H)
        Hidden states; row 0 is the state before the first step, row j+1 the state after step j.
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
    linearization: Array
    probabilities: Array
    loss: Array


class RNN:
    """A recurrent layer on token input, and a linear read-out with softmax cross-entropy.

    ``h_j = cell(W_ih x_j + b_h, h_{j-1})``, ``p_j = softmax(W_ho h_j + b_o)`` with one-hot ``x_j``. (Eq. 2 of the
    RNNbow paper prints a sigmoid; its text, and we, use softmax.)

    Parameters
    ----------
    input_size : int
        Number of distinct tokens V.
    hidden_size : int
        Number of hidden units H.
    output_size : int, optional
        Number of output classes O; by default as many as input tokens.
    cell : type of Cell
        The recurrent cell.
    init : str
        Preset of the first weights: "normal" (N(0, .01²)), "uniform" (±1/√H), "orthogonal" or "identity".
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
        cell: type[Cell] = TanhCell,
        init: str = "normal",
        seed: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.input_size = positive_int("input_size", input_size)
        self.hidden_size = positive_int("hidden_size", hidden_size)
        self.output_size = self.input_size if output_size is None else positive_int("output_size", output_size)
        if not (isinstance(cell, type) and issubclass(cell, Cell)):
            raise TypeError(f"cell takes a subclass of Cell, got {cell!r}")
        self.init = one_of("init", init, PRESETS)
        self.seed = positive_int("seed", seed, minimum=0)
        self.dtype = _float_dtype(dtype)
        self.parameters = Parameters(self.input_size, self.hidden_size, self.output_size, self.dtype, cell.gates)
        self.cell = cell(self.parameters.W_hh)
        self._ones = np.ones(self.output_size, self.dtype)  # (O,)
        self.reset()

    def __repr__(self) -> str:
        sizes = f"{self.input_size}→{self.hidden_size}→{self.output_size}"
        count = self.parameters.vector.size
        return f"RNN({self.cell.name}, {sizes}, {count:,} parameters, init={self.init!r}, {self.dtype.name})"

    def reset(self) -> None:
        """Draw the first weights again: the same ones, since the seed is the same."""
        self.parameters.vector[:] = 0
        PRESETS[self.init](self.parameters, np.random.default_rng(self.seed))

    def zero_state(self) -> Array:
        """Return a state of zeros, array (H,)."""
        return np.zeros(self.hidden_size, self.dtype)

    def forward(self, inputs: ArrayLike, targets: ArrayLike, state: ArrayLike | None = None) -> ForwardPass:
        """Run one window.

        Parameters
        ----------
        inputs, targets : int array (n,)
            Tokens in ``[0, V)`` and classes in ``[0, O)``.
        state : array (H,), optional
            State to start from, such as the last one of the window before; zeros by default.

        Returns
        -------
        ForwardPass

        Raises
        ------
        TypeError, ValueError
            If a shape, a kind of number or a token is out of range.
        """
        x = _tokens("inputs", inputs, self.input_size)  # (n,)
        y = _tokens("targets", targets, self.output_size)  # (n,)
        if x.size != y.size:
            raise ValueError(f"targets takes as many tokens as inputs ({x.size}), got {y.size}")
        with np.errstate(over="ignore", invalid="ignore"):  # large logits: the softmax sees to them
            return self.forward_unchecked(x, y, self.zero_state() if state is None else self._state(state))

    def forward_unchecked(self, x: Tokens, y: Tokens, state: Array) -> ForwardPass:
        """Run one window of arrays that are known to be right; see `forward`. The caller sees to warnings too."""
        states = np.empty((x.size + 1, self.hidden_size), self.dtype)  # (n+1, H)
        states[0] = state
        projected = self.parameters.W_ih_columns[x]  # (n, gates·H)
        projected += self.parameters.b_h
        self.cell.forward_window(projected, states)
        probabilities, loss = self._softmax_cross_entropy(states[1:], y)  # (n, O), (n,)
        return ForwardPass(x, y, states, self.cell.linearize(states), probabilities, loss)

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
        state : array (H,), optional
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
        h = np.array(self.zero_state() if state is None else self._state(state))  # (H,)
        written = np.empty(length, np.intp)  # (length,)
        for i, chance in enumerate(generator.random(length)):
            self.cell.forward_step(self.parameters.W_ih_columns[current] + self.parameters.b_h, h.copy(), h)
            logits = (self.parameters.W_ho @ h + self.parameters.b_o).astype(np.float64)  # (V,)
            weights = np.exp((logits - logits.max()) / temperature)  # (V,)
            cumulative = np.cumsum(weights)  # (V,)
            current = min(int(np.searchsorted(cumulative, chance * cumulative[-1], side="right")), self.input_size - 1)
            written[i] = current
        return written

    def _state(self, state: ArrayLike) -> Array:
        array = np.asarray(state, self.dtype)
        if array.shape != (self.hidden_size,):
            raise ValueError(f"state takes shape ({self.hidden_size},), got {array.shape}")
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


def _float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    try:
        found = np.dtype(dtype).name
    except TypeError:
        found = ""
    if found not in ("float32", "float64"):
        raise ValueError(f"dtype takes float32 or float64, got {dtype!r}")
    return np.dtype(found)


def _tokens(name: str, values: ArrayLike, size: int) -> Tokens:
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} takes a one-dimensional array of at least one token, got shape {array.shape}")
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name} takes whole numbers, got dtype {array.dtype}")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= size:
        raise ValueError(f"{name} takes tokens from 0 to {size - 1}, got {low if low < 0 else high}")
    return array.astype(np.intp, copy=False)

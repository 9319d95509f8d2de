"""The network: parameters, forward pass, loss, sampling. Gradients are the business of `bptt_itemized`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .cell import Cell
from .cells import cell_type
from .checks import boolean, finite_float, one_of, positive_int
from .exchange import make_modules, read_modules
from .forward import ForwardPass, Track, carried_state
from .initialization import PRESETS
from .parameters import Array, Parameters, Tokens

_SMALL = 1e-30
"""Sums of exponentials from here to its inverse are exact: far from where float32 loses digits or overflows."""


class RNN:
    """Recurrent layers on token input, and a linear read-out with softmax cross-entropy.

    ``h_j = cell(W_ih x_j + b_h, h_{j-1})``, ``p_j = softmax(W_ho h_j + b_o)`` with one-hot ``x_j``. (Eq. 2 of the
    RNNbow paper prints a sigmoid; its text, and we, use softmax.) Gates are stacked along the rows of W_ih, W_hh and
    b_h, in PyTorch's order: i, f, g, o of an LSTM, r, z, n of a GRU.

    With several layers, each reads h of the one below; the read-out reads that of the top one. A bidirectional layer
    has a second cell that reads the window from its end, and gives out h of both, side by side. (It sees the inputs
    that come later, and so, if they are the targets, what it is to predict.)

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
    num_layers : int
        Number of layers L.
    bidirectional : bool
        Whether every layer reads in both directions; D is 2 then, else 1.
    seed : int
        Seed of the weights' own generator.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    parameters : Parameters
        All weights; see `Parameters` for the names of those of several layers.
    cells : tuple of tuple of Cell
        ``cells[layer][direction]``.
    cell : Cell
        That of the top layer, forward: the one that `itemized_bptt` is about.

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
        num_layers: int = 1,
        bidirectional: bool = False,
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
        self.num_layers = positive_int("num_layers", num_layers)
        self.bidirectional = boolean("bidirectional", bidirectional)
        sizes = (self.input_size, self.hidden_size, self.output_size)
        arrangement = (self.num_layers, 2 if self.bidirectional else 1)
        self.parameters = Parameters(*sizes, self.dtype, kind.gates, kind.has_b_hn, *arrangement)
        self.cells = tuple(tuple(kind(own.W_hh, own.b_hn) for own in layer) for layer in self.parameters.layers)
        self.cell = self.cells[-1][0]
        self._layers = tuple(
            tuple(zip(cells, own, strict=True)) for cells, own in zip(self.cells, self.parameters.layers, strict=True)
        )
        self._ones = np.ones(self.output_size, self.dtype)  # (O,)
        self._given: Array | None = None  # (P,): first weights that were not drawn
        self.reset()

    def copy(self) -> RNN:
        """Return a network of the same weights, and of its own; `reset` goes back to where this one's goes."""
        given = self._given is not None
        new = RNN(
            self.input_size,
            self.hidden_size,
            self.output_size,
            cell=type(self.cell),
            init="normal" if given else self.init,
            forget_bias=self.forget_bias,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            seed=self.seed,
            dtype=self.dtype,
        )
        new._given, new.init, new.forget_bias = self._given, self.init, self.forget_bias
        new.parameters.vector[:] = self.parameters.vector
        return new

    @classmethod
    def from_torch(cls, module: Any, linear: Any) -> RNN:
        """Take over a network from PyTorch. `reset` goes back to its weights.

        Parameters
        ----------
        module : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
            The recurrent layers, on one-hot input. Weights are copied bit for bit; the two biases are added where they
            only add, which is everywhere but in a GRU's n gate.
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
        return make_modules(self.cell.name, self.parameters)

    def __repr__(self) -> str:
        sizes = f"{self.input_size}→{self.hidden_size}→{self.output_size}"
        count = self.parameters.vector.size
        arrangement = f", {self.num_layers} layers" if self.num_layers > 1 else ""
        arrangement += ", bidirectional" if self.bidirectional else ""
        forget = "" if self.forget_bias is None else f", forget_bias={self.forget_bias:g}"
        about = f"{count:,} parameters, init={self.init!r}{forget}, {self.dtype.name}"
        return f"RNN({self.cell.name}{arrangement}, {sizes}, {about})"

    def reset(self) -> None:
        """Go back to the first weights: drawn again with the same seed, or those that were taken over."""
        if self._given is not None:
            self.parameters.vector[:] = self._given
            return
        self.parameters.vector[:] = 0
        PRESETS[self.init](self.parameters, np.random.default_rng(self.seed))
        gate = self.cell.forget_gate
        if self.forget_bias is not None and gate is not None:
            for layer in self.parameters.layers:
                for own in layer:
                    own.b_h.reshape(self.cell.gates, -1)[gate] += self.forget_bias

    def zero_state(self, streams: int | None = None) -> Array:
        """Return a state of zeros, array (S_all,), or (B, S_all) for a number of streams.

        It has the states of all layers, from the lowest up, and in each those of its directions, side by side as in
        PyTorch; each is S wide: H, for an LSTM 2·H: [h, c].
        """
        width = self._state_width
        return np.zeros(width if streams is None else (streams, width), self.dtype)

    def forward(self, inputs: ArrayLike, targets: ArrayLike, state: ArrayLike | None = None) -> ForwardPass:
        """Run one window, or a minibatch of windows of parallel streams.

        Parameters
        ----------
        inputs, targets : int array (n,) or (n, B)
            Tokens in ``[0, V)`` and classes in ``[0, O)``. Steps come first, streams second, as is PyTorch's default.
        state : array (S_all,) or (B, S_all), optional
            State to start from, such as `carried` of the window before; zeros by default. See `zero_state`.

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
        shape = (*x.shape[1:], self._state_width)
        with np.errstate(over="ignore", invalid="ignore"):  # large logits: the softmax sees to them
            return self.forward_unchecked(
                x, y, np.zeros(shape, self.dtype) if state is None else self._state(state, shape)
            )

    def forward_unchecked(self, x: Tokens, y: Tokens, state: Array) -> ForwardPass:
        """Run one window of arrays that are known to be right; see `forward`. The caller sees to warnings too."""
        if x.ndim == 2 and x.shape[1] == 1:  # one stream is one stream, whatever its shape
            return self.forward_unchecked(x[:, 0], y[:, 0], state[0]).with_streams()
        tracks, outputs = self._run(x, state)
        after = outputs[-1].reshape(-1, outputs[-1].shape[-1])  # (N, D·H)
        probabilities, loss = self._softmax_cross_entropy(after, y.reshape(-1))  # (N, O), (N,)
        if x.ndim == 2:
            probabilities, loss = probabilities.reshape(*x.shape, -1), loss.reshape(x.shape)
        return ForwardPass(x, y, tracks, outputs, probabilities, loss)

    def _run(self, x: Tokens, state: Array) -> tuple[tuple[tuple[Track, ...], ...], tuple[Array, ...]]:
        """Run all layers over tokens (n,) or (n, B); return their tracks and outputs as in `ForwardPass`."""
        width, place = self.cell.state_width, 0
        shape = (len(x) + 1, *x.shape[1:], width)  # (n+1, S) or (n+1, B, S)
        tracks: list[tuple[Track, ...]] = []
        outputs: list[Array] = []
        for layer in self._layers:
            row: list[Track] = []
            given: list[Array] = []  # of each direction, h of each step (n, H) or (n, B, H)
            for cell, own in layer:
                if outputs:
                    below = outputs[-1]  # (n, D·H) or (n, B, D·H)
                    gates = below.reshape(-1, below.shape[-1]).dot(own.W_ih.T).reshape(*x.shape, -1)
                else:
                    gates = own.W_ih.T[x]  # (n, gates·H) or (n, B, gates·H)
                gates += own.b_h
                if row:  # the second direction
                    gates = gates[::-1]
                states = np.empty(shape, self.dtype)
                states[0] = state[..., place : place + width]
                place += width
                cell.forward_window(gates, states)
                hidden = states[..., : self.hidden_size]  # (n+1, H) or (n+1, B, H)
                given.append(hidden[:0:-1] if row else hidden[1:])
                row.append(Track(states, hidden, cell.linearize(states, gates)))
            tracks.append(tuple(row))
            outputs.append(np.concatenate(given, axis=-1) if self.bidirectional else given[0])
        return tuple(tracks), tuple(outputs)

    def sample(
        self,
        token: int,
        length: int,
        *,
        state: ArrayLike | None = None,
        temperature: float = 1.0,
        context: int = 10,
        generator: np.random.Generator,
    ) -> Tokens:
        """Let the network write.

        For every token, a bidirectional network reads its window again, in both directions: `token` and what it wrote
        since. Once that is `context` long, the next window begins, with the state carried over.

        Parameters
        ----------
        token : int
            First input, in ``[0, V)``. It is not part of the result.
        length : int
            Number of tokens to write.
        state : array (S_all,), optional
            State to start from; zeros by default. See `zero_state`.
        temperature : float
            Divides the logits. Towards 0 the likeliest token always wins; 1 samples the model's distribution.
        context : int
            Longest window of a bidirectional network.
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
        before = self.zero_state() if state is None else self._state(state, (self._state_width,))  # (S_all,)
        context, window = positive_int("context", context), list[int]()
        written = np.empty(length, np.intp)  # (length,)
        with np.errstate(over="ignore"):  # in a sigmoid, where the limit is right
            for i, chance in enumerate(generator.random(length)):
                if self.bidirectional:
                    window.append(current)
                    tracks, outputs = self._run(np.array(window), before)
                    output = outputs[-1][-1]  # (2·H,)
                    if len(window) == context:
                        before, window = carried_state(tracks), []
                else:
                    before, output = self._step(current, before)  # (S_all,), (H,)
                logits = (self.parameters.W_ho @ output + self.parameters.b_o).astype(np.float64)  # (V,)
                weights = np.exp((logits - logits.max()) / temperature)  # (V,)
                cumulative = np.cumsum(weights)  # (V,)
                current = int(np.searchsorted(cumulative, chance * cumulative[-1], side="right"))
                current = written[i] = min(current, self.input_size - 1)
        return written

    def _step(self, token: int, before: Array) -> tuple[Array, Array]:
        """Take one step through layers that read forward: the state (S_all,) after it, and the top layer's h (H,)."""
        after, width, output = np.empty_like(before), self.cell.state_width, before
        for layer, ((cell, own),) in enumerate(self._layers):
            gates = own.W_ih @ output if layer else own.W_ih[:, token]  # (gates·H,)
            place = slice(layer * width, (layer + 1) * width)
            cell.forward_step(gates + own.b_h, before[place], after[place])
            output = after[place][: self.hidden_size]  # (H,)
        return after, output

    @property
    def read_out(self) -> Array:
        """The part of W_ho that reads h of `cell`, array (O, H)."""
        return self.parameters.W_ho[:, : self.hidden_size]

    @property
    def _state_width(self) -> int:
        """Width of the state of all layers and directions, S_all."""
        return sum(cell.state_width for layer in self.cells for cell in layer)

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

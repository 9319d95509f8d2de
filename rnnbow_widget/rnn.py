"""The network: parameters, forward pass, sampling. Gradients are the business of `bptt_itemized`."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .cell import Cell
from .cells import cell_type
from .checks import array_of, boolean, finite_float, instance, one_of, shown, whole_number
from .exchange import make_modules, read_modules
from .forward import ForwardPass, carried_state
from .initialization import PRESETS
from .layers import Layers
from .losses import mean_squared_error, softmax_cross_entropy
from .parameters import Array, Mask, Parameters, Signal, Tokens
from .window import check_mask, check_targets, check_tokens, check_tokens_or_vectors


class RNN:
    """Recurrent layers on tokens or vectors, and a linear read-out.

    ``h_j = cell(W_ih x_j + b_h, h_{j-1})``, with one-hot ``x_j`` for tokens. Of ``z_j = W_ho h_j + b_o``, the loss of a
    target that is a class is the cross-entropy of ``softmax(z_j)``, that of a target that is a vector the mean squared
    error of z_j. (Eq. 2 of the RNNbow paper prints a sigmoid; its text, and we, use softmax.) Gates are stacked along
    the rows of W_ih, W_hh and b_h, in PyTorch's order: i, f, g, o of an LSTM, r, z, n of a GRU.

    With several layers, each reads h of the one below; the read-out reads that of the top one. A bidirectional layer
    has a second cell that reads the window from its end, and gives out h of both, side by side. (It sees the inputs
    that come later, and so, if they are the targets, what it is to predict.)

    Parameters
    ----------
    input_size : int
        Number of distinct tokens V, or entries of an input vector.
    hidden_size : int
        Number of hidden units H.
    output_size : int, optional
        Number of output classes O, or entries of an output vector; by default as many as input tokens. 0 of a network
        whose read-out and losses are elsewhere: see `rnnbow_widget.itemize`.
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

    Examples
    --------
    >>> from rnnbow_widget import RNN
    >>> rnn = RNN(5, 8, cell="lstm", num_layers=2, seed=1)
    >>> rnn
    RNN(lstm, 2 layers, 5→8→5, 1,037 parameters, init='normal', forget_bias=1, float32)
    >>> rnn.forward([0, 1, 2], [1, 2, 3]).loss.shape  # a loss for each step
    (3,)
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
        self.input_size = whole_number("input_size", input_size)
        self.hidden_size = whole_number("hidden_size", hidden_size)
        outputs = self.input_size if output_size is None else output_size
        self.output_size = whole_number("output_size", outputs, minimum=0)
        kind = cell_type(cell)
        self.init = one_of("init", init, PRESETS)
        self.seed = whole_number("seed", seed, minimum=0, maximum=None)
        self.dtype = _float_dtype(dtype)
        self.forget_bias = _forget_bias(forget_bias, kind)
        self.num_layers = whole_number("num_layers", num_layers)
        self.bidirectional = boolean("bidirectional", bidirectional)
        sizes = (self.input_size, self.hidden_size, self.output_size)
        arrangement = (self.num_layers, 2 if self.bidirectional else 1)
        self.parameters = Parameters(*sizes, self.dtype, kind.gates, kind.has_b_hn, *arrangement)
        self.cells = tuple(tuple(kind(own.W_hh, own.b_hn) for own in layer) for layer in self.parameters.layers)
        self.cell = self.cells[-1][0]
        self.layers = Layers(self.cells, self.parameters.layers, self.dtype)  # all but the read-out
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
            The recurrent layers, on vectors or one-hot tokens. Weights are copied bit for bit; the two biases are added
            where they only add, which is everywhere but in a GRU's n gate.
        linear : torch.nn.Linear
            From its hidden state to logits, or to vectors.

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
            For vectors or one-hot tokens (n, V) or (n, B, V). Its second bias is 0, but for a GRU's b_hn.
        torch.nn.Linear
            From its hidden state to logits, or to vectors.

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
        width = self.layers.state_width
        if streams is not None:
            streams = whole_number("streams", streams, minimum=0)
        return np.zeros(width if streams is None else (streams, width), self.dtype)

    def forward(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        state: ArrayLike | None = None,
        mask: ArrayLike | None = None,
    ) -> ForwardPass:
        """Run one window, or a minibatch of windows of parallel streams.

        Parameters
        ----------
        inputs : int array (n,) or (n, B), or float array (n, V) or (n, B, V)
            Tokens in ``[0, V)``, or real vectors of V entries. Steps come first, streams second, as is PyTorch's
            default.
        targets : int array (n,) or (n, B), or float array (n, O) or (n, B, O)
            Classes in ``[0, O)``, or real vectors of O entries: what kind of numbers they are decides about the loss.
        state : array (S_all,) or (B, S_all), optional
            State to start from, such as `carried` of the window before; zeros by default. See `zero_state`.
        mask : bool array (n,) or (n, B), optional
            Which steps have a loss; by default all. Targets of others are not looked at.

        Returns
        -------
        ForwardPass

        Raises
        ------
        TypeError, ValueError
            If a shape, a kind of number or a token is out of range.
        """
        x = check_tokens_or_vectors("inputs", inputs, self.input_size, self.dtype)
        steps = x.shape[: -1 if x.dtype.kind == "f" else None]  # (n,) or (n, B)
        where = None if mask is None else check_mask(mask, steps)
        y = check_targets(targets, self.output_size, self.dtype, where)
        if y.shape[: -1 if y.dtype.kind == "f" else None] != steps:
            raise ValueError(f"targets takes as many steps and streams as inputs, shape {steps}, got shape {y.shape}")
        shape = (*steps[1:], self.layers.state_width)
        with np.errstate(over="ignore", invalid="ignore"):  # large logits: the softmax sees to them
            return self.forward_unchecked(
                x, y, np.zeros(shape, self.dtype) if state is None else self._state(state, shape), where
            )

    def forward_unchecked(self, x: Signal, y: Signal, state: Array, mask: Mask | None = None) -> ForwardPass:
        """Run one window of arrays that are known to be right; see `forward`. The caller sees to warnings too."""
        if state.ndim == 2 and len(state) == 1:  # one stream is one stream, whatever its shape
            own = None if mask is None else mask[:, 0]  # (n,)
            return self.forward_unchecked(x[:, 0], y[:, 0], state[0], own).with_streams()
        tracks, outputs = self.layers.run(x, state)
        after = outputs[-1].reshape(-1, outputs[-1].shape[-1])  # (N, D·H)
        # W_ho is turned in memory first: a small product of rows by rows is slower than turning and multiplying.
        predicted = after.dot(self.parameters.W_ho.T.copy())  # (N, O): logits, or values
        predicted += self.parameters.b_o
        if y.dtype.kind == "f":
            loss = mean_squared_error(predicted, y.reshape(len(predicted), -1))  # (N,)
        else:
            predicted, loss = softmax_cross_entropy(predicted, y.reshape(-1), self._ones)  # (N, O), (N,)
        if state.ndim == 2:
            predicted, loss = predicted.reshape(len(x), len(state), -1), loss.reshape(len(x), -1)
        if mask is not None:
            loss[~mask] = 0
        return ForwardPass(x, y, tracks, outputs, predicted, loss, mask)

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
        generator = instance("generator", generator, np.random.Generator)
        length = whole_number("length", length, minimum=0, maximum=sys.maxsize // 1024)
        temperature = finite_float("temperature", temperature, above=0)
        current = int(check_tokens("token", [token], self.input_size)[0])
        before = self.zero_state() if state is None else self._state(state, (self.layers.state_width,))  # (S_all,)
        context, window = whole_number("context", context), list[int]()
        written = np.empty(length, np.intp)  # (length,)
        with np.errstate(over="ignore", invalid="ignore"):  # in a sigmoid, where the limit is right
            for i, chance in enumerate(generator.random(length)):
                if self.bidirectional:
                    window.append(current)
                    tracks, outputs = self.layers.run(np.array(window), before)
                    output = outputs[-1][-1]  # (2·H,)
                    if len(window) == context:
                        before, window = carried_state(tracks), []
                else:
                    before, output = self.layers.step(current, before)  # (S_all,), (H,)
                logits = (self.parameters.W_ho @ output + self.parameters.b_o).astype(np.float64)  # (V,)
                weights = np.exp((logits - logits.max()) / temperature)  # (V,)
                cumulative = np.cumsum(weights)  # (V,)
                current = int(np.searchsorted(cumulative, chance * cumulative[-1], side="right"))
                current = written[i] = min(current, self.input_size - 1)
        return written

    @property
    def read_out(self) -> Array:
        """The part of W_ho that reads h of `cell`, array (O, H)."""
        return self.parameters.W_ho[:, : self.hidden_size]

    def _state(self, state: ArrayLike, shape: tuple[int, ...]) -> Array:
        array = array_of("state", state, self.dtype)
        if array.shape != shape:
            raise ValueError(f"state takes shape {shape}, got {array.shape}")
        return array


def _forget_bias(value: float | None, cell: type[Cell]) -> float | None:
    if cell.forget_gate is None:
        if value is not None:
            raise ValueError(f"forget_bias is for a cell with a forget gate, such as 'lstm'; cell is {cell.name!r}")
        return None
    return 1.0 if value is None else finite_float("forget_bias", value)


def _float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    try:
        found = np.dtype(dtype).name
    except (TypeError, ValueError):
        found = ""
    if found not in ("float32", "float64"):
        raise ValueError(f"dtype takes float32 or float64, got {shown(dtype)}")
    return np.dtype(found)

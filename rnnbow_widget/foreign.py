"""Recurrent layers whose weights, losses and gradients at the outputs come from elsewhere: their forward passes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from .checks import one_of
from .exchange import layer_parameters, names_in_torch
from .forward import ForwardPass, Track
from .parameters import Array, Mask, Tokens
from .rnn import RNN

Lengths = Tokens

FOREIGN_CELLS = ("tanh", "relu", "lstm", "gru")
"""Cells that other libraries have in the same variants."""


class ForeignLayers:
    """A network without a read-out, with weights that are given under PyTorch's names.

    Parameters
    ----------
    cell : str
        One of `FOREIGN_CELLS`.
    weights : mapping of array
        By PyTorch's names, in its shapes and with its order of gates: ``weight_ih_l0`` (gates·H, V), ``weight_hh_l0``
        (gates·H, H), ``bias_ih_l0`` and ``bias_hh_l0`` (gates·H,), then those that end in ``_l0_reverse``, ``_l1`` and
        so on. How many layers and directions there are is what their names say. Biases may be missing.

    Raises
    ------
    TypeError, ValueError
        If they are not of this kind; the message names the array.

    Attributes
    ----------
    rnn : RNN
        The network.
    """

    def __init__(self, cell: str, weights: Mapping[str, Array]) -> None:
        self._cell = one_of("cell", cell, FOREIGN_CELLS)
        layers, bidirectional = _arrangement(weights)
        inputs, hidden = (np.shape(weights[name])[-1] for name in ("weight_ih_l0", "weight_hh_l0"))
        dtype = np.float64 if any(np.asarray(array).dtype == np.float64 for array in weights.values()) else np.float32
        self.rnn = RNN(
            int(inputs), int(hidden), 0, cell=cell, num_layers=layers, bidirectional=bidirectional, dtype=dtype
        )
        self.rnn.init, self.rnn.forget_bias = "given", None
        self.take(weights)

    def take(self, weights: Mapping[str, Array]) -> None:
        """Take over the values of these weights, which are of the same shapes.

        Raises
        ------
        ValueError
            If they are not; the message names the array.
        """
        rnn = self.rnn
        gates = rnn.cell.gates * rnn.hidden_size
        for layer, row in enumerate(rnn.parameters.layers):
            for direction, own in enumerate(row):
                names = names_in_torch(layer, direction)
                shapes = [own.W_ih.shape, own.W_hh.shape, (gates,), (gates,)]
                for name, shape in zip(names, shapes, strict=True):
                    found = np.shape(weights[name]) if name in weights else shape
                    if found != shape:
                        raise ValueError(f"{name} takes an array of shape {shape}, got shape {found}")
        arrays = {name: np.asarray(array, rnn.dtype) for name, array in weights.items()}
        for name, array in layer_parameters(arrays, self._cell, rnn.num_layers, rnn.bidirectional).items():
            rnn.parameters[name][...] = array

    @property
    def output_width(self) -> int:
        """Entries of what the top layer gives out, D·H."""
        return self.rnn.hidden_size * (2 if self.rnn.bidirectional else 1)

    def state(self, h: Array | None, c: Array | None, streams: int) -> Array:
        """Return a state as `RNN` has it, array (B, S_all), from PyTorch's h_0 and c_0, arrays (L·D, B, H)."""
        rnn = self.rnn
        found = rnn.zero_state(streams)  # (B, S_all)
        blocks = found.reshape(streams, -1, rnn.cell.state_blocks, rnn.hidden_size)  # (B, L·D, blocks, H): a view
        for place, given in enumerate([h, c][: rnn.cell.state_blocks]):
            if given is not None:
                blocks[:, :, place] = given.transpose(1, 0, 2)
        return found

    def forward(self, inputs: Array, entering: Array, state: Array, lengths: Lengths | None = None) -> ForwardPass:
        """Run a window, or a minibatch of sequences.

        Parameters
        ----------
        inputs : array (n, B, V)
            What goes in.
        entering : array (n, B, D·H)
            Gradient of each sequence's own loss with respect to what the top layer gives out. A step where it is 0
            has no loss.
        state : array (B, S_all)
            State to start from.
        lengths : int array (B,), optional
            Steps of each sequence, from 1 to n; what lies after them is not looked at. By default n.

        Returns
        -------
        ForwardPass
            Without an axis of streams if B is 1. What a shorter sequence has after its end is 0, so that nothing is
            sent there; a layer that reads backward begins at its end.
        """
        steps, streams = inputs.shape[:2]
        there: Mask | None = None
        if lengths is not None:
            steps = int(lengths.max())
            inputs, entering = inputs[:steps], entering[:steps]
            if bool((lengths < steps).any()):
                there = np.arange(steps)[:, None] < lengths  # (n, B)
                inputs, entering = (
                    np.where(there[..., None], array, 0).astype(array.dtype) for array in (inputs, entering)
                )
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found and shown
            if lengths is None or there is None:
                own = (inputs, state) if streams > 1 else (inputs[:, 0], state[0])
                tracks, outputs = self.rnn.layers.run(*own)
            else:
                tracks, outputs = self._run_lengths(inputs, state, lengths)
        if streams == 1:
            inputs, entering = inputs[:, 0], entering[:, 0]
        losses: Mask = np.any(entering, axis=-1)  # (n,) or (n, B)
        none = np.zeros((*losses.shape, 0), self.rnn.dtype)  # of the read-out that is not there
        mask = None if np.all(losses) else losses
        loss = np.zeros_like(none, shape=losses.shape)
        return ForwardPass(inputs, none, tracks, outputs, none, loss, mask, entering, there)

    def _run_lengths(
        self, inputs: Array, state: Array, lengths: Lengths
    ) -> tuple[tuple[tuple[Track, ...], ...], tuple[Array, ...]]:
        """Run sequences of the same length together, and put them side by side."""
        steps, streams = inputs.shape[:2]
        tracks: list[list[Track]] = []
        outputs: list[Array] = []
        for length in np.unique(lengths).tolist():
            those = np.flatnonzero(lengths == length)  # (streams of this length,)
            own_tracks, own_outputs = self.rnn.layers.run(inputs[:length, those], state[those])
            if not tracks:
                tracks = [[_room(track, steps, streams) for track in layer] for layer in own_tracks]
                outputs = [np.zeros((steps, streams, own.shape[-1]), own.dtype) for own in own_outputs]
            for found, own in zip(outputs, own_outputs, strict=True):
                found[:length, those] = own
            for layer, own_layer in zip(tracks, own_tracks, strict=True):
                for direction, (track, own_track) in enumerate(zip(layer, own_layer, strict=True)):
                    # Before the sequence and after it the linearization is 0: nothing is passed on there.
                    first = steps - length if direction else 0
                    track.states[first : first + length + 1, those] = own_track.states
                    track.linearization[first : first + length, those] = own_track.linearization
        return tuple(map(tuple, tracks)), tuple(outputs)


def _room(like: Track, steps: int, streams: int) -> Track:
    """Return a track of so many steps and streams, with zeros."""
    states = np.zeros((steps + 1, streams, like.states.shape[-1]), like.states.dtype)
    linearization = np.zeros((steps, streams, *like.linearization.shape[2:]), like.linearization.dtype)
    return Track(states, states[..., : like.hidden.shape[-1]], linearization)


def _arrangement(weights: Mapping[str, Array]) -> tuple[int, bool]:
    """Return how many layers there are, and whether they read in both directions, from the names of weights."""
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights takes a mapping from names to arrays, got {type(weights).__name__}")
    layers = 1 + max((int(found[1]) for name in weights if (found := re.match(r"weight_hh_l(\d+)", name))), default=0)
    bidirectional = "weight_hh_l0_reverse" in weights
    places = [(layer, direction) for layer in range(layers) for direction in range(1 + bidirectional)]
    needed = [name for place in places for name in names_in_torch(*place, bias=False)]
    known = [name for place in places for name in names_in_torch(*place)]
    missing, unknown = [name for name in needed if name not in weights], [name for name in weights if name not in known]
    if missing or unknown:
        trouble = f"{', '.join(missing)} missing" if missing else f"there is {', '.join(unknown)}, too"
        raise ValueError(f"weights takes PyTorch's names, such as {', '.join(known[:4])}; {trouble}")
    for name in needed:
        if np.ndim(weights[name]) != 2:
            raise ValueError(f"{name} takes an array of two axes, got shape {np.shape(weights[name])}")
    return layers, bidirectional

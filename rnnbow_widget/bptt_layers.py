"""Itemized back-propagation through time in every layer and direction of a network.

The loss of step t reaches a step j of a lower layer through everything above it. In a layer that reads forward, only
losses of later steps reach a step; below the top of a bidirectional network, those of steps before it too. So the lag
``t - j`` runs from -(k-1) to k-1 there.

A chunk of losses is followed through all layers, from the top down, each at once over the whole window: the layer below
needs ``W_ihᵀ`` of what every step of the layer above received of the same loss. Chunks are as large as memory allows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bptt_itemized import check_horizon, safe_scale
from .forward import ForwardPass
from .gradients import Gradients, bptt
from .losses import read_out_gradients
from .measuring import Measured, Measuring, wanted_measures
from .parameters import Array
from .rnn import RNN

_CHUNK_BYTES = 1 << 26  # of all that is held of a chunk: products of few losses are slow
_ROWS_CHECKED_EVERY = 16  # steps


@dataclass(frozen=True)
class LayerItems(Measured):
    """The gradient with respect to W_hh of one layer in one direction, itemized; see `Measured`.

    Arrays are indexed ``[j, i]`` for the loss at step ``t = j + lags[i]``.

    Attributes
    ----------
    lags : int array (k,)
        The lags ``t - j`` that are there. Those of layers that losses reach from one side only have one sign.
    """

    lags: NDArray[np.intp]


@dataclass(frozen=True)
class LayerDelta:
    """The vectors behind the items of one layer in one direction.

    Every parameter's piece is a product with them: ``delta h_{j-1}ᵀ`` of W_hh (h_{j+1} where the layer reads backward),
    ``input_delta x_jᵀ`` of W_ih, `input_delta` of b_h, and the last block of `delta` of b_hn.

    Attributes
    ----------
    lags : int array (k,)
        The lags ``t - j`` that are there.
    delta : array (n, k, gates·H) or (n, B, k, gates·H)
        ``∂L_t/∂(W_hh h)`` at ``[j, i]`` with ``t = j + lags[i]``; zero where there is no such step.
    input_delta : array (n, k, gates·H) or (n, B, k, gates·H)
        ``∂L_t/∂(W_ih x_j + b_h)``, likewise.
    """

    lags: NDArray[np.intp]
    delta: Array
    input_delta: Array


def itemized_layers(
    rnn: RNN,
    forward: ForwardPass,
    horizon: int | None = None,
    *,
    measures: Collection[str] = ("norm",),
    gradients: Gradients | None = None,
) -> dict[str, LayerItems]:
    """Itemize the gradient of every W_hh: of all layers, in all directions.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    horizon : int, optional
        Lags that are kept, ``|t - j| < k``. The whole window by default.
    measures : collection of str
        Any of `MEASURES`, as for `itemized_bptt`.
    gradients : Gradients, optional
        What `bptt` returned for the same pass, if it is at hand.

    Returns
    -------
    dict of LayerItems
        By the parameter's name: ``"W_hh"``, ``"W_hh_l0_reverse"``, ``"W_hh_l1"`` and so on.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.
    """
    walk = _Layers(rnn, forward, check_horizon(forward.steps, horizon, None)[0])
    wanted = wanted_measures(measures)
    tracks: dict[str, _Track] = {}
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding gradient is a result to show, not an accident
        gradients = bptt(rnn, forward) if gradients is None else gradients
        for losses, layer, direction, rows in walk.chunks():
            name = walk.name(layer, direction)
            if name not in tracks:
                tracks[name] = _Track(walk, gradients, layer, direction, wanted)
            tracks[name].add(losses, rows)
        found = {name: track.items() for name, track in tracks.items()}
    return {name: found[name] for name in rnn.parameters if name in found}


def itemized_layer_delta(rnn: RNN, forward: ForwardPass, horizon: int | None = None) -> dict[str, LayerDelta]:
    """The vectors behind the items of `itemized_layers`.

    Parameters
    ----------
    rnn, forward, horizon :
        As for `itemized_layers`.

    Returns
    -------
    dict of LayerDelta
        By the name of the layer's W_hh.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.
    """
    walk = _Layers(rnn, forward, check_horizon(forward.steps, horizon, None)[0])
    found: dict[str, LayerDelta] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for losses, layer, direction, rows in walk.chunks():
            cell, name, lags = rnn.cells[layer][direction], walk.name(layer, direction), walk.lags(layer, direction)
            if name not in found:
                shape = (walk.steps, walk.streams, len(lags), cell.delta_width)
                found[name] = LayerDelta(lags, np.zeros(shape, rnn.dtype), np.zeros(shape, rnn.dtype))
            delta, entering = cell.delta(rows) / walk.scale, cell.input_delta(rows) / walk.scale  # (n, m, B, gates·H)
            for place, loss in enumerate(losses):
                i, kept = walk.places(loss, layer, direction)
                j = walk.steps - 1 - i if direction else i
                found[name].delta[j, :, kept] = delta[i, place]
                found[name].input_delta[j, :, kept] = entering[i, place]
    return {
        name: LayerDelta(one.lags, walk.shaped(one.delta), walk.shaped(one.input_delta))
        for name, one in ((name, found[name]) for name in rnn.parameters if name in found)
    }


class _Layers:
    """Follows losses through all layers. Everything has an axis of streams here, and is multiplied by `scale`."""

    def __init__(self, rnn: RNN, forward: ForwardPass, horizon: int) -> None:
        self.rnn = rnn
        self.alone = forward.loss.ndim == 1
        self.forward = forward.with_streams() if self.alone else forward
        self.steps, self.streams = self.forward.loss.shape
        self.horizon = horizon
        with np.errstate(over="ignore", invalid="ignore"):
            incoming = read_out_gradients(self.forward.flattened()) @ rnn.parameters.W_ho  # (N, D·H)
        self.scale = safe_scale(incoming)
        self.incoming = (incoming * self.scale).reshape(self.steps, self.streams, -1)  # (n, B, D·H)
        self.floor = 2.0**-60 if rnn.dtype == np.float32 else 1e-150  # rows below are dropped, as in `itemized_bptt`

    def name(self, layer: int, direction: int) -> str:
        """Name of a track's W_hh."""
        return "W_hh" + self.rnn.parameters.suffixes[layer][direction]

    def shaped(self, array: Array) -> Array:
        """Return an array (n, B, …) without the axis of streams, if the pass has none."""
        return array[:, 0] if self.alone else array

    def one_sided(self, layer: int) -> bool:
        """Whether losses reach a step of this layer from one side only."""
        return not self.rnn.bidirectional or layer == self.rnn.num_layers - 1

    def lags(self, layer: int, direction: int) -> NDArray[np.intp]:
        """The lags t - j that are kept, int array (k,)."""
        lags = np.arange(1 - self.horizon, self.horizon)
        if self.one_sided(layer):
            lags = lags[lags <= 0] if direction else lags[lags >= 0]
        return lags

    def places(self, loss: int, layer: int, direction: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the pieces of a loss are: steps in the order in which the track reads, and indices of lags."""
        lags = self.lags(layer, direction)
        i = np.arange(self.steps)
        place = loss - (self.steps - 1 - i if direction else i) - lags[0]
        kept = (place >= 0) & (place < len(lags))
        return i[kept], place[kept]

    def chunks(self) -> Iterator[tuple[range, int, int, Array]]:
        """Yield ``(losses, layer, direction, rows)`` for chunks of losses, in each from the top layer down.

        Rows, array (n, m, B, R), are what each step hands back of each loss of the chunk, in the order in which the
        track reads.
        """
        width = self.incoming.shape[-1]  # D·H
        held = self.rnn.cell.row_width + self.rnn.cell.delta_width + 3 * width  # of each loss, step and stream
        size = max(1, _CHUNK_BYTES // (self.steps * self.streams * held * self.rnn.dtype.itemsize))
        for first in range(0, self.steps, size):
            losses = range(first, min(first + size, self.steps))
            incoming = np.zeros((self.steps, len(losses), self.streams, width), self.rnn.dtype)  # (n, m, B, D·H)
            incoming[losses, np.arange(len(losses))] = self.incoming[losses]
            for layer in range(self.rnn.num_layers - 1, -1, -1):
                lower = np.zeros_like(incoming) if layer else None  # (n, m, B, D·H)
                for direction, cell in enumerate(self.rnn.cells[layer]):
                    rows = self._through(losses, layer, direction, incoming)
                    yield losses, layer, direction, rows
                    if lower is not None:
                        entering = cell.input_delta(rows)  # (n, m, B, gates·H)
                        weights = self.rnn.parameters.layers[layer][direction].W_ih  # (gates·H, D·H)
                        part = entering.reshape(-1, cell.delta_width).dot(weights).reshape(incoming.shape)
                        lower += part[::-1] if direction else part
                if lower is not None:
                    incoming = lower

    def _through(self, losses: range, layer: int, direction: int, incoming: Array) -> Array:
        """Follow losses back through one track: rows (n, m, B, R)."""
        n, m, streams = incoming.shape[:3]
        cell, track = self.rnn.cells[layer][direction], self.forward.tracks[layer][direction]
        own = incoming[..., direction * cell.hidden_size :][..., : cell.hidden_size]  # (n, m, B, H)
        own = own[::-1] if direction else own
        rows = np.zeros((n, m, streams, cell.row_width), self.rnn.dtype)
        for i in range(n - 1, -1, -1):
            low, high = self._reaching(n - 1 - i if direction else i, losses, layer, direction)
            if low >= high:
                continue
            # One axis of rows: a product of more axes is slow.
            local = track.linearization[i]  # (B, …)
            if streams > 1:
                local = np.broadcast_to(local, (high - low, *local.shape)).reshape(-1, *local.shape[1:])  # (m·B, …)
            later = rows[i + 1, low:high].reshape(-1, cell.row_width) if i < n - 1 else None  # (m·B, R)
            entering = own[i, low:high].reshape(-1, cell.hidden_size)  # (m·B, H)
            found = rows[i, low:high].reshape(-1, cell.row_width)  # (m·B, R): a view
            cell.backward_step(local, later, entering, found)
            if i % _ROWS_CHECKED_EVERY == 0:
                found[np.vecdot(found, found) <= self.floor**2] = 0
        return rows

    def _reaching(self, step: int, losses: range, layer: int, direction: int) -> tuple[int, int]:
        """Which of the losses have to be followed at a step: the first, and the one after the last."""
        low, high = losses.start, losses.stop
        # Where a layer below is reached from both sides, what lies beyond the horizon comes back into it.
        within = self.horizon if not self.rnn.bidirectional or self.rnn.num_layers == 1 else self.steps
        if self.one_sided(layer):
            if direction:
                low, high = max(low, step - within + 1), min(high, step + 1)
            else:
                low, high = max(low, step), min(high, step + within)
        return low - losses.start, high - losses.start


class _Track:
    """Gathers the items of one layer in one direction. Steps are in the order in which it reads."""

    def __init__(self, walk: _Layers, gradients: Gradients, layer: int, direction: int, wanted: list[str]) -> None:
        self.walk, self.layer, self.direction = walk, layer, direction
        self.lags = walk.lags(layer, direction)
        self.cell = walk.rnn.cells[layer][direction]
        before = walk.forward.tracks[layer][direction].hidden[:-1]  # (n, B, H)
        whole = gradients.parameters.layers[layer][direction].W_hh  # (gates·H, H)
        self.measuring = Measuring(before, whole, self.cell.delta_width, len(self.lags), wanted)
        rows = gradients.rows[layer][direction].reshape(walk.steps, walk.streams, -1)  # (n, B, R)
        self.delta = self.cell.delta(rows) * walk.streams  # (n, B, gates·H): of each stream's own loss
        self.kept = np.zeros_like(self.delta)  # (n, B, gates·H): of all that `items` has

    def add(self, losses: range, rows: Array) -> None:
        """Add the pieces of losses, rows (n, m, B, R)."""
        delta = self.cell.delta(rows).transpose(1, 0, 2, 3)  # (m, n, B, gates·H)
        places = [self.walk.places(loss, self.layer, self.direction) for loss in losses]
        for name, items in self.measuring.items.items():
            measured = self.measuring.of(name, delta)  # (m, n, B)
            for own, (i, place) in zip(measured, places, strict=True):
                items[i, :, place] = own[i]
        for own, (i, _) in zip(delta, places, strict=True):
            self.kept[i] += own[i]

    def items(self) -> LayerItems:
        """Return what was gathered, in the order of steps."""
        walk = self.walk
        whole = walk.horizon >= walk.steps  # else it would be rounding
        missing = np.zeros_like(self.delta) if whole else self.delta - self.kept / walk.scale  # (n, B, gates·H)
        names = list(self.measuring.items)
        return LayerItems(
            {name: self._by_step(self.measuring.items[name] / walk.scale) for name in names},
            {name: self._by_step(self.measuring.of(name, self.delta)) for name in names},
            {name: self._by_step(self.measuring.of(name, missing)) for name in names},
            self.lags,
        )

    def _by_step(self, array: Array) -> Array:
        return self.walk.shaped(array[::-1] if self.direction else array)

"""The walk of losses back through every layer and direction, which what is itemized there is read from.

A chunk of losses is followed through all layers, from the top down, each at once over the whole window: the layer below
needs ``W_ihᵀ`` of what every step of the layer above received of the same loss. Chunks are as large as memory allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bptt_itemized import ROWS_CHECKED_EVERY, row_floor, safe_scale
from .cell import Cell
from .forward import ForwardPass
from .losses import output_gradients
from .parameters import Array, Mask
from .rnn import RNN

_CHUNK_BYTES = 1 << 26  # of all that is held of a chunk: products of few losses are slow


@dataclass(frozen=True)
class TrackRows:
    """What a chunk of m losses sends through one layer in one direction.

    Arrays are in the order of steps, and multiplied by the walk's `scale`.

    Attributes
    ----------
    losses : range
        The steps of the losses.
    layer, direction : int
        The track.
    cell : Cell
        Its cell.
    rows : array (n, m, B, R)
        What each step hands back of each loss.
    incoming : array (n, m, B, H)
        What enters at each step, from the read-out or the layer above.
    local : array (n, B, …)
        The track's linearization.
    there : bool array (n, B) or None
        Which steps each stream has; None if all have all.
    """

    losses: range
    layer: int
    direction: int
    cell: Cell
    rows: Array
    incoming: Array
    local: Array
    there: Mask | None

    @property
    def later(self) -> Array:
        """What each step is handed back by the step that was read after it, array (n, m, B, R); 0 at the last."""
        found = np.zeros_like(self.rows)
        if self.direction:
            found[1:] = self.rows[:-1]
        else:
            found[:-1] = self.rows[1:]
        if self.there is not None:  # past a stream's end stands the state before its first step that is read
            found[np.broadcast_to(~self.there[:, None], found.shape[:3])] = 0
        return found

    def steps(self) -> Iterator[tuple[Array, Array, Array, Array]]:
        """Yield of each step what the cell's backward step was given, and what it wrote, with one axis of m·B rows.

        That is the linearization, rows of the step that was read after it, gradients that enter, and rows. (As in the
        walk, a product of more axes is slow.)
        """
        n, m, streams, width = self.rows.shape
        later = self.later
        for j in range(n):
            count = m * streams
            entering = self.incoming[j].reshape(count, -1)  # (m·B, H)
            yield (
                _of_losses(self.local[j], m),
                later[j].reshape(count, width),
                entering,
                self.rows[j].reshape(count, -1),
            )

    def states(self) -> Array:
        """Gradients with respect to the state after each step, array (n, m, B, S)."""
        found = np.empty((*self.rows.shape[:3], self.cell.state_width), self.rows.dtype)
        for own, (local, later, entering, _) in zip(found, self.steps(), strict=True):
            own[...] = self.cell.state_gradient(local, later, entering).reshape(own.shape)
        return found

    def places(self, lags: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Where the pieces of these lags are: steps, places among the losses, places among the lags, (pieces,) each."""
        steps, numbers = np.arange(len(self.rows))[:, None], np.array(self.losses)  # (n, 1), (m,)
        found = numbers - steps  # (n, m): lags
        j, place = np.nonzero((found >= lags[0]) & (found <= lags[-1]))
        return j, place, found[j, place] - lags[0]


class LayerWalk:
    """Follows losses through all layers. Everything has an axis of streams here, and is multiplied by `scale`.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    horizon : int
        Lags that are wanted, ``|t - j| < horizon``.
    """

    def __init__(self, rnn: RNN, forward: ForwardPass, horizon: int) -> None:
        self.rnn = rnn
        self.alone = forward.loss.ndim == 1
        self.forward = forward.with_streams() if self.alone else forward
        self.steps, self.streams = self.forward.loss.shape
        self.horizon = horizon
        with np.errstate(over="ignore", invalid="ignore"):
            _, incoming = output_gradients(self.forward.flattened(), rnn.parameters.W_ho)  # (N, D·H)
        self.scale = safe_scale(incoming)
        self.incoming = (incoming * self.scale).reshape(self.steps, self.streams, -1)  # (n, B, D·H)
        self.floor = row_floor(rnn.dtype)

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

    def chunks(self, lowest: int = 0) -> Iterator[TrackRows]:
        """Yield what chunks of losses send through every track, in each chunk from the top layer down to `lowest`."""
        width = self.incoming.shape[-1]  # D·H
        held = self.rnn.cell.row_width + self.rnn.cell.delta_width + 3 * width  # of each loss, step and stream
        size = max(1, _CHUNK_BYTES // (self.steps * self.streams * held * self.rnn.dtype.itemsize))
        there = self._stretch_with_losses()
        for first in range(there.start, there.stop, size):
            losses = range(first, min(first + size, there.stop))
            incoming = np.zeros((self.steps, len(losses), self.streams, width), self.rnn.dtype)  # (n, m, B, D·H)
            incoming[losses, np.arange(len(losses))] = self.incoming[losses]
            for layer in range(self.rnn.num_layers - 1, lowest - 1, -1):
                lower = np.zeros_like(incoming) if layer > lowest else None  # (n, m, B, D·H)
                for direction, cell in enumerate(self.rnn.cells[layer]):
                    found = self._through(losses, layer, direction, incoming)
                    yield found
                    if lower is not None:
                        entering = cell.input_delta(found.rows)  # (n, m, B, gates·H)
                        weights = self.rnn.parameters.layers[layer][direction].W_ih  # (gates·H, D·H)
                        lower += entering.reshape(-1, cell.delta_width).dot(weights).reshape(incoming.shape)
                if lower is not None:
                    incoming = lower

    def _stretch_with_losses(self) -> range:
        """The steps from the first to the last that has a loss; one step if none has."""
        if self.forward.mask is None:
            return range(self.steps)
        there = np.flatnonzero(self.forward.mask.any(axis=1))  # (losses,)
        return range(int(there[0]), int(there[-1]) + 1) if there.size else range(1)

    def _through(self, losses: range, layer: int, direction: int, incoming: Array) -> TrackRows:
        """Follow losses back through one track."""
        n, m, streams = incoming.shape[:3]
        cell, track = self.rnn.cells[layer][direction], self.forward.tracks[layer][direction]
        own = incoming[..., direction * cell.hidden_size :][..., : cell.hidden_size]  # (n, m, B, H)
        linearization = track.linearization[::-1] if direction else track.linearization  # (n, B, …)
        rows = np.zeros((n, m, streams, cell.row_width), self.rnn.dtype)
        later = None  # (m, B, R): of the step that was read after
        for i, j in enumerate(range(n) if direction else range(n - 1, -1, -1)):
            low, high = self._reaching(j, losses, layer, direction)
            if low < high:
                # One axis of rows: a product of more axes is slow.
                local = _of_losses(linearization[j], high - low)
                after = None if later is None else later[low:high].reshape(-1, cell.row_width)  # (m·B, R)
                entering = own[j, low:high].reshape(-1, cell.hidden_size)  # (m·B, H)
                found = rows[j, low:high].reshape(-1, cell.row_width)  # (m·B, R): a view
                cell.backward_step(local, after, entering, found)
                if i % ROWS_CHECKED_EVERY == ROWS_CHECKED_EVERY - 1:
                    found[np.vecdot(found, found) <= self.floor**2] = 0
            later = rows[j]
        return TrackRows(losses, layer, direction, cell, rows, own, linearization, self.forward.there)

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


def _of_losses(local: Array, losses: int) -> Array:
    """Return a step's linearization (B, …) for rows of as many losses: array (m·B, …), or one that broadcasts."""
    if len(local) == 1:
        return local
    return np.broadcast_to(local, (losses, *local.shape)).reshape(-1, *local.shape[1:])

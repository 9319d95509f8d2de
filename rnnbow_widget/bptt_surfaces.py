"""Itemized gradients of any surface of a network: parameters and states, of any layer, direction, gate or unit.

What a loss sends to a step of a layer is a vector: δ, of which the pieces of weights are outer products, or the
gradient with respect to a state. A surface of both directions has two such vectors for a step, those of one
concatenated parameter or state: squares of norms add, and so do shares.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import hypot

import numpy as np
from numpy.typing import NDArray

from .bptt_itemized import check_horizon
from .cell import Cell
from .forward import ForwardPass
from .gradients import AllRows, Gradients, bptt, entering_gradients, norm
from .layer_walk import LayerWalk, TrackRows
from .measuring import Measured, Measuring, StreamAverage, outer_weights, wanted_measures
from .parameters import Array
from .rnn import RNN
from .surfaces import JACOBIAN, STATES, WEIGHTS, Surface


@dataclass(frozen=True)
class SurfaceItems(Measured):
    """The itemized gradient of one surface; see `Measured`.

    Arrays are indexed ``[j, i]`` for the loss at step ``t = j + lags[i]``.

    Attributes
    ----------
    lags : int array (K,)
        The lags ``t - j`` that are there, one after the other. They begin at 0 where losses reach a step from later
        steps only.
    average : Measured
        The mean over streams. Of weights, `total` and `beyond` measure the mean of the streams' matrices; of states,
        which each stream has of its own, they are means too. Worked out when first asked for.
    bound : array (K,) or None
        What the norms at each lag cannot exceed, if something is known.
    """

    lags: NDArray[np.intp]
    _average: Callable[[], Measured] = field(repr=False)
    bound: Array | None = None

    @cached_property
    def average(self) -> Measured:
        """The mean over streams."""
        return self._average()


def itemized_surfaces(
    rnn: RNN,
    forward: ForwardPass,
    surfaces: Sequence[Surface],
    horizon: int | None = None,
    *,
    measures: Collection[str] = ("norm",),
    gradients: Gradients | None = None,
) -> dict[str, SurfaceItems]:
    """Itemize the gradient of several surfaces; those of one network share the walk through it.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    surfaces : sequence of Surface
        Of weights or states: what `Surfaces.parse` returned for this network.
    horizon : int, optional
        Lags that are kept, ``|t - j| < k``. The whole window by default.
    measures : collection of str
        Any of `MEASURES`. Shares are of the norm of the surface's own whole gradient; of a state, of the sum over
        losses at the same step.
    gradients : Gradients, optional
        What `bptt` returned for the same pass, if it is at hand.

    Returns
    -------
    dict of SurfaceItems
        By name.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.
    """
    walk = LayerWalk(rnn, forward, check_horizon(forward.steps, horizon, None)[0])
    wanted = wanted_measures(measures)
    for surface in surfaces:
        if surface.base == JACOBIAN:
            raise ValueError(f"surfaces takes those of weights and states, got {surface.name!r}")
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding gradient is a result to show, not an accident
        plain = WindowGradients(walk, bptt(rnn, forward) if gradients is None else gradients)
        gathered = {surface.name: _Gathered(plain, surface, wanted) for surface in surfaces}
        for rows in walk.chunks(min((surface.layer for surface in surfaces), default=walk.rnn.num_layers)):
            vectors = _Vectors(rows)
            for one in gathered.values():
                one.add(vectors)
        return {name: one.items() for name, one in gathered.items()}


def own_columns(surface: Surface, cell: Cell) -> slice:
    """Which entries of a vector belong to a surface: of δ (gates·H,) for weights, of the state (S,) for states."""
    size = cell.hidden_size
    if surface.base in STATES:
        first = STATES.index(surface.base) * size
        return slice(first, first + size) if surface.unit is None else slice(first + surface.unit, first + size, size)
    if surface.gate is not None:
        first = cell.gate_names.index(surface.gate) * size
        return slice(first, first + size)
    return slice(0, cell.delta_width) if surface.unit is None else slice(surface.unit, cell.delta_width, size)


class _Vectors:
    """The vectors of all kinds that a chunk of losses sends through one track; each worked out once."""

    def __init__(self, track: TrackRows) -> None:
        self.track = track

    def of(self, base: str) -> Array:
        """Return δ (n, m, B, gates·H) for weights, gradients (n, m, B, S) for states."""
        if base in STATES:
            return self._states
        return self.track.cell.delta(self.track.rows) if base == "W_hh" else self._entering

    @cached_property
    def _states(self) -> Array:
        return self.track.states()

    @cached_property
    def _entering(self) -> Array:
        return self.track.cell.input_delta(self.track.rows)


class WindowGradients:
    """The plain gradients of a window by step, of each stream's own loss. Arrays are in the order of steps.

    Parameters
    ----------
    walk : LayerWalk
        The walk through the window.
    gradients : Gradients
        Its plain gradients.
    """

    def __init__(self, walk: LayerWalk, gradients: Gradients) -> None:
        self.walk = walk
        self._rows = gradients.rows

    def total(self, base: str, layer: int, direction: int) -> Array:
        """What all losses together sent to each step, array (n, B, gates·H) or (n, B, S)."""
        walk, cell = self.walk, self.walk.rnn.cells[layer][direction]
        rows = self._rows[layer][direction].reshape(walk.steps, walk.streams, -1)  # (n, B, R)
        if base in STATES:
            later = np.zeros_like(rows)
            later[:-1] = rows[1:]
            if walk.forward.there is not None:  # as in `TrackRows.later`
                later[~(walk.forward.there[::-1] if direction else walk.forward.there)] = 0
            local = walk.forward.tracks[layer][direction].linearization  # (n, B, …)
            found = cell.state_gradient(local, later, self._entering[layer][direction].reshape(*rows.shape[:2], -1))
        else:
            found = cell.delta(rows) if base == "W_hh" else cell.input_delta(rows)
        found = found * walk.streams  # the plain gradients are those of the mean over streams
        shaped: Array = found[::-1] if direction else found
        return shaped

    @cached_property
    def _entering(self) -> AllRows:
        return entering_gradients(self.walk.rnn, self.walk.forward, self._rows)

    def multiplied(self, base: str, layer: int, direction: int) -> tuple[Array, int]:
        """What weights multiply at each step, (n, B, q), without entries that are always 0; and how many have all."""
        forward = self.walk.forward
        if base == "W_hh":
            before = forward.tracks[layer][direction].hidden[:-1]  # (n, B, H)
            return before[::-1] if direction else before, before.shape[-1]
        if layer:
            below = forward.outputs[layer - 1]  # (n, B, D·H)
            return below, below.shape[-1]
        if np.issubdtype(forward.inputs.dtype, np.floating):
            return forward.inputs, self.walk.rnn.input_size  # (n, B, V)
        tokens = np.unique(forward.inputs)  # (q,)
        one_hot = (forward.inputs[..., None] == tokens).astype(self.walk.rnn.dtype)  # (n, B, q)
        return one_hot, self.walk.rnn.input_size


class _Part:
    """What one direction adds to a surface."""

    def __init__(self, plain: WindowGradients, surface: Surface, direction: int) -> None:
        walk = plain.walk
        self.direction = direction
        self.columns = own_columns(surface, walk.rnn.cells[surface.layer][direction])
        self.lags = walk.lags(surface.layer, direction)
        self.total = plain.total(surface.base, surface.layer, direction)[..., self.columns]  # (n, B, w)
        self.kept = np.zeros_like(self.total)  # (n, B, w): of all that items have, multiplied by the walk's scale
        self.width = self.total.shape[-1]
        self.measuring: Measuring
        self.average: StreamAverage | None = None
        if surface.base in WEIGHTS:
            self.before, self.size = plain.multiplied(surface.base, surface.layer, direction)  # (n, B, q), int
            count = walk.steps * walk.streams
            vectors, before = self.total.reshape(count, -1), self.before.reshape(count, -1)
            self.whole = vectors.T @ before / walk.rnn.dtype.type(walk.streams)  # (w, q)

    def measure_weights(self, whole_norm: float, lags: int, wanted: list[str]) -> None:
        """Make ready to measure pieces of weights, as part of a gradient of this norm."""
        weights = outer_weights(self.before, self.whole, self.width, wanted, size=self.size, whole_norm=whole_norm)
        self.measuring = Measuring(weights, lags, self.total.shape[:2], self.total.dtype)
        self.average = StreamAverage(self.before, self.size)

    def measure_states(self, sizes: Array, lags: int, wanted: list[str]) -> None:
        """Make ready to measure gradients of states, as parts of sums of these norms (n, B)."""
        ones = np.ones_like(sizes)  # (n, B)
        of = {"norm": ones, "mean_abs": ones / self.width}
        if "share" in wanted:
            of["share"] = self.total / np.where(sizes == 0, 1, sizes)[..., None]  # (n, B, w)
        self.measuring = Measuring({name: of[name] for name in wanted}, lags, sizes.shape, sizes.dtype)


class _Gathered:
    """Gathers the items of one surface."""

    def __init__(self, plain: WindowGradients, surface: Surface, wanted: list[str]) -> None:
        self.walk, self.surface, self.wanted = plain.walk, surface, wanted
        self.parts = [_Part(plain, surface, direction) for direction in surface.directions]
        first, last = min(part.lags[0] for part in self.parts), max(part.lags[-1] for part in self.parts)
        self.lags = np.arange(first, last + 1)  # (K,)
        if surface.base in WEIGHTS:
            whole_norm = hypot(*(norm(part.whole) for part in self.parts))
            for part in self.parts:
                part.measure_weights(whole_norm, len(self.lags), wanted)
        else:
            sizes = _euclidean([np.sqrt(np.vecdot(part.total, part.total)) for part in self.parts])  # (n, B)
            for part in self.parts:
                part.measure_states(sizes, len(self.lags), wanted)

    def add(self, vectors: _Vectors) -> None:
        """Add the pieces of a chunk of losses, if they are of this surface's layer."""
        track = vectors.track
        if track.layer != self.surface.layer or track.direction not in self.surface.directions:
            return
        part = next(part for part in self.parts if part.direction == track.direction)
        own = vectors.of(self.surface.base)[..., part.columns]  # (n, m, B, w)
        j, place, i = track.places(part.lags)
        for name, items in part.measuring.items.items():
            weights = part.measuring.weights[name][:, None]  # (n, 1, B) or (n, 1, B, w)
            measured = part.measuring.of(name, own, weights)  # (n, m, B)
            items[j, :, i + part.lags[0] - self.lags[0]] = measured[j, place]
        if self.walk.horizon < self.walk.steps:
            kept = np.zeros(own.shape[:2], own.dtype)  # (n, m)
            kept[j, place] = 1
            part.kept += np.einsum("jmbw,jm->jbw", own, kept)

    def items(self) -> SurfaceItems:
        """Return what was gathered."""
        walk = self.walk
        whole = walk.horizon >= walk.steps  # else it would be rounding
        missing = [np.zeros_like(part.total) if whole else part.total - part.kept / walk.scale for part in self.parts]
        items, total, beyond = {}, {}, {}
        for name in self.wanted:
            items[name] = self._together(name, [part.measuring.items[name] / walk.scale for part in self.parts])
            total[name] = self._together(name, [part.measuring.of(name, part.total) for part in self.parts])
            of_missing = [part.measuring.of(name, own) for part, own in zip(self.parts, missing, strict=True)]
            beyond[name] = self._together(name, of_missing)

        def average() -> Measured:
            with np.errstate(over="ignore", invalid="ignore"):
                return Measured(
                    {name: array.mean(axis=1) for name, array in items.items()},
                    {name: self._average(name, [part.total for part in self.parts]) for name in self.wanted},
                    {name: self._average(name, missing) for name in self.wanted},
                )

        def shaped(arrays: dict[str, Array]) -> dict[str, Array]:
            return {name: walk.shaped(array) for name, array in arrays.items()}

        return SurfaceItems(shaped(items), shaped(total), shaped(beyond), self.lags, average)

    def _average(self, name: str, vectors: list[Array]) -> Array:
        """Measure what the streams have in common, array (n,), from vectors (n, B, w) of each part."""
        found = []
        for part, own in zip(self.parts, vectors, strict=True):
            measured = part.measuring.of(name, own)  # (n, B)
            if part.average is not None:
                found.append(part.average.of(name, own.reshape(-1, part.width), measured))
            else:
                found.append(measured)
        together = self._together(name, found)
        return together if together.ndim == 1 else together.mean(axis=1)

    def _together(self, name: str, parts: list[Array]) -> Array:
        """Join the measures of the parts of one concatenated parameter or state."""
        if len(parts) == 1:
            return parts[0]
        if name == "norm":
            return _euclidean(parts)
        found: Array = np.add.reduce(parts)
        return found / len(parts) if name == "mean_abs" else found


def _euclidean(parts: list[Array]) -> Array:
    """Norms of concatenated vectors, from those of their parts."""
    found = parts[0]
    for other in parts[1:]:
        found = np.hypot(found, other)
    return found

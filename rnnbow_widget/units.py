"""Single hidden units: what each one's rows of a gradient get, in numbers to rank them by and arrays to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bptt_itemized import check_horizon
from .bptt_surfaces import WindowGradients
from .checks import one_of
from .forward import ForwardPass
from .gradients import Gradients, bptt, norm
from .layer_walk import LayerWalk, TrackRows
from .parameters import Array
from .reach import begins_at_zero, median_reach, of_losses, reaches, reaches_ahead
from .rnn import RNN
from .surfaces import Surface

RANKINGS = ("size", "share", "reach", "agreement")
"""What units can be ranked by."""
_MOST_BYTES = 1 << 28  # of pieces of all units


@dataclass(frozen=True)
class Units:
    """The hidden units of one layer, by their rows of ``∂L/∂W_hh``. Of both directions: the units of one number.

    Attributes
    ----------
    size : array (H,)
        Norm of the unit's rows of the whole gradient.
    share : array (H,)
        What the unit adds to the whole: ``⟨G_u, G_u⟩ / ‖G‖²``, which sums to 1 over units. Of one stream of a
        minibatch, ``⟨G^b_u, G_u⟩ / ‖G‖²`` with the minibatch's G: signed.
    reach : array (H,)
        Horizon length of its pieces, in steps.
    agreement : array (H,)
        Cosine between what its rows got from one loss and what they got from all, mean over losses.
    bars : array (H, n)
        Height of its bar at each step: norms of its pieces, and of what lies beyond.
    profile : array (H, K)
        Norm of its pieces at each lag ``first_lag + i``, mean over the steps that have such a loss.
    first_lag : int
        The first lag.
    """

    size: Array
    share: Array
    reach: Array
    agreement: Array
    bars: Array
    profile: Array
    first_lag: int

    def ranked(self, by: str = "size") -> NDArray[np.intp]:
        """Return the numbers of all units, int array (H,), the largest first; those without a number come last.

        Parameters
        ----------
        by : str
            One of `RANKINGS`.

        Raises
        ------
        ValueError
            If it is none of these.
        """
        values = getattr(self, one_of("by", by, RANKINGS))  # (H,)
        order: NDArray[np.intp] = np.argsort(np.where(np.isnan(values), np.inf, -values), kind="stable")
        return order


def hidden_units(
    rnn: RNN,
    forward: ForwardPass,
    surface: Surface,
    horizon: int | None = None,
    *,
    stream: int | None = None,
    gradients: Gradients | None = None,
) -> Units:
    """Work out what each hidden unit's rows of the gradient with respect to W_hh get.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    surface : Surface
        W_hh of a layer, of one direction or both, without a gate or unit.
    horizon : int, optional
        Lags that are kept, ``|t - j| < k``. The whole window by default.
    stream : int, optional
        One stream of a minibatch; by default all: means over streams, and the median reach of all their losses.
    gradients : Gradients, optional
        What `bptt` returned for the same pass, if it is at hand.

    Returns
    -------
    Units

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above, or the pieces of all units would take too much memory.
    """
    if surface.base != "W_hh" or surface.gate is not None or surface.unit is not None:
        raise ValueError(f"surface takes W_hh of a layer, as a whole; got {surface.name!r}")
    lags = check_horizon(forward.steps, horizon, None)[0]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        gradients = bptt(rnn, forward) if gradients is None else gradients
        gathering = _Gathering(rnn, forward, surface, lags, gradients)
        return gathering.units(stream)


class _Gathering:
    """Follows all losses over the whole window, and gathers what the units get. Arrays are in the order of steps."""

    def __init__(self, rnn: RNN, forward: ForwardPass, surface: Surface, lags: int, gradients: Gradients) -> None:
        # Over the whole window: agreement is about all that a loss sends.
        self.walk = walk = LayerWalk(rnn, forward, forward.steps)
        self.surface, self.horizon = surface, lags
        self.gates, self.size = rnn.cell.gates, rnn.hidden_size
        steps, streams = walk.steps, walk.streams
        of_directions = [walk.lags(surface.layer, direction) for direction in surface.directions]
        every = np.unique(np.concatenate(of_directions))  # (2n-1,) or (n,)
        self.lags = every[np.abs(every) < lags]  # (K,)
        need = self.size * steps * streams * len(self.lags) * 8
        if need > _MOST_BYTES:
            raise ValueError(
                f"the pieces of {self.size} units at {steps} steps and {len(self.lags)} lags take {need / 1e6:.0f} MB, "
                f"more than the {_MOST_BYTES / 1e6:.0f} MB that are worked out at once: a shorter horizon takes less"
            )
        plain = WindowGradients(walk, gradients)
        self.before: dict[int, Array] = {}  # (n, B, H), by direction
        self.total: dict[int, Array] = {}  # (n, B, gates·H)
        for direction in surface.directions:
            self.before[direction] = plain.multiplied("W_hh", surface.layer, direction)[0]
            self.total[direction] = plain.total("W_hh", surface.layer, direction)
        # Squares of what float32 can hold need more than that.
        self.pieces = np.zeros((streams, self.size, steps, len(self.lags)))  # (B, H, n, K): squared norms
        self.beyond = {direction: np.zeros_like(total) for direction, total in self.total.items()}  # (n, B, gates·H)
        self.own: list[dict[int, Array]] = []  # of each stream, by direction: ∂L/∂W_hh, (gates·H, H)
        for b in range(streams):
            self.own.append({d: self.total[d][:, b].T @ self.before[d][:, b] for d in surface.directions})
        self.cosines = np.full((streams, self.size, steps), np.nan, rnn.dtype)  # (B, H, n): of each loss
        pending: dict[int, TrackRows] = {}
        for track in walk.chunks(surface.layer):
            if track.layer == surface.layer and track.direction in surface.directions:
                pending[track.direction] = track
                if len(pending) == len(surface.directions):
                    self._add(pending)
                    pending = {}

    def _add(self, tracks: dict[int, TrackRows]) -> None:
        """Add what a chunk of losses sends through each direction."""
        scale = self.walk.scale
        for direction, track in tracks.items():
            delta = track.cell.delta(track.rows) / scale  # (n, m, B, gates·H)
            squares = self._squares(delta)  # (n, m, B, H)
            squares *= self._squared_states(direction)[:, None, :, None]
            j, places, i = track.places(self.lags)
            self.pieces[:, :, j, i] += squares[j, places].transpose(1, 2, 0)  # (B, H, pieces)
            left_out = np.ones(delta.shape[:2], delta.dtype)  # (n, m)
            left_out[j, places] = 0
            if self.horizon < self.walk.steps:
                self.beyond[direction] += np.einsum("jmbw,jm->jbw", delta, left_out)
        first = next(iter(tracks.values()))
        for place, loss in enumerate(first.losses):
            for b in range(self.walk.streams):
                self._compare(tracks, place, loss, b)

    def _compare(self, tracks: dict[int, TrackRows], place: int, loss: int, b: int) -> None:
        """Find the cosine between what units got of one loss and of all losses of a stream."""
        product, squares, whole = np.zeros((3, self.size))  # (H,) each
        for direction, track in tracks.items():
            delta = track.cell.delta(track.rows[:, place, b]) / self.walk.scale  # (n, gates·H)
            of_loss = delta.T @ self.before[direction][:, b]  # (gates·H, H): ∂L_t/∂W_hh
            of_all = self.own[b][direction]
            product += self._by_unit(np.vecdot(of_loss, of_all))
            squares += self._by_unit(np.vecdot(of_loss, of_loss))
            whole += self._by_unit(np.vecdot(of_all, of_all))
        sizes = np.sqrt(squares) * np.sqrt(whole)  # (H,)
        self.cosines[b, :, loss] = np.where(sizes > 0, product / sizes, np.nan)

    def units(self, stream: int | None) -> Units:
        """Return the units of one stream, or those of all streams together."""
        walk, directions = self.walk, self.surface.directions
        of = range(walk.streams) if stream is None else [stream]
        mean = {d: np.mean([own[d] for own in self.own], axis=0) for d in directions}  # (gates·H, H): of the minibatch
        chosen = mean if stream is None else self.own[stream]
        whole = norm(np.concatenate(list(mean.values())))
        size = np.sum([self._squares(chosen[d].T).sum(axis=0) for d in directions], axis=0)  # (H,)
        share = np.sum([self._by_unit(np.vecdot(chosen[d], mean[d])) for d in directions], axis=0)  # (H,)
        pieces = np.sqrt(self.pieces[of])  # (B, H, n, K)
        beyond = np.sqrt(np.sum([self._beyond(d) for d in directions], axis=0))[of]  # (B, H, n)
        lags = np.abs(self.lags)  # (K,)
        first = int(self.lags[0])
        zero = not walk.forward.tracks[self.surface.layer][0].states[0].any()
        zero = begins_at_zero(self.surface.name, pieces, first, zero)
        mask = walk.forward.mask  # (n, B): which steps have a loss
        with_loss = [None if mask is None else mask[:, b].astype(float) for b in of]  # (n,) each
        if reaches_ahead(pieces, first):
            with_loss = [None if steps is None else steps[::-1] for steps in with_loss]
        reach = [of_losses(reaches(own, first, zero), steps) for own, steps in zip(pieces, with_loss, strict=True)]
        cosines = self.cosines[of].transpose(1, 0, 2).reshape(self.size, -1)  # (H, B·n)
        counted = np.isfinite(cosines)
        return Units(
            np.sqrt(size),
            share / whole**2 if whole else np.zeros_like(size),
            np.array([median_reach(own) for own in np.concatenate(reach, axis=1)], walk.rnn.dtype),
            np.where(counted, cosines, 0).sum(axis=1) / np.where(counted.any(axis=1), counted.sum(axis=1), np.nan),
            (pieces.sum(axis=-1) + beyond).mean(axis=0),
            (pieces.sum(axis=2) / (walk.steps - lags)).mean(axis=0),
            first,
        )

    def _beyond(self, direction: int) -> Array:
        """Squared norms of what lies past the recorded lags, array (B, H, n)."""
        sizes = self._squared_states(direction)[..., None]  # (n, B, 1)
        found: Array = (self._squares(self.beyond[direction]) * sizes).transpose(1, 2, 0)
        return found

    def _squared_states(self, direction: int) -> Array:
        """Squared norms of what W_hh multiplies, array (n, B)."""
        found: Array = np.square(self.before[direction], dtype=np.float64).sum(axis=-1)
        return found

    def _squares(self, delta: Array) -> Array:
        """Squared norms of the units' entries of vectors (…, gates·H), array (…, H)."""
        return self._by_unit(np.square(delta, dtype=np.float64))

    def _by_unit(self, rows: Array) -> Array:
        """Sum over the gates of each unit: (…, gates·H) to (…, H)."""
        found: Array = rows.reshape(*rows.shape[:-1], self.gates, self.size).sum(axis=-2)
        return found

"""One recorded batch. numpy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import one_of
from .reach import backward, begins_at_zero, median_of_streams, median_reach, of_losses, reaches, reaches_ahead
from .reach import horizon_length as horizon_length  # noqa: PLC0414 - public under this name, too

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

# Measured: small windows take more for these than for their numbers.
_ARRAY_BYTES = 150  # numpy's object, and an entry of a dict
_OBJECT_BYTES = 1_300  # the snapshot and its dicts

INDICATORS = ("spectral_radius", "largest_singular_value", "saturation", "unit_median", "unit_p90", "unit_max")
"""What the numbers in `Snapshot.indicators` are."""


def surface_key(surface: str, measure: str = "norm") -> str:
    """Name of a surface in one measure: ``W_hh`` for the norm, ``W_hh:share`` and so on for the others."""
    return surface if measure == "norm" else f"{surface}:{measure}"


def surface_of(key: str) -> str:
    """Name of the surface of a `surface_key`."""
    return key.partition(":")[0]


@dataclass(frozen=True, repr=False)
class Snapshot:
    """One recorded batch.

    Arrays indexed ``[j, i]`` hold what step j received from the loss at step ``t = j + first_lag + i``; ``[j]`` is a
    step of the window. The *primary* surface, which is what properties are about unless they are told otherwise, is the
    first: W_hh of the layer next to the read-out.

    Of a minibatch, `streams` has a snapshot of every stream, and this one is their average: items, loss and probability
    are means over streams; totals and what lies beyond measure the mean of the streams' matrices. An average has no
    labels: see those of its streams.

    Attributes
    ----------
    batch : int
        Number of the batch, from 0.
    start, stop : int
        Positions in the training data that the targets cover: ``[start, stop)``; of a minibatch, those of stream 0.
    loss : float32 array (n,)
        Loss of each step: cross-entropy in nats if targets are classes, else mean squared error. 0 where there is none.
    target_tokens, prediction_tokens : int32 array (n,)
        True labels, and the likeliest ones; -1 in an average or if targets are vectors. A target is -1 where there is
        no loss.
    probability : float32 array (n,)
        Probability that the model gave to the target; NaN where there is no such thing.
    surfaces : dict of float32 array (n, K)
        Itemized gradients, by the name of a surface: ``surfaces["W_hh"]`` is ``‖G_{t,j}‖`` of a single layer. Other
        measures are under ``surface_key(surface, measure)``.
    step_totals : dict of float32 array (n,)
        The same measures of the sum ``Σ_t G_{t,j}`` over all losses.
    beyond : dict of float32 array (n,)
        The same measures of the part of that sum that lies past the recorded lags; of what is no sum, or was not worked
        out, nothing.
    grad_norm, update_norm : float
        Norm of the gradient with respect to all parameters, before and after clipping; in a stream's snapshot, that of
        the minibatch.
    vocabulary : tuple of str
        What classes are called; empty if targets are vectors.
    diverged : bool
        Loss or gradient was not finite, and the weights were left as they were.
    from_zero_state : bool
        The state before the first step was zero, so that the first step's items are exactly 0. That is not vanishing.
    streams : tuple of Snapshot
        One snapshot per stream of a minibatch; empty if this is one stream.
    stream : int or None
        Which stream of a minibatch this is, from 0; None if it is the whole batch.
    first_lags : dict of int
        By the name of a surface: its first lag, if that is not 0 because losses reach steps that come after them.
    bounds : dict of float32 array (K,)
        By the name of a surface: what its norms at each lag cannot exceed, of a Jacobian.
    indicators : float32 array (6,) or None
        More numbers of the whole minibatch, as `INDICATORS` names them: spectral radius and largest singular value of
        the recurrent weights (NaN in most batches of a long run), share of saturated activations, and median, 90 %
        quantile and maximum over hidden units of the norm of the unit's rows of the primary gradient.
    counted : float32 array (n,) or None
        Which steps have a loss, as 0 and 1; in an average, what share of the streams has one. None if all have.
    target_values, prediction_values : float32 array (n, O) or None
        True vectors, and those that came out, if targets are vectors. An average has none.
    inputs : int32 array (n,), float32 array (n, V) or None
        Tokens or vectors that went in, if they tell something that targets do not. An average has none.
    input_vocabulary : tuple of str
        What input tokens are called; empty if inputs are vectors.

    Examples
    --------
    >>> from rnnbow_widget import Trainer
    >>> snapshot = Trainer("hello world, " * 40, hidden_size=16, seed=0).step()
    >>> snapshot.batch, snapshot.steps, snapshot.horizon
    (0, 25, 10)
    >>> snapshot.targets[:5]
    ('e', 'l', 'l', 'o', ' ')
    >>> bool(snapshot.max_gradient() == snapshot.bar_heights().max())
    True
    """

    batch: int
    start: int
    stop: int
    loss: Float32
    target_tokens: Int32
    prediction_tokens: Int32
    probability: Float32
    surfaces: Mapping[str, Float32]
    step_totals: Mapping[str, Float32]
    beyond: Mapping[str, Float32]
    grad_norm: float
    update_norm: float
    vocabulary: tuple[str, ...] = field(repr=False)
    diverged: bool = False
    from_zero_state: bool = False
    streams: tuple[Snapshot, ...] = ()
    stream: int | None = None
    first_lags: Mapping[str, int] = field(default_factory=dict)
    bounds: Mapping[str, Float32] = field(default_factory=dict)
    indicators: Float32 | None = None
    counted: Float32 | None = None
    target_values: Float32 | None = None
    prediction_values: Float32 | None = None
    inputs: Int32 | Float32 | None = None
    input_vocabulary: tuple[str, ...] = field(default=(), repr=False)

    @property
    def primary(self) -> str:
        """Name of the primary surface."""
        return surface_of(next(iter(self.surfaces)))

    @property
    def steps(self) -> int:
        """Length of the window, n."""
        return len(self.loss)

    @property
    def horizon(self) -> int:
        """Number of recorded lags k, ``|t - j| < k``."""
        count, first = self.surfaces[self.primary].shape[1], self.first_lags.get(self.primary, 0)
        return int(max(-first, first + count - 1)) + 1

    @property
    def targets(self) -> tuple[str, ...] | Float32:
        """True label of each step, "" where there is no loss; if targets are vectors, array (n, O).

        Raises
        ------
        ValueError
            If this is an average over streams.
        """
        self._require_labels("targets")
        return self._named(self.target_tokens) if self.target_values is None else self.target_values

    @property
    def predictions(self) -> tuple[str, ...] | Float32:
        """Likeliest label of each step; if targets are vectors, array (n, O) of what came out.

        Raises
        ------
        ValueError
            If this is an average over streams.
        """
        self._require_labels("predictions")
        return self._named(self.prediction_tokens) if self.prediction_values is None else self.prediction_values

    def _named(self, tokens: Int32) -> tuple[str, ...]:
        return tuple(self.vocabulary[token] if token >= 0 else "" for token in tokens)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the likeliest label was the true one, bool array (n,); False where there is no loss.

        Raises
        ------
        ValueError
            If this is an average over streams, see `accuracy`; or if targets are vectors.
        """
        self._require_labels("correct")
        if not self.vocabulary:
            raise ValueError("correct is of classes, and targets are vectors here: see loss, and prediction_values")
        return np.equal(self.target_tokens, self.prediction_tokens)

    @property
    def accuracy(self) -> Float32:
        """Share of streams whose likeliest label was the true one, float32 array (n,); 0 or 1 for one stream.

        Of those streams that have a loss at the step; NaN where none has, and if targets are vectors.
        """
        if self.counted is None:
            return self.right
        with np.errstate(invalid="ignore"):
            share: Float32 = self.right / self.counted  # (n,)
        return share

    @property
    def right(self) -> Float32:
        """Share of all streams whose likeliest label was the true one, float32 array (n,): 0 where there is no loss.

        NaN if targets are vectors.
        """
        if not self.vocabulary:
            return np.full(self.steps, np.nan, np.float32)
        if not self.streams:
            return self.correct.astype(np.float32)
        right: Float32 = np.mean([one.correct for one in self.streams], axis=0, dtype=np.float32)  # (n,)
        return right

    @property
    def losses(self) -> float:
        """How many steps have a loss; of an average, the mean over streams."""
        return self.steps if self.counted is None else float(self.counted.sum())

    def _require_labels(self, name: str) -> None:
        if self.streams:
            raise ValueError(
                f"{name} is of one stream, and this is the average over {len(self.streams)}: "
                f"take streams[0].{name}, or that of another stream"
            )

    @property
    def clipped(self) -> bool:
        """Whether clipping changed the gradient."""
        return self.update_norm < self.grad_norm

    @property
    def step_total(self) -> Float32:
        """``‖Σ_t G_{t,j}‖`` of the primary surface, array (n,): the bar's height, or less where pieces cancel."""
        return self.step_totals[self.primary]

    @property
    def beyond_horizon(self) -> Float32:
        """Norm of what the primary surface received at each step past the recorded lags, array (n,)."""
        return self.beyond[self.primary]

    def bar_heights(self, surface: str | None = None, measure: str = "norm") -> Float32:
        """Height of each step's bar, array (n,): its pieces and what lies beyond. Of signed shares, those above 0.

        Parameters
        ----------
        surface, measure : str
            Which bars; by default those of the primary surface, by the norm.

        Raises
        ------
        ValueError
            If there are no such.
        """
        key = self._key(surface, measure)
        return bar_heights(self.surfaces[key], self.beyond.get(key), signed=measure == "share")

    def max_gradient(self, surface: str | None = None, measure: str = "norm") -> float:
        """The tallest bar: what the overview draws for this batch. `surface` and `measure` are as of `bar_heights`."""
        return float(self.bar_heights(surface, measure).max())

    def mean_gradient(self, surface: str | None = None, measure: str = "norm") -> float:
        """Mean height of the window's bars. `surface` and `measure` are as of `bar_heights`."""
        return float(self.bar_heights(surface, measure).mean())

    def beyond_share(self, surface: str | None = None, measure: str = "norm") -> float:
        """Part of what a surface received that lies past the recorded lags; 0 if nothing does.

        Of signed shares it is exact, ``Σ_j beyond[j] / Σ_j step_totals[j]``, and may be negative. Of the other measures
        it is the part of all bars together that is beyond: ``Σ_j beyond[j] / Σ_j bar_heights[j]``. `surface` and
        `measure` are as of `bar_heights`.
        """
        key = self._key(surface, measure)
        if key not in self.beyond:  # of Jacobians, which are no parts of a sum
            return 0.0
        beyond = self.beyond[key].sum(dtype=np.float64)
        whole = self.step_totals[key] if measure == "share" else self.bar_heights(surface, measure)  # (n,)
        return float(beyond / whole.sum(dtype=np.float64)) if self.beyond[key].any() else 0.0

    def _key(self, surface: str | None, measure: str) -> str:
        """Key of a surface that is recorded, in a measure that it has."""
        surface = self.primary if surface is None else one_of("surface", surface, list(map(surface_of, self.surfaces)))
        measures = [key.partition(":")[2] or "norm" for key in self.surfaces if surface_of(key) == surface]
        return surface_key(surface, one_of("measure", measure, measures))

    def only(self, surface: str) -> Snapshot:
        """Return the same batch with one `surface` of those that it has, which is then the primary one."""
        return replace(
            self,
            surfaces=_only(self.surfaces, surface),
            step_totals=_only(self.step_totals, surface),
            beyond=_only(self.beyond, surface),
            streams=tuple(stream.only(surface) for stream in self.streams),
        )

    @cached_property
    def horizon_length(self) -> float:
        """How many steps back the gradient of a typical loss reaches, of all streams' losses; see `horizon_length`.

        By the primary surface. Where losses reach steps from both sides, by the lags from 0 on; where only from before,
        how many steps it reaches ahead.
        """
        return horizon_lengths([self])[0]

    @cached_property
    def nbytes(self) -> int:
        """Bytes of memory that it takes, streams included: its numbers, and what Python and numpy need to hold them."""
        arrays: list[NDArray[Any]] = [self.loss, self.target_tokens, self.prediction_tokens, self.probability]
        others = (self.counted, self.target_values, self.prediction_values, self.inputs, self.indicators)
        arrays += [array for array in others if array is not None]
        for mapping in (self.surfaces, self.step_totals, self.beyond, self.bounds):
            arrays += mapping.values()
        own = sum(array.nbytes for array in arrays) + len(arrays) * _ARRAY_BYTES + _OBJECT_BYTES
        return own + sum(stream.nbytes for stream in self.streams)

    def __repr__(self) -> str:
        of = f"average of {len(self.streams)} streams" if self.streams else f"data {self.start:,}–{self.stop:,}"
        if self.stream is not None:
            of = f"streams[{self.stream}], {of}"
        right = f"{float(self.right.sum()):.4g} of {self.losses:.4g} right, " if self.vocabulary else ""
        unit = " nats" if self.vocabulary else ""
        state = ", diverged" if self.diverged else ""
        return (
            f"Snapshot(batch {self.batch:,}, {of}, loss {self.loss.sum():.4g}{unit}, "
            f"{right}max gradient {self.max_gradient():.4g}, "
            f"horizon {self.horizon_length:g} of {self.horizon}{state})"
        )


def _only(arrays: Mapping[str, Float32], surface: str) -> dict[str, Float32]:
    return {key: array for key, array in arrays.items() if surface_of(key) == surface}


def horizon_lengths(snapshots: Sequence[Snapshot]) -> list[float]:
    """Horizon length of each of several recorded batches: of many, sooner than one by one; see `horizon_length`."""
    found: list[float] = []
    for (streams, _, first_lag, zero), alike in groupby(
        snapshots, lambda s: (len(s.streams), s.surfaces[s.primary].shape, s.first_lags.get(s.primary, 0), _zero(s))
    ):
        if streams:
            for snapshot in alike:
                items = np.array([one.surfaces[one.primary] for one in snapshot.streams])  # (B, n, K)
                zeros = [_zero(one) for one in snapshot.streams]
                counted = [_counting(one) for one in snapshot.streams]
                found.append(median_of_streams(backward(items, first_lag), zeros, counted))
        else:
            several = list(alike)
            items = np.array([one.surfaces[one.primary] for one in several])  # (batches, n, K)
            counted = [_counting(one) for one in several]
            found += [
                median_reach(of_losses(*both)) for both in zip(reaches(items, first_lag, zero), counted, strict=True)
            ]
    return found


def _zero(snapshot: Snapshot) -> bool:
    name = snapshot.primary
    return begins_at_zero(name, snapshot.surfaces[name], snapshot.first_lags.get(name, 0), snapshot.from_zero_state)


def _counting(snapshot: Snapshot) -> Float32 | None:
    """Which of the steps that `backward` has count, array (n,), or None if all do."""
    name, counted = snapshot.primary, snapshot.counted
    ahead = counted is not None and reaches_ahead(snapshot.surfaces[name], snapshot.first_lags.get(name, 0))
    return counted[::-1] if ahead and counted is not None else counted


def stream_views(snapshots: Iterable[Snapshot], stream: int | None) -> list[Snapshot]:
    """Return what is to be seen of each snapshot: itself, or one of its streams if it has them."""
    if stream is None:
        return list(snapshots)
    return [snapshot.streams[stream] for snapshot in snapshots if stream < len(snapshot.streams)]


def bar_heights(pieces: Float32, beyond: Float32 | None, *, signed: bool) -> Float32:
    """Heights of bars, (…, n), from pieces (…, n, k) and what lies beyond (…, n). Of signed ones, what is above 0."""
    heights: Float32 = np.add.reduce(np.maximum(pieces, 0) if signed else pieces, axis=-1)  # (…, n)
    if beyond is not None:
        heights += np.maximum(beyond, 0) if signed else beyond
    return heights

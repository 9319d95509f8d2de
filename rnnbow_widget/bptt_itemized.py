"""Itemized back-propagation through time.

With ``δ_{t,j} = ∂L_t/∂s_j`` (``s_j = W_hh h_{j-1}``: recurrent part of step j's pre-activations, of all gates) the
itemized gradient, the summand of eq. 14 of the RNNbow paper, is ``G_{t,j} = δ_{t,j} h_{j-1}ᵀ``, and
``Σ_{t,j} G_{t,j} = ∂L/∂W_hh`` exactly. The paper's eq. 11 divides by a vector; the recurrence used here does not: for a
tanh cell ``δ_{t,j} = (W_hhᵀ δ_{t,j+1}) ⊙ tanh'(a_j)``, and what other cells do, `cell.Cell.backward_step` says. No item
is ever built as a matrix, since ``‖δhᵀ‖ = ‖δ‖·‖h‖``, and no loop runs over pairs (t, j): all losses are followed back
together, one lag after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import frexp, isfinite
from typing import Any

import numpy as np

from .checks import finite_float, whole_number
from .forward import ForwardPass
from .gradients import Gradients, bptt, checked_pass, norm, parameter_gradients
from .losses import output_gradients
from .measuring import Measured, Measuring, StreamAverage, outer_weights, wanted_measures
from .parameters import Array
from .rnn import RNN

ROWS_CHECKED_EVERY = 16
"""Steps back after which rows that are too small are dropped: not at each, since to look takes time, too."""
_BLOCK_BYTES = 1 << 19  # of lags that are measured together
_LAG_BYTES = 1 << 18  # of losses that are followed together: two lags of them and the weights stay in the cache


@dataclass(frozen=True)
class ItemizedGradients(Measured):
    """The gradient with respect to W_hh, itemized; see `Measured`. Of several layers: that of the top one, forward.

    In a minibatch, the pieces of a stream are those of that stream's own loss. The minibatch's loss is the mean over
    streams, so its gradient is the mean of the streams' gradients.

    Attributes
    ----------
    floor : float
        Rows are dropped once their norm falls below this: further back, items are 0 because they are too small for the
        dtype. A row is all that a step hands back: δ, and in an LSTM or GRU the gradient on its direct path too.
    delta : array (n, gates·H) or (n, B, gates·H)
        ``Σ_t δ_{t,j}``, all losses included.
    """

    floor: float
    delta: Array
    _gradients: Callable[[], Gradients] = field(repr=False)
    _average: Callable[[], Measured] = field(repr=False)

    @cached_property
    def gradients(self) -> Gradients:
        """The plain gradients of the same window: a `Gradients`, worked out when first asked for."""
        return self._gradients()

    @cached_property
    def average(self) -> Measured:
        """The mean over streams, a `Measured` of arrays (n, k) and (n,), worked out when first asked for.

        An item is the mean of the streams' items; ``total`` and ``beyond`` measure the mean of the streams' matrices.
        """
        return self._average()


def itemized_bptt(
    rnn: RNN,
    forward: ForwardPass,
    horizon: int | None = None,
    *,
    epsilon: float | None = None,
    measures: Collection[str] = ("norm",),
    gradients: Gradients | None = None,
) -> ItemizedGradients:
    """Back-propagation through time that keeps apart what each loss sent to each step.

    Of several layers, in the top one, forward: W_hh in what follows is its own. `itemized_layers` has the others.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    horizon : int, optional
        Number of lags k that are kept, ``t - j = 0 … k-1``. The whole window by default.
    epsilon : float, optional
        Adaptive horizon: a loss is followed back only while ``‖δ_{t,j}‖ > epsilon · ‖δ_{t,t}‖``. For a cell that
        carries more back than δ, the norms are of all of it.
    measures : collection of str
        Any of `MEASURES`: "norm" (``‖G_{t,j}‖``), "mean_abs" (mean of the absolute entries: the paper's average over
        hidden nodes), "share" (``⟨G_{t,j}, G⟩ / ‖G‖`` with ``G = ∂L/∂W_hh``: signed, and sums exactly to ``‖G‖``; in a
        minibatch, the mean over streams of these sums does).
    gradients : Gradients, optional
        What `bptt` returned for the same pass, if it is at hand.

    Returns
    -------
    ItemizedGradients

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnbow_widget import RNN, itemized_bptt
    >>> rnn = RNN(5, 8, init="orthogonal", seed=1, dtype="float64")
    >>> forward = rnn.forward([0, 1, 2, 3], [1, 2, 3, 4])
    >>> itemized = itemized_bptt(rnn, forward, measures=("norm", "share"))
    >>> itemized.items["norm"].shape  # [step j, lag d]
    (4, 4)
    >>> whole = np.linalg.norm(itemized.gradients.parameters["W_hh"])
    >>> bool(np.isclose(itemized.items["share"].sum(), whole))  # shares sum to the norm of the gradient
    True
    """
    lags, epsilon = check_horizon(checked_pass(rnn, forward, gradients).steps, horizon, epsilon)
    wanted = wanted_measures(measures)
    # Steps and streams are one axis here, N = n·B rows, and a step back is B rows back.
    flat, streams = forward.flattened(), forward.streams
    count = len(flat.loss)
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding gradient is a result to show, not an accident
        if gradients is None and (lags < forward.steps or epsilon or "share" in wanted):
            gradients = bptt(rnn, forward)
        at_logits, incoming = output_gradients(flat, rnn.read_out)  # (N, O), (N, H): of each stream's own loss
        walk = _Walk(rnn, flat, incoming, lags, epsilon, streams)
        whole = None if gradients is None else gradients.parameters.layers[-1][0].W_hh  # (gates·H, H)
        before = flat.hidden[:count]  # (N, H)
        weights = outer_weights(before, whole, rnn.cell.delta_width, wanted, size=rnn.hidden_size)
        measuring = Measuring(weights, lags, (count,), rnn.dtype)
        for first, start, block in walk.blocks():
            measuring.add(first, start, rnn.cell.delta(block))
        for items in measuring.items.values():
            np.divide(items, walk.scale, out=items)
        rows = np.divide(walk.summed, walk.scale, out=walk.summed)  # (N, R)
        kept = rnn.cell.delta(rows)  # (N, gates·H)
        delta = kept  # (N, gates·H): of all losses; a whole window is all
        if gradients is not None:
            delta = gradients.delta.reshape(kept.shape)
            if streams > 1:
                delta = delta * streams  # of each stream's own loss
        # Later steps have lost nothing: there it would be rounding.
        cut = count if epsilon else count - lags * streams
        total = {name: measuring.of(name, delta) for name in wanted}
        missing = np.zeros_like(delta)  # (N, gates·H)
        if cut:
            np.subtract(delta[:cut], kept[:cut], out=missing[:cut])
        beyond = {name: measuring.of(name, missing) if cut else np.zeros_like(total[name]) for name in wanted}

    def plain() -> Gradients:
        if gradients is not None:
            return gradients
        with np.errstate(over="ignore", invalid="ignore"):
            if rnn.num_layers > 1 or rnn.bidirectional:
                return bptt(rnn, forward)
            logits, own = (at_logits, rows) if streams == 1 else (at_logits / streams, rows / streams)  # of the mean
            found = parameter_gradients(rnn, flat, logits, ((own,),), streams)
        return Gradients(found, by_step(rnn.cell.delta(own)), ((own,),))

    def average() -> Measured:
        sums = StreamAverage(before.reshape(-1, streams, rnn.hidden_size), rnn.hidden_size)
        with np.errstate(over="ignore", invalid="ignore"):
            return Measured(
                {name: items.reshape(-1, streams, lags).mean(axis=1) for name, items in measuring.items.items()},
                {name: sums.of(name, delta, total[name]) for name in wanted},
                {name: sums.of(name, missing, beyond[name]) for name in wanted},
            )

    def by_step(array: Array) -> Array:
        shaped: Array = array.reshape(*forward.loss.shape, *array.shape[1:])
        return shaped

    return ItemizedGradients(
        {name: by_step(items) for name, items in measuring.items.items()},
        {name: by_step(sizes) for name, sizes in total.items()},
        {name: by_step(sizes) for name, sizes in beyond.items()},
        walk.floor / walk.scale,
        by_step(delta),
        plain,
        average,
    )


def itemized_delta(
    rnn: RNN, forward: ForwardPass, horizon: int | None = None, *, epsilon: float | None = None
) -> Array:
    """The vectors behind the items: ``δ_{t,j} = ∂L_t/∂(W_hh h_{j-1})`` for every loss and step.

    Parameters
    ----------
    rnn, forward, horizon, epsilon :
        As for `itemized_bptt`.

    Returns
    -------
    array (n, k, gates·H) or (n, B, k, gates·H)
        ``δ_{j+d,j}`` at ``[j, d]``; zero where ``j + d ≥ n``. ``G_{t,j}`` is its outer product with
        ``forward.hidden[j]``. Of a minibatch, at ``[j, b, d]``, and of each stream's own loss.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnbow_widget import RNN, bptt, itemized_delta
    >>> rnn = RNN(5, 8, init="orthogonal", seed=1, dtype="float64")
    >>> forward = rnn.forward([0, 1, 2, 3], [1, 2, 3, 4])
    >>> delta = itemized_delta(rnn, forward)
    >>> delta.shape
    (4, 4, 8)
    >>> pieces = np.einsum("jdi,jk->ik", delta, forward.hidden[:4])  # the sum of all outer products
    >>> bool(np.allclose(pieces, bptt(rnn, forward).parameters["W_hh"]))
    True
    """
    lags, epsilon = check_horizon(checked_pass(rnn, forward).steps, horizon, epsilon)
    flat = forward.flattened()
    width = rnn.cell.delta_width
    found = np.zeros((len(flat.loss), lags, width), rnn.dtype)  # (N, k, gates·H)
    with np.errstate(over="ignore", invalid="ignore"):
        _, incoming = output_gradients(flat, rnn.read_out)  # (N, H)
        walk = _Walk(rnn, flat, incoming, lags, epsilon, forward.streams)
        for first, start, block in walk.blocks():
            lags_done, rows_done, _ = block.shape
            place = found[start : start + rows_done, first : first + lags_done]  # (rows, lags, gates·H)
            place += rnn.cell.delta(block).transpose(1, 0, 2) / walk.scale
    return found.reshape(*forward.loss.shape, lags, width)


def check_horizon(steps: int, horizon: int | None, epsilon: float | None) -> tuple[int, float]:
    """Return the number of lags to keep, and epsilon or 0."""
    lags = steps if horizon is None else min(whole_number("horizon", horizon), steps)
    return lags, 0.0 if epsilon is None else finite_float("epsilon", epsilon, at_least=0)


class _Walk:
    """The walk back from all losses at once, one lag after the other. Yields blocks of lags.

    Many losses go one step back together: the row of every t at step t - d is one step of the cell, and so one matrix
    product, away from that at t - d + 1. So a horizon of k costs k products of N rows. `incoming`, array (N, H), is
    ``∂L_j/∂h_j``; a step back is `stride` rows back. All rows are multiplied by `scale`, `incoming` in place. (Memory
    is used again where it can be: for arrays of this size, the system may hand out new memory at every call, which
    costs more than to fill it.)
    """

    def __init__(self, rnn: RNN, flat: ForwardPass, incoming: Array, lags: int, epsilon: float, stride: int) -> None:
        self.backward_step = rnn.cell.backward_step
        self.local = flat.linearization  # (N, …)
        self.mask = flat.mask  # (N,) or None
        self.scale = safe_scale(incoming)
        self.incoming: Array = np.multiply(incoming, self.scale, out=incoming)  # (N, H)
        self.lags = lags
        self.epsilon = epsilon
        self.stride = stride
        self.width = rnn.cell.row_width
        self._buffer: Array = np.empty((0, 0, self.width), rnn.dtype)
        self.summed: Array = np.zeros((len(incoming), self.width), rnn.dtype)  # (N, R): of rows kept, over all losses
        self.floor = row_floor(rnn.dtype)

    def blocks(self) -> Iterator[tuple[int, int, Array]]:
        """Yield ``(first lag, first row, rows)``; the array (lags, rows, R) is valid until the next one.

        ``[i, r]`` belongs to lag first + i and to row first + r of steps and streams: it is what that step hands back
        of the loss so much later, or 0 if that loss is not among those that were followed together. Each piece is in
        one block; what several blocks say about a lag and a row adds up.
        """
        n = len(self.incoming)
        parts = min(n, -(-n * self.width * self.incoming.itemsize // _LAG_BYTES))
        for part in range(parts):
            begin, end = n * part // parts, n * (part + 1) // parts
            if self.mask is not None:
                there = np.flatnonzero(self.mask[begin:end])  # (losses,)
                begin, end = (begin + there[0], begin + there[-1] + 1) if there.size else (end, end)
            if begin < end:
                yield from self._follow(int(begin), int(end))

    def _follow(self, begin: int, end: int) -> Iterator[tuple[int, int, Array]]:
        """Follow the losses in ``[begin, end)``: as many as the processor's own cache can hold."""
        dtype, stride, epsilon = self.incoming.dtype, self.stride, self.epsilon
        local, backward_step = self.local, self.backward_step
        lags = min(self.lags, (end - 1) // stride + 1)  # no loss here has more
        # At least two lags in a block, because each is made from the one before.
        size = min(lags, max(2, _BLOCK_BYTES // ((end - begin) * self.width * dtype.itemsize)))
        reached = min(end, end - begin + (size - 1) * stride)  # rows that a block is about, at most
        if self._buffer.shape[:2] != (size, reached):
            self._buffer = np.empty((size, reached, self.width), dtype)  # (block, reached, R)
        limits: Any = self.floor**2  # or (losses,): the squared norm at which a row is dropped
        alive, later = True, None  # later: (losses, R), the lag before
        low, high = begin, end  # rows that the losses reach now
        for first in range(0, lags, size):
            count = min(size, lags - first)
            start = max(0, low - (count - 1) * stride)  # of the rows that the block is about
            block = self._buffer[:count, : high - start]  # (count, rows, R)
            for lag in range(first, first + count):
                rows = block[lag - first, low - start : high - start]  # (losses, R)
                if later is None:
                    backward_step(local[low:high], None, self.incoming[low:high], rows)
                    if epsilon:
                        limits = np.maximum(limits, epsilon**2 * np.vecdot(rows, rows))
                else:
                    backward_step(local[low:high], later[low - high :], None, rows)
                later = rows
                if lag == first:  # not before: the lag before it was in this memory
                    block[1:, high - start - (count - 1) * stride :] = 0  # pieces of losses after these
                    if low > start:
                        block[:-1, : low - start] = 0  # pieces of losses before these
                low, high = (low - stride if low > stride else 0), high - stride
                if epsilon or lag % ROWS_CHECKED_EVERY == ROWS_CHECKED_EVERY - 1:
                    alive = _drop(rows, limits[-len(rows) :] if epsilon else limits)
                    if not alive:
                        break
            done = block[: lag - first + 1]  # (lags, rows, R)
            summed = self.summed[start : start + done.shape[1]]  # (rows, R)
            for part in done if len(done) < 3 else (np.add.reduce(done),):  # large lags go without another array
                summed += part
            yield first, start, done
            if not alive:
                return


def _drop(rows: Array, squared_limits: Array | float) -> bool:
    """Zero the rows whose squared norm is at most the limit; return whether any is left."""
    dead = np.vecdot(rows, rows) <= squared_limits  # (losses,); False for what is not a number: that must stay visible
    count = int(np.count_nonzero(dead))
    if count:
        rows[dead] = 0
    return count < len(dead)


def row_floor(dtype: np.dtype[Any]) -> float:
    """The norm below which a row is dropped, at the scale of a walk.

    It would soon be subnormal, and matrix products on subnormal numbers are slower by an order of magnitude.
    """
    return 2.0**-60 if dtype == np.float32 else 1e-150


def safe_scale(incoming: Array) -> float:
    """A power of two that brings float32 gradients near 2^40: they then vanish for long before they are subnormal."""
    size = norm(incoming)
    if incoming.dtype != np.float32 or not isfinite(size) or size == 0:
        return 1.0
    return 2.0 ** min(40 - frexp(size)[1], 120)  # the scale itself must be a normal float32

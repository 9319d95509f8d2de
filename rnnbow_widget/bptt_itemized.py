"""Back-propagation through time, plain and itemized.

With ``δ_{t,j} = ∂L_t/∂a_j`` (``a_j``: pre-activation of step j) the itemized gradient, the summand of eq. 14 of the
RNNbow paper, is ``G_{t,j} = δ_{t,j} h_{j-1}ᵀ``, and ``Σ_{t,j} G_{t,j} = ∂L/∂W_hh`` exactly. The paper's eq. 11 divides
by a vector; the recurrence used here does not: ``δ_{t,j} = (W_hhᵀ δ_{t,j+1}) ⊙ tanh'(a_j)``. No item is ever built as a
matrix, since ``‖δhᵀ‖ = ‖δ‖·‖h‖``, and no loop runs over pairs (t, j): one walk back over j carries a row for every loss
t ≥ j.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import frexp, isfinite, sqrt

import numpy as np

from .checks import finite_float, one_of, positive_int
from .parameters import Array, Parameters
from .rnn import RNN, ForwardPass

MEASURES = ("norm", "mean_abs", "share")
"""How an item becomes a number: Frobenius norm, mean absolute entry, or signed share of the whole gradient's norm."""

_ROWS_CHECKED_EVERY = 8
_BLOCK_BYTES = 1 << 17


@dataclass(frozen=True, slots=True)
class Gradients:
    """Gradient of the window's summed loss, by plain back-propagation through time.

    Attributes
    ----------
    parameters : Parameters
        ``∂L/∂θ`` for every parameter, with the network's names and shapes.
    delta : array (n, gates·H)
        ``Σ_t δ_{t,j}``: gradient with respect to the pre-activations of each step.
    """

    parameters: Parameters
    delta: Array

    @property
    def norm(self) -> float:
        """Euclidean norm of the gradient with respect to all parameters."""
        return _norm(self.parameters.vector)


@dataclass(frozen=True, slots=True)
class ItemizedGradients:
    """The gradient with respect to W_hh, itemized by the step that received it and the lag of the loss that sent it.

    All arrays are indexed ``[j, d]`` or ``[j]``: received by step j from the loss at step t = j + d.

    Attributes
    ----------
    items : dict of array (n, k)
        One array per measure. Zero where t ≥ n.
    total : dict of array (n,)
        The same measure of ``Σ_t G_{t,j}``, all losses included, whatever the horizon.
    beyond : dict of array (n,)
        The same measure of the part of that sum that `items` leaves out: past the horizon, or below epsilon.
    floor : float
        Rows are dropped once ``‖δ_{t,j}‖`` falls below this: further back, items are 0 because they are too small for
        the dtype.
    gradients : Gradients
        The plain gradients of the same window.
    """

    items: dict[str, Array]
    total: dict[str, Array]
    beyond: dict[str, Array]
    floor: float
    gradients: Gradients


def bptt(rnn: RNN, forward: ForwardPass) -> Gradients:
    """Plain back-propagation through time over one window (eq. 20 to 22 of the paper).

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.

    Returns
    -------
    Gradients
        Of the *sum* of the losses of all steps.
    """
    logit_gradients = _logit_gradients(forward)  # (n, O)
    incoming = logit_gradients @ rnn.parameters.W_ho  # (n, H): ∂L_j/∂h_j
    delta = np.empty((len(incoming), rnn.cell.gates * rnn.hidden_size), rnn.dtype)  # (n, gates·H)
    carry = rnn.zero_state()  # (H,)
    backward_step = rnn.cell.backward_step
    for own, local, row in zip(incoming[::-1], forward.linearization[::-1], delta[::-1], strict=True):
        np.add(carry, own, carry)
        backward_step(local, carry, row, carry)
    return Gradients(_parameter_gradients(rnn, forward, logit_gradients, delta), delta)


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

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    horizon : int, optional
        Number of lags k that are kept, ``t - j = 0 … k-1``. The whole window by default.
    epsilon : float, optional
        Adaptive horizon: a loss is followed back only while ``‖δ_{t,j}‖ > epsilon · ‖δ_{t,t}‖``.
    measures : collection of str
        Any of `MEASURES`: "norm" (``‖G_{t,j}‖``), "mean_abs" (mean of the absolute entries: the paper's average over
        hidden nodes), "share" (``⟨G_{t,j}, G⟩ / ‖G‖`` with ``G = ∂L/∂W_hh``: signed, and sums exactly to ``‖G‖``).
    gradients : Gradients, optional
        What `bptt` returned for the same pass, if it is at hand.

    Returns
    -------
    ItemizedGradients

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.
    """
    steps = len(forward.loss)
    lags, epsilon = _check_horizon(steps, horizon, epsilon)
    if isinstance(measures, str):
        raise TypeError(f"measures takes a collection of names, got the string {measures!r}")
    wanted = [one_of("measures", name, MEASURES) for name in measures]
    if gradients is None and (lags < steps or epsilon or "share" in wanted):
        gradients = bptt(rnn, forward)

    with np.errstate(over="ignore", invalid="ignore"):  # an exploding gradient is a result to show, not an accident
        logit_gradients = _logit_gradients(forward)  # (n, O)
        walk = _Walk(rnn, forward, logit_gradients @ rnn.parameters.W_ho, lags, epsilon)
        measuring = _Measuring(rnn, forward, gradients, lags, wanted)
        for start, delta in walk.blocks():
            measuring.add(start, delta)
        for items in measuring.items.values():
            np.divide(items, walk.scale, out=items)
        kept = walk.summed / walk.scale  # (n, gates·H)
        if gradients is None:  # the whole window was kept, so its sum is the plain gradient
            gradients = Gradients(_parameter_gradients(rnn, forward, logit_gradients, kept), kept)
        total = {name: measuring.of(name, gradients.delta) for name in wanted}
        beyond = {name: np.zeros(steps, rnn.dtype) for name in wanted}
        cut = steps if epsilon else steps - lags  # later steps have lost nothing: there it would be rounding
        if cut:
            missing = gradients.delta - kept  # (n, gates·H)
            for name in wanted:
                beyond[name][:cut] = measuring.of(name, missing)[:cut]
        return ItemizedGradients(measuring.items, total, beyond, walk.floor / walk.scale, gradients)


def itemized_delta(
    rnn: RNN, forward: ForwardPass, horizon: int | None = None, *, epsilon: float | None = None
) -> Array:
    """The vectors behind the items: ``δ_{t,j} = ∂L_t/∂a_j`` for every loss and step.

    Parameters
    ----------
    rnn, forward, horizon, epsilon :
        As for `itemized_bptt`.

    Returns
    -------
    array (n, k, gates·H)
        ``δ_{j+d,j}`` at ``[j, d]``; zero where ``j + d ≥ n``. ``G_{t,j}`` is its outer product with
        ``forward.states[j]``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.
    """
    steps = len(forward.loss)
    lags, epsilon = _check_horizon(steps, horizon, epsilon)
    found = np.zeros((steps, lags, rnn.cell.gates * rnn.hidden_size), rnn.dtype)  # (n, k, gates·H)
    with np.errstate(over="ignore", invalid="ignore"):
        walk = _Walk(rnn, forward, _logit_gradients(forward) @ rnn.parameters.W_ho, lags, epsilon)
        for start, delta in walk.blocks():
            found[start : start + delta.shape[0], : delta.shape[1]] = delta / walk.scale
    return found


def _check_horizon(steps: int, horizon: int | None, epsilon: float | None) -> tuple[int, float]:
    """Return the number of lags to keep, and epsilon or 0."""
    lags = steps if horizon is None else min(positive_int("horizon", horizon), steps)
    return lags, 0.0 if epsilon is None else finite_float("epsilon", epsilon, at_least=0)


class _Walk:
    """The walk back over the steps, with a row for every loss that is still followed. Yields blocks of rows.

    `incoming`, array (n, H), is ``∂L_j/∂h_j``. All rows are multiplied by `scale`.
    """

    def __init__(self, rnn: RNN, forward: ForwardPass, incoming: Array, lags: int, epsilon: float) -> None:
        self.backward_step = rnn.cell.backward_step
        self.local = forward.linearization  # (n, …)
        self.scale = _scale(incoming)
        self.incoming: Array = incoming * self.scale  # (n, H)
        self.lags = lags
        self.epsilon = epsilon
        self.width = rnn.cell.gates * rnn.hidden_size
        self.summed: Array = np.zeros((len(incoming), self.width), rnn.dtype)  # (n, gates·H): Σ_t δ_{t,j} of rows kept
        # Below this norm a row is dropped: it would soon be subnormal, and matrix products on subnormals are slower by
        # an order of magnitude.
        self.floor = 2.0**-60 if rnn.dtype == np.float32 else 1e-150
        # All rows shrink alike, and the oldest has done so for longest: while it is above this, no row is near the
        # floor.
        self.suspicious = self.floor * 2.0**40

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """Yield ``(first step, δ)``, last block first; δ, array (steps, lags, gates·H), is valid until the next one."""
        steps, hidden = self.incoming.shape
        dtype = self.incoming.dtype
        size = min(steps, max(1, _BLOCK_BYTES // (self.lags * self.width * dtype.itemsize)))
        buffer = np.empty((size, self.lags, self.width), dtype)  # (block, k, gates·H)
        carry = np.empty((self.lags + 1, hidden), dtype)  # (k+1, H): row d is ∂L_{j+d}/∂h_j
        ones = np.ones((1, self.lags), dtype)  # (1, k): a product with it sums over lags faster than numpy's sum
        squared_limits = np.empty(steps, dtype)  # (n,): for each loss, the squared norm at which its row is dropped
        lags, epsilon, backward_step = self.lags, self.epsilon, self.backward_step
        incoming, local = self.incoming, self.local
        rows = 0
        for stop in range(steps, 0, -size):
            start = max(0, stop - size)
            widest = min(lags, rows + stop - start)
            block = buffer[: stop - start, :widest]  # (block, widest, gates·H)
            block[:, rows:] = 0
            for j in range(stop - 1, start - 1, -1):
                carry[0] = incoming[j]
                if rows < lags:
                    rows += 1
                delta = block[j - start, :rows]  # (rows, gates·H)
                before = carry[1 : rows + 1]  # (rows, H)
                backward_step(local[j], carry[:rows], delta, before if j else None)
                if epsilon:
                    squared_limits[j] = max(self.floor**2, epsilon**2 * float(delta[0].dot(delta[0])))
                    limits: Array | float = squared_limits[j : j + rows]  # (rows,)
                elif j % _ROWS_CHECKED_EVERY or delta[-1].dot(delta[-1]) > self.suspicious**2:
                    continue
                else:
                    limits = self.floor**2
                rows = _drop(delta, before, limits)
                block[: j - start, rows:] = 0
            np.matmul(ones[:, :widest], block, self.summed[start:stop, None])
            yield start, block


def _drop(delta: Array, before: Array, squared_limits: Array | float) -> int:
    """Zero the rows whose δ has a squared norm of at most the limit; return how many rows must be followed still."""
    alive = np.vecdot(delta, delta) > squared_limits  # (rows,)
    if alive.all():
        return len(alive)
    alive |= np.isnan(delta[:, 0])  # what is not a number must stay visible
    if np.ndim(squared_limits):  # an item at or below epsilon is cut; one at the floor was computed, and is kept
        delta[~alive] = 0
    before[~alive] = 0
    return int(np.flatnonzero(alive)[-1]) + 1 if alive.any() else 0


class _Measuring:
    """Turns δ into the wanted measures of ``δ_{t,j} h_{j-1}ᵀ``."""

    def __init__(
        self, rnn: RNN, forward: ForwardPass, gradients: Gradients | None, lags: int, wanted: list[str]
    ) -> None:
        before = forward.states[:-1]  # (n, H): h_{j-1}
        self.items = {name: np.zeros((len(before), lags), rnn.dtype) for name in wanted}
        self.weights: dict[str, Array] = {}
        if "norm" in wanted:
            self.weights["norm"] = np.sqrt(np.vecdot(before, before))  # (n,)
        if "mean_abs" in wanted:
            self.weights["mean_abs"] = np.abs(before).mean(axis=1) / (rnn.cell.gates * rnn.hidden_size)  # (n,)
        if "share" in wanted and gradients is not None:
            whole = gradients.parameters.W_hh  # (gates·H, H)
            self.weights["share"] = before @ whole.T / (_norm(whole) or 1.0)  # (n, gates·H): G h_{j-1} / ‖G‖

    def add(self, start: int, delta: Array) -> None:
        """Measure δ (block, lags, gates·H) of the steps from `start`."""
        steps, lags, _ = delta.shape
        place = slice(start, start + steps)
        for name, items in self.items.items():
            items[place, :lags] = self._measure(name, delta, self.weights[name][place, None])

    def of(self, name: str, delta: Array) -> Array:
        """Measure δ (n, gates·H), one row a step."""
        return self._measure(name, delta, self.weights[name])

    @staticmethod
    def _measure(name: str, delta: Array, weights: Array) -> Array:
        if name == "norm":
            found: Array = np.sqrt(_squared_norms(delta)) * weights  # ‖δ hᵀ‖ = ‖δ‖·‖h‖
        elif name == "mean_abs":
            found = np.abs(delta) @ np.ones(delta.shape[-1], delta.dtype) * weights  # mean|δ hᵀ| = mean|δ|·mean|h|
        else:
            found = np.vecdot(delta, weights)  # ⟨δ hᵀ, G⟩ = δ · (G h)
        return found


def _logit_gradients(forward: ForwardPass) -> Array:
    """Gradient of each step's loss with respect to its logits, ``p - y``: array (n, O)."""
    found: Array = forward.probabilities.copy()  # (n, O)
    found[np.arange(len(found)), forward.targets] -= 1
    return found


def _parameter_gradients(rnn: RNN, forward: ForwardPass, logit_gradients: Array, delta: Array) -> Parameters:
    """Sum over the steps: ``δ_j h_{j-1}ᵀ`` and its like for the other parameters."""
    found = rnn.parameters.empty_like()
    one_hot = np.zeros((len(delta), rnn.input_size), rnn.dtype)  # (n, V)
    one_hot[np.arange(len(delta)), forward.inputs] = 1
    np.dot(one_hot.T, delta, found.W_ih_columns)
    np.dot(delta.T, forward.states[:-1], found.W_hh)
    ones = np.ones(len(delta), rnn.dtype)  # (n,): a product with it sums over steps faster than numpy's sum
    ones.dot(delta, found.b_h)
    np.dot(logit_gradients.T, forward.states[1:], found.W_ho)
    ones.dot(logit_gradients, found.b_o)
    return found


def _scale(incoming: Array) -> float:
    """A power of two that brings float32 gradients near 2^40: they then vanish for long before they are subnormal."""
    size = _norm(incoming)
    if incoming.dtype != np.float32 or not isfinite(size) or size == 0:
        return 1.0
    return 2.0 ** min(40 - frexp(size)[1], 120)  # the scale itself must be a normal float32


def _squared_norms(rows: Array) -> Array:
    """Squared Euclidean norms over the last axis, in the rows' dtype unless they overflow it."""
    found: Array = np.vecdot(rows, rows)
    if rows.dtype == np.float32 and not isfinite(found.sum()):
        wide = rows.astype(np.float64)
        found = np.vecdot(wide, wide)
    return found


def _norm(array: Array) -> float:
    """Euclidean norm of all entries."""
    return sqrt(_squared_norms(array.reshape(-1)))

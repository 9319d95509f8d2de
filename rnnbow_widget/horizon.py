"""How long a horizon has to be: what it leaves out of each loss's gradient, and the shortest that is close enough.

The paper chose 5 steps by looking, and left open whether a k can be found for which truncation is close enough over a
whole validation set (section 4.2.2). This answers it for the gradient of every loss, ``∂L_t/∂W_hh = Σ_d G_{t,t-d}``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bptt_itemized import itemized_delta
from .checks import finite_float
from .forward import ForwardPass
from .rnn import RNN

Float64 = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class HorizonChoice:
    """The shortest horizon that keeps enough of every loss's gradient, and the curve that it was read from.

    Attributes
    ----------
    horizon : int
        Smallest k from which on the residual is at most `tolerance`.
    tolerance : float
        Largest relative residual that was accepted.
    residual : float64 array (n+1,)
        ``residual[k]`` is the largest ``‖Σ_{d<k} G_{t,t-d} - ∂L_t/∂W_hh‖ / ‖∂L_t/∂W_hh‖`` over the losses that count.
    losses : int
        How many losses counted: those with at least half a window behind them, and a gradient that is not 0.
    batch : int or None
        Batches that the network had been trained on, if a `Trainer` chose.
    """

    horizon: int
    tolerance: float
    residual: Float64
    losses: int
    batch: int | None = None

    def __repr__(self) -> str:
        left = self.residual[self.horizon]
        return (
            f"HorizonChoice({self.horizon} steps: at most {left:.2g} of any of {self.losses:,} losses' gradients "
            f"is left out; tolerance {self.tolerance:g})"
        )


def gradient_residuals(rnn: RNN, forward: ForwardPass) -> Float64:
    """What each horizon leaves out of the gradient of each loss of a window.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.

    Returns
    -------
    float64 array (n, n+1) or (n, B, n+1)
        ``[t, k]`` is ``‖Σ_{d≥k} G_{t,t-d}‖ / ‖∂L_t/∂W_hh‖``: 1 at k = 0, and 0 from k = t+1 on. It can exceed 1, where
        pieces cancel. NaN where the gradient is 0, infinite where it is not finite. Of a minibatch, at ``[t, b, k]``:
        each stream's own losses.
    """
    if forward.loss.ndim == 2:
        return np.stack([gradient_residuals(rnn, forward.stream(b)) for b in range(forward.streams)], axis=1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = _left_out(rnn, forward)  # (n, n+1)
        residuals: Float64 = np.where(np.isfinite(found[:, :1]), found / found[:, :1], np.inf)
    residuals[found[:, 0] == 0] = np.nan
    return residuals


def _left_out(rnn: RNN, forward: ForwardPass) -> Float64:
    """``‖Σ_{d≥k} G_{t,t-d}‖`` at [t, k], array (n, n+1)."""
    delta = itemized_delta(rnn, forward).astype(np.float64)  # (n, n, gates·H): [j, d]
    before = forward.hidden[:-1].astype(np.float64)  # (n, H)
    overlap = before @ before.T  # (n, n): h_{j-1} · h_{i-1}
    n = len(before)
    found = np.zeros((n, n + 1))
    for t in range(n):
        steps = np.arange(t, -1, -1)  # (t+1,): t - d
        rows = delta[steps, np.arange(t + 1)]  # (t+1, gates·H): δ_{t,t-d}
        # ⟨G_{t,j}, G_{t,i}⟩ = (δ_{t,j} · δ_{t,i}) (h_{j-1} · h_{i-1}); sums over d ≥ k are the squared norms wanted.
        products = rows @ rows.T * overlap[np.ix_(steps, steps)]  # (t+1, t+1)
        sums = products[::-1, ::-1].cumsum(axis=0).cumsum(axis=1).diagonal()[::-1]  # (t+1,)
        found[t, : t + 1] = np.sqrt(np.maximum(sums, 0))  # rounding can make a tiny sum negative
    return found


def choose_horizon(rnn: RNN, windows: Iterable[ForwardPass], tolerance: float = 0.1) -> HorizonChoice:
    """Find the smallest horizon that is close enough, and stays so, for every loss of a validation stretch.

    Parameters
    ----------
    rnn : RNN
        The network.
    windows : iterable of ForwardPass
        Forward passes over the stretch, all of one length n, with the network's weights as they are. Of minibatches,
        the losses of all streams count.
    tolerance : float
        Largest relative residual to accept, at least 0.

    Returns
    -------
    HorizonChoice

    Raises
    ------
    ValueError
        If there are no windows, they differ in length, gradients are all 0 or some not finite, or the tolerance is
        negative.
    """
    tolerance = finite_float("tolerance", tolerance, at_least=0)
    residuals = [gradient_residuals(rnn, window) for window in windows]
    if len({len(residual) for residual in residuals}) != 1:
        raise ValueError(f"windows takes at least one window, all of one length; got {[len(r) for r in residuals]}")
    steps = len(residuals[0])
    counting = np.concatenate(
        [found[(steps - 1) // 2 :].reshape(-1, steps + 1) for found in residuals]
    )  # (losses, n+1)
    broken = int(np.isinf(counting[:, 0]).sum())
    if broken:
        raise ValueError(
            f"no horizon can be chosen from these windows: the gradients of {broken} of {len(counting)} losses are not "
            "finite"
        )
    counting = counting[~np.isnan(counting[:, 0])]
    if not len(counting):
        raise ValueError("no horizon can be chosen from these windows: all gradients are 0")
    worst = counting.max(axis=0)  # (n+1,)
    # A residual can rise again where pieces cancel. This is the k from which on all are close enough.
    too_far = np.flatnonzero(worst > tolerance)
    horizon = int(too_far[-1]) + 1 if too_far.size else 1
    return HorizonChoice(horizon, tolerance, worst, len(counting))

"""How the state of a track depends on its earlier states, whatever the loss: ``‖∂h_t/∂h_j‖₂``, and a bound."""

from __future__ import annotations

import numpy as np

from .bptt_itemized import check_horizon
from .bptt_surfaces import SurfaceItems
from .forward import ForwardPass
from .measuring import Measured
from .parameters import Array
from .rnn import RNN
from .surfaces import Surface

_MOST_OPERATIONS = 3e10  # multiplications: some seconds
_MOST_BYTES = 1 << 28  # of the rows of one step back
_FLOOR = 1e-140  # entries below are dropped: products of subnormal numbers are slow


def state_jacobians(rnn: RNN, forward: ForwardPass, surface: Surface, horizon: int | None = None) -> SurfaceItems:
    """Spectral norms of the Jacobians of h at later steps with respect to h at earlier ones, inside one track.

    ``∂h_t/∂h_j`` is taken on all ways through W_hh of step j+1 and after it, an LSTM's c included; c_j itself is held,
    as in the surface h. At lag 0 it is the identity. What layers hand to each other is not in it.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    surface : Surface
        "jacobian" of a layer and direction.
    horizon : int, optional
        Lags that are kept. The whole window by default.

    Returns
    -------
    SurfaceItems
        With the norm only, and neither totals nor what lies beyond: these pieces are no parts of a sum. Where the track
        reads backward, the lags ``t - j`` are -(k-1) … 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above, or it would take too long.
    """
    lags = check_horizon(forward.steps, horizon, None)[0]
    passes = [forward] if forward.loss.ndim == 1 else [forward.stream(b) for b in range(forward.streams)]
    size, steps = rnn.hidden_size, forward.steps
    operations = len(passes) * steps * lags * size**3 * (rnn.cell.gates + 4.0)
    if operations > _MOST_OPERATIONS or steps * size * rnn.cell.row_width * 8 > _MOST_BYTES:
        raise ValueError(
            f"{surface.name} of {len(passes)} × {steps} steps, {lags} lags and {size} units would take too long: about "
            f"{operations:.1g} multiplications, of at most {_MOST_OPERATIONS:.0e}; a shorter horizon takes less"
        )
    direction = surface.directions[0]
    with np.errstate(over="ignore", invalid="ignore"):
        found = [_norms(rnn, one, surface.layer, direction, lags) for one in passes]  # (n, k) each
    items = found[0] if forward.loss.ndim == 1 else np.stack(found, axis=1)  # (n, k) or (n, B, k)
    of = np.arange(1 - lags, 1) if direction else np.arange(lags)  # (k,)
    mean = Measured({"norm": np.mean(found, axis=0)}, {}, {})
    return SurfaceItems({"norm": items}, {}, {}, of, lambda: mean, jacobian_bound(rnn, surface, lags))


def jacobian_bound(rnn: RNN, surface: Surface, lags: int) -> Array:
    """``(σ_max · γ)^lag``, which the norms cannot exceed, array (k,) in the order of the surface's lags.

    σ_max is the largest singular value of W_hh, γ the largest slope of the activation (Pascanu, Mikolov and Bengio
    2013). NaN for a cell that has gates: there is no bound of this kind.
    """
    steepest = rnn.cell.steepest
    if steepest is None:
        return np.full(lags, np.nan)
    W_hh = rnn.parameters.layers[surface.layer][surface.directions[0]].W_hh
    if not np.isfinite(W_hh).all():
        return np.full(lags, np.nan)
    largest = float(np.linalg.norm(W_hh.astype(np.float64), 2))
    with np.errstate(over="ignore", under="ignore"):
        bound: Array = (largest * steepest) ** np.arange(lags, dtype=np.float64)  # (k,)
    return bound[::-1] if surface.directions[0] else bound


def _norms(rnn: RNN, forward: ForwardPass, layer: int, direction: int, lags: int) -> Array:
    """Norms of one stream, float64 array (n, k), in the order of steps and of lags t - j."""
    cell, track = rnn.cells[layer][direction], forward.tracks[layer][direction]
    # In double precision: Jacobians get small, and norms square them.
    wide = type(cell)(cell.W_hh.astype(np.float64), None if cell.b_hn is None else cell.b_hn.astype(np.float64))
    local = track.linearization.astype(np.float64)  # (n, …)
    n, size = forward.steps, cell.hidden_size
    found = np.zeros((n, lags))
    found[:, 0] = 1
    # Row i of the matrix of t is what the loss h_t[i] would send back: all t go one step back together.
    unit = np.broadcast_to(np.eye(size), (n, size, size)).reshape(-1, size)  # (n·H, H)
    later = np.empty((n * size, cell.row_width))
    wide.backward_step(np.repeat(local, size, axis=0), None, unit, later)
    for lag in range(1, lags):
        count = n - lag  # steps j = 0 … n-1-lag, of t = j + lag
        later = later[size:]  # what h of step 0 hands back leaves the window
        at_h = wide.at_hidden(later, None).reshape(count, size, size)  # [j]: ∂h_t/∂h_j
        found[:count, lag] = _spectral(at_h)
        rows = np.empty((count * size, cell.row_width))
        wide.backward_step(np.repeat(local[:count], size, axis=0), later, None, rows)
        rows[np.abs(rows) < _FLOOR] = 0
        later = rows
    return found[::-1, ::-1] if direction else found


def _spectral(matrices: Array) -> Array:
    """Largest singular values of matrices (m, H, H), array (m,); NaN of those that are not finite."""
    scale = np.abs(matrices).max(axis=(1, 2))  # (m,)
    countable = np.isfinite(scale) & (scale > 0)
    found: Array = np.where(np.isfinite(scale), 0.0, np.nan)
    scaled = matrices[countable] / scale[countable, None, None]
    # Of the largest, the square root loses nothing.
    found[countable] = np.sqrt(np.linalg.eigvalsh(scaled @ scaled.mT)[:, -1]) * scale[countable]
    return found

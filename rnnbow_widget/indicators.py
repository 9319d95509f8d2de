"""A few more numbers of a recorded batch: of the recurrent weights, of saturation, and over hidden units."""

from __future__ import annotations

import numpy as np

from .forward import ForwardPass
from .gradients import Gradients, squared_norms_wide
from .parameters import Array
from .rnn import RNN
from .snapshot import Float32

_SIZE = 32  # hidden units up to which the full number of batches is looked at
_OFTEN, _RARELY = 6, 2  # logarithms to base 2 of how many times per doubling


def is_spectral_due(recorded: int, hidden_size: int) -> bool:
    """Return whether to look at the spectrum of the weights of the next batch to be recorded.

    Of the first 64 recorded batches at each, then 64 times until their number has doubled, and so on; of more than 32
    hidden units 16 times, and of more than 64 4 times. (The time grows with the cube of their number; with 100 it is
    several times that of all else that is recorded.)
    """
    rarer = 2 * max(0, (hidden_size - 1).bit_length() - (_SIZE - 1).bit_length())
    exponent = max(_RARELY, _OFTEN - rarer)
    return recorded % (1 << max(0, recorded.bit_length() - 1 - exponent)) == 0


def indicators(rnn: RNN, forward: ForwardPass, gradients: Gradients, *, spectral: bool) -> Float32:
    """Work out the indicators of a batch.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    gradients : Gradients
        Its plain gradients, not clipped.
    spectral : bool
        Whether to look at the spectrum of the recurrent weights too.

    Returns
    -------
    float32 array (6,)
        As `snapshot.INDICATORS` names them; NaN where something is not finite, or not looked at.
    """
    spectrum = _spectrum(rnn.cell.candidate_rows()) if spectral else (np.nan, np.nan)
    with np.errstate(over="ignore"):  # of norms in double precision
        return np.array([*spectrum, _saturation(rnn, forward), *_of_units(rnn, gradients)], np.float32)


def _saturation(rnn: RNN, forward: ForwardPass) -> float:
    """Share of activations, of all layers and directions, that are close to a limit; see `Cell.saturated`."""
    shares = [
        np.count_nonzero(found := cell.saturated(track.states[1:])) / found.size
        for cells, tracks in zip(rnn.cells, forward.tracks, strict=True)
        for cell, track in zip(cells, tracks, strict=True)
    ]
    return sum(shares) / len(shares)


def _of_units(rnn: RNN, gradients: Gradients) -> tuple[float, float, float]:
    """Median, 90 % quantile and maximum over units."""
    squares = np.zeros(rnn.hidden_size)  # (H,)
    for own in gradients.parameters.layers[-1]:
        squares += squared_norms_wide(own.W_hh).reshape(-1, rnn.hidden_size).sum(axis=0)
    sizes = np.sort(np.sqrt(squares))  # (H,): NaN comes last
    if not np.isfinite(sizes[-1]):
        return (np.nan, np.nan, np.nan)
    return _quantile(sizes, 0.5), _quantile(sizes, 0.9), float(sizes[-1])


def _quantile(ordered: Array, part: float) -> float:
    """The quantile of an ordered array, with lines between its values: as numpy's, in a tenth of the time."""
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def _spectrum(weights: Array) -> tuple[float, float]:
    """Spectral radius and largest singular value of a square matrix."""
    wide = weights.astype(np.float64)
    if not np.isfinite(wide).all():
        return float("nan"), float("nan")
    return float(np.abs(np.linalg.eigvals(wide)).max()), float(np.linalg.norm(wide, 2))

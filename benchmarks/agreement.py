"""A peer that computes something else is no peer: nothing is timed before both agree."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

TOLERANCE = 1e-4
"""Largest relative difference of two arrays, by their norms: generous to float32, deadly to a wrong formula."""


class DisagreementError(AssertionError):
    """Ours and a peer differ by more than rounding."""


def require_agreement(peer: str, quantity: str, ours: ArrayLike, theirs: ArrayLike) -> None:
    """Raise `DisagreementError` unless two arrays are the same but for rounding."""
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if a.shape != b.shape:
        raise DisagreementError(f"{peer}: {quantity} has shape {b.shape}, ours has {a.shape}")
    difference = float(np.linalg.norm(a - b) / np.linalg.norm(b))
    if not difference <= TOLERANCE:
        raise DisagreementError(f"{peer}: {quantity} differs from ours by {difference:.2g}, relative")


def require_all_agree(
    peer: str, ours: Mapping[str, NDArray[np.floating]], theirs: Mapping[str, NDArray[np.floating]]
) -> None:
    """Raise `DisagreementError` unless all named arrays are the same but for rounding."""
    for name in ours:
        require_agreement(peer, name, ours[name], theirs[name])

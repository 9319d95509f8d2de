"""What a recorded batch says of how far its gradient reaches: figures, and a sentence. Twin of `words/reading.ts`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .reach import REACH_THRESHOLD, Array, Float64, pieces_by_loss
from .snapshot import Snapshot, surface_key

FEWEST_STEPS = 8
"""Of shorter windows nothing is said: what is near and what is far is much the same in them."""
MOST = 0.8
"""The losses that are told to make up the gradient make up at least this part of it."""
AGREEING = 1.25
"""Nothing is told of parts if the sizes of all lags' shares together exceed the gradient so many times: they cancel."""
GROWN = 10.0
"""A gradient grows on its way back if the largest piece of a typical loss is so many times its own step's."""
SHORT = 0.25
"""Gradients that fall off within this part of the window leave most of it without any."""


@dataclass(frozen=True)
class Near:
    """Which losses make up most of a gradient.

    Attributes
    ----------
    lag : int or None
        Losses up to so many steps away make up at least `MOST` of it; None if all that are recorded make up less.
    part : float
        The part that they make up, or that all recorded lags do, from 0 to 1.
    """

    lag: int | None
    part: float


@dataclass(frozen=True)
class Reach:
    """How far the gradient of a typical loss reaches back.

    Attributes
    ----------
    steps : float
        Median over the losses that count: after so many steps it falls below 1 % of its largest piece.
    seen : bool
        Whether that was seen; else the recorded lags or the window end first, and it reaches at least so far.
    """

    steps: float
    seen: bool


@dataclass(frozen=True)
class Reading:
    """What is known of a batch; what cannot be said is None. Definitions are in docs/measures.md.

    Attributes
    ----------
    surface : str
        Whose gradient it is.
    steps, lags : int
        Length of the window, and the number of recorded lags.
    near : Near or None
        Which losses make up most of it.
    reach : Reach or None
        How far that of a typical loss reaches back.
    growth : float or None
        How many times its own step's the largest piece of a typical loss is, if that is at least `GROWN`.
    """

    surface: str
    steps: int
    lags: int
    near: Near | None = None
    reach: Reach | None = None
    growth: float | None = None

    def sentence(self) -> str:
        """Say it in words; empty if nothing is known."""
        parts = [part for part in (self._near(), self._reach(), self._growth()) if part]
        if self.reach and self.reach.seen and not self.growth and self.reach.steps <= SHORT * self.steps:
            parts.append("longer dependencies hardly count in it")
        said = "; ".join(parts)
        return said[:1].upper() + said[1:] + "." if said else ""

    def _near(self) -> str:
        if self.near is None:
            return ""
        percent = f"{math.floor(100 * self.near.part + 0.5)} %"
        whole = f"of the gradient of {self.surface}"
        if self.near.lag is None:
            return f"only {percent} {whole} comes from the {counted(self.lags, 'recorded lag')}"
        if self.near.lag == 0:
            return f"{percent} {whole} comes from each step’s own loss"
        return f"{percent} {whole} comes from losses at most {counted(self.near.lag, 'step')} away"

    def _reach(self) -> str:
        if self.reach is None:
            return ""
        steps = counted(self.reach.steps, "step")
        if self.reach.seen:
            return f"the gradient of a typical loss falls below 1 % of its largest piece after {steps}"
        end = "as far as lags were recorded" if self.lags < self.steps else "as far as the window allows to see"
        return f"the gradient of a typical loss reaches back at least {steps}, {end}"

    def _growth(self) -> str:
        if self.growth is None:
            return ""
        return f"on its way back it grows, typically to {math.floor(self.growth + 0.5)} times that at its own step"


def read(snapshot: Snapshot, surface: str | None = None) -> Reading:
    """Read a recorded batch, or one of its streams.

    Only gradients of a `W_hh` whose losses all come later are read; of others the reading is empty, as it is of
    windows of fewer than `FEWEST_STEPS` steps, and where a number is not finite.

    Parameters
    ----------
    snapshot : Snapshot
        The batch, or a stream of it. Of an average over streams the mean pieces are read.
    surface : str, optional
        Name of a surface that it holds; by default the primary one.

    Raises
    ------
    KeyError
        If it does not hold that surface.
    """
    name = snapshot.primary if surface is None else surface
    pieces = snapshot.surfaces[name]  # (n, k)
    steps, lags = pieces.shape
    readable = name.startswith("W_hh") and not name.endswith("]") and not snapshot.first_lags.get(name, 0)
    if not readable or steps < FEWEST_STEPS or not np.isfinite(pieces).all():
        return Reading(name, steps, lags)
    sent = _sent(pieces.astype(np.float64), snapshot)
    return Reading(name, steps, lags, _near(snapshot, name), _reach(*sent), _growth(*sent))


def counted(count: float, noun: str) -> str:
    """Return a number of things: "1 step", "2.5 steps"."""
    return f"{count:g} {noun}{'' if count == 1 else 's'}"


def _near(snapshot: Snapshot, surface: str) -> Near | None:
    key = surface_key(surface, "share")
    if key not in snapshot.surfaces:
        return None
    shares = snapshot.surfaces[key].sum(axis=0, dtype=np.float64)  # (k,)
    whole = float(snapshot.step_totals[key].sum(dtype=np.float64))
    if not (np.isfinite(shares).all() and math.isfinite(whole)) or whole <= 0:
        return None
    parts = shares / whole  # (k,)
    if float(np.abs(parts).sum()) + abs(1 - float(parts.sum())) > AGREEING:
        return None
    sums = np.cumsum(parts)  # (k,)
    enough = np.flatnonzero(sums >= MOST)
    lag = int(enough[0]) if len(enough) else None
    part = float(sums[-1 if lag is None else lag])
    return Near(lag, part) if 0 <= part <= 1 + 1e-4 else None  # shares are float32


def _sent(pieces: Float64, snapshot: Snapshot) -> tuple[Float64, Float64]:
    """What each loss that counts sent back 0, 1, … steps, and whether that was seen: two arrays (losses, k).

    Those that count have at least half a window, or all recorded lags, behind them, and sent something: a step without
    a loss sends nothing.
    """
    places, seen, _ = pieces_by_loss(*pieces.shape, snapshot.from_zero_state)  # (losses, k) each
    sent = np.where(seen, pieces.take(places), 0)  # (losses, k)
    counts = sent.max(axis=1) > 0  # (losses,)
    return sent[counts], seen[counts].astype(np.float64)


def _reach(sent: Float64, seen: Float64) -> Reach | None:
    if not len(sent):
        return None
    lags = np.arange(sent.shape[1])
    small = sent < REACH_THRESHOLD * sent.max(axis=1, keepdims=True)  # (losses, k)
    gone = small & (seen > 0) & (lags > sent.argmax(axis=1)[:, None])  # (losses, k)
    fell, first = gone.any(axis=1), gone.argmax(axis=1)  # (losses,) each
    least = float(np.median(np.where(fell, first, seen.sum(axis=1))))
    # Losses that were not seen to fall may reach any further. Where that leaves the median as it is, it is known.
    most = _middle(np.where(fell, first, np.inf))
    return Reach(least, least == most)


def _middle(values: Array) -> float:
    """Median that may be infinite, without a warning."""
    ordered = np.sort(values)  # (losses,)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(high if math.isinf(high) else (low + high) / 2)


def _growth(sent: Float64, seen: Float64) -> float | None:
    own = sent[:, 0]  # (losses,)
    known = (own > 0) & (seen[:, 0] > 0)
    if not known.any():
        return None
    grown = float(np.median(sent[known].max(axis=1) / own[known]))
    return grown if grown >= GROWN else None

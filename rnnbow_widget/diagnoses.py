"""What a run's newest batches say of how training goes, and what to try. Definitions are in docs/measures.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .overview import CLIPPED, DIVERGED, Overview
from .reading import FEWEST_STEPS, SHORT, counted
from .snapshot import Snapshot

RECENT = 20
"""Newest recorded batches that are looked at."""
LEAST = 10
"""Of fewer nothing is said."""
MANY = 0.9
"""What is always so is so in at least this part of them."""
SPIKE, SPIKES = 10.0, 2
"""Gradients explode if the norms of at least so many of them exceed so many times the median of all."""
CLIPPED_TO = 0.9
"""Clipping matters if it leaves typically at most this part of the gradient's norm."""
SATURATED = 0.9
"""A network is saturated if typically at least this part of its activations is close to a limit."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is known of how training goes.

    Attributes
    ----------
    kind : str
        "vanishing", "exploding", "clipped", "saturated" or "dead" name trouble; "reach" says how far gradients reach
        where they do not vanish.
    name : str
        What it is called.
    sentence : str
        What was seen, in numbers.
    remedy : str
        What to try, in a sentence.
    """

    kind: str
    name: str
    sentence: str
    remedy: str


def diagnose(overview: Overview, newest: Snapshot | None, settings: Mapping[str, Any]) -> list[Diagnosis]:
    """Return what is known; nothing of a run that has diverged, since that is known already, or that is too short.

    Parameters
    ----------
    overview : Overview
        Of the run.
    newest : Snapshot or None
        The newest recorded batch, if its details are held: it says how far could be seen.
    settings : mapping
        What the network was made and is trained with; what is missing gives no advice.
    """
    stop = len(overview)  # it may grow meanwhile
    first = max(0, stop - RECENT)
    flags = overview.column("flags", first, stop)  # (recent,)
    if len(flags) < LEAST or flags[-1] & DIVERGED:
        return []
    names = ("grad_norm", "update_norm", "horizon_length", "saturation", "unit_median")
    recent = {name: overview.column(name, first, stop).astype(np.float64) for name in names}  # (recent,) each
    dead = _dead(recent, settings)
    found = (
        _reach(recent, newest, settings),
        _exploding(recent),
        _clipped(recent, flags, settings),
        dead,
        None if dead else _saturated(recent["saturation"], settings),
    )
    return [diagnosis for diagnosis in found if diagnosis]


def _reach(recent: Mapping[str, Floats], newest: Snapshot | None, settings: Mapping[str, Any]) -> Diagnosis | None:
    """Whether long dependencies can be learned: by how far gradients reach back."""
    if newest is None or newest.steps < FEWEST_STEPS:
        return None
    if np.median(recent["unit_median"]) == 0:  # a loss without any gradient counts as one that reaches far
        return None
    horizons = recent["horizon_length"]
    name, known = newest.primary, horizons[np.isfinite(horizons)]  # (recent,) at most
    if not name.startswith("W_hh") or newest.first_lags.get(name, 0) or len(known) < LEAST:
        return None
    steps, lags, median = newest.steps, newest.horizon, float(np.median(known))
    half = (steps + 1) // 2
    told = f"median over the newest {len(known)} recorded batches"
    if median >= min(lags, half) - 1:  # recorded lags, or the window, may have ended first; step 0 may tell nothing
        said = f"Gradients reach back {counted(median, 'step')} or more, as far as can be seen ({told})."
        if lags < half:
            return Diagnosis("reach", "gradients reach far", said, "horizon=None records all lags, and shows how far.")
        return Diagnosis(
            "reach",
            "gradients reach far",
            said,
            f"For dependencies over more than {half} steps, try a longer seq_length.",
        )
    said = (
        f"At present gradients reach back {counted(median, 'step')} of {steps} ({told}). What lies further back gets "
        "less than 1 % of a loss’s gradient: the network can hardly learn from it."
    )
    kind, called = (
        ("vanishing", "vanishing gradients")
        if median <= SHORT * steps
        else ("reach", "gradients reach part of the window")
    )
    return Diagnosis(kind, called, said, f"Try {_farther(settings)}.")


def _farther(settings: Mapping[str, Any]) -> str:
    """What lets gradients reach farther."""
    cell, init, bias = settings.get("cell"), settings.get("init"), settings.get("forget_bias")
    if cell == "lstm":
        return "a larger forget_bias, such as 3" if bias is not None and bias < 3 else "a smaller learning_rate"
    if cell == "gru":
        return 'cell="lstm" with forget_bias=3'
    first = {"tanh": "orthogonal", "relu": "identity"}.get(str(cell), "orthogonal")
    better = "" if init == first else f'init="{first}", or '
    return f'{better}cell="lstm" or "gru"'


def _exploding(recent: Mapping[str, Floats]) -> Diagnosis | None:
    norms, updates = recent["grad_norm"], recent["update_norm"]
    typical = float(np.median(norms))
    spikes = int((norms > SPIKE * typical).sum()) if typical > 0 else 0
    if spikes < SPIKES:
        return None
    said = (
        f"{spikes} of the newest {len(norms)} recorded batches have a gradient more than {SPIKE:g} times as large as "
        f"is typical: up to {float(norms.max()):.3g}, where the median is {typical:.3g}."
    )
    if updates.max() <= SPIKE * np.median(updates):
        return Diagnosis(
            "exploding",
            "exploding gradients",
            said,
            "Clipping keeps updates in bounds; a smaller learning_rate may calm them.",
        )
    return Diagnosis(
        "exploding", "exploding gradients", said, f"Try clip_norm={_rounded(typical)}, or a smaller learning_rate."
    )


def _clipped(recent: Mapping[str, Floats], flags: NDArray[Any], settings: Mapping[str, Any]) -> Diagnosis | None:
    clipped = (flags & CLIPPED) > 0  # (recent,)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = float(np.median(recent["update_norm"] / recent["grad_norm"]))
    if clipped.mean() < MANY or not left <= CLIPPED_TO:
        return None
    said = (
        f"{int(clipped.sum())} of the newest {len(flags)} recorded batches were clipped, typically to "
        f"{100 * left:.0f} % of the gradient’s norm: the bound decides the size of updates, not the gradient."
    )
    bounds = [name for name in ("clip_value", "clip_norm") if settings.get(name) is not None]
    raised = f"a larger {' or '.join(bounds)}" if bounds else "a larger bound"
    element = ". Entry by entry, clipping also turns the update’s direction; clip_norm does not"
    turned = element if settings.get("clip_value") is not None else ""
    return Diagnosis("clipped", "clipped always", said, f"Try {raised}, with a smaller learning_rate{turned}.")


def _saturated(shares: Floats, settings: Mapping[str, Any]) -> Diagnosis | None:
    share = float(np.median(shares))
    if not share >= SATURATED or settings.get("cell") == "relu":
        return None
    said = (
        f"Typically {100 * share:.0f} % of the activations are close to a limit (newest {len(shares)} recorded "
        "batches), where their slope is small and little gradient passes."
    )
    return Diagnosis(
        "saturated", "saturated units", said, "Try a smaller learning_rate, clip_norm, or smaller first weights."
    )


def _dead(recent: Mapping[str, Floats], settings: Mapping[str, Any]) -> Diagnosis | None:
    learning = recent["grad_norm"] > 0  # (recent,): a batch without any loss has no gradient either
    without = (recent["unit_median"] == 0) & learning
    if settings.get("cell") != "relu" or learning.sum() < LEAST or without.sum() < MANY * learning.sum():
        return None
    said = (
        f"In {int(without.sum())} of the newest {int(learning.sum())} recorded batches at least half of the units "
        "got no gradient at all: a unit that is 0 at every step learns nothing."
    )
    first = "" if settings.get("init") == "identity" else 'init="identity", '
    return Diagnosis("dead", "dead ReLU units", said, f'Try a smaller learning_rate, {first}clip_norm, or cell="tanh".')


def _rounded(value: float) -> str:
    """Return a number to one digit, as one would choose a bound."""
    return f"{float(f'{value:.0e}'):g}"

"""What numbers and labels are to be drawn as."""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pytest
from figure import Picture
from numpy.typing import ArrayLike

PIXEL = 0.02  # how far a drawn edge may lie from the exact one


@dataclass(frozen=True)
class Place:
    """Where a value of a stack begins and ends, in the units of the measure."""

    low: float
    high: float


def stacked(items: list[float], beyond: float) -> list[Place]:
    """Pieces on top of each other, and what lies beyond on top of them; what is negative hangs below the axis."""
    values = [*items, beyond]
    ups = [0.0, *accumulate(max(value, 0) for value in values)]
    downs = [0.0, *accumulate(min(value, 0) for value in values)]
    return [
        Place(ups[i], ups[i + 1]) if value >= 0 else Place(downs[i + 1], downs[i]) for i, value in enumerate(values)
    ]


def assert_parts_are(
    picture: Picture, items: ArrayLike, *, first_lag: int = 0, rel: float = 0, within: float = PIXEL
) -> None:
    """Every piece of a batch is a part of panel 3's bars, as tall as its number; items[j, i] has lag first_lag + i."""
    sizes = np.asarray(items, float)  # (n, K)
    lags = range(first_lag, first_lag + sizes.shape[1])
    steps = range(len(sizes))
    assert picture.parts.keys() == {(step, lag) for step in steps for lag in lags if step + lag in steps}
    unit = picture.axes["gradients"].unit
    for (step, lag), part in picture.parts.items():
        assert part.height == pytest.approx(sizes[step, lag - first_lag] * unit, rel=rel, abs=within), (step, lag)


def visible(label: str) -> str:
    """Characters of C source as they are to be drawn."""
    return {" ": "␣", "\n": "↵", "\t": "⇥"}.get(label, label)


def is_label(drawn: str, whole: str) -> bool:
    """Whether a label is drawn as a whole, or as its beginning."""
    return drawn == whole or (len(drawn) > 1 and drawn.endswith("…") and whole.startswith(drawn[:-1]))

"""Argument checks: each returns the value, or raises an error that says what the argument takes and what it got."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection
from typing import Any


def positive_int(name: str, value: Any, *, minimum: int = 1) -> int:
    """Return `value` as an int of at least `minimum`.

    Raises
    ------
    TypeError
        If `value` is not a whole number (booleans are not).
    ValueError
        If it is smaller than `minimum`.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} takes a whole number, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} takes a whole number, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} takes a whole number of at least {minimum}, got {number}")
    return number


def boolean(name: str, value: Any) -> bool:
    """Return `value` if it is True or False.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} takes True or False, got {value!r}")
    return value


def finite_float(name: str, value: Any, *, above: float | None = None, at_least: float | None = None) -> float:
    """Return `value` as a finite float, greater than `above` or at least `at_least` where given.

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If it is NaN, infinite or out of range.
    """
    takes = "a finite number"
    if above is not None:
        takes += f" greater than {above:g}"
    if at_least is not None:
        takes += f" of at least {at_least:g}"
    if isinstance(value, (bool, str, bytes)):
        raise TypeError(f"{name} takes {takes}, got {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} takes {takes}, got {value!r}") from None
    except OverflowError:
        number = math.inf
    low = (above is not None and number <= above) or (at_least is not None and number < at_least)
    if not math.isfinite(number) or low:
        raise ValueError(f"{name} takes {takes}, got {value!r}")
    return number


def one_of(name: str, value: Any, choices: Collection[str]) -> str:
    """Return `value` if it is one of `choices`.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} takes one of {', '.join(map(repr, choices))}; got {value!r}")
    return value

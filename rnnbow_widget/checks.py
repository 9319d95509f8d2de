"""Argument checks: each returns the value, or raises an error that says what the argument takes and what it got."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind")
LARGEST = 2**53
"""The largest whole number that is taken where nothing else is said: floating-point numbers count up to it."""

_MOST_SHOWN = 160  # characters


def shown(value: Any) -> str:
    """Return what errors show of a value: its ``repr``, the middle left out if it is long."""
    try:
        text = repr(value)
    except Exception:  # of any class, or a number of more digits than Python writes down
        return f"a {type(value).__name__}"
    if len(text) <= _MOST_SHOWN:
        return text
    return f"{text[: _MOST_SHOWN // 2]} … {text[-_MOST_SHOWN // 4 :]} ({len(text):,} characters)"


def whole_number(name: str, value: Any, *, minimum: int = 1, maximum: int | None = LARGEST) -> int:
    """Return `value` as an int of at least `minimum`, and at most `maximum` where there is one.

    Raises
    ------
    TypeError
        If `value` is not a whole number (booleans are not).
    ValueError
        If it is smaller or larger.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} takes a whole number, got {shown(value)}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} takes a whole number, got {shown(value)}") from None
    if number < minimum:
        raise ValueError(f"{name} takes a whole number of at least {minimum}, got {shown(number)}")
    if maximum is not None and number > maximum:
        raise ValueError(f"{name} takes a whole number of at most {maximum}, got {shown(number)}")
    return number


def boolean(name: str, value: Any) -> bool:
    """Return `value` if it is True or False.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} takes True or False, got {shown(value)}")
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
        raise TypeError(f"{name} takes {takes}, got {shown(value)}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} takes {takes}, got {shown(value)}") from None
    except OverflowError:
        number = math.inf
    low = (above is not None and number <= above) or (at_least is not None and number < at_least)
    if not math.isfinite(number) or low:
        raise ValueError(f"{name} takes {takes}, got {shown(value)}")
    return number


def one_of(name: str, value: Any, choices: Collection[str]) -> str:
    """Return `value` if it is one of `choices`.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} takes one of {', '.join(map(repr, choices))}; got {shown(value)}")
    return value


def instance(name: str, value: Any, kind: type[Kind]) -> Kind:
    """Return `value` if it is of a class.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIO" or kind.__name__ == "RNN" else "a"
        raise TypeError(f"{name} takes {article} {kind.__name__}, got {shown(value)}")
    return value


def names(name: str, value: Any) -> list[str]:
    """Return `value`, a collection of strings that is no string itself, as a list.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    try:
        found = None if isinstance(value, (str, bytes)) else list(value)
    except TypeError:
        found = None
    if found is None or not all(isinstance(one, str) for one in found):
        raise TypeError(f"{name} takes a collection of strings, got {shown(value)}")
    return found


def labels(name: str, value: Any) -> list[str]:
    """Return `value`, a collection of strings, or a string as its characters.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    return list(value) if isinstance(value, str) else names(name, value)


def as_names(name: str, value: Any) -> tuple[str, ...]:
    """Return what is in `value`, a collection of anything, in words.

    Raises
    ------
    TypeError
        If it is no collection.
    """
    try:
        return tuple(map(str, value))
    except TypeError:
        raise TypeError(f"{name} takes a collection of names, got {shown(value)}") from None


def array_of(name: str, value: Any, dtype: Any = None) -> NDArray[Any]:
    """Return `value` as an array, of a dtype where one is given.

    Raises
    ------
    TypeError, ValueError
        If it cannot be one.
    """
    try:
        return np.asarray(value, dtype)
    except TypeError as error:
        raise TypeError(f"{name} takes numbers in an array: {error}") from None
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{name} takes numbers in an array: {error}") from None

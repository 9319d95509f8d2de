"""What a page's message says: every field is checked before anything is done, and named if it is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .checks import shown, whole_number
from .protocol import drawable, json_number

_LONGEST_NAME = 100  # characters


def kind_of(message: Any, kinds: Collection[str]) -> str:
    """Return which of these kinds a message is of.

    Raises
    ------
    ValueError
        If it is of none of them.
    """
    kind = message.get("kind") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"kind takes one of {', '.join(kinds)}; got {shown(kind)}")
    return kind


def client_of(message: Mapping[str, Any]) -> str:
    """Return the name of the page that sends it: a short text that can be sent back.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    return _name("client", message.get("client"))


def part_of(message: Mapping[str, Any]) -> str | None:
    """Return which part of a batch is asked for; None: what was recorded.

    Raises
    ------
    TypeError, ValueError
        If it is no name.
    """
    part = message.get("part")
    return None if part is None else _name("part", part)


def request_of(message: Mapping[str, Any]) -> tuple[str, int]:
    """Return whose request it is, and its number.

    Raises
    ------
    TypeError, ValueError
        If one of them is missing or of another kind.
    """
    return client_of(message), whole_number("seq", message.get("seq"))


def echoed(value: Any) -> str | float | None:
    """Return a value as it can be sent back: itself if it is short, else what errors show of it; None for NaN."""
    if isinstance(value, float):
        return json_number(value)
    if value is None or (isinstance(value, int) and abs(value) < 1 << 53):
        return value
    return value if isinstance(value, str) and _can_be_sent_back(value) else shown(value)


def _name(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{field} takes a name, got {shown(value)}")
    if not _can_be_sent_back(value):
        raise ValueError(f"{field} takes a name of at most {_LONGEST_NAME} characters, got {shown(value)}")
    return value


def _can_be_sent_back(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and text == drawable(text)

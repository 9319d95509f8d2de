"""Widgets that say None so that pages hear null, also those whose kernel is in the browser."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import anywidget

IN_BROWSER = sys.platform == "emscripten"


class NoneAsNull(anywidget.AnyWidget):
    """A widget that sends None as null from any kernel.

    On its way from a kernel in the browser (Pyodide) to the page, None becomes undefined, and JSON leaves out what is
    undefined: a page would not hear that a trait has become None. JSON writes a number that is none as null.
    """

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return traits as they are sent: those that `key` names, or all; `drop_defaults`: only what is no default."""
        state: dict[str, Any] = sent(super().get_state(key, drop_defaults))
        return state

    def send(self, content: Any, buffers: Sequence[Any] | None = None) -> None:
        """Send `content`, and `buffers` with it, to all pages."""
        super().send(sent(content), buffers)


def sent(value: Any) -> Any:
    """Return a value as it has to be sent for pages to have null where it has None."""
    return _with_numbers(value) if IN_BROWSER else value


def _with_numbers(value: Any) -> Any:
    if value is None:
        return math.nan
    if isinstance(value, dict):
        return {name: _with_numbers(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_with_numbers(part) for part in value]
    return value

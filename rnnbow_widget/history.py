"""What was done with a trainer, so that it can be done again: settings that changed, batches recorded on their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MOST = 10_000
"""Entries that are kept; a line of Python with more is of no use."""


class History:
    """Notes, in order, what happened at which batch since training began.

    Attributes
    ----------
    settings : dict
        Those that training began with.
    complete : bool
        Whether all is noted.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.start_over(settings)

    @property
    def plain(self) -> bool:
        """Whether nothing was done but to train."""
        return self.complete and not self._events

    def start_over(self, settings: Mapping[str, Any]) -> None:
        """Forget all: training begins anew, with these settings."""
        self.settings = dict(settings)
        self._now: dict[str, Any] = {"shown_surface": None, **settings}
        self.complete = True
        self._events: list[tuple[int, str, Any]] = []

    def change(self, batch: int, name: str, value: Any) -> None:
        """Note that a setting has a value from a batch on, if that is another than before."""
        if self._now[name] == value:
            return
        self._now[name] = value
        if self._events and self._events[-1][:2] == (batch, name):
            self._events.pop()
        self._note(batch, name, value)

    def step(self, batch: int) -> None:
        """Note that a batch was recorded on its own."""
        self._note(batch, "", None)

    def statements(self, batch: int, trained: str) -> Iterator[str]:
        """Yield statements that train `trained`, an expression, up to a batch, and do what was done on the way."""
        here = 0
        for at, name, value in self._events:
            if name == "shown_surface" and at == batch:  # nothing was recorded with it
                continue
            if at > here:
                yield f"{trained}.train({at - here})"
            here = at
            if name:
                yield f"{trained}.{name} = {value!r}"
            else:
                yield f"{trained}.step()"
                here += 1
        if batch > here:
            yield f"{trained}.train({batch - here})"

    def _note(self, batch: int, name: str, value: Any) -> None:
        if len(self._events) < _MOST:
            self._events.append((batch, name, value))
        else:
            self.complete = False

"""A widget within another: its messages travel with those of the other, so that hosts see one widget only."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import anywidget
from ipywidgets import Widget

from .checks import one_of, shown
from .comparison import Comparison
from .run import Run
from .sides import Side
from .widget import RNNbow

_METHODS = ("custom", "update", "request_state")

Send = Callable[[dict[str, Any], list[bytes]], None]


class Relay:
    """Stands for the connection of a widget to its pages.

    Parameters
    ----------
    send : callable
        Takes what the widget sends: a message of the widget protocol, and its buffers.

    Attributes
    ----------
    comm_id : str
        Name of the connection.
    """

    def __init__(self, send: Send) -> None:
        self.comm_id = secrets.token_hex(16)
        self._send: Send | None = send
        self._receive: Callable[[dict[str, Any]], None] = lambda _: None

    def on_msg(self, receive: Callable[[dict[str, Any]], None]) -> None:
        """Have what arrives handed over."""
        self._receive = receive

    def send(self, data: dict[str, Any], metadata: object = None, buffers: Sequence[Any] | None = None) -> None:
        """Send what the widget has to say; nothing once it is closed."""
        if self._send is not None:
            self._send(data, list(buffers or ()))

    def deliver(self, data: Any, buffers: Sequence[Any]) -> None:
        """Hand over what a page has sent.

        Raises
        ------
        TypeError, ValueError
            If it is no message of the widget protocol.
        """
        if not isinstance(data, dict):
            raise TypeError(f"data takes a message of the widget protocol, got {shown(data)}")
        one_of("method of data", data.get("method"), _METHODS)
        self._receive({"content": {"data": data}, "buffers": list(buffers)})

    def close(self) -> None:
        """Send nothing any more."""
        self._send = None


@contextmanager
def unseen_by_the_host() -> Iterator[None]:
    """Make widgets of which a host that wants to know of every new one, such as marimo, is not told.

    It would connect them to pages itself, and marimo can do so only while a cell runs.
    """
    told = Widget._widget_construction_callback
    Widget.on_widget_constructed(None)
    try:
        yield
    finally:
        Widget.on_widget_constructed(told)


class RelayedRun(RNNbow):
    """The panels of a run, within another widget."""

    def __init__(self, run: Run, relay: Relay) -> None:
        self._relay = relay
        with unseen_by_the_host():
            super().__init__(run)

    def open(self) -> None:
        """Take the relay for the connection that a widget of its own would make."""
        self.comm = self._relay


class RelayedComparison(Comparison):
    """A comparison, within another widget."""

    def __init__(self, sides: Mapping[str, Side], relay: Relay) -> None:
        self._relay = relay
        with unseen_by_the_host():
            super().__init__(sides)

    def open(self) -> None:
        """Take the relay for the connection that a widget of its own would make."""
        self.comm = self._relay


def state_of(widget: RNNbow | Comparison) -> dict[str, Any]:
    """Return what its model holds on pages, without what every widget of a host has."""
    kind = RNNbow if isinstance(widget, RNNbow) else Comparison
    names = set(kind.class_traits(sync=True)) - set(anywidget.AnyWidget.class_traits(sync=True))
    state: dict[str, Any] = widget.get_state(sorted(names))
    return state

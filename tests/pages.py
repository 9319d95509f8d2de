"""Stand-ins for the pages that show a widget, and a small widget for them to show."""

from typing import Any

import pytest
from unpacking import batches

from rnnbow_widget import Comparison, RNNbow, Sweep, Trainer

TEXT = "abcde fghij " * 60


class Page:
    """Stands for the pages of a widget: keeps what the widget sends, and sends what a page would.

    Attributes
    ----------
    sent :
        Messages, and the buffers that went along.
    states :
        Names of the traits that were sent, call by call.
    """

    def __init__(self, widget: RNNbow | Comparison | Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self.states: list[Any] = []
        monkeypatch.setattr(
            widget, "send", lambda content, buffers=None: self.sent.append((content, list(buffers or [])))
        )
        monkeypatch.setattr(widget, "send_state", lambda key=None: self.states.append(key))

    @property
    def trainer(self) -> Trainer:
        """Of a widget that trains."""
        assert self.widget.trainer is not None
        return self.widget.trainer

    def says(self, **message: Any) -> list[dict[str, Any]]:
        """Send a message; return what came back."""
        self.sent.clear()
        if isinstance(self.widget, Sweep):
            self.widget._receive(message, [])
        else:
            self.widget._conversation.receive(message)
        return [content for content, _ in self.sent]

    def batches(self) -> list[int]:
        """Recorded batches that were told."""
        return [batch for _, buffers in self.sent for batch in batches(buffers)]


def make(**settings: Any) -> RNNbow:
    return RNNbow(TEXT, **{"hidden_size": 8, "record_every": 10, **settings})

"""What a message or a state can be but should not: JSON of every kind in the place of every field; and what is right.

The kernel's half of a widget is at hand to be told it.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rnnbow_widget import Comparison, RNNbow, Sweep, Trainer

Message = dict[str, Any]

TEXT = "the quick brown fox jumps over the lazy dog; " * 4
SMALL: dict[str, Any] = {"hidden_size": 3, "seq_length": 4, "record_every": 2}
STREAMS = 2


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


VALUES: list[Any] = [
    None,
    True,
    False,
    -1,
    0,
    1,
    2,
    2**31,
    2**53,
    10**18,
    -(10**18),
    10**400,
    0.5,
    1e308,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    "0",
    "x",
    "norm",
    "batch",
    "__proto__",
    "__class__",
    "\ud800",
    "a\0b\n",
    "</script><img src=x onerror=alert(1)>",
    "x" * 100_000,
    [],
    [1],
    [None],
    ["x"],
    [0] * 10_000,
    _nested(300),
    {},
    {"x": 1},
    {"__proto__": {"x": 1}},
    {"kind": "step", "client": "a", "seq": 1},
]
"""What JSON can hold, as Python reads it: it takes NaN and infinities too."""

NO_MESSAGES: list[Any] = [value for value in VALUES if not isinstance(value, dict)]
BUFFERS = [b"", b"\0" * 1_000, b"not a chunk"]


def malformed(message: Message) -> Iterator[tuple[str, Message]]:
    """A message without each of its fields, and with each in every other form: which field, and all of it."""
    for name in message:
        yield name, {key: value for key, value in message.items() if key != name}
        for value in VALUES:
            yield name, {**message, name: value}


def require_plain(content: Any) -> None:
    """It has a form in JSON, as browsers read it, in UTF-8."""
    json.dumps(content, allow_nan=False, ensure_ascii=False).encode()


Takes = Callable[[Message, Any], bool]


def is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= 2**53


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1.7e308


def is_name(value: Any) -> bool:
    """A short text that has a form in UTF-8."""
    return isinstance(value, str) and len(value) <= 100 and not any("\ud800" <= one <= "\udfff" for one in value)


def takes_setting(message: Message, value: Any) -> bool:
    if message["name"] == "learning_rate":
        return is_number(value)
    return is_whole(value, 1) or (message["name"] == "horizon" and (value is None or value == "auto"))


TAKES: dict[str, Takes] = {
    "kind": lambda _, value: False,
    "client": lambda message, value: is_name(value) or (message["kind"], "client") in UNREAD,
    "seq": lambda _, value: is_whole(value, 1),
    "ms": lambda _, value: is_whole(value, 1),
    "until": lambda _, value: isinstance(value, str) and value in {"batch", "record"},
    "batch": lambda _, value: is_whole(value, 0),
    "stream": lambda _, value: value is None or (is_whole(value, 0) and value < STREAMS),
    "part": lambda _, value: value is None,
    "side": lambda _, value: is_whole(value, 0) and value < 2,
    "name": lambda _, value: False,
    "value": takes_setting,
    "numbers": lambda _, value: value in ([], [1]) or (is_whole(value, 0) and value < 2),
    "id": lambda _, value: True,  # others are of panels that are gone: passed over
    "data": lambda _, value: False,
}
"""By field, what it takes beside what the message had."""
CALLED = {"part": ("surface",)}
"""What refusals call a field otherwise, with good reason."""
UNREAD: set[tuple[str, str]] = {("resync", "client")}
MAY_BE_MISSING = {"side", "stream", "part", "id"}


def is_taken(message: Message, field: str, one: Message) -> bool:
    """Whether a message that differs in one field from a right one is right, too."""
    if field not in one:
        return field in MAY_BE_MISSING or (message["kind"], field) in UNREAD
    value, right = one[field], message[field]
    return (type(value) is type(right) and value == right) or TAKES[field](message, value)


class Kernel:
    """The kernel's half, with all that it says to pages."""

    def __init__(self, widget: RNNbow | Comparison | Sweep) -> None:
        self.widget = widget
        self.said: list[Message] = []
        assert widget.comm is not None
        widget.comm.publish_msg = self._publish

    def _publish(self, kind: str, data: Message, **rest: Any) -> None:
        if data.get("method") == "custom":
            require_plain(data["content"])
            self.said.append(data["content"])
        elif data.get("method") == "update":
            require_plain(data["state"])

    def hears(self, message: Any, buffers: Sequence[bytes] = ()) -> list[Message]:
        """What is said to a message."""
        self.said.clear()
        content = {"data": {"method": "custom", "content": message}}
        self.widget._handle_msg({"content": content, "buffers": list(buffers)})
        return list(self.said)

    @property
    def trainers(self) -> list[Trainer]:
        if isinstance(self.widget, Comparison):
            return list(self.widget.trainers.values())
        return [self.widget.trainer] if isinstance(self.widget, RNNbow) and self.widget.trainer else []

    def state(self) -> list[Any]:
        """All that is trained and recorded, and which trials are opened."""
        trained = [
            (trainer.batch, trainer.rnn.parameters.vector.tobytes(), trainer.settings) for trainer in self.trainers
        ]
        runs = [self.widget.run] if isinstance(self.widget, RNNbow) else list(self.widget.runs.values())
        recorded = [run.column("loss").tobytes() for run in runs]
        assert recorded
        return [trained, recorded, self.widget.opened if isinstance(self.widget, Sweep) else ()]

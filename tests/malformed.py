"""What a message or a state can be but should not: JSON of every kind in the place of every field."""

import json
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]


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

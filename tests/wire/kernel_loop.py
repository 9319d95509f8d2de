"""Stands for the event loop of a kernel, which goes on once a cell, or what a message asked for, has ended."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any


class KernelLoop:
    """Calls what is to be called later when it is told that the kernel has nothing else to do."""

    def __init__(self) -> None:
        self._calls: deque[Callable[[], None]] = deque()

    def is_closed(self) -> bool:
        return False

    def call_soon_threadsafe(self, call: Callable[..., None], *arguments: Any) -> None:
        self._calls.append(partial(call, *arguments))

    def call_later(self, _: float, call: Callable[..., None], *arguments: Any) -> None:
        self._calls.append(partial(call, *arguments))

    def go_on(self) -> None:
        while self._calls:
            self._calls.popleft()()

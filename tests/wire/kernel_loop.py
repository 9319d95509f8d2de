"""Stands for the event loop of a kernel, which goes on once a cell, or what a message asked for, has ended."""

from collections import deque
from collections.abc import Callable


class KernelLoop:
    """Calls what is to be called later when it is told that the kernel has nothing else to do."""

    def __init__(self) -> None:
        self._calls: deque[Callable[[], None]] = deque()

    def is_closed(self) -> bool:
        return False

    def call_soon_threadsafe(self, call: Callable[[], None]) -> None:
        self._calls.append(call)

    def call_later(self, _: float, call: Callable[[], None]) -> None:
        self._calls.append(call)

    def go_on(self) -> None:
        while self._calls:
            self._calls.popleft()()

"""Does something when it has been quiet for a while, once the kernel has nothing else to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic


class Quiet:
    """Waits on an event loop of a kernel, which goes on when a cell or a message ends.

    It is the one that runs on the thread which disturbs, since kernels answer pages on another one than cells; or else
    that on which it was made. Where there is none, as in a script, nobody is to be told, and nothing is done.

    Parameters
    ----------
    seconds : float
        How long it is to be quiet.
    act : callable
        Is called then.
    """

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._since = monotonic()
        self._made_on = _running_loop()
        self._waits_on: asyncio.AbstractEventLoop | None = None

    def disturb(self) -> None:
        """From now on it is to be quiet. On any thread; takes next to no time."""
        self._since = monotonic()
        if self._waits_on and not self._waits_on.is_closed():
            return
        loop = _running_loop() or self._made_on
        if loop and not loop.is_closed():
            self._waits_on = loop
            loop.call_soon_threadsafe(self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        left = self._since + self._seconds - monotonic()
        if left > 0:
            loop.call_later(left, self._look, loop)
            return
        self._waits_on = None
        self._act()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None

"""Does something when it has been quiet for a while, once the kernel has nothing else to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic


class Quiet:
    """Waits on the event loop on which it was made: that of a kernel, which goes on when a cell or a message ends.

    Where none runs, as in a script, there is nobody to wait for, and nothing is done.

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
        self._waits = False
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def disturb(self) -> None:
        """From now on it is to be quiet. On any thread; takes next to no time."""
        self._since = monotonic()
        if self._loop and not self._waits and not self._loop.is_closed():
            self._waits = True
            self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        left = self._since + self._seconds - monotonic()
        if left > 0 and self._loop:
            self._loop.call_later(left, self._look)
            return
        self._waits = False
        self._act()

"""Who is told that something has changed, and is not kept alive by that."""

from __future__ import annotations

import weakref
from collections.abc import Callable


class Followers:
    """Bound methods that are called without arguments."""

    def __init__(self) -> None:
        self._methods: list[weakref.WeakMethod[Callable[[], None]]] = []

    def add(self, follower: Callable[[], None]) -> None:
        """Have `follower`, a bound method, called from now on, for as long as its object lives."""
        self._methods.append(weakref.WeakMethod(follower))

    def tell(self) -> None:
        """Call all whose objects live."""
        for reference in tuple(self._methods):
            follower = reference()
            if follower is None:
                self._methods.remove(reference)
            else:
                follower()

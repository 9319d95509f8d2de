"""Methods that fail once, and a few things at once."""

import threading
from collections.abc import Callable
from typing import Any

_PATIENCE_SECONDS = 20


class InjectedError(Exception):
    """What a test has made go wrong."""


class Failing:
    """Has methods of objects fail the next time that they are called.

    Attributes
    ----------
    raised : bool
        Whether one has.
    """

    def __init__(self) -> None:
        self.raised = False
        self._due: list[Callable[[], None]] = []

    def fail_once(self, owner: object, name: str, *, after: bool = False, error: Exception | None = None) -> None:
        """Have a method raise, before or after it has done what it does; then it is again what it was."""
        own = vars(owner)
        method, before = getattr(owner, name), own.get(name)
        lock = threading.Lock()
        due = True

        def mend() -> None:
            nonlocal due
            with lock:
                if not due:
                    return
                due = False
            if own.get(name) is failing:
                if before is None:
                    del own[name]
                else:
                    own[name] = before

        def failing(*arguments: Any, **named: Any) -> Any:
            if not due:
                return method(*arguments, **named)
            mend()
            self.raised = True
            if after:
                method(*arguments, **named)
            raise error or InjectedError(f"{name} failed, as a test wants it")

        own[name] = failing
        self._due.append(mend)

    def mend(self) -> None:
        """Have all methods be what they were."""
        while self._due:
            self._due.pop()()  # the newest first: one method may be meant to fail twice


class ImpatientLock:
    """A lock for which nobody waits for ever: that it is not to be had is an error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.locked = self._lock.locked
        self.release = self._lock.release

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not blocking or timeout >= 0:
            return self._lock.acquire(blocking, timeout)
        assert self._lock.acquire(timeout=_PATIENCE_SECONDS), "it waits for ever"
        return True

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def at_once(*calls: Callable[[], Any]) -> None:
    """Call each on a thread of its own; raise what the first of them raises."""
    raised: list[Exception] = []

    def called(call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception as error:  # of threads nobody would hear it
            raised.append(error)

    threads = [threading.Thread(target=called, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive(), "it waits for ever"
    if raised:
        raise raised[0]

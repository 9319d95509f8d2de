"""Executors for sweeps, in this process: what is trained is trained at once, elsewhere, or when a test says so."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class AtOnce(Executor):
    """Does everything when it is asked."""

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        return future


class Elsewhere(Executor):
    """Calls functions at once, as on a machine that does not see this one's folders."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        data, settings, batches, path, sign = args
        self.calls.append(args)
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        gone = type(sign)(f"/nowhere{sign.path}", sign.token)
        future.set_result(fn(data, settings, batches, f"/nowhere{path}", gone))
        return future


class Later(Executor):
    """Does nothing until it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Future[Any], Any, tuple[Any, ...]]] = []

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.calls.append((future, fn, args))
        return future

    def work(self) -> None:
        """Do what waits longest, unless it was cancelled."""
        future, fn, args = self.calls.pop(0)
        if future.set_running_or_notify_cancel():
            future.set_result(fn(*args))

"""Processes of this machine as an executor whose tasks do not suffer from each other: one that dies costs its own."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from functools import partial
from multiprocessing import get_context, parent_process
from typing import Any

from .checks import whole_number

_CANNOT_START = (
    "no worker process could start: its error is printed above, or in the log of the kernel. In a script, start it "
    'within `if __name__ == "__main__":`, since each process reads the script first'
)


class WorkerError(BrokenExecutor):
    """The process that carried out a task ended before the task did, or none could be started."""


class LocalProcesses(Executor):
    """Runs tasks in processes of this machine, one at a time in each.

    Unlike ``ProcessPoolExecutor``, which breaks as a whole when a process dies, another process takes the place of one
    that dies, and only the task that it ran fails. Each process is started afresh ("spawn"), ignores interrupts, which
    hosts send to all processes of a kernel, and ends with the process that started it, however that ends.

    Parameters
    ----------
    workers : int, optional
        How many processes at most; by default as many as this process may use processors.

    Raises
    ------
    TypeError, ValueError
        If that is no whole number of at least 1.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = _processors() if workers is None else whole_number("workers", workers)
        self._lock = threading.Lock()
        self._waiting: deque[_Task] = deque()
        self._idle: list[ProcessPoolExecutor] = []
        self._busy: set[ProcessPoolExecutor] = set()
        self._unfinished: set[Future[Any]] = set()
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function called, as soon as a process is free."""
        task = _Task(fn, args, kwargs)
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot submit after shutdown")
            self._waiting.append(task)
            self._unfinished.add(task.future)
        task.future.add_done_callback(self._forget)
        self._start_next(raising=True)
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks, and end the processes when what was submitted is done; as any executor does."""
        with self._lock:
            self._closed = True
            unfinished = list(self._unfinished)
        if cancel_futures:
            for future in unfinished:
                future.cancel()
        self._start_next()
        if wait:
            wait_for(unfinished)

    def _start_next(self, *, raising: bool = False) -> None:
        """Give the tasks that wait longest to processes, as long as there are some or may be more."""
        while (found := self._next()) is not None:
            task, pool, fresh = found
            try:
                if fresh:
                    pool.submit(os.getpid).add_done_callback(partial(self._on_started, pool, task))
                else:
                    self._give(pool, task)
            except BrokenExecutor:  # it died while it had nothing to do
                self._discard(pool)
                with self._lock:
                    self._waiting.appendleft(task)
            except RuntimeError as error:  # Python ends, or a script that is only read starts processes
                self._discard(pool)
                task.fail(error)
                if raising:
                    raise
        with self._lock:
            unneeded = self._idle if self._closed else []
            self._idle = [] if self._closed else self._idle
        for pool in unneeded:
            pool.shutdown(wait=False)

    def _next(self) -> tuple[_Task, ProcessPoolExecutor, bool] | None:
        """Return a task, the process that is to carry it out, and whether that is a new one."""
        with self._lock:
            while self._waiting and self._waiting[0].future.cancelled():
                self._waiting.popleft().begin()  # so that who waits for it knows
            if not self._waiting or not (self._idle or len(self._busy) < self.workers):
                return None
            fresh = not self._idle
            pool = _one_process() if fresh else self._idle.pop()
            self._busy.add(pool)
            return self._waiting.popleft(), pool, fresh

    def _on_started(self, pool: ProcessPoolExecutor, task: _Task, ready: Future[int]) -> None:
        """A process has started, or could not: then others could not either, and nothing is tried again and again."""
        if ready.exception() is None:
            try:
                self._give(pool, task)
            except RuntimeError as error:
                self._discard(pool)
                task.fail(error)
            return
        self._discard(pool)
        with self._lock:
            failed = [task, *self._waiting]
            self._waiting.clear()
        for one in failed:
            one.fail(WorkerError(_CANNOT_START))

    def _give(self, pool: ProcessPoolExecutor, task: _Task) -> None:
        if task.begin():
            pool.submit(task.fn, *task.args, **task.kwargs).add_done_callback(partial(self._on_ended, pool, task))
        else:
            self._free(pool)
            self._start_next()

    def _on_ended(self, pool: ProcessPoolExecutor, task: _Task, inner: Future[Any]) -> None:
        """Runs on a thread of the executor that has the process, or where the task was submitted."""
        error = inner.exception()
        if isinstance(error, BrokenExecutor):
            self._discard(pool)
            error = WorkerError("the process that carried it out ended abruptly: it was killed, or crashed")
        else:
            self._free(pool)
        if error is None:
            task.future.set_result(inner.result())
        else:
            task.fail(error)
        self._start_next()

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            self._unfinished.discard(future)

    def _discard(self, pool: ProcessPoolExecutor) -> None:
        """Another may take its place."""
        with self._lock:
            self._busy.discard(pool)

    def _free(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            self._busy.discard(pool)
            self._idle.append(pool)


class _Task:
    """A call, and the future of who submitted it."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.fn, self.args, self.kwargs = fn, args, kwargs
        self.future: Future[Any] = Future()
        self._begun = False

    def begin(self) -> bool:
        """From now on it cannot be cancelled; False if it was. A process that takes its turn may have died before."""
        self._begun = self._begun or self.future.set_running_or_notify_cancel()
        return self._begun

    def fail(self, error: BaseException) -> None:
        """Tell an error, unless it was cancelled."""
        if self.begin():
            self.future.set_exception(error)


def _one_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """Set up a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

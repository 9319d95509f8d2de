"""Times on a machine that does other things too: many short turns, taken in rotation, of which the best one counts."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

Task = Callable[[], object]

TURN_SECONDS = 0.02
TURNS = 60


def interleaved(tasks: Mapping[str, Task], turns: int = TURNS) -> dict[str, float]:
    """Seconds per call of each task, by its fastest turn.

    Every task gets turns of the same length, so that whatever else the machine does hits all alike; and turns are
    long enough that a task finds its own data in the caches, as it would alone.
    """
    with without_collector():
        calls = {name: _calls_per_turn(task) for name, task in tasks.items()}
        best = dict.fromkeys(tasks, float("inf"))
        for _ in range(turns):
            for name, task in tasks.items():
                task()
                best[name] = min(best[name], _seconds(task, calls[name]) / calls[name])
    return best


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep Python's garbage collector out of what is timed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _calls_per_turn(task: Task) -> int:
    task()
    calls = 1
    while (seconds := _seconds(task, calls)) < TURN_SECONDS / 4:
        calls *= 2
    return max(1, round(calls * TURN_SECONDS / seconds))


def _seconds(task: Task, calls: int) -> float:
    begun = perf_counter()
    for _ in range(calls):
        task()
    return perf_counter() - begun

"""Where training can be taken up again: copies of all that it goes on from, and which settings it went on with."""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from .parameters import Array

PART = 1 / 8
"""How much of a run's memory limit checkpoints may take."""
_FIRST_INTERVAL = 128  # batches: measured, a copy then costs about 1 % of them
_OBJECT_BYTES = 1_000
_MOST_CHANGES = 100_000


class Changeable(NamedTuple):
    """Settings that change how a batch is trained, and may change at any time."""

    learning_rate: float
    clip_value: float | None
    clip_norm: float | None


@dataclass(frozen=True)
class Checkpoint:
    """What training goes on from before a batch. Arrays are copies that nobody changes.

    Attributes
    ----------
    batch : int
        Number of the batch that comes next.
    weights : array (P,)
        The vector of all parameters.
    past : tuple of array
        What the optimizer gathered; see `Optimizer.past`.
    state : array (S_all,) or (B, S_all)
        The state that is carried into the batch.
    """

    batch: int
    weights: Array
    past: tuple[Array, ...]
    state: Array

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it takes."""
        return _OBJECT_BYTES + sum(array.nbytes for array in (self.weights, self.state, *self.past))


class Checkpoints:
    """Checkpoints at every so many batches, evenly thinned as training goes on. Safe to read on another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held: dict[int, Checkpoint] = {}  # by batch, ascending
            self._interval = _FIRST_INTERVAL
            self._changes: list[tuple[int, Changeable]] = []  # from which batch on, ascending

    @property
    def nbytes(self) -> int:
        """Bytes of memory that they take."""
        return sum(held.nbytes for held in self._held.values())

    def is_due(self, batch: int) -> bool:
        """Whether there is to be a checkpoint before this batch."""
        return batch % self._interval == 0

    def add(self, checkpoint: Checkpoint, limit: float) -> None:
        """Keep a checkpoint, and thin them until they take at most `limit` bytes; none, if one alone takes more."""
        with self._lock:
            held = {**self._held, checkpoint.batch: checkpoint}
            while sum(one.nbytes for one in held.values()) > limit:
                if list(held) in ([0], []):
                    held = {}
                    break
                self._interval *= 2
                held = {batch: one for batch, one in held.items() if batch % self._interval == 0}
            self._held = held

    def change(self, batch: int, settings: Changeable) -> None:
        """Note the settings that hold from a batch on."""
        with self._lock:
            if self._changes and self._changes[-1][0] == batch:
                self._changes.pop()
            if not self._changes or self._changes[-1][1] != settings:
                self._changes.append((batch, settings))
            if len(self._changes) > _MOST_CHANGES:
                self._changes = self._changes[_MOST_CHANGES // 2 :]
                first = self._changes[0][0]
                self._held = {batch: held for batch, held in self._held.items() if batch >= first}

    def before(self, batch: int) -> Checkpoint | None:
        """Return the last checkpoint from which a batch can be reached."""
        with self._lock:
            return max((held for held in self._held.values() if held.batch <= batch), key=_batch, default=None)

    def settings(self, batch: int) -> Changeable:
        """Return the settings that a batch was trained with."""
        with self._lock:
            return self._changes[bisect_right(self._changes, batch, key=lambda change: change[0]) - 1][1]


def _batch(checkpoint: Checkpoint) -> int:
    return checkpoint.batch

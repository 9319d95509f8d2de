"""The details of a run: the snapshots that fit in memory, evenly thinned, and those that are in its file."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from .run_file import RunFileError
from .run_reader import RunReader
from .run_writer import RunWriter
from .snapshot import Snapshot

_READ_BYTES = 8_000_000  # of details are read from a file before they are asked for
_READ_PART = 0.25  # of the memory limit, if that is less


class Details:
    """Snapshots of recorded batches, by their index. Who shares them between threads locks them.

    Parameters
    ----------
    file : RunWriter, RunReader or None
        The file that the run is written to, or from which it was opened.
    of : str
        Id of the run in the file that was opened: it may hold another one by now.

    Attributes
    ----------
    nbytes : int
        Bytes that those in memory take; with what Python and numpy need for them.
    """

    def __init__(self, file: RunWriter | RunReader | None = None, of: str = "") -> None:
        self.file = file
        self.of = of
        self._held: dict[int, Snapshot] = {}  # by index, ascending
        self.nbytes = 0
        self._stride = 1
        self._in_file = np.zeros(0, np.bool_)  # (recorded,): which are in the file that was opened

    def copy(self) -> Details:
        """Return the same for another run, which goes on by itself: it may be read from a file, but writes to none."""
        new = Details(None if isinstance(self.file, RunWriter) else self.file, self.of)
        new._held, new.nbytes = dict(self._held), self.nbytes
        new._stride, new._in_file = self._stride, self._in_file
        return new

    def __len__(self) -> int:
        """Return how many are held in memory."""
        return len(self._held)

    @property
    def thinned_to(self) -> int:
        """They are held, or in the file, of one in so many of the older recorded batches; 1 if none were thinned."""
        if isinstance(self.file, RunReader):
            return self.file.thinned_to
        return 1 if self.file and not self.file.trouble else self._stride

    def at(self, index: int) -> Snapshot | None:
        """Return those of one recorded batch, from memory or the file; None if neither has them."""
        if held := self._held.get(index):
            return held
        if isinstance(self.file, RunReader):
            return self.file.snapshot(index, self.of) if self._in_file[index] else None
        return self.file.snapshot(index) if self.file else None

    def since(self, first: int) -> list[Snapshot]:
        """Return those that are held in memory, in order, of recorded batches from index `first` on."""
        if first <= 0:
            return list(self._held.values())
        newest_first = takewhile(lambda index: index >= first, reversed(self._held))
        return [self._held[index] for index in newest_first][::-1]

    def nearest(self, batch: int) -> Snapshot | None:
        """Return those that are held in memory of the batch nearest to this number."""
        return min(self._held.values(), key=lambda held: abs(held.batch - batch), default=None)

    def there(self, recorded: int) -> NDArray[np.bool_]:
        """Of which of so many recorded batches they are held, or in the file, array (recorded,)."""
        there = np.zeros(recorded, np.bool_)
        if isinstance(self.file, RunReader):
            there[:] = self._in_file[:recorded]
        elif self.file:
            readable = self.file.detailed[:recorded]
            there[: len(readable)] = readable
        there[list(self._held)] = True
        return there

    def hold(self, index: int, snapshot: Snapshot) -> None:
        """Hold a snapshot in memory."""
        self._held[index] = snapshot
        self.nbytes += snapshot.nbytes

    def let_go(self, index: int) -> None:
        """Hold a snapshot no more."""
        self._held.pop(index, None)
        self.nbytes = sum(held.nbytes for held in self._held.values())

    def note_in_file(self, first: int, detailed: NDArray[np.bool_]) -> None:
        """Note which recorded batches from index `first` on, array (batches,), are in the file that was opened."""
        self._in_file = np.concatenate([self._in_file[:first], detailed])

    def read_ahead(self, first: int, memory_limit: float) -> None:
        """Hold some of what the file has from index `first` on, evenly spread: what a page shows before it asks."""
        there = np.flatnonzero(self._in_file[first:]) + first
        if not len(there):
            return
        file, newest = self.file, int(there[-1])
        assert isinstance(file, RunReader)
        with suppress(RunFileError):  # who asks for details that are damaged is told
            snapshot = file.snapshot(newest, self.of)
            most = max(1, int(min(_READ_BYTES, _READ_PART * memory_limit)) // snapshot.nbytes)
            step = 1 << max(0, -(-len(there) // most) - 1).bit_length()  # as thinning spreads them
            for index in there[(there % step == 0) & (there < newest)].tolist():
                self.hold(index, file.snapshot(index, self.of))
            self.hold(newest, snapshot)

    def thin(self, newest: int, target: float, named: Iterable[int]) -> None:
        """Give up details in memory, evenly, until they take at most `target` bytes, or only the newest is left.

        Parameters
        ----------
        newest : int
            Index of the newest recorded batch.
        target : float
            Bytes.
        named : iterable of int
            Indices that are spared as far as they take half of that, those that matter most first.
        """
        spared = {newest} | self._spared(named, target / 2)
        while self.nbytes > target and len(self._held) > 1:
            if self._stride > newest:  # even those that are spared are too many
                spared = {newest}
            self._held = {
                index: held
                for index, held in self._held.items()
                if index in spared or (index % self._stride == 0 and self._stride <= newest)
            }
            self.nbytes = sum(held.nbytes for held in self._held.values())
            if self.nbytes > target and self._stride <= newest:
                self._stride *= 2

    def _spared(self, named: Iterable[int], budget: float) -> set[int]:
        """Return the first of these indices whose details are held and take at most so many bytes."""
        spared: set[int] = set()
        for index in named:
            if index in self._held and index not in spared:
                budget -= self._held[index].nbytes
                if budget < 0:
                    break
                spared.add(index)
        return spared

"""The overview of a run: a few numbers of every recorded batch, as columns that grow. numpy only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .snapshot import Float32, Snapshot

Column = NDArray[np.generic]

DIVERGED, FROM_ZERO_STATE, CLIPPED = 1, 2, 4
"""What the bits of a batch's flags say."""

PLACES = ("batch", "start", "stop")
"""Columns of int64: which batch it is, and the positions in the training data that its targets cover."""
_LEAST_CAPACITY = 64
_GROWTH = 1.25


class Overview:
    """Columns with one row per recorded batch: int64 places, int32 flags, float32 for the rest.

    A row is worked out once, when it is appended. It takes 48 bytes, and 8 more for each surface and measure: 72 for
    the three measures of one surface. Up to a quarter more is set aside for rows to come. Rows that are there never
    change, so that they can be read while others are appended.
    """

    def __init__(self) -> None:
        self._columns: dict[str, Column] = {}
        self._capacity = 0
        self._count = 0
        self._nbytes = 0

    def __len__(self) -> int:
        return self._count

    def append(self, snapshot: Snapshot) -> None:
        """Add the row of a recorded batch.

        Raises
        ------
        ValueError
            If it does not have the surfaces and measures that the rows before it have.
        """
        row = dict(_row(snapshot))
        if self._columns and self._columns.keys() != row.keys():
            raise ValueError(
                f"snapshot takes the surfaces and measures of those before it, {self.surfaces}; "
                f"got {list(snapshot.surfaces)}"
            )
        if self._count == self._capacity:
            self._grow(row)
        for name, value in row.items():
            self._columns[name][self._count] = value
        self._count += 1

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns; none before the first row."""
        return tuple(self._columns)

    @property
    def surfaces(self) -> list[str]:
        """Surfaces and measures that there are bar heights of, as `surface_key` names them."""
        return [name.removeprefix("max:") for name in self._columns if name.startswith("max:")]

    def column(self, name: str, first: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Rows ``first:stop`` of a column, array (rows,) that cannot be written to. Nothing is copied."""
        stop = self._count if stop is None else stop  # before the array: whatever array then holds has as many rows
        view = self._columns[name][first:stop] if self._columns else _empty(name, 0)
        view.flags.writeable = False
        return view

    @property
    def nbytes(self) -> int:
        """Bytes that the columns take."""
        return self._nbytes

    def _grow(self, row: dict[str, float]) -> None:
        self._capacity = max(_LEAST_CAPACITY, int(_GROWTH * self._capacity))
        for name in row:
            larger = _empty(name, self._capacity)
            if self._count:
                larger[: self._count] = self._columns[name]
            self._columns[name] = larger
        self._nbytes = sum(column.nbytes for column in self._columns.values())


def flags_of(snapshot: Snapshot) -> int:
    """Flags of a recorded batch."""
    return DIVERGED * snapshot.diverged | FROM_ZERO_STATE * snapshot.from_zero_state | CLIPPED * snapshot.clipped


def _empty(name: str, rows: int) -> Column:
    return np.empty(rows, np.int64 if name in PLACES else np.int32 if name == "flags" else np.float32)


def _row(snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    yield "batch", snapshot.batch
    yield "start", snapshot.start
    yield "stop", snapshot.stop
    yield "flags", flags_of(snapshot)
    yield "grad_norm", snapshot.grad_norm
    yield "update_norm", snapshot.update_norm
    yield "horizon_length", snapshot.horizon_length
    yield "loss", _mean(snapshot.loss)
    yield "accuracy", _mean(snapshot.accuracy)
    for key in snapshot.surfaces:
        surface, _, measure = key.partition(":")
        heights = snapshot.bar_heights(surface, measure or "norm")  # (n,)
        yield f"max:{key}", np.maximum.reduce(heights)
        yield f"mean:{key}", _mean(heights)


def _mean(values: Float32) -> float:
    """Mean of an array (n,): a third of the time of numpy's own, and every recorded batch takes several."""
    return float(np.add.reduce(values)) / len(values)

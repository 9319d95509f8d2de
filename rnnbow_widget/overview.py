"""The overview of a run: a few numbers of every recorded batch, as columns that grow. numpy only."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .snapshot import INDICATORS, Snapshot, bar_heights, horizon_lengths

Column = NDArray[np.generic]

DIVERGED, FROM_ZERO_STATE, CLIPPED = 1, 2, 4
"""What the bits of a batch's flags say."""

PLACES = ("batch", "start", "stop")
"""Columns of int64: which batch it is, and the positions in the training data that its targets cover."""
_NAMES = (*PLACES, "flags", "grad_norm", "update_norm", "horizon_length", "loss", "accuracy", *INDICATORS)
QUANTITIES = (
    "max_gradient",
    "mean_gradient",
    "grad_norm",
    "update_norm",
    "loss",
    "accuracy",
    "horizon_length",
    *INDICATORS,
)
"""What there is one number of per batch: the columns of a run, and what the overview can draw."""
BAR_QUANTITIES = {"max_gradient": "max", "mean_gradient": "mean"}
"""Those of them that are of the bars of a surface, and what the overview calls them."""

_LEAST_CAPACITY = 64
_MOST_DUE = 64  # snapshots whose rows are not worked out yet
_MOST_DUE_BYTES = 1_000_000
_GROWTH = 1.25


class Overview:
    """Columns with one row per recorded batch: int64 places, int32 flags, float32 for the rest.

    A row takes 72 bytes, and 8 more for each surface and measure: 96 for the three measures of one surface. Up to a
    quarter more is set aside for rows to come. Rows are worked out many at a time, when they are asked for or enough
    are due: that takes a fraction of the time. Rows that are there never change, so that they can be read while others
    are appended, on any thread.
    """

    def __init__(self) -> None:
        self._columns: dict[str, Column] = {}
        self._capacity = 0
        self._count = 0  # rows in the columns
        self._nbytes = 0
        self._due: list[Snapshot] = []
        self._due_nbytes = 0
        self._lock = threading.RLock()

    def __len__(self) -> int:
        with self._lock:
            return self._count + len(self._due)

    def append(self, snapshot: Snapshot) -> None:
        """Add the row of a recorded batch. Bar heights of surfaces that other batches have are NaN.

        Raises
        ------
        ValueError
            If its primary surface is another one than that of the rows before it.
        """
        keys = list(snapshot.surfaces)
        with self._lock:
            known = self.surfaces
            if known and keys[0] != known[0]:
                raise ValueError(
                    f"snapshot takes the primary surface of those before it, {known[0]!r}; got {keys[0]!r}"
                )
            if not known or not set(keys) <= set(known):
                self._work_out()
                self._lay_out([*known, *(key for key in keys if key not in known)])
            if len(self._due) >= _MOST_DUE or self._due_nbytes > _MOST_DUE_BYTES:
                self._work_out()
            if len(self) == self._capacity:
                self._grow()
            self._due_nbytes += snapshot.nbytes
            self._due.append(snapshot)  # last: who is interrupted before has recorded nothing

    def extend(self, columns: Mapping[str, Column]) -> None:
        """Add rows that were worked out before, by column: arrays (rows,). Of floats that are missing they have NaN.

        Raises
        ------
        ValueError
            If they lack a column of whole numbers, or have another primary surface than the rows before them.
        """
        if missing := {*PLACES, "flags"} - set(columns):
            raise ValueError(f"columns takes {', '.join(sorted(missing))} too")
        keys = [name.removeprefix("max:") for name in columns if name.startswith("max:")]
        with self._lock:
            self._worked_out()
            known = self.surfaces
            if not keys or (known and keys[0] != known[0]):
                raise ValueError(f"columns takes the primary surface of the rows before, {known[:1]}; got {keys[:1]}")
            first, stop = self._count, self._count + len(columns["batch"])
            if not set(keys) <= set(known):
                self._lay_out([*known, *(key for key in keys if key not in known)])
            if stop > self._capacity:
                self._grow(stop)
            for name, column in self._columns.items():
                column[first:stop] = columns.get(name, np.nan)
            self._count = stop

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns; none before the first row."""
        return tuple(self._worked_out())

    @property
    def surfaces(self) -> list[str]:
        """Surfaces and measures that there are bar heights of, by `surface_key`. The first is the primary's norm."""
        return [name.removeprefix("max:") for name in self._columns if name.startswith("max:")]

    def column(self, name: str, first: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Rows ``first:stop`` of a column, array (rows,) that cannot be written to. Nothing is copied."""
        with self._lock:
            columns = self._worked_out()
            view = columns[name][first : self._count if stop is None else stop] if columns else _empty(name, 0)
        view.flags.writeable = False
        return view

    @property
    def nbytes(self) -> int:
        """Bytes that the columns take."""
        return self._nbytes

    def __getstate__(self) -> dict[str, Any]:
        # A lock cannot be copied; a copy needs one of its own, and rows that it may go on with.
        with self._lock:
            state = {name: value for name, value in self.__dict__.items() if name != "_lock"}
            columns = {name: column.copy() for name, column in self._columns.items()}
        return {**state, "_columns": columns, "_due": list(state["_due"])}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def _worked_out(self) -> dict[str, Column]:
        with self._lock:
            if self._due:
                self._work_out()
            return self._columns

    def _work_out(self) -> None:
        stop = self._count
        for _, alike in groupby(self._due, key=_shapes):
            rows = _rows(list(alike), self.surfaces)
            first, stop = stop, stop + len(rows["batch"])
            for name, row in rows.items():
                self._columns[name][first:stop] = row
        # Only now: an interrupt may come at any time before, and the rows are then worked out again.
        self._count, self._due, self._due_nbytes = stop, [], 0

    def _grow(self, least: int = _LEAST_CAPACITY) -> None:
        self._capacity = max(least, int(_GROWTH * self._capacity))
        self._lay_out(self.surfaces)

    def _lay_out(self, keys: Sequence[str]) -> None:
        """Make room for rows, and for bar heights of these surfaces and measures."""
        bars = [f"{of}:{key}" for key in keys for of in ("max", "mean")]
        columns = {name: _empty(name, self._capacity) for name in (*_NAMES, *bars)}
        for name, column in columns.items():
            if self._count:
                held = self._columns.get(name)
                column[: self._count] = np.nan if held is None else held[: self._count]
        self._columns = columns
        self._nbytes = sum(column.nbytes for column in columns.values())


def flags_of(snapshot: Snapshot) -> int:
    """Flags of a recorded batch."""
    return DIVERGED * snapshot.diverged | FROM_ZERO_STATE * snapshot.from_zero_state | CLIPPED * snapshot.clipped


def loss_of(snapshot: Snapshot) -> float:
    """Mean loss per step, as the column has it."""
    return float(_rows([snapshot], ())["loss"][0])


def _empty(name: str, rows: int) -> Column:
    return np.empty(rows, _dtype(name))


def _dtype(name: str) -> type[np.generic]:
    return np.int64 if name in PLACES else np.int32 if name == "flags" else np.float32


def _shapes(snapshot: Snapshot) -> list[tuple[str, tuple[int, ...]]]:
    return [(key, items.shape) for key, items in snapshot.surfaces.items()]


def _rows(snapshots: Sequence[Snapshot], keys: Sequence[str]) -> dict[str, Column]:
    """Work out the rows of batches that are alike in surfaces and shapes, by column: arrays (batches,)."""
    steps = snapshots[0].steps
    losses = [s.losses for s in snapshots]  # (batches,)
    rows: dict[str, Any] = {
        "batch": [s.batch for s in snapshots],
        "start": [s.start for s in snapshots],
        "stop": [s.stop for s in snapshots],
        "flags": [flags_of(s) for s in snapshots],
        "grad_norm": [s.grad_norm for s in snapshots],
        "update_norm": [s.update_norm for s in snapshots],
        "horizon_length": horizon_lengths(snapshots),
        "loss": _per_loss(np.add.reduce([s.loss for s in snapshots], axis=1), losses),
        "accuracy": _per_loss(np.add.reduce([s.right for s in snapshots], axis=1), losses),
    }
    unknown = np.full(len(INDICATORS), np.nan)
    more = np.array([unknown if s.indicators is None else s.indicators for s in snapshots])  # (batches, 6)
    rows |= dict(zip(INDICATORS, more.T, strict=True))
    for key in keys:
        if key not in snapshots[0].surfaces:
            rows[f"max:{key}"] = rows[f"mean:{key}"] = np.full(len(snapshots), np.nan)
            continue
        pieces = np.array([s.surfaces[key] for s in snapshots])  # (batches, n, k)
        beyond = np.array([s.beyond[key] for s in snapshots]) if key in snapshots[0].beyond else None  # (batches, n)
        heights = bar_heights(pieces, beyond, signed=key.endswith(":share"))  # (batches, n)
        rows[f"max:{key}"] = np.maximum.reduce(heights, axis=1)
        rows[f"mean:{key}"] = np.add.reduce(heights, axis=1) / steps
    with np.errstate(over="ignore"):  # of norms in double precision
        return {name: np.asarray(row).astype(_dtype(name)) for name, row in rows.items()}


def _per_loss(sums: NDArray[np.floating[Any]], losses: Sequence[float]) -> NDArray[np.floating[Any]]:
    """Return sums (batches,) per loss, of which there may be none."""
    with np.errstate(invalid="ignore"):
        found: NDArray[np.floating[Any]] = np.divide(sums, losses)
    return found

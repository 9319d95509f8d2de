"""What stands for a long run where not all of it fits: real batches, so that no peak of any quantity is lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .overview import DIVERGED, PLACES, Overview
from .protocol import packed_nbytes
from .snapshot import Snapshot

EXTRACT_BYTES = 900_000
"""Room for an extract: a notebook that is saved with it, and with some details, stays below 2 MB."""
MOST_DIVERGED = 100


def extract_rows(overview: Overview, count: int, others: ArrayLike = ()) -> NDArray[np.intp]:
    """Choose rows of an overview that stand for all of it.

    Parameters
    ----------
    overview : Overview
        It may grow meanwhile.
    count : int
        How many of its rows to choose from.
    others : array of int
        Rows that are wanted beside those that are chosen.

    Returns
    -------
    int array (rows,)
        Ascending. All rows, if there are no more than `most_rows` says; else of each of `stretches` equal stretches its
        first row and, of each quantity, the first that holds the stretch's largest finite value; the newest row; and
        diverged ones.
    """
    if count <= most_rows(overview):
        return np.arange(count)
    size = -(-count // stretches(overview))
    chosen = [np.arange(0, count, size), np.array([count - 1]), np.asarray(others, np.intp)]
    chosen.append(np.flatnonzero(overview.column("flags", 0, count) & DIVERGED)[:MOST_DIVERGED])
    values = np.empty(-(-count // size) * size, np.float32)  # (stretches · size,)
    for name in _quantities(overview):
        column = overview.column(name, 0, count)  # (count,)
        values.fill(-np.inf)
        np.copyto(values[:count], column, where=np.isfinite(column))
        peaks = values.reshape(-1, size).argmax(axis=1)  # (stretches,)
        chosen.append(np.minimum(peaks + np.arange(len(peaks)) * size, count - 1))
    return np.unique(np.concatenate(chosen)).astype(np.intp)


def most_rows(overview: Overview) -> int:
    """How many rows are no reason to choose among them: as many as a choice may have."""
    return EXTRACT_BYTES // (4 * max(1, len(overview.names)))  # nothing recorded: no columns yet


def stretches(overview: Overview) -> int:
    """Of how many stretches of the run an extract holds the highest batches: about 600 if one surface is recorded."""
    return max(1, most_rows(overview) // (1 + len(_quantities(overview))))


def spread(snapshots: Sequence[Snapshot], budget: int, wanted: Sequence[Snapshot] = ()) -> list[Snapshot]:
    """Choose snapshots that take at most so many bytes when they are packed.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        In order.
    budget : int
        Bytes.
    wanted : sequence of Snapshot
        Some of them that are chosen first.

    Returns
    -------
    list of Snapshot
        In order: the wanted ones, the newest, and others evenly spread. Empty if one alone is too large.
    """
    chosen: dict[int, Snapshot] = {}
    for snapshot in wanted:
        if packed_nbytes(snapshot) <= budget and snapshot.batch not in chosen:
            chosen[snapshot.batch] = snapshot
            budget -= packed_nbytes(snapshot)
    # As far apart as they must be if all were as large as the newest; begun closer together, since they may be smaller.
    step = max(1, len(snapshots) * packed_nbytes(snapshots[-1]) // max(1, budget) // 16) if snapshots else 1
    while step <= 2 * len(snapshots):
        evenly = snapshots[::-1][::step]  # the newest is always among them
        if sum(map(packed_nbytes, evenly)) <= budget:
            chosen.update((snapshot.batch, snapshot) for snapshot in evenly)
            break
        step *= 2
    return [chosen[batch] for batch in sorted(chosen)]


def _quantities(overview: Overview) -> list[str]:
    return [name for name in overview.names if name not in (*PLACES, "flags")]

"""A Run: the overview of every recorded batch, and the details of as many as fit in memory. numpy only."""

from __future__ import annotations

import math
import operator
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from .about import About
from .checks import finite_float, one_of
from .cues import Cue, CueFinder
from .export import File, write_out
from .overview import CLIPPED, DIVERGED, Overview
from .snapshot import Float32, Snapshot, surface_key

MEMORY_LIMIT = 256_000_000
"""Bytes that a run takes at most, unless it is told otherwise."""
_ROOM = 0.75  # part of the limit that a thinning leaves filled: the next one is not due at once

QUANTITIES = ("max_gradient", "mean_gradient", "grad_norm", "update_norm", "loss", "accuracy", "horizon_length")
"""What there is one number of per batch: the columns of a run, and what the overview can draw."""
_BARS = {"max_gradient": "max", "mean_gradient": "mean"}


class ThinnedError(LookupError):
    """The details of a recorded batch were given up to stay within the run's memory limit; its columns are kept.

    Attributes
    ----------
    batch : int
        Number of the batch that was asked for.
    nearest : int
        Number of the nearest batch whose details are held.
    """

    def __init__(self, batch: int, nearest: int, memory_limit: int) -> None:
        super().__init__(
            f"the details of batch {batch} were thinned to stay within memory_limit={memory_limit} bytes; the nearest "
            f"batch with details is {nearest}: run.at({nearest}). run.details() has all that are held; a larger "
            f"memory_limit, of the Trainer or the run, keeps more of what is recorded from then on"
        )
        self.batch = batch
        self.nearest = nearest


class ReplayError(LookupError):
    """What was not kept of a recorded batch cannot be worked out again; the message says why."""


class Recall(Protocol):
    """Works out again what was not kept of a recorded batch: the trainer that made the run."""

    def snapshot(self, batch: int, surface: str | None = None) -> Snapshot:
        """Return a recorded batch with what was recorded, or with one surface only.

        Raises
        ------
        ReplayError
            If that cannot be done.
        ValueError
            If there is no such surface.
        """


class Run(Sequence[Snapshot]):
    """What was recorded, in order, and under which settings. Safe to read while it grows on another thread.

    The overview, a few numbers per batch, is kept of every recorded batch. The details, snapshots, are kept of all
    until they would take more than the memory limit. Then they are thinned: of every second recorded batch, then of
    every fourth, and so on, and of those that `cues` names; what is recorded after a thinning is kept in full until
    the next. The newest snapshot is always held.

    Parameters
    ----------
    vocabulary : tuple of str
        What the tokens are called.
    settings : mapping
        What the run was made with, to show and to reproduce it.
    about : About, optional
        What there is to know of inputs, targets and their loss.
    memory_limit : float
        Bytes that overview and details may take together. The overview is never thinned, at about 80 bytes per batch.

    Raises
    ------
    TypeError, ValueError
        If `memory_limit` is not a number greater than 0.

    Attributes
    ----------
    recall : Recall or None
        Works out what was not kept of a recorded batch. None if no trainer is there: a copy of a run has none.
    overhead : float
        Share of its time that a training loop elsewhere spends on recording, where that is measured; else NaN.

    Examples
    --------
    ``run[-1].surfaces["W_hh"]`` is the newest batch's array (n, k); ``run.column("max_gradient")`` has one number per
    batch. ``run[i]`` belongs to ``run.batches[i]``; if its details were thinned, it raises `ThinnedError`, and so does
    iterating over it. ``run.details()`` has those that are held.
    """

    def __init__(
        self,
        vocabulary: tuple[str, ...],
        settings: Mapping[str, Any] | None = None,
        *,
        about: About | None = None,
        memory_limit: float = MEMORY_LIMIT,
    ) -> None:
        self.vocabulary = vocabulary
        self.settings = dict(settings or {})
        self.about = about
        self.recall: Recall | None = None
        self.overhead = math.nan
        self._lock = threading.RLock()
        self._forget()
        self.memory_limit = memory_limit

    def append(self, snapshot: Snapshot) -> None:
        """Add the newest snapshot.

        Raises
        ------
        ValueError
            If it is not of a later batch than the last one, or has other surfaces and measures.
        """
        with self._lock:
            recorded = len(self)
            newest = self._details[recorded - 1].batch if recorded else -1
            if snapshot.batch <= newest:
                raise ValueError(f"snapshot takes a batch after {newest}, got batch {snapshot.batch}")
            self._overview.append(snapshot)
            self._details[recorded] = snapshot
            self._details_nbytes += snapshot.nbytes
            if self.nbytes > self._memory_limit:
                self._thin()

    def clear(self) -> None:
        """Forget all that was recorded."""
        with self._lock:
            self._forget()

    @property
    def memory_limit(self) -> int:
        """Bytes that overview and details may take together. May be changed at any time."""
        return self._memory_limit

    @memory_limit.setter
    def memory_limit(self, value: float) -> None:
        with self._lock:
            self._memory_limit = int(finite_float("memory_limit", value, at_least=1))
            if self.nbytes > self._memory_limit:
                self._thin()

    @overload
    def __getitem__(self, index: int) -> Snapshot: ...
    @overload
    def __getitem__(self, index: slice) -> list[Snapshot]: ...
    def __getitem__(self, index: int | slice) -> Snapshot | list[Snapshot]:
        with self._lock:
            if isinstance(index, slice):
                return [self._at_index(i) for i in range(len(self))[index]]
            return self._at_index(range(len(self))[operator.index(index)])

    def __len__(self) -> int:
        return len(self._overview)

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self[:])

    def at(self, batch: int) -> Snapshot:
        """Return the snapshot of a batch number.

        Raises
        ------
        KeyError
            If that batch was not recorded.
        ThinnedError
            If its details are held no more.
        """
        with self._lock:
            return self._at_index(self.index_of(batch))

    def with_surface(self, batch: int, surface: str) -> Snapshot:
        """Return a recorded batch with one surface only: the one that was recorded, or worked out again by the trainer.

        Parameters
        ----------
        batch : int
            Number of a recorded batch.
        surface : str
            Name of a surface; see `Surfaces.parse`.

        Raises
        ------
        KeyError
            If that batch was not recorded.
        ReplayError
            If the surface was not recorded, and cannot be worked out again.
        ValueError
            If there is no such surface.
        """
        with self._lock:
            held = self._details.get(self.index_of(batch))
        if held is not None and surface in held.surfaces:
            return held.only(surface)
        if self.recall is None:
            raise ReplayError(
                f"surface {surface!r} of batch {batch} is not held, and there is no trainer that could work it out"
            )
        return self.recall.snapshot(batch, surface)

    def surface(self, batch: int, surface: str, measure: str = "norm") -> Float32:
        """Return a surface of a recorded batch, array (n, K): at ``[j, i]`` what step j received from one loss.

        That loss is the one at step ``t = j + first_lag + i``; ``with_surface(batch, surface).first_lags`` has the
        first lag, if that is not 0.

        Parameters
        ----------
        batch, surface :
            As for `with_surface`, and the same errors.
        measure : str
            "norm", "mean_abs" or "share"; of a Jacobian only the norm.

        Raises
        ------
        ValueError
            Also if the surface has no such measure.
        """
        found = self.with_surface(batch, surface)
        key = surface_key(surface, measure)
        if key not in found.surfaces:
            measures = [held.partition(":")[2] or "norm" for held in found.surfaces]
            one_of("measure", measure, measures)
        return found.surfaces[key]

    def index_of(self, batch: int) -> int:
        """Return the place of a batch number in `batches` and in every column.

        Raises
        ------
        KeyError
            If that batch was not recorded.
        """
        batches = self.batches
        index = int(np.searchsorted(batches, batch))
        if index == len(batches) or batches[index] != batch:
            raise KeyError(f"batch {batch} was not recorded")
        return index

    def details(self, first: int = 0) -> list[Snapshot]:
        """Return the snapshots that are held, in order, of recorded batches from index `first` on."""
        with self._lock:
            if first <= 0:
                return list(self._details.values())
            newest_first = takewhile(lambda index: index >= first, reversed(self._details))
            return [self._details[index] for index in newest_first][::-1]

    @property
    def detailed(self) -> NDArray[np.bool_]:
        """Of which recorded batches the details are held, array (recorded,)."""
        with self._lock:
            held = np.zeros(len(self), np.bool_)
            held[list(self._details)] = True
            return held

    @property
    def thinned_to(self) -> int:
        """Details are held of one in so many of the older recorded batches; 1 if none were thinned."""
        return self._stride

    @property
    def overview(self) -> Overview:
        """The columns as they are stored; what is there now stays as it is when the run grows or is cleared."""
        return self._overview

    @property
    def batches(self) -> NDArray[np.int64]:
        """Numbers of all recorded batches, array (recorded,) that cannot be written to."""
        return self._overview.column("batch")

    @property
    def primary(self) -> str | None:
        """Name of the primary surface: W_hh of the layer next to the read-out; None if nothing was recorded."""
        return next(iter(self._overview.surfaces), None)

    def column(self, name: str, surface: str | None = None, measure: str = "norm") -> NDArray[np.float64]:
        """One number per recorded batch, array (recorded,). Recorded as float32.

        Parameters
        ----------
        name : str
            One of `QUANTITIES`: "max_gradient", "mean_gradient", "grad_norm", "update_norm", "loss" (mean per step, in
            nats or squared), "accuracy" or "horizon_length".
        surface, measure : str
            For the first two: whose bars; by default those of the primary surface. NaN for batches that it was not
            recorded with.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        overview = self._overview
        stored = one_of("name", name, QUANTITIES)
        if name in _BARS:
            key = surface_key(surface or self.primary or "W_hh", measure)
            if overview.surfaces:
                one_of("surface and measure", key, overview.surfaces)
            stored = f"{_BARS[name]}:{key}"
        return overview.column(stored).astype(np.float64)

    def cues(self) -> list[Cue]:
        """Batches worth looking at, ranked, with the reason in words: extremes, sudden changes, clipping, divergence.

        What counts as which is in docs/measures.md. Costs what was recorded since it was asked last.
        """
        with self._lock:
            first, overview = self._finder.seen, self._overview
            flags = overview.column("flags", first)
            self._finder.extend(
                overview.column("batch", first),
                max_gradient=overview.column(f"max:{self.primary}", first),
                horizon_length=overview.column("horizon_length", first),
                grad_norm=overview.column("grad_norm", first),
                update_norm=overview.column("update_norm", first),
                clipped=flags & CLIPPED,
                diverged=flags & DIVERGED,
            )
            return self._finder.cues()

    def to_html(self, file: File, *, title: str | None = None, max_bytes: int | None = None) -> None:
        """Write a page to share: the panels with this run, as one file for any browser, without a kernel or a network.

        It holds the overview, and the details that the run holds, recorded surfaces and streams included. Of what does
        not fit details are left out evenly, and the page says so. Numbers of single batches are rounded to one part in
        4,096. `RNNbow.to_html` writes what a widget shows, as it shows it.

        Parameters
        ----------
        file : path or file object
            Where to. A file that is there is replaced.
        title : str, optional
            Heading of the page; by default the name of the data.
        max_bytes : int, optional
            Size of the page at most, 5 MB by default.

        Raises
        ------
        TypeError, ValueError
            If an argument is not of the kind above, or `max_bytes` leaves no room for the run.
        OSError
            If the file cannot be written.
        """
        from .page import MAX_BYTES, make_page
        from .reporter import Reporter

        page = make_page(Reporter(self, None), title=title, max_bytes=MAX_BYTES if max_bytes is None else max_bytes)
        write_out(file, page)

    @property
    def nbytes(self) -> int:
        """Bytes that overview and details take, with what Python and numpy need to hold them."""
        return self._overview.nbytes + self._details_nbytes

    def __repr__(self) -> str:
        with self._lock:
            if not len(self):
                return "Run(nothing recorded yet)"
            batches, loss, horizon = self.batches, self.column("loss"), self.column("horizon_length")
            unit = " nats per step" if self.vocabulary else ""
            ended = ", diverged" if self._overview.column("flags")[-1] & DIVERGED else ""
            thinned = ""
            if self._stride > 1:
                thinned = f", details of {len(self._details):,} held: one in {self._stride} and the newest"
            return (
                f"Run({len(self):,} recorded batches, {batches[0]:,} to {batches[-1]:,}; "
                f"loss {loss[0]:.3g} → {loss[-1]:.3g}{unit}, "
                f"horizon {horizon[0]:g} → {horizon[-1]:g} steps, {self.nbytes / 1e6:.2g} MB{thinned}{ended})"
            )

    def __getstate__(self) -> dict[str, Any]:
        # A lock cannot be copied; a copy needs one of its own. It is not what the trainer goes on with.
        return {name: value for name, value in self.__dict__.items() if name != "_lock"} | {"recall": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def _forget(self) -> None:
        self._overview = Overview()
        self._details: dict[int, Snapshot] = {}  # by index, ascending
        self._details_nbytes = 0
        self._stride = 1
        self._finder = CueFinder()

    def _at_index(self, index: int) -> Snapshot:
        held = self._details.get(index)
        if held is None:
            nearest = min(self._details, key=lambda other: abs(other - index))
            raise ThinnedError(int(self.batches[index]), self._details[nearest].batch, self._memory_limit)
        return held

    def _thin(self) -> None:
        """Give up details, evenly, until part of the memory limit is free. Rare enough to cost little per batch."""
        newest = len(self) - 1
        target = max(0, _ROOM * self._memory_limit - self._overview.nbytes)
        spared = {newest} | self._named_by_cues(target / 2)
        while self._details_nbytes > target and len(self._details) > 1:
            if self._stride > newest:  # even those that are spared are too many
                spared = {newest}
            self._details = {
                index: held
                for index, held in self._details.items()
                if index in spared or (index % self._stride == 0 and self._stride <= newest)
            }
            self._details_nbytes = sum(held.nbytes for held in self._details.values())
            if self._details_nbytes > target and self._stride <= newest:
                self._stride *= 2

    def _named_by_cues(self, budget: float) -> set[int]:
        """Indices of batches that cues name, the highest in rank first, whose details take at most so many bytes."""
        named: set[int] = set()
        for cue in self.cues() if budget > 0 else ():
            index = self.index_of(cue.batch)
            if index in self._details and index not in named:
                budget -= self._details[index].nbytes
                if budget < 0:
                    break
                named.add(index)
        return named

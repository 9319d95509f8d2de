"""What was recorded: an overview of every batch, details of as many as memory or a file has; and how to get at them."""

from __future__ import annotations

import math
import operator
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import asdict
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from .about import About
from .checks import finite_float, instance, labels, one_of, shown, whole_number
from .cues import Cue, CueFinder
from .details import Details
from .followers import Followers
from .overview import BAR_QUANTITIES, CLIPPED, DIVERGED, QUANTITIES, Overview
from .recall import Recall, ReplayError, ThinnedError
from .run_file import RunFileError
from .run_reader import RunReader
from .run_writer import RunWriter
from .snapshot import Float32, Snapshot, surface_key, surface_of

MEMORY_LIMIT = 256_000_000
"""Bytes that a run takes at most, unless it is told otherwise."""
_ROOM = 0.75  # part of the limit that a thinning leaves filled: the next one is not due at once


class Records(Sequence[Snapshot]):
    """What a `Run` holds, in order: it grows, is thinned to stay within its memory limit, and is asked for.

    `Run` says what its parameters and attributes are.
    """

    def __init__(
        self,
        vocabulary: tuple[str, ...],
        settings: Mapping[str, Any] | None = None,
        *,
        about: About | None = None,
        memory_limit: float = MEMORY_LIMIT,
    ) -> None:
        self.vocabulary = tuple(labels("vocabulary", vocabulary))
        if not isinstance(settings, Mapping | None):
            raise TypeError(f"settings takes a mapping, got {shown(settings)}")
        self.settings = dict(settings or {})
        self.about = about if about is None else instance("about", about, About)
        self.recall: Recall | None = None
        self.overhead = math.nan
        self._followers = Followers()
        self.beside = 0
        self._overview = Overview()
        self._details = Details()
        self._finder = CueFinder()
        self._lock = threading.RLock()
        self.memory_limit = memory_limit

    @property
    def file(self) -> RunWriter | RunReader | None:
        """The file that the run is written to, or from which it was opened; None if there is none.

        Of one that it is written to, ``file.written`` says how many recorded batches are in it.
        """
        return self._details.file

    @property
    def writer(self) -> RunWriter | None:
        """What writes the run to a file; None if nothing does."""
        return self.file if isinstance(self.file, RunWriter) else None

    @property
    def reader(self) -> RunReader | None:
        """What reads the run from the file that it was opened from; None if it was made here.

        ``reader.activity`` says what the file's writer does.
        """
        return self.file if isinstance(self.file, RunReader) else None

    def append(self, snapshot: Snapshot) -> None:
        """Add the newest snapshot.

        Raises
        ------
        ValueError
            If it is not of a later batch than the last one, or has other surfaces and measures, or if the run was
            opened from a file.
        """
        with self._lock:
            self._require_own()
            recorded = len(self)
            held = self._details.at(recorded - 1) if recorded else None
            newest = held.batch if held else -1
            if snapshot.batch <= newest:
                raise ValueError(f"snapshot takes a batch after {newest}, got batch {snapshot.batch}")
            try:
                self._details.hold(recorded, snapshot)
                self._overview.append(snapshot)
            finally:  # both or neither, whatever interrupts
                if len(self) == recorded:
                    self._details.let_go(recorded)
            self._write_recorded()
            self._stay_within_limit()
        self._followers.tell()

    def follow(self, follower: Callable[[], None]) -> None:
        """Have `follower`, a bound method, called when a snapshot was added. Its object is not kept alive by that."""
        self._followers.add(follower)

    def clear(self) -> None:
        """Forget all that was recorded. A file that the run is written to keeps it until something new is recorded."""
        with self._lock:
            self._require_own()
            self._forget()
            self._write_recorded()

    @contextmanager
    def training(self) -> Iterator[None]:
        """What trains does so within this: in the end all that was recorded is in the file, if the run has one."""
        with self.writer.training() if self.writer else nullcontext():
            try:
                yield
            finally:
                with self._lock:
                    self._write_recorded()

    @property
    def memory_limit(self) -> int:
        """Bytes that overview and details may take together. May be changed at any time."""
        return self._memory_limit

    @memory_limit.setter
    def memory_limit(self, value: float) -> None:
        with self._lock:
            self._memory_limit = int(finite_float("memory_limit", value, at_least=1))
            self._stay_within_limit()

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
        return (self[index] for index in range(len(self)))  # one by one: a file may hold more than memory does

    def at(self, batch: int, seconds: float | None = None) -> Snapshot:
        """Return the snapshot of a batch number. If its details were thinned, the trainer works them out again.

        Parameters
        ----------
        batch : int
            Number of a recorded batch.
        seconds : float, optional
            How long it may take to work it out.

        Raises
        ------
        KeyError
            If that batch was not recorded.
        ThinnedError
            If its details are held no more, and there is no trainer.
        ReplayError
            If there is one, but the batch cannot be worked out again.
        RunFileError
            If they are in a file that cannot be read.
        """
        with self._lock:
            try:
                return self._at_index(self.index_of(batch))
            except ThinnedError:
                recall = self.recall
                if recall is None:
                    raise
        return recall.snapshot(batch, None, seconds)

    def nearest_held(self, batch: int) -> Snapshot:
        """Return the snapshot that is held of the batch nearest to this one.

        Raises
        ------
        LookupError
            If nothing was recorded.
        """
        batch = whole_number("batch", batch, minimum=0)
        with self._lock:
            nearest = self._details.nearest(batch)
        if nearest is None:
            raise LookupError("nothing was recorded")
        return nearest

    def with_surface(self, batch: int, surface: str, seconds: float | None = None) -> Snapshot:
        """Return a recorded batch with one surface only: the one that was recorded, or worked out again by the trainer.

        Parameters
        ----------
        batch : int
            Number of a recorded batch.
        surface : str
            Name of a surface; see `Surfaces.parse`.
        seconds : float, optional
            How long it may take to work it out.

        Raises
        ------
        KeyError
            If that batch was not recorded.
        ReplayError
            If the surface was not recorded, and cannot be worked out again.
        RunFileError
            If it is in a file that cannot be read.
        ValueError
            If there is no such surface.
        """
        surface = instance("surface", surface, str)
        with self._lock:
            held = self._details_of(self.index_of(batch))
        if held is not None and surface in map(surface_of, held.surfaces):
            return held.only(surface)
        if self.recall is None:
            raise ReplayError(
                f"surface {surface!r} of batch {batch} is not held, and there is no trainer that could work it out"
            )
        return self.recall.snapshot(batch, surface, seconds)

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
        key = surface_key(surface, instance("measure", measure, str))
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
        batch = whole_number("batch", batch, minimum=0)
        batches = self.batches
        index = int(np.searchsorted(batches, batch))
        if index == len(batches) or batches[index] != batch:
            raise KeyError(f"batch {batch} was not recorded")
        return index

    def details(self, first: int = 0) -> list[Snapshot]:
        """Return the snapshots that are held in memory, in order, of recorded batches from index `first` on."""
        with self._lock:
            return self._details.since(first)

    @property
    def detailed(self) -> NDArray[np.bool_]:
        """Of which recorded batches the details are held, or in the file, array (recorded,)."""
        with self._lock:
            return self._details.there(len(self))

    @property
    def thinned_to(self) -> int:
        """Details are held, or in the file, of one in so many of the older recorded batches; 1 if none were thinned."""
        return self._details.thinned_to

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
            nats or squared), "accuracy", "horizon_length", or one of `INDICATORS`.
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
        if name in BAR_QUANTITIES:
            if surface is not None:
                surface = instance("surface", surface, str)
            key = surface_key(surface or self.primary or "W_hh", instance("measure", measure, str))
            if overview.surfaces:
                one_of("surface and measure", key, overview.surfaces)
            stored = f"{BAR_QUANTITIES[name]}:{key}"
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

    @property
    def nbytes(self) -> int:
        """Bytes that overview and details take, and what is kept beside; with what Python and numpy need for them."""
        return self._overview.nbytes + self._details.nbytes + self.beside

    def __getstate__(self) -> dict[str, Any]:
        # A lock cannot be copied; a copy needs one of its own. It is not what the trainer goes on with, nor what the
        # file is written from, nor what somebody follows; but it can be read from a file.
        with self._lock:
            state = {name: value for name, value in self.__dict__.items() if name != "_lock"}
            own = {"_overview": copy(self._overview), "_details": self._details.copy(), "_finder": CueFinder()}
        return {**state, **own, "recall": None, "beside": 0, "_followers": Followers()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def _forget(self, of: str = "", **about: Any) -> None:
        """Begin anew: perhaps with what the file that was opened says about the run in it, whose id is `of`."""
        # In one step: an interrupt may come at any time.
        vars(self).update(about, _overview=Overview(), _details=Details(self.file, of), _finder=CueFinder())

    def _write_recorded(self) -> None:
        """Have written what the writer was not given: the newest batch, and after an interrupt perhaps one before."""
        if self.writer:
            if self.writer.overview is not self._overview:  # it was cleared
                self.writer.start_over(self._overview, self._about())
            for index in range(self.writer.given, len(self)):
                self.writer.append(self._details.at(index))

    def _require_own(self) -> None:
        if self.reader:
            raise ValueError(f"this run was opened from {self.reader.path}, and only what writes that file changes it")

    def _about(self) -> dict[str, Any]:
        """What a file has of the whole run."""
        return {
            "vocabulary": list(self.vocabulary),
            "settings": self.settings,
            "thinned_to": self.thinned_to,
            "data": None if self.about is None else asdict(self.about),
        }

    def _at_index(self, index: int) -> Snapshot:
        held = self._details_of(index)
        if held is None:
            detailed = np.flatnonzero(self.detailed)
            if not len(detailed) and self.file:
                raise RunFileError(self.file.path, "has the details of no recorded batch")
            nearest = detailed[np.abs(detailed - index).argmin()]
            raise ThinnedError(int(self.batches[index]), int(self.batches[nearest]), self._memory_limit)
        return held

    def _details_of(self, index: int) -> Snapshot | None:
        with self._lock:
            return self._details.at(index)

    def _stay_within_limit(self) -> None:
        """Thin details if there is too much: until part of the limit is free, so that it is rare and costs little."""
        if self.nbytes > self._memory_limit:
            target = max(0, _ROOM * self._memory_limit - self._overview.nbytes - self.beside)
            self._details.thin(len(self) - 1, target, [self.index_of(cue.batch) for cue in self.cues()])

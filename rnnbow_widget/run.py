"""A Run: the overview of every recorded batch, and the details of as many as fit in memory or are in a file."""

from __future__ import annotations

import math
import operator
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from .about import About
from .arrays import one_stream, overview_frame, snapshots_dataset
from .checks import finite_float, instance, labels, one_of, positive_int, shown
from .cues import Cue, CueFinder
from .details import Details
from .diagnoses import Diagnosis, diagnose
from .export import File
from .overview import CLIPPED, DIVERGED, Overview
from .reading import Reading, read
from .recall import Recall, ReplayError, ThinnedError
from .run_file import RunFileError
from .run_reader import RunReader
from .run_writer import RunWriter, save_run
from .snapshot import INDICATORS, Float32, Snapshot, surface_key, surface_of

if TYPE_CHECKING:
    import pandas
    import xarray

MEMORY_LIMIT = 256_000_000
"""Bytes that a run takes at most, unless it is told otherwise."""
_ROOM = 0.75  # part of the limit that a thinning leaves filled: the next one is not due at once

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


class Run(Sequence[Snapshot]):
    """What was recorded, in order, and under which settings. Safe to read while it grows on another thread.

    The overview, a few numbers per batch, is kept of every recorded batch. The details, snapshots, are kept of all
    until they would take more than the memory limit. Then they are thinned: of every second recorded batch, then of
    every fourth, and so on, and of those that `cues` names; what is recorded after a thinning is kept in full until
    the next. The newest snapshot is always held.

    A run can be written to a file while it grows (`keep_saving`), and opened from one (`Run.open`). Details that are
    in the file but not in memory are read when they are asked for, so that none are missing.

    Parameters
    ----------
    vocabulary : tuple of str
        What the tokens are called.
    settings : mapping
        What the run was made with, to show and to reproduce it.
    about : About, optional
        What there is to know of inputs, targets and their loss.
    memory_limit : float
        Bytes that overview and details may take together. The overview is never thinned, at about 100 bytes per batch.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Attributes
    ----------
    recall : Recall or None
        Works out what was not kept of a recorded batch. None if no trainer is there: a copy of a run has none.
    overhead : float
        Share of its time that a training loop elsewhere spends on recording, where that is measured; else NaN.
    beside : int
        Bytes that the trainer keeps for that, within the same limit.

    Examples
    --------
    >>> from rnnbow_widget import Trainer
    >>> run = Trainer("hello world, " * 40, hidden_size=16, record_every=10, seed=0).train(100)
    >>> run[-1].surfaces["W_hh"].shape  # of the newest batch: steps, lags
    (25, 10)
    >>> run.column("max_gradient").shape  # one number per batch
    (10,)

    ``run[i]`` belongs to ``run.batches[i]``; if its details were thinned, it raises `ThinnedError`, and so does
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
        self.vocabulary = tuple(labels("vocabulary", vocabulary))
        if not isinstance(settings, Mapping | None):
            raise TypeError(f"settings takes a mapping, got {shown(settings)}")
        self.settings = dict(settings or {})
        self.about = about if about is None else instance("about", about, About)
        self.recall: Recall | None = None
        self.overhead = math.nan
        self._followers: list[weakref.WeakMethod[Callable[[], None]]] = []
        self.beside = 0
        self._details = Details()
        self._lock = threading.RLock()
        self._forget()
        self.memory_limit = memory_limit

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, memory_limit: float = MEMORY_LIMIT) -> Run:
        """Open a run file, also while another process writes it; see `refresh`.

        Parameters
        ----------
        path : str or path
            Which file.
        memory_limit : float
            Bytes that the run may take in memory. Details are read from the file when they are asked for.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        RunFileError
            If it is no run file, or damaged, or of a newer format.
        """
        file = RunReader(path)
        run = cls(file.vocabulary, file.settings, about=file.data, memory_limit=memory_limit)
        run._details.file = file
        run.refresh()
        return run

    def refresh(self) -> bool:
        """Take over what was added to the file since it was opened or refreshed.

        Returns
        -------
        bool
            Whether the file holds another run than before, because its writer has started over.

        Raises
        ------
        ValueError
            If the run was not opened from a file.
        RunFileError
            If the file cannot be read any more. What was read is kept.
        """
        with self._lock:
            if not isinstance(self.file, RunReader):
                raise ValueError("refresh is for a run that was opened from a file: Run.open(path)")
            file = self.file
            started_over, blocks = file.look(len(self))
            if started_over:
                self._forget()
                self.vocabulary, self.settings, self.about = file.vocabulary, file.settings, file.data
            known = len(self)
            for block in blocks:
                self._overview.extend(block.columns)
                self._details.note_in_file(block.detailed)
            self._details.read_ahead(known, self._memory_limit)
            self._stay_within_limit()
            return started_over

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write what is recorded now to a file, once; see `keep_saving`.

        Parameters
        ----------
        path : str or path
            Where to; the name ends in ``.rnnbow``.
        overwrite : bool
            Whether a run file that is there is replaced.

        Raises
        ------
        FileExistsError
            If there is such a file, and `overwrite` is false.
        RunFileError
            If it cannot be written, or what is to be replaced is no run file. What is there stays as it is.
        TypeError, ValueError
            If the path is none, or does not end in ``.rnnbow``.
        """
        recorded = len(self)
        save_run(path, self._overview, self._about(), map(self._details_of, range(recorded)), overwrite=overwrite)

    def keep_saving(self, path: str | os.PathLike[str], *, overwrite: bool = False, argument: str = "path") -> None:
        """Write to a file what is recorded so far, and what will be, as it is recorded.

        Each batch is in the file about a quarter of a second after it was recorded, and stays there whatever happens to
        this process. A failure to write does not end training: a `RunFileWarning` says so, and ``file.trouble`` why.
        When the run goes out of use, or Python ends, the file is completed and closed.

        Parameters
        ----------
        path, overwrite :
            As of `save`.
        argument : str
            What errors call `path`.

        Raises
        ------
        FileExistsError, RunFileError, TypeError, ValueError
            As of `save`, or if the run is written to a file or was opened from one.
        """
        with self._lock:
            if self.file is not None:
                raise ValueError(f"{argument} cannot be another file: this run has {self.file.path}. See save(path)")
            writer = RunWriter(path, self._overview, self._about(), overwrite=overwrite, argument=argument)
            for index in range(len(self)):
                writer.append(self._details_of(index))
            writer.flush()
            self._details.file = writer
            weakref.finalize(self, writer.close)

    def training(self) -> AbstractContextManager[None]:
        """What trains does so within this: in the end all that was recorded is in the file, if the run has one."""
        return self.writer.training() if self.writer else nullcontext()

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
            self._overview.append(snapshot)
            self._details.hold(recorded, snapshot)
            self._stay_within_limit()
            if self.writer:
                self.writer.append(snapshot)
        for reference in tuple(self._followers):
            follower = reference()
            if follower is None:
                self._followers.remove(reference)
            else:
                follower()

    def follow(self, follower: Callable[[], None]) -> None:
        """Have `follower`, a bound method, called when a snapshot was added. Its object is not kept alive by that."""
        self._followers.append(weakref.WeakMethod(follower))

    def clear(self) -> None:
        """Forget all that was recorded. A file that the run is written to keeps it until something new is recorded."""
        with self._lock:
            self._require_own()
            self._forget()
            if self.writer:
                self.writer.start_over(self._overview, self._about())

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
        batch = positive_int("batch", batch, minimum=0)
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
        batch = positive_int("batch", batch, minimum=0)
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

    def reading(self, batch: int | None = None, surface: str | None = None) -> Reading:
        """Return what a recorded batch says of how far its gradient reaches, in figures and in a sentence.

        Parameters
        ----------
        batch : int, optional
            Number of a recorded batch; by default the newest one.
        surface : str, optional
            Name of a surface; by default the primary one. Others than a `W_hh` that reads forward tell nothing.

        Raises
        ------
        KeyError, ReplayError, RunFileError, ThinnedError, ValueError
            As of `at`, or with a surface of `with_surface`.
        LookupError
            If nothing was recorded.
        """
        if not len(self):
            raise LookupError("nothing was recorded")
        number = int(self.batches[-1]) if batch is None else batch
        return read(self.at(number) if surface is None else self.with_surface(number, surface), surface)

    def diagnoses(self) -> list[Diagnosis]:
        """Return what the newest recorded batches say of how training goes, and what to try.

        Whether it can learn long dependencies; whether gradients explode, are always clipped, or units are saturated or
        dead. What counts as which is in docs/measures.md. Nothing is said of fewer than 10 recorded batches.
        """
        newest = self.details(len(self) - 1) if len(self) else []
        return diagnose(self._overview, newest[-1] if newest else None, self.settings)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the overview as a data frame: a row for each recorded batch, by batch number.

        Its columns are those of the overview: places in the data, flags, norms of gradients, horizon lengths in steps,
        losses per step, accuracies, and for each surface and measure S ``max:S`` and ``mean:S``.

        Raises
        ------
        ImportError
            If pandas is not installed: ``pip install 'rnnbow_widget[pandas]'``.
        """
        return overview_frame(self._overview)

    def to_xarray(self, batches: Sequence[int] | None = None, *, stream: int | None = None) -> xarray.Dataset:
        """Return recorded batches as a dataset with the dimensions batch, surface, step and lag.

        ``norm``, ``mean_abs`` and ``share`` have the pieces, each a variable of its own since their units differ, with
        what a step received from the loss so many lags later; NaN where a batch or surface has no such lag.
        ``…_total`` and ``…_beyond`` have the sums of a step, and what lies past the recorded lags. Numbers of steps and
        of batches, such as ``step_loss`` and ``loss``, are variables too, and the settings are attributes.

        Parameters
        ----------
        batches : sequence of int, optional
            Numbers of recorded batches, ascending; by default all whose details are held or in the file.
        stream : int, optional
            Which stream of minibatches, from 0; by default the average over streams.

        Raises
        ------
        ImportError
            If xarray is not installed: ``pip install 'rnnbow_widget[xarray]'``.
        KeyError, LookupError
            If a batch was not recorded, or its details are held no more.
        ValueError
            If there is no such stream.
        """
        wanted = self.batches[self.detailed].tolist() if batches is None else _whole_numbers("batches", batches)
        found = (self.at(batch) for batch in wanted)
        if stream is not None:
            found = (one_stream(snapshot, stream) for snapshot in found)
        return snapshots_dataset(self._overview, found, self.settings)

    def to_html(self, file: File, *, title: str | None = None, max_bytes: int | None = None, **choices: Any) -> None:
        """Write a page to share: the panels with this run, as one file for any browser, without a kernel or a network.

        It holds the overview, and the details that the run holds, recorded surfaces and streams included. Of what does
        not fit details are left out evenly, and the page says so. Numbers of single batches are rounded to one part in
        2,048. `RNNbow.to_html` writes what a widget shows, as it shows it.

        Parameters
        ----------
        file : path or file object
            Where to. A file that is there is replaced.
        title : str, optional
            Heading of the page; by default the name of the data.
        max_bytes : int, optional
            Size of the page at most, 5 MB by default.
        **choices
            What the page shows first: ``selected``, ``measure``, ``quantity`` and so on, as of `RNNbow`.

        Raises
        ------
        TypeError, ValueError
            If an argument is not of the kind above, or `max_bytes` leaves no room for the run.
        OSError
            If the file cannot be written.
        """
        from .page import write_page

        write_page(self, file, title=title, max_bytes=max_bytes, **choices)

    def to_svg(self, batch: int | None = None, **choices: Any) -> str:
        """Draw a recorded batch as a still picture of the panels, for reports; return it as SVG.

        Parameters
        ----------
        batch : int, optional
            Number of a recorded batch; by default the newest one.
        **choices
            What is drawn: ``surface``, ``measure``, ``stream`` and ``quantity``, as of `rnnbow_widget.picture.draw`,
            which returns matplotlib's figure.

        Raises
        ------
        ImportError
            If matplotlib is not installed; it comes with ``rnnbow_widget[pictures]``.
        KeyError, ReplayError, ThinnedError
            If the batch was not recorded, its details are held no more, or the surface cannot be worked out.
        TypeError, ValueError
            If an argument is not of the kind above, or nothing is recorded.
        """
        from .picture import to_svg

        return to_svg(self, batch, **choices)

    def to_png(self, batch: int | None = None, **choices: Any) -> bytes:
        """Draw a recorded batch as a still picture of the panels; return it as PNG. See `to_svg`."""
        from .picture import to_png

        return to_png(self, batch, **choices)

    @property
    def nbytes(self) -> int:
        """Bytes that overview and details take, and what is kept beside; with what Python and numpy need for them."""
        return self._overview.nbytes + self._details.nbytes + self.beside

    def __repr__(self) -> str:
        with self._lock:
            if not len(self):
                return "Run(nothing recorded yet)"
            batches, loss, horizon = self.batches, self.column("loss"), self.column("horizon_length")
            unit = " nats per step" if self.vocabulary else ""
            ended = ", diverged" if self._overview.column("flags")[-1] & DIVERGED else ""
            thinned = ""
            if self.thinned_to > 1:
                thinned = f", details of {len(self._details):,} held: one in {self.thinned_to} and the newest"
            return (
                f"Run({len(self):,} recorded batches, {batches[0]:,} to {batches[-1]:,}; "
                f"loss {loss[0]:.3g} → {loss[-1]:.3g}{unit}, "
                f"horizon {horizon[0]:g} → {horizon[-1]:g} steps, {self.nbytes / 1e6:.2g} MB{thinned}{ended})"
            )

    def __getstate__(self) -> dict[str, Any]:
        # A lock cannot be copied; a copy needs one of its own. It is not what the trainer goes on with, nor what the
        # file is written from, nor what somebody follows; but it can be read from a file.
        with self._lock:
            state = {name: value for name, value in self.__dict__.items() if name != "_lock"}
            own = {"_overview": copy(self._overview), "_details": self._details.copy(), "_finder": CueFinder()}
        return {**state, **own, "recall": None, "beside": 0, "_followers": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def _forget(self) -> None:
        self._overview = Overview()
        self._details.clear()
        self._finder = CueFinder()

    def _require_own(self) -> None:
        if isinstance(self.file, RunReader):
            raise ValueError(f"this run was opened from {self.file.path}, and only what writes that file changes it")

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


def _whole_numbers(name: str, values: Any) -> list[int]:
    try:
        return [positive_int(name, value, minimum=0) for value in values]
    except TypeError:
        raise TypeError(f"{name} takes a sequence of whole numbers, got {shown(values)}") from None

"""A Run: what was recorded, the file that it is written to or read from, what it says, and what it can be made into."""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .arrays import one_stream, overview_frame, snapshots_dataset
from .checks import shown, whole_number
from .details import Details
from .diagnoses import Diagnosis, diagnose
from .export import File
from .overview import DIVERGED
from .reading import Reading, read
from .records import MEMORY_LIMIT, Records
from .run_reader import RunReader
from .run_writer import RunWriter, save_run

if TYPE_CHECKING:
    import pandas
    import xarray


class Run(Records):
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
        run._details = Details(file, file.state.id)
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
            file = self.reader
            if file is None:
                raise ValueError("refresh is for a run that was opened from a file: Run.open(path)")
            started_over, blocks = file.look(len(self), self._details.of)
            if started_over:
                self._forget(file.state.id, vocabulary=file.vocabulary, settings=file.settings, about=file.data)
            known = len(self)
            for block in blocks:
                self._details.note_in_file(len(self), block.detailed)  # first: an interrupt may come after it
                self._overview.extend(block.columns)
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

    def __repr__(self) -> str:
        with self._lock:
            if not len(self):
                return "Run(nothing recorded yet)"
            batches, loss, horizon = self.batches, self.column("loss"), self.column("horizon_length")
            recorded = "1 recorded batch" if len(self) == 1 else f"{len(self):,} recorded batches"
            unit = " nats per step" if self.vocabulary else ""
            ended = ", diverged" if self._overview.column("flags")[-1] & DIVERGED else ""
            thinned = ""
            if self.thinned_to > 1:
                thinned = f", details of {len(self._details):,} held: one in {self.thinned_to} and the newest"
            return (
                f"Run({recorded}, {batches[0]:,} to {batches[-1]:,}; "
                f"loss {loss[0]:.3g} → {loss[-1]:.3g}{unit}, "
                f"horizon {horizon[0]:g} → {horizon[-1]:g} steps, {self.nbytes / 1e6:.2g} MB{thinned}{ended})"
            )


def _whole_numbers(name: str, values: Any) -> list[int]:
    try:
        return [whole_number(name, value, minimum=0) for value in values]
    except TypeError:
        raise TypeError(f"{name} takes a sequence of whole numbers, got {shown(values)}") from None

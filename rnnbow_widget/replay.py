"""Batches that were trained before, trained again: what was not recorded of them, or not kept, is worked out then."""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic

import numpy as np

from .cell_flow import CellFlow, cell_flow
from .checkpoints import Checkpoint, Checkpoints
from .checks import one_of
from .forward import ForwardPass
from .gradients import Gradients, bptt
from .indicators import indicators
from .overview import loss_of
from .recall import ReplayError, UnfinishedError
from .recording import Itemized, itemize, with_surfaces
from .rnn import RNN
from .run import Run
from .snapshot import Float32, Snapshot
from .surfaces import Surface, Surfaces
from .training_loop import DivergedError, TrainingLoop
from .units import Units, hidden_units


@dataclass(frozen=True)
class Replay:
    """A batch as it was when it was trained.

    Attributes
    ----------
    batch : int
        Its number.
    rnn : RNN
        A network of its own with the weights that the batch was trained with.
    forward : ForwardPass
        The forward pass.
    snapshot : Snapshot
        What is recorded of a batch, with the primary surface.
    """

    batch: int
    rnn: RNN
    forward: ForwardPass
    snapshot: Snapshot = field(repr=False)

    @cached_property
    def gradients(self) -> Gradients:
        """The gradient, before clipping: a `Gradients`, worked out when first asked for."""
        with np.errstate(over="ignore", invalid="ignore"):
            return bptt(self.rnn, self.forward)

    def units(self, surface: str | None = None, horizon: int | None = None, *, stream: int | None = None) -> Units:
        """Return the hidden units of a layer; see `hidden_units`.

        Parameters
        ----------
        surface : str, optional
            Name of its W_hh; by default the primary surface.
        horizon, stream :
            As for `hidden_units`.

        Raises
        ------
        TypeError, ValueError
            If there is no such surface.
        """
        known = Surfaces.of(self.rnn)
        of = known.primary if surface is None else known.parse(surface)
        return hidden_units(self.rnn, self.forward, of, horizon, stream=stream, gradients=self.gradients)

    def cell_flow(self, suffix: str = "", horizon: int | None = None) -> CellFlow:
        """Return how much of every loss's gradient flows along the edges of a cell; see `cell_flow`.

        Parameters
        ----------
        suffix : str
            Which cell: how its parameters' names end, ``""`` for layer 0, forward, or ``"_l1_reverse"``.
        horizon :
            As for `cell_flow`.

        Raises
        ------
        ValueError
            If there is no such layer and direction.
        """
        suffixes = {
            ending: (layer, direction)
            for layer, row in enumerate(self.rnn.parameters.suffixes)
            for direction, ending in enumerate(row)
        }
        layer, direction = suffixes[one_of("cell", suffix, suffixes)]
        return cell_flow(self.rnn, self.forward, layer, direction, horizon)

    def with_surfaces(self, surfaces: list[Surface], horizon: int | None) -> Snapshot:
        """Return the snapshot with other surfaces, itemized to as many lags."""
        return with_surfaces(self.snapshot, itemize(self.rnn, self.forward, surfaces, horizon, self.gradients))


class _Again:
    """Trains batches again, as they were trained, and records nothing.

    Parameters
    ----------
    loop : TrainingLoop
        Of its own.
    checkpoints : Checkpoints
        Which know the settings of every batch.
    primary : Surface
        The one that is itemized of a batch that is looked at.
    """

    def __init__(self, loop: TrainingLoop, checkpoints: Checkpoints, primary: Surface) -> None:
        self._loop = loop
        self._checkpoints = checkpoints
        self._primary = primary
        self._lags = 1
        self._looked_at: tuple[RNN, ForwardPass] | None = None
        self._found: Snapshot | None = None

    @property
    def batch(self) -> int:
        """Number of the batch that comes next."""
        return self._loop.batch

    def start_from(self, checkpoint: Checkpoint) -> None:
        """Go to where a checkpoint is."""
        self._loop.go_to(checkpoint)

    def go_on(self) -> None:
        """Train the next batch."""
        self._train(record=False)

    def look(self, horizon: int) -> Replay:
        """Train the next batch, and return what it was like, itemized to as many lags."""
        batch, self._lags = self.batch, horizon
        with suppress(DivergedError):  # it was recorded, and so it is looked at
            self._train(record=True)
        assert self._looked_at is not None
        assert self._found is not None
        return Replay(batch, *self._looked_at, self._found)

    def _train(self, record: bool) -> None:
        self._loop.settings = self._checkpoints.settings(self.batch)
        self._loop.train_batch(self._look, self._keep, record=record)

    def _look(self, forward: ForwardPass, gradients: Gradients) -> tuple[Itemized, Float32]:
        rnn = self._loop.rnn
        self._looked_at = rnn.copy(), forward
        itemized = itemize(rnn, forward, [self._primary], self._lags, gradients)
        return itemized, indicators(rnn, forward, gradients, spectral=False)  # the overview has the rest, if it was due

    def _keep(self, snapshot: Snapshot) -> None:
        self._found = snapshot


class Replays:
    """Trains batches again, from the checkpoint before them: the `Recall` of a trainer's run.

    It never touches the training that it repeats, which may go on on another thread.

    Parameters
    ----------
    run : Run
        What was recorded: what is worked out again has to have the same loss.
    checkpoints : Checkpoints
        Where it can start from.
    surfaces : Surfaces
        Those of the network.
    loop : TrainingLoop
        The training. Its network is copied once, when that is needed.

    Attributes
    ----------
    recorded : list of Surface
        Those that are recorded.
    """

    recorded: list[Surface]

    def __init__(
        self,
        run: Run,
        checkpoints: Checkpoints,
        surfaces: Surfaces,
        loop: TrainingLoop,
    ) -> None:
        self._run_reference = weakref.ref(run)
        self._checkpoints = checkpoints
        self._surfaces = surfaces
        self._loop = loop
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget what was worked out: training starts over."""
        with self._lock:
            self._newest: Replay | None = None
            self._stands = False  # whether what trains again is somewhere on the way of this training

    def snapshot(self, batch: int, surface: str | None = None, seconds: float | None = None) -> Snapshot:
        """Return a recorded batch with what is recorded now, or with one surface; see `Recall`."""
        surfaces = self.recorded if surface is None else [self._surfaces.parse(surface)]
        self._run.index_of(batch)
        return self.replay(batch, seconds).with_surfaces(surfaces, self._run.nearest_held(batch).horizon)

    def replay(self, batch: int, seconds: float | None = None) -> Replay:
        """Train a batch again.

        Parameters
        ----------
        batch : int
            Its number.
        seconds : float, optional
            How long that may take. What is done until then is not lost for the next time.

        Raises
        ------
        ReplayError
            If it cannot be reached from a checkpoint, takes too long, or is not what was recorded.
        """
        with self._lock:
            if self._newest is None or self._newest.batch != batch:
                self._reach(batch, seconds)
                found = self._again.look(self._run.nearest_held(batch).horizon if len(self._run) else 1)
                self._verify(found)
                self._newest = found
            return self._newest

    @property
    def _run(self) -> Run:
        run = self._run_reference()
        if run is None:
            raise ReplayError("the run that is asked for is there no more")
        return run

    @cached_property
    def _again(self) -> _Again:
        return _Again(self._loop.again(), self._checkpoints, self._surfaces.primary)

    def _reach(self, batch: int, seconds: float | None) -> None:
        """Train up to a batch, from the nearest place before it."""
        checkpoint = self._checkpoints.before(batch)
        stands = self._stands and self._again.batch <= batch
        if not stands or (checkpoint is not None and checkpoint.batch > self._again.batch):
            if checkpoint is None:
                raise ReplayError(
                    f"batch {batch} cannot be worked out again: within memory_limit={self._run.memory_limit} bytes "
                    "there is no room for a copy of the network to start from"
                )
            self._again.start_from(checkpoint)
            self._stands = True
        end = float("inf") if seconds is None else monotonic() + seconds
        while self._again.batch < batch:
            self._again.go_on()
            if monotonic() > end:
                raise UnfinishedError(
                    f"batch {batch} is not worked out again yet: after {seconds:g} s, {batch - self._again.batch} "
                    "batches before it are left to be trained again. The next request goes on from there; in a cell, "
                    "run.surface(…) has no such limit"
                )

    def _verify(self, found: Replay) -> None:
        """Compare with what was recorded, if the batch was."""
        try:
            recorded = self._run.column("loss")[self._run.index_of(found.batch)]
        except KeyError:
            return
        if not np.array_equal(loss_of(found.snapshot), recorded, equal_nan=True):
            self._stands = False
            raise ReplayError(
                f"batch {found.batch} cannot be worked out again: trained again, its loss is "
                f"{loss_of(found.snapshot):.7g}, and {recorded:.7g} was recorded. Something else than training has "
                "changed the network, or the numbers of this machine"
            )

"""What was not kept of a recorded batch: who works it out again, and what is raised where nobody can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .replay import Replay
    from .snapshot import Snapshot


class ThinnedError(LookupError):
    """The details of a recorded batch were given up to stay within the run's memory limit; its columns are kept.

    Attributes
    ----------
    batch : int
        Number of the batch that was asked for.
    nearest : int
        Number of the nearest batch whose details are held.

    Examples
    --------
    >>> from copy import copy
    >>> from rnnbow_widget import Trainer
    >>> trainer = Trainer("hello world, " * 40, hidden_size=8, record_every=1, memory_limit=100_000, seed=0)
    >>> run = copy(trainer.train(200))  # a copy, or a run whose trainer is no more: no batch can be trained again
    >>> try:
    ...     snapshot = run.at(run.batches[~run.detailed][0])
    ... except ThinnedError as error:
    ...     snapshot = run.at(error.nearest)
    >>> run.column("loss").shape  # the numbers of all batches are there
    (200,)
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


class UnfinishedError(ReplayError):
    """It can be worked out again, but not in the time that was given; the next request goes on from there."""


class Recall(Protocol):
    """Works out again what was not kept of a recorded batch: the trainer that made the run."""

    def replay(self, batch: int, seconds: float | None = None) -> Replay:
        """Return a batch as it was when it was trained; see `Trainer.replay`."""

    def snapshot(self, batch: int, surface: str | None = None, seconds: float | None = None) -> Snapshot:
        """Return a recorded batch with what is recorded of others, or with one surface only.

        Parameters
        ----------
        batch : int
            Number of a recorded batch.
        surface : str, optional
            Name of the surface.
        seconds : float, optional
            How long it may take.

        Raises
        ------
        ReplayError
            If that cannot be done.
        ValueError
            If there is no such surface.
        """

"""Several trainers in step: one batch number for all of them. No widget, no messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from .checks import whole_number
from .overview import Overview
from .trainer import Trainer
from .training_loop import DivergedError


@dataclass(frozen=True)
class _Halt:
    """A trainer that diverged: after how many batches, with which settings, and what its run had recorded."""

    error: DivergedError
    batch: int
    settings: dict[str, Any]
    overview: Overview

    def concerns(self, trainer: Trainer) -> bool:
        """Whether the trainer is as it was then; one that was reset has recorded anew, if only from the same batch."""
        same = (self.batch, self.settings) == (trainer.batch, trainer.settings)
        return same and self.overview is trainer.run.overview


class Lockstep:
    """Trains several trainers in turn, by equal numbers of batches.

    Whenever one of its methods returns, all have trained the same number of batches. There are two exceptions. One that
    diverges stays where it did, and the others go on; it is tried again, and catches up first, after its settings
    were changed or it was reset. And those that were behind to begin with catch up before anything else, `train` by
    `train`.

    Parameters
    ----------
    trainers : sequence of Trainer
        In the order in which they take turns.
    """

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        self.trainers = tuple(trainers)
        self._halts: dict[int, _Halt] = {}

    @property
    def batch(self) -> int:
        """Batches that the trainers that go on have trained, or will have when they are level."""
        return max(trainer.batch for trainer in self._going_on() or self.trainers)

    @property
    def diverged(self) -> tuple[DivergedError | None, ...]:
        """Why a trainer stays where it is; None for those that go on."""
        halts = [self._halt(index) for index in range(len(self.trainers))]
        return tuple(halt.error if halt else None for halt in halts)

    @property
    def level(self) -> bool:
        """Whether all that go on have trained the same number of batches."""
        return len({trainer.batch for trainer in self._going_on()}) <= 1

    @contextmanager
    def training(self) -> Iterator[None]:
        """Calls within this are one; see `Trainer.training`."""
        with ExitStack() as stack:
            for trainer in sorted(self.trainers, key=id):  # each holds off other threads: all take them in one order
                stack.enter_context(trainer.training())
            yield

    def train(self, batches: int = 1) -> None:
        """Train a number of batches; if some trainers are behind, let those catch up by at most so many instead.

        Raises
        ------
        DivergedError
            If none is left that can go on.
        """
        batches = whole_number("batches", batches, minimum=0)
        end = self.batch
        behind = [trainer for trainer in self._going_on() if trainer.batch < end]
        end = min(end, min(trainer.batch for trainer in behind) + batches) if behind else end + batches
        self._train_to(end)

    def step(self) -> None:
        """Train one batch of each, and record it."""
        self._catch_up()
        for index, trainer in enumerate(self.trainers):
            if not self._halt(index):
                self._guarded(index, trainer.step)
        self._require_one()

    def step_to_record(self) -> None:
        """Train up to and including the next batch that any of them is due to record."""
        self._catch_up()
        self._train_to(self.batch + min(-t.batch % t.record_every + 1 for t in self._going_on() or self.trainers))

    def reset(self) -> None:
        """Go back to the untrained networks, also with those that diverged."""
        for trainer in self.trainers:
            trainer.reset()

    def _catch_up(self) -> None:
        self._train_to(self.batch)

    def _train_to(self, end: int) -> None:
        for index, trainer in enumerate(self.trainers):
            if trainer.batch < end and not self._halt(index):
                self._guarded(index, partial(trainer.train, end - trainer.batch))
        self._require_one()

    def _guarded(self, index: int, train: Callable[[], object]) -> None:
        """Train one; if it diverges, it stays there and the others are not held up."""
        try:
            train()
        except DivergedError as error:
            trainer = self.trainers[index]
            self._halts[index] = _Halt(error, trainer.batch, trainer.settings, trainer.run.overview)

    def _require_one(self) -> None:
        if not self._going_on():
            raise self._halts[max(self._halts, key=lambda index: self._halts[index].batch)].error

    def _going_on(self) -> list[Trainer]:
        return [trainer for index, trainer in enumerate(self.trainers) if not self._halt(index)]

    def _halt(self, index: int) -> _Halt | None:
        """Why a trainer stays; not if it has been changed since, so that it may go on."""
        halt = self._halts.get(index)
        if halt and not halt.concerns(self.trainers[index]):
            del self._halts[index]
            return None
        return halt

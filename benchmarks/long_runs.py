"""Runs of any length that nobody has to train: real snapshots over and over, each under a batch number of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, cycle

from rnnbow_widget import Run, Trainer
from rnnbow_widget.snapshot import Snapshot

from .setting import paper_trainer

REAL = 200
REAL_EVERY = 50
LAGS = 5
EVERY = 200
"""Recording interval of the long runs: about one recorded batch in each frame while they go on."""


def real_snapshots() -> list[Snapshot]:
    """What a training in the paper's setting recorded."""
    return paper_trainer(horizon=LAGS, record_every=REAL_EVERY).train(REAL * REAL_EVERY)[:]


def endless(real: Sequence[Snapshot]) -> Iterator[Snapshot]:
    """These snapshots again and again, under ascending batch numbers."""
    return (replace(snapshot, batch=batch) for snapshot, batch in zip(cycle(real), count(0, EVERY), strict=False))


def grow(run: Run, snapshots: Iterator[Snapshot], length: int) -> None:
    """Append until the run has that length."""
    while len(run) < length:
        run.append(next(snapshots))


def long_trainer(length: int) -> Trainer:
    """A trainer that looks as if it had recorded so many batches, and can go on."""
    trainer = paper_trainer(horizon=LAGS, record_every=EVERY)
    grow(trainer.run, endless(real_snapshots()), length)
    trainer._loop.batch = length * EVERY  # what nobody else has a reason to set
    return trainer

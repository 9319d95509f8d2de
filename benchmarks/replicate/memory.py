"""Which cells solve tasks that need memory, and at which lengths: adding and temporal order, LSTM against tanh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import median
from typing import Any

from rnnbow_widget import DivergedError, Trainer, tasks
from rnnbow_widget.task import Task

LENGTHS = (20, 50, 100)
CELLS = ("tanh", "lstm")
SEEDS = (1, 2, 3)
MOST_BATCHES = 5_000
EVERY = 250  # batches from one evaluation to the next
SEQUENCES = 500
SETTINGS: dict[str, Any] = {
    "hidden_size": 32,
    "batch_size": 20,
    "optimizer": "adam",
    "learning_rate": 0.01,
    "clip_value": None,
    "clip_norm": 1.0,
    "init": "uniform",
    "record_every": 10**9,
}
FORGET_BIAS = 3.0
"""Of the LSTM: open from the start, since what is to be remembered comes long before the only loss."""


@dataclass(frozen=True)
class Job:
    """One training."""

    task: Task
    cell: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """Where it ended: batches until it was solved, or None; and the least loss of all evaluations."""

    solved_at: int | None
    loss: float


def jobs() -> list[Job]:
    """All trainings, the longest first: two processes then end at about the same time."""
    made = [tasks.Adding(length) for length in LENGTHS] + [tasks.TemporalOrder(length) for length in LENGTHS]
    return [Job(task, cell, seed) for task in reversed(made) for cell in CELLS for seed in SEEDS]


def train(job: Job) -> Outcome:
    """Train until the task is solved on sequences held out, or for `MOST_BATCHES`."""
    own: dict[str, Any] = {"forget_bias": FORGET_BIAS} if job.cell == "lstm" else {}
    trainer = Trainer(job.task, cell=job.cell, seed=job.seed, **own, **SETTINGS)
    least = float("inf")
    while trainer.batch < MOST_BATCHES:
        try:
            trainer.train(EVERY)
        except DivergedError:
            break
        found = trainer.evaluate(SEQUENCES)
        least = least if isnan(found.loss) else min(least, found.loss)
        if found.solved:
            return Outcome(trainer.batch, least)
    return Outcome(None, least)


def report(done: Sequence[tuple[Job, Outcome]]) -> Iterator[str]:
    """The table, line by line."""
    yield "| task | baseline | cell | solved | batches until then | least loss of each seed |"
    yield "| --- | --- | --- | --- | --- | --- |"
    found = {job.task.name: job.task for job, _ in done}.values()
    for task in sorted(found, key=lambda task: (task.kind == "classes", task.steps)):
        for cell in CELLS:
            own = [outcome for job, outcome in done if (job.task.name, job.cell) == (task.name, cell)]
            solved = [outcome.solved_at for outcome in own if outcome.solved_at is not None]
            batches = f"{median(solved):,.0f} (median)" if solved else f"not in {MOST_BATCHES:,}"
            losses = ", ".join(f"{outcome.loss:.2g}" for outcome in own)
            row = (task.name, f"{task.baseline.loss:.3g}", cell, f"{len(solved)} of {len(own)}", batches, losses)
            yield f"| {' | '.join(row)} |"

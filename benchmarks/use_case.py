"""The paper's use case as a whole: 50,000 batches, of which every hundredth is recorded."""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import Trainer

from .setting import STEPS, paper_trainer
from .table import Findings, Row
from .timing import without_collector

BATCHES = 50_000
RECORD_EVERY = 100
HORIZONS = (5, 10)
ALLOWED_SHARE = 0.02
MEMORY_HORIZONS = (5, 10, 20)


def measure() -> Findings:
    rows, notes = [], []
    for horizon in HORIZONS:
        trainer = paper_trainer(horizon=horizon, record_every=RECORD_EVERY)
        seconds = _train(trainer)
        rows.append(_cost_of_recording(horizon, seconds))
        notes.append(_summary(trainer, seconds))
    memory, law = _memory()
    return Findings([*rows, memory], [*notes, law])


def _train(trainer: Trainer) -> NDArray[np.float64]:
    """Seconds that each batch took, (batches,)."""
    seconds = np.empty(BATCHES)
    with without_collector():
        for batch in range(BATCHES):
            begun = perf_counter()
            trainer.train(1)
            seconds[batch] = perf_counter() - begun
    return seconds


def _cost_of_recording(horizon: int, seconds: NDArray[np.float64]) -> Row:
    recorded = np.arange(BATCHES) % RECORD_EVERY == 0  # (batches,)
    plain = float(np.median(seconds[~recorded]))
    # Medians, since whatever interrupts the machine would else decide: it hits some recorded batch or none.
    extra = float(np.median(seconds[recorded])) - plain
    recording = extra * int(recorded.sum())
    total = plain * BATCHES + recording
    share = recording / total
    return Row(
        f"50,000 batches, 500 recorded, horizon {horizon}: cost of recording",
        f"{recording:.3g} s",
        f"{total:.3g} s",
        f"{share:.2%}",
        f"< {ALLOWED_SHARE:.0%}",
        share < ALLOWED_SHARE,
    )


def _summary(trainer: Trainer, seconds: NDArray[np.float64]) -> str:
    run = trainer.run
    return (
        f"Use case, horizon {trainer.horizon}: {BATCHES / seconds.sum():,.0f} batches/s over {seconds.sum():.1f} s, "
        f"smoothed loss {trainer.smooth_loss:.3f} nats per step; {len(run)} batches recorded in {run.nbytes:,} bytes, "
        f"{run.nbytes // len(run):,} a batch."
    )


def _memory() -> tuple[Row, str]:
    """Whether the bytes of a recorded batch are a straight line in n·k."""
    sizes = np.array([_bytes_per_recorded(horizon) for horizon in MEMORY_HORIZONS])  # (horizons,)
    pieces = STEPS * np.array(MEMORY_HORIZONS)  # (horizons,): n·k
    slope, fixed = np.polyfit(pieces, sizes, 1)
    straight = bool(np.allclose(fixed + slope * pieces, sizes, rtol=0, atol=1))
    row = Row("memory of a recorded batch, in bytes", f"{fixed:,.0f}+{slope:.3g}·n·k", asked="O(n·k)", met=straight)
    found = ", ".join(f"{size:,} at horizon {horizon}" for size, horizon in zip(sizes, MEMORY_HORIZONS, strict=True))
    return row, f"Bytes of a recorded batch, n={STEPS}: {found}."


def _bytes_per_recorded(horizon: int) -> int:
    batches = 10
    run = paper_trainer(horizon=horizon, record_every=1).train(batches)
    return run.nbytes // batches

"""The paper's use case as a whole: 50,000 batches, of which every hundredth is recorded."""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import Trainer

from .setting import paper_trainer
from .table import Findings, Row
from .timing import without_collector

BATCHES = 50_000
RECORD_EVERY = 100
HORIZONS = (5, 10)
ALLOWED_SHARE = 0.02


def measure() -> Findings:
    rows, notes = [], []
    for horizon in HORIZONS:
        trainer = paper_trainer(horizon=horizon, record_every=RECORD_EVERY)
        seconds = _train(trainer)
        rows.append(_cost_of_recording(horizon, seconds, np.isfinite(trainer.run.column("spectral_radius"))))
        notes.append(_summary(trainer, seconds))
    return Findings(rows, notes)


def _train(trainer: Trainer) -> NDArray[np.float64]:
    """Seconds that each batch took, (batches,)."""
    seconds = np.empty(BATCHES)
    with without_collector():
        for batch in range(BATCHES):
            begun = perf_counter()
            trainer.train(1)
            seconds[batch] = perf_counter() - begun
    return seconds


def _cost_of_recording(horizon: int, seconds: NDArray[np.float64], spectra: NDArray[np.bool_]) -> Row:
    recorded = np.arange(BATCHES) % RECORD_EVERY == 0  # (batches,)
    plain = float(np.median(seconds[~recorded]))
    of_recorded = seconds[recorded]  # (recorded,)
    # Medians, since whatever interrupts the machine would else decide: it hits some recorded batch or none. Those with
    # a spectrum take much longer, and are counted by themselves.
    kinds = (of_recorded[spectra], of_recorded[~spectra])
    recording = sum((float(np.median(kind)) - plain) * len(kind) for kind in kinds)
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

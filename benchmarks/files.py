"""Run files: how fast recorded batches are written, what that costs a training, and how soon a long file is open."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from rnnbow_widget import Run
from rnnbow_widget.snapshot import Snapshot

from .long_runs import endless
from .setting import paper_trainer
from .table import Findings, Row, dearer, duration
from .timing import without_collector

LAGS = 25
REAL = 200
WRITTEN = 5_000
A_SECOND = 1_000
LONG = 100_000
OPENINGS = 3
ROUNDS = 6
BATCHES = {1: 1_500, 100: 6_000}
"""How many are trained in a round, by the recording interval."""
AT_MOST = 1.02


def measure() -> Findings:
    real = paper_trainer(horizon=LAGS, record_every=50).train(REAL * 50)[:]
    with TemporaryDirectory() as folder, without_collector():
        rows = [_writing(real, Path(folder)), *_opening(real, Path(folder))]
        rows += [_training(every, count, Path(folder)) for every, count in BATCHES.items()]
    return Findings(rows)


def _writing(real: Sequence[Snapshot], folder: Path) -> Row:
    best = float("inf")
    for turn in range(ROUNDS // 2):
        run = Run(real[0].vocabulary)
        run.keep_saving(folder / f"written-{turn}.rnnbow")
        begun = perf_counter()
        for snapshot in islice(endless(real), WRITTEN):
            run.append(snapshot)
        if run.writer:
            run.writer.close()
        best = min(best, perf_counter() - begun)
    rate = WRITTEN / best
    name = f"run file, n=25, k={LAGS}: recorded batches written a second"
    return Row(name, f"{rate:,.0f}", asked=f"≥ {A_SECOND:,}", met=rate >= A_SECOND)


def _opening(real: Sequence[Snapshot], folder: Path) -> list[Row]:
    path = folder / "long.rnnbow"
    run = Run(real[0].vocabulary)
    run.keep_saving(path)
    for snapshot in islice(endless(real), LONG):
        run.append(snapshot)
    if run.writer:
        run.writer.close()
    del run
    opening, reading = float("inf"), float("inf")
    for _ in range(OPENINGS):
        begun = perf_counter()
        opened = Run.open(path)
        opening = min(opening, perf_counter() - begun)
        places = range(1, LONG, LONG // 500)
        begun = perf_counter()
        for place in places:
            opened[place].loss  # noqa: B018  # read from the file
        reading = min(reading, (perf_counter() - begun) / len(places))
    size = path.stat().st_size / LONG
    path.unlink()
    return [
        Row(f"  {LONG:,} of them: from the path to the overview", duration(opening), "", "", "< 1 s", opening < 1.0),
        Row(f"  details of one of them ({size:,.0f} bytes each)", duration(reading)),
    ]


def _training(every: int, count: int, folder: Path) -> Row:
    """Rounds in turn, with a file and without, of which the best count."""
    best = {True: float("inf"), False: float("inf")}
    saved = paper_trainer(horizon=LAGS, record_every=every, save=folder / f"training-{every}.rnnbow")
    trainers = {True: saved, False: paper_trainer(horizon=LAGS, record_every=every)}
    for _ in range(ROUNDS):
        for saves, trainer in trainers.items():
            begun = perf_counter()
            trainer.train(count)
            best[saves] = min(best[saves], perf_counter() - begun)
    recorded = "all" if every == 1 else f"every {every}th"
    name = f"{count:,} batches, {recorded} recorded: with a run file vs without"
    return dearer(name, best[True], best[False], AT_MOST if every > 1 else None)

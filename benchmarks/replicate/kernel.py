"""What the RNNbow paper says of its use case, a small network that learns the Linux kernel, checked run by run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import Run, Snapshot, Trainer, corpora
from rnnbow_widget.corpora import Corpus

INITS = ("normal", "uniform", "orthogonal")
SEEDS = (0, 1, 2)
BATCHES = 50_000
RECORD_EVERY = 100
SETTINGS: dict[str, Any] = {"hidden_size": 100, "seq_length": 25, "learning_rate": 0.1, "clip_value": 5.0}
LAGS = 5
"""Lags that the paper records and draws."""
LOCAL = 3
"""Of them, those that it calls local: zero, one or two steps away."""
EARLY, LATE = slice(1, 11), slice(-50, None)
"""Of the recorded batches: the first thousand but batch 0, and the last five thousand."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Job:
    """One training; of numpy's C headers if there is no kernel source."""

    source: Path | None
    init: str
    seed: int


@dataclass(frozen=True)
class Found:
    """What one run shows. Pairs are of early and of late batches, medians.

    `start`, `plateau` and `spread`: max gradient of batch 0 and its median from the middle of the run on, with the
    quartiles' distance in parts of it; `drift`: median of the last quarter by that of the third. `local`: part of the
    five lags' norms that is at most two steps away. `horizon`: steps. `hidden`: part of all norms beyond five lags.
    `gone`: part of the late losses whose gradient falls below 1 % of its largest piece within the window. `tallest`:
    batch with the largest gradient; `mistaken`: whether its largest piece is from a loss whose prediction was wrong.
    """

    start: float
    plateau: float
    spread: float
    drift: float
    local: tuple[float, float]
    horizon: tuple[float, float]
    hidden: tuple[float, float]
    gone: float
    tallest: int
    mistaken: bool
    loss: float


def tarball() -> Path | None:
    """The newest kernel source of Debian's on this machine."""
    found = sorted(Path("/usr/src").glob("linux-source-*.tar.*"))
    return found[-1] if found else None


@lru_cache(maxsize=1)
def corpus(source: Path | None) -> Corpus:
    return corpora.c_headers() if source is None else corpora.linux_kernel(source)


def jobs(source: Path | None) -> list[Job]:
    return [Job(source, init, seed) for init in INITS for seed in SEEDS]


def train(job: Job) -> Found:
    trainer = Trainer(
        corpus(job.source), init=job.init, seed=job.seed, horizon=None, record_every=RECORD_EVERY, **SETTINGS
    )
    return look_at(trainer.train(BATCHES))


def look_at(run: Run) -> Found:
    heights = run.column("max_gradient")  # (recorded,)
    half, quarter = len(heights) // 2, len(heights) // 4
    low, plateau, high = np.percentile(heights[half:], [25, 50, 75])
    drift = float(np.median(heights[-quarter:]) / np.median(heights[half:-quarter]))
    lengths = run.column("horizon_length")
    late = run[LATE]
    tallest = run[int(heights.argmax())]
    return Found(
        start=float(heights[0]),
        plateau=float(plateau),
        spread=float((high - low) / plateau),
        drift=drift,
        local=(_local(run[EARLY]), _local(late)),
        horizon=(float(np.median(lengths[EARLY])), float(np.median(lengths[LATE]))),
        hidden=(_hidden(run[EARLY]), _hidden(late)),
        gone=float(np.mean([_gone(one) for one in late])),
        tallest=tallest.batch,
        mistaken=_is_mistaken(tallest),
        loss=float(run.column("loss")[LATE].mean()),
    )


def _by_lag(snapshots: Sequence[Snapshot]) -> Floats:
    """Sum of the norms of all pieces, (batches, n)."""
    return np.array([one.surfaces["W_hh"].sum(axis=0, dtype=np.float64) for one in snapshots])


def _local(snapshots: Sequence[Snapshot]) -> float:
    sums = _by_lag(snapshots)[:, :LAGS]  # (batches, LAGS)
    return float(np.median(sums[:, :LOCAL].sum(axis=1) / sums.sum(axis=1)))


def _hidden(snapshots: Sequence[Snapshot]) -> float:
    sums = _by_lag(snapshots)  # (batches, n)
    return float(np.median(sums[:, LAGS:].sum(axis=1) / sums.sum(axis=1)))


def _gone(snapshot: Snapshot) -> float:
    """Part of the losses with half a window behind them that reach no further than the window goes."""
    items = snapshot.surfaces["W_hh"]  # (n, n)
    losses = range(snapshot.steps // 2, snapshot.steps)
    gone = 0
    for t in losses:
        pieces = items[np.arange(t, -1, -1), np.arange(t + 1)]  # (t+1,): by lag
        largest = int(pieces.argmax())
        gone += bool((pieces[largest:] < 0.01 * pieces.max()).any())
    return gone / len(losses)


def _is_mistaken(snapshot: Snapshot) -> bool:
    step = int(snapshot.bar_heights().argmax())
    loss = step + int(snapshot.surfaces["W_hh"][step].argmax())
    return not snapshot.correct[loss]


CLAIMS: dict[str, str] = {
    "the gradient starts very small (batch 0 below a tenth of the later median)": "start",
    "and then plateaus (medians of the last two quarters differ by less than a quarter)": "plateau",
    "with a fair amount of variance (quartiles further apart than a quarter of the median)": "spread",
    "early on, updates are local: more than half of five lags' norms is at most two steps away": "early",
    "later it is distributed more: that part is smaller in late batches": "lighter",
    "time dependencies lengthen: the median horizon length grows from early to late": "longer",
    "late gradients reach 2 to 5 steps": "five",
    "gradients vanish: 9 of 10 late losses fall below 1 % within the window": "vanish",
    "the maximal gradient comes late (second half of the training)": "late",
    "and is due to a mistake": "mistake",
}


def holds(claim: str, found: Found) -> bool:
    """Whether a claim holds in one run, by the measure that stands beside it."""
    return {
        "start": found.start < 0.1 * found.plateau,
        "plateau": 0.8 < found.drift < 1.25,
        "spread": found.spread > 0.25,
        "early": found.local[0] > 0.5,
        "lighter": found.local[1] < found.local[0],
        "longer": found.horizon[1] > found.horizon[0],
        "five": 2 <= found.horizon[1] <= 5,
        "vanish": found.gone >= 0.9,
        "late": found.tallest >= BATCHES / 2,
        "mistake": found.mistaken,
    }[claim]


def report(done: Sequence[tuple[Job, Found]]) -> Iterator[str]:
    """Two tables, line by line: in how many runs each claim holds, and the numbers of every run."""
    head = " | ".join(f"`{init}`" for init in INITS)
    yield f"| what the paper says, and how it is measured | {head} |"
    yield f"| --- |{' --- |' * len(INITS)}"
    for words, claim in CLAIMS.items():
        counts = []
        for init in INITS:
            own = [found for job, found in done if job.init == init]
            counts.append(f"{sum(holds(claim, found) for found in own)} of {len(own)}")
        yield f"| {words} | {' | '.join(counts)} |"
    yield ""
    columns = (
        "init, seed",
        "max gradient: batch 0 → later",
        "two steps away at most, of five lags: early → late",
        "horizon length: early → late",
        "beyond five lags: early → late",
        "late losses gone in the window",
        "tallest batch",
        "late loss",
    )
    yield f"| {' | '.join(columns)} |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for job, found in done:
        pairs = [found.local, found.hidden]
        local, hidden = (f"{early:.0%} → {late:.0%}" for early, late in pairs)
        yield (
            f"| {job.init}, {job.seed} | {found.start:.2g} → {found.plateau:.2g} | {local} "
            f"| {found.horizon[0]:g} → {found.horizon[1]:g} | {hidden} | {found.gone:.0%} | {found.tallest:,} "
            f"| {found.loss:.2f} |"
        )

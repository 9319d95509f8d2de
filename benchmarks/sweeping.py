"""A sweep in processes of this machine: one against two, and against the same trainers one after the other."""

from time import perf_counter

from rnnbow_widget import corpora, sweep

from .setting import PAPER, paper_trainer
from .table import Findings, Row, duration

TRIALS = 6
BATCHES = 10_000
ROUNDS = 2


def measure() -> Findings:
    best = dict.fromkeys(("here", "one", "two"), float("inf"))
    for _ in range(ROUNDS):
        best["here"] = min(best["here"], _here())
        best["one"] = min(best["one"], _swept(1))
        best["two"] = min(best["two"], _swept(2))
    name = f"sweep of {TRIALS} trials of {BATCHES:,} batches, 2 processes"
    return Findings(
        [_row(f"{name}: vs 1", best["two"], best["one"]), _row("  vs a loop here", best["two"], best["here"])]
    )


def _here() -> float:
    begun = perf_counter()
    for seed in range(TRIALS):
        paper_trainer(seed=seed, horizon=None).train(BATCHES)
    return perf_counter() - begun


def _swept(processes: int) -> float:
    """Seconds from handing over to the end, starting processes included."""
    begun = perf_counter()
    settings = {**PAPER, "horizon": None}
    sweep(corpora.c_headers(), {"seed": range(TRIALS)}, batches=BATCHES, executor=processes, **settings).wait()
    return perf_counter() - begun


def _row(name: str, ours: float, peer: float) -> Row:
    return Row(name, duration(ours), duration(peer), f"{peer / ours:.2f}×")

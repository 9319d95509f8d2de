"""What the kernel does to take in one recorded batch and tell pages of it: early in a run, and late."""

from collections.abc import Sequence
from time import perf_counter

from rnnbow_widget import Run
from rnnbow_widget.feed import Feed
from rnnbow_widget.snapshot import Snapshot

from .long_runs import endless, grow, real_snapshots
from .table import Findings, Row, dearer
from .timing import without_collector

EARLY = 100
LATE = 100_000
ROUNDS = 40
CALLS = 10
AT_MOST = 1.2


class Growing:
    """A run that was told in full, and what comes next in it."""

    def __init__(self, real: Sequence[Snapshot], length: int) -> None:
        self._snapshots = endless(real)
        self._run = Run(real[0].vocabulary)
        self._feed = Feed(self._run)
        grow(self._run, self._snapshots, length)
        self._feed.frame()
        self._feed.cues()

    def frame(self) -> float:
        """Seconds to append a batch and to pack it into a frame."""
        new = next(self._snapshots)
        begun = perf_counter()
        self._run.append(new)
        self._feed.frame()
        return perf_counter() - begun

    def cues(self) -> float:
        """Seconds to name the batches worth looking at, after another frame."""
        self.frame()
        begun = perf_counter()
        self._feed.cues()
        return perf_counter() - begun


def measure() -> Findings:
    real = real_snapshots()
    late = Growing(real, LATE)
    frames: dict[int, list[float]] = {EARLY: [], LATE: []}
    cues: dict[int, list[float]] = {EARLY: [], LATE: []}
    with without_collector():
        for _ in range(ROUNDS):
            for length, growing in ((EARLY, Growing(real, EARLY)), (LATE, late)):
                frames[length] += [growing.frame() for _ in range(CALLS)]
                cues[length] += [growing.cues() for _ in range(CALLS)]
    return Findings(
        [
            _row("kernel: append a batch and pack its frame", frames, AT_MOST),
            _row("kernel: name the batches worth a look (once a second)", cues, None),
        ]
    )


def _row(name: str, seconds: dict[int, list[float]], asked: float | None) -> Row:
    return dearer(f"{name}, at {LATE:,} vs at {EARLY}", min(seconds[LATE]), min(seconds[EARLY]), asked)

"""Bytes of a recorded batch, in the kernel and on the way to the page: fitted over windows and horizons."""

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import Run
from rnnbow_widget.feed import Feed

from .setting import paper_trainer
from .table import Findings, Row

STEPS = (25, 50, 100)
LAGS = (5, 10, 20, 25)
BATCHES = 200
ITEM_BYTES = 4
SLACK = 0.01
"""Part by which an item may cost more than a float32: headers have more digits where numbers have."""


def measure() -> Findings:
    sizes = [(n, k) for n in STEPS for k in LAGS]
    runs = [_record(n, k) for n, k in sizes]
    recorded = np.array([run.nbytes / len(run) for run in runs])  # (sizes,)
    sent = np.array([_sent(run) for run in runs])  # (sizes,)
    measures = len(runs[0][-1].surfaces)
    return Findings(
        [
            _row("bytes of a recorded batch, for each measure", sizes, recorded, measures),
            _row("bytes sent of a batch that is alone in its frame, for each measure", sizes, sent, measures),
        ],
        [f"Bytes: fitted over n of {STEPS} and k of {LAGS}. {measures} measures; beside n·k stands what all have."],
    )


def _record(steps: int, lags: int) -> Run:
    """A few recorded batches of so many steps and lags."""
    return paper_trainer(seq_length=steps, horizon=lags, record_every=1).train(BATCHES)


def _sent(run: Run) -> float:
    """Bytes of the chunks of one frame that holds one batch."""
    alone = Run(run.vocabulary, run.settings)
    alone.append(run[-1])
    _, chunks = Feed(alone).frame()
    return float(sum(len(chunk) for chunk in chunks))


def _row(name: str, sizes: list[tuple[int, int]], found: NDArray[np.float64], measures: int) -> Row:
    """Fit ``a·n·k + b·n + c``; a and b hold for all measures together."""
    n, k = np.array(sizes).T  # (sizes,) each
    design = np.stack([n * k, n, np.ones(len(n))], axis=1)  # (sizes, 3)
    (per_item, per_step, constant), *_ = np.linalg.lstsq(design, found)
    one = per_item / measures
    residual = float(np.abs(design @ (per_item, per_step, constant) - found).max() / found.max())
    met = bool(one <= ITEM_BYTES * (1 + SLACK) and residual <= SLACK)
    rest = f"{per_step:+.0f}·n{constant:+,.0f}"
    return Row(name, f"{one:.3g}·n·k", rest, asked=f"{ITEM_BYTES}·n·k+…", met=met)

"""How the cost of itemizing grows with the window and with the horizon: exponents, fitted on logarithms."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import RNN, corpora, itemized_bptt
from rnnbow_widget.forward import ForwardPass

from .setting import HIDDEN
from .table import Findings, Row, duration
from .timing import Task, interleaved

STEPS = (512, 724, 1024, 1448, 2048, 2896, 4096)  # n, at a fixed k
FIXED_LAGS = 32
LAGS = (32, 45, 64, 91, 128, 181, 256)  # k, at a fixed n
FIXED_STEPS = 1024
TURNS = 20
TOLERANCE = 0.1


def measure() -> Findings:
    data = corpora.c_headers()
    # Gradients stay alive over all lags: one that vanished would be followed no further.
    rnn = RNN(len(data.vocabulary), HIDDEN, init="orthogonal", seed=0)

    def window(steps: int) -> ForwardPass:
        tokens = data.tokens[: steps + 1]  # (n+1,)
        return rnn.forward(tokens[:-1], tokens[1:])

    def itemize(forward: ForwardPass, lags: int) -> Task:
        return lambda: itemized_bptt(rnn, forward, lags)

    fixed = window(FIXED_STEPS)
    by_steps = _times({steps: itemize(window(steps), FIXED_LAGS) for steps in STEPS})  # (sizes,)
    by_lags = _times({lags: itemize(fixed, lags) for lags in LAGS})  # (sizes,)
    steps_grow, lags_grow = exponent(STEPS, by_steps), exponent(LAGS, by_lags)
    return Findings(
        [
            Row(
                f"itemizing k={FIXED_LAGS} lags, H={HIDDEN}: time grows as n to the power of",
                f"{steps_grow:.2f}",
                asked=f"1 ± {TOLERANCE:g}",
                met=abs(steps_grow - 1) <= TOLERANCE,
            ),
            Row(
                f"itemizing n={FIXED_STEPS} steps, H={HIDDEN}: time grows as k to the power of",
                f"{lags_grow:.2f}",
                asked="≤ 1",
                met=lags_grow <= 1,
            ),
        ],
        [_note("n", STEPS, by_steps), _note("k", LAGS, by_lags)],
    )


def exponent(sizes: Sequence[int], costs: NDArray[np.float64]) -> float:
    """The power of the size that the costs grow with: least squares on the logarithms of both."""
    slope, _ = np.polyfit(np.log(sizes), np.log(costs), 1)
    return float(slope)


def _times(tasks: dict[int, Task]) -> NDArray[np.float64]:
    seconds = interleaved({str(size): task for size, task in tasks.items()}, TURNS)
    return np.array(list(seconds.values()))  # (sizes,)


def _note(what: str, sizes: Sequence[int], seconds: NDArray[np.float64]) -> str:
    found = ", ".join(f"{duration(time)} at {size:,}" for size, time in zip(sizes, seconds.tolist(), strict=True))
    return f"Growth with {what}, fitted over {sizes[0]:,} to {sizes[-1]:,}: {found}."

"""A long window of a large network, with weights at which gradients vanish and with weights that keep them alive."""

import numpy as np

from rnnbow_widget import RNN, itemized_bptt
from rnnbow_widget.forward import ForwardPass

from .setting import LONG_HIDDEN, LONG_STEPS, long_window
from .table import Findings, dearer
from .timing import Task, interleaved

ALIVE = "orthogonal"
VANISHING = ("normal", "uniform")  # at once, and slowly: the numbers are then small for longer


def measure() -> Findings:
    networks = {init: long_window(init) for init in (ALIVE, *VANISHING)}
    seconds = interleaved({init: _itemize(*network) for init, network in networks.items()})
    name = f"itemized, n={LONG_STEPS}, H={LONG_HIDDEN}: weights {{!r}} vs {ALIVE!r}"
    rows = [dearer(name.format(init), seconds[init], seconds[ALIVE], 2) for init in VANISHING]
    return Findings(rows, [_reach(init, *network) for init, network in networks.items()])


def _itemize(rnn: RNN, forward: ForwardPass) -> Task:
    return lambda: itemized_bptt(rnn, forward)


def _reach(init: str, rnn: RNN, forward: ForwardPass) -> str:
    """How far gradients reach in this window: the setting is what it claims to be."""
    largest = itemized_bptt(rnn, forward).items["norm"].max(axis=0)  # (n,): of all pieces at each lag
    followed = int(np.count_nonzero(largest))
    return f"Weights {init!r}: gradients are followed over {followed} of {LONG_STEPS} lags."

"""A long window of a large network, with weights at which gradients vanish and with weights that keep them alive."""

import numpy as np

from rnnbow_widget import RNN, corpora, itemized_bptt
from rnnbow_widget.rnn import ForwardPass

from .table import Findings, dearer
from .timing import Task, interleaved

STEPS, HIDDEN = 512, 256
ALIVE = "orthogonal"
VANISHING = ("normal", "uniform")  # at once, and slowly: the numbers are then small for longer


def measure() -> Findings:
    networks = {init: _prepare(init) for init in (ALIVE, *VANISHING)}
    seconds = interleaved({init: _itemize(*network) for init, network in networks.items()})
    name = f"itemized, n={STEPS}, H={HIDDEN}: weights {{!r}} vs {ALIVE!r}"
    rows = [dearer(name.format(init), seconds[init], seconds[ALIVE], 2) for init in VANISHING]
    return Findings(rows, [_reach(init, *network) for init, network in networks.items()])


def _prepare(init: str) -> tuple[RNN, ForwardPass]:
    data = corpora.c_headers()
    rnn = RNN(len(data.vocabulary), HIDDEN, init=init, seed=0)
    window = data.tokens[: STEPS + 1]  # (n+1,)
    return rnn, rnn.forward(window[:-1], window[1:])


def _itemize(rnn: RNN, forward: ForwardPass) -> Task:
    return lambda: itemized_bptt(rnn, forward)


def _reach(init: str, rnn: RNN, forward: ForwardPass) -> str:
    """How far gradients reach in this window: the setting is what it claims to be."""
    largest = itemized_bptt(rnn, forward).items["norm"].max(axis=0)  # (n,): of all pieces at each lag
    followed = int(np.count_nonzero(largest))
    return f"Weights {init!r}: gradients are followed over {followed} of {STEPS} lags."

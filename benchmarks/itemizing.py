"""Itemized back-propagation over a whole window, a forward pass at hand."""

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import RNN, bptt, itemized_bptt
from rnnbow_widget.forward import ForwardPass
from rnnbow_widget.measuring import MEASURES

from .agreement import require_agreement
from .peers.double_loop import DoubleLoop
from .peers.pytorch import BatchedAutograd
from .setting import trained_window
from .table import Findings, dearer, faster
from .timing import interleaved


def measure() -> Findings:
    rnn, forward = trained_window()
    window = (forward.inputs, forward.targets)
    double_loop = DoubleLoop(rnn.parameters, *window, forward.states, forward.probabilities)
    autograd = BatchedAutograd(rnn.parameters, *window, forward.states[0])
    _compare(rnn, forward, double_loop, autograd)

    # A peer that finds the gradients of the parameters on the way is met by ours with them, autograd by ours without.
    seconds = interleaved(
        {
            "pieces": lambda: itemized_bptt(rnn, forward),
            "all": lambda: itemized_bptt(rnn, forward).gradients,
            "all, three measures": lambda: itemized_bptt(rnn, forward, measures=MEASURES).gradients,
            "plain": lambda: bptt(rnn, forward),
            "double loop": double_loop.items,
            "autograd": autograd.norms,
        }
    )
    return Findings(
        [
            dearer("itemized and summed, vs plain backward pass", seconds["all"], seconds["plain"], 2.5),
            dearer("  the same with all three measures", seconds["all, three measures"], seconds["plain"]),
            faster("itemized and summed, vs double loop, outer products", seconds["all"], seconds["double loop"], 15),
            faster("itemized, vs PyTorch's batched autograd", seconds["pieces"], seconds["autograd"], 12),
            faster("  the same when ours also sums to gradients of weights", seconds["all"], seconds["autograd"]),
        ]
    )


def _compare(rnn: RNN, forward: ForwardPass, double_loop: DoubleLoop, autograd: BatchedAutograd) -> None:
    itemized = itemized_bptt(rnn, forward)
    norms = itemized.items["norm"]  # (n, n)
    found = double_loop.items()
    require_agreement("double loop", "norms", norms, found.norms)
    for name, gradient in found.gradients.items():
        require_agreement("double loop", name, itemized.gradients.parameters[name], gradient)
    require_agreement("batched autograd", "norms", norms, by_lag(autograd.norms().numpy()))


def by_lag(items: NDArray[np.floating]) -> NDArray[np.floating]:
    """Turn [j, t] into [j, t - j], both (n, n)."""
    return np.array([np.roll(row, -j) for j, row in enumerate(items)])

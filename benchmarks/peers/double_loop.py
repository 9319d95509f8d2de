"""Itemized back-propagation as the paper's formulas are written: a loop over losses, in it a loop back over steps.

float64 columns; every item is built as a matrix, and gradients are sums of such matrices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Tokens = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Items:
    """What the double loop finds: ``‖G_{t,j}‖`` at [j, t - j], array (n, n), and the gradients of the weights."""

    norms: Array
    gradients: dict[str, Array]


class DoubleLoop:
    """Itemizes one window of a tanh network. The forward pass is given: `states` (n+1, H), `probabilities` (n, V)."""

    def __init__(
        self,
        parameters: Mapping[str, NDArray[np.floating]],
        inputs: Tokens,
        targets: Tokens,
        states: NDArray[np.floating],
        probabilities: NDArray[np.floating],
    ) -> None:
        self.W_ih, self.W_hh, self.W_ho = (
            np.array(parameters[name], np.float64, order="C") for name in ("W_ih", "W_hh", "W_ho")
        )
        self.inputs, self.targets = inputs.tolist(), targets.tolist()
        self.states = [np.array(state[:, None], np.float64) for state in states]  # n+1 of (H, 1): h_{j-1} at j
        self.probabilities = [np.array(row[:, None], np.float64) for row in probabilities]  # n of (V, 1)

    def items(self) -> Items:
        n = len(self.targets)
        norms = np.zeros((n, n))
        W_ih, W_hh, W_ho = map(np.zeros_like, (self.W_ih, self.W_hh, self.W_ho))
        for t in range(n):
            at_logits = self.probabilities[t].copy()  # (V, 1)
            at_logits[self.targets[t], 0] -= 1
            W_ho += np.dot(at_logits, self.states[t + 1].T)
            at_state = np.dot(self.W_ho.T, at_logits)  # (H, 1)
            for j in range(t, -1, -1):
                delta = at_state * (1 - self.states[j + 1] ** 2)  # (H, 1)
                item = np.dot(delta, self.states[j].T)  # (H, H): G_{t,j}
                norms[j, t - j] = np.linalg.norm(item)
                W_hh += item
                W_ih[:, self.inputs[j]] += delta[:, 0]
                at_state = np.dot(self.W_hh.T, delta)
        return Items(norms, {"W_ih": W_ih, "W_hh": W_hh, "W_ho": W_ho})

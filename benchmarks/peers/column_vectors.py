"""A character-level network as it is taught: one-hot columns, a dictionary of arrays per quantity, a loop over steps.

float64 throughout. Products of a column and a row are `np.dot`: on such shapes the quickest that numpy has.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Arrays = dict[str, Array]
Tokens = NDArray[np.integer[Any]]


class ColumnVectors:
    """A tanh network with softmax read-out, trained with Adagrad.

    `parameters` has W_ih (H, V), W_hh (H, H), b_h (H,), W_ho (V, H) and b_o (V,).
    """

    def __init__(self, parameters: Mapping[str, NDArray[np.floating]], learning_rate: float, clip_value: float) -> None:
        self.weights: Arrays = {name: _as_matrix(array) for name, array in parameters.items()}
        self.squares: Arrays = {name: np.full_like(array, 1e-8) for name, array in self.weights.items()}
        self.learning_rate = learning_rate
        self.clip_value = clip_value
        self.state = np.zeros((len(self.weights["b_h"]), 1))  # (H, 1)

    def parameters(self) -> Arrays:
        return {name: array.squeeze() for name, array in self.weights.items()}

    def loss_and_gradients(self, inputs: Tokens, targets: Tokens) -> tuple[float, Arrays]:
        """Return the window's summed loss and its gradients; nothing is trained."""
        loss, gradients, _ = self._back_propagate(inputs.tolist(), targets.tolist())
        return loss, {name: gradient.squeeze() for name, gradient in gradients.items()}

    def train_batch(self, inputs: Tokens, targets: Tokens) -> None:
        """Take one step of Adagrad on a window, and carry the state over to the next."""
        _, gradients, self.state = self._back_propagate(inputs.tolist(), targets.tolist())
        for name, gradient in gradients.items():
            np.clip(gradient, -self.clip_value, self.clip_value, out=gradient)
            self.squares[name] += gradient * gradient
            self.weights[name] -= self.learning_rate * gradient / np.sqrt(self.squares[name])

    def _back_propagate(self, inputs: list[int], targets: list[int]) -> tuple[float, Arrays, Array]:
        w = self.weights
        steps = range(len(inputs))
        one_hot: dict[int, Array] = {}  # each (V, 1)
        hidden: dict[int, Array] = {-1: self.state}  # each (H, 1)
        likely: dict[int, Array] = {}  # each (V, 1)
        loss = 0.0
        for t in steps:
            one_hot[t] = np.zeros((w["W_ih"].shape[1], 1))
            one_hot[t][inputs[t], 0] = 1
            hidden[t] = np.tanh(np.dot(w["W_ih"], one_hot[t]) + np.dot(w["W_hh"], hidden[t - 1]) + w["b_h"])
            weight = np.exp(np.dot(w["W_ho"], hidden[t]) + w["b_o"])  # (V, 1)
            likely[t] = weight / np.sum(weight)
            loss -= np.log(likely[t][targets[t], 0])

        g = {name: np.zeros_like(array) for name, array in w.items()}
        from_later = np.zeros_like(self.state)  # (H, 1)
        for t in reversed(steps):
            at_logits = likely[t].copy()  # (V, 1)
            at_logits[targets[t], 0] -= 1
            g["W_ho"] += np.dot(at_logits, hidden[t].T)
            g["b_o"] += at_logits
            at_state = np.dot(w["W_ho"].T, at_logits) + from_later  # (H, 1)
            delta = (1 - hidden[t] * hidden[t]) * at_state  # (H, 1)
            g["W_ih"] += np.dot(delta, one_hot[t].T)
            g["W_hh"] += np.dot(delta, hidden[t - 1].T)
            g["b_h"] += delta
            from_later = np.dot(w["W_hh"].T, delta)
        return float(loss), g, hidden[len(inputs) - 1]


def _as_matrix(array: NDArray[np.floating]) -> Array:
    return np.array(array.reshape(len(array), -1), np.float64, order="C")

"""The bare matrix products of a computation, into arrays that are there: what the machine asks for it at least."""

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import RNN
from rnnbow_widget.forward import ForwardPass

from .timing import Task

Array = NDArray[np.floating]


def of_training(rnn: RNN, forward: ForwardPass) -> dict[str, Task]:
    """The products of a training batch, part by part.

    A token selects a column of W_ih, so neither that nor its gradient is a product here. Sums over steps, tanh, softmax
    and the optimizer are none either.
    """
    parameters, (n, _) = rnn.parameters, forward.probabilities.shape
    W_hh, W_ho, dtype = parameters.W_hh, parameters.W_ho, rnn.dtype
    before, after = forward.states[:-1], forward.states[1:]  # (n, H) each
    rows: list[Array] = list(np.empty_like(after))  # n rows (H,)
    incoming = np.empty_like(after)  # (n, H)
    delta = np.ones_like(after)  # (n, H)
    logits = np.empty((n, rnn.output_size), dtype)  # (n, O)
    to_hidden = np.empty((rnn.hidden_size, rnn.hidden_size), dtype)  # (H, H)
    to_output = np.empty((rnn.output_size, rnn.hidden_size), dtype)  # (O, H)

    def forward_loop() -> None:
        product = W_hh.dot
        for state, row in zip(before, rows, strict=True):
            product(state, row)

    def backward_loop() -> None:
        for later, row in zip(delta, rows, strict=True):
            later.dot(W_hh, row)

    def weight_gradients() -> None:
        np.dot(delta.T, before, to_hidden)
        np.dot(forward.probabilities.T, after, to_output)

    return {
        "forward loop": forward_loop,
        "read-out": lambda: np.dot(after, W_ho.T, logits),
        "into the states": lambda: np.dot(forward.probabilities, W_ho, incoming),
        "backward loop": backward_loop,
        "gradient of W_hh": lambda: np.dot(delta.T, before, to_hidden),
        "weight gradients": weight_gradients,
    }


def of_itemizing(rnn: RNN, forward: ForwardPass) -> Task:
    """The products of a walk back over the whole window: of lag d, one of n − d rows with W_hh."""
    n = len(forward.loss)
    W_hh, W_ho = rnn.parameters.W_hh, rnn.parameters.W_ho
    incoming = np.empty((n, rnn.hidden_size), rnn.dtype)  # (n, H)
    rows = np.ones_like(incoming)  # (n, H)
    found = np.empty_like(incoming)  # (n, H)

    def products() -> None:
        np.dot(forward.probabilities, W_ho, incoming)
        for lag in range(1, n):
            np.dot(rows[lag:], W_hh, found[: n - lag])

    return products

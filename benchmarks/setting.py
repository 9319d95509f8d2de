"""The RNNbow paper's setting: a tanh network with 100 hidden units learns C, in windows of 25 characters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import RNN, Trainer, corpora
from rnnbow_widget.forward import ForwardPass

Tokens = NDArray[np.integer[Any]]

HIDDEN = 100
STEPS = 25
LEARNING_RATE = 0.1
CLIP_VALUE = 5.0
PAPER: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "seq_length": STEPS,
    "learning_rate": LEARNING_RATE,
    "clip_value": CLIP_VALUE,
}
"""The same as settings of `Trainer`."""
LONG_STEPS, LONG_HIDDEN = 512, 256
"""A long window of a large network: what goes past the paper."""
NEVER = 10**9
"""Recording interval that leaves all batches but the first unrecorded."""


def windows() -> list[tuple[Tokens, Tokens]]:
    """Inputs (n,) and targets (n,) of every window of the data, in order."""
    tokens = corpora.c_headers().tokens.astype(np.intp)  # (N,)
    starts = range(0, len(tokens) - STEPS, STEPS)
    return [(tokens[i : i + STEPS], tokens[i + 1 : i + STEPS + 1]) for i in starts]


def paper_trainer(**settings: Any) -> Trainer:
    """A trainer in this setting; others of `Trainer` can be added, or put in place of these."""
    return Trainer(corpora.c_headers(), **{"seed": 0, **PAPER, **settings})


def trained_window(batches: int = 2_000, cell: str = "tanh") -> tuple[RNN, ForwardPass]:
    """A network that has learned for a while, and its forward pass over the window that it would learn next.

    The weights of an untrained network are so small that its gradients vanish within a few steps: less work for us.
    """
    trainer = paper_trainer(record_every=NEVER, cell=cell)
    trainer.train(batches)
    before, window = windows()[batches - 1 : batches + 1]
    state = trainer.rnn.forward(*before).states[-1]  # (S,)
    return trainer.rnn, trainer.rnn.forward(*window, state)


def long_window(init: str) -> tuple[RNN, ForwardPass]:
    """A network of `LONG_HIDDEN` units with weights of a preset, and its forward pass over `LONG_STEPS` characters."""
    data = corpora.c_headers()
    rnn = RNN(len(data.vocabulary), LONG_HIDDEN, init=init, seed=0)
    window = data.tokens[: LONG_STEPS + 1]  # (n+1,)
    return rnn, rnn.forward(window[:-1], window[1:])

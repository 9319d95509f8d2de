"""The RNNbow paper's setting: a tanh network with 100 hidden units learns C, in windows of 25 characters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import RNN, Trainer, corpora
from rnnbow_widget.rnn import ForwardPass

Tokens = NDArray[np.integer[Any]]

HIDDEN = 100
STEPS = 25
LEARNING_RATE = 0.1
CLIP_VALUE = 5.0
NEVER = 10**9
"""Recording interval that leaves all batches but the first unrecorded."""


def windows() -> list[tuple[Tokens, Tokens]]:
    """Inputs (n,) and targets (n,) of every window of the data, in order."""
    tokens = corpora.c_headers().tokens.astype(np.intp)  # (N,)
    starts = range(0, len(tokens) - STEPS, STEPS)
    return [(tokens[i : i + STEPS], tokens[i + 1 : i + STEPS + 1]) for i in starts]


def paper_trainer(**settings: Any) -> Trainer:
    """A trainer in this setting; it takes the settings of `Trainer`."""
    return Trainer(
        corpora.c_headers(),
        hidden_size=HIDDEN,
        seq_length=STEPS,
        learning_rate=LEARNING_RATE,
        clip_value=CLIP_VALUE,
        seed=0,
        **settings,
    )


def trained_window(batches: int = 2_000) -> tuple[RNN, ForwardPass]:
    """A network that has learned for a while, and its forward pass over the window that it would learn next.

    The weights of an untrained network are so small that its gradients vanish within a few steps: less work for us.
    """
    trainer = paper_trainer(record_every=NEVER)
    trainer.train(batches)
    before, window = windows()[batches - 1 : batches + 1]
    state = trainer.rnn.forward(*before).states[-1]  # (H,)
    return trainer.rnn, trainer.rnn.forward(*window, state)

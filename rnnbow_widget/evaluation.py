"""How well a network does a task, on sequences that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .checks import whole_number
from .rnn import RNN
from .task import Task

_TOGETHER = 100  # sequences: more take memory, and hardly less time


@dataclass(frozen=True)
class Evaluation:
    """What a network reached.

    Attributes
    ----------
    loss : float
        Mean per loss.
    accuracy : float
        Part of the losses whose likeliest class was the true one; NaN if targets are vectors.
    solved : bool
        Whether the loss is below `Task.solved_below`.
    """

    loss: float
    accuracy: float
    solved: bool


def evaluate(rnn: RNN, task: Task, sequences: int = 1000, seed: int = 0) -> Evaluation:
    """Run sequences that training with the same seed does not see.

    Parameters
    ----------
    rnn : RNN
        The network. It is not changed.
    task : Task
        What it is to do.
    sequences : int
        How many. The same number and seed give the same sequences.
    seed : int
        That of the training.

    Returns
    -------
    Evaluation

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above, or the network does not fit the task.
    """
    sequences, seed = whole_number("sequences", sequences), whole_number("seed", seed, minimum=0, maximum=None)
    if not isinstance(task, Task):
        raise TypeError(f"task takes a Task, got {type(task).__name__}")
    loss, right, losses = 0.0, 0.0, 0
    for number, first in enumerate(range(0, sequences, _TOGETHER)):
        window = task.held_out(seed, min(_TOGETHER, sequences - first), number)
        forward = rnn.forward(window.inputs, window.targets, mask=window.mask)
        loss += float(forward.loss.sum(dtype=np.float64))
        losses += forward.losses
        if forward.of_classes:
            found = forward.predicted.argmax(axis=-1) == forward.targets  # (n, B)
            right += np.count_nonzero(found if forward.mask is None else found & forward.mask)
    loss /= losses
    return Evaluation(loss, right / losses if task.vocabulary else float("nan"), loss < task.solved_below)

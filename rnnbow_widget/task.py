"""A task: sequences that are made up for each batch, with a loss to compare with, and when it is solved."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from .data import Data, Reference, Windows, check_whole
from .parameters import Mask, Signal
from .window import Window

_TRAINED, _HELD_OUT = 0, 1
_SOLVED = 0.1


class Task(Data):
    """Sequences of one length, independent of each other, drawn anew for every batch.

    The network begins each of them with a zero state.

    Parameters
    ----------
    name : str
        What it is called.
    steps : int
        Steps n of a sequence.
    baseline : Reference
        The loss of a predictor that cannot do what the task is about.
    least : Reference, optional
        The least loss that can be expected of any predictor, if it is not 0.
    **described
        What `Data` takes.

    Attributes
    ----------
    steps : int
        As above.
    solved_below : float
        A loss below which the task is solved: nine tenths of the way from the baseline to the least loss.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnbow_widget.data import Reference
    >>> class Echo(Task):  # tell the number that is seen
    ...     def __init__(self):
    ...         guess = Reference(1 / 12, "always says 0.5")
    ...         super().__init__("echo", 10, baseline=guess, input_size=1, output_size=1)
    ...
    ...     def draw(self, generator, count):
    ...         numbers = generator.random((self.steps, count, 1))  # (n, B, 1)
    ...         return numbers, numbers, None
    >>> Echo().held_out(seed=0, count=3).inputs.shape
    (10, 3, 1)
    """

    baseline: Reference
    solved_below: float

    def __init__(
        self, name: str, steps: int, *, baseline: Reference, least: Reference | None = None, **described: Any
    ) -> None:
        super().__init__(name, **described)
        self.steps = self.usual_length = steps
        self.baseline = baseline
        self.least = least
        lowest = least.loss if least else 0.0
        self.solved_below = lowest + _SOLVED * (baseline.loss - lowest)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}; {self.steps} steps, baseline {self.baseline.loss:.4g})"

    @abstractmethod
    def draw(self, generator: np.random.Generator, count: int) -> tuple[Signal, Signal, Mask | None]:
        """Draw sequences.

        Parameters
        ----------
        generator : numpy.random.Generator
            Source of chance.
        count : int
            Number of sequences B.

        Returns
        -------
        int array (n, B) or float array (n, B, V)
            Inputs.
        int array (n, B) or float array (n, B, O)
            Targets; anything where there is no loss.
        bool array (n,) or None
            Which steps have a loss; None if all have.
        """

    def windows(self, seq_length: int | None, batch_size: int, seed: int) -> Fresh:
        """Return fresh sequences for every batch; see `Data`. A window is a whole sequence."""
        check_whole(seq_length, self.steps, self.name)
        return Fresh(self, batch_size, seed)

    def held_out(self, seed: int, count: int, number: int = 0) -> Window:
        """Return `count` sequences that training with this `seed` does not see: of one `number`, always the same."""
        return self._drawn((seed, _HELD_OUT, number), count)

    def trained(self, seed: int, count: int, batch: int) -> Window:
        """Return the `count` sequences of a batch, as training with this `seed` sees them."""
        return self._drawn((seed, _TRAINED, batch), count)

    def _drawn(self, seed: tuple[int, int, int], count: int) -> Window:
        inputs, targets, mask = self.draw(np.random.default_rng(seed), count)
        if mask is None:
            return Window(inputs, targets, None, [0] * count, True)
        spread = mask[(..., *[None] * (targets.ndim - 1))]  # (n, 1) or (n, 1, 1)
        targets = np.where(spread, targets, np.zeros_like(targets))
        return Window(inputs, targets, np.broadcast_to(mask[:, None], (len(mask), count)), [0] * count, True)


class Fresh(Windows):
    """Windows of a task: batch b of a seed is always the same, and no other."""

    per_epoch = None

    def __init__(self, task: Task, batch_size: int, seed: int) -> None:
        self.seq_length = task.steps
        self.batch_size = batch_size
        self._task = task
        self._seed = seed

    def __call__(self, batch: int) -> Window:
        """Return the sequences of a batch; see `Windows`."""
        window = self._task.trained(self._seed, self.batch_size, batch)
        return window if self.batch_size > 1 else window.alone()

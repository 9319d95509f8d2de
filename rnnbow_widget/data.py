"""What can be trained on, in general: something that gives a window of steps for every batch, by the batch's number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

from .about import About
from .parameters import Mask, Signal, Tokens
from .window import Window

SEQ_LENGTH = 25
"""Steps of a window of a stream, unless somebody says otherwise."""


@dataclass(frozen=True)
class Reference:
    """A loss to compare with.

    Attributes
    ----------
    loss : float
        Mean per loss, as `Trainer.smooth_loss` is.
    name : str
        How one gets there, in a few words.
    """

    loss: float
    name: str


class Windows(ABC):
    """Windows of data. Each is a pure function of its batch's number, so that any batch can be trained again.

    Attributes
    ----------
    seq_length, batch_size : int
        Steps n of a window, and sequences B that are side by side in it.
    per_epoch : int or None
        Windows that a pass over the data has; None if there are always others.
    """

    seq_length: int
    batch_size: int
    per_epoch: int | None

    @abstractmethod
    def __call__(self, batch: int) -> Window:
        """Return the window of a batch. Its arrays have an axis of streams if there are several."""


class Data(ABC):
    """What can be trained on.

    Parameters
    ----------
    name : str
        What it is called.
    input_size : int
        Distinct input tokens, or entries of an input vector.
    output_size : int
        Classes, or entries of a target.
    vocabulary : tuple of str
        What classes are called; empty if targets are vectors.
    input_vocabulary : tuple of str
        What input tokens are called; empty if inputs are vectors.
    output_entries, input_entries : tuple of str
        What the entries of vectors are called.
    length : int or None
        Steps that there are; None if there are always others.

    Attributes
    ----------
    name, input_size, output_size, vocabulary, input_vocabulary, output_entries, input_entries, length :
        As above.
    shows_inputs : bool
        Whether inputs tell something that targets do not: those of a text are the targets before.
    baseline : Reference or None
        The loss of a predictor that misses the point.
    least : Reference or None
        The least loss that can be expected of any predictor, if it is known and not 0.
    solved_below : float or None
        A loss below which it is solved, if there is such a thing.
    code : str or None
        An expression that makes the same data, with the names `corpora`, `tasks` and `examples` of this package; None
        if a person brings it.
    usual_length : int or None
        Steps of a window, unless somebody says otherwise; None if somebody has to.
    """

    shows_inputs: bool = True
    baseline: Reference | None = None
    least: Reference | None = None
    solved_below: float | None = None
    code: str | None = None
    usual_length: int | None = None

    def __init__(
        self,
        name: str,
        *,
        input_size: int,
        output_size: int,
        vocabulary: tuple[str, ...] = (),
        input_vocabulary: tuple[str, ...] = (),
        output_entries: tuple[str, ...] = (),
        input_entries: tuple[str, ...] = (),
        length: int | None = None,
    ) -> None:
        self.name = name
        self.input_size = input_size
        self.output_size = output_size
        self.vocabulary = vocabulary
        self.input_vocabulary = input_vocabulary
        self.output_entries = output_entries
        self.input_entries = input_entries
        self.length = length

    @property
    def kind(self) -> Literal["classes", "values"]:
        """What targets are."""
        return "classes" if self.vocabulary else "values"

    @property
    def about(self) -> About:
        """What there is to know of it to show a run."""
        inputs: Literal["classes", "values"] = "classes" if self.input_vocabulary else "values"
        return About(
            kind=self.kind,
            loss_name="cross-entropy" if self.vocabulary else "mean squared error",
            loss_unit="nats" if self.vocabulary else "",
            inputs=inputs if self.shows_inputs else None,
            input_vocabulary=self.input_vocabulary if self.shows_inputs else (),
            input_entries=self.input_entries,
            output_entries=self.output_entries,
            fresh=self.length is None,
            baseline=self.baseline.loss if self.baseline else None,
            baseline_name=self.baseline.name if self.baseline else "",
            least=self.least.loss if self.least else None,
            least_name=self.least.name if self.least else "",
            solved_below=self.solved_below,
        )

    @abstractmethod
    def windows(self, seq_length: int | None, batch_size: int, seed: int) -> Windows:
        """Return the windows that training goes through.

        Parameters
        ----------
        seq_length : int or None
            Steps of a window; None for what suits the data.
        batch_size : int
            Sequences side by side.
        seed : int
            Seed of whatever is left to chance.

        Raises
        ------
        TypeError, ValueError
            If there are no such windows.
        """


class Consecutive(Windows):
    """Consecutive windows of one long stream, cut into as many pieces of one length as there are streams.

    Parameters
    ----------
    inputs, targets : array (N,) or (N, …)
        What the stream has at each step.
    mask : bool array (N,) or None
        Which steps have a loss.
    seq_length, batch_size : int
        Steps n of a window, and pieces B. What remains of the stream is left out.
    first : int
        Position in the data of the first target.
    """

    def __init__(
        self,
        inputs: Signal,
        targets: Signal,
        mask: Mask | None,
        seq_length: int,
        batch_size: int,
        first: int = 0,
    ) -> None:
        self.seq_length = seq_length
        self.batch_size = batch_size
        self._inputs, self._targets, self._mask = inputs, targets, mask
        self._input_type, self._target_type = _type_of_numbers(inputs), _type_of_numbers(targets)
        # With first=1, the last input of a piece has its target in the next one: left out, as that of the whole is.
        piece = (len(inputs) + first) // batch_size
        self.per_epoch = self._count = (piece - first) // seq_length
        self._starts = [first + i * piece for i in range(batch_size)]  # where each piece has its first target
        self._pieces = np.arange(batch_size) * piece  # (B,)

    def __call__(self, batch: int) -> Window:
        """Return the window of a batch; see `Windows`."""
        start = batch % self._count * self.seq_length
        if self.batch_size == 1:
            steps: slice | Tokens = slice(start, start + self.seq_length)
        else:
            steps = np.arange(start, start + self.seq_length)[:, None] + self._pieces  # (n, B)
        inputs = self._inputs[steps].astype(self._input_type)
        targets = self._targets[steps].astype(self._target_type)
        mask = None if self._mask is None else self._mask[steps]
        return Window(inputs, targets, mask, [start + own for own in self._starts], start == 0)


def check_sizes(seq_length: int, batch_size: int, steps: int, name: str, noun: str, extra: int = 0) -> None:
    """Raise `ValueError` if a stream of so many steps does not have a window, and `extra`, in each of its pieces."""
    least = batch_size * (seq_length + extra)
    if steps < least:
        streams = f"for one window of each of {batch_size} streams" if batch_size > 1 else "for one window"
        factor = f"seq_length + {extra}" if extra else "seq_length"
        if batch_size > 1:
            factor = f"batch_size * ({factor})" if extra else f"batch_size * {factor}"
        raise ValueError(f"data takes at least {factor} = {least} {noun} {streams}, got {steps} ({name})")


def check_whole(seq_length: int | None, steps: int, name: str) -> None:
    """Raise `ValueError` if another length is asked for than that of whole sequences."""
    if seq_length not in (None, steps):
        raise ValueError(f"seq_length takes None or {steps} with {name}: its sequences are that long; got {seq_length}")


def _type_of_numbers(array: Signal) -> DTypeLike:
    """What numpy indexes with, for tokens; vectors stay what they are."""
    return array.dtype if array.dtype.kind == "f" else np.intp

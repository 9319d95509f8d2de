"""What a forward pass leaves behind for back-propagation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .parameters import Array, Mask, Signal

Change = Callable[[Any], Any]
"""What is done to the axes of an array: a view of it."""


@dataclass(frozen=True, slots=True)
class Track:
    """What one layer leaves behind in one direction. Steps are in the order in which it reads them.

    Arrays of a minibatch have a second axis, that of its B streams.

    Attributes
    ----------
    states : array (n+1, S)
        What a step hands on; row 0 is the state before the first step that is read.
    hidden : array (n+1, H)
        The part of `states` that is h.
    linearization : array (n, …)
        What the cell's backward step needs of each step.
    """

    states: Array
    hidden: Array
    linearization: Array

    def mapped(self, change: Change) -> Track:
        """Return the same with every array changed."""
        return Track(change(self.states), change(self.hidden), change(self.linearization))


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """What one window leaves behind for back-propagation. All arrays are the pass's own.

    Arrays of a minibatch have a second axis, that of its B streams: n in the shapes below is then n, B.

    Attributes
    ----------
    inputs : int array (n,) or array (n, V)
        Tokens that went in, or vectors.
    targets : int array (n,) or array (n, O)
        Classes that should have come out, or vectors. 0 where there is no loss.
    tracks : tuple of tuple of Track
        ``tracks[layer][direction]``, from the lowest layer up; direction 0 reads forward, 1 backward.
    outputs : tuple of array (n, D·H)
        What each layer gives out, h of its D directions side by side, in the order of steps.
    predicted : array (n, O)
        What the read-out makes of that: for classes their probabilities, the softmax of the logits; else the vectors.
    loss : array (n,)
        Loss of each step: cross-entropy in nats for classes, mean squared error for vectors. 0 where there is none.
    mask : bool array (n,) or None
        Which steps have a loss; None if all have.
    entering : array (n, D·H) or None
        Gradient of each step's loss with respect to what the top layer gives out, if it is known from elsewhere; None
        if it is that of the read-out and the loss.
    there : bool array (n, B) or None
        Which steps each stream has, if some are shorter than others; None if all have all.
    """

    inputs: Signal
    targets: Signal
    tracks: tuple[tuple[Track, ...], ...]
    outputs: tuple[Array, ...]
    predicted: Array
    loss: Array
    mask: Mask | None = None
    entering: Array | None = None
    there: Mask | None = None

    @property
    def of_classes(self) -> bool:
        """Whether targets are classes."""
        return self.targets.dtype.kind != "f"

    @property
    def probabilities(self) -> Array:
        """Probability of each class, array (n, O).

        Raises
        ------
        ValueError
            If targets are vectors.
        """
        if not self.of_classes:
            raise ValueError("probabilities are of classes, and the targets are vectors: predicted has what came out")
        return self.predicted

    @property
    def losses(self) -> int:
        """How many losses there are, of all steps and streams."""
        return self.loss.size if self.mask is None else int(np.count_nonzero(self.mask))

    @property
    def steps(self) -> int:
        """Length of the window, n."""
        return len(self.loss)

    @property
    def streams(self) -> int:
        """Number of streams B; 1 if there is no axis for them."""
        return self.loss.shape[1] if self.loss.ndim == 2 else 1

    @property
    def states(self) -> Array:
        """States of the top layer, forward: array (n+1, S).

        Row 0 is the state before the first step, row j+1 the state after step j: h, and of an LSTM [h, c].
        """
        return self.tracks[-1][0].states

    @property
    def hidden(self) -> Array:
        """The part of `states` that is h: array (n+1, H)."""
        return self.tracks[-1][0].hidden

    @property
    def linearization(self) -> Array:
        """What the cell's backward step needs of each step, in the top layer, forward: array (n, …)."""
        return self.tracks[-1][0].linearization

    @property
    def carried(self) -> Array:
        """The state that the next window starts from, array (S_all,) or (B, S_all); see `RNN.zero_state`.

        Layers that read backward start every window from zero: what they have read comes after it.
        """
        return carried_state(self.tracks)

    def stream(self, index: int) -> ForwardPass:
        """Return the pass of one stream of a minibatch, without the axis of streams. Its arrays are views."""
        return self._mapped(lambda array: array[:, index])

    def flattened(self) -> ForwardPass:
        """Return the pass with steps and streams as one axis, the streams of a step together. Its arrays are views.

        ``N = n·B`` rows, and (n+1)·B of `states`: the row before a row is B rows up.
        """
        if self.loss.ndim == 1:
            return self
        return self._mapped(_flattened)

    def with_streams(self) -> ForwardPass:
        """Return the pass of a window without an axis of streams as one of a single stream. Its arrays are views."""
        return self._mapped(lambda array: array[:, None])

    def _mapped(self, change: Change) -> ForwardPass:
        """Return the same pass with every array changed."""

        def own(array: Any) -> Any:
            return None if array is None else change(array)

        return ForwardPass(
            change(self.inputs),
            change(self.targets),
            tuple(tuple(track.mapped(change) for track in layer) for layer in self.tracks),
            tuple(map(change, self.outputs)),
            change(self.predicted),
            change(self.loss),
            own(self.mask),
            own(self.entering),
            own(self.there),
        )


def carried_state(tracks: tuple[tuple[Track, ...], ...]) -> Array:
    """Return what `ForwardPass.carried` is about, from the tracks of a window."""
    last: list[Array] = [
        np.zeros_like(track.states[-1]) if direction else track.states[-1]
        for layer in tracks
        for direction, track in enumerate(layer)
    ]
    return last[0] if len(last) == 1 else np.concatenate(last, axis=-1)


def turned(rows: Array, streams: int) -> Array:
    """Return the rows (N, …) of a flattened pass with the steps in opposite order, array (N, …)."""
    return rows.reshape(-1, streams, *rows.shape[1:])[::-1].reshape(rows.shape)


def _flattened(array: Any) -> Any:
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])  # -1 does not do for arrays of size 0

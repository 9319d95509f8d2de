"""The training loop: what is trained, on which windows, by which optimizer, and the state in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite, sqrt

import numpy as np

from .checkpoints import Changeable, Checkpoint
from .data import Data, Windows
from .forward import ForwardPass
from .gradients import Gradients, TrainingGradients
from .optimizers import Optimizer, clip
from .outcomes import outcomes
from .parameters import Array, Signal
from .recording import Itemized, make_snapshot
from .rnn import RNN
from .snapshot import Float32, Snapshot
from .window import Window

Look = Callable[[ForwardPass, Gradients], tuple[Itemized, Float32]]
"""What is worked out of a batch that is recorded: its itemized gradients and its indicators."""


class DivergedError(ArithmeticError):
    """Loss, gradient or update of a batch was not finite. The weights are from before it; what was recorded stays.

    Attributes
    ----------
    batch : int
        Number of the batch.
    hint : str
        What may help.

    Examples
    --------
    >>> from rnnbow_widget import DivergedError, Trainer
    >>> settings = {"cell": "relu", "init": "identity", "optimizer": "sgd", "clip_value": None, "learning_rate": 1e9}
    >>> trainer = Trainer("hello world, " * 40, hidden_size=16, seed=0, **settings)
    >>> try:
    ...     trainer.train(100)
    ... except DivergedError as error:
    ...     print(trainer.run[-1].diverged, trainer.run[-1].batch == error.batch)
    True True
    """

    def __init__(self, batch: int, what: str) -> None:
        super().__init__(f"The {what} of batch {batch:,} is not finite: training stopped before the weights changed.")
        self.batch = batch
        self.hint = "Reset and train with a smaller learning_rate, or with clipping (clip_value or clip_norm)."


class TrainingLoop:
    """Trains one batch after the other. What is recorded of them, and when, is up to who calls it.

    Parameters
    ----------
    rnn : RNN
        The network.
    data : Data
        What it is trained on.
    windows : Windows
        Of that data.
    optimizer : Optimizer
        Of that network.
    clip_value, clip_norm : float, optional
        Bounds on entries of the gradient, and on its norm. May be changed at any time.

    Attributes
    ----------
    batch : int
        Batches trained so far, and the number of the next.
    state : array (S_all,) or (B, S_all)
        The state that is carried into the next batch.
    """

    batch: int
    state: Array

    def __init__(
        self,
        rnn: RNN,
        data: Data,
        windows: Windows,
        optimizer: Optimizer,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        self.rnn = rnn
        self.data = data
        self.windows = windows
        self.optimizer = optimizer
        self.clip_value = clip_value
        self.clip_norm = clip_norm
        self._back_propagate = TrainingGradients(rnn, optimizer.sparse)
        self._squarable = sqrt(float(np.finfo(rnn.dtype).max))
        self.start_over()

    def start_over(self) -> None:
        """Go to batch 0, and to a state of zeros. Network and optimizer are reset by who owns them."""
        self.batch = 0
        self.state = self._zero_state()

    def again(self) -> TrainingLoop:
        """Return another loop over the same data, with a network and an optimizer of its own, to be sent anywhere."""
        optimizer = type(self.optimizer)(self.optimizer.learning_rate)
        return TrainingLoop(self.rnn.copy(), self.data, self.windows, optimizer, self.clip_value, self.clip_norm)

    @property
    def settings(self) -> Changeable:
        """Settings that change how a batch is trained."""
        return Changeable(self.optimizer.learning_rate, self.clip_value, self.clip_norm)

    @settings.setter
    def settings(self, settings: Changeable) -> None:
        self.optimizer.learning_rate, self.clip_value, self.clip_norm = settings

    def checkpoint(self) -> Checkpoint:
        """Return a copy of what goes into the next batch."""
        return Checkpoint(self.batch, self.rnn.parameters.vector.copy(), self.optimizer.past(), self.state.copy())

    def go_to(self, checkpoint: Checkpoint) -> None:
        """Go to where a checkpoint was made."""
        self.batch, self.state = checkpoint.batch, checkpoint.state
        self.rnn.parameters.vector[:] = checkpoint.weights
        self.optimizer.take_over(checkpoint.past)

    def next_windows(self, count: int) -> Iterator[ForwardPass]:
        """Yield forward passes over the windows that come next, the current one first. The caller sees to warnings."""
        state = self.state
        for batch in range(self.batch, self.batch + count):
            forward, _ = self._forward(batch, state)
            yield forward
            state = forward.carried

    def train_batch(self, look: Look, keep: Callable[[Snapshot], None], *, record: bool) -> float | None:
        """Train the next batch.

        Parameters
        ----------
        look : callable
            What is worked out of a batch that is recorded.
        keep : callable
            Takes the snapshot of it, before the weights change.
        record : bool
            Whether it is recorded. One that diverges always is.

        Returns
        -------
        float or None
            Its mean loss per step; None if no step has one.

        Raises
        ------
        DivergedError
            If loss, gradient or update is not finite. The weights are left as they were, and `batch` too.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found and reported
            forward, window = self._forward(self.batch, self.state)
            gradients, rows = self._back_propagate(forward)
            norm = update_norm = gradients.norm
            # Itemized before it is clipped: the pieces add up to the gradient, not to the clipped one.
            seen = look(forward, gradients) if record else None
            loss = float(forward.loss.sum())
            trouble = "" if isfinite(loss + norm) else "gradient" if isfinite(loss) else "loss"
            if not trouble:
                vector = gradients.parameters.vector  # (P,)
                clipped = clip(vector, norm, value=self.clip_value, max_norm=self.clip_norm)
                if norm > self._squarable and self.optimizer.squares and not isfinite(vector.dot(vector)):
                    trouble = "squared gradient"
                else:
                    update = self.optimizer.update(vector, rows)  # (P,)
                    trouble = "" if isfinite(update.dot(update)) else "update"
                if clipped and (record or trouble):
                    update_norm = gradients.norm
            if trouble and seen is None:
                seen = look(forward, self._back_propagate(forward)[0])  # once more: it may be clipped by now
        if seen is not None:
            itemized, indicators = seen
            snapshot = make_snapshot(
                outcomes(forward, inputs=self.data.shows_inputs),
                itemized,
                window.starts,
                ~forward.states[0].any(axis=-1),  # () or (B,)
                batch=self.batch,
                grad_norm=norm,
                update_norm=update_norm,
                vocabulary=self.data.vocabulary,
                input_vocabulary=self.data.input_vocabulary,
                diverged=bool(trouble),
                indicators=indicators,
            )
            keep(snapshot)
        if trouble:
            raise DivergedError(self.batch, trouble)
        self.rnn.parameters.subtract(update, rows)
        self.state = forward.carried
        self.batch += 1
        return loss / forward.losses if forward.losses else None

    def _zero_state(self) -> Array:
        streams = self.windows.batch_size
        return self.rnn.zero_state(None if streams == 1 else streams)

    def _forward(self, batch: int, state: Array) -> tuple[ForwardPass, Window]:
        """Run the window of a batch, from this state if it goes on from the one before. The caller sees to warnings."""
        window = self.windows(batch)
        inputs, targets = self._numbers(window.inputs), self._numbers(window.targets)
        before = self._zero_state() if window.fresh else state
        return self.rnn.forward_unchecked(inputs, targets, before, window.mask), window

    def _numbers(self, array: Signal) -> Signal:
        return array.astype(self.rnn.dtype, copy=False) if array.dtype.kind == "f" else array

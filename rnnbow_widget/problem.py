"""A window of one network, and the itemized gradients that the way back through it should give."""

from __future__ import annotations

from typing import Any

import numpy as np

from .about import About
from .agreement import Float64, real_array
from .bptt_itemized import itemized_delta
from .forward import ForwardPass
from .gradients import Gradients, bptt
from .measuring import MEASURES
from .outcomes import outcomes
from .recording import itemize, make_snapshot
from .rnn import RNN
from .run import Run
from .snapshot import Float32, Snapshot, surface_key
from .surfaces import Surface

_SURFACE = "W_hh"


class Problem:
    """A window and a network, and what the way back through it should give.

    Parameters
    ----------
    rnn : RNN
        Of one layer that reads forward.
    inputs, targets, state, mask :
        The window, of one stream; as for `RNN.forward`.
    vocabulary : tuple of str
        What classes are called; by default their numbers.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of this kind, or the gradient is not finite.

    Attributes
    ----------
    forward : ForwardPass
        The forward pass.
    gradients : Gradients
        Of the sum of all losses.
    """

    def __init__(self, rnn: RNN, inputs: Any, targets: Any, state: Any, mask: Any, vocabulary: tuple[str, ...]) -> None:
        self.rnn = rnn
        if state is not None:
            real_array("state", state, finite=True)
        self.forward: ForwardPass = rnn.forward(inputs, targets, state, mask)
        if self.forward.loss.ndim != 1:
            raise ValueError(f"inputs takes one stream, got {self.forward.streams} side by side")
        self.from_zero = not np.any(self.forward.states[0])
        with np.errstate(over="ignore", invalid="ignore"):
            self.gradients: Gradients = bptt(rnn, self.forward)
            finite = np.isfinite(self.gradients.norm)
        if not finite:
            raise ValueError("weights takes such as give a finite gradient; this one overflows")
        classes = rnn.output_size if self.forward.of_classes else 0
        if vocabulary and len(vocabulary) != classes:
            raise ValueError(f"vocabulary takes a name for each of {classes} classes, got {len(vocabulary)}")
        self.vocabulary = vocabulary or tuple(map(str, range(classes)))

    @property
    def steps(self) -> int:
        """Length of the window, n."""
        return self.forward.steps

    def delta(self) -> Float64:
        """Return ``δ_{t,j}`` at ``[t, j]``, array (n, n, gates·H)."""
        by_lag = itemized_delta(self.rnn, self.forward)  # (n, n, gates·H): at [j, d]
        return by_loss(by_lag.astype(np.float64), self.steps)

    def before(self) -> Float64:
        """Return ``h_{j-1}`` of each step, array (n, H)."""
        return self.forward.hidden[:-1].astype(np.float64)

    def run(self, lags: int | None, name: str) -> Run:
        """Return a run of this network, without a batch."""
        settings = {
            "data": name,
            "cell": self.rnn.cell.name,
            "hidden_size": self.rnn.hidden_size,
            "num_layers": 1,
            "bidirectional": False,
            "seq_length": self.steps,
            "batch_size": 1,
            "horizon": lags,
            "surfaces": [_SURFACE],
        }
        if self.forward.of_classes:
            return Run(self.vocabulary, settings, about=About("classes", "cross-entropy", "nats", fresh=True))
        return Run((), settings, about=About("values", "mean squared error", "", fresh=True))

    def snapshot(self, batch: int, lags: int | None) -> Snapshot:
        """Return the batch as it should be."""
        norm = self.gradients.norm
        with np.errstate(over="ignore"):  # in single precision
            outcome = outcomes(self.forward, inputs=False)
        return make_snapshot(
            outcome,
            itemize(self.rnn, self.forward, [Surface(_SURFACE, 0)], lags, self.gradients),
            [0],
            np.array(self.from_zero),
            batch=batch,
            grad_norm=norm,
            update_norm=norm,
            vocabulary=self.vocabulary,
        )


class Pieces:
    """Pieces ``G_{t,j}``, one loss after the other: those of all together may not fit in memory.

    Of matrices (n, n, gates·H, H), or of vectors δ (n, n, gates·H) that are multiplied with what comes from before.
    """

    def __init__(self, array: Float64, before: Float64 | None, lags: int) -> None:
        self._array = array
        self._before = before
        self.lags = lags
        self.steps = len(array)

    def of_loss(self, t: int) -> Float64:
        """Return what a loss sent to each step, array (n, gates·H, H)."""
        if self._before is None:
            matrices: Float64 = self._array[t]
            return matrices
        product: Float64 = self._array[t][:, :, None] * self._before[:, None, :]
        return product

    def measured(self) -> tuple[dict[str, Float32], dict[str, Float32]]:
        """Return by the names of measures those of the pieces, arrays (n, k), and of their sums, (n,)."""
        sums = np.add.reduce([self.of_loss(t) for t in range(self.steps)])  # (n, gates·H, H)
        whole = sums.sum(axis=0)  # (gates·H, H)
        whole = whole / (np.linalg.norm(whole) or 1.0)

        def measures(matrices: Float64) -> Float64:  # (n, gates·H, H) → (3, n)
            norms = np.linalg.norm(matrices, axis=(1, 2))
            return np.array([norms, np.abs(matrices).mean(axis=(1, 2)), np.vecdot(matrices, whole).sum(axis=1)])

        by_loss = np.array([measures(self.of_loss(t)) for t in range(self.steps)])  # (n, 3, n): at [t, :, j]
        steps, lags = np.meshgrid(np.arange(self.steps), np.arange(self.lags), indexing="ij")  # (n, k)
        losses = np.minimum(steps + lags, self.steps - 1)
        there = steps + lags < self.steps
        items = [np.where(there, by_loss[losses, place, steps], 0) for place in range(3)]  # (n, k) each
        return _keyed(items), _keyed(list(measures(sums)))


def by_loss(by_lag: Float64, n: int) -> Float64:
    """Return pieces at ``[t, j]``, array (n, n, …), from those at ``[j, d]``, (n, k, …)."""
    found = np.zeros((n, n, *by_lag.shape[2:]))
    for d in range(by_lag.shape[1]):
        steps = np.arange(n - d)  # (n-d,)
        found[steps + d, steps] = by_lag[steps, d]
    return found


def _keyed(arrays: list[Float64]) -> dict[str, Float32]:
    """Arrays of all measures, as a snapshot has them."""
    return {surface_key(_SURFACE, name): array.astype(np.float32) for name, array in zip(MEASURES, arrays, strict=True)}

"""Optimizers and gradient clipping, on one vector of all parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import sqrt
from typing import ClassVar

import numpy as np

from .checks import finite_float
from .parameters import Array, Rows


class Optimizer(ABC):
    """Turns the gradient into the update that is subtracted from the parameters.

    Parameters
    ----------
    learning_rate : float
        Step size, greater than 0. May be changed at any time.

    Raises
    ------
    TypeError, ValueError
        If the learning rate is not a finite number greater than 0.
    """

    name: ClassVar[str]
    sparse: ClassVar[bool]
    """Whether a parameter whose gradient is 0 is left exactly as it is, and so is what is kept of its past."""
    squares: ClassVar[bool]
    """Whether squares of the gradient are gathered: one that is infinite would stop its parameter for good."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.reset()

    @property
    def learning_rate(self) -> float:
        """Step size."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = finite_float("learning_rate", value, above=0)

    @abstractmethod
    def reset(self) -> None:
        """Forget what was gathered over past steps."""

    @abstractmethod
    def past(self) -> tuple[Array, ...]:
        """Return what was gathered over past steps, copied; nothing before the first."""

    @abstractmethod
    def take_over(self, past: tuple[Array, ...]) -> None:
        """Go on from what was gathered by another optimizer of the same kind."""

    @abstractmethod
    def update(self, gradient: Array, rows: Rows | None = None) -> Array:
        """Return what is to be subtracted from the parameters, array like `gradient`, valid until the next call.

        Parameters
        ----------
        gradient : array (P,)
            Of all parameters; or with `rows`, of those whose gradient is not 0 for certain.
        rows : Rows, optional
            Which these are. For a `sparse` optimizer only.
        """


class SGD(Optimizer):
    """Stochastic gradient descent: ``θ ← θ - η g``."""

    name = "sgd"
    sparse = True
    squares = False

    def reset(self) -> None:
        """Do nothing: there is no state."""

    def past(self) -> tuple[Array, ...]:
        """Return nothing: there is no state."""
        return ()

    def take_over(self, past: tuple[Array, ...]) -> None:
        """Do nothing: there is no state."""

    def update(self, gradient: Array, rows: Rows | None = None) -> Array:
        """Return the update; see `Optimizer`."""
        return self.learning_rate * gradient


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): ``s ← s + g²``, ``θ ← θ - η g / √s``, with s starting at 1e-8."""

    name = "adagrad"
    sparse = True
    squares = True
    initial_accumulator = 1e-8

    def reset(self) -> None:
        """Forget what was gathered over past steps."""
        self._sum: Array | None = None  # (P,)

    def past(self) -> tuple[Array, ...]:
        """Return the sum of squares, array (P,), copied; nothing before the first step."""
        return () if self._sum is None else (self._sum.copy(),)

    def take_over(self, past: tuple[Array, ...]) -> None:
        """Go on from the sum of squares of another one."""
        self.reset()
        for gathered in past:
            self._start_with(gathered.copy())

    def _start_with(self, gathered: Array) -> None:
        self._sum = gathered
        self._work = np.empty_like(gathered)  # (P,): used again, since new memory is not in the cache

    def update(self, gradient: Array, rows: Rows | None = None) -> Array:
        """Return the update; see `Optimizer`."""
        if self._sum is None:
            size = gradient.size if rows is None else rows.whole_size(gradient)
            self._start_with(np.full(size, self.initial_accumulator, gradient.dtype))
        assert self._sum is not None
        work = self._work[: gradient.size]
        if rows is None:
            self._step(gradient, self._sum, work)
        else:
            head, tail = rows.split(gradient)  # (R,), (k, columns)
            head_work, tail_work = rows.split(work)
            table = self._sum[head.size :].reshape(rows.shape)
            self._step(head, self._sum[: head.size], head_work)
            sums = table.take(rows.index, axis=0)  # (k, columns)
            self._step(tail, sums, tail_work)
            table[rows.index] = sums
        work *= self.learning_rate
        return work

    @staticmethod
    def _step(gradient: Array, sums: Array, found: Array) -> None:
        np.square(gradient, found)
        sums += found
        np.sqrt(sums, found)
        np.divide(gradient, found, found)


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8."""

    name = "adam"
    sparse = False
    squares = True
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def reset(self) -> None:
        """Forget what was gathered over past steps."""
        self._steps = 0
        self._mean: Array | None = None  # (P,)
        self._square: Array | None = None  # (P,)

    def past(self) -> tuple[Array, ...]:
        """Return both means, arrays (P,), and the number of steps, copied; nothing before the first step."""
        if self._mean is None or self._square is None:
            return ()
        return self._mean.copy(), self._square.copy(), np.array([self._steps], np.float64)

    def take_over(self, past: tuple[Array, ...]) -> None:
        """Go on from what another one gathered."""
        self.reset()
        if past:
            self._mean, self._square, self._steps = past[0].copy(), past[1].copy(), int(past[2][0])

    def update(self, gradient: Array, rows: Rows | None = None) -> Array:
        """Return the update; see `Optimizer`."""
        if self._mean is None or self._square is None:
            self._mean, self._square = np.zeros_like(gradient), np.zeros_like(gradient)
        self._steps += 1
        self._mean += (1 - self.beta1) * (gradient - self._mean)
        self._square += (1 - self.beta2) * (np.square(gradient) - self._square)
        mean = self._mean / (1 - self.beta1**self._steps)  # (P,): without the pull of the zeros that it started from
        square = self._square / (1 - self.beta2**self._steps)  # (P,)
        found: Array = self.learning_rate * mean / (np.sqrt(square) + self.epsilon)
        return found


OPTIMIZERS: dict[str, type[Optimizer]] = {kind.name: kind for kind in (SGD, Adagrad, Adam)}


def clip(gradient: Array, norm: float, *, value: float | None = None, max_norm: float | None = None) -> bool:
    """Clip a gradient in place, first element by element, then as a whole.

    Parameters
    ----------
    gradient : array (P,)
        Changed in place.
    norm : float
        Its Euclidean norm.
    value : float, optional
        Every entry is brought into ``[-value, value]``. This can turn the direction of the step.
    max_norm : float, optional
        The whole is scaled down to this norm if it is longer. This keeps the direction.

    Returns
    -------
    bool
        Whether it may have changed.
    """
    changed = False
    if value is not None and norm > value:  # no entry is larger than the norm
        gradient.clip(-value, value, out=gradient)
        changed = True
        if max_norm is not None:
            norm = sqrt(gradient.dot(gradient))
    if max_norm is not None and norm > max_norm:
        gradient *= max_norm / norm
        changed = True
    return changed

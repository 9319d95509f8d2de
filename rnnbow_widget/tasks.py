"""Tasks that tell architectures apart: generated, seeded, each with the loss of a predictor that misses the point."""

from __future__ import annotations

from math import log

import numpy as np

from .checks import whole_number
from .data import Reference
from .grammars import AnBn, EmbeddedReber, Reber
from .parameters import Mask, Signal
from .task import Task

__all__ = ["Adding", "AnBn", "CopyMemory", "DelayedRecall", "EmbeddedReber", "Reber", "Task", "TemporalOrder"]


class Adding(Task):
    """The adding problem: of many numbers two are marked, and their sum is to be told at the end.

    Inputs are vectors of a number, uniform in [0, 1], and of a marker, which is 1 at one step of the first half and at
    one of the second, else 0. The target of the last step is the sum of the two marked numbers; there is no other loss.
    Source: Hochreiter and Schmidhuber (1997), Long short-term memory, experiment 4, in the form of Le, Jaitly and
    Hinton (2015), A simple way to initialize recurrent networks of rectified linear units. (The original draws from
    [-1, 1], scales the sum, and varies the length by a tenth.)

    The baseline always says 1, the mean. Its mean squared error is the variance of the sum, 2 · 1/12 = 1/6.

    Parameters
    ----------
    length : int
        Steps of a sequence, at least 2.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import tasks
    >>> task = tasks.Adding(10)
    >>> task
    Adding(adding problem, length 10; 10 steps, baseline 0.1667)
    >>> window = task.held_out(seed=0, count=1)
    >>> marked = window.inputs[window.inputs[..., 1] == 1, 0]
    >>> bool(marked.sum() == window.targets[-1, 0, 0])
    True
    """

    def __init__(self, length: int = 50) -> None:
        length = whole_number("length", length, minimum=2)
        super().__init__(
            f"adding problem, length {length}",
            length,
            baseline=Reference(1 / 6, "always says 1"),
            input_size=2,
            output_size=1,
            input_entries=("number", "marker"),
            output_entries=("sum",),
        )
        self.code = f"tasks.Adding({length})"

    def draw(self, generator: np.random.Generator, count: int) -> tuple[Signal, Signal, Mask | None]:
        """Draw sequences; see `Task`."""
        n, half, columns = self.steps, self.steps // 2, np.arange(count)
        inputs = np.zeros((n, count, 2))  # (n, B, 2)
        inputs[..., 0] = generator.random((n, count))
        marked = generator.integers((0, half), (half, n), (count, 2)).T  # (2, B)
        inputs[marked, columns, 1] = 1
        targets = np.zeros((n, count, 1))  # (n, B, 1)
        targets[-1, :, 0] = inputs[marked, columns, 0].sum(axis=0)
        return inputs, targets, _last(n)


class TemporalOrder(Task):
    """Temporal order: in which order two or three symbols came, each X or Y, among many that do not matter.

    A sequence begins with E and ends with B; between are symbols drawn from a, b, c, d, and X or Y at one step each
    from 10 to 20 % and from 50 to 60 % of it (with three: from 10 to 20 %, from 33 to 43 %, from 66 to 76 %). At the
    end, the order is to be told. Source: Hochreiter and Schmidhuber (1997), Long short-term memory, experiments 6a and
    6b, of length 100 to 110; here all are of one length.

    The baseline knows nothing: its cross-entropy is ln 4 (with three symbols ln 8).

    Parameters
    ----------
    length : int
        Steps of a sequence, at least 10.
    symbols : int
        How many symbols matter, 2 or 3.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import tasks
    >>> task = tasks.TemporalOrder(20)
    >>> task.vocabulary
    ('XX', 'XY', 'YX', 'YY')
    >>> window = task.held_out(seed=0, count=1)
    >>> " ".join(task.input_vocabulary[token] for token in window.inputs[:, 0])
    'E d X c b d a d d a a X b d b a a c d B'
    """

    def __init__(self, length: int = 50, symbols: int = 2) -> None:
        self.symbols = whole_number("symbols", symbols, minimum=2)
        if self.symbols > 3:
            raise ValueError(f"symbols takes 2 or 3, got {symbols}")
        length = whole_number("length", length, minimum=10)
        orders = 2**self.symbols
        super().__init__(
            f"temporal order of {self.symbols} symbols, length {length}",
            length,
            baseline=Reference(log(orders), f"any of {orders} orders"),
            input_size=8,
            output_size=orders,
            vocabulary=tuple(
                "".join("XY"[i >> place & 1] for place in reversed(range(self.symbols))) for i in range(orders)
            ),
            input_vocabulary=("a", "b", "c", "d", "X", "Y", "E", "B"),
        )
        self.code = f"tasks.TemporalOrder({length}, {symbols})"

    def draw(self, generator: np.random.Generator, count: int) -> tuple[Signal, Signal, Mask | None]:
        """Draw sequences; see `Task`."""
        n, columns = self.steps, np.arange(count)
        inputs = generator.integers(0, 4, (n, count))  # (n, B)
        inputs[0], inputs[-1] = 6, 7
        classes = np.zeros(count, np.intp)  # (B,)
        for first, end in ((10, 20), (50, 60)) if self.symbols == 2 else ((10, 20), (33, 43), (66, 76)):
            places = generator.integers(first * n // 100, max(end * n // 100, first * n // 100 + 1), count)  # (B,)
            which = generator.integers(0, 2, count)  # (B,)
            inputs[places, columns] = 4 + which
            classes = 2 * classes + which
        targets = np.zeros((n, count), np.intp)  # (n, B)
        targets[-1] = classes
        return inputs, targets, _last(n)


class CopyMemory(Task):
    """The copy memory problem: symbols are to be told again after a long time of nothing.

    The first `length` inputs are symbols; then come `lag` - 1 blanks, a mark, and `length` blanks, during which
    the symbols are to be told in their order. Before, blanks are. Source: Hochreiter and Schmidhuber (1997); in this
    form Arjovsky, Shah and Bengio (2016), Unitary evolution recurrent neural networks.

    The baseline tells blanks, and then guesses: `length` · ln `symbols` nats among lag + 2 · `length` steps; with 10 of
    8 symbols, 10 ln 8 / (lag + 20).

    Parameters
    ----------
    lag : int
        Steps from the last symbol to the mark, at least 1.
    length : int
        Symbols to remember.
    symbols : int
        Different symbols, at most 26.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import tasks
    >>> task = tasks.CopyMemory(lag=3, length=2)
    >>> window = task.held_out(seed=0, count=1)
    >>> "".join(task.input_vocabulary[token] for token in window.inputs[:, 0])
    'eh––?––'
    >>> "".join(task.vocabulary[token] for token in window.targets[:, 0])
    '–––––eh'
    """

    def __init__(self, lag: int = 30, length: int = 10, symbols: int = 8) -> None:
        self.lag, self.symbols_told = whole_number("lag", lag), whole_number("length", length)
        self.symbols = whole_number("symbols", symbols)
        if self.symbols > 26:
            raise ValueError(f"symbols takes at most 26, got {symbols}")
        letters = tuple("abcdefghijklmnopqrstuvwxyz"[: self.symbols])
        steps = self.lag + 2 * self.symbols_told
        super().__init__(
            f"copy memory, lag {self.lag}",
            steps,
            baseline=Reference(self.symbols_told * log(self.symbols) / steps, "blanks, then guesses"),
            input_size=self.symbols + 2,
            output_size=self.symbols + 1,
            vocabulary=(*letters, "–"),
            input_vocabulary=(*letters, "–", "?"),
        )
        self.code = f"tasks.CopyMemory({lag}, {length}, {symbols})"

    def draw(self, generator: np.random.Generator, count: int) -> tuple[Signal, Signal, Mask | None]:
        """Draw sequences; see `Task`."""
        told, blank = self.symbols_told, self.symbols
        symbols = generator.integers(0, self.symbols, (told, count))  # (told, B)
        inputs = np.full((self.steps, count), blank)  # (n, B)
        targets = inputs.copy()  # (n, B)
        inputs[:told] = targets[-told:] = symbols
        inputs[-told - 1] = blank + 1
        return inputs, targets, None


class DelayedRecall(Task):
    """Delayed recall: at each step, tell the number of so many steps before.

    Numbers are uniform in [-½, ½]; the first `delay` steps have no loss. Source: Jaeger (2001), Short term memory in
    echo state networks.

    The baseline always says 0, the mean. Its mean squared error is the variance, 1/12.

    Parameters
    ----------
    delay : int
        How many steps before.
    length : int
        Steps of a sequence, more than `delay`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import tasks
    >>> window = tasks.DelayedRecall(delay=3, length=8).held_out(seed=0, count=1)
    >>> bool((window.targets[3:] == window.inputs[:-3]).all())
    True
    >>> window.mask[:4, 0]
    array([False, False, False,  True])
    """

    def __init__(self, delay: int = 10, length: int = 40) -> None:
        self.delay = whole_number("delay", delay)
        length = whole_number("length", length, minimum=self.delay + 1)
        super().__init__(
            f"delayed recall, delay {self.delay}",
            length,
            baseline=Reference(1 / 12, "always says 0"),
            input_size=1,
            output_size=1,
            input_entries=("number",),
            output_entries=("number before",),
        )
        self.code = f"tasks.DelayedRecall({delay}, {length})"

    def draw(self, generator: np.random.Generator, count: int) -> tuple[Signal, Signal, Mask | None]:
        """Draw sequences; see `Task`."""
        inputs = generator.random((self.steps, count, 1)) - 0.5  # (n, B, 1)
        targets = np.zeros_like(inputs)
        targets[self.delay :] = inputs[: -self.delay]
        return inputs, targets, np.arange(self.steps) >= self.delay


def _last(steps: int) -> Mask:
    """A loss at the last step only, bool array (n,)."""
    found: Mask = np.arange(steps) == steps - 1
    return found

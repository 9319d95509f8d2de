"""Tasks that are grammars: predict the next symbol of strings that an automaton writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .checks import whole_number
from .data import Reference
from .parameters import Mask, Signal
from .task import Task

Float64 = NDArray[np.float64]

Arc = tuple[float, str, int]
"""Probability, the symbol that is written, and the state that follows."""

_CURRENT = "knows the current symbol only"

REBER_ARCS: tuple[tuple[Arc, ...], ...] = (
    ((1, "B", 1),),
    ((0.5, "T", 2), (0.5, "P", 3)),
    ((0.5, "S", 2), (0.5, "X", 4)),
    ((0.5, "T", 3), (0.5, "V", 5)),
    ((0.5, "X", 3), (0.5, "S", 6)),
    ((0.5, "P", 4), (0.5, "V", 6)),
    ((1, "E", 0),),
)
"""From each state. The string begins in state 0, and so does the next one after E."""


@dataclass(frozen=True)
class Grammar:
    """A finite automaton that writes symbols for ever, from state 0 on.

    Attributes
    ----------
    symbols : tuple of str
        The V symbols.
    arcs : sequence of sequence of (float, str, int)
        From each of the Q states: probability, symbol and next state of each way on.
    """

    symbols: tuple[str, ...]
    arcs: Sequence[Sequence[Arc]]

    def write(self, generator: np.random.Generator, steps: int, count: int) -> NDArray[np.intp]:
        """Write strings, int array (steps, count): indices into `symbols`."""
        most = max(map(len, self.arcs))
        limits = np.ones((len(self.arcs), most))  # (Q, arcs): cumulative probabilities
        symbols, nexts = np.zeros(limits.shape, np.intp), np.zeros(limits.shape, np.intp)  # (Q, arcs) each
        for state, arcs in enumerate(self.arcs):
            limits[state, : len(arcs) - 1] = np.cumsum([chance for chance, _, _ in arcs])[:-1]
            symbols[state, : len(arcs)] = [self.symbols.index(symbol) for _, symbol, _ in arcs]
            nexts[state, : len(arcs)] = [after for _, _, after in arcs]
        states = np.zeros(count, np.intp)  # (count,)
        written = np.empty((steps, count), np.intp)
        for row, chance in zip(written, generator.random((steps, count)), strict=True):
            arc = (chance[:, None] >= limits[states, :-1]).sum(axis=1)  # (count,)
            row[:] = symbols[states, arc]
            states = nexts[states, arc]
        return written

    def entropy(self, steps: int, known: Sequence[int] | None = None) -> float:
        """Least mean cross-entropy of predicting symbols 1 to `steps` of the text from all symbols before each.

        Parameters
        ----------
        steps : int
            How many predictions; the first symbol is given.
        known : sequence of int, optional
            What of a state (Q,) the predictor knows, as a number: by default which state it is.

        Returns
        -------
        float
            In nats. The predictor does not know how far the text is.
        """
        labels = np.arange(len(self.arcs)) if known is None else np.asarray(known)  # (Q,)
        joint = np.zeros((labels.max() + 1, len(self.symbols)))
        for mass in self._occupied(steps):  # (V, Q)
            np.add.at(joint, labels, mass.sum(axis=0)[:, None] * self._emissions)
        return _conditional_entropy(joint / steps)

    def bigram_entropy(self, steps: int) -> float:
        """The same for a predictor that knows the current symbol only."""
        joint = np.zeros((len(self.symbols), len(self.symbols)))
        for mass in self._occupied(steps):  # (V, Q)
            joint += mass @ self._emissions
        return _conditional_entropy(joint / steps)

    @property
    def _emissions(self) -> Float64:
        """Probability of each symbol from each state, (Q, V)."""
        found = np.zeros((len(self.arcs), len(self.symbols)))
        for state, arcs in enumerate(self.arcs):
            for chance, symbol, _ in arcs:
                found[state, self.symbols.index(symbol)] += chance
        return found

    def _occupied(self, steps: int) -> list[Float64]:
        """Probability of each symbol and the state after it, (V, Q), before each of the predictions."""
        states = np.zeros(len(self.arcs))  # (Q,)
        states[0] = 1
        found = []
        for _ in range(steps):
            mass = np.zeros((len(self.symbols), len(self.arcs)))
            for state, arcs in enumerate(self.arcs):
                for chance, symbol, after in arcs:
                    mass[self.symbols.index(symbol), after] += states[state] * chance
            states = mass.sum(axis=0)
            found.append(mass)
        return found


class _Written(Task):
    """A task whose sequences are what a grammar writes, string after string, with a loss at every step."""

    def __init__(self, name: str, grammar: Grammar, steps: int, baseline: Reference) -> None:
        symbols = grammar.symbols
        super().__init__(
            name,
            steps,
            baseline=baseline,
            least=Reference(grammar.entropy(steps), "entropy of the grammar"),
            input_size=len(symbols),
            output_size=len(symbols),
            vocabulary=symbols,
            input_vocabulary=symbols,
        )
        self.grammar = grammar
        self.shows_inputs = False  # they are the targets before

    def draw(self, generator: np.random.Generator, count: int) -> tuple[Signal, Signal, Mask | None]:
        """Draw sequences; see `Task`."""
        text = self.grammar.write(generator, self.steps + 1, count)  # (n+1, B)
        return text[:-1], text[1:], None


class Reber(_Written):
    """The Reber grammar: strings such as BTSSXXTVVE, of which each symbol is to be predicted.

    Two ways lead on from most states, equally likely. Source: Reber (1967), Implicit learning of artificial grammars;
    as a task for recurrent networks Cleeremans, Servan-Schreiber and McClelland (1989), Finite state automata and
    simple recurrent networks. Strings follow each other until the sequence is full, as in Gers, Schmidhuber and
    Cummins (2000), Learning to forget.

    The least loss is the entropy of the grammar, ln 2 wherever there are two ways. The baseline knows the current
    symbol only: all but B and E are written in two places, and it does not know in which.

    Parameters
    ----------
    length : int
        Steps of a sequence.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import tasks
    >>> task = tasks.Reber(20)
    >>> window = task.held_out(seed=0, count=1)
    >>> "".join(task.input_vocabulary[token] for token in window.inputs[:, 0])
    'BPVVEBPTVVEBTXSEBTSS'
    """

    def __init__(self, length: int = 30) -> None:
        length = whole_number("length", length)
        grammar = Grammar(("B", "T", "S", "X", "P", "V", "E"), REBER_ARCS)
        super().__init__("Reber grammar", grammar, length, Reference(grammar.bigram_entropy(length), _CURRENT))
        self.code = f"tasks.Reber({length})"


class EmbeddedReber(_Written):
    """The embedded Reber grammar: a string ends as it began, with T or P, and has a Reber string between.

    Source: Cleeremans, Servan-Schreiber and McClelland (1989); experiment 1 of Hochreiter and Schmidhuber (1997), Long
    short-term memory. Strings follow each other, as in Gers, Schmidhuber and Cummins (2000), Learning to forget.

    The baseline knows the grammar and where in it the string is, but not the symbol to remember: it loses ln 2 more in
    every string than the least loss, the entropy of the grammar.

    Parameters
    ----------
    length : int
        Steps of a sequence. A string takes 12 on average, and at least 9.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import tasks
    >>> task = tasks.EmbeddedReber(20)
    >>> window = task.held_out(seed=0, count=1)
    >>> "".join(task.input_vocabulary[token] for token in window.inputs[:, 0])
    'BPBPTTVPSEPEBPBTXXTT'
    """

    def __init__(self, length: int = 50) -> None:
        length = whole_number("length", length)
        inner = len(REBER_ARCS)
        first, last = {"T": 2, "P": 2 + inner}, 2 + 2 * inner
        arcs: list[tuple[Arc, ...]] = [((1, "B", 1),), ((0.5, "T", first["T"]), (0.5, "P", first["P"]))]
        closing = {"T": last, "P": last + 1}
        for symbol in ("T", "P"):
            for state in REBER_ARCS:
                moved = ((chance, own, after + first[symbol]) for chance, own, after in state)
                # Where the inner string ends, the outer one goes on.
                arcs.append(
                    tuple(
                        (chance, own, closing[symbol]) if own == "E" else (chance, own, after)
                        for chance, own, after in moved
                    )
                )
        arcs += [((1, "T", last + 2),), ((1, "P", last + 2),), ((1, "E", 0),)]
        grammar = Grammar(("B", "T", "S", "X", "P", "V", "E"), arcs)
        forgetful = [0, 1, *range(2, 2 + inner), *range(2, 2 + inner), last, last, last + 2]
        baseline = Reference(grammar.entropy(length, forgetful), "knows all but the symbol to remember")
        super().__init__("embedded Reber grammar", grammar, length, baseline)
        self.code = f"tasks.EmbeddedReber({length})"


class AnBn(_Written):
    """The language aⁿbⁿ: S, as many a as b, T. Once the first b comes, all that follows is known to who counted.

    n is drawn anew for every string, each as likely from 1 to `most`. Source: Gers and Schmidhuber (2001), LSTM
    recurrent networks learn simple context-free and context-sensitive languages, who train on n up to 10.

    The least loss is that of who counts; the baseline knows the current symbol only.

    Parameters
    ----------
    most : int
        Largest n.
    length : int
        Steps of a sequence. Strings follow each other until it is full.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import tasks
    >>> task = tasks.AnBn(most=4, length=20)
    >>> window = task.held_out(seed=0, count=1)
    >>> "".join(task.input_vocabulary[token] for token in window.inputs[:, 0])
    'SabTSabTSaaaabbbbTSa'
    """

    def __init__(self, most: int = 10, length: int = 40) -> None:
        most, length = whole_number("most", most), whole_number("length", length)
        # State 0: before S. State k+1: k a were written. State most+1+r: r-1 b are to come, then T.
        arcs: list[tuple[Arc, ...]] = [((1, "S", 1),), ((1, "a", 2),)]
        for count in range(1, most + 1):
            more = (most - count) / (most - count + 1)
            to_b: Arc = (1 - more, "b", most + 1 + count)
            arcs.append(((more, "a", count + 2), to_b) if count < most else (to_b,))
        arcs += [((1, "T", 0),) if left == 0 else ((1, "b", most + 1 + left),) for left in range(most)]
        grammar = Grammar(("S", "a", "b", "T"), arcs)
        baseline = Reference(grammar.bigram_entropy(length), _CURRENT)
        super().__init__(f"aⁿbⁿ, n ≤ {most}", grammar, length, baseline)
        self.most = most
        self.code = f"tasks.AnBn({most}, {length})"


def _conditional_entropy(joint: Float64) -> float:
    """Entropy of columns given rows, in nats, of joint probabilities."""
    given = joint.sum(axis=1, keepdims=True)
    ratio = np.divide(joint, given, out=np.ones_like(joint), where=joint > 0)
    return float(-(joint * np.log(ratio)).sum())

"""What somebody's own back-propagation through time came to, checked, beside what it should be. Needs no widget.

The reference is worked out here, in double precision, from the same weights and data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .agreement import Difference
from .attempt_checks import Checked, Checks
from .checks import as_names, finite_float, whole_number
from .given import by_name, network_of
from .problem import Pieces, Problem
from .rnn import RNN
from .run import Run
from .snapshot import Snapshot


class Attempt:
    """Arrays that somebody worked out for one batch or several, checked against a reference.

    Parameters
    ----------
    cell : str or type of Cell
        Which cell it is about, if `weights` is no `RNN`: "tanh", "relu", "lstm" or "gru".
    vocabulary : sequence of str
        What classes are called. By default their numbers.
    tolerance : float, optional
        Which `rel_error` counts as agreement. By default 1e-6 of arrays in double precision, 1e-3 in single.
    name : str
        What the data is called.

    Raises
    ------
    TypeError, ValueError
        If `vocabulary` is no collection, or `tolerance` not a number from 0 on.

    Attributes
    ----------
    reference : Run
        What it should be, itemized.
    yours : Run or None
        What was found. None if nothing was given that is itemized.
    checked : list of (int, tuple of Checked)
        Of each batch: its number, and how well each array agrees, in the order in which they are worked out.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnbow_widget import RNN, bptt
    >>> rnn = RNN(5, 4, seed=1, init="uniform", dtype="float64")
    >>> inputs, targets = [0, 1, 2, 3], [1, 2, 3, 4]
    >>> found = bptt(rnn, rnn.forward(inputs, targets)).parameters
    >>> attempt = Attempt()
    >>> attempt.add(rnn, inputs, targets, gradients={"W_hh": found["W_hh"], "b_h": 2 * found["b_h"]})
    >>> attempt.agrees
    False
    >>> attempt.difference.argument
    "gradients['b_h']"
    """

    def __init__(
        self,
        *,
        cell: Any = "tanh",
        vocabulary: Sequence[str] = (),
        tolerance: float | None = None,
        name: str = "your arrays",
    ) -> None:
        self._cell = cell
        self._vocabulary = as_names("vocabulary", vocabulary)
        self._tolerance = None if tolerance is None else finite_float("tolerance", tolerance, at_least=0)
        self._name = name
        self._given: frozenset[str] = frozenset()
        self.reference: Run
        self.yours: Run | None = None
        self.checked: list[tuple[int, tuple[Checked, ...]]] = []

    @property
    def given(self) -> frozenset[str]:
        """Which arrays the newest batch was checked with, by the arguments of `add`."""
        return self._given

    def add(
        self,
        weights: RNN | Mapping[str, ArrayLike],
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        state: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        hidden: ArrayLike | None = None,
        probabilities: ArrayLike | None = None,
        loss: ArrayLike | None = None,
        delta: Any = None,
        terms: Any = None,
        pieces: ArrayLike | None = None,
        gradients: Mapping[str, ArrayLike] | None = None,
        batch: int | None = None,
    ) -> None:
        """Check what was worked out for one window.

        Parameters
        ----------
        weights : RNN or mapping of array
            What it was worked out with: a network of one layer that reads forward, or its arrays ``W_ih`` (gates·H, V),
            ``W_hh`` (gates·H, H), ``b_h`` (gates·H,), ``W_ho`` (O, H) and ``b_o`` (O,). They may be called ``Wxh``,
            ``Whh``, ``bh``, ``Why`` and ``by`` too. Biases may be missing, and are 0 then.
        inputs, targets, state, mask :
            The window, of one stream; as for `RNN.forward`.
        hidden : array (n, H) or (n+1, H), optional
            h of each step, with or without the state before the first.
        probabilities : array (n, O), optional
            Softmax of the logits.
        loss : array (n,) or float, optional
            Of each step, or their sum.
        delta : array (n, n, gates·H), optional
            At ``[t, j]`` ``δ_{t,j} = ∂L_t/∂(W_hh h_{j-1})``; see `terms`.
        terms : array (n, n, gates·H, H), optional
            At ``[t][j]`` the itemized gradient ``G_{t,j}``: what the loss of step t sends to step j. Also a list of
            lists, whose row t may end at t, or a dict by ``(t, j)``; what is missing or None counts as 0.
        pieces : array (n, k, gates·H, H), optional
            The same, by step and lag: at ``[j, d]`` what step j received from the loss d steps later.
        gradients : mapping of array, optional
            Gradients of the sum of all losses with respect to any of the weights, by their names; a ``d`` before a
            name is allowed, as in ``dWhh``.
        batch : int, optional
            Number of the batch: by default one more than that of the last one.

        Raises
        ------
        TypeError, ValueError
            If an argument is not of the kind above, or has entries that are not finite; or if there is nothing to
            check, or not what there was for the batches before. The message names the argument.
        """
        arrays = {"hidden": hidden, "probabilities": probabilities, "loss": loss}
        itemized = {"delta": delta, "terms": terms, "pieces": pieces}
        given = frozenset(name for name, array in {**arrays, **itemized}.items() if array is not None)
        named = by_name("gradients", {} if gradients is None else gradients)
        if not (given or named):
            raise ValueError(f"nothing to check: give any of {', '.join([*arrays, *itemized])} or gradients")
        if self.checked and given & {*itemized} != self._given & {*itemized}:
            before = ", ".join(sorted(self._given & {*itemized})) or "none of them"
            raise ValueError(f"{', '.join(itemized)}: for the batches before there was {before}; give the same again")
        number = self.checked[-1][0] + 1 if self.checked else 0
        if batch is not None:
            number = whole_number("batch", batch, minimum=number)
        problem = Problem(network_of(weights, self._cell), inputs, targets, state, mask, self._vocabulary)
        if self.checked and problem.steps != self.reference[-1].steps:
            raise ValueError(f"inputs takes {self.reference[-1].steps} steps, as before; got {problem.steps}")
        checks = Checks(number, problem, self._tolerance)
        for name, array in arrays.items():
            if array is not None:
                checks.by_step(name, array)
        found = None
        for name, array in itemized.items():
            if array is not None:
                found = checks.itemized(name, array)
        for name in ("b_o", "W_ho", "W_hh", "b_hn", "b_h", "W_ih"):  # in the order in which the way back comes by
            if name in named:
                checks.gradient(name, *named[name])
        lags = None if found is None else found.lags
        reference = problem.snapshot(number, lags)
        if not self.checked:
            self.reference = problem.run(lags, self._name)
            self.yours = None if found is None else problem.run(lags, self._name)
        self.reference.append(reference)
        if self.yours is not None and found is not None:
            self.yours.append(_theirs(reference, found, checks))
        others = {"state": state, "mask": mask, "gradients": gradients}
        self._given = given | {name for name, array in others.items() if array is not None}
        self.checked.append((number, tuple(checks.results)))

    @property
    def difference(self) -> Difference | None:
        """Where it first differs from the reference; None if it agrees."""
        return next((d for number, _ in self.checked if (d := self.difference_at(number))), None)

    def difference_at(self, batch: int) -> Difference | None:
        """Where a batch first differs from the reference; None if it agrees, or was not checked."""
        found = dict(self.checked).get(batch, ())
        return next((one.difference for one in found if one.difference), None)

    @property
    def agrees(self) -> bool:
        """Whether everything agrees with the reference."""
        return self.difference is None

    @property
    def rel_errors(self) -> dict[str, float]:
        """The largest `rel_error` of each array that was given, by the argument, over all batches."""
        found: dict[str, float] = {}
        for _, results in self.checked:
            for one in results:
                found[one.argument] = max(found.get(one.argument, 0.0), one.rel_error)
        return found

    def sentence(self) -> str:
        """Say where it first differs, or that it agrees."""
        if not self.checked:
            return "Nothing was checked yet."
        first = self.difference
        if first:
            return first.sentence()
        worst = max(self.rel_errors.values())
        count = len(self.checked)
        where = "" if count == 1 else f" in all {count} batches"
        return f"Agrees with the reference{where}: rel_error is at most {worst:.2g}."

    def __repr__(self) -> str:
        wrong = {one.argument for _, results in self.checked for one in results if one.difference}
        lines = [
            f"  {name:<20} rel_error {error:<8.2g} {'differs' if name in wrong else 'agrees'}"
            for name, error in self.rel_errors.items()
        ]
        return "\n".join([self.sentence(), *lines])


def _theirs(reference: Snapshot, pieces: Pieces, checks: Checks) -> Snapshot:
    """The batch as somebody worked it out; what they did not is as it should be."""
    items, totals = pieces.measured()
    arrays = checks.arrays
    all_lags = pieces.lags == reference.steps
    fields: dict[str, Any] = {
        "surfaces": items,
        "step_totals": totals,
        "beyond": reference.beyond if all_lags else {},  # of lags that were not worked out nothing is known
    }
    if "loss" in arrays:
        fields["loss"] = arrays["loss"].astype(np.float32)
    if "probabilities" in arrays:
        likely = arrays["probabilities"]  # (n, O)
        targets = checks.problem.forward.targets  # (n,)
        fields["prediction_tokens"] = likely.argmax(axis=1).astype(np.int32)
        own = likely[np.arange(len(likely)), targets].astype(np.float32)
        fields["probability"] = np.where(np.isnan(reference.probability), np.float32(np.nan), own)
    parameters = checks.problem.gradients.parameters
    of_all = [arrays.get(f"gradients {name}") for name in parameters]
    if all(one is not None for one in of_all):
        norm = float(np.sqrt(sum(float(np.vdot(one, one)) for one in of_all if one is not None)))
        fields |= {"grad_norm": norm, "update_norm": norm}
    return replace(reference, **fields)

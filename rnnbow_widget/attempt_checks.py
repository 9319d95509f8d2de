"""Compares arrays that somebody worked out with those of a `Problem`, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .agreement import FLOORS, TOLERANCES, Difference, Float64, first_piece, first_step, norms, real_array, rel_errors
from .given import by_loss_and_step, dtype_of, require_shape
from .problem import Pieces, Problem, by_loss


@dataclass(frozen=True)
class Checked:
    """One array that was given: how well it agrees.

    Attributes
    ----------
    argument : str
        What the argument is called.
    rel_error : float
        The largest of its parts: of pieces that of any piece, of an array by steps that of any step.
    tolerance : float
        Up to where it agrees.
    difference : Difference or None
        Where it first does not.
    """

    argument: str
    rel_error: float
    tolerance: float
    difference: Difference | None


class Checks:
    """Compares arrays with what they should be, and notes the results."""

    def __init__(self, batch: int, problem: Problem, tolerance: float | None) -> None:
        self.batch = batch
        self.problem = problem
        self.results: list[Checked] = []
        self.arrays: dict[str, Float64] = {}
        self._tolerance = tolerance

    def by_step(self, name: str, values: Any) -> None:
        """Check an array (n, …) or of the loss its sum."""
        expected = self._expected(name)
        found = real_array(name, values, finite=True)
        if name == "hidden" and found.shape == self.problem.forward.hidden.shape:
            found = found[1:]
        if name == "loss" and found.ndim == 0:
            self._note(name, values, found.reshape(1, 1), np.array([[expected.sum()]]))
            return
        require_shape(name, found, expected.shape, " or one number, their sum" if name == "loss" else "")
        self.arrays[name] = found
        rows = (array.reshape(len(array), -1) for array in (found, expected))  # (n, …) each
        self._note(name, values, *rows, by_step=True)

    def _expected(self, name: str) -> Float64:
        forward = self.problem.forward
        if name == "hidden":
            return forward.hidden[1:].astype(np.float64)
        return (forward.probabilities if name == "probabilities" else forward.loss).astype(np.float64)

    def itemized(self, name: str, values: Any) -> Pieces:
        """Check pieces, and return them."""
        problem, n = self.problem, self.problem.steps
        rows, columns = problem.rnn.parameters["W_hh"].shape
        if name == "pieces":
            by_lag = real_array(name, values, finite=True)  # (n, k, gates·H, H)
            lags = by_lag.shape[1] if by_lag.ndim == 4 else n
            if not 1 <= lags <= n:
                raise ValueError(f"pieces takes 1 to {n} lags, got {lags}")
            require_shape(name, by_lag, (n, lags, rows, columns))
            found = by_loss(by_lag, n)  # (n, n, gates·H, H)
        else:
            lags = n
            found = by_loss_and_step(name, values, n, (rows,) if name == "delta" else (rows, columns))
        delta = problem.delta()  # (n, n, gates·H)
        if name == "delta":
            expected = Pieces(delta[..., None], None, n)
            own = Pieces(found[..., None], None, n)
        else:
            expected = Pieces(delta, problem.before(), n)
            own = Pieces(found, None, lags)
        self._note_pieces(name, values, own, expected)
        return Pieces(found, problem.before(), n) if name == "delta" else own

    def gradient(self, name: str, argument: str, values: Any) -> None:
        """Check the gradient with respect to one parameter."""
        argument = f"gradients[{argument!r}]"
        expected = self.problem.gradients.parameters
        if name not in expected:
            raise ValueError(f"{argument}: this network has {', '.join(expected)}")
        found = real_array(argument, values, finite=True)
        should = np.asarray(expected[name], np.float64)
        if should.ndim == 1 and found.shape == (len(should), 1):
            found = found[:, 0]
        require_shape(argument, found, should.shape)
        self.arrays[f"gradients {name}"] = found
        self._note(argument, values, found.reshape(1, -1), should.reshape(1, -1))

    def _limits(self, values: Any) -> tuple[float, float]:
        name = dtype_of(values)
        tolerance = TOLERANCES.get(name, TOLERANCES["float64"]) if self._tolerance is None else self._tolerance
        return tolerance, FLOORS.get(name, FLOORS["float64"])

    def _note(self, argument: str, values: Any, found: Float64, expected: Float64, *, by_step: bool = False) -> None:
        """Note how rows (m, …) agree."""
        tolerance, part = self._limits(values)
        sizes = norms(expected)  # (m,)
        errors = rel_errors(found, expected, part * float(sizes.max()))  # (m,)
        place = first_step(errors, tolerance)
        difference = None
        if place is not None:
            both = float(norms(found[place])), float(sizes[place])
            step = place if by_step else None
            difference = Difference(self.batch, argument, float(errors[place]), *both, step=step)
        self.results.append(Checked(argument, float(errors.max()), tolerance, difference))

    def _note_pieces(self, argument: str, values: Any, found: Pieces, expected: Pieces) -> None:
        """Note how pieces agree: those of the lags that were given."""
        n = expected.steps
        tolerance, part = self._limits(values)
        size = np.array(
            [[norms(one.of_loss(t).reshape(n, -1)) for t in range(n)] for one in (found, expected)]
        )  # (2, n, n): at [:, t, j]
        floor = part * float(size[1].max())
        errors = np.array(
            [rel_errors(found.of_loss(t).reshape(n, -1), expected.of_loss(t).reshape(n, -1), floor) for t in range(n)]
        )  # (n, n)
        errors[np.subtract.outer(np.arange(n), np.arange(n)) >= found.lags] = 0  # were not to be worked out
        place = first_piece(errors, tolerance)
        difference = None
        if place:
            t, j, agreeing = place
            sizes = float(size[0, t, j]), float(size[1, t, j])
            difference = Difference(self.batch, argument, float(errors[t, j]), *sizes, t, j, agreeing)
        self.results.append(Checked(argument, float(errors.max()), tolerance, difference))

"""`AttemptView`: what somebody's own back-propagation came to, next to what it should be, as a widget."""

from __future__ import annotations

from typing import Any

from .attempt import Attempt
from .checks import one_of
from .comparison import Comparison
from .display import mime_bundle
from .protocol import drawable
from .recipe import import_line
from .sides import Side

_OF_ATTEMPT = ("cell", "vocabulary", "tolerance", "name")


class AttemptView(Comparison):
    """Panels 2 to 4 of what was found, and of what it should be, on one scale; a mark where they first differ.

    Made by `RNNbow.from_arrays`. Where nothing was given that is itemized, there is the reference alone, and the
    sentence says how well the gradients agree.

    Parameters
    ----------
    attempt : Attempt
        In which a batch is checked at least.

    Attributes
    ----------
    attempt : Attempt
        Everything in numbers: `Attempt.rel_errors`, `Attempt.difference`.
    """

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        runs = {"yours": attempt.yours, "reference": attempt.reference}
        sides = {name: Side(run, None) for name, run in runs.items() if run is not None}
        first = attempt.difference
        super().__init__(sides, quantity="max_gradient" if attempt.yours else "grad_norm")
        if first:
            self.selected = first.batch

    def __repr__(self) -> str:
        return repr(self.attempt)

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return mime_bundle(self, self.to_png, always=True)

    def to_png(self, batch: int | None = None) -> bytes:
        """Draw a batch as a still picture, by default that in which something first differs. Needs matplotlib."""
        mark = self._mark(self._shown(batch))
        words = self.attempt.sentence()
        return self._draw(batch, None if mark is None else (mark["step"], mark["lag"]), words)

    def code(self) -> str:
        """Return the call that checks these arrays as one line of Python, in which the arrays are names."""
        given = sorted(self.attempt.given)
        arrays = ["weights", "inputs", "targets"]
        call = f"w = RNNbow.from_arrays({', '.join([*arrays, *(f'{name}={name}' for name in given)])})"
        statements = [f"w.{name} = {value!r}" for name, value in self._chosen().items() if name != "quantity"]
        said = f"{', '.join([*arrays, *given])}: your own, of the newest batch that was checked"
        return import_line(["RNNbow"], [call, *statements, "w"], [said])

    def _told(self) -> dict[str, Any]:
        batch = self._shown(None)
        here, first = self.attempt.difference_at(batch), self.attempt.difference
        sentence = self.attempt.sentence()
        if first and first.batch != batch:
            sentence += f" Batch {batch:,}: {here.sentence() if here else 'agrees.'}"
        return {"sentence": drawable(sentence), "mark": self._mark(batch)}

    def _shown(self, batch: int | None) -> int:
        chosen = self.selected if batch is None else batch
        return int(self.attempt.reference.batches[-1]) if chosen is None else chosen

    def _mark(self, batch: int) -> dict[str, int] | None:
        """Which piece is to be marked; None if none differs."""
        first = self.attempt.difference_at(batch)
        if first is None or first.step is None or first.lag is None or first.lag < 0:
            return None
        return {"batch": batch, "step": first.step, "lag": first.lag}


def show_attempt(
    weights: Any, inputs: Any, targets: Any, *, attempt: Attempt | None = None, **arrays: Any
) -> AttemptView:
    """Check arrays, and show them; for arguments and errors see `RNNbow.from_arrays`."""
    of_attempt = {name: arrays.pop(name) for name in _OF_ATTEMPT if name in arrays}
    if attempt is None:
        attempt = Attempt(**of_attempt)
    elif not isinstance(attempt, Attempt):
        raise TypeError(f"attempt takes the attempt of an earlier view, got {type(attempt).__name__}")
    elif of_attempt:
        raise TypeError(f"{', '.join(of_attempt)}: the attempt that is gone on with has its own")
    for name in arrays:
        one_of("from_arrays", name, _ARRAYS)
    attempt.add(weights, inputs, targets, **arrays)
    return AttemptView(attempt)


_ARRAYS = ("state", "mask", "hidden", "probabilities", "loss", "delta", "terms", "pieces", "gradients", "batch")

"""What there is to know of data to show a run that was trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class About:
    """What inputs and targets are, and what their loss is to be compared with.

    Attributes
    ----------
    kind : str
        What targets are: "classes" or "values".
    loss_name, loss_unit : str
        What the loss of a step is, and its unit; empty if it has none.
    inputs : str or None
        What inputs are, "classes" or "values"; None if they tell nothing that targets do not.
    input_vocabulary, input_entries, output_entries : tuple of str
        What input tokens are called, and the entries of vectors.
    fresh : bool
        Whether sequences are independent and always others, so that they have no place in any data.
    baseline, least, solved_below : float or None
        The loss of a predictor that misses the point, the least of any, and one below which the task is solved.
    baseline_name, least_name : str
        How one gets there, in a few words.
    """

    kind: Literal["classes", "values"]
    loss_name: str
    loss_unit: str
    inputs: Literal["classes", "values"] | None = None
    input_vocabulary: tuple[str, ...] = ()
    input_entries: tuple[str, ...] = ()
    output_entries: tuple[str, ...] = ()
    fresh: bool = False
    baseline: float | None = None
    baseline_name: str = ""
    least: float | None = None
    least_name: str = ""
    solved_below: float | None = None

    def loss_text(self, loss: float) -> str:
        """Return a loss with its unit, and with that of who misses the point."""
        unit = f" {self.loss_unit} per step" if self.loss_unit else ""
        compared = "" if self.baseline is None else f" (baseline {self.baseline:.3g})"
        return f"{loss:.3g}{unit}{compared}"

"""What was taken of a pass through recurrent layers of PyTorch, and who takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch


@dataclass(frozen=True)
class Pass:
    """What went through recurrent layers, and the gradients that came back: detached tensors, steps first.

    Those of cells have only the b sequences that are itemized; there, read B as b.

    Attributes
    ----------
    inputs : tensor (n, B, V)
        What went in.
    outputs : tensor (n, B, D·H)
        What the top layer gave out.
    entering : tensor (n, B, D·H)
        Gradient of the loss that arrived there.
    states : tuple of tensor (L·D, B, H), or None
        h_0; of an LSTM, h_0 and c_0. None stands for zeros.
    lengths : tensor (B,) or None
        Steps of each sequence, if they differ.
    streams : int
        How many sequences there were, itemized or not.
    half : bool
        Whether numbers of half precision had a part in it.
    """

    inputs: torch.Tensor
    outputs: torch.Tensor
    entering: torch.Tensor
    states: tuple[torch.Tensor | None, ...]
    lengths: torch.Tensor | None
    streams: int
    half: bool


def in_half_precision(outputs: torch.Tensor) -> bool:
    """Whether numbers of half precision have a part in what is computed just now, or in what came out."""
    return outputs.dtype not in (torch.float32, torch.float64) or torch.is_autocast_enabled(outputs.device.type)


class Watcher(Protocol):
    """Who wants passes."""

    @property
    def streams(self) -> int:
        """How many sequences are itemized, the first ones."""

    def begin(self) -> int | None:
        """Count a pass that begins; return its number if it is wanted."""

    def guarded(self, work: Callable[[], None]) -> None:
        """Do our own work, so that no failure of it reaches the user's loop."""

    def record(self, step: int, taken: Pass) -> None:
        """Itemize a pass whose gradients have arrived."""


class Source(Protocol):
    """What is watched: hooks that take passes."""

    module: Any
    cell: str
    output_width: int

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the weights under the names that `ForeignLayers` takes."""

    def attach(self, watcher: Watcher) -> None:
        """Begin to hand over passes."""

    def detach(self) -> None:
        """Remove all hooks."""

    def classes(self, given: Any) -> torch.Tensor:
        """Return a batch's classes (n, B) from what a person has, in the layout of the module."""

"""Takes passes of `torch.nn.RNN`, `LSTM` and `GRU`: one call is a whole window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.autograd.graph import register_multi_grad_hook
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from .exchange import cell_name, refuse_what_is_unknown, weights_of
from .watched_pass import Pass, Watcher, in_half_precision

KINDS = (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU)

_DROPOUT = (
    "dropout between the layers draws other numbers in every pass, so that the pass cannot be worked out again; "
    "with dropout=0, or in eval mode, it can"
)
_AT_STATES = (
    "gradients arrive at h_n of a lower layer, or at c_n; only those that arrive at the outputs, and at h_n of the top "
    "layer, are itemized"
)


@dataclass(frozen=True)
class _Taken:
    """What a forward pass was made of: detached, not copied."""

    step: int
    inputs: torch.Tensor | PackedSequence
    states: tuple[torch.Tensor | None, ...]  # h_0, or h_0 and c_0
    outputs: torch.Tensor | PackedSequence
    half: bool


class WatchedLayers:
    """A recurrent module whose passes are taken; see `Source`.

    Parameters
    ----------
    module : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        Which.

    Raises
    ------
    ValueError
        If it has dropout between layers, or a projected state.
    """

    def __init__(self, module: Any) -> None:
        if module.dropout and module.num_layers > 1:
            raise ValueError(f"module takes one without dropout: {_DROPOUT}")
        if module.proj_size:
            refuse_what_is_unknown(module)
        self.module = module
        self.cell = cell_name(module)
        self._directions = 2 if module.bidirectional else 1
        self.output_width = module.hidden_size * self._directions
        self._watcher: Watcher
        self._hook: Any = None

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the weights by PyTorch's names."""
        return weights_of(self.module)

    def attach(self, watcher: Watcher) -> None:
        """Begin to hand over passes."""
        self._watcher = watcher
        self._hook = self.module.register_forward_hook(self._on_forward, with_kwargs=True)

    def detach(self) -> None:
        """Remove the hook."""
        self._hook.remove()

    def classes(self, given: Any) -> torch.Tensor:
        """Return classes (n, B) from those in the layout of the outputs, padded or packed."""
        if isinstance(given, PackedSequence):
            return pad_packed_sequence(given, padding_value=-1)[0]
        if given.ndim == 1:
            return given[:, None]  # type: ignore[no-any-return]
        return given.transpose(0, 1) if self.module.batch_first else given  # type: ignore[no-any-return]

    def _on_forward(self, _: Any, args: Any, kwargs: Any, output: Any) -> None:
        if torch.is_grad_enabled() and (step := self._watcher.begin()) is not None:
            self._watcher.guarded(partial(self._take, step, args, kwargs, output))

    def _take(self, step: int, args: Any, kwargs: Any, output: Any) -> None:
        """Keep what a pass was made of until its gradients arrive."""
        if self.module.training and self.module.dropout and self.module.num_layers > 1:
            raise ValueError(_DROPOUT)
        given = dict(zip(("input", "hx"), args, strict=False)) | kwargs
        outputs, after = output
        data = outputs.data if isinstance(outputs, PackedSequence) else outputs
        after = after if isinstance(after, tuple) else (after,)
        if not data.requires_grad:
            return
        before = given.get("hx")
        before = before if isinstance(before, tuple) else (before,)
        states = tuple(None if one is None else one.detach() for one in before)
        taken = _Taken(step, _detached(given["input"]), states, _detached(outputs), in_half_precision(data))
        handle: list[Any] = []

        def arrived(gradients: Sequence[torch.Tensor | None]) -> None:
            # In a second pass back through the same graph there is nothing left to do.
            for own in handle:
                own.remove()
            self._watcher.guarded(lambda: self._watcher.record(step, self._whole(taken, gradients)))

        handle.append(register_multi_grad_hook((data, *after), arrived))

    def _whole(self, taken: _Taken, gradients: Sequence[torch.Tensor | None]) -> Pass:
        """Return a pass with the gradients that have arrived."""
        outputs, lengths = self._steps_first(taken.outputs)  # (n, B, D·H), (B,)
        inputs, _ = self._steps_first(taken.inputs)  # (n, B, V)
        at_data, *at_states = gradients
        if at_data is None:
            entering = torch.zeros_like(outputs)
        elif isinstance(taken.outputs, PackedSequence):
            entering, _ = self._steps_first(taken.outputs._replace(data=at_data.detach()))
        else:
            entering = self._steps_first(at_data.detach())[0].clone()
        self._enter_by_states(entering, at_states, lengths)
        size = self.module.hidden_size
        states = tuple(None if one is None else one.reshape(len(one), -1, size) for one in taken.states)
        return Pass(inputs, outputs, entering, states, lengths, outputs.shape[1], taken.half)

    def _enter_by_states(
        self, entering: torch.Tensor, at_states: Sequence[torch.Tensor | None], lengths: torch.Tensor | None
    ) -> None:
        """Add what arrives at h_n of the top layer, which is an output too, to that at the outputs, (n, B, D·H)."""
        streams, size = entering.shape[1], self.module.hidden_size
        for place, gradient in enumerate(at_states):
            if gradient is None:
                continue
            whole = gradient.detach().reshape(len(gradient), -1, size)  # (L·D, B, H)
            if bool((whole[: -self._directions] if place == 0 else whole).any()):
                raise ValueError(_AT_STATES)
            if place == 0:
                last = torch.full((streams,), len(entering)) if lengths is None else lengths  # (B,)
                at_last = last.to(entering.device) - 1, torch.arange(streams, device=entering.device)
                entering[..., :size][at_last] += whole[-self._directions]
                if self._directions == 2:
                    entering[0, :, size:] += whole[-1]

    def _steps_first(self, given: torch.Tensor | PackedSequence) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return an array (n, B, …), and of packed sequences their lengths."""
        if isinstance(given, PackedSequence):
            return pad_packed_sequence(given)
        if given.ndim == 2:
            return given[:, None], None
        return (given.transpose(0, 1) if self.module.batch_first else given), None


def _detached(given: torch.Tensor | PackedSequence) -> Any:
    return given._replace(data=given.data.detach()) if isinstance(given, PackedSequence) else given.detach()

"""Modules of PyTorch and batches for hypothesis to draw, and a step in which they are watched."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import autograd
import numpy as np
import pytest
import torch
from autograd import KINDS, make_module
from differences import relative_error
from hypothesis import strategies as st
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnbow_widget import Run, Snapshot, itemizer, recording
from rnnbow_widget.foreign import ForeignLayers
from rnnbow_widget.surfaces import Surfaces
from rnnbow_widget.torch import watch


def numbers_of(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in module.named_parameters()}


def gradient_of(weight: torch.Tensor) -> torch.Tensor:
    """What a pass back has left there."""
    assert weight.grad is not None
    return weight.grad


INPUTS, HIDDEN = 3, 4
Draw = Callable[..., torch.Tensor]


class Batch(NamedTuple):
    inputs: np.ndarray  # (n, B, V)
    lengths: np.ndarray  # (B,)
    states: list[np.ndarray] | None  # one or two of (L·D, B, H)


@dataclass(frozen=True)
class Arrangement:
    """A module and a batch, all from one seed."""

    cell: str
    num_layers: int
    bidirectional: bool
    bias: bool
    batch_first: bool
    form: str  # "batch", "unbatched", "packed" or "unsorted"
    steps: int
    streams: int
    watched: int
    with_state: bool
    reads: str  # what the loss is a function of: "outputs", "last" or "both"
    seed: int

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    def module(self, draw: Draw) -> torch.nn.Module:
        module = make_module(
            self.cell,
            INPUTS,
            HIDDEN,
            self.num_layers,
            bias=self.bias,
            batch_first=self.batch_first,
            bidirectional=self.bidirectional,
            dtype=torch.float64,
        )
        with torch.no_grad():
            for weight in module.parameters():
                weight.copy_(draw(*weight.shape) / 2)
        return module

    def batch(self, draw: Draw) -> tuple[Any, Batch]:
        """Return what goes into the module, and the same as plain arrays."""
        streams = 1 if self.form == "unbatched" else self.streams
        lengths = np.full(streams, self.steps)
        x = draw(self.steps, streams, INPUTS)
        given: Any = x.transpose(0, 1) if self.batch_first else x
        if self.form == "unbatched":
            given = x[:, 0]
        elif self.form in ("packed", "unsorted"):
            drawn = torch.tensor(np.random.default_rng(self.seed).integers(1, self.steps + 1, streams))
            drawn = drawn.sort(descending=True).values if self.form == "packed" else drawn
            lengths = drawn.numpy()
            given = pack_padded_sequence(given, drawn, self.batch_first, enforce_sorted=self.form == "packed")
        states = [draw(self.num_layers * self.directions, streams, HIDDEN) for _ in range(self.blocks)]
        plain = [state.numpy() for state in states] if self.with_state else None
        return (given, self._as_taken(states)), Batch(x.numpy(), lengths, plain)

    @property
    def blocks(self) -> int:
        return 2 if self.cell == "lstm" else 1

    def _as_taken(self, states: list[torch.Tensor]) -> Any:
        """States (L·D, B, H) as the module takes them."""
        if not self.with_state:
            return None
        own = tuple(state[:, 0] if self.form == "unbatched" else state for state in states)
        return own if self.blocks == 2 else own[0]

    def train(self) -> tuple[Run, torch.nn.Module, Batch, np.ndarray]:
        """Take a step that is watched; return the gradients of each sequence's own loss, (n, B, D·H), too."""
        generator = torch.Generator().manual_seed(self.seed)

        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        module = self.module(draw)
        given, batch = self.batch(draw)
        with watch(module, 1, streams=self.watched) as watching:
            outputs, after = module(*given)
            data = outputs.data if isinstance(outputs, PackedSequence) else outputs
            last = (after[0] if self.blocks == 2 else after)[-self.directions :]
            data.retain_grad()
            last.retain_grad()
            loss = torch.zeros((), dtype=torch.float64)
            if self.reads != "last":
                loss = loss + (data * draw(*data.shape)).sum() + (data**3).mean()
            if self.reads != "outputs":
                loss = loss + (last * draw(*last.shape)).sum()
            loss.backward()
        assert watching.trouble == ""
        return watching.run, module, batch, self._entering(outputs, data.grad, last.grad, batch) * len(batch.lengths)

    def _entering(
        self, outputs: Any, at_data: torch.Tensor | None, at_last: torch.Tensor | None, batch: Batch
    ) -> np.ndarray:
        streams = len(batch.lengths)
        found = torch.zeros(self.steps, streams, self.directions * HIDDEN, dtype=torch.float64)
        if at_data is not None and isinstance(outputs, PackedSequence):
            found += pad_packed_sequence(outputs._replace(data=at_data), total_length=self.steps)[0]
        elif at_data is not None:
            turned = self.batch_first and self.form != "unbatched"
            found += (at_data.transpose(0, 1) if turned else at_data).reshape(found.shape)
        if at_last is not None:
            own = at_last.reshape(self.directions, streams, HIDDEN)
            found[batch.lengths - 1, np.arange(streams), :HIDDEN] += own[0]
            if self.bidirectional:
                found[0, :, HIDDEN:] += own[1]
        return found.numpy()


def arrangements(**fixed: Any) -> st.SearchStrategy[Arrangement]:
    drawn = {
        "cell": st.sampled_from(sorted(KINDS)),
        "num_layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "bias": st.booleans(),
        "batch_first": st.booleans(),
        "form": st.sampled_from(["batch", "unbatched", "packed", "unsorted"]),
        "steps": st.integers(1, 6),
        "streams": st.integers(1, 4),
        "watched": st.integers(1, 4),
        "with_state": st.booleans(),
        "reads": st.sampled_from(["outputs", "last", "both"]),
        "seed": st.integers(0, 2**32 - 1),
    }
    return st.builds(Arrangement, **(drawn | fixed))


@contextmanager
def captured_items() -> Iterator[list[Any]]:
    """Gather what is itemized meanwhile, in the precision in which it is: snapshots are float32."""
    captured: list[Any] = []

    def itemize(*args: Any) -> Any:
        captured.append(recording.itemize(*args))
        return captured[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(itemizer, "itemize_surfaces", itemize)
        yield captured


def expect_agreement(
    layers: ForeignLayers, snapshot: Snapshot, itemized: Any, batch: Batch, entering: np.ndarray
) -> None:
    """Compare what was recorded with autograd on unrolled cells; `entering` (n, B, D·H) is of each own loss."""
    for b, stream in enumerate(snapshot.streams or (snapshot,)):
        length = batch.lengths[b]
        state = layers.rnn.zero_state()
        if batch.states is not None:
            h, c = [*batch.states, None][:2]
            state = layers.state(h, c, batch.inputs.shape[1])[b]
        unrolled = autograd.unroll_layers(
            layers.rnn, batch.inputs[:length, b], None, state, at_outputs=entering[:length, b]
        )
        for surface in Surfaces.of(layers.rnn).weights:
            pieces = unrolled.pieces(unrolled.recurrent[surface.name])  # (n, n, gates·H): [j, t]
            before = torch.stack(unrolled.before[surface.name]).detach().numpy()  # (n, H)
            expected = np.linalg.norm(pieces, axis=-1) * np.linalg.norm(before, axis=-1)[:, None]  # (n, n)
            found = itemized[surface.name].items["norm"]  # (n, K) or (n, B, K): [j, i] of the loss at j + first + i
            found = found[:, b] if snapshot.streams else found
            np.testing.assert_array_equal(stream.surfaces[surface.name], found.astype(np.float32))
            first = stream.first_lags.get(surface.name, 0)
            lags = np.arange(length)[None, :] - np.arange(length)[:, None] - first  # (n, n)
            there = (lags >= 0) & (lags < found.shape[1])
            assert not expected[~there].any()
            own = np.take_along_axis(found[:length], np.where(there, lags, 0), axis=1) * there
            assert relative_error(own, expected) < 1e-9
            assert not found[length:].any()

"""Networks that are trained elsewhere: gradients agree with autograd's, and whoever is watched does not notice."""

import copy
import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import relative_error
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnbow_widget import RNN, Run, itemize, itemizer
from rnnbow_widget.foreign import ForeignLayers
from rnnbow_widget.surfaces import Surfaces
from rnnbow_widget.torch import WatchWarning, watch

KINDS = {"tanh": torch.nn.RNN, "relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def make_module(cell: str, *sizes: int, **options: Any) -> torch.nn.Module:
    own = {"nonlinearity": cell} if KINDS[cell] is torch.nn.RNN else {}
    return KINDS[cell](*sizes, **own, **options)


def weights_of(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in module.named_parameters()}


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

    def run(self, **options: Any) -> tuple[Run, torch.nn.Module, dict[str, np.ndarray]]:
        """Train a step that is watched; returns what the reference needs: inputs, entering, states, lengths."""
        generator = torch.Generator().manual_seed(self.seed)
        inputs, hidden, directions = 3, 4, 2 if self.bidirectional else 1

        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        module = make_module(
            self.cell,
            inputs,
            hidden,
            self.num_layers,
            bias=self.bias,
            batch_first=self.batch_first,
            bidirectional=self.bidirectional,
            dtype=torch.float64,
        )
        with torch.no_grad():
            for weight in module.parameters():
                weight.copy_(draw(*weight.shape) / 2)
        streams = 1 if self.form == "unbatched" else self.streams
        lengths = np.full(streams, self.steps)
        x = draw(self.steps, streams, inputs)
        given: Any = x.transpose(0, 1) if self.batch_first else x
        if self.form == "unbatched":
            given = x[:, 0]
        elif self.form in ("packed", "unsorted"):
            drawn = torch.randint(1, self.steps + 1, (streams,), generator=generator)
            drawn = drawn.sort(descending=True).values if self.form == "packed" else drawn
            lengths = drawn.numpy()
            given = pack_padded_sequence(given, drawn, self.batch_first, enforce_sorted=self.form == "packed")
        shape = (self.num_layers * directions, *([] if self.form == "unbatched" else [streams]), hidden)
        blocks = 2 if self.cell == "lstm" else 1
        states = tuple(draw(*shape) for _ in range(blocks)) if self.with_state else None
        before = states if states is None or blocks == 2 else states[0]
        with watch(module, 1, streams=self.watched, **options) as watching:
            outputs, after = module(given, before)
            assert not watching.trouble
            data = outputs.data if isinstance(outputs, PackedSequence) else outputs
            data.retain_grad()
            last = (after[0] if blocks == 2 else after)[-directions:]
            loss = torch.zeros((), dtype=torch.float64)
            if self.reads != "last":
                loss = loss + (data * draw(*data.shape)).sum() + (data**3).mean()
            if self.reads != "outputs":
                loss = loss + (last * draw(*last.shape)).sum()
                last.retain_grad()
            loss.backward()
        assert watching.trouble == ""
        entering = torch.zeros(self.steps, streams, directions * hidden, dtype=torch.float64)
        if data.grad is not None:
            if isinstance(outputs, PackedSequence):
                padded, _ = pad_packed_sequence(outputs._replace(data=data.grad), total_length=self.steps)
                entering += padded
            else:
                turned = self.batch_first and self.form != "unbatched"
                entering += (data.grad.transpose(0, 1) if turned else data.grad).reshape(entering.shape)
        if self.reads != "outputs":
            found = last.grad.reshape(directions, streams, hidden)
            for b, length in enumerate(lengths):
                entering[length - 1, b, :hidden] += found[0, b]
                if directions == 2:
                    entering[0, b, hidden:] += found[1, b]
        whole = None if states is None else [one.reshape(shape[0], streams, hidden).numpy() for one in states]
        return watching.run, module, {
            "inputs": x.numpy(),
            "entering": entering.numpy() * streams,
            "lengths": lengths,
            "states": whole,
        }


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


@settings(deadline=None, max_examples=60)
@given(arrangements())
def test_what_is_recorded_agrees_with_autograd_on_unrolled_cells(arrangement: Arrangement) -> None:
    with pytest.MonkeyPatch.context() as patch:
        captured: list[Any] = []  # in double precision: snapshots are float32
        own = itemizer.itemize_surfaces
        patch.setattr(itemizer, "itemize_surfaces", lambda *args: captured.append(own(*args)) or captured[-1])
        run, module, batch = arrangement.run()
    (itemized,), snapshot = captured, run[-1]
    layers = ForeignLayers(arrangement.cell, weights_of(module))
    streams = snapshot.streams or (snapshot,)
    assert len(streams) == min(batch["inputs"].shape[1], arrangement.watched)
    for b, stream in enumerate(streams):
        length = batch["lengths"][b]
        state = layers.rnn.zero_state()
        if batch["states"] is not None:
            state = layers.state(*[*batch["states"], None][:2], batch["inputs"].shape[1])[b]
        unrolled = autograd.unroll_layers(
            layers.rnn, batch["inputs"][:length, b], None, state, at_outputs=batch["entering"][:length, b]
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

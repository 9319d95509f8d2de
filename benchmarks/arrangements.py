"""Layers and directions: gradients of a window against PyTorch's modules, and what itemizing every W_hh costs."""

from functools import partial

import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot

from rnnbow_widget import RNN, bptt, corpora, itemized_layers
from rnnbow_widget.exchange import weights_of

from .agreement import require_agreement
from .setting import HIDDEN, STEPS, Tokens
from .table import Findings, Row, dearer, faster
from .timing import interleaved

ARRANGEMENTS = {
    "tanh, 12 layers": ("tanh", 12, False),
    "LSTM, 2 layers": ("lstm", 2, False),
    "LSTM, both directions": ("lstm", 1, True),
    "GRU, 2 layers, both directions": ("gru", 2, True),
}


class Module:
    """PyTorch's module of a network with a linear read-out, on one-hot input."""

    def __init__(self, rnn: RNN, inputs: Tokens, targets: Tokens) -> None:
        self.module, self._linear = rnn.to_torch()
        self._inputs = one_hot(torch.from_numpy(inputs), rnn.input_size).float()  # (n, V)
        self._targets = torch.from_numpy(targets)  # (n,)
        self._trained = [*self.module.parameters(), *self._linear.parameters()]

    def gradients(self) -> None:
        """Find what every parameter's gradient is, from the tokens on."""
        outputs, _ = self.module(self._inputs)
        for parameter in self._trained:
            parameter.grad = None
        loss = cross_entropy(self._linear(outputs), self._targets, reduction="sum")
        loss.backward()


def measure() -> Findings:
    return Findings([row for name in ARRANGEMENTS for row in _rows(name)])


def _rows(name: str) -> list[Row]:
    cell, layers, bidirectional = ARRANGEMENTS[name]
    data = corpora.c_headers()
    rnn = RNN(
        len(data.vocabulary), HIDDEN, cell=cell, num_layers=layers, bidirectional=bidirectional, init="orthogonal"
    )
    window = data.tokens[: STEPS + 1].astype(np.intp)  # (n+1,)
    inputs, targets = window[:-1], window[1:]
    module = Module(rnn, inputs, targets)
    forward = rnn.forward(inputs, targets)
    plain = bptt(rnn, forward)
    module.gradients()
    for theirs, tensor in weights_of(module.module).items():
        if theirs.startswith("weight_hh"):
            ours = "W_hh" + theirs.removeprefix("weight_hh").removesuffix("_l0")
            require_agreement("PyTorch", ours, plain.parameters[ours], tensor.grad.numpy())
    seconds = interleaved(
        {
            "ours": lambda: bptt(rnn, rnn.forward(inputs, targets)),
            "module": module.gradients,
            "plain": partial(bptt, rnn, forward),
            "itemized": partial(itemized_layers, rnn, forward),
        }
    )
    every = f"every one of {layers * (1 + bidirectional)} W_hh"
    return [
        faster(f"{name}: forward and backward, vs PyTorch's module", seconds["ours"], seconds["module"]),
        dearer(f"  {every} itemized, vs plain backward pass", seconds["itemized"], seconds["plain"]),
    ]

"""One training batch: forward, backward, clip, Adagrad."""

from collections.abc import Mapping
from itertools import cycle
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rnnbow_widget import Trainer, bptt

from .agreement import require_agreement, require_all_agree
from .peers.column_vectors import ColumnVectors
from .peers.pytorch import LayerTraining, UnrolledTraining
from .setting import CLIP_VALUE, LEARNING_RATE, NEVER, Tokens, paper_trainer, windows
from .table import Findings, faster
from .timing import Task, interleaved

BATCHES_COMPARED = 3

Arrays = Mapping[str, NDArray[np.floating]]


class Peer(Protocol):
    """What trains the same network in another way."""

    def parameters(self) -> Arrays: ...
    def loss_and_gradients(self, inputs: Tokens, targets: Tokens) -> tuple[float, Arrays]: ...
    def train_batch(self, inputs: Tokens, targets: Tokens) -> None: ...


def measure() -> Findings:
    ours = paper_trainer(record_every=NEVER)
    setting = (ours.rnn.parameters, LEARNING_RATE, CLIP_VALUE)
    peers: dict[str, Peer] = {
        "numpy columns": ColumnVectors(*setting),
        "nn.RNN": LayerTraining(*setting),
        "unrolled": UnrolledTraining(*setting),
    }
    data = windows()
    compare(ours, peers, data[:BATCHES_COMPARED])

    tasks: dict[str, Task] = {"ours": ours.train}
    tasks |= {name: continued(peer, data[BATCHES_COMPARED:]) for name, peer in peers.items()}
    seconds = interleaved(tasks)
    return Findings(
        [
            faster("training batch, vs numpy on float64 columns", seconds["ours"], seconds["numpy columns"], 10),
            faster("training batch, vs PyTorch: nn.RNN, Linear, Adagrad", seconds["ours"], seconds["nn.RNN"], 5),
            faster("training batch, vs PyTorch: unrolled by hand", seconds["ours"], seconds["unrolled"]),
        ]
    )


def compare(ours: Trainer, peers: Mapping[str, Peer], data: list[tuple[Tokens, Tokens]]) -> None:
    """Let all train the same few batches; raise `DisagreementError` if losses, gradients or weights differ."""
    state = ours.rnn.zero_state()  # (S,)
    for inputs, targets in data:
        forward = ours.rnn.forward(inputs, targets, state)
        gradients = bptt(ours.rnn, forward).parameters
        for name, peer in peers.items():
            loss, theirs = peer.loss_and_gradients(inputs, targets)
            require_agreement(name, "loss", forward.loss.sum(), loss)
            require_all_agree(name, gradients, theirs)
            peer.train_batch(inputs, targets)
        ours.train()
        state = forward.states[-1]
    for name, peer in peers.items():
        require_all_agree(f"{name} after {len(data)} batches", ours.rnn.parameters, peer.parameters())


def continued(peer: Peer, data: list[tuple[Tokens, Tokens]]) -> Task:
    upcoming = cycle(data)
    return lambda: peer.train_batch(*next(upcoming))

"""Networks and windows for hypothesis to draw, and a cell whose gradients are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rnnbow_widget.cell import Cell
from rnnbow_widget.cells import CELLS
from rnnbow_widget.forward import ForwardPass
from rnnbow_widget.initialization import PRESETS
from rnnbow_widget.rnn import RNN


@dataclass(frozen=True)
class Case:
    rnn: RNN
    inputs: np.ndarray
    targets: np.ndarray
    state: np.ndarray

    def forward(self) -> ForwardPass:
        return self.rnn.forward(self.inputs, self.targets, self.state)


def make_case(
    seed: int = 0,
    *,
    steps: int = 12,
    hidden: int = 7,
    tokens: int = 5,
    cell: str = "tanh",
    num_layers: int = 1,
    bidirectional: bool = False,
    init: str = "uniform",
    gain: float = 1.0,
    zero_state: bool = False,
    dtype: type = np.float64,
) -> Case:
    """A network and a window, all from one seed; `gain` multiplies the weights, so that gradients vanish or explode."""
    generator = np.random.default_rng(seed)
    arrangement: Any = {"num_layers": num_layers, "bidirectional": bidirectional}
    rnn = RNN(tokens, hidden, cell=cell, init=init, seed=seed, dtype=dtype, **arrangement)
    rnn.parameters.vector *= gain
    state = rnn.zero_state() if zero_state else generator.uniform(-0.9, 0.9, len(rnn.zero_state()))
    return Case(rnn, generator.integers(0, tokens, steps), generator.integers(0, tokens, steps), state.astype(dtype))


def cases(dtype: type = np.float64, gains: tuple[float, ...] = (0.3, 1.0, 3.0)) -> st.SearchStrategy[Case]:
    return st.builds(
        make_case,
        seed=st.integers(0, 2**32 - 1),
        steps=st.integers(1, 20),
        hidden=st.integers(1, 16),
        tokens=st.integers(1, 12),
        cell=st.sampled_from(sorted(CELLS)),
        init=st.sampled_from(sorted(PRESETS)),
        gain=st.sampled_from(gains),
        zero_state=st.booleans(),
        dtype=st.just(dtype),
    )


def arrangements(dtype: type = np.float64, **others: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """Networks of several layers, read in one direction or in both."""
    drawn = {
        "seed": st.integers(0, 2**32 - 1),
        "steps": st.integers(1, 8),
        "hidden": st.integers(1, 6),
        "tokens": st.integers(1, 6),
        "cell": st.sampled_from(sorted(CELLS)),
        "num_layers": st.integers(1, 4),
        "bidirectional": st.booleans(),
        "init": st.sampled_from(["uniform", "orthogonal"]),
        "zero_state": st.booleans(),
    }
    return st.builds(make_case, **{**drawn, **others}, dtype=st.just(dtype))


class LinearCell(Cell):
    """h_j = W_ih x_j + W_hh h_{j-1} + b: for cases whose answer is known. Also shows that a cell is all it takes."""

    name = "linear"
    gates = 1

    def forward_step(self, gates: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        after[...] = before @ self.W_hh.T + gates

    def linearize(self, states: np.ndarray, gates: np.ndarray) -> np.ndarray:
        return np.ones_like(states[1:])

    def backward_step(
        self, local: np.ndarray, later: np.ndarray | None, incoming: np.ndarray | None, rows: np.ndarray
    ) -> None:
        rows[...] = 0 if incoming is None else incoming
        if later is not None:
            rows += later @ self.W_hh

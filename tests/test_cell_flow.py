"""What flows along the edges inside a cell: the gradients that autograd finds on copies of what each edge carries."""

from functools import partial

import autograd
import numpy as np
import pytest
import torch
from differences import at_loss, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Case, LinearCell, arrangements, make_case

from rnnbow_widget.cell import Cell
from rnnbow_widget.cell_flow import cell_flow
from rnnbow_widget.cells import CELLS
from rnnbow_widget.rnn import RNN

EARLIER = {"later_h": "h_before", "later_c": "c_before", "later_direct": "direct"}
"""Edges that are those of the step that is read after, and reach this one."""


def expected_flow(case: Case, layer: int, direction: int) -> dict[str, np.ndarray]:
    """By edge, the norm of the gradient of every loss, array (n, n) at [j, t]."""
    rnn, n = case.rnn, len(case.inputs)
    carried: dict[str, list[torch.Tensor]] = {}

    def copied(j: int, edge: str, tensor: torch.Tensor) -> torch.Tensor:
        carried.setdefault(edge, [torch.empty(0)] * n)[j] = copy = tensor * 1
        return copy

    p = {name: torch.tensor(np.array(array), dtype=torch.float64) for name, array in rnn.parameters.items()}
    below = [x.requires_grad_() for x in torch.eye(rnn.input_size, dtype=torch.float64)[torch.tensor(case.inputs)]]
    first = iter(torch.tensor(case.state).split(rnn.cell.state_width))
    for number, suffixes in enumerate(rnn.parameters.suffixes):
        given = []
        for d, suffix in enumerate(suffixes):
            W_ih, W_hh, b_h, b_hn = (p.get(name + suffix) for name in ("W_ih", "W_hh", "b_h", "b_hn"))
            assert W_ih is not None
            assert W_hh is not None
            assert b_h is not None
            state, outputs = next(first).requires_grad_(), [torch.empty(0)] * n
            for j in reversed(range(n)) if d else range(n):
                here = partial(copied, j) if (number, d) == (layer, direction) else autograd.as_it_is
                entering = W_ih @ here("x", below[j]) + b_h
                recurrent = W_hh @ here("h_before", state[: rnn.hidden_size])
                state = autograd.STEPS[rnn.cell.name](entering, recurrent, state, b_hn, here)
                h, *rest = state.split(rnn.hidden_size)
                h = here("h", h)
                outputs[j] = here("loss", h)
                state = torch.cat([h, *rest])
            given.append(outputs)
        below = [torch.cat(parts) for parts in zip(*given, strict=True)]
    targets = torch.tensor(case.targets)
    losses = [
        torch.nn.functional.cross_entropy((p["W_ho"] @ h + p["b_o"])[None], target[None])
        for h, target in zip(below, targets, strict=True)
    ]
    window = autograd.UnrolledLayers({}, {}, {}, {}, {}, losses)
    found = {name: np.linalg.norm(window.pieces(tensors), axis=-1) for name, tensors in carried.items()}
    for name, own in EARLIER.items():
        if own in found:
            shifted = np.zeros_like(found[own])
            if direction:
                shifted[1:] = found[own][:-1]
            else:
                shifted[:-1] = found[own][1:]
            found[name] = shifted
    return found


@given(arrangements(), st.data())
@settings(max_examples=60)
def test_every_edge_carries_what_autograd_finds(case: Case, data: st.DataObject) -> None:
    layer = data.draw(st.integers(0, case.rnn.num_layers - 1))
    direction = data.draw(st.integers(0, int(case.rnn.bidirectional)))
    horizon = data.draw(st.one_of(st.none(), st.integers(1, len(case.inputs))))
    found = cell_flow(case.rnn, case.forward(), layer, direction, horizon)
    expected = expected_flow(case, layer, direction)
    j, t = np.indices((len(case.inputs), len(case.inputs)))
    names = [name for name, _, _ in found.edges]
    assert set(names) == set(found.sizes)
    assert set(names) <= set(expected)
    for name, sizes in found.sizes.items():
        lags = found.first_lag + np.arange(sizes.shape[1])  # (k,)
        wanted = np.where(np.isin(t - j, lags), expected[name], 0)
        assert relative_error(at_loss(sizes, lags), wanted) < 1e-9, name


@pytest.mark.parametrize("cell", CELLS)
def test_streams_are_as_if_alone(cell: str) -> None:
    case = make_case(3, steps=7, cell=cell, num_layers=2, bidirectional=True)
    generator = np.random.default_rng(0)
    inputs, targets = generator.integers(0, 5, (2, 7, 3))
    state = generator.uniform(-0.9, 0.9, (3, len(case.state)))
    together = cell_flow(case.rnn, case.rnn.forward(inputs, targets, state), 0, 1, 4)
    for b in range(3):
        alone = cell_flow(case.rnn, case.rnn.forward(inputs[:, b], targets[:, b], state[b]), 0, 1, 4)
        for name, sizes in alone.sizes.items():
            np.testing.assert_allclose(together.sizes[name][:, b], sizes, rtol=1e-9, atol=1e-13)


def test_a_cell_of_ones_own_has_edges_too() -> None:
    rnn = RNN(5, 4, cell=LinearCell, dtype=np.float64)
    found = cell_flow(rnn, rnn.forward([0, 1, 2], [1, 2, 3]), 0, 0)
    np.testing.assert_allclose(found.sizes["a"], found.sizes["h"])
    np.testing.assert_allclose(found.sizes["h"][2, 0], found.sizes["loss"][2, 0])


@pytest.mark.parametrize("cell", CELLS.values())
def test_edges_are_named_once(cell: type[Cell]) -> None:
    names = [name for name, _, _ in cell.edges]
    assert len(set(names)) == len(names)

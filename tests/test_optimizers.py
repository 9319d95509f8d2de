"""Optimizers against PyTorch's, and clipping."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from rnnbow_widget.optimizers import OPTIMIZERS, clip
from rnnbow_widget.parameters import Rows

PEERS: dict[str, Callable[[torch.Tensor], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD([p], lr=0.05),
    "adam": lambda p: torch.optim.Adam([p], lr=0.05),
    "adagrad": lambda p: torch.optim.Adagrad([p], lr=0.05, initial_accumulator_value=1e-8, eps=0),
}


@pytest.mark.parametrize("name", sorted(PEERS))
def test_updates_are_pytorchs(name: str) -> None:
    generator = np.random.default_rng(0)
    parameters = generator.normal(size=30)
    tensor = torch.tensor(parameters.copy(), requires_grad=True)
    peer, ours = PEERS[name](tensor), OPTIMIZERS[name](0.05)
    for _ in range(20):
        gradient = generator.normal(size=30)
        gradient[0] = 0
        parameters -= ours.update(gradient.copy())
        tensor.grad = torch.tensor(gradient)
        peer.step()
    np.testing.assert_allclose(parameters, tensor.detach().numpy(), rtol=1e-9)


@pytest.mark.parametrize("name", sorted(PEERS))
def test_reset_forgets_the_past(name: str) -> None:
    optimizer, gradient = OPTIMIZERS[name](0.05), np.linspace(-1, 1, 9)
    first = optimizer.update(gradient.copy()).copy()
    optimizer.update(gradient.copy())
    optimizer.reset()
    np.testing.assert_array_equal(optimizer.update(gradient.copy()), first)


@pytest.mark.parametrize("name", sorted(name for name, kind in OPTIMIZERS.items() if kind.sparse))
def test_rows_without_a_gradient_may_be_left_out(name: str) -> None:
    generator = np.random.default_rng(0)
    dense, sparse = OPTIMIZERS[name](0.05), OPTIMIZERS[name](0.05)
    for _ in range(20):
        index = generator.permutation(6)[: generator.integers(1, 6)]
        rows = Rows(index, (6, 4))
        short = generator.normal(size=7 + 4 * index.size)  # 7 other parameters
        whole = np.zeros(7 + 6 * 4)
        for part, values in zip((whole[:7], whole[7:].reshape(6, 4)), rows.split(short), strict=True):
            part[... if part.ndim == 1 else index] = values
        expected, found = dense.update(whole), sparse.update(short, rows)
        np.testing.assert_array_equal(found[:7], expected[:7])
        np.testing.assert_array_equal(found[7:].reshape(-1, 4), expected[7:].reshape(6, 4)[index])
        assert np.count_nonzero(expected) <= found.size


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "0.1", None, True])
def test_a_bad_learning_rate_is_named(rate: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="learning_rate takes a finite number greater than 0"):
        OPTIMIZERS["sgd"](rate)


def test_clipping_agrees_with_pytorchs() -> None:
    gradient = np.random.default_rng(1).normal(size=50) * 4
    for value, max_norm in [(None, None), (1.5, None), (None, 2.0), (1.5, 2.0), (100.0, 1000.0)]:
        tensor = torch.zeros(50, dtype=torch.float64, requires_grad=True)
        tensor.grad = torch.tensor(gradient.copy())
        if value is not None:
            torch.nn.utils.clip_grad_value_([tensor], value)
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_([tensor], max_norm)
        ours = gradient.copy()
        changed = clip(ours, float(np.linalg.norm(ours)), value=value, max_norm=max_norm)
        np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-6)
        assert changed == (ours != gradient).any()

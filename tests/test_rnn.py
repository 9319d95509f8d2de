"""The network: sizes, presets, forward pass, loss, sampling."""

import math
from typing import Any

import autograd
import numpy as np
import pytest
from differences import relative_error
from hypothesis import given, settings
from strategies import Case, cases, make_case

from rnnbow_widget.cells import CELLS
from rnnbow_widget.rnn import RNN


@given(cases())
@settings(max_examples=40)
def test_forward_agrees_with_pytorch(case: Case) -> None:
    forward, window = case.forward(), autograd.unroll(case.rnn, case.inputs, case.targets, case.state)
    assert relative_error(forward.loss, np.array([loss.item() for loss in window.losses])) < 1e-12
    assert relative_error(forward.states, np.array([state.detach().numpy() for state in window.states])) < 1e-12
    np.testing.assert_allclose(forward.probabilities.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("size", [2, 27, 97])
def test_an_untrained_network_guesses(size: int) -> None:
    rnn = RNN(size, 100, init="normal")
    tokens = np.arange(26) % size
    loss = rnn.forward(tokens[:-1], tokens[1:]).loss
    np.testing.assert_allclose(loss, math.log(size), rtol=1e-2)


@pytest.mark.parametrize("cell", CELLS)
def test_the_state_is_carried_across_windows(cell: str) -> None:
    case = make_case(steps=20, cell=cell)
    whole = case.forward()
    first = case.rnn.forward(case.inputs[:11], case.targets[:11], case.state)
    second = case.rnn.forward(case.inputs[11:], case.targets[11:], first.states[-1])
    np.testing.assert_array_equal(np.concatenate([first.loss, second.loss]), whole.loss)


def test_a_hopeless_target_has_a_finite_loss() -> None:
    rnn = RNN(2, 3, dtype=np.float32)
    rnn.parameters.b_o[:] = [0, 1000]
    forward = rnn.forward([0], [0])
    assert forward.probabilities[0, 0] == 0
    assert forward.loss[0] == pytest.approx(1000)


@pytest.mark.parametrize("shift", [-1e4, -200, -80, 80, 200, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_shift_of_all_logits_changes_nothing(shift: float, dtype: type) -> None:
    case = make_case(dtype=dtype)
    expected = case.forward()
    case.rnn.parameters.b_o += shift
    shifted = case.forward()
    tolerance = float(abs(shift) * np.finfo(dtype).eps * 10)
    np.testing.assert_allclose(shifted.probabilities, expected.probabilities, rtol=tolerance)
    np.testing.assert_allclose(shifted.loss, expected.loss, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("init", "radius", "stretch"),
    [("normal", 0.10, 0.20), ("uniform", 0.58, 1.13), ("orthogonal", 1.0, 1.0), ("identity", 1.0, 1.0)],
)
def test_presets_have_the_known_spectra(init: str, radius: float, stretch: float) -> None:
    """Spectral radius and largest singular value of W_hh at H=100 (Pascanu et al. 2013 for what they mean)."""
    found = [RNN(10, 100, init=init, seed=seed).parameters.W_hh for seed in range(5)]
    assert np.mean([np.abs(np.linalg.eigvals(w)).max() for w in found]) == pytest.approx(radius, rel=0.08)
    assert np.mean([np.linalg.norm(w, 2) for w in found]) == pytest.approx(stretch, rel=0.08)


def test_one_seed_gives_one_network() -> None:
    rnn = RNN(5, 8, init="orthogonal", seed=3)
    first = rnn.parameters.vector.copy()
    np.testing.assert_array_equal(RNN(5, 8, init="orthogonal", seed=3).parameters.vector, first)
    assert (RNN(5, 8, init="orthogonal", seed=4).parameters.vector != first).any()
    rnn.parameters.vector[:] = 7
    rnn.reset()
    np.testing.assert_array_equal(rnn.parameters.vector, first)


def test_parameters_have_pytorchs_shapes_and_share_one_vector() -> None:
    rnn = RNN(5, 8, 3)
    shapes = {name: array.shape for name, array in rnn.parameters.items()}
    assert shapes == {"W_ih": (8, 5), "W_hh": (8, 8), "b_h": (8,), "W_ho": (3, 8), "b_o": (3,)}
    assert rnn.parameters.vector.size == sum(math.prod(shape) for shape in shapes.values())
    for array in rnn.parameters.values():
        array[...] = 1
    assert (rnn.parameters.vector == 1).all()
    with pytest.raises(KeyError):
        rnn.parameters["vector"]


def test_sampling_follows_the_models_distribution() -> None:
    rnn = RNN(4, 3, dtype=np.float64)
    rnn.parameters.vector[:] = 0
    rnn.parameters.b_o[:] = np.log([0.1, 0.2, 0.3, 0.4])
    written = rnn.sample(0, 20_000, generator=np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(written) / 20_000, [0.1, 0.2, 0.3, 0.4], atol=0.01)
    cold = rnn.sample(0, 500, temperature=0.01, generator=np.random.default_rng(0))
    assert (cold == 3).all()
    assert rnn.sample(0, 0, generator=np.random.default_rng(0)).shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_size": 0}, "input_size takes a whole number of at least 1, got 0"),
        ({"input_size": 5, "hidden_size": 2.5}, "hidden_size"),
        ({"input_size": 5, "output_size": -1}, "output_size"),
        (
            {"input_size": 5, "init": "zeros"},
            "init takes one of 'normal', 'uniform', 'orthogonal', 'identity'; got 'zeros'",
        ),
        ({"input_size": 5, "dtype": "int32"}, "dtype takes float32 or float64, got 'int32'"),
        ({"input_size": 5, "dtype": "no dtype"}, "dtype"),
        ({"input_size": 5, "seed": -1}, "seed"),
        (
            {"input_size": 5, "cell": "elman"},
            "cell takes one of 'tanh', 'relu', 'lstm', 'gru', .*; got 'elman'",
        ),
        ({"input_size": 5, "cell": int}, "cell takes one of 'tanh', .*, or a subclass of Cell; got <class 'int'>"),
        ({"input_size": 5, "forget_bias": 1}, "forget_bias is for a cell with a forget gate, .*; cell is 'tanh'"),
        ({"input_size": 5, "cell": "lstm", "forget_bias": math.inf}, "forget_bias takes a finite number, got inf"),
    ],
)
def test_bad_settings_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        RNN(**arguments)


@pytest.mark.parametrize(
    ("inputs", "targets", "state", "message"),
    [
        ([], [], None, r"inputs takes an array \(n,\) or \(n, B\) of at least one token, got shape \(0,\)"),
        ([[[0]]], [0], None, r"inputs takes an array \(n,\) or \(n, B\) of at least one token, got shape \(1, 1, 1\)"),
        ([[0]], [0], None, r"targets takes as many steps and streams as inputs, shape \(1, 1\), got shape \(1,\)"),
        ([[0, 1]], [[0, 1]], [0.0], r"state takes shape \(2, 7\), got \(1,\)"),
        ([0.5], [0], None, "inputs takes whole numbers"),
        ([5], [0], None, "inputs takes tokens from 0 to 4, got 5"),
        ([0], [-1], None, "targets takes tokens from 0 to 4, got -1"),
        ([0, 1], [0], None, r"targets takes as many steps and streams as inputs, shape \(2,\), got shape \(1,\)"),
        ([0], [0], [0.0], r"state takes shape \(7,\), got \(1,\)"),
    ],
)
def test_bad_windows_are_named(inputs: list[int], targets: list[int], state: list[float] | None, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make_case().rnn.forward(inputs, targets, state)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"token": 9, "length": 3}, "token takes tokens from 0 to 4, got 9"),
        ({"token": 0, "length": -3}, "length"),
        ({"token": 0, "length": 3, "temperature": 0}, "temperature takes a finite number greater than 0, got 0"),
        ({"token": 0, "length": 3, "state": [1.0]}, "state"),
    ],
)
def test_bad_requests_for_a_sample_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make_case().rnn.sample(**arguments, generator=np.random.default_rng(0))


def test_a_network_with_other_outputs_cannot_write() -> None:
    with pytest.raises(ValueError, match="outputs are its inputs"):
        RNN(5, 8, 3).sample(0, 1, generator=np.random.default_rng(0))

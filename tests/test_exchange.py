"""Networks go to PyTorch and come from there unchanged."""

import sys
from typing import Any

import numpy as np
import pytest
import torch
from autograd import KINDS, make_module
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import LinearCell, make_case

from rnnbow_widget import RNN, Trainer
from rnnbow_widget.cells import CELLS
from rnnbow_widget.initialization import PRESETS


def modules(cell: str = "lstm", tokens: int = 6, hidden: int = 9, **options: Any) -> tuple[Any, Any]:
    torch.manual_seed(hidden)
    dtype = options.get("dtype", torch.float32)
    outputs = 2 * hidden if options.get("bidirectional") else hidden
    return make_module(cell, tokens, hidden, **options), torch.nn.Linear(outputs, tokens, dtype=dtype)


def logits(module: Any, linear: Any, inputs: np.ndarray) -> np.ndarray:
    """Of tokens (n,) or (n, B), from a zero state: array (n, …, V)."""
    one_hot = torch.eye(module.input_size, dtype=linear.weight.dtype)[torch.tensor(inputs)]
    found: np.ndarray = linear(module(one_hot)[0]).detach().numpy()
    return found


def assert_same_outputs(rnn: RNN, module: Any, linear: Any, tolerance: float) -> None:
    for shape in ((14,), (14, 3)):
        inputs = np.random.default_rng(0).integers(0, rnn.input_size, shape)
        expected = torch.softmax(torch.tensor(logits(module, linear, inputs)), dim=-1).numpy()
        found = rnn.forward(inputs, np.zeros_like(inputs)).probabilities
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@given(
    st.sampled_from(sorted(CELLS)),
    st.integers(1, 12),
    st.integers(1, 12),
    st.booleans(),
    st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=60)
def test_a_module_is_taken_over(cell: str, tokens: int, hidden: int, bias: bool, dtype: torch.dtype) -> None:
    module, linear = modules(cell, tokens, hidden, bias=bias, dtype=dtype)
    rnn = RNN.from_torch(module, linear)
    assert (rnn.cell.name, rnn.input_size, rnn.hidden_size, rnn.output_size) == (cell, tokens, hidden, tokens)
    assert rnn.dtype.name == str(dtype).removeprefix("torch.")
    for name, weight in {"W_ih": module.weight_ih_l0, "W_hh": module.weight_hh_l0, "W_ho": linear.weight}.items():
        np.testing.assert_array_equal(rnn.parameters[name], weight.detach().numpy())
    np.testing.assert_array_equal(rnn.parameters["b_o"], linear.bias.detach().numpy())
    assert_same_outputs(rnn, module, linear, 1e-6 if dtype is torch.float32 else 1e-14)
    if cell == "gru" and bias:
        np.testing.assert_array_equal(rnn.parameters["b_hn"], module.bias_hh_l0.detach().numpy()[-hidden:])
        np.testing.assert_array_equal(rnn.parameters["b_h"][-hidden:], module.bias_ih_l0.detach().numpy()[-hidden:])


@given(
    st.sampled_from(sorted(CELLS)),
    st.sampled_from(sorted(PRESETS)),
    st.integers(1, 12),
    st.sampled_from([np.float32, np.float64]),
)
@settings(max_examples=60)
def test_a_network_goes_and_comes_back_to_the_last_bit(cell: str, init: str, hidden: int, dtype: type) -> None:
    rnn = RNN(5, hidden, 3, cell=cell, init=init, seed=hidden, dtype=dtype)
    module, linear = rnn.to_torch()
    assert isinstance(module, KINDS[cell])
    assert_same_outputs(rnn, module, linear, 1e-6 if dtype == np.float32 else 1e-14)
    back = RNN.from_torch(module, linear)
    np.testing.assert_array_equal(back.parameters.vector, rnn.parameters.vector)
    before = rnn.parameters.vector.copy()
    with torch.no_grad():
        module.weight_hh_l0.zero_()
    np.testing.assert_array_equal(rnn.parameters.vector, before)  # the weights are copies


def test_a_reset_goes_back_to_what_was_taken_over() -> None:
    text = "abcde " * 100
    rnn = RNN.from_torch(*modules("gru"))
    first = rnn.parameters.vector.copy()
    trainer = Trainer(text, rnn, seq_length=10)
    trainer.train(5)
    assert (rnn.parameters.vector != first).any()
    trainer.reset()
    np.testing.assert_array_equal(rnn.parameters.vector, first)
    assert trainer.settings["init"] == "given"
    assert "init='given'" in repr(rnn)
    assert RNN.from_torch(*modules("lstm")).forget_bias is None


@given(
    st.sampled_from(sorted(CELLS)),
    st.integers(1, 12),
    st.booleans(),
    st.booleans(),
    st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=40)
def test_every_layer_and_direction_is_taken_over_and_given_back(
    cell: str, num_layers: int, bidirectional: bool, bias: bool, dtype: torch.dtype
) -> None:
    arrangement = {"num_layers": num_layers, "bidirectional": bidirectional, "bias": bias, "dtype": dtype}
    module, linear = modules(cell, 5, 4, **arrangement)
    rnn = RNN.from_torch(module, linear)
    assert (rnn.num_layers, rnn.bidirectional) == (num_layers, bidirectional)
    for suffixes in rnn.parameters.suffixes:
        for suffix in suffixes:
            theirs = suffix or "_l0"
            for ours, weight in (("W_ih", "weight_ih"), ("W_hh", "weight_hh")):
                np.testing.assert_array_equal(
                    rnn.parameters[ours + suffix], getattr(module, weight + theirs).detach().numpy()
                )
    tolerance = 1e-6 if dtype is torch.float32 else 1e-14
    assert_same_outputs(rnn, module, linear, tolerance)
    assert_same_outputs(rnn, *rnn.to_torch(), tolerance)
    np.testing.assert_array_equal(RNN.from_torch(*rnn.to_torch()).parameters.vector, rnn.parameters.vector)


def test_a_parametrized_weight_is_taken_over_as_it_acts() -> None:
    module, linear = modules("tanh")
    torch.nn.utils.parametrizations.orthogonal(module, "weight_hh_l0")
    rnn = RNN.from_torch(module, linear)
    np.testing.assert_allclose(rnn.parameters.W_hh @ rnn.parameters.W_hh.T, np.eye(9), atol=1e-5)
    assert_same_outputs(rnn, module, linear, 1e-6)


def test_the_order_of_a_modules_axes_is_no_matter() -> None:
    np.testing.assert_array_equal(
        RNN.from_torch(*modules(batch_first=True)).parameters.vector, RNN.from_torch(*modules()).parameters.vector
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"proj_size": 3}, "with proj_size=0, got 3: the state of an LSTM is not projected here"),
        ({"dtype": torch.float16}, r"weights that are all float32 or all float64, got \['float16'\]"),
        ({"dtype": torch.bfloat16}, r"weights that are all float32 or all float64, got \['bfloat16'\]"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_the_reason(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RNN.from_torch(*modules(**options))


def test_other_things_are_refused() -> None:
    module, linear = modules()
    module.dropout = 0.5
    with pytest.raises(ValueError, match=r"with dropout=0, got 0\.5: networks here have no dropout"):
        RNN.from_torch(module, linear)
    with pytest.raises(TypeError, match=r"module takes a torch.nn.RNN, LSTM or GRU, got LSTMCell"):
        RNN.from_torch(torch.nn.LSTMCell(3, 4), linear)
    with pytest.raises(TypeError, match=r"linear takes a torch.nn.Linear, got int"):
        RNN.from_torch(modules()[0], 3)
    with pytest.raises(ValueError, match="linear takes in_features=9, what module gives out; got 4"):
        RNN.from_torch(modules()[0], torch.nn.Linear(4, 6))
    with pytest.raises(ValueError, match=r"all float32 or all float64, got \['float32', 'float64'\]"):
        RNN.from_torch(modules()[0], linear.double())
    with pytest.raises(ValueError, match=r"to_torch takes a network with a cell of 'tanh', .*; its cell is 'linear'"):
        RNN(3, 4, cell=LinearCell).to_torch()


def test_without_pytorch_the_engine_works_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = modules()
    monkeypatch.setitem(sys.modules, "torch", None)
    make_case().forward()
    with pytest.raises(ImportError, match="from_torch needs PyTorch, which is not installed here"):
        RNN.from_torch(*pair)
    with pytest.raises(ImportError, match="to_torch needs PyTorch, which is not installed here"):
        RNN(3, 4).to_torch()

"""Inputs that are vectors, targets that are vectors, losses at some steps only: as exact as those of text."""

from dataclasses import dataclass
from typing import Any

import autograd
import numpy as np
import pytest
import torch
from differences import at_loss, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnbow_widget.bptt_itemized import itemized_bptt, itemized_delta
from rnnbow_widget.bptt_layers import itemized_layer_delta, itemized_layers
from rnnbow_widget.bptt_surfaces import itemized_surfaces
from rnnbow_widget.cells import CELLS
from rnnbow_widget.forward import ForwardPass
from rnnbow_widget.gradients import TrainingGradients, bptt
from rnnbow_widget.measuring import MEASURES, Measured
from rnnbow_widget.rnn import RNN
from rnnbow_widget.surfaces import Surfaces


@dataclass(frozen=True)
class Mixed:
    """A network and a minibatch (n, B) with any kind of inputs, targets and mask."""

    rnn: RNN
    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray | None
    state: np.ndarray

    def forward(self) -> ForwardPass:
        return self.rnn.forward(self.inputs, self.targets, self.state, self.mask)

    def stream(self, b: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        return self.inputs[:, b], self.targets[:, b], self.state[b], None if self.mask is None else self.mask[:, b]


def mixed(
    seed: int = 0,
    *,
    cell: str = "tanh",
    vectors: bool = True,
    values: bool = True,
    masked: bool = True,
    steps: int = 6,
    streams: int = 2,
    num_layers: int = 1,
    bidirectional: bool = False,
    dtype: type = np.float64,
) -> Mixed:
    generator = np.random.default_rng(seed)
    inputs, hidden, outputs = generator.integers(1, 5, 3)
    arrangement: Any = {"num_layers": num_layers, "bidirectional": bidirectional}
    rnn = RNN(int(inputs), int(hidden), int(outputs), cell=cell, init="uniform", seed=seed, dtype=dtype, **arrangement)
    shape = (steps, streams)
    x = generator.normal(size=(*shape, inputs)) if vectors else generator.integers(0, inputs, shape)
    y = generator.normal(size=(*shape, outputs)) if values else generator.integers(0, outputs, shape)
    mask = generator.random(shape) < 0.4 if masked else None
    state = generator.uniform(-0.9, 0.9, rnn.zero_state(streams).shape)
    return Mixed(rnn, x, y, mask, state)


def any_mixed(**others: st.SearchStrategy) -> st.SearchStrategy[Mixed]:
    drawn = {
        "seed": st.integers(0, 2**32 - 1),
        "cell": st.sampled_from(sorted(CELLS)),
        "vectors": st.booleans(),
        "values": st.booleans(),
        "masked": st.booleans(),
        "steps": st.integers(1, 8),
        "streams": st.integers(1, 3),
        "num_layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
    }
    return st.builds(mixed, **drawn | others)


@given(any_mixed(num_layers=st.just(1), bidirectional=st.just(False)))
@settings(max_examples=60)
def test_delta_agrees_with_autograd_for_every_loss_and_step(case: Mixed) -> None:
    forward, found = case.forward(), itemized_delta(case.rnn, case.forward())
    for b in range(forward.streams):
        window = autograd.unroll(case.rnn, *case.stream(b))
        losses = np.array([loss.item() for loss in window.losses])
        assert relative_error(forward.loss[:, b], losses) < 1e-12
        assert relative_error(found[:, b], autograd.itemized_delta(window)) < 1e-9


@given(any_mixed())
@settings(max_examples=60)
def test_delta_agrees_with_autograd_in_every_layer_and_direction(case: Mixed) -> None:
    found = itemized_layer_delta(case.rnn, case.forward())
    for b in range(case.inputs.shape[1]):
        window = autograd.unroll_layers(case.rnn, *case.stream(b))
        for name, own in found.items():
            for ours, tensors in ((own.delta, window.recurrent[name]), (own.input_delta, window.entering[name])):
                assert relative_error(at_loss(ours[:, b], own.lags), window.pieces(tensors)) < 1e-9


@given(any_mixed())
@settings(max_examples=60)
def test_gradients_agree_with_pytorchs_own_modules(case: Mixed) -> None:
    """Weights through `to_torch`, losses as people write them: masked, summed over steps, mean over streams."""
    module, linear = case.rnn.to_torch()
    inputs, targets = torch.tensor(case.inputs), torch.tensor(case.targets)
    if case.inputs.dtype.kind != "f":
        inputs = torch.eye(case.rnn.input_size, dtype=torch.float64)[inputs]
    tracks, blocks = case.rnn.num_layers * (2 if case.rnn.bidirectional else 1), case.rnn.cell.state_blocks
    first = torch.tensor(case.state).reshape(len(case.state), tracks, blocks, -1).permute(2, 1, 0, 3).contiguous()
    outputs = linear(module(inputs, tuple(first) if blocks > 1 else first[0])[0])  # (n, B, O)
    if case.targets.dtype.kind == "f":
        losses = torch.nn.functional.mse_loss(outputs, targets, reduction="none").mean(dim=-1)
    else:
        losses = torch.nn.functional.cross_entropy(outputs.movedim(-1, 1), targets, reduction="none")
    counted = torch.ones(losses.shape, dtype=torch.bool) if case.mask is None else torch.tensor(case.mask)
    loss = torch.where(counted, losses, 0).sum() / case.inputs.shape[1]
    loss.backward()
    expected = {"W_ho": linear.weight.grad, "b_o": linear.bias.grad}
    for layer, suffixes in enumerate(case.rnn.parameters.suffixes):
        for direction, suffix in enumerate(suffixes):
            theirs = f"_l{layer}" + ("_reverse" if direction else "")
            names = {"W_ih": "weight_ih", "W_hh": "weight_hh", "b_h": "bias_ih"}
            expected |= {our + suffix: getattr(module, their + theirs).grad for our, their in names.items()}
    forward = case.forward()
    assert forward.loss.sum() / forward.streams == pytest.approx(loss.item(), rel=1e-12, abs=1e-15)
    plain = bptt(case.rnn, forward).parameters
    trained, rows = TrainingGradients(case.rnn, sparse=True)(forward)
    whole = case.rnn.parameters.empty_like()
    whole.vector[:] = 0
    whole.subtract(-trained.parameters.vector, rows)
    assert (rows is None) == (case.inputs.dtype.kind == "f")
    for name, gradient in expected.items():
        allowed = 1e-9 * float(gradient.abs().max()) + 1e-15
        for found in (plain, whole):
            np.testing.assert_allclose(found[name], gradient.numpy(), rtol=0, atol=allowed)


def expect_shares_of(gradient: np.ndarray, own: Measured, streams: int) -> None:
    """Shares sum to the norm of the gradient: their mean over streams does."""
    size = np.linalg.norm(gradient)
    sums = own.items["share"].sum() + own.beyond["share"].sum()
    scale = np.abs(own.items["share"]).sum() + np.abs(own.beyond["share"]).sum() + size
    assert abs(sums / streams - size) <= 1e-12 * scale + 1e-15


@given(any_mixed(), st.sampled_from([None, 1, 3]))
@settings(max_examples=60)
def test_pieces_sum_to_the_plain_gradient(case: Mixed, horizon: int | None) -> None:
    forward = case.forward()
    gradients = bptt(case.rnn, forward)
    layers = itemized_layers(case.rnn, forward, horizon, measures=MEASURES, gradients=gradients)
    top = itemized_bptt(case.rnn, forward, horizon, measures=MEASURES, gradients=gradients)
    names = {f"W_hh{suffix}" for suffixes in case.rnn.parameters.suffixes for suffix in suffixes}
    assert set(layers) == names
    primary = "W_hh" + case.rnn.parameters.suffixes[-1][0]
    for name, own in (*layers.items(), (primary, top)):
        expect_shares_of(gradients.parameters[name], own, forward.streams)
    if case.mask is not None:
        for j, b, d in zip(*np.nonzero(top.items["norm"]), strict=True):
            assert case.mask[j + d, b], "a step without a loss sends nothing"


@given(any_mixed(), st.sampled_from([None, 2]))
@settings(max_examples=40)
def test_pieces_of_the_input_weights_sum_to_their_gradient(case: Mixed, horizon: int | None) -> None:
    forward = case.forward()
    gradients = bptt(case.rnn, forward)
    known = Surfaces.of(case.rnn)
    names = [f"W_ih{suffix}" for suffixes in case.rnn.parameters.suffixes for suffix in suffixes]
    found = itemized_surfaces(
        case.rnn,
        forward,
        [known.parse(name) for name in names],
        horizon,
        measures=("norm", "share"),
        gradients=gradients,
    )
    for name, own in found.items():
        expect_shares_of(gradients.parameters[name], own, forward.streams)


@pytest.mark.parametrize("values", [False, True])
def test_what_stands_where_there_is_no_loss_does_not_matter(values: bool) -> None:
    case = mixed(1, values=values)
    assert case.mask is not None
    other = case.targets.copy()
    other[~case.mask] = np.nan if values else -1
    found = case.rnn.forward(case.inputs, other, case.state, case.mask)
    assert (found.loss[~case.mask] == 0).all()
    assert found.losses == case.mask.sum()
    expected = bptt(case.rnn, case.forward())
    np.testing.assert_array_equal(bptt(case.rnn, found).parameters.vector, expected.parameters.vector)


def test_a_mask_may_say_the_same_of_all_streams() -> None:
    case = mixed(2, masked=False)
    steps = np.arange(len(case.inputs)) == len(case.inputs) - 1  # (n,)
    found = case.rnn.forward(case.inputs, case.targets, case.state, steps)
    assert found.mask is not None
    assert found.mask.tolist() == [[step] * found.streams for step in steps.tolist()]


@pytest.mark.parametrize("masked", [False, True])
def test_one_stream_is_one_stream_whatever_its_shape(masked: bool) -> None:
    case = mixed(3, streams=1, masked=masked)
    alone = case.rnn.forward(*case.stream(0))
    np.testing.assert_array_equal(case.forward().loss[:, 0], alone.loss)
    np.testing.assert_array_equal(case.forward().predicted[:, 0], alone.predicted)


def test_few_losses_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk back leaves out stretches without a loss: the rows that it hands out are those of the last step only."""
    generator = np.random.default_rng(0)
    rnn = RNN(2, 64, 1, cell="lstm", init="uniform", dtype=np.float64)
    steps, streams = 60, 8
    mask = np.arange(steps) == steps - 1  # (n,)
    forward = rnn.forward(generator.random((steps, streams, 2)), generator.random((steps, streams, 1)), mask=mask)
    taken = []

    def counted(local: np.ndarray, later: np.ndarray | None, incoming: np.ndarray | None, rows: np.ndarray) -> None:
        taken.append(len(rows))
        type(rnn.cell).backward_step(rnn.cell, local, later, incoming, rows)

    monkeypatch.setattr(rnn.cell, "backward_step", counted)
    itemized_bptt(rnn, forward)
    assert sum(taken) <= 2 * steps * streams  # of the plain gradient and of the itemized one


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_keep_the_precision_of_the_network(dtype: type) -> None:
    case = mixed(4, dtype=dtype)
    forward = case.forward()
    arrays = (forward.inputs, forward.targets, forward.predicted, forward.loss)
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert itemized_bptt(case.rnn, forward).items["norm"].dtype == dtype


def test_probabilities_are_of_classes() -> None:
    with pytest.raises(ValueError, match="probabilities are of classes, and the targets are vectors"):
        _ = mixed(5).forward().probabilities


@pytest.mark.parametrize(
    ("inputs", "targets", "mask", "message"),
    [
        (
            [0.5],
            [[0.5]],
            None,
            r"inputs takes whole numbers, or vectors, an array \(n, 3\) or \(n, B, 3\); got float64 ",
        ),
        ([[0.5, 1.0]], [[0.5]], None, r"inputs takes .* or vectors, .* got float64 of shape \(1, 2\)"),
        ([[0.5, 1.0, np.inf]], [[0.5]], None, "inputs takes finite numbers, got some that are not"),
        ([0], [[0.5, 1.0]], None, r"targets takes .* or vectors, an array \(n, 1\) or \(n, B, 1\)"),
        ([0], [[np.nan]], None, "targets takes finite numbers"),
        ([0, 1], [[0.5]], None, r"targets takes as many steps and streams as inputs, shape \(2,\), got shape \(1, 1\)"),
        ([0], [[0.5]], [1], "mask takes True and False, got dtype int64"),
        ([0], [[0.5]], [True, False], r"mask takes an entry for each step, shape \(1,\), got shape \(2,\)"),
    ],
)
def test_bad_windows_are_named(inputs: list[Any], targets: list[Any], mask: list[Any] | None, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        RNN(3, 2, 1).forward(inputs, targets, mask=mask)

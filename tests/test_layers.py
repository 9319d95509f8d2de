"""Several layers, and both directions: exact in every one of them."""

from typing import Any

import autograd
import numpy as np
import pytest
from differences import MEASURED, at_loss, central_differences, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Case, arrangements, make_case

from rnnbow_widget import RNN, Trainer
from rnnbow_widget.bptt_itemized import itemized_bptt, itemized_delta
from rnnbow_widget.bptt_layers import LayerDelta, itemized_layer_delta, itemized_layers
from rnnbow_widget.cells import CELLS
from rnnbow_widget.gradients import TrainingGradients, bptt
from rnnbow_widget.horizon import gradient_residuals
from rnnbow_widget.measuring import MEASURES

TEXT = "the cat sat on the mat. " * 40
HORIZONS = st.one_of(st.none(), st.integers(1, 9))


@given(arrangements())
@settings(max_examples=60)
def test_delta_agrees_with_autograd_for_every_loss_step_layer_and_direction(case: Case) -> None:
    window = autograd.unroll_layers(case.rnn, case.inputs, case.targets, case.state)
    forward = case.forward()
    assert relative_error(forward.loss, np.array([loss.item() for loss in window.losses])) < 1e-12
    found = itemized_layer_delta(case.rnn, forward)
    assert list(found) == list(window.recurrent)
    for name, own in found.items():
        for ours, tensors in ((own.delta, window.recurrent[name]), (own.input_delta, window.entering[name])):
            assert relative_error(at_loss(ours, own.lags), window.pieces(tensors)) < 1e-9


@given(arrangements())
@settings(max_examples=60)
def test_gradients_agree_with_pytorchs_own_modules(case: Case) -> None:
    window = autograd.module(case.rnn, case.inputs, case.targets, case.state)
    forward = case.forward()
    assert relative_error(forward.loss, window.losses.detach().numpy()) < 1e-10
    found, expected = bptt(case.rnn, forward).parameters, window.gradients()
    assert set(found) == set(expected)
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], gradient, rtol=0, atol=1e-9 * np.abs(gradient).max() + 1e-15)


@given(arrangements())
@settings(max_examples=60)
def test_pieces_sum_to_the_plain_gradient_of_every_parameter(case: Case) -> None:
    forward = case.forward()
    window = autograd.unroll_layers(case.rnn, case.inputs, case.targets, case.state)
    plain = bptt(case.rnn, forward).parameters
    for name, own in itemized_layer_delta(case.rnn, forward).items():
        before = np.array([h.detach().numpy() for h in window.before[name]])  # (n, H)
        inputs = np.array([x.detach().numpy() for x in window.inputs[name]])  # (n, V) or (n, D·H)
        suffix = name.removeprefix("W_hh")
        sums = {
            name: np.einsum("jki,jh->ih", own.delta, before),
            "W_ih" + suffix: np.einsum("jki,jh->ih", own.input_delta, inputs),
            "b_h" + suffix: own.input_delta.sum(axis=(0, 1)),
        }
        if "b_hn" + suffix in plain:
            sums["b_hn" + suffix] = own.delta[..., -case.rnn.hidden_size :].sum(axis=(0, 1))
        for parameter, found in sums.items():
            largest = np.abs(own.delta).max() + np.abs(own.input_delta).max()
            np.testing.assert_allclose(found, plain[parameter], rtol=0, atol=1e-12 * largest * len(before) + 1e-15)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_plain_gradients_agree_with_central_differences(cell: str, bidirectional: bool) -> None:
    case = make_case(3, steps=5, hidden=3, tokens=4, cell=cell, num_layers=2, bidirectional=bidirectional)
    found = bptt(case.rnn, case.forward()).parameters
    for name, array in case.rnn.parameters.items():
        expected = central_differences(lambda: float(case.forward().loss.sum()), array)
        assert relative_error(found[name], expected) < 1e-6, name


@given(arrangements(), HORIZONS)
@settings(max_examples=60)
def test_measures_are_those_of_the_matrices(case: Case, horizon: int | None) -> None:
    forward = case.forward()
    gradients = bptt(case.rnn, forward)
    window = autograd.unroll_layers(case.rnn, case.inputs, case.targets, case.state)
    vectors = itemized_layer_delta(case.rnn, forward)
    for weights, own in itemized_layers(case.rnn, forward, horizon, measures=MEASURES).items():
        before = np.array([h.detach().numpy() for h in window.before[weights]])  # (n, H)
        every = np.einsum("jti,jh->jtih", at_loss(vectors[weights].delta, vectors[weights].lags), before)  # (n, n, …)
        j, t = np.indices(every.shape[:2])
        kept = every * (abs(t - j) < (horizon or forward.steps))[..., None, None]
        received, missing = every.sum(axis=1), (every - kept).sum(axis=1)  # (n, gates·H, H) each
        whole = gradients.parameters[weights]  # (gates·H, H)
        largest = max(1.0, float(np.linalg.norm(every, axis=(-2, -1)).sum()))
        close: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-13 * largest}
        for name, measure in MEASURED.items():
            np.testing.assert_allclose(at_loss(own.items[name], own.lags), measure(kept, whole), **close)
            np.testing.assert_allclose(own.total[name], measure(received, whole), **close)
            np.testing.assert_allclose(own.beyond[name], measure(missing, whole), **close)
        shares = own.items["share"].sum() + own.beyond["share"].sum()
        assert shares == pytest.approx(np.linalg.norm(whole), rel=1e-10, abs=1e-13 * largest)


@given(arrangements(), HORIZONS)
@settings(max_examples=40)
def test_the_top_layer_forward_is_what_itemized_bptt_is_about(case: Case, horizon: int | None) -> None:
    forward = case.forward()
    name = "W_hh" if case.rnn.num_layers == 1 else f"W_hh_l{case.rnn.num_layers - 1}"
    own = itemized_layers(case.rnn, forward, horizon, measures=MEASURES)[name]
    found = itemized_bptt(case.rnn, forward, horizon, measures=MEASURES)
    for measure in MEASURES:
        for kind in ("items", "total", "beyond"):
            ours, theirs = getattr(found, kind)[measure], getattr(own, kind)[measure]
            largest = max(1.0, float(np.abs(found.total["norm"]).max()))
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-13 * largest)
    vectors = itemized_layer_delta(case.rnn, forward, horizon)[name]
    np.testing.assert_allclose(itemized_delta(case.rnn, forward, horizon), vectors.delta, rtol=1e-9, atol=1e-14)
    assert relative_error(found.gradients.parameters.vector, bptt(case.rnn, forward).parameters.vector) < 1e-12
    assert gradient_residuals(case.rnn, forward).shape == (forward.steps, forward.steps + 1)


@given(arrangements(), st.integers(1, 3), HORIZONS)
@settings(max_examples=40)
def test_streams_are_as_if_alone(case: Case, streams: int, horizon: int | None) -> None:
    generator = np.random.default_rng(len(case.inputs))
    inputs, targets = generator.integers(0, case.rnn.input_size, (2, len(case.inputs), streams))
    state = generator.uniform(-0.9, 0.9, (streams, len(case.state)))
    together = case.rnn.forward(inputs, targets, state)
    found = itemized_layers(case.rnn, together, horizon, measures=("norm", "mean_abs"))
    vectors = itemized_layer_delta(case.rnn, together, horizon)
    gradients = []
    for b in range(streams):
        alone = case.rnn.forward(inputs[:, b], targets[:, b], state[b])
        np.testing.assert_allclose(together.stream(b).carried, alone.carried, rtol=1e-11, atol=1e-13)
        gradients.append(bptt(case.rnn, alone).parameters.vector)
        for name, own in itemized_layers(case.rnn, alone, horizon, measures=("norm", "mean_abs")).items():
            for measure in ("norm", "mean_abs"):
                for kind in ("items", "total", "beyond"):
                    ours, theirs = getattr(found[name], kind)[measure][:, b], getattr(own, kind)[measure]
                    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
        for name, expected in itemized_layer_delta(case.rnn, alone, horizon).items():
            np.testing.assert_allclose(vectors[name].delta[:, b], expected.delta, rtol=1e-9, atol=1e-13)
            np.testing.assert_allclose(vectors[name].input_delta[:, b], expected.input_delta, rtol=1e-9, atol=1e-13)
    mean = np.mean(gradients, axis=0)
    np.testing.assert_allclose(bptt(case.rnn, together).parameters.vector, mean, rtol=0, atol=1e-12)
    sparse, rows = TrainingGradients(case.rnn, sparse=True)(together)
    whole = case.rnn.parameters.empty_like()
    whole.vector[:] = 0
    whole.subtract(-sparse.parameters.vector, rows)
    np.testing.assert_allclose(whole.vector, mean, rtol=0, atol=1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_chunks_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch, bidirectional: bool) -> None:
    case = make_case(1, steps=21, cell="lstm", num_layers=3, bidirectional=bidirectional)
    forward = case.forward()
    expected = {k: itemized_layers(case.rnn, forward, k, measures=MEASURES) for k in (None, 1, 5)}
    vectors = {k: itemized_layer_delta(case.rnn, forward, k) for k in expected}
    for size in (1, 50_000, 100_000):
        monkeypatch.setattr("rnnbow_widget.layer_walk._CHUNK_BYTES", size)
        for horizon, layers in expected.items():
            for name, found in itemized_layers(case.rnn, forward, horizon, measures=MEASURES).items():
                for measure in MEASURES:
                    for kind in ("items", "total", "beyond"):
                        ours, theirs = getattr(found, kind)[measure], getattr(layers[name], kind)[measure]
                        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-14)
            for name, vector in itemized_layer_delta(case.rnn, forward, horizon).items():
                np.testing.assert_allclose(vector.delta, vectors[horizon][name].delta, rtol=1e-9, atol=1e-14)
                np.testing.assert_allclose(
                    vector.input_delta, vectors[horizon][name].input_delta, rtol=1e-9, atol=1e-14
                )


@pytest.mark.parametrize("cell", CELLS)
def test_twelve_layers_in_both_directions(cell: str) -> None:
    case = make_case(2, steps=6, hidden=3, cell=cell, num_layers=12, bidirectional=True, init="orthogonal")
    window = autograd.unroll_layers(case.rnn, case.inputs, case.targets, case.state)
    found = itemized_layer_delta(case.rnn, case.forward())
    assert len(found) == 24
    for name, own in found.items():
        assert relative_error(at_loss(own.delta, own.lags), window.pieces(window.recurrent[name])) < 1e-9


def test_lags_say_from_which_side_losses_come() -> None:
    def lags(found: dict[str, LayerDelta]) -> dict[str, list[int]]:
        return {name: own.lags.tolist() for name, own in found.items()}

    case = make_case(num_layers=2)
    assert lags(itemized_layer_delta(case.rnn, case.forward(), 3)) == {"W_hh": [0, 1, 2], "W_hh_l1": [0, 1, 2]}
    case = make_case(num_layers=2, bidirectional=True)
    assert lags(itemized_layer_delta(case.rnn, case.forward(), 3)) == {
        "W_hh": [-2, -1, 0, 1, 2],
        "W_hh_l0_reverse": [-2, -1, 0, 1, 2],
        "W_hh_l1": [0, 1, 2],
        "W_hh_l1_reverse": [-2, -1, 0],
    }


@pytest.mark.parametrize("bidirectional", [False, True])
def test_single_precision_agrees_with_double(bidirectional: bool) -> None:
    single = make_case(5, steps=30, hidden=8, num_layers=3, bidirectional=bidirectional, dtype=np.float32)
    double = make_case(5, steps=30, hidden=8, num_layers=3, bidirectional=bidirectional)
    double.rnn.parameters.vector[:] = single.rnn.parameters.vector
    expected = itemized_layers(double.rnn, double.forward())
    for name, found in itemized_layers(single.rnn, single.forward()).items():
        assert found.items["norm"].dtype == np.float32
        assert relative_error(found.items["norm"], expected[name].items["norm"]) < 2e-6


def test_parameters_are_named_as_in_pytorch() -> None:
    names = [name for name in RNN(5, 3, num_layers=2, bidirectional=True).parameters if name.startswith("W_")]
    suffixes = ("", "_l0_reverse", "_l1", "_l1_reverse")
    assert names == [kind + suffix for suffix in suffixes for kind in ("W_ih", "W_hh")] + ["W_ho"]
    rnn = RNN(5, 3, 4, cell="gru", num_layers=2, bidirectional=True)
    shapes = {name: array.shape for name, array in rnn.parameters.items()}
    assert shapes["W_ih_l0_reverse"] == (9, 5)
    assert shapes["W_ih_l1_reverse"] == (9, 6)
    assert shapes["W_hh_l1"] == (9, 3)
    assert shapes["b_hn_l1_reverse"] == (3,)
    assert shapes["W_ho"] == (4, 6)
    assert rnn.parameters.vector.size == sum(array.size for array in rnn.parameters.values())
    for array in rnn.parameters.values():
        array[...] = 1
    assert (rnn.parameters.vector == 1).all()


def test_settings_reach_every_layer() -> None:
    rnn = RNN(5, 4, cell="lstm", num_layers=3, bidirectional=True, init="orthogonal", forget_bias=2, dtype=np.float64)
    for layer in rnn.parameters.layers:
        for own in layer:
            for block in own.W_hh.reshape(4, 4, 4):
                np.testing.assert_allclose(block @ block.T, np.eye(4), atol=1e-12)
            np.testing.assert_array_equal(own.b_h.reshape(4, 4), np.outer([0, 2, 0, 0], np.ones(4)))
    assert "RNN(lstm, 3 layers, bidirectional, 5→4→5, " in repr(rnn)
    assert rnn.zero_state().shape == (3 * 2 * 2 * 4,)


def test_the_state_of_layers_that_read_forward_is_carried() -> None:
    case = make_case(steps=20, cell="lstm", num_layers=3)
    whole = case.forward()
    first = case.rnn.forward(case.inputs[:11], case.targets[:11], case.state)
    second = case.rnn.forward(case.inputs[11:], case.targets[11:], first.carried)
    np.testing.assert_array_equal(np.concatenate([first.loss, second.loss]), whole.loss)
    case = make_case(steps=20, num_layers=2, bidirectional=True)
    carried = case.forward().carried.reshape(2, 2, 7)  # layers, directions, H
    assert carried[:, 0].all()
    assert not carried[:, 1].any()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("num_layers", "bidirectional"), [(1, False), (2, False), (2, True)])
def test_sampling_runs_the_same_network_as_training(cell: str, num_layers: int, bidirectional: bool) -> None:
    case = make_case(4, gain=3.0, cell=cell, num_layers=num_layers, bidirectional=bidirectional)
    first = int(case.inputs[0])
    written = case.rnn.sample(first, 8, state=case.state, temperature=1e-6, generator=np.random.default_rng(0))
    read = np.concatenate([[first], written])
    for length in range(1, 9):
        forward = case.rnn.forward(read[:length], read[1 : length + 1], case.state)
        assert forward.probabilities[-1].argmax() == written[length - 1]


def test_a_bidirectional_network_writes_window_by_window() -> None:
    case = make_case(4, gain=3.0, num_layers=2, bidirectional=True)
    settings: dict[str, Any] = {"state": case.state, "temperature": 1e-6, "context": 3}
    written = case.rnn.sample(2, 8, **settings, generator=np.random.default_rng(0))
    read, state = np.concatenate([[2], written]), case.state
    for first in (0, 3, 6):
        for last in range(first + 1, min(first + 3, 8) + 1):
            forward = case.rnn.forward(read[first:last], read[first + 1 : last + 1], state)
            assert forward.probabilities[-1].argmax() == written[last - 1]
        state = forward.carried
    with pytest.raises(ValueError, match="context takes a whole number of at least 1, got 0"):
        case.rnn.sample(0, 3, context=0, generator=np.random.default_rng(0))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_trainer_trains_and_records_the_top_layer(bidirectional: bool, batch_size: int) -> None:
    settings: dict[str, Any] = {"hidden_size": 12, "seq_length": 10, "record_every": 50, "init": "uniform", "seed": 1}
    arrangement: dict[str, Any] = {"num_layers": 2, "bidirectional": bidirectional, "batch_size": batch_size}
    trainer = Trainer(TEXT, **settings, **arrangement, horizon="auto")
    plain = Trainer(TEXT, **{**settings, "record_every": 10**6}, **arrangement)
    trainer.train(600)
    plain.train(600)
    np.testing.assert_array_equal(trainer.rnn.parameters.vector, plain.rnn.parameters.vector)
    assert trainer.run[-1].loss.mean() < 0.3
    assert (trainer.settings["num_layers"], trainer.settings["bidirectional"]) == (2, bidirectional)
    assert len(trainer.sample(30)) == 30
    assert len(trainer.sample(5, prompt="the c")) == 5
    snapshot = trainer.step()
    assert trainer.horizon_choice is not None
    shares = snapshot.surfaces["W_hh:share"].sum() + snapshot.beyond["W_hh:share"].sum()
    assert shares == pytest.approx(snapshot.step_totals["W_hh:share"].sum(), rel=1e-4)
    trainer.reset()
    assert trainer.step().from_zero_state


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_layers": 0}, "num_layers takes a whole number of at least 1, got 0"),
        ({"num_layers": 1.5}, "num_layers takes a whole number, got 1.5"),
        ({"bidirectional": 1}, "bidirectional takes True or False, got 1"),
    ],
)
def test_bad_arrangements_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        RNN(5, 4, **arguments)
    with pytest.raises((TypeError, ValueError), match=message):
        Trainer(TEXT, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"horizon": 0}, "horizon takes a whole number of at least 1, got 0"),
        ({"measures": "norm"}, "measures takes a collection of strings, got 'norm'"),
        ({"measures": ("median",)}, "measures takes one of 'norm', 'mean_abs', 'share'; got 'median'"),
    ],
)
def test_bad_requests_are_named(arguments: dict[str, Any], message: str) -> None:
    case = make_case(num_layers=2)
    with pytest.raises((TypeError, ValueError), match=message):
        itemized_layers(case.rnn, case.forward(), **arguments)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_is_not_finite_is_shown_and_no_accident(bidirectional: bool) -> None:
    case = make_case(cell="lstm", num_layers=2, bidirectional=bidirectional)
    case.rnn.parameters["W_ho"][0, 0] = np.inf
    forward = case.forward()
    found = itemized_layers(case.rnn, forward, 4, measures=MEASURES)
    assert not np.isfinite(found["W_hh_l1"].items["norm"]).all()
    assert not np.isfinite(found["W_hh"].total["norm"]).all()
    assert not np.isfinite(itemized_layer_delta(case.rnn, forward)["W_hh"].delta).all()
    for measures in (("norm",), MEASURES):
        itemized = itemized_bptt(case.rnn, forward, measures=measures)
        assert not np.isfinite(itemized.items["norm"]).all()
        assert not np.isfinite(itemized.gradients.norm)

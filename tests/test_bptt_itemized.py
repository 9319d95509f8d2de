"""The decomposition is exact: against autograd, against differences, and by its own sums."""

import autograd
import numpy as np
import pytest
from differences import MEASURED, central_differences, relative_error
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import Case, LinearCell, cases, make_case

from rnnbow_widget.bptt_itemized import itemized_bptt, itemized_delta
from rnnbow_widget.cells import CELLS
from rnnbow_widget.gradients import TrainingGradients, bptt
from rnnbow_widget.losses import read_out_gradients
from rnnbow_widget.measuring import MEASURES
from rnnbow_widget.rnn import RNN


@given(cases())
@settings(max_examples=60)
def test_delta_agrees_with_autograd_for_every_loss_and_step(case: Case) -> None:
    window = autograd.unroll(case.rnn, case.inputs, case.targets, case.state)
    assert relative_error(itemized_delta(case.rnn, case.forward()), autograd.itemized_delta(window)) < 1e-9


@given(cases())
@settings(max_examples=60)
def test_plain_gradients_agree_with_autograd(case: Case) -> None:
    window = autograd.unroll(case.rnn, case.inputs, case.targets, case.state)
    found = bptt(case.rnn, case.forward()).parameters
    for name, expected in autograd.gradients(window).items():
        # The absolute part is for sums that cancel to zero.
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-9 * np.abs(expected).max() + 1e-15)


@given(st.lists(cases(), min_size=1, max_size=3), st.booleans())
@settings(max_examples=40)
def test_gradients_for_training_are_the_plain_ones(drawn: list[Case], sparse: bool) -> None:
    rnn = drawn[0].rnn
    back_propagate = TrainingGradients(rnn, sparse)
    for case in drawn:
        forward = rnn.forward(case.inputs % rnn.input_size, case.targets % rnn.output_size)
        expected = bptt(rnn, forward)
        found, rows = back_propagate(forward)
        np.testing.assert_array_equal(found.delta, expected.delta)
        assert found.norm == pytest.approx(expected.norm, rel=1e-12)
        assert (rows is not None) == sparse
        whole = rnn.parameters.empty_like()
        whole.vector[:] = 0
        whole.subtract(-found.parameters.vector, rows)
        assert relative_error(whole.vector, expected.parameters.vector) < 1e-12
        if rows is not None:
            assert sorted(rows.index) == sorted(set(forward.inputs))


@given(cases())
@settings(max_examples=40)
def test_plain_gradients_agree_with_pytorchs_own_modules(case: Case) -> None:
    """The modules that people use, and not only the formulas written out: nn.RNN, nn.LSTM, nn.GRU."""
    window = autograd.module(case.rnn, case.inputs, case.targets, case.state)
    forward = case.forward()
    assert relative_error(forward.loss, window.losses.detach().numpy()) < 1e-10
    found = bptt(case.rnn, forward).parameters
    for name, expected in window.gradients().items():
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-9 * np.abs(expected).max() + 1e-15)


@pytest.mark.parametrize("cell", CELLS)
def test_plain_gradients_agree_with_central_differences(cell: str) -> None:
    case = make_case(3, steps=8, hidden=5, cell=cell)
    found = bptt(case.rnn, case.forward()).parameters
    assert ("b_hn" in found) == (cell == "gru")
    for name, array in case.rnn.parameters.items():
        expected = central_differences(lambda: float(case.forward().loss.sum()), array)
        assert relative_error(found[name], expected) < 1e-6, name


def test_items_agree_with_central_differences_of_a_single_loss() -> None:
    """A change of W_hh at step j only is a change of that step's pre-activation."""
    case = make_case(5, steps=6, hidden=4)
    delta = itemized_delta(case.rnn, case.forward())
    step = 1e-5
    for j in range(6):
        for unit in range(4):
            above, below = (_losses_with_shift(case, j, unit, shift) for shift in (step, -step))  # (n,) each
            expected = (above - below) / (2 * step)  # (n,): ∂L_t/∂a_j[unit] for every t
            np.testing.assert_allclose(delta[j, : 6 - j, unit], expected[j:], rtol=1e-6, atol=1e-10)


def _losses_with_shift(case: Case, at: int, unit: int, shift: float) -> np.ndarray:
    """Loss of each step, (n,), of a tanh network run by hand with one entry of one step's pre-activation shifted."""
    p, h, losses = case.rnn.parameters, case.state, []
    for j, (x, y) in enumerate(zip(case.inputs, case.targets, strict=True)):
        a = p["W_ih"][:, x] + p["W_hh"] @ h + p["b_h"]
        if j == at:
            a[unit] += shift
        h = np.tanh(a)
        z = p["W_ho"] @ h + p["b_o"]
        losses.append(np.log(np.exp(z).sum()) - z[y])
    return np.array(losses)


@example(make_case(1440, steps=19, hidden=4, tokens=11, init="orthogonal", gain=3.0, zero_state=True), None, None)
@given(cases(), st.one_of(st.none(), st.integers(1, 25)), st.sampled_from([None, 1e-3, 0.3]))
@settings(max_examples=80)
def test_measures_are_those_of_the_outer_products(case: Case, horizon: int | None, epsilon: float | None) -> None:
    forward = case.forward()
    itemized = itemized_bptt(case.rnn, forward, horizon, epsilon=epsilon, measures=MEASURES)
    delta = itemized_delta(case.rnn, forward, horizon, epsilon=epsilon)
    pieces = np.einsum("jdi,jh->jdih", delta, forward.hidden[:-1])  # (n, k, gates·H, H)
    whole = bptt(case.rnn, forward).parameters.W_hh
    received = np.einsum("ji,jh->jih", itemized.gradients.delta, forward.hidden[:-1])  # (n, gates·H, H)
    missing = received - pieces.sum(axis=1)
    # Where sums cancel, the reference leaves rounding in proportion to what was summed, and gradients may explode.
    largest = max(1.0, float(np.linalg.norm(pieces, axis=(-2, -1)).sum(axis=1).max()))
    for name, measure in MEASURED.items():
        np.testing.assert_allclose(itemized.items[name], measure(pieces, whole), rtol=1e-9, atol=1e-14 * largest)
        np.testing.assert_allclose(itemized.total[name], measure(received, whole), rtol=1e-9, atol=1e-14 * largest)
        np.testing.assert_allclose(itemized.beyond[name], measure(missing, whole), rtol=1e-9, atol=1e-13 * largest)


@given(cases())
@settings(max_examples=60)
def test_items_sum_to_the_plain_gradient(case: Case) -> None:
    forward = case.forward()
    delta = itemized_delta(case.rnn, forward)  # (n, n, gates·H)
    whole = np.einsum("jdi,jh->ih", delta, forward.hidden[:-1])
    assert relative_error(whole, bptt(case.rnn, forward).parameters.W_hh) < 1e-12
    own = itemized_bptt(case.rnn, forward).gradients
    plain = bptt(case.rnn, forward)
    assert relative_error(own.parameters.vector, plain.parameters.vector) < 1e-12


@given(cases(), st.integers(1, 25), st.sampled_from([None, 0.1]))
@settings(max_examples=60)
def test_shares_sum_to_the_norm_of_the_gradient(case: Case, horizon: int, epsilon: float | None) -> None:
    itemized = itemized_bptt(case.rnn, case.forward(), horizon, epsilon=epsilon, measures=("share",))
    norm = float(np.linalg.norm(itemized.gradients.parameters.W_hh))
    whole = float(itemized.items["share"].sum() + itemized.beyond["share"].sum())
    assert abs(whole - norm) <= 1e-12 * max(norm, 1e-300)
    per_step = itemized.items["share"].sum(axis=1) + itemized.beyond["share"]
    np.testing.assert_allclose(per_step, itemized.total["share"], rtol=0, atol=1e-12 * max(norm, 1e-300))


@given(cases(), st.integers(1, 25))
@settings(max_examples=40)
def test_a_horizon_keeps_the_first_lags_of_the_whole_window(case: Case, horizon: int) -> None:
    forward = case.forward()
    whole = itemized_bptt(case.rnn, forward, measures=MEASURES)
    cut = itemized_bptt(case.rnn, forward, horizon, measures=MEASURES)
    for name in MEASURES:
        np.testing.assert_allclose(cut.items[name], whole.items[name][:, :horizon], rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(cut.total[name], whole.total[name], rtol=1e-9, atol=1e-14)
        assert (whole.beyond[name] == 0).all()


@given(cases(), st.sampled_from([1e-6, 1e-2, 0.5, 2.0]))
@settings(max_examples=60)
def test_an_adaptive_horizon_follows_each_loss_until_all_that_it_carries_is_small(case: Case, epsilon: float) -> None:
    forward = case.forward()
    cut = itemized_delta(case.rnn, forward, epsilon=epsilon)
    incoming = read_out_gradients(forward) @ case.rnn.parameters.W_ho  # (n, H)
    for t in range(forward.steps):
        row: np.ndarray | None = None
        own = 0.0
        for d in range(t + 1):  # one loss alone, step by step
            later, row = row, np.empty(case.rnn.cell.row_width)  # (R,)
            case.rnn.cell.backward_step(
                forward.linearization[t - d], later, incoming[t] if later is None else None, row
            )
            size = float(np.linalg.norm(row))
            own = own or size
            if abs(size - epsilon * own) <= 1e-9 * own:  # right at the limit, rounding may decide either way
                break
            if size <= epsilon * own:
                row[:] = 0
            np.testing.assert_allclose(cut[t - d, d], case.rnn.cell.delta(row), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("streams", [None, 1, 3])
@pytest.mark.parametrize("epsilon", [None, 0.05])
def test_blocks_of_any_size_give_the_same(
    monkeypatch: pytest.MonkeyPatch, streams: int | None, epsilon: float | None, cell: str
) -> None:
    rnn = make_case(1, hidden=6, cell=cell).rnn
    tokens = np.random.default_rng(1).integers(0, 5, (2, 33) if streams is None else (2, 33, streams))
    forward = rnn.forward(*tokens)
    horizons = (None, 1, 5)
    expected = {k: itemized_bptt(rnn, forward, k, epsilon=epsilon, measures=MEASURES) for k in horizons}
    vectors = {k: itemized_delta(rnn, forward, k, epsilon=epsilon) for k in horizons}
    for size in (1, 5000):
        for losses in (1, 1000, 1 << 20):
            monkeypatch.setattr("rnnbow_widget.bptt_itemized._BLOCK_BYTES", size)
            monkeypatch.setattr("rnnbow_widget.bptt_itemized._LAG_BYTES", losses)
            for horizon, itemized in expected.items():
                found = itemized_bptt(rnn, forward, horizon, epsilon=epsilon, measures=MEASURES)
                delta = itemized_delta(rnn, forward, horizon, epsilon=epsilon)
                np.testing.assert_allclose(delta, vectors[horizon], rtol=1e-9, atol=1e-15)
                for name in MEASURES:
                    np.testing.assert_allclose(found.items[name], itemized.items[name], rtol=1e-9, atol=1e-15)
                    np.testing.assert_allclose(found.beyond[name], itemized.beyond[name], rtol=1e-9, atol=1e-15)
                    np.testing.assert_allclose(found.total[name], itemized.total[name], rtol=1e-9, atol=1e-15)


# With larger weights the network is chaotic: its states in single and in double precision go ways of their own.
@given(cases(dtype=np.float32, gains=(0.3, 1.0)))
@settings(max_examples=40)
def test_single_precision_agrees_with_double(case: Case) -> None:
    double = RNN(case.rnn.input_size, case.rnn.hidden_size, cell=type(case.rnn.cell), dtype=np.float64)
    double.parameters.vector[:] = case.rnn.parameters.vector
    expected = itemized_bptt(double, double.forward(case.inputs, case.targets, case.state), measures=MEASURES)
    found = itemized_bptt(case.rnn, case.forward(), measures=MEASURES)
    for name in MEASURES:
        assert found.items[name].dtype == np.float32
        assert relative_error(found.items[name], expected.items[name]) < 1e-4


def _linear(steps: int, hidden: int, init: str) -> tuple[RNN, np.ndarray]:
    rnn = RNN(3, hidden, cell=LinearCell, init=init, seed=2, dtype=np.float64)
    return rnn, itemized_delta(rnn, rnn.forward(np.arange(steps) % 3, np.arange(1, steps + 1) % 3))


@pytest.mark.parametrize("init", ["orthogonal", "identity"])
def test_an_orthogonal_linear_network_carries_every_gradient_back_unchanged(init: str) -> None:
    steps = 30
    _, delta = _linear(steps, 8, init)
    norms = np.linalg.norm(delta, axis=-1)  # (n, n)
    for t in range(steps):
        np.testing.assert_allclose([norms[t - d, d] for d in range(t + 1)], norms[t, 0], rtol=1e-12)


def test_the_scalar_linear_recurrence() -> None:
    """x_n = w x_{n-1} with w = .2, x_0 = .9: dx_n/dw = n w^{n-1} x_0, that is .9, .36, .108."""
    rnn = RNN(1, 1, 2, cell=LinearCell, dtype=np.float64)
    p = rnn.parameters
    p.vector[:] = 0
    p.W_hh[:] = 0.2
    p.W_ho[:] = [[1.0], [0.0]]
    forward = rnn.forward([0, 0, 0], [0, 0, 0], [0.9])
    delta = itemized_delta(rnn, forward)[:, :, 0]  # (3, 3)
    for n, expected in enumerate((0.9, 0.36, 0.108)):
        incoming = float(forward.probabilities[n, 0]) - 1  # ∂L/∂x_n, since the logit is x_n itself
        found = sum(delta[n - d, d] * forward.states[n - d, 0] for d in range(n + 1))
        assert found / incoming == pytest.approx(expected, rel=1e-12)


def test_the_first_step_after_a_zero_state_receives_exactly_nothing() -> None:
    case = make_case(zero_state=True)
    itemized = itemized_bptt(case.rnn, case.forward(), measures=MEASURES)
    for name in MEASURES:
        assert (itemized.items[name][0] == 0).all()
        assert itemized.total[name][0] == 0
    assert (itemized.items["norm"][1:, 0] > 0).all()

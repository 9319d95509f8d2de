"""Whole windows of a cell are its steps, one after the other; and what is known of each cell."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from differences import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import make_case

from rnnbow_widget import RNN
from rnnbow_widget.bptt_itemized import itemized_bptt, itemized_delta
from rnnbow_widget.cell import Cell
from rnnbow_widget.cells import CELLS


def _window(name: str, seed: int, steps: int, hidden: int) -> tuple[Cell, np.ndarray, np.ndarray, np.ndarray]:
    """A cell, what enters (n, gates·H), its states (n+1, S) with only the first one set, what enters backward."""
    generator = np.random.default_rng(seed)
    kind = CELLS[name]
    W_hh = generator.normal(0, 1 / np.sqrt(hidden), (kind.gates * hidden, hidden))
    cell = kind(W_hh, generator.normal(size=hidden) if kind.has_b_hn else None)
    gates, incoming = (generator.normal(size=(steps, width)) for width in (cell.delta_width, hidden))
    states = np.zeros((steps + 1, cell.state_width))
    states[0] = generator.uniform(-1, 1, cell.state_width)
    return cell, gates, states, incoming


@given(
    st.sampled_from(sorted(CELLS)),
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 80), min_size=1, max_size=3),
    st.integers(1, 12),
)
@settings(max_examples=60)
def test_a_window_is_its_steps(name: str, seed: int, lengths: list[int], hidden: int) -> None:
    cell, *_ = _window(name, seed, 1, hidden)
    for steps in lengths:  # the same cell for windows of several lengths
        _, gates, states, incoming = _window(name, seed, steps, hidden)
        expected, expected_gates = states.copy(), gates.copy()
        Cell.forward_window(cell, expected_gates, expected)
        cell.forward_window(gates, states)
        assert relative_error(states, expected) < 1e-12
        local = cell.linearize(states, gates)
        rows, expected = np.empty((2, steps, cell.row_width))
        Cell.backward_window(cell, local, incoming, expected)
        cell.backward_window(local, incoming, rows)
        assert relative_error(rows, expected) < 1e-12


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_an_elman_cells_quick_way_needs_no_other_where_all_is_finite(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps one by one are for what is not finite: they would hide a quick way that is wrong."""
    cell, gates, states, incoming = _window(name, 0, 70, 5)
    expected = states.copy()
    Cell.forward_window(cell, gates.copy(), expected)
    expected_rows, rows = np.empty((2, 70, cell.row_width))
    Cell.backward_window(cell, cell.linearize(expected, gates), incoming, expected_rows)
    monkeypatch.setattr(Cell, "forward_window", None)
    monkeypatch.setattr(Cell, "backward_window", None)
    for _ in range(2):  # the second time in memory that was used
        cell.forward_window(gates.copy(), states)
        assert relative_error(states, expected) < 1e-12
        monkeypatch.setattr("rnnbow_widget.elman._Recurrence", None)  # from now on there is memory to use again
        cell.backward_window(cell.linearize(states, gates), incoming, rows)
        assert relative_error(rows, expected_rows) < 1e-12


@pytest.mark.parametrize("name", CELLS)
def test_threads_do_not_share_memory(name: str) -> None:
    cell, gates, states, incoming = _window(name, 0, 25, 40)
    expected, used = states.copy(), gates.copy()
    cell.forward_window(used, expected)
    local = cell.linearize(expected, used)
    expected_rows = np.empty((25, cell.row_width))
    cell.backward_window(local, incoming, expected_rows)

    def run(factor: int) -> bool:
        own, rows = states.copy(), np.empty_like(expected_rows)
        for _ in range(50):
            cell.forward_window(gates.copy(), own)
            cell.backward_window(local, incoming, rows)
            if not (relative_error(own, expected) < 1e-12 and relative_error(rows, expected_rows) < 1e-12):
                return False
            cell.forward_window(gates * factor, states.copy())
            cell.backward_window(local, incoming * factor, rows)
        return True

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(run, range(2, 6)))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow")
def test_what_is_not_finite_reaches_later_steps_only(name: str) -> None:
    cell, gates, states, incoming = _window(name, 0, 12, 5)
    gates[7, 2] = np.nan
    cell.forward_window(gates, states)
    assert np.isfinite(states[:8]).all()
    assert np.isnan(states[8:]).any(axis=1).all()
    cell, gates, states, incoming = _window(name, 0, 12, 5)
    cell.forward_window(gates, states)
    incoming[7, 2] = np.inf
    local, rows = cell.linearize(states, gates), np.empty((12, cell.row_width))
    cell.backward_window(local, incoming, rows)
    assert np.isfinite(rows[8:]).all()
    assert not np.isfinite(rows[:8]).all(axis=1).any()
    incoming[7, 2] = 1
    cell.backward_window(local, incoming, rows)
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("size", [1e3, 1e30])
def test_large_pre_activations_saturate_without_a_warning(name: str, size: float) -> None:
    """A sigmoid's exponential overflows, and its limits are right."""
    case = make_case(1, cell=name, dtype=np.float32)
    signs = np.sign(case.rnn.parameters.b_h + 1e-9)
    case.rnn.parameters.b_h[:] = signs * size
    forward = case.forward()
    if name != "relu":
        assert np.isfinite(forward.hidden).all()
    case.rnn.sample(0, 5, generator=np.random.default_rng(0))
    if name == "lstm":
        i, f, _, o = signs.reshape(4, -1) > 0
        assert (forward.hidden[1:, ~o] == 0).all()
        np.testing.assert_array_equal(forward.states[1:, 7:][:, ~i & f], np.tile(case.state[7:][~i & f], (12, 1)))


@pytest.mark.parametrize(("bias", "steps", "expected"), [(0.0, 20, 1e-6), (3.0, 40, 0.143)])
def test_an_lstm_passes_gradients_along_its_cell_path_by_its_forget_gate(
    bias: float, steps: int, expected: float
) -> None:
    """Where only c leads back, each step multiplies by σ(bias): 0.5^20 ≈ 1e-6, 0.953^40 ≈ 0.14."""
    rnn = RNN(2, 3, cell="lstm", forget_bias=0, dtype=np.float64)
    generator = np.random.default_rng(0)
    rnn.parameters.W_ih[:] = generator.normal(0, 0.5, rnn.parameters.W_ih.shape)
    rnn.parameters.W_ih[3:6] = 0  # the forget gate listens to nothing
    rnn.parameters.W_hh[:] = 0
    rnn.parameters.b_h[3:6] = bias
    forward = rnn.forward(np.zeros(steps + 1, int), np.ones(steps + 1, int))
    gate = 1 / (1 + np.exp(-bias))
    rows = np.empty((steps + 1, rnn.cell.row_width))  # (n, R)
    incoming = np.zeros((steps + 1, 3))
    incoming[-1] = 1  # of the last loss alone
    rnn.cell.backward_window(forward.linearization, incoming, rows)
    carried = rows[:, 12:]  # (n, H): ∂L/∂c_{j-1}
    np.testing.assert_allclose(carried[0] / carried[-1], gate**steps, rtol=1e-12)
    assert gate**steps == pytest.approx(expected, rel=0.06)
    # With constant input and no recurrence the pieces of the gates follow the carried gradient, and c.
    delta = itemized_delta(rnn, forward)  # (n, n, 4·H)
    last = np.array([delta[steps - d, d] for d in range(steps + 1)])  # (n, 4·H)
    np.testing.assert_allclose(last[1:, :3] / last[:-1, :3], gate, rtol=1e-9)  # i
    np.testing.assert_allclose(last[1:, 6:9] / last[:-1, 6:9], gate, rtol=1e-9)  # g


def test_a_loss_is_followed_as_long_as_the_cell_path_carries_it() -> None:
    """Input and output gates are closed for a stretch, so δ is next to nothing there while c keeps the gradient."""
    rnn = RNN(2, 4, cell="lstm", init="uniform", dtype=np.float32, seed=1)
    p = rnn.parameters
    p.b_h.reshape(4, 4)[1] = 8  # forget nothing
    for gate in (0, 3):
        p.W_ih.reshape(4, 4, 2)[gate, :, 1] = -35  # token 1 closes the gates i and o
    inputs = np.array([0] * 3 + [1] * 40 + [0])
    forward = rnn.forward(inputs, inputs)
    norms = itemized_bptt(rnn, forward).items["norm"]
    last = np.array([norms[43 - d, d] for d in range(44)])
    assert last[1:40].max() < 1e-3 * last[0]
    assert last[41] > 0.01 * last[0]
    double = RNN(2, 4, cell="lstm", dtype=np.float64)
    double.parameters.vector[:] = p.vector
    expected = itemized_bptt(double, double.forward(inputs, inputs)).items["norm"]
    assert relative_error(norms, expected) < 2e-6


def test_rectified_units_with_identity_weights_keep_the_gradient_at_every_lag() -> None:
    """Le, Jaitly and Hinton (2015): while units stay active, h is a line and nothing vanishes or explodes."""
    steps, hidden = 200, 6
    rnn = RNN(2, hidden, cell="relu", init="identity", dtype=np.float64, seed=3)
    np.testing.assert_array_equal(rnn.parameters.W_hh, np.eye(hidden))
    state = np.full(hidden, 10.0)  # far enough from 0 for all steps
    forward = rnn.forward(np.zeros(steps, int), np.ones(steps, int), state)
    line = state + np.arange(steps + 1)[:, None] * rnn.parameters.W_ih[:, 0]  # (n+1, H)
    np.testing.assert_allclose(forward.hidden, line, rtol=1e-12)
    norms = np.linalg.norm(itemized_delta(rnn, forward), axis=-1)  # (n, n)
    for t in range(steps):
        np.testing.assert_allclose([norms[t - d, d] for d in range(t + 1)], norms[t, 0], rtol=1e-12)


def test_a_rectified_unit_that_is_off_passes_nothing() -> None:
    rnn = RNN(1, 2, cell="relu", init="identity", dtype=np.float64)
    rnn.parameters.W_ih[:] = [[0.0], [-5.0]]
    rnn.parameters.W_ho[:] = 1
    forward = rnn.forward([0, 0, 0], [0, 0, 0], [0.0, 12.0])
    assert forward.hidden[:, 1].tolist() == [12, 7, 2, 0]
    assert forward.linearization[:, 0].tolist() == [0, 0, 0], "the slope at 0 is 0, as PyTorch has it"
    assert forward.linearization[:, 1].tolist() == [1, 1, 0]


def test_a_grus_update_gate_passes_gradients_unchanged_when_it_is_open() -> None:
    rnn = RNN(2, 3, cell="gru", init="uniform", dtype=np.float64, seed=2)
    rnn.parameters.b_h[3:6] = 40  # z = 1: h stays as it is
    state = np.array([0.5, -0.2, 0.1])
    forward = rnn.forward(np.arange(30) % 2, np.arange(30) % 2, state)
    np.testing.assert_allclose(forward.hidden, np.tile(state, (31, 1)), rtol=1e-12)
    rows = np.empty((30, rnn.cell.row_width))
    incoming = np.zeros((30, 3))
    incoming[-1] = [1, 2, 3]
    rnn.cell.backward_window(forward.linearization, incoming, rows)
    np.testing.assert_allclose(rows[0, 12:], [1, 2, 3], rtol=1e-12)


def test_the_forget_bias_is_added_to_the_forget_gate_alone() -> None:
    for init in ("normal", "uniform", "orthogonal", "identity"):
        plain = RNN(4, 5, cell="lstm", init=init, forget_bias=0).parameters
        for given_bias, added in ((None, 1.0), (3.0, 3.0), (-1.5, -1.5)):
            rnn = RNN(4, 5, cell="lstm", init=init, forget_bias=given_bias)
            difference = rnn.parameters.b_h - plain.b_h
            np.testing.assert_allclose(difference.reshape(4, 5)[1], added, rtol=1e-6)
            assert not difference.reshape(4, 5)[[0, 2, 3]].any()
            np.testing.assert_array_equal(rnn.parameters.W_hh, plain.W_hh)
            assert rnn.forget_bias == added
            assert f"forget_bias={added:g}" in repr(rnn)
            rnn.reset()
            np.testing.assert_allclose(rnn.parameters.b_h - plain.b_h, difference)
    assert RNN(4, 5, cell="gru").forget_bias is None


@pytest.mark.parametrize(("name", "gates"), [("tanh", 1), ("relu", 1), ("lstm", 4), ("gru", 3)])
def test_presets_treat_every_gate_alike(name: str, gates: int) -> None:
    checks: list[tuple[str, Callable[[np.ndarray], None]]] = [
        ("orthogonal", lambda block: np.testing.assert_allclose(block @ block.T, np.eye(6), atol=1e-12)),
        ("identity", lambda block: np.testing.assert_array_equal(block, np.eye(6))),
    ]
    for init, check in checks:
        rnn = RNN(4, 6, cell=name, init=init, dtype=np.float64, seed=5)
        blocks = rnn.parameters.W_hh.reshape(gates, 6, 6)
        for block in blocks:
            check(block)
        if init == "orthogonal":
            assert all((a != b).any() for a, b in zip(blocks[1:], blocks[:-1], strict=True))
        assert not (rnn.parameters.get("b_hn", np.zeros(1))).any()
    uniform = RNN(4, 6, cell=name, init="uniform").parameters
    assert all(np.abs(array).max() > 0 for array in uniform.values())


def test_parameters_have_pytorchs_shapes_and_names() -> None:
    lstm, gru = RNN(5, 8, 3, cell="lstm").parameters, RNN(5, 8, 3, cell="gru").parameters
    shapes = {"W_ih": (32, 5), "W_hh": (32, 8), "b_h": (32,), "W_ho": (3, 8), "b_o": (3,)}
    assert {name: array.shape for name, array in lstm.items()} == shapes
    shapes = {"W_ih": (24, 5), "W_hh": (24, 8), "b_h": (24,), "b_hn": (8,), "W_ho": (3, 8), "b_o": (3,)}
    assert {name: array.shape for name, array in gru.items()} == shapes
    assert gru.vector.size == sum(array.size for array in gru.values())

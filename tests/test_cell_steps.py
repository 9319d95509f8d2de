"""One step of each cell: by its formulas written out, and its derivatives by central differences."""

from collections.abc import Callable

import numpy as np
import pytest
from differences import central_differences

from rnnbow_widget.cell import Cell
from rnnbow_widget.cells import CELLS
from rnnbow_widget.elman import ElmanCell
from rnnbow_widget.gated import GRUCell

HIDDEN = 3
SHAPES = [(), (4,)]
"""One stream, and several."""


def sigmoid(a: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-a)))


def lstm(cell: Cell, entering: np.ndarray, before: np.ndarray) -> np.ndarray:
    h, c = np.split(before, 2, axis=-1)
    i, f, g, o = np.split(entering + h @ cell.W_hh.T, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return np.concatenate([sigmoid(o) * np.tanh(c), c], axis=-1)


def gru(cell: Cell, entering: np.ndarray, before: np.ndarray) -> np.ndarray:
    (q_r, q_z, q_n), (s_r, s_z, s_n) = (np.split(a, 3, axis=-1) for a in (entering, before @ cell.W_hh.T))
    r, z = sigmoid(q_r + s_r), sigmoid(q_z + s_z)
    return np.asarray((1 - z) * np.tanh(q_n + r * (s_n + cell.b_hn)) + z * before)


FORMULAS: dict[str, Callable[[Cell, np.ndarray, np.ndarray], np.ndarray]] = {
    "tanh": lambda cell, entering, before: np.tanh(entering + before @ cell.W_hh.T),
    "relu": lambda cell, entering, before: np.maximum(entering + before @ cell.W_hh.T, 0),
    "lstm": lstm,
    "gru": gru,
}


class Window:
    """Two steps of a cell, and a loss ``Σ g_j h_j`` of both."""

    def __init__(self, name: str, streams: tuple[int, ...]) -> None:
        generator = np.random.default_rng(5)
        kind = CELLS[name]
        biased = {"b_hn": generator.normal(size=HIDDEN)} if kind.has_b_hn else {}
        self.formula = FORMULAS[name]
        self.cell = kind(generator.normal(size=(kind.gates * HIDDEN, HIDDEN)), **biased)
        self.entering = generator.normal(size=(2, *streams, self.cell.delta_width))
        self.incoming = generator.normal(size=(2, *streams, HIDDEN))
        self.states = np.zeros((3, *streams, self.cell.state_width))
        self.states[0] = generator.uniform(0.1, 0.9, self.states[0].shape)
        gates = self.entering.copy()
        self.cell.forward_window(gates, self.states)
        self.local = self.cell.linearize(self.states, gates)
        self.gates = gates

    def rows(self, step: int, later: np.ndarray | None, incoming: np.ndarray | None) -> np.ndarray:
        found = np.full((*self.entering.shape[1:-1], self.cell.row_width), np.nan)
        self.cell.backward_step(self.local[step], later, incoming, found)
        return found

    def second_loss(self, entering: np.ndarray, before: np.ndarray) -> float:
        """The loss of the second step, from what enters there and the state before."""
        after = self.formula(self.cell, entering, before)
        return float((self.incoming[1] * after[..., :HIDDEN]).sum())


def close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("streams", SHAPES)
@pytest.mark.parametrize("name", CELLS)
def test_a_step_is_its_formula(name: str, streams: tuple[int, ...]) -> None:
    window = Window(name, streams)
    state = window.states[0]
    for step in range(2):
        state = window.formula(window.cell, window.entering[step], state)
        np.testing.assert_allclose(window.states[step + 1], state, rtol=1e-12)
        after = np.empty_like(state)
        window.cell.forward_step(window.entering[step].copy(), window.states[step], after)
        np.testing.assert_allclose(after, state, rtol=1e-12)


@pytest.mark.parametrize("streams", SHAPES)
@pytest.mark.parametrize("name", CELLS)
def test_what_a_step_hands_back_is_the_gradient_of_the_loss(name: str, streams: tuple[int, ...]) -> None:
    window = Window(name, streams)
    cell, before, entering = window.cell, window.states[1].copy(), window.entering[1].copy()
    incoming = window.incoming[1].copy()
    rows = window.rows(1, None, window.incoming[1])

    def loss() -> float:
        return window.second_loss(entering, before)

    close(cell.input_delta(rows), central_differences(loss, entering))
    delta = cell.delta(rows).reshape(-1, cell.delta_width)  # (B, gates·H)
    close(delta.T @ before[..., :HIDDEN].reshape(-1, HIDDEN), central_differences(loss, cell.W_hh))
    if cell.b_hn is not None:
        close(delta[:, -HIDDEN:].sum(axis=0), central_differences(loss, cell.b_hn))
    np.testing.assert_array_equal(window.incoming[1], incoming, "what enters belongs to the caller")


@pytest.mark.parametrize("streams", SHAPES)
@pytest.mark.parametrize("name", CELLS)
def test_the_gradient_of_a_state_has_what_comes_later_and_what_enters(name: str, streams: tuple[int, ...]) -> None:
    """A change of c, of an LSTM, changes the h of its step, too."""
    window = Window(name, streams)
    cell, later = window.cell, window.rows(1, None, window.incoming[1])
    state: np.ndarray = window.states[1].copy()
    out = window.gates[0][..., 3 * HIDDEN :]  # (…, H): of an LSTM the output gate, which is open as it is

    def followed() -> np.ndarray:
        """The state as its own parts make it: h from c."""
        if name != "lstm":
            return state
        c = state[..., HIDDEN:]
        return np.concatenate([state[..., :HIDDEN] - kept + out * np.tanh(c), c], axis=-1)

    kept = out * np.tanh(state[..., HIDDEN:]) if name == "lstm" else 0

    def both() -> float:
        return float((window.incoming[0] * followed()[..., :HIDDEN]).sum()) + second()

    def second() -> float:
        return window.second_loss(window.entering[1], followed())

    own = (window.local[0], None, window.incoming[0])
    close(cell.state_gradient(window.local[0], later, window.incoming[0]), central_differences(both, state))
    close(cell.state_gradient(window.local[0], later, None), central_differences(second, state))
    close(cell.state_gradient(*own), central_differences(lambda: both() - second(), state))
    close(cell.at_hidden(later, window.incoming[0]), central_differences(both, state)[..., :HIDDEN])


@pytest.mark.parametrize("streams", SHAPES)
@pytest.mark.parametrize("name", CELLS)
def test_what_later_steps_sent_is_handed_on(name: str, streams: tuple[int, ...]) -> None:
    window = Window(name, streams)
    cell, later = window.cell, window.rows(1, None, window.incoming[1])
    kept = later.copy()
    entering, before = window.entering[0].copy(), window.states[0].copy()

    def second() -> float:
        return window.second_loss(window.entering[1], window.formula(cell, entering, before))

    def both() -> float:
        first = window.formula(cell, entering, before)
        return float((window.incoming[0] * first[..., :HIDDEN]).sum()) + second()

    for loss, incoming in ((second, None), (both, window.incoming[0])):
        rows = window.rows(0, later, incoming)
        close(cell.input_delta(rows), central_differences(loss, entering))
        through_h = cell.delta(rows) @ cell.W_hh  # (…, H)
        direct = rows[..., cell.delta_width :]  # (…, carried·H)
        expected = central_differences(loss, before)
        if name == "lstm":
            close(np.concatenate([through_h, direct], axis=-1), expected)
        else:
            close(through_h + (direct[..., HIDDEN:] if name == "gru" else 0), expected)
        np.testing.assert_array_equal(later, kept, "rows of the step after belong to the caller")
    window_rows = np.empty((2, *later.shape))
    cell.backward_window(window.local, window.incoming, window_rows)
    close(window_rows, np.stack([window.rows(0, later, window.incoming[0]), later]))


@pytest.mark.parametrize("streams", SHAPES)
@pytest.mark.parametrize("name", CELLS)
def test_edges_carry_the_parts_of_what_a_step_hands_back(name: str, streams: tuple[int, ...]) -> None:
    window = Window(name, streams)
    cell, incoming, later = window.cell, window.incoming[0], window.rows(1, None, window.incoming[1])
    rows = window.rows(0, later, incoming)
    found = cell.edge_gradients(window.local[0], later, incoming, rows)
    assert set(found) == {edge for edge, _, _ in cell.edges} - {"x"}
    close(found["later_h"], cell.delta(later) @ cell.W_hh)
    close(found["h_before"], cell.delta(rows) @ cell.W_hh)
    np.testing.assert_array_equal(found["loss"], incoming)
    direct = later[..., 4 * HIDDEN :]  # (…, H), of a cell with gates
    close(found["h"], found["later_h"] + incoming + (direct if name == "gru" else 0))
    entering = np.split(cell.input_delta(rows), cell.gates, axis=-1)
    for gate, own in zip(cell.gate_names or ("a",), entering, strict=True):
        np.testing.assert_array_equal(found[gate], own)
    if name == "lstm":
        state = cell.state_gradient(window.local[0], later, incoming)
        close(found["c"], state[..., HIDDEN:])
        np.testing.assert_array_equal(found["later_c"], direct)
        close(found["tanh_c"], found["c"] - direct)
        np.testing.assert_array_equal(found["c_before"], rows[..., 4 * HIDDEN :])
    if name == "gru":
        np.testing.assert_array_equal(found["later_direct"], direct)
        np.testing.assert_array_equal(found["reset_product"], rows[..., 2 * HIDDEN : 3 * HIDDEN])
        np.testing.assert_array_equal(found["direct"], rows[..., 4 * HIDDEN :])


@pytest.mark.parametrize("name", CELLS)
def test_windows_of_streams_whose_steps_do_not_match_are_refused(name: str) -> None:
    window = Window(name, (4,))
    with pytest.raises(ValueError, match="zip"):
        window.cell.forward_window(window.entering[:1].copy(), window.states)
    rows = np.empty((2, 4, window.cell.row_width))
    with pytest.raises(ValueError, match="zip"):
        window.cell.backward_window(window.local, window.incoming[:1], rows)


def test_what_is_saturated_lies_above_the_limit_not_at_it() -> None:
    at = np.array([[0.9, -0.9, 0.0], [0.91, -0.91, 0.89]])  # (2, H)
    weights = np.zeros((12, 3))
    above = [[False, False, False], [True, True, False]]
    for name in ("tanh", "gru"):
        assert CELLS[name](weights).saturated(at).tolist() == above
    limit = np.arctanh(0.9)
    c = np.array([[limit, -limit, 0.0], [1.4723, -1.4723, 1.4722]])  # (2, H)
    states = np.concatenate([np.full((2, 3), 0.95), c], axis=-1)  # (2, 2·H): h tells nothing
    assert CELLS["lstm"](weights).saturated(states).tolist() == above
    values = np.array([[0.0, 1e-30, 5.0]])
    assert CELLS["relu"](weights[:3]).saturated(values).tolist() == [[True, False, False]]


def test_the_rows_of_the_candidate_are_a_view_of_the_weights() -> None:
    for name, gate in (("tanh", 0), ("relu", 0), ("lstm", 2), ("gru", 2)):
        weights = np.random.default_rng(0).normal(size=(CELLS[name].gates * HIDDEN, HIDDEN))
        rows = CELLS[name](weights).candidate_rows()
        np.testing.assert_array_equal(rows, weights[gate * HIDDEN : (gate + 1) * HIDDEN])
        assert rows.base is weights


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_borrows_what_it_is_given(name: str) -> None:
    weights, bias = np.ones((CELLS[name].gates * HIDDEN, HIDDEN)), np.ones(HIDDEN)
    cell = CELLS[name](weights, bias)
    assert cell.W_hh is weights
    assert cell.b_hn is bias


def test_a_gru_without_a_bias_of_its_own_has_zeros_of_the_weights_kind() -> None:
    cell = GRUCell(np.ones((9, 3), np.float32))
    assert cell.b_hn.dtype == np.float32
    np.testing.assert_array_equal(cell.b_hn, np.zeros(3))


@pytest.mark.parametrize("name", CELLS)
def test_steps_keep_single_precision(name: str) -> None:
    cell = CELLS[name](np.eye(3, dtype=np.float32).repeat(CELLS[name].gates, axis=0))
    gates = np.full((2, cell.delta_width), 0.25, np.float32)
    states = np.full((3, cell.state_width), 0.5, np.float32)
    cell.forward_window(gates, states)
    local = cell.linearize(states, gates)
    assert local.dtype == np.float32
    if isinstance(cell, ElmanCell):
        (memory,) = cell._spare  # of the quick way through a window
        assert {array.dtype for array in (memory.results, memory.matrix, memory.factors)} == {np.dtype(np.float32)}
    incoming = np.ones((2, 3), np.float32)
    assert cell.state_gradient(local[0], None, incoming[0]).dtype == np.float32
    assert cell.at_hidden(np.ones((1, cell.row_width), np.float32), None).dtype == np.float32

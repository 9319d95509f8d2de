"""Itemized BPTT against its definition: every loss followed back alone, step by step, and every matrix built."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from differences import MEASURED, relative_error
from strategies import make_case

from rnnbow_widget.bptt_itemized import ROWS_CHECKED_EVERY, _Walk, itemized_bptt, itemized_delta
from rnnbow_widget.forward import ForwardPass
from rnnbow_widget.gradients import bptt
from rnnbow_widget.losses import output_gradients
from rnnbow_widget.measuring import MEASURES
from rnnbow_widget.rnn import RNN

STEPS, HIDDEN = 9, 3
MASKS = {
    "all": None,
    "last": np.arange(STEPS) == STEPS - 1,
    "some": np.isin(np.arange(STEPS), [2, 3, 6]),
    "none": np.zeros(STEPS, bool),
}


def followed(rnn: RNN, forward: ForwardPass, lags: int, epsilon: float) -> np.ndarray:
    """``δ_{j+d,j}`` at [j, b, d], array (n, B, k, gates·H), each loss of each stream by itself."""
    n, streams, cell = forward.steps, forward.streams, rnn.cell
    local = forward.linearization.reshape(n, streams, *forward.flattened().linearization.shape[1:])
    incoming = output_gradients(forward.flattened(), rnn.read_out)[1].reshape(n, streams, HIDDEN)
    found = np.zeros((n, streams, lags, cell.delta_width))
    for b, t in product(range(streams), range(n)):
        later = own = None
        for d in range(min(lags, t + 1)):
            row = np.zeros(cell.row_width)
            cell.backward_step(local[t - d, b], later, incoming[t, b] if d == 0 else None, row)
            size = np.linalg.norm(row)
            own = size if own is None else own
            if epsilon and size <= epsilon * own:
                break
            found[t - d, b, d] = cell.delta(row)
            later = row
    return found


def window(cell: str, streams: int | None, mask: np.ndarray | None, seed: int = 3) -> tuple[RNN, ForwardPass]:
    case = make_case(seed, hidden=HIDDEN, cell=cell)
    generator = np.random.default_rng(seed)
    shape = (STEPS,) if streams is None else (STEPS, streams)
    state = generator.uniform(-0.9, 0.9, (*shape[1:], case.rnn.cell.state_width))
    if mask is not None and streams is not None:
        mask = np.repeat(mask[:, None], streams, axis=1)
        mask[:, 1:] &= generator.random((STEPS, streams - 1)) < 0.7  # streams differ in where they have losses
    inputs, targets = generator.integers(0, 5, (2, *shape))
    return case.rnn, case.rnn.forward(inputs, targets, state, mask)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("streams", [None, 2])
@pytest.mark.parametrize("cell", ["tanh", "gru"])
def test_all_is_as_the_definition_has_it(
    cell: str, streams: int | None, mask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rnn, forward = window(cell, streams, MASKS[mask])
    count, shape = forward.streams, forward.loss.shape
    before = forward.hidden[:-1].reshape(STEPS, count, HIDDEN)  # (n, B, H)
    every = followed(rnn, forward, STEPS, 0).sum(axis=2)  # (n, B, gates·H)
    received = np.einsum("jbi,jbh->jbih", every, before)
    plain = bptt(rnn, forward)
    whole = plain.parameters.W_hh
    np.testing.assert_allclose(received.mean(axis=1).sum(axis=0), whole, rtol=1e-9, atol=1e-13)
    for horizon, epsilon, sizes in product((None, 4), (None, 0.3), ((1, 1), (200, 100), (1 << 18, 1 << 18))):
        monkeypatch.setattr("rnnbow_widget.bptt_itemized._BLOCK_BYTES", sizes[0])
        monkeypatch.setattr("rnnbow_widget.bptt_itemized._LAG_BYTES", sizes[1])
        lags = min(horizon or STEPS, STEPS)
        delta = followed(rnn, forward, lags, epsilon or 0)
        pieces = np.einsum("jbdi,jbh->jbdih", delta, before)
        missing = received - pieces.sum(axis=2)
        vectors = itemized_delta(rnn, forward, horizon, epsilon=epsilon)
        np.testing.assert_allclose(vectors, delta.reshape(vectors.shape), rtol=1e-9, atol=1e-14)
        assert vectors.shape == (*shape, lags, rnn.cell.delta_width)
        for given in (None, plain):
            found = itemized_bptt(rnn, forward, horizon, epsilon=epsilon, measures=MEASURES, gradients=given)
            np.testing.assert_allclose(found.delta, every.reshape(found.delta.shape), rtol=1e-9, atol=1e-13)
            assert relative_error(found.gradients.parameters.vector, plain.parameters.vector) < 1e-9
            np.testing.assert_allclose(found.gradients.delta, plain.delta, rtol=1e-9, atol=1e-13)
            np.testing.assert_allclose(found.gradients.rows[0][0], plain.rows[0][0], rtol=1e-9, atol=1e-13)
            assert (found.gradients is plain) == (given is not None)
            for name, measure in MEASURED.items():
                assert found.items[name].shape == (*shape, lags)
                assert found.total[name].shape == found.beyond[name].shape == shape
                for own, expected in (
                    (found.items[name], measure(pieces, whole)),
                    (found.total[name], measure(received, whole)),
                    (found.beyond[name], measure(missing, whole)),
                ):
                    np.testing.assert_allclose(own, expected.reshape(own.shape), rtol=1e-7, atol=1e-13)
                average = found.average
                np.testing.assert_allclose(average.items[name], measure(pieces, whole).mean(axis=1), atol=1e-13)
                loose = 1e-7 if name == "norm" else 1e-13  # of squares, cancelling leaves the root of the rounding
                np.testing.assert_allclose(
                    average.total[name], measure(received.mean(axis=1), whole), rtol=1e-7, atol=loose
                )
                np.testing.assert_allclose(
                    average.beyond[name], measure(missing.mean(axis=1), whole), rtol=1e-7, atol=loose
                )
            if epsilon is None:
                assert not any(own[STEPS - lags :].any() for own in found.beyond.values()), "not even by rounding"


def test_only_what_is_asked_for_is_measured_and_by_default_the_norm() -> None:
    rnn, forward = window("tanh", 2, None)
    for horizon, epsilon in product((None, 4), (None, 0.3)):
        every = itemized_bptt(rnn, forward, horizon, epsilon=epsilon, measures=MEASURES)
        for measures in (("norm",), ("mean_abs",), ("share", "norm")):
            found = itemized_bptt(rnn, forward, horizon, epsilon=epsilon, measures=measures)
            for kind in ("items", "total", "beyond"):
                for own, whole in ((found, every), (found.average, every.average)):
                    part = getattr(own, kind)
                    assert sorted(part) == sorted(measures)
                    for name, values in part.items():
                        np.testing.assert_allclose(values, getattr(whole, kind)[name], rtol=1e-7, atol=1e-9)
    assert list(itemized_bptt(rnn, forward).items) == ["norm"]
    plain = bptt(rnn, forward).parameters.vector
    np.testing.assert_array_equal(itemized_bptt(rnn, forward, 4).gradients.parameters.vector, plain)


def test_a_horizon_of_one_lag_and_of_more_than_the_window_are_taken() -> None:
    rnn, forward = window("tanh", None, None)
    whole = itemized_delta(rnn, forward)
    np.testing.assert_array_equal(itemized_delta(rnn, forward, 30), whole)
    np.testing.assert_array_equal(itemized_delta(rnn, forward, 1), whole[:, :1])
    assert itemized_bptt(rnn, forward, 30).items["norm"].shape == (STEPS, STEPS)


def test_an_epsilon_of_zero_drops_nothing() -> None:
    rnn, forward = window("tanh", None, None)
    np.testing.assert_array_equal(itemized_delta(rnn, forward, epsilon=0), itemized_delta(rnn, forward))


@pytest.mark.parametrize("streams", [None, 2])
def test_of_a_whole_window_plain_gradients_are_sums_and_need_no_pass_of_their_own(
    streams: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rnn, forward = window("tanh", streams, None)
    plain = bptt(rnn, forward)
    monkeypatch.setattr("rnnbow_widget.bptt_itemized.bptt", None)
    for horizon in (None, STEPS, 30):
        found = itemized_bptt(rnn, forward, horizon)
        assert relative_error(found.gradients.parameters.vector, plain.parameters.vector) < 1e-12
        np.testing.assert_allclose(found.gradients.delta, plain.delta, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(found.gradients.rows[0][0], plain.rows[0][0], rtol=1e-9, atol=1e-14)
        assert found.gradients is found.gradients
        assert found.average is found.average


def test_losses_are_followed_together_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    rnn, forward = window("lstm", 2, None)
    flat = forward.flattened()  # 18 rows of 15 numbers of 8 bytes
    followed: list[tuple[int, int]] = []

    def follow(_: _Walk, begin: int, end: int) -> Iterator[Any]:
        followed.append((begin, end))
        return iter(())

    monkeypatch.setattr(_Walk, "_follow", follow)

    def stretches(size: int, mask: np.ndarray | None = None) -> list[tuple[int, int]]:
        followed.clear()
        monkeypatch.setattr("rnnbow_widget.bptt_itemized._LAG_BYTES", size)
        walk = _Walk(rnn, flat, np.ones((18, HIDDEN)), 9, 0.0, 2)
        walk.mask = mask
        list(walk.blocks())
        return followed.copy()

    row = 15 * 8
    assert stretches(18 * row) == [(0, 18)]
    assert stretches(18 * row - 1) == [(0, 9), (9, 18)]
    assert stretches(5 * row) == [(0, 4), (4, 9), (9, 13), (13, 18)]
    assert stretches(1) == [(i, i + 1) for i in range(18)]
    mask = np.isin(np.arange(18), [2, 5, 9, 10])
    assert stretches(9 * row, mask) == [(2, 6), (9, 11)]
    assert stretches(6 * row, mask) == [(2, 6), (9, 11)], "nothing is followed of the last third"
    assert all(isinstance(end, int) for pair in followed for end in pair)


def test_blocks_have_as_many_lags_as_fit_and_at_least_two(monkeypatch: pytest.MonkeyPatch) -> None:
    rnn, forward = window("tanh", None, None)
    flat = forward.flattened()

    def blocks(size: int, lags: int = STEPS) -> list[tuple[int, int, tuple[int, ...]]]:
        monkeypatch.setattr("rnnbow_widget.bptt_itemized._BLOCK_BYTES", size)
        walk = _Walk(rnn, flat, np.ones((STEPS, HIDDEN)), lags, 0.0, 1)
        return [(first, start, block.shape) for first, start, block in walk.blocks()]

    lag = STEPS * HIDDEN * 8
    thirds = [(0, 0, (3, 9, 3)), (3, 0, (3, 6, 3)), (6, 0, (3, 3, 3))]
    assert blocks(3 * lag) == thirds
    assert blocks(4 * lag - 1) == thirds
    assert [first for first, _, _ in blocks(2 * lag)] == [first for first, _, _ in blocks(1)] == [0, 2, 4, 6, 8]
    assert blocks(1, lags=5)[-1] == (4, 0, (1, 5, 3))
    assert blocks(100 * lag) == [(0, 0, (9, 9, 3))]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_of_several_layers_the_plain_gradients_are_those_of_all(bidirectional: bool) -> None:
    case = make_case(2, hidden=HIDDEN, num_layers=1 if bidirectional else 2, bidirectional=bidirectional)
    found, plain = itemized_bptt(case.rnn, case.forward()).gradients, bptt(case.rnn, case.forward())
    np.testing.assert_array_equal(found.parameters.vector, plain.parameters.vector)
    assert len(found.rows) == case.rnn.num_layers


def test_rows_that_fell_below_the_floor_are_dropped_when_they_are_looked_at() -> None:
    """A network that forgets at once: each step back multiplies by about 1e-12."""
    case = make_case(0, steps=40, hidden=HIDDEN)
    case.rnn.parameters.W_hh *= 1e-12
    delta = itemized_delta(case.rnn, case.forward())  # (n, n, H)
    sizes = np.array([np.abs(delta[39 - d, d]).max() for d in range(40)])  # (n,): of the last loss
    looked_at = ROWS_CHECKED_EVERY - 1
    assert (sizes[:looked_at] > 0).all()
    assert sizes[looked_at - 1] < 1e-150
    assert not sizes[looked_at:].any()


def test_what_comes_in_is_not_changed() -> None:
    rnn, forward = window("lstm", 2, None)
    kept = [array.copy() for array in (forward.states, forward.linearization, forward.probabilities)]
    itemized_bptt(rnn, forward, 4, measures=MEASURES)
    itemized_delta(rnn, forward)
    for array, own in zip((forward.states, forward.linearization, forward.probabilities), kept, strict=True):
        np.testing.assert_array_equal(array, own)

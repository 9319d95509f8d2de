"""Hidden units: their numbers are those of the matrices that autograd gives."""

from typing import Any

import autograd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Case, arrangements, make_case

from rnnbow_widget.cells import CELLS
from rnnbow_widget.gradients import bptt
from rnnbow_widget.reach import horizon_length
from rnnbow_widget.surfaces import Surface, Surfaces
from rnnbow_widget.units import hidden_units


def matrices(case: Case, surface: Surface) -> np.ndarray:
    """The units' rows of every piece, of all directions side by side: array (n, n, H, rows) at [j, t]."""
    window = autograd.unroll_layers(case.rnn, case.inputs, case.targets, case.state)
    found = []
    for direction in surface.directions:
        name = "W_hh" + case.rnn.parameters.suffixes[surface.layer][direction]
        before = np.array([h.detach().numpy() for h in window.before[name]])  # (n, H)
        pieces = np.einsum("jti,jh->jtih", window.pieces(window.recurrent[name]), before)  # (n, n, gates·H, H)
        n, hidden = len(before), case.rnn.hidden_size
        by_gate = pieces.reshape(n, n, case.rnn.cell.gates, hidden, hidden)
        found.append(by_gate.transpose(0, 1, 3, 2, 4).reshape(n, n, hidden, -1))
    return np.concatenate(found, axis=-1)


@given(arrangements(), st.data())
@settings(max_examples=60)
def test_units_are_those_of_the_matrices(case: Case, data: st.DataObject) -> None:
    known = Surfaces.of(case.rnn)
    surface = data.draw(st.sampled_from([one for one in known.all if one.base == "W_hh"]))
    n = len(case.inputs)
    horizon = data.draw(st.one_of(st.none(), st.integers(1, n)))
    found = hidden_units(case.rnn, case.forward(), surface, horizon)
    every = matrices(case, surface)  # (n, n, H, rows)
    whole = every.sum(axis=(0, 1))  # (H, rows)
    size = np.linalg.norm(whole)
    largest = max(1.0, float(np.abs(every).sum()))
    close: dict[str, Any] = {"rtol": 1e-8, "atol": 1e-12 * largest}
    np.testing.assert_allclose(found.size, np.linalg.norm(whole, axis=1), **close)
    if size > 1e-6 * largest:
        np.testing.assert_allclose(found.share, np.square(found.size) / size**2, **close)
        assert found.share.sum() == pytest.approx(1)
    j, t = np.indices((n, n))
    kept = every * (abs(t - j) < (horizon or n))[..., None, None]
    norms = np.linalg.norm(kept, axis=-1)  # (n, n, H)
    heights = norms.sum(axis=1) + np.linalg.norm((every - kept).sum(axis=1), axis=-1)  # (n, H)
    np.testing.assert_allclose(found.bars, heights.T, **close)
    for i in range(found.profile.shape[1]):
        of_lag = norms[t - j == found.first_lag + i]  # (steps, H)
        np.testing.assert_allclose(found.profile[:, i], of_lag.mean(axis=0), **close)
    of_loss = every.sum(axis=0)  # (n, H, rows)
    sizes = np.linalg.norm(of_loss, axis=-1) * np.linalg.norm(whole, axis=-1)  # (n, H)
    for unit in range(case.rnn.hidden_size):
        if (sizes[:, unit] > 1e-6 * sizes.max()).all():
            products = (of_loss[:, unit] * whole[unit]).sum(axis=-1)  # (n,)
            assert found.agreement[unit] == pytest.approx((products / sizes[:, unit]).mean(), rel=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_units_reach_is_the_horizon_length_of_its_pieces(cell: str) -> None:
    case = make_case(2, steps=16, hidden=6, cell=cell, gain=0.5)
    surface = Surfaces.of(case.rnn).primary
    found = hidden_units(case.rnn, case.forward(), surface, 12)
    norms = np.linalg.norm(matrices(case, surface), axis=-1)  # (n, n, H) at [j, t]
    j, d = np.indices((16, 12))
    pieces = np.where((j + d < 16)[..., None], norms[j, np.minimum(j + d, 15)], 0)  # (n, k, H) at [j, d]
    expected = [horizon_length(pieces[..., unit]) for unit in range(6)]
    assert found.reach.tolist() == expected
    assert len(set(expected)) > 1, "they differ"


@pytest.mark.parametrize("surface", ["W_hh_l1_both", "W_hh", "W_hh_l1_reverse"])
def test_streams_are_as_if_alone_and_the_average_is_theirs(surface: str) -> None:
    case = make_case(3, steps=9, cell="gru", num_layers=2, bidirectional=True)
    generator = np.random.default_rng(0)
    inputs, targets = generator.integers(0, 5, (2, 9, 3))
    state = generator.uniform(-0.9, 0.9, (3, len(case.state)))
    together, of = case.rnn.forward(inputs, targets, state), Surfaces.of(case.rnn).parse(surface)
    average = hidden_units(case.rnn, together, of, 4)
    streams = [hidden_units(case.rnn, together, of, 4, stream=b) for b in range(3)]
    for b, one in enumerate(streams):
        alone = hidden_units(case.rnn, case.rnn.forward(inputs[:, b], targets[:, b], state[b]), of, 4)
        for name in ("size", "reach", "agreement", "bars", "profile"):
            np.testing.assert_allclose(getattr(one, name), getattr(alone, name), rtol=1e-9, atol=1e-12)
    for name in ("bars", "profile", "agreement", "share"):
        np.testing.assert_allclose(getattr(average, name), np.mean([getattr(one, name) for one in streams], axis=0))
    gradients = bptt(case.rnn, together).parameters
    whole = np.concatenate([gradients.layers[of.layer][d].W_hh.reshape(3, 7, 7) for d in of.directions])
    np.testing.assert_allclose(average.size, np.linalg.norm(whole, axis=(0, 2)))
    assert average.share.sum() == pytest.approx(1)


def test_units_are_ranked_and_bad_requests_are_named() -> None:
    case = make_case(steps=8)
    found = hidden_units(case.rnn, case.forward(), Surface("W_hh"))
    assert found.ranked().tolist() == np.argsort(-found.size).tolist()
    assert found.agreement[found.ranked("agreement")[0]] == found.agreement.max()
    with pytest.raises(ValueError, match="by takes one of 'size', 'share', 'reach', 'agreement'; got 'name'"):
        found.ranked("name")
    for surface in (Surface("W_ih"), Surface("W_hh", unit=3)):
        with pytest.raises(ValueError, match="surface takes W_hh of a layer, as a whole; got 'W_"):
            hidden_units(case.rnn, case.forward(), surface)


def test_too_many_pieces_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(steps=8)
    monkeypatch.setattr("rnnbow_widget.units._MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="the pieces of 7 units at 8 steps and 8 lags take 0 MB, more than"):
        hidden_units(case.rnn, case.forward(), Surface("W_hh"))

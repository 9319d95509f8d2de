"""Jacobians of states: their spectral norms are autograd's, and never more than the bound."""

import autograd
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Case, arrangements, make_case
from unpacking import unpack

from rnnbow_widget import Trainer
from rnnbow_widget.feed import Feed
from rnnbow_widget.jacobians import jacobian_bound, state_jacobians
from rnnbow_widget.surfaces import Surface, Surfaces


def expected(case: Case, surface: Surface) -> np.ndarray:
    """``‖∂h_t/∂h_j‖₂`` at [j, t], with c_j held and what enters the track too."""
    rnn, n = case.rnn, len(case.inputs)
    direction = surface.directions[0]
    track = case.forward().tracks[surface.layer][direction]
    own = rnn.parameters.layers[surface.layer][direction]
    below = case.forward().outputs[surface.layer - 1] if surface.layer else np.eye(rnn.input_size)[case.inputs]
    entering = torch.tensor((below @ own.W_ih.T + own.b_h)[:: -1 if direction else 1].copy())
    W_hh = torch.tensor(np.array(own.W_hh))
    b_hn = None if own.b_hn is None else torch.tensor(np.array(own.b_hn))
    size, step = rnn.hidden_size, autograd.STEPS[rnn.cell.name]
    found = np.zeros((n, n))
    for j in range(n):
        state = torch.tensor(track.states[j + 1])
        h = state[:size].clone().requires_grad_()
        state = torch.cat([h, state[size:]])
        found[j, j] = 1
        for t in range(j + 1, n):
            state = step(entering[t], W_hh @ state[:size], state, b_hn)
            rows = [torch.autograd.grad(state[i], h, retain_graph=True)[0].numpy() for i in range(size)]
            found[j, t] = np.linalg.norm(np.array(rows), 2)
    return found[::-1, ::-1] if direction else found


@given(arrangements(steps=st.integers(1, 6), hidden=st.integers(1, 5)), st.data())
@settings(max_examples=40)
def test_norms_are_those_of_autograds_jacobians(case: Case, data: st.DataObject) -> None:
    known = [one for one in Surfaces.of(case.rnn).all if one.base == "jacobian"]
    surface = data.draw(st.sampled_from(known))
    n = len(case.inputs)
    horizon = data.draw(st.one_of(st.none(), st.integers(1, n)))
    found = state_jacobians(case.rnn, case.forward(), surface, horizon)
    wanted = expected(case, surface)
    bound = jacobian_bound(case.rnn, surface, len(found.lags))
    for j in range(n):
        for i, lag in enumerate(found.lags):
            value = found.items["norm"][j, i]
            if 0 <= j + lag < n:
                assert value == pytest.approx(wanted[j, j + lag], rel=1e-9, abs=1e-12)
                assert np.isnan(bound[i]) or value <= bound[i] * (1 + 1e-12)
            else:
                assert value == 0
    assert np.isnan(bound).all() == (case.rnn.cell.gates > 1)


def test_a_jacobian_is_worked_out_when_it_is_asked_for_or_recorded() -> None:
    trainer = Trainer("the cat sat on the mat. " * 20, hidden_size=8, batch_size=2, record_every=5, horizon=6)
    trainer.train(20)
    content, (chunk,) = Feed(trainer.run).details(15, 1, "jacobian")
    header, columns = unpack(chunk)
    assert (content["held"], header["surfaces"]) == (True, ["jacobian"])
    assert columns["items:jacobian"].shape == (1, 25, 6)
    assert columns["bound:jacobian"].shape == (1, 6)
    assert not {"total:jacobian", "beyond:jacobian", "items:jacobian:share"} & set(columns)
    trainer.surfaces = ["jacobian"]
    snapshot = trainer.step()
    assert list(snapshot.surfaces)[-1] == "jacobian"
    assert snapshot.beyond_share("jacobian") == 0
    np.testing.assert_allclose(trainer.run.surface(20, "jacobian"), snapshot.surfaces["jacobian"])
    np.testing.assert_allclose(trainer.run.column("max_gradient", "jacobian")[-1], snapshot.max_gradient("jacobian"))


def test_what_would_take_too_long_is_refused() -> None:
    case = make_case(steps=200, hidden=7)
    case.rnn.hidden_size = 400
    with pytest.raises(ValueError, match="jacobian of 1 × 200 steps, 200 lags and 400 units would take too long"):
        state_jacobians(case.rnn, case.forward(), Surface("jacobian"))


def test_what_is_not_finite_is_shown() -> None:
    case = make_case(steps=5)
    forward = case.forward()
    forward.tracks[0][0].linearization[2, 0] = np.nan
    found = state_jacobians(case.rnn, forward, Surface("jacobian"), 4).items["norm"]
    assert np.isnan(found[1, 1:]).any()
    assert np.isfinite(found[3:]).all()
    case.rnn.parameters.W_hh[1, 2] = np.inf
    bound = jacobian_bound(case.rnn, Surface("jacobian"), 4)
    assert bound.shape == (4,)
    assert np.isnan(bound).all(), "weights that are not finite bound nothing"

"""Surfaces: names, and exact items of any weights and states, against autograd."""

from typing import Any, cast

import autograd
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Case, arrangements, make_case

from rnnbow_widget import RNN, Trainer
from rnnbow_widget.bptt_surfaces import itemized_surfaces
from rnnbow_widget.measuring import MEASURES
from rnnbow_widget.surfaces import Surface, Surfaces

TEXT = "the cat sat on the mat. " * 20


def of_direction(case: Case, surface: Surface, direction: int) -> np.ndarray:
    """The pieces of one direction by autograd, array (n, n, …) at [j, t]: matrices of weights, vectors of states."""
    rnn, size = case.rnn, case.rnn.hidden_size
    suffix = rnn.parameters.suffixes[surface.layer][direction]
    window = autograd.unroll_layers(rnn, case.inputs, case.targets, case.state)
    if surface.base in ("W_hh", "W_ih"):
        tensors, factors = (
            (window.recurrent, window.before) if surface.base == "W_hh" else (window.entering, window.inputs)
        )
        before = np.array([x.detach().numpy() for x in factors["W_hh" + suffix]])  # (n, q)
        pieces: np.ndarray = np.einsum(
            "jti,jq->jtiq", window.pieces(tensors["W_hh" + suffix]), before
        )  # (n, n, gates·H, q)
        rows = np.arange(rnn.cell.delta_width)
        if surface.gate is not None:
            rows = rows.reshape(-1, size)[rnn.cell.gate_names.index(surface.gate)]
        return pieces[:, :, rows if surface.unit is None else rows[surface.unit :: size]]
    states = states_of(case, surface.layer, direction)
    pieces = states[..., size:] if surface.base == "c" else states[..., :size]
    return pieces if surface.unit is None else pieces[..., [surface.unit]]


def states_of(case: Case, layer: int, direction: int) -> np.ndarray:
    """``∂L_t/∂h_j``, and of an LSTM ``∂L_t/∂c_j`` beside it, by autograd, array (n, n, S) at [j, t]."""
    rnn, n = case.rnn, len(case.inputs)
    p = {name: torch.tensor(np.array(array), dtype=torch.float64) for name, array in rnn.parameters.items()}
    below = list(torch.eye(rnn.input_size, dtype=torch.float64)[torch.tensor(case.inputs)])
    first = iter(torch.tensor(case.state).split(rnn.cell.state_width))
    own: list[list[torch.Tensor]] = [[torch.empty(0)] * n for _ in range(rnn.cell.state_blocks)]
    for number, suffixes in enumerate(rnn.parameters.suffixes):
        given = []
        for d, suffix in enumerate(suffixes):
            state, outputs = next(first).requires_grad_(), [torch.empty(0)] * n
            for j in reversed(range(n)) if d else range(n):
                entering = p["W_ih" + suffix] @ below[j] + p["b_h" + suffix]
                recurrent = p["W_hh" + suffix] @ state[: rnn.hidden_size]
                if rnn.cell.name == "lstm":  # so that h_j is made from the very c_j that is looked at
                    i, f, g, o = (entering + recurrent).chunk(4)
                    c = torch.sigmoid(f) * state.chunk(2)[1] + torch.sigmoid(i) * torch.tanh(g)
                    parts = [torch.sigmoid(o) * torch.tanh(c), c]
                else:
                    parts = [autograd.STEPS[rnn.cell.name](entering, recurrent, state, p.get("b_hn" + suffix))]
                state, outputs[j] = torch.cat(parts), parts[0]
                if (number, d) == (layer, direction):
                    for kept, part in zip(own, parts, strict=True):
                        kept[j] = part
            given.append(outputs)
        below = [torch.cat(parts) for parts in zip(*given, strict=True)]
    losses = [
        torch.nn.functional.cross_entropy((p["W_ho"] @ h + p["b_o"])[None], torch.tensor([target]))
        for h, target in zip(below, case.targets.tolist(), strict=True)
    ]
    window = autograd.UnrolledLayers({}, {}, {}, {}, {}, losses)
    return np.concatenate([window.pieces(kept) for kept in own], axis=-1)


@st.composite
def surfaces(draw: st.DrawFn, case: Case) -> Surface:
    """Any surface of a network but Jacobians, with or without a gate or unit."""
    known = Surfaces.of(case.rnn)
    name = draw(st.sampled_from([one.name for one in known.all if one.base != "jacobian"]))
    gates = [f"[{gate}]" for gate in case.rnn.cell.gate_names] if name.startswith("W") else []
    units = [f"[{draw(st.integers(0, case.rnn.hidden_size - 1))}]"]
    return known.parse(name + draw(st.sampled_from(["", *gates, *units])))


@given(arrangements(), st.data())
@settings(max_examples=150)
def test_items_are_those_of_autograd(case: Case, data: st.DataObject) -> None:
    surface = data.draw(surfaces(case))
    n = len(case.inputs)
    horizon = data.draw(st.one_of(st.none(), st.integers(1, n)))
    found = itemized_surfaces(case.rnn, case.forward(), [surface], horizon, measures=MEASURES)[surface.name]
    parts = [of_direction(case, surface, d) for d in surface.directions]
    every = np.concatenate([part.reshape(n, n, -1) for part in parts], axis=-1)  # (n, n, entries): concatenated
    j, t = np.indices((n, n))
    kept = every * (abs(t - j) < (horizon or n))[..., None]
    received, missing = every.sum(axis=1), (every - kept).sum(axis=1)  # (n, entries)
    # Shares of weights are of the whole gradient, those of states of the sum at the same step.
    whole = np.broadcast_to(received.sum(axis=0), received.shape) if surface.base[0] == "W" else received
    size = np.linalg.norm(whole, axis=-1, keepdims=True)
    unit = whole / np.where(size == 0, 1, size)  # (n, entries)
    # Columns of W_ih whose token does not occur count in the mean: one-hot inputs have them.
    measures: dict[str, Any] = {
        "norm": lambda g, of: np.linalg.norm(g, axis=-1),
        "mean_abs": lambda g, of: np.abs(g).mean(axis=-1),
        "share": lambda g, of: (g * of).sum(axis=-1),
    }
    largest = max(float(np.linalg.norm(every, axis=-1).max()), 1e-300)
    reliable = float(size.max()) > 1e-6 * largest  # else the direction of the whole is rounding
    for measure, of in measures.items():
        if measure == "share" and not reliable:
            continue
        close: dict[str, Any] = {"rtol": 1e-9, "atol": (1e-9 if measure == "share" else 1e-11) * largest}
        expected = of(kept, unit[:, None])  # (n, n)
        at = np.zeros((n, n))
        for i, lag in enumerate(found.lags):
            for step in range(n):
                if 0 <= step + lag < n:
                    at[step, step + lag] = found.items[measure][step, i]
                else:
                    assert found.items[measure][step, i] == 0
        np.testing.assert_allclose(at, expected, **close)
        np.testing.assert_allclose(found.total[measure], of(received, unit), **close)
        np.testing.assert_allclose(found.beyond[measure], of(missing, unit), **close)
    if reliable:
        sums = found.items["share"].sum(axis=1) + found.beyond["share"]  # (n,)
        np.testing.assert_allclose(sums, found.total["share"], rtol=1e-9, atol=1e-9 * largest)
        if surface.base[0] == "W":
            assert sums.sum() == pytest.approx(size[0, 0], rel=1e-9, abs=1e-9 * largest)
        else:
            np.testing.assert_allclose(found.total["share"], size[:, 0], rtol=1e-9, atol=1e-9 * largest)


@given(arrangements(), st.data())
@settings(max_examples=40)
def test_streams_are_as_if_alone_and_the_average_is_theirs(case: Case, data: st.DataObject) -> None:
    surface = data.draw(surfaces(case))
    generator = np.random.default_rng(1)
    n, streams = len(case.inputs), 3
    inputs, targets = generator.integers(0, case.rnn.input_size, (2, n, streams))
    state = generator.uniform(-0.9, 0.9, (streams, len(case.state)))
    options: dict[str, Any] = {"horizon": data.draw(st.integers(1, n)), "measures": ("norm", "mean_abs")}
    together = itemized_surfaces(case.rnn, case.rnn.forward(inputs, targets, state), [surface], **options)
    own = together[surface.name]
    received = []  # of each stream, (n, entries)
    for b in range(streams):
        of_stream = Case(case.rnn, inputs[:, b], targets[:, b], state[b])
        parts = [of_direction(of_stream, surface, d).sum(axis=1).reshape(n, -1) for d in surface.directions]
        received.append(np.concatenate(parts, axis=-1))
        pass_ = case.rnn.forward(inputs[:, b], targets[:, b], state[b])
        alone = itemized_surfaces(case.rnn, pass_, [surface], **options)[surface.name]
        for measure in ("norm", "mean_abs"):
            np.testing.assert_allclose(own.items[measure][:, b], alone.items[measure], rtol=1e-8, atol=1e-12)
            # A mean over all tokens of the minibatch, or of the stream, is the same mean.
            np.testing.assert_allclose(own.total[measure][:, b], alone.total[measure], rtol=1e-8, atol=1e-12)
            np.testing.assert_allclose(own.beyond[measure][:, b], alone.beyond[measure], rtol=1e-8, atol=1e-12)
    mean = np.mean(received, axis=0)  # (n, entries)
    of_mean = {"norm": np.linalg.norm(mean, axis=-1), "mean_abs": np.abs(mean).mean(axis=-1)}  # (n,) each
    # The norm goes through squares, in which what cancels leaves the root of the rounding.
    close: dict[str, Any] = {"rtol": 1e-7, "atol": 1e-7 * max(float(np.linalg.norm(received, axis=-1).max()), 1e-300)}
    for measure in ("norm", "mean_abs"):
        np.testing.assert_allclose(own.average.items[measure], own.items[measure].mean(axis=1), atol=1e-15)
        if surface.base[0] == "W":
            np.testing.assert_allclose(own.average.total[measure], of_mean[measure], **close)
        else:
            np.testing.assert_allclose(own.average.total[measure], own.total[measure].mean(axis=1), rtol=1e-12)


def test_names_are_pytorchs_and_parse_to_themselves() -> None:
    known = Surfaces.of(RNN(5, 4, cell="lstm", num_layers=2, bidirectional=True))
    assert [one.name for one in known.all if one.base == "c"] == [
        "c", "c_l0_reverse", "c_l0_both", "c_l1", "c_l1_reverse", "c_l1_both",
    ]  # fmt: skip
    assert known.primary.name == "W_hh_l1_both"
    assert Surfaces.of(RNN(5, 4)).primary.name == "W_hh"
    assert Surfaces.of(RNN(5, 4, num_layers=3)).primary.name == "W_hh_l2"
    for one in known.all:
        assert known.parse(one.name) == one
    assert known.parse("W_hh_l1_both[f]").gate == "f"
    assert known.parse("c_l1_reverse[3]").unit == 3
    assert "jacobian_l1_both" not in [one.name for one in known.all]


@pytest.mark.parametrize(
    "name",
    ["W_xx", "W_hh_l0", "W_hh_l2", "c", "h[f]", "W_hh[4]", "W_hh[04]", "W_hh[f]", "jacobian[1]", "W_hh_l1_both", ""],
)
def test_names_that_a_network_does_not_have_are_refused(name: str) -> None:
    with pytest.raises(
        ValueError, match=r"surfaces takes one of W_hh, W_ih, h, jacobian.*_l1; then.*\[0\] to \[3\]; got"
    ):
        Trainer(TEXT, hidden_size=4, num_layers=2, surfaces=[name])


def test_bad_surfaces_are_named() -> None:
    with pytest.raises(TypeError, match="surface takes the name of a surface, got 3"):
        Surfaces.of(make_case().rnn).parse(3)
    with pytest.raises(TypeError, match="surfaces takes a collection of strings, got 'h'"):
        Trainer(TEXT, hidden_size=4, surfaces="h")
    with pytest.raises(TypeError, match=r"surfaces takes a collection of strings, got \[3\]"):
        Trainer(TEXT, hidden_size=4, surfaces=cast(Any, [3]))
    case = make_case()
    with pytest.raises(ValueError, match="surfaces takes those of weights and states, got 'jacobian'"):
        itemized_surfaces(case.rnn, case.forward(), [Surface("jacobian")])


def test_what_is_recorded_can_be_set_and_the_primary_is_first() -> None:
    trainer = Trainer(TEXT, hidden_size=4, num_layers=2, surfaces=["h", "W_hh"])
    assert trainer.surfaces == ("W_hh_l1", "h", "W_hh")
    snapshot = trainer.step()
    assert snapshot.primary == "W_hh_l1"
    assert list(snapshot.surfaces)[::3] == ["W_hh_l1", "h", "W_hh"]
    trainer.surfaces = None
    assert trainer.surfaces == ("W_hh_l1", "W_hh")
    assert Trainer(TEXT, hidden_size=4).surfaces == ("W_hh",)
    both = Trainer(TEXT, hidden_size=4, bidirectional=True).step()
    assert (both.primary, both.first_lags["W_hh_l0_both"], both.horizon) == ("W_hh_l0_both", -9, 10)
    assert both.bar_heights().shape == (25,)
    assert 0 <= both.horizon_length <= 10

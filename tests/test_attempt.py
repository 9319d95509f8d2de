"""What somebody's own back-propagation came to, next to what it should be: in numbers, in words, as a widget."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import Case, cases, make_case

from rnnbow_widget import RNN, Attempt, RNNbow, Run, bptt, itemized_delta
from rnnbow_widget.measuring import MEASURES
from rnnbow_widget.snapshot import surface_key


def right(case: Case) -> dict[str, Any]:
    """All that can be given, as it should be."""
    forward = case.forward()
    by_lag = itemized_delta(case.rnn, forward)  # (n, n, gates·H)
    n = forward.steps
    delta = np.zeros((n, n, by_lag.shape[2]))
    for t in range(n):
        for j in range(t + 1):
            delta[t, j] = by_lag[j, t - j]
    return {
        "hidden": forward.hidden[1:],
        "probabilities": forward.probabilities,
        "loss": forward.loss,
        "delta": delta,
        "terms": delta[..., None] * forward.hidden[:-1][None, :, None, :],
        "gradients": dict(bptt(case.rnn, forward).parameters),
    }


def attempt(case: Case, **arrays: Any) -> Attempt:
    found = Attempt()
    found.add(case.rnn, case.inputs, case.targets, state=case.state, **arrays)
    return found


@given(cases())
@settings(max_examples=30)
def test_what_is_right_agrees(case: Case) -> None:
    found = attempt(case, **right(case))
    assert found.agrees, found.sentence()
    assert max(found.rel_errors.values()) < 1e-9
    assert found.sentence().startswith("Agrees with the reference: rel_error is at most")


@given(cases(gains=(1.0,)))
@settings(max_examples=30)
def test_pieces_are_measured_as_those_of_the_reference(case: Case) -> None:
    found = attempt(case, terms=right(case)["terms"])
    assert found.yours is not None
    yours, reference = found.yours[0], found.reference[0]
    scale = max(1e-30, float(reference.surfaces["W_hh"].max()))
    for measure in MEASURES:
        key = surface_key("W_hh", measure)
        np.testing.assert_allclose(yours.surfaces[key], reference.surfaces[key], atol=1e-9 * scale, rtol=1e-6)
        np.testing.assert_allclose(yours.step_totals[key], reference.step_totals[key], atol=1e-9 * scale, rtol=1e-6)


def test_a_mistake_is_found_where_it_begins() -> None:
    case = make_case(steps=9)
    arrays = right(case)
    wrong = arrays["terms"].copy()
    for t in range(9):
        for j in range(t - 1):  # from lag 2 on
            wrong[t, j] *= 1.5
    first = attempt(case, **{**arrays, "terms": wrong}).difference
    assert first is not None
    assert (first.argument, first.loss, first.step, first.lag, first.agreeing_lags) == ("terms", 2, 0, 2, 2)
    assert first.rel_error == pytest.approx(1 / 3)
    assert first.found == pytest.approx(1.5 * first.expected)


def test_what_is_worked_out_first_is_named_first() -> None:
    case = make_case()
    arrays = right(case)
    hidden = arrays["hidden"].copy()
    hidden[4] += 0.1
    gradients = {name: 2 * array for name, array in arrays["gradients"].items()}
    found = attempt(case, **{**arrays, "hidden": hidden, "gradients": gradients})
    assert found.difference is not None
    assert (found.difference.argument, found.difference.step) == ("hidden", 4)
    found = attempt(case, gradients=gradients)
    assert found.difference is not None
    assert found.difference.argument == "gradients['b_o']"
    assert "rel_error 0.5" in found.sentence()


def test_pieces_in_every_form() -> None:
    case = make_case(steps=6)
    terms = right(case)["terms"]
    rows = [[terms[t, j] for j in range(t + 1)] for t in range(6)]
    padded = [[terms[t, j] if j <= t else None for j in range(6)] for t in range(6)]
    keyed = {(t, j): terms[t, j] for t in range(6) for j in range(t + 1)}
    for form in (terms, rows, padded, keyed):
        assert attempt(case, terms=form).agrees
    by_lag = np.zeros((6, 3, 7, 7))
    for j in range(6):
        for d in range(min(3, 6 - j)):
            by_lag[j, d] = terms[j + d, j]
    found = attempt(case, pieces=by_lag)
    assert found.agrees
    assert found.yours is not None
    assert found.yours[0].surfaces["W_hh"].shape == found.reference[0].surfaces["W_hh"].shape == (6, 3)
    assert found.reference[0].beyond_horizon.any()
    assert not found.yours[0].beyond, "of lags that were not worked out nothing is known, not even that they are 0"
    assert found.yours.to_xarray()["norm_beyond"].isnull().all()


def test_names_of_other_spellings() -> None:
    case = make_case()
    weights = dict(case.rnn.parameters)
    spelled = dict(zip(("Wxh", "Whh", "bh", "Why", "by"), (weights[n] for n in NAMES), strict=True))
    spelled["bh"], spelled["by"] = spelled["bh"][:, None], spelled["by"][:, None]
    found = Attempt()
    gradients = right(case)["gradients"]
    own = {"dWxh": gradients["W_ih"], "dWhh": gradients["W_hh"], "dbh": gradients["b_h"][:, None]}
    found.add(spelled, case.inputs, case.targets, state=case.state, gradients=own)
    assert found.agrees
    assert list(found.rel_errors) == ["gradients['dWhh']", "gradients['dbh']", "gradients['dWxh']"]


NAMES = ("W_ih", "W_hh", "b_h", "W_ho", "b_o")


def test_single_precision_has_a_tolerance_of_its_own() -> None:
    case = make_case()
    arrays = right(case)
    rounded = {name: arrays[name].astype(np.float32) for name in ("hidden", "delta", "terms")}
    assert attempt(case, **rounded).agrees
    strict = Attempt(tolerance=1e-12)
    strict.add(case.rnn, case.inputs, case.targets, state=case.state, **rounded)
    assert not strict.agrees


def test_hidden_states_may_begin_with_the_one_before_the_first_step() -> None:
    case = make_case()
    hidden = case.forward().hidden
    assert attempt(case, hidden=hidden).agrees
    assert attempt(case, hidden=hidden[1:]).agrees
    assert not attempt(case, hidden=hidden[:-1]).agrees


def test_what_was_found_is_what_is_shown_as_yours() -> None:
    case = make_case()
    arrays, mask = right(case), np.arange(12) > 2
    forward = case.rnn.forward(case.inputs, case.targets, case.state, mask)
    probabilities = forward.probabilities[::-1]  # (n, O)
    gradients = {name: 2 * array for name, array in arrays["gradients"].items()}
    given = {"terms": arrays["terms"], "probabilities": probabilities, "loss": forward.loss + 1}
    found = attempt(case, mask=mask, gradients=gradients, **given)
    assert found.yours is not None
    yours = found.yours[0]
    np.testing.assert_array_equal(yours.loss, np.float32(forward.loss + 1))
    np.testing.assert_array_equal(yours.prediction_tokens, probabilities.argmax(axis=1))
    np.testing.assert_array_equal(np.isnan(yours.probability), ~mask)
    own = probabilities[np.arange(12), case.targets]  # (n,)
    np.testing.assert_array_equal(yours.probability[mask], own[mask].astype(np.float32))
    norm = np.sqrt(sum((array**2).sum() for array in gradients.values()))
    assert yours.grad_norm == yours.update_norm == pytest.approx(norm)
    del gradients["b_h"]
    part = attempt(case, mask=mask, gradients=gradients, **given)
    assert part.yours is not None
    assert part.yours[0].grad_norm == part.reference[0].grad_norm, "what was not worked out is as it should be"


def test_a_loss_that_is_a_sum() -> None:
    case = make_case()
    assert attempt(case, loss=case.forward().loss.sum()).agrees
    assert not attempt(case, loss=case.forward().loss.mean()).agrees


def test_targets_that_are_vectors() -> None:
    rnn = RNN(2, 5, 1, init="uniform", dtype="float64")
    generator = np.random.default_rng(0)
    inputs, targets = generator.normal(size=(8, 2)), generator.normal(size=(8, 1))
    mask = np.arange(8) == 7
    gradients = dict(bptt(rnn, rnn.forward(inputs, targets, mask=mask)).parameters)
    found = Attempt()
    found.add(rnn, inputs, targets, mask=mask, gradients=gradients)
    assert found.agrees
    with pytest.raises(ValueError, match="probabilities"):
        found.add(rnn, inputs, targets, mask=mask, probabilities=np.zeros((8, 1)))


CASE = make_case(steps=4)
RIGHT = right(CASE)


@pytest.mark.parametrize(
    ("arrays", "error", "words"),
    [
        (
            {},
            ValueError,
            r"nothing to check: give any of hidden, .*, pieces or gradients",
        ),
        ({"hidden": np.zeros((3, 7))}, ValueError, r"hidden takes an array of shape \(4, 7\), got shape \(3, 7\)"),
        ({"hidden": np.full((4, 7), np.nan)}, ValueError, r"hidden takes finite numbers, got nan at \[0, 0\]"),
        ({"hidden": np.full((4, 7), "x")}, TypeError, "hidden takes real numbers, got dtype <U1"),
        ({"loss": np.zeros(3)}, ValueError, r"loss takes an array of shape \(4,\) or one number, their sum"),
        ({"terms": np.zeros((4, 4, 7))}, ValueError, r"terms takes an array of shape \(4, 4, 7, 7\)"),
        ({"terms": [[np.zeros((7, 7))]] * 3}, ValueError, "terms takes a row for each of 4 losses, got 3"),
        ({"terms": [[np.zeros((7, 7))]] * 4}, ValueError, r"terms\[1\] takes an entry for each step from 0 to 1, or"),
        ({"terms": {(0, 9): np.zeros((7, 7))}}, ValueError, r"terms takes keys \(t, j\) of steps from 0 to 3"),
        ({"terms": {(0, 0): np.zeros(7)}}, ValueError, r"terms\[0\]\[0\] takes an array of shape \(7, 7\)"),
        ({"terms": 3}, TypeError, "terms takes an array, a list of lists or a dict, got int"),
        ({"delta": np.zeros((4, 4, 3))}, ValueError, r"delta takes an array of shape \(4, 4, 7\)"),
        ({"pieces": np.zeros((4, 5, 7, 7))}, ValueError, "pieces takes 1 to 4 lags, got 5"),
        ({"gradients": [1]}, TypeError, "gradients takes a mapping from names to arrays, got list"),
        ({"gradients": {"W": [1]}}, ValueError, "gradients takes the names W_ih, W_hh, b_h, W_ho and b_o; got 'W'"),
        ({"gradients": {"Whh": 1, "dWhh": 1}}, ValueError, "'Whh' and 'dWhh' are the same"),
        (
            {"gradients": {"dWhh": np.zeros((7, 6))}},
            ValueError,
            r"gradients\['dWhh'\] takes an array of",
        ),
        ({"gradients": {"b_hn": np.zeros(7)}}, ValueError, r"gradients\['b_hn'\]: this network has W_ih, W_hh"),
        ({"batch": -1, "loss": RIGHT["loss"]}, ValueError, "batch takes a whole number of at least 0"),
    ],
)
def test_bad_arrays_are_refused_by_name(arrays: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        attempt(CASE, **arrays)


@pytest.mark.parametrize(
    ("weights", "error", "words"),
    [
        ([1], TypeError, "weights takes a mapping from names to arrays, got list"),
        ({"W_hh": np.eye(3)}, ValueError, "W_ih, W_ho missing"),
        (
            {"W_ih": np.ones((3, 2)), "W_hh": np.ones(3), "W_ho": np.eye(3)},
            ValueError,
            r"weights\['W_hh'\] takes",
        ),
        ({"W_ih": np.ones((4, 5)), "W_hh": np.eye(3), "W_ho": np.ones((5, 3))}, ValueError, r"weights\['W_ih'\] takes"),
        (RNN(5, 7, num_layers=2), ValueError, "weights takes a network of one layer that reads forward"),
    ],
)
def test_bad_weights_are_refused_by_name(weights: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        Attempt().add(weights, CASE.inputs, CASE.targets, loss=1.0)


def test_other_limits_of_what_is_taken() -> None:
    with pytest.raises(ValueError, match="inputs takes one stream, got 2 side by side"):
        Attempt().add(CASE.rnn, np.zeros((4, 2), int), np.zeros((4, 2), int), loss=1.0)
    with pytest.raises(ValueError, match="vocabulary takes a name for each of 5 classes, got 1"):
        Attempt(vocabulary="a").add(CASE.rnn, CASE.inputs, CASE.targets, loss=1.0)
    found = attempt(CASE, terms=RIGHT["terms"])
    with pytest.raises(ValueError, match="for the batches before there was terms"):
        found.add(CASE.rnn, CASE.inputs, CASE.targets, loss=1.0)
    with pytest.raises(ValueError, match="inputs takes 4 steps, as before; got 3"):
        found.add(CASE.rnn, CASE.inputs[:3], CASE.targets[:3], terms=np.zeros((3, 3, 7, 7)))
    huge = RNN(5, 7, cell="relu", dtype="float64")
    huge.parameters.vector[:] = 1e120
    with pytest.raises(ValueError, match="weights takes such as give a finite gradient"):
        Attempt().add(huge, CASE.inputs, CASE.targets, loss=1.0)
    assert Attempt().sentence() == "Nothing was checked yet."


# As a widget.


def test_the_widget_says_what_it_shows() -> None:
    view = RNNbow.from_arrays(CASE.rnn, CASE.inputs, CASE.targets, state=CASE.state, **RIGHT)
    assert list(view.runs) == ["yours", "reference"]
    assert repr(view).splitlines()[0].startswith("Agrees with the reference")
    wrong = RIGHT["terms"].copy()
    wrong[3, 2] = 0
    view = RNNbow.from_arrays(
        CASE.rnn, CASE.inputs, CASE.targets, state=CASE.state, **{**RIGHT, "terms": wrong}, attempt=view.attempt
    )
    assert view.selected == 1
    told = view.get_state(["_contrast"])["_contrast"]
    assert told["mark"] == {"batch": 1, "step": 2, "lag": 1}
    assert told["sentence"] == view.attempt.sentence()
    view.select(0)
    told = view.get_state(["_contrast"])["_contrast"]
    assert told["mark"] is None
    assert told["sentence"].endswith("Batch 0: agrees.")
    assert isinstance(view.runs["yours"], Run)


def test_a_piece_of_a_step_after_its_loss_has_no_place_for_a_mark() -> None:
    wrong = RIGHT["terms"].copy()
    wrong[1, 2] = 1
    view = RNNbow.from_arrays(CASE.rnn, CASE.inputs, CASE.targets, state=CASE.state, terms=wrong)
    told = view.get_state(["_contrast"])["_contrast"]
    assert "step 2 comes after step 1" in told["sentence"]
    assert told["mark"] is None


def test_gradients_alone_show_the_reference() -> None:
    view = RNNbow.from_arrays(
        CASE.rnn, CASE.inputs, CASE.targets, state=CASE.state, gradients={"dWhh": RIGHT["gradients"]["W_hh"].T}
    )
    assert list(view.runs) == ["reference"]
    assert view.get_state(["_contrast"])["_contrast"]["mark"] is None
    assert "gradients['dWhh']" in repr(view)


def test_what_the_view_takes() -> None:
    given = (CASE.rnn, CASE.inputs, CASE.targets)
    with pytest.raises(ValueError, match=r"from_arrays takes one of 'state', .*; got 'term'"):
        RNNbow.from_arrays(*given, term=1)
    with pytest.raises(TypeError, match="attempt takes the attempt of an earlier view, got int"):
        RNNbow.from_arrays(*given, attempt=1, loss=1.0)
    view = RNNbow.from_arrays(*given, loss=1.0, vocabulary="abcde", name="my notes")
    assert view.attempt.reference.vocabulary == tuple("abcde")
    with pytest.raises(TypeError, match="name: the attempt that is gone on with has its own"):
        RNNbow.from_arrays(*given, attempt=view.attempt, loss=1.0, name="other")

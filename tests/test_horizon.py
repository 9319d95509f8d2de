"""How long a horizon has to be."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import Case, cases, make_case

from rnnbow_widget import RNN, Trainer
from rnnbow_widget.bptt_itemized import itemized_delta
from rnnbow_widget.horizon import choose_horizon, gradient_residuals

TEXT = "abcde fghij klmno " * 60


@given(cases())
@settings(max_examples=40)
def test_residuals_are_those_of_the_matrices(case: Case) -> None:
    forward = case.forward()
    pieces = np.einsum("jdi,jh->jdih", itemized_delta(case.rnn, forward), forward.hidden[:-1])  # (n, n, gates·H, H)
    found = gradient_residuals(case.rnn, forward)
    for t in range(len(pieces)):
        parts = [pieces[t - d, d] for d in range(t + 1)]
        whole = np.linalg.norm(sum(parts))
        for k in range(len(pieces) + 1):
            left = np.linalg.norm(sum(parts[k:], np.zeros_like(parts[0])))
            if whole > 0:
                assert found[t, k] == pytest.approx(left / whole, rel=1e-9, abs=1e-9)
            else:
                assert np.isnan(found[t, k])


def test_the_choice_is_the_smallest_that_is_close_enough() -> None:
    rnn = make_case(4, init="orthogonal", steps=30, hidden=12).rnn
    generator = np.random.default_rng(0)
    drawn = [(*generator.integers(0, 5, (2, 30)), generator.uniform(-0.5, 0.5, 12)) for _ in range(4)]
    windows = [rnn.forward(inputs, targets, state) for inputs, targets, state in drawn]
    previous = 0
    for tolerance in (1.5, 0.5, 0.1, 0.01, 0.0):
        choice = choose_horizon(rnn, windows, tolerance)
        residuals = np.concatenate([gradient_residuals(rnn, window)[14:] for window in windows])
        assert (residuals[:, choice.horizon :] <= tolerance).all()
        assert choice.horizon == 1 or (residuals[:, choice.horizon - 1] > tolerance).any()
        assert choice.horizon >= previous
        assert choice.losses == len(residuals) == 64
        np.testing.assert_allclose(choice.residual, residuals.max(axis=0))
        previous = choice.horizon
    assert choice.horizon == 30
    assert "HorizonChoice(30 steps: at most 0 of any of 64 losses" in repr(choice)


def test_vanishing_gradients_need_a_short_horizon_and_preserved_ones_a_long_one() -> None:
    def chosen(gain: float) -> int:
        case = make_case(1, init="orthogonal", gain=gain, steps=40, hidden=16)
        return choose_horizon(case.rnn, [case.forward()], 0.05).horizon

    assert chosen(0.2) <= 5
    assert chosen(1.0) > 2 * chosen(0.2)


def test_what_cannot_be_chosen_from_is_named() -> None:
    case = make_case()
    with pytest.raises(ValueError, match=r"windows takes at least one window, all of one length; got \[\]"):
        choose_horizon(case.rnn, [])
    with pytest.raises(ValueError, match="all of one length; got"):
        choose_horizon(case.rnn, [case.forward(), make_case(steps=3).forward()])
    with pytest.raises(ValueError, match="tolerance takes a finite number of at least 0, got -1"):
        choose_horizon(case.rnn, [case.forward()], -1)
    silent = RNN(3, 4, dtype=np.float64)
    silent.parameters.vector[:] = 0
    with pytest.raises(ValueError, match="all gradients are 0"):
        choose_horizon(silent, [silent.forward([0, 1], [1, 2])])


def test_a_trainer_chooses_when_the_number_of_recorded_batches_has_doubled() -> None:
    trainer = Trainer(TEXT, hidden_size=16, horizon="auto", tolerance=0.2, record_every=5, init="uniform")
    choices = []
    for _ in range(9):
        trainer.step_to_record()
        choices.append(trainer.horizon_choice)
        assert trainer.horizon_choice is not None
        assert trainer.run[-1].horizon == trainer.horizon_choice.horizon
    changed = [i for i in range(1, 9) if choices[i] is not choices[i - 1]]
    assert changed == [1, 2, 4, 8]
    assert trainer.settings["horizon"] == "auto"
    trainer.horizon = 3
    assert trainer.horizon_choice is choices[-1], "what was found stays to be read"
    assert trainer.step_to_record().horizon == 3
    trainer.horizon = "auto"
    trainer.step_to_record()
    assert trainer.horizon_choice is not choices[-1], "auto chooses anew when it is set"
    trainer.reset()
    assert trainer.horizon_choice is None


def test_a_trainer_measures_what_auto_would_choose_and_records_what_it_did_before() -> None:
    asking, choosing = Trainer(TEXT, hidden_size=16, horizon=4), Trainer(TEXT, hidden_size=16, horizon=4)
    asking.train(30)
    choosing.train(30)
    choice = asking.measure_horizon()
    assert asking.horizon_choice is choice
    assert (choice.batch, asking.horizon, asking.run[-1].horizon) == (30, 4, 4)
    choosing.horizon = "auto"
    choosing.step()
    assert choosing.horizon_choice is not None
    assert choosing.horizon_choice.horizon == choice.horizon
    np.testing.assert_array_equal(choosing.horizon_choice.residual, choice.residual)
    asking.step()
    np.testing.assert_array_equal(asking.rnn.parameters.vector, choosing.rnn.parameters.vector)


def test_a_measurement_is_the_choice_of_auto_from_then_on() -> None:
    trainer = Trainer(TEXT, hidden_size=16, horizon="auto", record_every=1)
    trainer.train(6)
    choice = trainer.measure_horizon()
    trainer.train(1)
    assert trainer.horizon_choice is choice
    assert trainer.run[-1].horizon == choice.horizon


@pytest.mark.parametrize(("weight", "problem"), [(0.0, "all gradients are 0"), (np.nan, "104 of 104 losses are not")])
def test_what_cannot_be_measured_is_said_and_the_choice_before_is_kept(weight: float, problem: str) -> None:
    trainer = Trainer(TEXT, hidden_size=16)
    before = trainer.measure_horizon()
    trainer.rnn.parameters.W_ho[:] = weight
    with pytest.raises(ValueError, match=f"no horizon can be chosen from these windows: .*{problem}"):
        trainer.measure_horizon()
    assert trainer.horizon_choice is before


def test_losses_that_are_not_finite_are_not_passed_over() -> None:
    case = make_case(steps=6)
    fine, broken = case.forward(), case.forward()
    broken.probabilities[4] = np.nan
    residuals = gradient_residuals(case.rnn, broken)
    assert np.isinf(residuals[4]).all()
    np.testing.assert_array_equal(residuals[5], gradient_residuals(case.rnn, fine)[5])
    with pytest.raises(ValueError, match="the gradients of 1 of 8 losses are not finite"):
        choose_horizon(case.rnn, [fine, broken])


def test_choosing_changes_no_number() -> None:
    plain, choosing = Trainer(TEXT, hidden_size=16), Trainer(TEXT, hidden_size=16, horizon="auto", record_every=2)
    plain.train(50)
    choosing.train(50)
    np.testing.assert_array_equal(plain.rnn.parameters.vector, choosing.rnn.parameters.vector)


def test_without_a_gradient_the_whole_window_is_recorded() -> None:
    trainer = Trainer(TEXT, hidden_size=16, horizon="auto")
    trainer.rnn.parameters.W_ho[:] = 0
    assert trainer.step().horizon == 25
    assert trainer.horizon_choice is None


@pytest.mark.parametrize("horizon", ["whole", "", 0, 2.5])
def test_a_bad_horizon_is_named(horizon: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="horizon takes"):
        Trainer(TEXT, horizon=horizon)

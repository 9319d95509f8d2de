"""Several trainers in step."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnbow_widget import DivergedError, Trainer
from rnnbow_widget.lockstep import Lockstep

TEXT = "abcde fghij " * 30


def make(**settings: Any) -> Trainer:
    return Trainer(TEXT, **{"hidden_size": 6, "record_every": 4, "seq_length": 8, **settings})


def break_weights(trainer: Trainer) -> None:
    trainer.rnn.parameters.W_hh[:] = np.nan


@given(acts=st.lists(st.sampled_from(["train", "step", "record", "reset"]), max_size=6))
@settings(max_examples=20)
def test_all_have_trained_as_many_batches_after_whatever_was_done(acts: list[str]) -> None:
    trainers = [make(), make(cell="lstm"), make(cell="gru", record_every=3)]
    lockstep = Lockstep(trainers)
    for act in acts:
        before = lockstep.batch
        {
            "train": lambda: lockstep.train(5),
            "step": lockstep.step,
            "record": lockstep.step_to_record,
            "reset": lockstep.reset,
        }[act]()
        assert {trainer.batch for trainer in trainers} == {lockstep.batch}
        expected = {"train": before + 5, "step": before + 1, "reset": 0}
        assert lockstep.batch == expected.get(act, lockstep.batch)
        assert lockstep.level
        if act == "record":
            assert lockstep.batch > before
            assert any(trainer.run.batches[-1] == lockstep.batch - 1 for trainer in trainers)


def test_training_in_step_changes_no_number() -> None:
    together, alone = [make(), make(cell="lstm")], [make(), make(cell="lstm")]
    lockstep = Lockstep(together)
    for batches in (1, 7, 12):
        lockstep.train(batches)
    for one, other in zip(together, alone, strict=True):
        other.train(20)
        assert np.array_equal(one.rnn.parameters.vector, other.rnn.parameters.vector)
        assert np.array_equal(one.run.column("loss"), other.run.column("loss"))


def test_those_that_are_behind_catch_up_first_bit_by_bit() -> None:
    ahead, behind = make(), make(cell="gru")
    ahead.train(10)
    lockstep = Lockstep([ahead, behind])
    assert (lockstep.batch, lockstep.level) == (10, False)
    lockstep.train(6)
    assert (ahead.batch, behind.batch) == (10, 6)
    lockstep.train(6)
    assert (ahead.batch, behind.batch, lockstep.level) == (10, 10, True)
    lockstep.train(6)
    assert (ahead.batch, behind.batch) == (16, 16)
    late = make()
    Lockstep([ahead, late]).step()
    assert (ahead.batch, late.batch) == (17, 17)


def test_one_that_diverges_stays_and_the_others_go_on() -> None:
    fine, broken = make(), make(cell="lstm")
    lockstep = Lockstep([fine, broken])
    lockstep.train(5)
    break_weights(broken)
    lockstep.train(5)
    assert (fine.batch, broken.batch, lockstep.batch) == (10, 5, 10)
    kept, error = lockstep.diverged
    assert kept is None
    assert isinstance(error, DivergedError)
    recorded = len(broken.run)
    lockstep.step()
    lockstep.train(3)
    assert (fine.batch, broken.batch, len(broken.run)) == (14, 5, recorded), "it is not tried again and again"


def test_one_that_diverged_is_tried_again_after_it_was_changed_and_catches_up() -> None:
    fine, broken = make(), make()
    lockstep = Lockstep([fine, broken])
    weights = broken.rnn.parameters.vector.copy()
    break_weights(broken)
    lockstep.train(9)
    broken.rnn.parameters.vector[:] = weights
    lockstep.train(1)
    assert broken.batch == 0, "nothing says that it could go on"
    broken.learning_rate = 0.01
    assert lockstep.diverged == (None, None)
    lockstep.train(100)
    assert (fine.batch, broken.batch) == (10, 10)
    lockstep.train(1)
    assert (fine.batch, broken.batch) == (11, 11)


@pytest.mark.parametrize("batches", [0, 5])
def test_one_that_diverged_and_was_reset_by_itself_catches_up(batches: int) -> None:
    fine, broken = make(), make()
    lockstep = Lockstep([fine, broken])
    lockstep.train(batches)
    break_weights(broken)
    lockstep.train(4)
    assert (fine.batch, broken.batch) == (batches + 4, batches)
    broken.reset()
    assert lockstep.diverged == (None, None)
    lockstep.step()
    assert fine.batch == broken.batch == batches + 5


def test_when_none_can_go_on_training_ends_with_the_reason() -> None:
    trainers = [make(), make(seed=1)]
    lockstep = Lockstep(trainers)
    break_weights(trainers[0])
    lockstep.train(4)
    break_weights(trainers[1])
    for _ in range(2):
        with pytest.raises(DivergedError, match="of batch 4 "):
            lockstep.train(1)
        with pytest.raises(DivergedError):
            lockstep.step()
    lockstep.reset()
    lockstep.train(3)
    assert [trainer.batch for trainer in trainers] == [3, 3]


def test_after_an_exception_the_others_are_level_again_with_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make(), make(cell="gru")
    lockstep = Lockstep([first, second])
    with monkeypatch.context() as patch:
        patch.setattr(second, "train", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            lockstep.train(5)
    assert (first.batch, second.batch) == (5, 0)
    lockstep.train(5)
    assert (first.batch, second.batch) == (5, 5)


def test_records_are_of_the_same_batches() -> None:
    trainers = [make(), make(cell="lstm"), make(cell="gru"), make(cell="relu")]
    lockstep = Lockstep(trainers)
    lockstep.train(9)
    lockstep.step_to_record()
    lockstep.step()
    assert {tuple(trainer.run.batches) for trainer in trainers} == {(0, 4, 8, 12, 13)}


def test_a_step_to_a_record_ends_at_the_first_that_any_is_due_to() -> None:
    trainers = [make(record_every=3), make(record_every=5)]
    lockstep = Lockstep(trainers)
    ends = []
    for _ in range(6):
        lockstep.step_to_record()
        ends.append(lockstep.batch)
    assert ends == [1, 4, 6, 7, 10, 11]  # batches 0, 3, 5, 6, 9 and 10 are recorded
    assert [trainer.run.batches.tolist() for trainer in trainers] == [[0, 3, 6, 9], [0, 5, 10]]

"""Training: what is learned, what is recorded, what is refused, what survives."""

import math
import threading
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnbow_widget import RNN, DivergedError, Trainer, corpora
from rnnbow_widget.bptt_itemized import itemized_bptt
from rnnbow_widget.gradients import bptt

TEXT = "the cat sat on the mat. " * 40


def small(**settings: Any) -> Trainer:
    return Trainer(
        TEXT, **{"hidden_size": 12, "seq_length": 10, "record_every": 5, "init": "uniform", "seed": 1, **settings}
    )


def test_the_running_loss_of_few_batches_is_their_mean() -> None:
    trainer = small(record_every=1)
    trainer.train(300)
    losses = [snapshot.loss.mean() for snapshot in trainer.run]
    assert len(losses) == 300
    assert trainer.smooth_loss == pytest.approx(np.mean(losses), rel=1e-5)


def test_it_learns() -> None:
    trainer = small()
    trainer.train(1)
    assert trainer.smooth_loss == pytest.approx(math.log(len(trainer.data.vocabulary)), rel=0.2)
    trainer.train(2000)
    assert trainer.run[-1].loss.mean() < 0.3
    assert trainer.sample(24, temperature=0.3) in TEXT + TEXT


@pytest.mark.parametrize("cell", ["relu", "lstm", "gru"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_every_cell_learns_writes_and_is_recorded(cell: str, batch_size: int) -> None:
    trainer = small(cell=cell, batch_size=batch_size, horizon="auto")
    trainer.train(1500)
    assert trainer.run[-1].loss.mean() < 0.3
    assert trainer.sample(24, temperature=0.2) in TEXT + TEXT
    assert trainer.sample(4, prompt="the c", temperature=0.2) == "at s"
    assert trainer.settings["cell"] == cell
    assert f"RNN({cell}, " in repr(trainer)
    assert trainer.horizon_choice is not None
    for one in trainer.run[-1].streams or [trainer.run[-1]]:
        assert (one.surfaces["W_hh"][1:, 0] > 0).all()
    shares = trainer.run[-1].surfaces["W_hh:share"].sum() + trainer.run[-1].beyond["W_hh:share"].sum()
    assert shares == pytest.approx(trainer.run[-1].step_totals["W_hh:share"].sum(), rel=1e-4)
    trainer.reset()
    assert trainer.train(1)[0].from_zero_state


@pytest.mark.parametrize("cell", ["relu", "lstm", "gru"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_recording_changes_no_number_whatever_the_cell(cell: str, batch_size: int) -> None:
    plain, recorded = (small(cell=cell, record_every=every, batch_size=batch_size) for every in (1000, 2))
    plain.train(20)
    recorded.train(20)
    np.testing.assert_array_equal(plain.rnn.parameters.vector, recorded.rnn.parameters.vector)


def test_the_forget_bias_is_a_setting() -> None:
    assert small(cell="lstm").settings["forget_bias"] == 1
    assert small(cell="lstm", forget_bias=2.5).settings["forget_bias"] == 2.5
    assert small().settings["forget_bias"] is None
    with pytest.raises(ValueError, match="forget_bias is for a cell with a forget gate"):
        small(forget_bias=1.0)
    with pytest.raises(ValueError, match="cell takes one of 'tanh', 'relu', 'lstm', 'gru', or a subclass of Cell"):
        small(cell="transformer")


@pytest.mark.parametrize("cell", ["relu", "lstm", "gru"])
def test_divergence_of_any_cell_is_found(cell: str) -> None:
    trainer = small(cell=cell, learning_rate=1e38, optimizer="sgd", clip_value=None)
    with pytest.raises(DivergedError):
        trainer.train(500)
    assert trainer.run[-1].diverged
    assert np.isfinite(trainer.rnn.parameters.vector).all()


def test_every_nth_batch_is_recorded_from_the_first_on() -> None:
    trainer = small()
    run = trainer.train(12)
    assert run is trainer.run
    assert run.batches.tolist() == [0, 5, 10]
    assert trainer.step().batch == 12
    assert trainer.step_to_record().batch == 15
    assert trainer.step_to_record().batch == 20
    assert trainer.batch == 21
    assert [snapshot.start for snapshot in run] == [1, 51, 101, 121, 151, 201]
    assert all(snapshot.stop - snapshot.start == 10 for snapshot in run)


@given(st.integers(1, 7), st.sampled_from([None, 1, 4]))
@settings(max_examples=10)
def test_recording_changes_no_number(record_every: int, horizon: int | None) -> None:
    plain, recorded = small(record_every=1000), small(record_every=record_every, horizon=horizon)
    plain.train(20)
    recorded.train(20)
    np.testing.assert_array_equal(plain.rnn.parameters.vector, recorded.rnn.parameters.vector)


def test_one_seed_gives_one_run() -> None:
    first, second, other = small(), small(), small(seed=2)
    for trainer in (first, second, other):
        trainer.train(30)
    np.testing.assert_array_equal(first.run[-1].surfaces["W_hh"], second.run[-1].surfaces["W_hh"])
    assert first.sample(50) == second.sample(50)
    assert (first.run[-1].surfaces["W_hh"] != other.run[-1].surfaces["W_hh"]).any()
    before = first.rnn.parameters.vector.copy()
    assert first.sample(50) == first.sample(50)
    np.testing.assert_array_equal(first.rnn.parameters.vector, before)


def test_a_snapshot_holds_what_the_engine_computes() -> None:
    trainer = small(dtype=np.float64, horizon=4)
    trainer.train(5)
    twin = small(dtype=np.float64)
    twin.train(5)
    assert isinstance(twin.data, corpora.Corpus)
    window = twin.data.tokens[50:61]
    forward = twin.rnn.forward(window[:-1], window[1:], twin._loop.state)
    itemized = itemized_bptt(twin.rnn, forward, 4, measures=("norm", "mean_abs", "share"))
    snapshot = trainer.step()
    for key, measure in {"W_hh": "norm", "W_hh:mean_abs": "mean_abs", "W_hh:share": "share"}.items():
        np.testing.assert_array_equal(snapshot.surfaces[key], itemized.items[measure].astype(np.float32))
        np.testing.assert_array_equal(snapshot.step_totals[key], itemized.total[measure].astype(np.float32))
        np.testing.assert_array_equal(snapshot.beyond[key], itemized.beyond[measure].astype(np.float32))
    assert snapshot.grad_norm == pytest.approx(bptt(twin.rnn, forward).norm)
    np.testing.assert_array_equal(snapshot.loss, forward.loss.astype(np.float32))
    assert "".join(snapshot.targets) == TEXT[51:61]
    assert snapshot.predictions == tuple(twin.data.vocabulary[i] for i in forward.probabilities.argmax(axis=1))
    np.testing.assert_array_equal(snapshot.correct, forward.probabilities.argmax(axis=1) == window[1:])


def test_the_end_of_the_data_starts_it_over_from_a_zero_state() -> None:
    trainer = small(record_every=1)
    windows = (len(TEXT) - 1) // 10
    run = trainer.train(windows + 2)
    assert [s.batch for s in run if s.from_zero_state] == [0, windows]
    assert run[windows].start == run[0].start
    assert trainer.epoch == 1
    assert (run[0].surfaces["W_hh"][0] == 0).all()


def test_settings_change_live_without_losing_state() -> None:
    trainer = small()
    trainer.train(7)
    weights = trainer.rnn.parameters.vector.copy()
    trainer.learning_rate, trainer.horizon, trainer.record_every, trainer.clip_norm = 0.01, None, 3, 0.5
    np.testing.assert_array_equal(trainer.rnn.parameters.vector, weights)
    run = trainer.train(6)
    assert run.batches.tolist() == [0, 5, 9, 12]
    assert [snapshot.horizon for snapshot in run] == [10, 10, 10, 10]
    assert run[-1].clipped
    assert run[-1].update_norm == pytest.approx(0.5)
    assert run[-1].grad_norm > 0.5
    assert trainer.settings["learning_rate"] == 0.01


def test_reset_is_a_new_start() -> None:
    trainer = small()
    first = trainer.train(20)[-1].surfaces["W_hh"]
    run = trainer.run
    trainer.reset()
    assert (trainer.batch, len(run)) == (0, 0)
    assert math.isnan(trainer.smooth_loss)
    np.testing.assert_array_equal(trainer.train(20)[-1].surfaces["W_hh"], first)
    assert trainer.run is run


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"learning_rate": 1e38, "optimizer": "sgd", "clip_value": None}, "update"),
        ({"learning_rate": 1e30}, "update|loss|gradient|squared gradient"),
        ({"learning_rate": 1e18, "optimizer": "sgd"}, "update|loss|gradient"),
    ],
)
def test_divergence_stops_before_the_weights_are_ruined(settings: dict[str, object], what: str) -> None:
    trainer = small(**settings)
    with pytest.raises(DivergedError, match=f"The ({what}) of batch .* is not finite") as error:
        trainer.train(500)
    assert np.isfinite(trainer.rnn.parameters.vector).all()
    assert "clip" in error.value.hint
    assert trainer.run[-1].diverged
    assert trainer.run[-1].batch == error.value.batch == trainer.batch
    assert not any(snapshot.diverged for snapshot in trainer.run[:-1])
    recorded = len(trainer.run)
    with pytest.raises(DivergedError):
        trainer.step()
    assert len(trainer.run) == recorded


def test_a_batch_that_diverges_is_recorded_as_it_was_before_clipping_whether_it_was_due_or_not() -> None:
    found = []
    for record_every in (1, 100):
        trainer = small(optimizer="sgd", clip_value=1e-3, record_every=record_every)
        trainer.train(1)
        trainer.learning_rate = 1e38
        with pytest.raises(DivergedError, match="The update of batch 1 is not finite"):
            trainer.train(1)
        found.append(trainer.run[-1])
    due, other = found
    assert 0 < due.update_norm < due.grad_norm
    assert (other.update_norm, other.grad_norm) == (due.update_norm, due.grad_norm)
    for key, items in due.surfaces.items():
        np.testing.assert_array_equal(other.surfaces[key], items, err_msg=key)


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_a_gradient_whose_squares_overflow_is_reported_and_not_gathered(optimizer: str) -> None:
    trainer = small(optimizer=optimizer, clip_value=None)
    trainer.rnn.parameters.W_ho[...] *= 1e22
    with pytest.raises(DivergedError, match="The squared gradient of batch 0 is not finite"):
        trainer.train(1)
    assert trainer.optimizer.past() == ()
    trainer.clip_value = 1.0
    trainer.train(1)  # clipped, it can be squared
    assert all(np.isfinite(gathered).all() for gathered in trainer.optimizer.past())


def test_a_gradient_that_nobody_squares_may_be_that_large() -> None:
    trainer = small(optimizer="sgd", clip_value=None, learning_rate=1e-30)
    trainer.rnn.parameters.W_ho[...] *= 1e22
    trainer.train(1)
    assert trainer.batch == 1


def test_weights_that_are_not_numbers_are_reported() -> None:
    trainer = small()
    trainer.train(3)
    trainer.rnn.parameters.W_hh[0, 0] = np.nan
    with pytest.raises(DivergedError, match="The loss of batch 3 is not finite"):
        trainer.train(1)
    assert math.isnan(trainer.run[-1].horizon_length)


def test_a_prompt_is_read_first() -> None:
    trainer = small()
    trainer.train(2000)
    assert trainer.sample(4, prompt="the c", temperature=0.2) == "at s"
    assert len(trainer.sample(7, prompt="t")) == 7
    with pytest.raises(ValueError, match="these are not: 'Q'"):
        trainer.sample(5, prompt="Q")
    with pytest.raises(TypeError, match="prompt takes a str, got int"):
        trainer.sample(5, prompt=cast(Any, 3))


def test_an_own_network_is_trained() -> None:
    data = corpora.text(TEXT)
    rnn = RNN(len(data.vocabulary), 6, init="identity", dtype=np.float64)
    trainer = Trainer(data, rnn, seq_length=10)
    trainer.train(3)
    assert trainer.rnn is rnn
    assert trainer.settings["init"] == "identity"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seq_length": 0}, "seq_length takes a whole number of at least 1, got 0"),
        ({"seq_length": 5000}, r"data takes at least seq_length \+ 1 = 5001 characters for one window, got 960 \(text"),
        ({"horizon": 0}, "horizon takes"),
        ({"record_every": 0}, "record_every takes a whole number of at least 1, got 0"),
        ({"record_every": 1.5}, "record_every takes a whole number, got 1.5"),
        ({"learning_rate": float("inf")}, "learning_rate takes"),
        ({"optimizer": "rmsprop"}, "optimizer takes one of 'sgd', 'adagrad', 'adam'; got 'rmsprop'"),
        ({"clip_value": 0}, "clip_value takes a finite number greater than 0, got 0"),
        ({"clip_norm": -1}, "clip_norm takes"),
        ({"hidden_size": 0}, "hidden_size takes"),
        ({"seed": "x"}, "seed takes"),
        ({"rnn": RNN(3, 4)}, r"rnn takes input and output size 11 and 11, the data's; got 3 and 3"),
        ({"rnn": "lstm"}, "rnn takes an RNN, got str"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        small(**settings)


def test_a_text_that_is_too_short_may_be_a_files_name() -> None:
    with pytest.raises(ValueError, match=r"got 9 \(text\); if it is meant as a file's name: there is no such file"):
        Trainer("corpus.md")


def test_refused_settings_leave_the_old_ones() -> None:
    trainer = small()
    for name, value in {
        "learning_rate": -1,
        "horizon": 0,
        "record_every": 0,
        "clip_value": "x",
        "clip_norm": 0,
    }.items():
        before = getattr(trainer, name)
        with pytest.raises((TypeError, ValueError), match=name):
            setattr(trainer, name, value)
        assert getattr(trainer, name) == before


def test_representations_say_what_matters() -> None:
    trainer = small()
    assert "untrained" in repr(trainer)
    assert repr(trainer.run) == "Run(nothing recorded yet)"
    trainer.train(11)
    assert "batch 11, loss" in repr(trainer)
    assert "3 recorded batches, 0 to 10" in repr(trainer.run)
    assert "Snapshot(batch 10, data 101–111" in repr(trainer.run[-1])


def test_on_several_threads_one_trains_after_the_other() -> None:
    shared, alone = (Trainer(TEXT, hidden_size=6, record_every=7, seed=2) for _ in range(2))
    all_begin = threading.Barrier(4)

    def train() -> None:
        all_begin.wait()
        for _ in range(25):
            shared.train(8)

    threads = [threading.Thread(target=train) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone.train(800)
    assert shared.batch == 800
    assert shared.run.batches.tolist() == alone.run.batches.tolist()
    assert np.array_equal(shared.rnn.parameters.vector, alone.rnn.parameters.vector)
    assert not shared.is_training

"""What differs between runs, in numbers and in words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnbow_widget import Run, Trainer
from rnnbow_widget.contrast import PAST, Contrast, contrast

TEXT = "abcde fghij " * 30
BATCHES = np.arange(PAST) * 10


def made(
    horizons: Sequence[Any], losses: Sequence[Any], names: Sequence[str] = ("LSTM", "tanh"), **changes: Any
) -> Contrast:
    """A contrast in which each run has one value for all batches, or one for each."""
    horizon, loss = (
        np.array([np.broadcast_to(np.asarray(row, float), PAST) for row in rows]) for rows in (horizons, losses)
    )
    found = Contrast(tuple(names), BATCHES, horizon, loss, lower_bound=(False,) * len(names), diverged={})
    return replace(found, **changes)


def trained(batches: int = 60, **settings: Any) -> Trainer:
    trainer = Trainer(TEXT, **{"hidden_size": 6, "record_every": 2, "seq_length": 8, "horizon": None, **settings})
    trainer.train(batches)
    return trainer


def test_what_differs_is_said_in_one_sentence_each() -> None:
    assert made([11, 3], [1.5, 2.25]).sentence() == (
        "At batch 100 the median horizon is 11 steps for LSTM and 3 for tanh. "
        "The median loss is 1.5 for LSTM and 2.25 for tanh."
    )
    three = made([3, 11, 9.5], [2.25, 1.5, 1.25], ("tanh", "LSTM", "GRU"))
    assert three.sentence() == (
        "At batch 100 the median horizon is 11 steps for LSTM, 9.5 for GRU and 3 for tanh. "
        "The median loss is 1.25 for GRU, 1.5 for LSTM and 2.25 for tanh."
    )


def test_what_does_not_differ_clearly_is_said_to() -> None:
    assert made([8, 7.5], [2, 2]).sentence() == (
        "At batch 100 the median horizon does not differ clearly: 8 steps for LSTM and 7.5 for tanh. "
        "The median loss does not differ clearly: 2 for LSTM and 2 for tanh."
    )


@pytest.mark.parametrize(("against", "clear"), [(0, True), (1, True), (2, False)])
def test_batches_must_point_the_same_way(against: int, clear: bool) -> None:
    high = np.full(PAST, 10.0)
    low = np.full(PAST, 5.0)
    low[:against] = 20.0
    found = made([high, low], [1, 1])
    assert found.is_clear(found.horizon_length, 1.0) is clear
    assert ("does not differ clearly: 10 steps" in found.sentence()) is not clear


def test_a_bound_is_said_to_be_one() -> None:
    assert "is at least 10 steps for LSTM and 3 for tanh" in made([10, 3], [1, 1], lower_bound=(True, False)).sentence()
    both = made([10, 9], [1, 1], lower_bound=(True, True)).sentence()
    assert "reaches at least as far as can be seen: at least 10 steps for LSTM and at least 9 for tanh." in both


def test_one_step_is_one() -> None:
    assert "does not differ clearly: 1 step for LSTM and 0.5 for tanh" in made([1, 0.5], [1, 1]).sentence()
    both = made([1, 1], [1, 1], lower_bound=(True, True)).sentence()
    assert "at least 1 step for LSTM and at least 1 for tanh." in both


def test_nothing_is_said_before_enough_is_recorded() -> None:
    trainers = {"a": trained(2 * PAST - 2), "b": trained(2 * PAST - 2, cell="lstm")}
    runs = {name: trainer.run for name, trainer in trainers.items()}
    assert contrast(runs).sentence() == ""
    assert len(contrast(runs).batches) == PAST - 1
    for trainer in trainers.values():
        trainer.train(1)
    assert contrast(runs).sentence().startswith("At batch 20 the median horizon ")
    empty = contrast({"a": Run(("x",)), "b": Run(("x",))})
    assert (empty.sentence(), empty.loss.shape) == ("", (2, 0))
    assert np.isnan(empty.median_horizon).all()


def test_numbers_are_those_of_the_batches_that_all_recorded() -> None:
    first, second = trained(100, record_every=2), trained(100, cell="gru", record_every=3)
    found = contrast({"a": first.run, "b": second.run})
    assert found.batches.tolist() == list(range(36, 100, 6))
    for run, loss, horizon in zip((first.run, second.run), found.loss, found.horizon_length, strict=True):
        places = np.searchsorted(run.batches, found.batches)
        assert np.array_equal(loss, run.column("loss")[places])
        assert np.array_equal(horizon, run.column("horizon_length")[places])
    earlier = contrast({"a": first.run, "b": second.run}, batch=80)
    assert earlier.batches.tolist() == list(range(18, 80, 6))
    assert earlier.median_loss.tolist() == np.median(earlier.loss, axis=1).tolist()


def test_recorded_lags_and_half_a_window_bound_the_horizon() -> None:
    runs = {
        "few lags": trained(horizon=2, cell="lstm").run,
        "past half of the window": trained(horizon=None).run,
        "within it": trained(horizon=None, learning_rate=1e-4).run,
    }
    found = contrast(runs)
    assert found.median_horizon.tolist() == [2, 5, 2]
    assert found.lower_bound == (True, True, False)


def test_one_that_diverged_is_named_and_left_out() -> None:
    trainers = {name: trained(cell=name) for name in ("tanh", "lstm", "gru")}
    trainers["lstm"].rnn.parameters.W_hh[:] = np.nan
    with pytest.raises(ArithmeticError):
        trainers["lstm"].train(1)
    for name in ("tanh", "gru"):
        trainers[name].train(40)
    runs = {name: trainer.run for name, trainer in trainers.items()}
    found = contrast(runs)
    assert (found.names, dict(found.diverged)) == (("tanh", "gru"), {"lstm": 60})
    assert found.batches[-1] == 98
    assert found.sentence().startswith("lstm diverged at batch 60 and stays there. At batch 98 the median horizon ")
    before = contrast(runs, batch=50)
    assert (before.names, dict(before.diverged)) == (("tanh", "lstm", "gru"), {})
    pair = contrast({name: runs[name] for name in ("tanh", "lstm")})
    assert pair.sentence() == "lstm diverged at batch 60 and stays there."

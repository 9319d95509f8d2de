"""The data model, and the definition of the horizon length."""

import numpy as np
import pytest

from rnnbow_widget import Run, Snapshot, Trainer
from rnnbow_widget.run import horizon_length

TEXT = "abcde fghij " * 60


def snapshot(batch: int = 0, items: np.ndarray | None = None, **changes: object) -> Snapshot:
    """A snapshot of three steps with two lags."""
    items = np.array([[1, 0.5], [2, 0.25], [3, 0]], np.float32) if items is None else items
    fields: dict[str, object] = {
        "batch": batch,
        "start": 1,
        "stop": 4,
        "loss": np.array([1, 2, 3], np.float32),
        "target_tokens": np.array([0, 1, 1], np.int32),
        "prediction_tokens": np.array([0, 0, 1], np.int32),
        "probability": np.array([0.5, 0.25, 0.75], np.float32),
        "surfaces": {"W_hh": items, "W_hh:share": np.array([[1, -2], [3, 4], [-5, 0]], np.float32)},
        "step_totals": {"W_hh": np.array([1.2, 2, 3], np.float32), "W_hh:share": np.array([-0.5, 7, -5], np.float32)},
        "beyond": {"W_hh": np.array([0.125, 0, 0], np.float32), "W_hh:share": np.array([0.5, 0, 0], np.float32)},
        "grad_norm": 4.0,
        "update_norm": 4.0,
        "vocabulary": ("a", "b"),
    }
    return Snapshot(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_snapshot_reads_in_the_papers_terms() -> None:
    found = snapshot()
    assert (found.steps, found.horizon) == (3, 2)
    assert found.targets == ("a", "b", "b")
    assert found.predictions == ("a", "a", "b")
    assert found.correct.tolist() == [True, False, True]
    np.testing.assert_allclose(found.bar_heights(), [1.625, 2.25, 3])
    assert found.max_gradient() == 3
    assert found.mean_gradient() == pytest.approx((1.625 + 2.25 + 3) / 3)
    np.testing.assert_allclose(found.bar_heights(measure="share"), [1.5, 7, 0])
    assert found.max_gradient(measure="share") == 7
    assert found.mean_gradient(measure="share") == pytest.approx(8.5 / 3)
    assert found.step_total is found.step_totals["W_hh"]
    assert found.beyond_horizon is found.beyond["W_hh"]
    assert not found.clipped
    assert snapshot(update_norm=2.0).clipped


def test_the_share_beyond_the_horizon_is_that_of_all_bars_or_of_the_signed_sum() -> None:
    found = snapshot()
    assert found.beyond_share() == pytest.approx(0.125 / (1.625 + 2.25 + 3))
    assert found.beyond_share(measure="share") == pytest.approx(0.5 / 1.5)
    nothing = {"W_hh": np.zeros(3, np.float32)}
    assert snapshot(beyond=nothing).beyond_share() == 0
    assert snapshot(np.zeros((3, 2), np.float32), beyond=nothing).beyond_share() == 0
    assert np.isnan(snapshot(beyond={"W_hh": np.array([np.nan, 0, 0], np.float32)}).beyond_share())


def test_signed_shares_beyond_the_horizon_are_those_of_the_lags_that_were_not_recorded() -> None:
    cut, full = (Trainer(TEXT, hidden_size=8, init="orthogonal", horizon=k).train(1)[0] for k in (3, None))
    shares = full.surfaces["W_hh:share"].astype(np.float64)  # (n, n)
    assert cut.beyond_share(measure="share") == pytest.approx(shares[:, 3:].sum() / shares.sum(), rel=1e-4)
    assert cut.beyond_share() > 0
    assert full.beyond_share(measure="share") == full.beyond_share() == 0


def test_a_run_is_a_sequence() -> None:
    run = Run(("a", "b"), {"seed": 1})
    for batch in (0, 5, 9):
        run.append(snapshot(batch))
    assert len(run) == 3
    assert [s.batch for s in run] == run.batches.tolist() == [0, 5, 9]
    assert run[-1].batch == 9
    assert [s.batch for s in run[1:]] == [5, 9]
    assert run.at(5) is run[1]
    with pytest.raises(KeyError, match="batch 6 was not recorded"):
        run.at(6)
    with pytest.raises(KeyError, match="batch 10 was not recorded"):
        run.at(10)
    with pytest.raises(ValueError, match="snapshot takes a batch after 9, got batch 9"):
        run.append(snapshot(9))
    np.testing.assert_allclose(run.column("loss"), [2, 2, 2])
    np.testing.assert_allclose(run.column("accuracy"), [2 / 3] * 3)
    np.testing.assert_allclose(run.column("grad_norm"), 4)
    with pytest.raises(ValueError, match="got 'perplexity'"):
        run.column("perplexity")


def test_columns_are_those_of_the_snapshots() -> None:
    run = Trainer(TEXT, hidden_size=8, record_every=10).train(41)
    for name in ("max_gradient", "mean_gradient", "horizon_length", "update_norm"):
        expected = [getattr(s, name)() if name.endswith("_gradient") else getattr(s, name) for s in run]
        np.testing.assert_allclose(run.column(name), expected)


def test_memory_grows_with_recorded_batches_steps_and_lags() -> None:
    def size(batches: int, horizon: int) -> int:
        return Trainer(TEXT, hidden_size=8, record_every=1, horizon=horizon).train(batches).nbytes

    assert size(20, 5) == 2 * size(10, 5)
    # three measures of n × k numbers of four bytes
    assert size(1, 10) - size(1, 5) == 3 * 25 * 5 * 4


def _decaying(rate: float, steps: int, lags: int) -> np.ndarray:
    items = np.zeros((steps, lags), np.float32)
    for j in range(steps):
        for d in range(min(lags, steps - j)):
            items[j, d] = rate**d
    return items


def test_horizon_length_counts_the_steps_until_one_percent() -> None:
    assert horizon_length(_decaying(0.1, 25, 10)) == 3  # 1, .1, .01 reach; .001 does not
    assert horizon_length(_decaying(0.5, 25, 10)) == 7
    assert horizon_length(_decaying(1e-3, 25, 10)) == 1
    assert horizon_length(_decaying(0.9, 25, 10)) == 10  # still there when the recorded lags end
    assert horizon_length(np.zeros((4, 2))) == 2


def test_a_piece_before_the_largest_one_is_not_a_decay() -> None:
    items = np.zeros((4, 4))
    items[3, 0], items[2, 1], items[1, 2], items[0, 3] = 0.001, 1, 0.5, 0.001
    items[2, 0], items[1, 1], items[0, 2] = 1, 1, 1
    items[1, 0], items[0, 1] = 1, 1
    # reach: loss 1 both steps it has, loss 2 all three, loss 3 up to lag 2
    assert horizon_length(items) == 3


def test_the_zero_state_is_not_taken_for_vanishing() -> None:
    items = _decaying(0.9, 6, 6)
    items[0] = 0
    assert horizon_length(items, from_zero_state=True) == np.median([2, 3, 4, 5])
    assert horizon_length(items, from_zero_state=False) == np.median([2, 3, 4, 5])
    one = np.zeros((1, 1))
    assert horizon_length(one, from_zero_state=True) == 0


def test_a_batch_that_is_not_finite_has_no_horizon() -> None:
    assert np.isnan(horizon_length(np.array([[np.nan]])))

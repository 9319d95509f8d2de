"""The data model, what of it is kept within the memory limit, and the definition of the horizon length."""

import contextlib
import copy
import itertools
import pickle
import threading
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnbow_widget import Run, Snapshot, ThinnedError, Trainer, overview
from rnnbow_widget.overview import QUANTITIES
from rnnbow_widget.snapshot import horizon_length

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


def test_an_interrupt_while_rows_are_worked_out_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    run, whole = (Run(("a", "b")) for _ in range(2))
    wide = {key: np.ones((3, 5), np.float32) for key in ("W_hh", "W_hh:share")}
    recorded = [snapshot(batch, **({"surfaces": wide} if batch % 7 == 3 else {})) for batch in range(150)]
    work_out, calls = overview._rows, itertools.count(1)

    def interrupted(snapshots: list[Snapshot], keys: list[str]) -> object:
        if next(calls) % 5 == 0:
            raise KeyboardInterrupt
        return work_out(snapshots, keys)

    for one in recorded:
        whole.append(one)
        monkeypatch.setattr(overview, "_rows", interrupted)
        with contextlib.suppress(KeyboardInterrupt):
            run.append(one)
        monkeypatch.setattr(overview, "_rows", work_out)
        if not len(run) or run[-1] is not one:
            run.append(one)
    assert next(calls) > 10
    assert [one.batch for one in run] == run.batches.tolist() == list(range(150))
    for name in QUANTITIES:
        np.testing.assert_array_equal(run.column(name), whole.column(name))


def test_memory_grows_with_recorded_batches_steps_and_lags() -> None:
    def details(batches: int, horizon: int) -> int:
        run = Trainer(TEXT, hidden_size=8, record_every=1, horizon=horizon).train(batches)
        return run.nbytes - run.overview.nbytes - run.beside

    assert details(20, 5) == 2 * details(10, 5)
    # three measures of n × k numbers of four bytes
    assert details(1, 10) - details(1, 5) == 3 * 25 * 5 * 4
    columns = Trainer(TEXT, hidden_size=8, record_every=1).train(100).overview
    assert 96 <= columns.nbytes / 100 <= 1.25 * 96


def test_the_bytes_that_are_counted_are_those_that_python_takes() -> None:
    trainer = Trainer(TEXT, hidden_size=8, record_every=1)
    trainer.train(10)
    tracemalloc.start()
    before, counted = tracemalloc.get_traced_memory()[0], trainer.run.nbytes
    trainer.train(400)
    taken, counted = tracemalloc.get_traced_memory()[0] - before, trainer.run.nbytes - counted
    tracemalloc.stop()
    assert taken == pytest.approx(counted, rel=0.1)


def filled(recorded: int, memory_limit: float, every: int = 10) -> Run:
    """A run of batches 0, 10, 20, … whose max gradients are 1, 2, 3, …"""
    run = Run(("a", "b"), memory_limit=memory_limit)
    for index in range(recorded):
        run.append(numbered(every * index))
    return run


def numbered(batch: int) -> Snapshot:
    return snapshot(batch, np.full((3, 2), batch / 20 + 0.5, np.float32), beyond=_nothing_beyond())


def _nothing_beyond() -> dict[str, np.ndarray]:
    return {key: np.zeros(3, np.float32) for key in ("W_hh", "W_hh:share")}


ONE = numbered(0).nbytes


def test_a_run_within_its_limit_keeps_everything() -> None:
    run = filled(20, 30 * ONE)
    assert [s.batch for s in run] == [s.batch for s in run.details()] == run.batches.tolist()
    assert run.detailed.all()
    assert run.thinned_to == 1
    assert "details" not in repr(run)


def test_past_the_limit_details_are_thinned_evenly_and_columns_are_not() -> None:
    run = filled(1000, 60 * ONE)
    assert run.nbytes <= 60 * ONE
    assert len(run) == 1000
    assert run.batches.tolist() == list(range(0, 10_000, 10))
    np.testing.assert_allclose(run.column("max_gradient"), 1 + np.arange(1000), rtol=1e-6)
    assert len(run.detailed) == 1000
    assert [s.batch for s in run.details()] == run.batches[run.detailed].tolist()
    step = run.thinned_to
    held = np.flatnonzero(run.detailed)
    assert set(held) >= set(range(0, held[-1] // 2, step)), "evenly"
    named = {run.index_of(cue.batch) for cue in run.cues()}
    older = [index for index in held if index < 500]
    assert all(index % step == 0 or index in named for index in older)
    assert run[-1].batch == 9990
    assert f"details of {len(held)} held: one in {step} and the newest" in repr(run)


def test_what_was_thinned_says_so_and_which_is_near() -> None:
    run = filled(1000, 60 * ONE)
    missing = int(np.flatnonzero(~run.detailed)[0])
    held = np.flatnonzero(run.detailed)
    with pytest.raises(ThinnedError, match=f"the details of batch {10 * missing} were thinned") as error:
        run[missing]
    assert not isinstance(error.value, IndexError)
    assert "memory_limit" in str(error.value)
    assert abs(error.value.nearest - 10 * missing) == 10 * np.abs(held - missing).min()
    assert run.at(error.value.nearest).batch == error.value.nearest
    for read in (lambda: run.at(10 * missing), lambda: list(run), lambda: run[:100], lambda: run[missing - 1000]):
        with pytest.raises(ThinnedError):
            read()
    assert [s.batch for s in run[-3:]] == [9970, 9980, 9990]
    with pytest.raises(IndexError):
        run[1000]
    with pytest.raises(KeyError, match="batch 5 was not recorded"):
        run.at(5)


def test_batches_that_cues_name_keep_their_details() -> None:
    run = Run(("a", "b"), memory_limit=60 * ONE)
    for batch in range(1000):
        peak = {333: 50.0, 601: 9.0}.get(batch, 1.0)
        items = np.full((3, 2), peak / 2, np.float32)
        run.append(snapshot(batch, items, beyond=_nothing_beyond(), update_norm=4.0 if batch < 77 else 3.0))
    assert {cue.batch for cue in run.cues()} >= {77, 333, 601}
    assert [run.at(batch).batch for batch in (77, 333, 601)] == [77, 333, 601]


def test_the_newest_is_held_however_small_the_limit() -> None:
    run = filled(50, 1)
    assert [s.batch for s in run.details()] == [490]
    assert len(run.column("loss")) == 50
    run.clear()
    assert (len(run), run.details(), run.thinned_to, run.nbytes) == (0, [], 1, 0)
    assert run.column("loss").tolist() == run.batches.tolist() == run.detailed.tolist() == []


def test_the_limit_can_be_changed() -> None:
    run = filled(100, 1000 * ONE)
    run.memory_limit = 20 * ONE
    assert run.nbytes <= 20 * ONE
    step = run.thinned_to
    assert step > 1
    run.memory_limit = 1e9
    for index in range(100, 200):
        run.append(numbered(10 * index))
    assert run.detailed[100:].all()
    for value, error in ((0, ValueError), (float("nan"), ValueError), ("much", TypeError)):
        with pytest.raises(error, match="memory_limit takes a finite number of at least 1"):
            run.memory_limit = value  # type: ignore[assignment]
        with pytest.raises(error, match="memory_limit"):
            Trainer(TEXT, memory_limit=value)  # type: ignore[arg-type]
    trainer = Trainer(TEXT, hidden_size=8, record_every=1, memory_limit=100_000)
    assert trainer.train(200).nbytes <= 100_000
    assert trainer.memory_limit == trainer.settings["memory_limit"] == trainer.run.settings["memory_limit"] == 100_000
    trainer.memory_limit = 200_000
    assert trainer.run.memory_limit == 200_000


@settings(max_examples=60)
@given(limit=st.integers(1, 80), sizes=st.lists(st.integers(1, 12), min_size=1, max_size=150))
def test_whatever_is_recorded_the_limit_holds(limit: int, sizes: list[int]) -> None:
    run = Run(("a", "b"), memory_limit=limit * ONE)
    for batch, lags in enumerate(sizes):
        share = {"W_hh": np.ones((3, lags), np.float32), "W_hh:share": np.ones((3, lags), np.float32)}
        run.append(snapshot(batch, surfaces=share))
        assert run[-1].batch == batch
        assert run.nbytes <= max(limit * ONE, run.overview.nbytes + run[-1].nbytes)
    assert len(run) == len(sizes)
    assert sum(s.nbytes for s in run.details()) == run.nbytes - run.overview.nbytes


def test_appending_costs_the_same_however_long_the_run_is() -> None:
    """What thinning looks at, and what columns copy, stays within a constant times what was appended."""
    looked_at = 0

    class Counted(dict[int, Snapshot]):
        def items(self):  # type: ignore[no-untyped-def]
            nonlocal looked_at
            looked_at += len(self)
            return super().items()

    run = Run(("a", "b"), memory_limit=300 * ONE)
    for batch in range(3000):
        run.append(numbered(batch))
        if type(run._details._held) is dict:
            run._details._held = Counted(run._details._held)
    assert looked_at < 20 * 3000


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_stays_as_it_is_while_the_run_goes_on(copied: Callable[[Run], Run]) -> None:
    run = filled(5, 20 * ONE)
    other = copied(run)
    for batch in range(50, 150):
        run.append(numbered(batch))
    assert (len(other), other[-1].batch, other.thinned_to) == (5, 40, 1)
    assert [held.batch for held in other] == other.batches.tolist() == [0, 10, 20, 30, 40]
    other.append(numbered(47))
    assert (run[-1].batch, other[-1].batch, other.batches.tolist()) == (149, 47, [0, 10, 20, 30, 40, 47])
    assert other.nbytes == other.overview.nbytes + sum(held.nbytes for held in other)


def test_a_run_is_consistent_for_who_reads_it_on_another_thread() -> None:
    run = filled(10, 100 * ONE)
    failures: list[BaseException] = []
    seen: list[int] = []
    finished = threading.Event()

    def read() -> None:
        try:
            while not finished.is_set():
                assert run[-1].batch in run.batches
                assert len(run.column("loss")) <= len(run)
                for held in run.details():
                    assert run.index_of(held.batch) == held.batch // 10
                run.cues()
                repr(run)
                seen.append(len(run))
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for index in range(10, 1500):
        run.append(numbered(10 * index))
    finished.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert len(set(seen)) > 3


def test_a_run_can_be_copied_and_sent_to_another_process() -> None:
    run = filled(100, 30 * ONE)
    for other in (copy.deepcopy(run), pickle.loads(pickle.dumps(run))):
        np.testing.assert_array_equal(other.detailed, run.detailed)
        other.append(numbered(10_000))
        assert (len(other), len(run)) == (101, 100)
        assert other.cues()


def test_surfaces_may_come_and_go_but_for_the_primary() -> None:
    run = Run(("a", "b"))
    for batch in range(3):
        run.append(snapshot(batch))
    other = {"beyond": {"h": np.zeros(3, np.float32)}, "step_totals": {"h": np.ones(3, np.float32)}}
    with pytest.raises(ValueError, match="takes the primary surface of those before it, 'W_hh'; got 'h'"):
        run.append(snapshot(3, surfaces={"h": np.ones((3, 2), np.float32)}, **other))
    assert len(run) == len(run.details()) == 3
    both = {name: {**getattr(snapshot(0), name), **arrays} for name, arrays in other.items()}
    run.append(snapshot(3, surfaces={**snapshot(0).surfaces, "h": np.ones((3, 2), np.float32)}, **both))
    run.append(snapshot(4))
    assert (run.primary, run.overview.surfaces) == ("W_hh", ["W_hh", "W_hh:share", "h"])
    np.testing.assert_array_equal(run.column("max_gradient", "h"), [np.nan] * 3 + [2, np.nan])
    assert np.isfinite(run.column("max_gradient")).all()
    with pytest.raises(ValueError, match="surface and measure takes one of 'W_hh', 'W_hh:share'"):
        run.column("max_gradient", measure="mean_abs")
    assert run.column("max_gradient", measure="share").tolist() == [7] * 5


def test_columns_are_there_before_anything_is_recorded() -> None:
    run = Run(("a", "b"))
    for name in QUANTITIES:
        assert run.column(name).tolist() == []
    assert run.cues() == []
    with pytest.raises(ValueError, match="read-only"):
        filled(3, 1e6).batches[0] = 7


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


def test_horizon_length_goes_by_the_threshold_and_by_the_losses_that_there_are() -> None:
    slow = np.arange(25) % 3 > 0  # (n,): two of three losses decay by half a step
    items = np.zeros((25, 10), np.float32)
    for j in range(25):
        for d in range(min(10, 25 - j)):
            items[j, d] = (0.5 if slow[j + d] else 0.1) ** d
    assert horizon_length(items) == horizon_length(items, counted=slow) == 7
    assert horizon_length(items, counted=~slow) == 3
    assert horizon_length(items, threshold=0.2) == 3
    assert horizon_length(items, threshold=0.2, counted=~slow) == 1
    assert np.isnan(horizon_length(items, counted=np.zeros(25)))


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

"""What of a run is kept within its memory limit, and what is said of the rest."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import filled, nothing_beyond, numbered, snapshot

from rnnbow_widget import Run, Snapshot, ThinnedError, Trainer

TEXT = "abcde fghij " * 60
ONE = numbered(0).nbytes


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
        run.append(snapshot(batch, items, beyond=nothing_beyond(), update_norm=4.0 if batch < 77 else 3.0))
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
    bad: list[tuple[Any, type[Exception]]] = [(0, ValueError), (float("nan"), ValueError), ("much", TypeError)]
    for value, error in bad:
        with pytest.raises(error, match="memory_limit takes a finite number of at least 1"):
            run.memory_limit = value
        with pytest.raises(error, match="memory_limit"):
            Trainer(TEXT, memory_limit=value)
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
        def items(self) -> Any:
            nonlocal looked_at
            looked_at += len(self)
            return super().items()

    run = Run(("a", "b"), memory_limit=300 * ONE)
    for batch in range(3000):
        run.append(numbered(batch))
        if type(run._details._held) is dict:
            run._details._held = Counted(run._details._held)
    assert looked_at < 20 * 3000

"""The data model: snapshots, and runs as sequences of them, read, copied and consistent while they grow."""

import contextlib
import copy
import itertools
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from recorded import filled, numbered, snapshot

from rnnbow_widget import Run, Snapshot, Trainer, overview
from rnnbow_widget.overview import QUANTITIES

TEXT = "abcde fghij " * 60
ONE = numbered(0).nbytes


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
    assert snapshot(items=np.zeros((3, 2), np.float32), beyond=nothing).beyond_share() == 0
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
    wide: dict[str, Any] = {"surfaces": {key: np.ones((3, 5), np.float32) for key in ("W_hh", "W_hh:share")}}
    recorded = [snapshot(batch, **(wide if batch % 7 == 3 else {})) for batch in range(150)]
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
    other: dict[str, Any] = {"beyond": {"h": np.zeros(3, np.float32)}, "step_totals": {"h": np.ones(3, np.float32)}}
    with pytest.raises(ValueError, match="takes the primary surface of those before it, 'W_hh'; got 'h'"):
        run.append(snapshot(3, surfaces={"h": np.ones((3, 2), np.float32)}, **other))
    assert len(run) == len(run.details()) == 3
    both: dict[str, Any] = {name: {**getattr(snapshot(0), name), **arrays} for name, arrays in other.items()}
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

"""What stands for a long run: an extract of its overview without a lost peak, and details within a budget."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import long_run

from rnnbow_widget import Run, Snapshot, Trainer
from rnnbow_widget.extract import MOST_DIVERGED, extract_rows, most_rows, spread, stretches
from rnnbow_widget.overview import DIVERGED
from rnnbow_widget.protocol import packed_nbytes

TEXT = "abcde fghij " * 60


def test_an_extract_loses_no_peak_of_any_quantity(many: Run) -> None:
    overview, count = many.overview, len(many)
    rows = extract_rows(overview, count, [17, 123])
    assert len(rows) < count / 2
    assert len(rows) <= most_rows(overview) + 3
    assert {0, 17, 123, count - 1} <= set(rows.tolist())
    assert (np.diff(rows) > 0).all()
    for name in overview.names[4:]:
        everything, kept = overview.column(name), overview.column(name)[rows]
        size = -(-count // stretches(overview))
        for first in range(0, count, size):
            stretch = (rows >= first) & (rows < first + size)
            largest = np.max(
                everything[first : first + size], initial=-np.inf, where=np.isfinite(everything[first : first + size])
            )
            found = np.max(kept[stretch], initial=-np.inf, where=np.isfinite(kept[stretch]))
            assert found == largest, name


def test_an_extract_of_a_run_that_fits_is_the_run(many: Run) -> None:
    most = most_rows(many.overview)
    np.testing.assert_array_equal(extract_rows(many.overview, most), np.arange(most))
    assert len(extract_rows(many.overview, most + 1)) <= most + 1
    assert extract_rows(Run(("a",)).overview, 0).tolist() == []


def test_an_extract_keeps_what_diverged_and_passes_over_what_is_not_finite() -> None:
    run = long_run(14_000)
    overview = run.overview
    overview._columns["max:W_hh"][4000:4100] = np.nan
    overview._columns["max:W_hh"][4050] = np.inf
    overview._columns["max:W_hh"][4052] = 1e-6  # the only one in its stretch that is finite
    assert len(run) // stretches(overview) < 50
    overview._columns["flags"][7777] = DIVERGED
    rows = extract_rows(overview, len(run)).tolist()
    assert {4052, 7777} <= set(rows)
    overview._columns["flags"][7777:13_000] = DIVERGED
    assert len(extract_rows(overview, len(run))) <= len(rows) + MOST_DIVERGED


@settings(max_examples=100)
@given(
    sizes=st.lists(st.integers(1, 30), max_size=60),
    budget=st.integers(0, 20_000),
    wanted=st.sets(st.integers(0, 59), max_size=3),
)
def test_details_are_chosen_within_their_budget(sizes: list[int], budget: int, wanted: set[int]) -> None:
    (model,) = Trainer(TEXT, hidden_size=8, seq_length=3, horizon=2).train(1)
    snapshots: list[Snapshot] = []
    for batch, lags in enumerate(sizes):
        surfaces = {key: np.zeros((3, lags), np.float32) for key in model.surfaces}
        snapshots.append(dataclasses.replace(model, batch=batch, surfaces=surfaces))
    first = [snapshots[batch] for batch in sorted(wanted) if batch < len(snapshots)]
    chosen = spread(snapshots, budget, first)
    assert sum(map(packed_nbytes, chosen)) <= budget
    numbers = [snapshot.batch for snapshot in chosen]
    assert numbers == sorted(set(numbers))
    if sum(map(packed_nbytes, snapshots + first)) <= budget:
        assert numbers == list(range(len(snapshots)))
    if snapshots and packed_nbytes(snapshots[-1]) <= budget and not first:
        assert numbers[-1] == len(snapshots) - 1
        assert len(set(np.diff(numbers))) <= 1, "evenly"
        if len(set(sizes)) == 1:
            assert 2 * len(chosen) >= min(len(snapshots), budget // packed_nbytes(snapshots[0])), "half of what fits"
    elif not first:
        assert numbers == []
    if first and packed_nbytes(first[0]) <= budget:
        assert first[0].batch in numbers

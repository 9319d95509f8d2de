"""The wire form of what is recorded, what stands for a long run, and the numbering of frames."""

import copy
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unpacking import batches, detailed, unpack

from rnnbow_widget import Run, Snapshot, Trainer
from rnnbow_widget.extract import EXTRACT_BYTES, extract_rows, most_rows, spread, stretches
from rnnbow_widget.feed import FRAME_BYTES, STATE_BYTES, STREAMED_BYTES, Feed
from rnnbow_widget.protocol import drawable, pack_details, pack_overview, packed_nbytes

TEXT = "abcde fghij " * 60
KEYS = {"W_hh": "norm", "W_hh:mean_abs": "mean_abs", "W_hh:share": "share"}


def test_an_overview_has_the_numbers_of_every_batch() -> None:
    trainer = Trainer(TEXT, hidden_size=8, seq_length=12, horizon=4, record_every=3, clip_norm=1.0)
    run = trainer.train(10)
    (chunk,) = pack_overview(run.overview, slice(len(run)))
    header, columns = unpack(chunk)
    assert (header["version"], header["kind"], header["count"]) == (2, "overview", 4)
    for i, snapshot in enumerate(run):
        for name in ("batch", "start", "stop", "grad_norm", "update_norm", "horizon_length"):
            assert columns[name][i] == pytest.approx(getattr(snapshot, name), rel=1e-6), name
        assert columns["flags"][i] == 2 * (i == 0) + 4 * (snapshot.update_norm < snapshot.grad_norm)
        assert columns["loss"][i] == pytest.approx(snapshot.loss.mean())
        assert columns["accuracy"][i] == pytest.approx(snapshot.correct.mean())
        for key, measure in KEYS.items():
            assert columns[f"max:{key}"][i] == np.float32(snapshot.max_gradient(measure=measure))
            assert columns[f"mean:{key}"][i] == np.float32(snapshot.mean_gradient(measure=measure))
    assert columns["flags"].tolist()[0] & 2
    assert batches(pack_overview(run.overview, np.array([0, 3]))) == [0, 9]
    assert pack_overview(run.overview, slice(0)) == pack_overview(Run(("a",)).overview, slice(0)) == []


def test_details_have_every_number_of_a_snapshot() -> None:
    run = Trainer(TEXT, hidden_size=8, seq_length=12, horizon=4, record_every=3).train(10)
    (chunk,) = pack_details(run)
    header, columns = unpack(chunk)
    assert (header["version"], header["kind"], header["count"]) == (2, "details", 4)
    assert (header["steps"], header["lags"]) == (12, 4)
    for i, snapshot in enumerate(run):
        assert (columns["batch"][i], columns["flags"][i] & 2) == (snapshot.batch, 2 * snapshot.from_zero_state)
        np.testing.assert_array_equal(columns["loss"][i], snapshot.loss)
        np.testing.assert_array_equal(columns["target"][i], snapshot.target_tokens)
        np.testing.assert_array_equal(columns["prediction"][i], snapshot.prediction_tokens)
        np.testing.assert_array_equal(columns["probability"][i], snapshot.probability)
        for key in KEYS:
            np.testing.assert_array_equal(columns[f"items:{key}"][i], snapshot.surfaces[key])
            np.testing.assert_array_equal(columns[f"total:{key}"][i], snapshot.step_totals[key])
            np.testing.assert_array_equal(columns[f"beyond:{key}"][i], snapshot.beyond[key])


def test_a_change_of_horizon_starts_a_new_chunk_and_so_do_very_many_bytes() -> None:
    trainer = Trainer(TEXT, hidden_size=8, horizon=4, record_every=1)
    trainer.train(2)
    trainer.horizon = None
    trainer.train(300)
    chunks = pack_details(trainer.run)
    assert detailed(chunks) == trainer.run.batches.tolist()
    assert detailed(chunks[:1]) == [0, 1]
    assert len(chunks) > 2
    assert max(map(len, chunks)) < 258_000
    assert pack_details([]) == []


def test_a_batch_that_diverged_is_packed_as_it_is() -> None:
    trainer = Trainer(TEXT, hidden_size=8)
    trainer.rnn.parameters.W_ho[:] = np.nan
    with pytest.raises(ArithmeticError):
        trainer.train(1)
    _, columns = unpack(pack_overview(trainer.run.overview, slice(1))[0])
    assert columns["flags"][0] & 1
    assert np.isnan(columns["loss"]).all()
    _, columns = unpack(pack_details(trainer.run)[0])
    assert np.isnan(columns["loss"]).all()


@pytest.mark.parametrize("horizon", [1, 10, 20, None])
def test_chunks_are_as_large_as_their_numbers(horizon: int | None) -> None:
    run = Trainer(TEXT, hidden_size=8, horizon=horizon, record_every=1).train(3)
    (chunk,) = pack_details(run)
    header = 4 + int.from_bytes(chunk[:4], "little")
    assert len(chunk) - header == sum(map(packed_nbytes, run))
    (chunk,) = pack_overview(run.overview, slice(3))
    assert len(chunk) - 4 - int.from_bytes(chunk[:4], "little") == 3 * 84


def long_run(count: int, seed: int = 0, **changes: object) -> Run:
    """A run of many batches, whose details are one snapshot with other numbers."""
    (model,) = Trainer(TEXT, hidden_size=8, seq_length=3, horizon=2).train(1)
    generator = np.random.default_rng(seed)
    run = Run(model.vocabulary, memory_limit=1e6)
    for batch in range(count):
        size = np.float32(np.exp(generator.normal()))
        surfaces = {key: size * items for key, items in model.surfaces.items()}
        norm = float(generator.uniform(1, 2))
        run.append(dataclasses.replace(model, batch=batch, surfaces=surfaces, grad_norm=norm, update_norm=norm))
    return run


@pytest.fixture(scope="module")
def recorded() -> Run:
    return long_run(30_000)


def test_an_extract_loses_no_peak_of_any_quantity(recorded: Run) -> None:
    overview, count = recorded.overview, len(recorded)
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


def test_an_extract_of_a_run_that_fits_is_the_run(recorded: Run) -> None:
    most = most_rows(recorded.overview)
    np.testing.assert_array_equal(extract_rows(recorded.overview, most), np.arange(most))
    assert len(extract_rows(recorded.overview, most + 1)) <= most + 1
    assert extract_rows(Run(("a",)).overview, 0).tolist() == []


def test_an_extract_keeps_what_diverged_and_passes_over_what_is_not_finite() -> None:
    run = long_run(14_000)
    overview = run.overview
    overview._columns["max:W_hh"][4000:4100] = np.nan
    overview._columns["max:W_hh"][4050] = np.inf
    overview._columns["flags"][7777] = 1
    rows = extract_rows(overview, len(run)).tolist()
    assert 7777 in rows
    assert run.column("max_gradient")[rows][np.isfinite(run.column("max_gradient")[rows])].max() == np.nanmax(
        np.where(np.isfinite(run.column("max_gradient")), run.column("max_gradient"), 0)
    )


@settings(deadline=None, max_examples=100)
@given(
    sizes=st.lists(st.integers(1, 30), max_size=60),
    budget=st.integers(0, 20_000),
    wanted=st.sets(st.integers(0, 59), max_size=3),
)
def test_details_are_chosen_within_their_budget(sizes: list[int], budget: int, wanted: set[int]) -> None:
    (model,) = Trainer(TEXT, hidden_size=8, seq_length=3, horizon=2).train(1)
    snapshots: list[Snapshot] = []
    for batch, lags in enumerate(sizes):
        surfaces = {key: np.zeros((3, lags), np.float32) for key in KEYS}
        snapshots.append(dataclasses.replace(model, batch=batch, surfaces=surfaces))
    first = [snapshots[batch] for batch in sorted(wanted) if batch < len(snapshots)]
    chosen = spread(snapshots, budget, first)
    assert sum(map(packed_nbytes, chosen)) <= budget
    numbers = [snapshot.batch for snapshot in chosen]
    assert numbers == sorted(set(numbers))
    if sum(map(packed_nbytes, snapshots + first)) <= budget:
        assert numbers == list(range(len(snapshots)))
    if chosen and not first:
        assert numbers[-1] == len(snapshots) - 1
        assert len(set(np.diff(numbers))) <= 1, "evenly"
    if first and packed_nbytes(first[0]) <= budget:
        assert first[0].batch in numbers


def test_frames_carry_what_is_new_and_the_whole_carries_everything() -> None:
    trainer = Trainer(TEXT, hidden_size=8, record_every=2)
    feed = Feed(trainer.run)
    assert feed.frame() == ({"epoch": 0, "frame": 0, "recorded": 0}, [])
    trainer.train(5)
    numbers, chunks = feed.frame()
    assert numbers == {"epoch": 0, "frame": 1, "recorded": 3}
    assert batches(chunks) == detailed(chunks) == [0, 2, 4]
    trainer.train(2)
    chunks = feed.frame()[1]
    assert batches(chunks) == detailed(chunks) == [6]
    numbers, chunks = feed.whole()
    assert numbers == {"epoch": 0, "next": 3, "recorded": 4}
    assert batches(chunks) == detailed(chunks) == [0, 2, 4, 6]
    trainer.train(2)
    numbers, chunks = feed.whole()
    assert (numbers["next"], batches(chunks)) == (4, [0, 2, 4, 6, 8])
    numbers = {"epoch": 0, "frame": 4, "recorded": 5}
    assert feed.frame() == (numbers, []), "who got the whole misses nothing, who did not sees a gap"
    trainer.reset()
    assert feed.whole() == ({"epoch": 1, "next": 0, "recorded": 0}, [])
    trainer.train(1)
    numbers, chunks = feed.frame()
    assert (numbers, batches(chunks)) == ({"epoch": 1, "frame": 0, "recorded": 1}, [0])


def test_a_frame_is_bounded_but_for_its_overview_and_has_the_newest_details() -> None:
    trainer = Trainer(TEXT, hidden_size=8, record_every=1)
    feed = Feed(trainer.run)
    trainer.train(1000)
    _, chunks = feed.frame()
    assert batches(chunks) == list(range(1000))
    some = detailed(chunks)
    assert some[-1] == 999
    assert len(some) > 5
    assert len(set(np.diff(some))) == 1
    assert sum(len(chunk) for chunk in chunks if unpack(chunk)[0]["kind"] == "details") < FRAME_BYTES + 2000
    trainer = Trainer(TEXT, hidden_size=8, record_every=1, seq_length=100, horizon=None)
    feed = Feed(trainer.run)
    trainer.train(3)
    assert detailed(feed.frame()[1]) == [2], "of one that is larger than a frame's budget still the newest"


def test_what_was_thinned_before_it_was_told_is_in_the_overview() -> None:
    trainer = Trainer(TEXT, hidden_size=8, record_every=1, memory_limit=200_000)
    feed = Feed(trainer.run)
    trainer.train(300)
    _, chunks = feed.frame()
    assert batches(chunks) == list(range(300))
    assert set(detailed(chunks)) <= {snapshot.batch for snapshot in trainer.run.details()}
    _, chunks = feed.whole(selected=3)
    assert batches(chunks) == list(range(300))
    assert detailed(chunks) == [snapshot.batch for snapshot in trainer.run.details()]


def test_the_state_is_small_and_has_what_is_worth_seeing(recorded: Run) -> None:
    feed = Feed(recorded)
    held = recorded.details()
    selected = held[len(held) // 3].batch
    state = feed.state(selected)
    assert (state["epoch"], state["next"], state["recorded"]) == (0, 1, 30_000)
    kept = batches(state["chunks"])
    assert set(kept) >= {0, 29_999, selected, *(cue.batch for cue in recorded.cues())}
    some = detailed(state["chunks"])
    assert {selected, 29_999} <= set(some)
    assert sum(map(len, state["chunks"])) < EXTRACT_BYTES + STATE_BYTES + 10_000
    assert Feed(Run(("a",))).state() == {"epoch": 0, "next": 0, "recorded": 0, "chunks": []}


def test_the_state_of_a_run_with_very_large_snapshots_has_no_details() -> None:
    run = Trainer(TEXT, hidden_size=8, record_every=1, seq_length=200, horizon=None).train(3)
    chunks = Feed(run).state()["chunks"]
    assert (batches(chunks), detailed(chunks)) == ([0, 1, 2], [])


def test_the_state_is_due_again_when_much_was_streamed() -> None:
    trainer = Trainer(TEXT, hidden_size=8, record_every=1)
    feed = Feed(trainer.run)
    due = []
    for _ in range(STREAMED_BYTES // 300):
        trainer.train(1)
        feed.frame()
        due.append(feed.is_state_due())
    assert 1 <= sum(due) <= 3
    assert not due[0]


def test_details_are_there_or_the_nearest_is_named() -> None:
    trainer = Trainer(TEXT, hidden_size=8, record_every=10, memory_limit=100_000)
    feed = Feed(trainer.run)
    trainer.train(2000)
    found, chunks = feed.details(1990)
    asked = {"epoch": 0, "stream": None, "part": None}
    assert found == {**asked, "batch": 1990, "held": True, "nearest": None, "reason": None}
    assert detailed(chunks) == [1990]
    missing = int(trainer.run.batches[~trainer.run.detailed][0])
    found, chunks = feed.details(missing)
    assert (found["held"], detailed(chunks)) == (True, [missing])  # worked out again
    alone = copy.deepcopy(trainer.run)  # without a trainer
    found, chunks = Feed(alone).details(missing)
    assert (found["held"], chunks) == (False, [])
    assert alone.at(found["nearest"]).batch == found["nearest"]
    trainer.rnn.parameters.vector[:] = 0
    trainer.train(2000)
    changed = next(batch for batch in trainer.run.batches[~trainer.run.detailed] if batch >= 2000)
    found, chunks = feed.details(changed)
    assert (found["held"], chunks) == (False, [])
    assert trainer.run.at(found["nearest"]).batch == found["nearest"]
    assert found["reason"].startswith(f"Batch {changed} cannot be worked out again: trained again, its loss is ")
    assert feed.details(5) == ({**asked, "batch": 5, "held": False, "nearest": None, "reason": None}, [])


def test_lone_surrogates_can_be_sent() -> None:
    assert drawable("a\ud800é😀\0") == "a\ufffdé😀\0"

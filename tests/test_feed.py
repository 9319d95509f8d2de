"""Frames, wholes and states: how they are numbered, what goes along, and that they stay small."""

import copy

import numpy as np
from recorded import run_of
from unpacking import batches, detailed, unpack

from rnnbow_widget import Run, Trainer
from rnnbow_widget.extract import EXTRACT_BYTES
from rnnbow_widget.feed import FRAME_BYTES, STATE_BYTES, STREAMED_BYTES, Feed

TEXT = "abcde fghij " * 60


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


def test_the_state_is_small_and_has_what_is_worth_seeing(many: Run) -> None:
    feed = Feed(many)
    held = many.details()
    selected = held[len(held) // 3].batch
    state = feed.state(selected)
    assert (state["epoch"], state["next"], state["recorded"]) == (0, 1, 30_000)
    kept = batches(state["chunks"])
    assert set(kept) >= {0, 29_999, selected, *(cue.batch for cue in many.cues())}
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


def test_a_run_that_was_cleared_owes_no_state_of_the_one_before() -> None:
    run = run_of(1)
    feed = Feed(run)
    feed.renew_state()
    run.clear()
    feed.frame()
    assert not feed.is_state_due()

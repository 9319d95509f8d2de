"""Batches worth looking at, in series made so that the answer is known."""

from typing import Any

import numpy as np
import pytest
from recorded import snapshot

from rnnbow_widget import Run, Trainer
from rnnbow_widget.cues import APART, KINDS, LEAST_PAST, MOST_CHANGES, Cue, CueFinder
from rnnbow_widget.feed import Feed

TEXT = "abcde fghij " * 60


def find(heights: np.ndarray, *, chunk: int | None = None, **columns: object) -> list[Cue]:
    """Cues of a run whose batches are 0, 10, 20, …; shown all at once or in chunks."""
    count = len(heights)
    finder = CueFinder()
    given = {
        "max_gradient": heights,
        "horizon_length": np.full(count, 5.0),
        "grad_norm": np.ones(count),
        "update_norm": np.ones(count),
        "diverged": np.zeros(count, bool),
        **columns,
    }
    given.setdefault("clipped", np.asarray(given["update_norm"]) < np.asarray(given["grad_norm"]))
    for first in range(0, count, chunk or max(count, 1)):
        part = slice(first, first + (chunk or count))
        numbers = 10 * np.arange(count)[part]
        finder.extend(numbers, **{name: np.asarray(values)[part] for name, values in given.items()})
    return finder.cues()


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(0, 0.15, count))


def of(cues: list[Cue], kind: str) -> list[int]:
    return [cue.batch for cue in cues if cue.kind == kind]


def test_noise_alone_is_no_sudden_change() -> None:
    cues = find(noise(5000))
    assert of(cues, "sudden_change") == []
    assert [cue.kind for cue in cues] == ["tallest"]
    assert cues[0].batch == 10 * noise(5000).argmax()


def test_rises_and_drops_are_found_and_said_in_words() -> None:
    heights = noise(600)
    heights[300] = 9
    heights[450] = 0.1
    cues = find(heights)
    assert sorted(of(cues, "sudden_change")) == [3000, 4500]
    reasons = {cue.batch: cue.reason for cue in cues if cue.kind == "sudden_change"}
    assert reasons[3000].startswith("Sudden rise: max gradient 9 is ")
    assert "times the median of the 30 recorded batches before it" in reasons[3000]
    assert reasons[4500].startswith("Sudden drop: max gradient 0.1 is 0.")
    assert of(cues, "tallest") == [3000]


def test_one_outlier_does_not_hide_the_next() -> None:
    heights = noise(300)
    heights[[200, 212]] = 50, 20
    assert sorted(of(find(heights), "sudden_change")) == [2000, 2120]


def test_a_lasting_change_becomes_the_past() -> None:
    heights = noise(600)
    heights[300:] *= 10
    changes = of(find(heights), "sudden_change")
    assert changes
    assert all(3000 <= batch < 3000 + 10 * 25 for batch in changes)


def test_of_changes_close_together_the_strongest_is_named_and_of_many_the_strongest() -> None:
    heights = noise(4000)
    peaks = np.arange(100, 4000, 130)
    heights[peaks] = 5 + np.arange(len(peaks))
    heights[peaks[-1]] = 1000
    heights[peaks[-1] + APART - 1] = 6
    changes = of(find(heights), "sudden_change")
    assert len(changes) == MOST_CHANGES
    assert 10 * peaks[-1] in changes
    assert 10 * (peaks[-1] + APART - 1) not in changes


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_however_the_run_arrives_the_cues_are_the_same(chunk: int) -> None:
    heights = noise(500, seed=3)
    heights[[20, 120, 121, 333]] = 8, np.nan, 0, 12
    horizons = np.random.default_rng(1).integers(2, 9, 500).astype(float)
    given: Any = {"horizon_length": horizons, "grad_norm": np.where(np.arange(500) > 77, 1.5, 1)}
    assert find(heights, chunk=chunk, **given) == find(heights, **given)


def test_horizons_clipping_and_divergence() -> None:
    heights = noise(50)
    heights[49] = np.nan
    horizons = np.full(50, 4.0)
    horizons[[7, 30]] = 9
    horizons[12] = 1
    horizons[49] = np.nan
    norms = np.ones(50)
    norms[5:] = 2.5
    cues = find(heights, horizon_length=horizons, grad_norm=norms, diverged=np.arange(50) == 49)
    assert [cue.kind for cue in cues] == [kind for kind in KINDS if kind != "sudden_change"]
    assert [cue.batch for cue in cues if cue.kind != "tallest"] == [490, 50, 70, 120]
    assert cues[-2].reason == "Longest horizon of the run: gradients reach back 9 steps."
    assert cues[-1].reason == "Shortest horizon of the run: gradients reach back 1 step."
    assert cues[2].reason.endswith("its gradient's norm went from 2.5 to 1.")


def test_the_tallest_is_compared_with_the_median_of_the_run() -> None:
    heights = np.append(noise(999), 40.0)
    (tallest, *_) = find(heights)
    times = float(tallest.reason.split(", ")[1].split()[0])
    assert times == pytest.approx(40 / np.median(heights), rel=0.01)


def test_what_is_kept_to_name_changes_is_bounded() -> None:
    finder = CueFinder()
    heights = noise(20_000, seed=5)
    heights[::40] *= np.random.default_rng(0).uniform(5, 50, 500)
    count = len(heights)
    for first in range(0, count, 100):
        some = np.ones(100)
        numbers = np.arange(first, first + 100)
        finder.extend(numbers, heights[first : first + 100], some, some, some, np.zeros(100), np.zeros(100))
    assert finder.seen == count
    assert len(finder._changes) < 200
    changes = of(finder.cues(), "sudden_change")
    assert sorted(changes) == sorted(batch // 10 for batch in of(find(heights), "sudden_change"))
    assert len(changes) == MOST_CHANGES


def test_changes_that_are_not_kept_are_none_of_the_strongest() -> None:
    """Each of the strongest hides others close to it, which are stronger than those that are named after it."""
    heights = np.ones(6000)
    first = 200 + 400 * np.arange(12)  # far apart
    for place, height in zip(first, 100 / (1 + np.arange(12)), strict=True):
        heights[place : place + APART : 3] = height
    named = [(10 * first[:MOST_CHANGES]).tolist()] * 2
    assert [sorted(of(find(heights, chunk=chunk), "sudden_change")) for chunk in (None, 100)] == named


def test_a_short_or_even_or_empty_run_has_no_extremes() -> None:
    assert find(np.empty(0)) == []
    assert find(noise(LEAST_PAST - 1)) == []
    assert [cue.kind for cue in find(np.full(100, 2.0))] == ["tallest"]
    assert find(np.full(100, np.nan)) == []
    assert [cue.kind for cue in find(np.zeros(100))] == ["tallest"]


def test_a_run_and_its_feed_name_the_same() -> None:
    trainer = Trainer(TEXT, hidden_size=8, record_every=5, clip_norm=1.0)
    feed = Feed(trainer.run)
    assert feed.cues() == []
    assert trainer.run.cues() == []
    for _ in range(4):
        trainer.train(100)
        assert [Cue(**cue) for cue in feed.cues()] == trainer.run.cues()
    assert of(trainer.run.cues(), "first_clipped") == [0]
    assert len(of(trainer.run.cues(), "tallest")) == 1
    trainer.reset()
    assert feed.cues() == []


def test_clipping_and_divergence_need_no_past() -> None:
    run = Run(("a", "b"))
    run.append(snapshot(0, update_norm=0.0))
    run.append(snapshot(1, diverged=True))
    assert [(cue.kind, cue.batch) for cue in run.cues()] == [("diverged", 1), ("first_clipped", 0)]

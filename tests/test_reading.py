"""What is said of a batch is true of its numbers, and the front end says the same (js/test/reading.test.ts)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from recorded import recorded

from rnnbow_widget import Run, Trainer
from rnnbow_widget.reading import FEWEST_STEPS, MOST, Reading, read

CASES = json.loads((Path(__file__).parent / "readings.json").read_text(encoding="utf-8"))


def snapshot_of(
    pieces: Any, shares: Any = None, totals: Any = None, *, zero: bool = False, counted: Any = None, name: str = "W_hh"
) -> Any:
    """A recorded batch of these numbers; without shares, pieces are shares of their sum."""
    pieces = np.array(pieces, np.float32)  # (n, k)
    shares = pieces / max(pieces.sum(), 1e-9) if shares is None else np.array(shares, np.float32)  # (n, k)
    totals = shares.sum(axis=1) if totals is None else np.array(totals, np.float32)  # (n,)
    return replace(
        recorded(0, steps=len(pieces)),
        surfaces={name: pieces, f"{name}:share": shares},
        step_totals={name: pieces.sum(axis=1), f"{name}:share": totals},
        from_zero_state=zero,
        counted=None if counted is None else np.array(counted, np.float32),
    )


def decaying(factors: list[float], lags: int | None = None) -> Any:
    """Pieces (n, k) of n losses, of which each falls by its factor with every step back."""
    steps = len(factors)
    pieces = np.zeros((steps, steps if lags is None else lags))
    for t, factor in enumerate(factors):
        for d in range(min(t + 1, pieces.shape[1])):
            pieces[t - d, d] = factor**d
    return pieces


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_cases_that_the_front_end_reads_too(case: dict[str, Any]) -> None:
    made = snapshot_of(
        case["pieces"],
        case["shares"],
        case["totals"],
        zero=case["zero_state"],
        counted=case["counted"],
        name=case["surface"],
    )
    found = read(made, case["surface"])
    assert found.sentence() == case["sentence"]
    near = None if found.near is None else [found.near.lag, pytest.approx(found.near.part, abs=1e-5)]
    assert case["near"] == near
    assert case["reach"] == (None if found.reach is None else [found.reach.steps, found.reach.seen])
    assert case["growth"] == (None if found.growth is None else pytest.approx(found.growth, rel=1e-4))


@given(factor=st.floats(0.05, 0.95), steps=st.integers(FEWEST_STEPS, 40), lags=st.integers(1, 40))
def test_how_far_a_loss_reaches_is_claimed_only_if_it_was_seen(factor: float, steps: int, lags: int) -> None:
    lags = min(lags, steps)
    found = read(snapshot_of(decaying([factor] * steps, lags)))
    truly = int(np.ceil(np.log(0.01) / np.log(factor) - 1e-4))
    assert found.reach is not None
    if found.reach.seen:
        assert found.reach.steps == pytest.approx(truly, abs=1)
    else:
        assert found.reach.steps <= truly
        assert "at least" in found.sentence()


@given(
    data=st.lists(st.lists(st.floats(-0.125, 1, width=32), min_size=9, max_size=9), min_size=9, max_size=9),
    beyond=st.floats(-0.1, 0.9),  # what part of the gradient comes from losses further away than those recorded
)
def test_the_part_that_is_told_is_that_part_of_the_gradient(data: list[list[float]], beyond: float) -> None:
    shares = np.array(data, np.float64)  # (9, 9)
    totals = shares.sum(axis=1) / (1 - beyond)  # (9,)
    found = read(snapshot_of(np.abs(shares) + 1e-3, shares, totals)).near
    assume(found is not None)  # else they cancel
    assert found is not None
    lags = shares.shape[1] if found.lag is None else found.lag + 1
    part = shares[:, :lags].sum() / totals.sum()
    assert found.part == pytest.approx(part, abs=1e-3)
    assert (found.lag is None) == (found.part < MOST)


def test_a_growing_gradient_is_said_to_grow() -> None:
    found = read(snapshot_of(decaying([2.0] * 12)))
    assert found.growth == 2**8
    assert "grows" in found.sentence()
    assert "hardly" not in found.sentence()


@pytest.mark.parametrize(
    "made",
    [
        snapshot_of(decaying([0.1] * (FEWEST_STEPS - 1))),
        snapshot_of(np.zeros((10, 10))),
        snapshot_of(np.where(np.eye(10) > 0, np.nan, 0.1)),
        snapshot_of(decaying([0.1] * 10), name="h"),
        snapshot_of(decaying([0.1] * 10), name="W_ih"),
        snapshot_of(decaying([0.1] * 10), name="W_hh[3]"),
        replace(snapshot_of(decaying([0.1] * 10)), first_lags={"W_hh": -4}),
    ],
    ids=["short", "zero", "not finite", "of states", "of inputs", "of a unit", "from both sides"],
)
def test_nothing_is_said_where_nothing_is_known(made: Any) -> None:
    found = read(made)
    assert found == Reading(found.surface, found.steps, found.lags)
    assert found.sentence() == ""


def test_losses_that_cancel_are_not_told_as_parts() -> None:
    shares = np.zeros((10, 10))
    shares[:, 0], shares[:, 1] = 1.0, -0.5
    assert read(snapshot_of(np.abs(shares), shares)).near is None
    assert read(snapshot_of(np.abs(shares), -shares)).near is None, "a stream that works against the whole"


def test_a_run_reads_its_batches() -> None:
    trainer = Trainer("abcde fghij " * 30, hidden_size=6, record_every=2, seq_length=12, horizon=None)
    with pytest.raises(LookupError, match="nothing was recorded"):
        trainer.run.reading()
    trainer.train(9)
    assert trainer.run.reading() == read(trainer.run[-1])
    assert trainer.run.reading(2) == read(trainer.run.at(2))
    assert trainer.run.reading(2).sentence()
    assert trainer.run.reading(2, "W_ih").sentence() == ""
    with pytest.raises(KeyError):
        trainer.run.reading(3)
    assert Run(("a",)).diagnoses() == []

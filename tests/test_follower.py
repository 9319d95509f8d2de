"""A page that follows a run file: what it is told."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unpacking import batches, detailed

from rnnbow_widget import Run, Trainer
from rnnbow_widget.follower import Follower, packed
from rnnbow_widget.page import make_page
from rnnbow_widget.reporter import Reporter

TEXT = "the quick brown fox jumps over the lazy dog; " * 30


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    trainer = Trainer(TEXT, hidden_size=8, record_every=5, horizon=5, save=tmp_path / "run.rnnbow")
    trainer.train(20)
    return trainer


@pytest.fixture
def follower(trainer: Trainer, tmp_path: Path) -> Follower:
    return Follower(Run.open(tmp_path / "run.rnnbow"))


def opened(follower: Follower) -> tuple[str, dict[str, Any]]:
    """Open a page: its name, and the traits in it."""
    page = follower.page()
    name = page.partition('id="rnnbow-follows">talk?page=')[2].partition("<")[0]
    traits = page.partition('id="rnnbow-traits">')[2].partition("</script>")[0]
    return name, json.loads(traits)


def follow(follower: Follower, page: str) -> tuple[dict[str, Any], list[bytes]]:
    ((content, chunks),) = follower.answer(page, {"kind": "follow", "client": "c", "seq": 1})
    return content, chunks


def test_a_page_is_told_what_is_new_and_nothing_twice(follower: Follower, trainer: Trainer) -> None:
    name, traits = opened(follower)
    assert traits["_run"]["recorded"] == 4
    assert traits["_info"]["page"] is None
    assert traits["_status"]["file"]["follows"]
    trainer.train(11)
    frame, chunks = follow(follower, name)
    assert (frame["kind"], frame["client"], frame["seq"], frame["last"]) == ("frame", "c", 1, True)
    assert (frame["epoch"], frame["frame"], frame["recorded"]) == (0, traits["_run"]["next"], 7)
    assert batches(chunks) == [20, 25, 30]
    frame, chunks = follow(follower, name)
    assert frame["frame"] == traits["_run"]["next"] + 1
    assert not chunks


def test_each_page_is_told_for_itself(follower: Follower, trainer: Trainer) -> None:
    first, _ = opened(follower)
    trainer.train(6)
    second, traits = opened(follower)
    assert traits["_run"]["recorded"] == 6
    assert not follow(follower, second)[1]
    assert batches(follow(follower, first)[1]) == [20, 25]


def test_what_a_page_does_not_hold_is_asked_for(follower: Follower) -> None:
    name, _ = opened(follower)
    ((content, chunks),) = follower.answer(name, {"kind": "details", "client": "c", "batch": 5, "part": None})
    assert content["held"]
    assert detailed(chunks) == [5]
    ((content, chunks),) = follower.answer(name, {"kind": "details", "client": "c", "batch": 5, "part": "W_ih"})
    assert not content["held"]
    assert "W_ih" in content["reason"]
    ((content, chunks),) = follower.answer(name, {"kind": "resync", "client": "c"})
    assert content["kind"] == "whole"
    assert batches(chunks) == [0, 5, 10, 15]


def test_a_page_loads_anew_when_the_file_has_another_run(follower: Follower, trainer: Trainer) -> None:
    name, _ = opened(follower)
    other, _ = opened(follower)
    trainer.reset()
    trainer.train(6)
    assert follow(follower, name)[0]["kind"] == follow(follower, other)[0]["kind"] == "reload"
    assert opened(follower)[1]["_run"]["recorded"] == 2


def test_a_page_hears_nothing_of_another_run_that_a_second_page_has_found(follower: Follower, trainer: Trainer) -> None:
    first, _ = opened(follower)
    second, _ = opened(follower)
    trainer.reset()
    trainer.train(6)
    assert follow(follower, second)[0]["kind"] == "reload"
    for asked in ({"kind": "details", "batch": 5, "part": None}, {"kind": "resync"}, {"kind": "follow", "seq": 1}):
        assert follower.answer(first, {"client": "c", **asked}) == [({"kind": "reload"}, [])]


def test_a_page_that_does_not_hear_that_it_is_to_load_anew_is_told_again(follower: Follower, trainer: Trainer) -> None:
    name, _ = opened(follower)
    trainer.reset()
    trainer.train(6)
    assert [follow(follower, name)[0]["kind"] for _ in range(3)] == ["reload"] * 3


def test_a_page_that_was_forgotten_loads_anew(follower: Follower) -> None:
    first, _ = opened(follower)
    for _ in range(32):
        last, _ = opened(follower)
    assert follow(follower, first)[0]["kind"] == "reload"
    assert follow(follower, last)[0]["kind"] == "frame"


def test_a_file_that_cannot_be_read_any_more_is_said(follower: Follower, tmp_path: Path) -> None:
    name, _ = opened(follower)
    (tmp_path / "run.rnnbow").write_bytes(b"no run file" * 1000)
    frame, _ = follow(follower, name)
    assert frame["kind"] == "frame"
    assert "run.rnnbow" in frame["status"]["message"]


@pytest.mark.parametrize("harm", ["gone", "no run file", "damaged details"])
def test_a_page_that_is_opened_while_the_file_cannot_be_read_has_what_was_read(
    trainer: Trainer, tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "run.rnnbow"
    follower = Follower(Run.open(path, memory_limit=20_000))
    if harm == "damaged details":
        loss = trainer.run[1].loss.tobytes()
        assert path.read_bytes().count(loss) == 1
        path.write_bytes(path.read_bytes().replace(loss, bytes(len(loss))))
    elif harm == "gone":
        path.unlink()
    else:
        path.write_bytes(b"no run file" * 1000)
    name, traits = opened(follower)
    assert traits["_run"]["recorded"] == 4
    assert ("run.rnnbow" in traits["_status"]["message"]) == (harm != "damaged details")
    assert follow(follower, name)[0]["kind"] == "frame"


@pytest.mark.parametrize("message", [None, [], {}, {"kind": "lease"}, {"kind": "details", "batch": "five"}])
def test_other_messages_are_refused(follower: Follower, message: Any) -> None:
    name, _ = opened(follower)
    with pytest.raises((TypeError, ValueError), match="takes"):
        follower.answer(name, message)


def test_a_page_has_one_batch_however_large_that_is(follower: Follower) -> None:
    reporter = Reporter(follower._run, None)
    with pytest.raises(ValueError, match="max_bytes takes at least"):
        make_page(reporter, max_bytes=1_000)
    assert '"recorded":4' in make_page(reporter, max_bytes=1_000, follows="talk")


def test_only_a_run_from_a_file_is_followed(trainer: Trainer) -> None:
    with pytest.raises(ValueError, match="run takes one that was opened from a file"):
        Follower(trainer.run)


def test_messages_are_packed_as_they_are_described() -> None:
    body = packed([({"kind": "a", "words": "é"}, []), ({"kind": "b"}, [b"1234", b"56789abc"])])
    end = 4 + int(np.frombuffer(body, "<u4", 1)[0])
    assert json.loads(body[4:end]) == [
        {"content": {"kind": "a", "words": "é"}, "lengths": []},
        {"content": {"kind": "b"}, "lengths": [4, 8]},
    ]
    assert end % 4 == 0
    assert body[end:] == b"123456789abc"

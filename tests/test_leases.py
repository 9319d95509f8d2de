"""Who trains, and until when: leases and steps of pages, and what ends them; without a browser."""

import threading
import time
from typing import Any

import numpy as np
import pytest
from pages import Page, make

from rnnbow_widget import DivergedError, leases


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(make(), monkeypatch)


@pytest.mark.usefixtures("even_clock")
def test_a_lease_trains_for_its_time_and_streams(page: Page) -> None:
    page.widget.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=250)
    assert len(replies) >= 3
    assert [reply["frame"] for reply in replies] == list(range(len(replies)))
    assert [reply["last"] for reply in replies] == [False] * (len(replies) - 1) + [True]
    assert all((reply["client"], reply["seq"]) == ("a", 1) for reply in replies)
    assert replies[-1]["playing"] is True
    assert replies[-1]["status"]["state"] == "training"
    assert 0 < replies[-1]["status"]["batch"] < page.trainer.batch
    assert replies[-1]["status"]["rate"] > 0
    told = page.batches()
    (reply,) = page.says(kind="stop")
    assert reply["status"]["batch"] == page.trainer.batch, "what was trained after the last frame is told too"
    assert told + page.batches() == page.widget.run.batches.tolist()
    assert page.says(kind="lease", client="a", seq=1, ms=120) == [{"kind": "done", "client": "a", "seq": 1}]
    assert page.says(kind="lease", client="b", seq=1, ms=5)[-1]["last"]


def test_the_next_lease_is_asked_for_while_the_one_before_still_trains(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another thread, as hosts deliver it; and what was trained meanwhile is told once."""
    monkeypatch.setattr(leases, "_OVERLAP_SECONDS", 30)  # the next one waits for so long, however busy the machine is
    page.widget.play()
    next_lease = threading.Thread(
        target=page.widget._conversation.receive, args=({"kind": "lease", "client": "a", "seq": 2, "ms": 60},)
    )
    send = page.widget.send

    def answer(content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        send(content, buffers)
        if content["last"] and content["seq"] == 1:
            assert page.widget._conversation.leases.lock.locked()
            next_lease.start()

    monkeypatch.setattr(page.widget, "send", answer)
    page.widget._conversation.receive({"kind": "lease", "client": "a", "seq": 1, "ms": 60})
    next_lease.join()
    page.widget._conversation.receive({"kind": "stop"})
    contents = [content for content, _ in page.sent]
    assert [content["seq"] for content in contents if content["last"]] == [1, 2, 0]
    assert all(content["kind"] == "frame" for content in contents), "nobody was told to come back later"
    assert page.batches() == page.widget.run.batches.tolist()


@pytest.mark.usefixtures("even_clock")
@pytest.mark.parametrize("trouble", ["stop", "error"])
def test_what_ends_the_training_after_the_last_frame_of_a_lease_is_told(
    page: Page, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    page.widget.play()
    train = page.trainer.train

    def watched(batches: int) -> object:
        if any(content["last"] for content, _ in page.sent):
            if trouble == "error":
                raise RuntimeError("the disk is full")
            page.widget.pause()
        return train(batches)

    monkeypatch.setattr(page.widget.trainer, "train", watched)
    replies = page.says(kind="lease", client="a", seq=1, ms=100)
    last, end = [reply for reply in replies if reply["kind"] == "frame" and reply["last"]]
    assert (last["seq"], last["playing"]) == (1, True)
    assert (end["client"], end["seq"], end["playing"]) == (None, 0, False)
    assert end["status"]["state"] == {"stop": "paused", "error": "error"}[trouble]
    assert page.batches() == page.widget.run.batches.tolist()
    assert not page.widget._conversation.leases.lock.locked()


def test_a_pause_between_leases_is_told(page: Page) -> None:
    page.widget.play()
    page.says(kind="lease", client="a", seq=1, ms=50)
    page.sent.clear()
    page.widget.pause()  # by a cell, while the page waits for its next turn, or is hidden
    ((frame, _),) = page.sent
    assert (frame["kind"], frame["playing"], frame["status"]["state"]) == ("frame", False, "paused")


def test_a_lease_nobody_wants_trains_nothing(page: Page) -> None:
    replies = page.says(kind="lease", client="a", seq=1, ms=50)
    assert [(reply["last"], reply["playing"]) for reply in replies] == [(True, False)]
    assert page.trainer.batch == 0


def test_stop_ends_a_running_lease_at_once(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_LONGEST_LEASE_MS", 120_000)
    page.widget.play()
    lease = threading.Thread(
        target=page.widget._conversation.receive, args=({"kind": "lease", "client": "a", "seq": 1, "ms": 120_000},)
    )
    lease.start()
    while not page.sent:
        pass
    assert page.widget._conversation.leases.lock.locked()
    page.widget._conversation.receive({"kind": "lease", "client": "b", "seq": 1, "ms": 50})
    page.widget._conversation.receive({"kind": "stop"})
    lease.join(timeout=60)
    assert not lease.is_alive()
    contents = [content for content, _ in page.sent]
    assert {"kind": "busy", "client": "b", "seq": 1} in contents
    assert contents[-1]["last"] is True
    assert contents[-1]["playing"] is False
    assert contents[-1]["status"]["state"] == "paused"


@pytest.mark.usefixtures("even_clock")
def test_stop_between_leases_says_that_training_is_paused(page: Page) -> None:
    page.widget.play()
    page.says(kind="lease", client="a", seq=1, ms=20)
    (reply,) = page.says(kind="stop")
    assert (reply["playing"], reply["status"]["state"]) == (False, "paused")


def test_who_keeps_asking_is_remembered_however_many_pages_come_and_go(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_MOST_PAGES", 5)
    for seq in range(1, 20):
        page.says(kind="lease", client="stays", seq=seq, ms=1)
        page.says(kind="lease", client=f"goes after {seq}", seq=1, ms=1)
        assert page.says(kind="lease", client="stays", seq=seq, ms=1) == [
            {"kind": "done", "client": "stays", "seq": seq}
        ]
    assert len(page.widget._conversation.leases._answered) == 5


def test_steps(page: Page) -> None:
    (reply,) = page.says(kind="step", client="a", seq=1, until="batch")
    assert (reply["last"], reply["status"]["batch"], page.batches()) == (True, 1, [0])
    page.says(kind="step", client="a", seq=2, until="record")
    assert page.batches() == [10]
    page.widget.step()
    page.widget.step_to_record()
    assert page.widget.run.batches.tolist() == [0, 10, 11, 20]
    assert page.says(kind="step", client="a", seq=3, until="noon")[-1]["message"].startswith(
        "ValueError: until takes one of"
    )


def test_divergence_is_shown_and_keeps_the_run(page: Page) -> None:
    page.widget.train(25)
    page.trainer.rnn.parameters.W_hh[:] = np.nan
    page.widget.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=100)
    last = replies[-1]
    assert (last["last"], last["playing"]) == (True, False)
    assert last["status"]["state"] == "diverged"
    assert "not finite" in last["status"]["message"]
    assert "learning_rate" in last["status"]["hint"]
    assert page.widget.run.batches.tolist() == [0, 10, 20, 25]
    with pytest.raises(DivergedError):
        page.widget.train(1)
    page.says(kind="reset")
    assert page.widget.get_state()["_status"]["state"] == "ready"


def test_an_exception_in_the_kernel_is_shown(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.widget.train(5)
    monkeypatch.setattr(page.widget.trainer, "train", lambda _: 1 / 0)
    page.widget.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=100)
    assert [reply["kind"] for reply in replies] == ["frame", "error"]
    assert replies[0]["status"]["state"] == "error"
    assert replies[1]["message"] == "ZeroDivisionError: division by zero"
    assert not page.widget.playing
    assert not page.widget._conversation.leases.lock.locked()


def test_an_interrupt_stops_the_playing(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(page.widget.trainer, "train", interrupt)
    page.widget.play()
    with pytest.raises(KeyboardInterrupt):
        page.says(kind="lease", client="a", seq=1, ms=100)
    assert page.sent[-1][0]["playing"] is False
    assert page.sent[-1][0]["status"]["message"] == ""
    assert not page.widget._conversation.leases.lock.locked()


def test_playing_is_not_taken_up_again_by_a_page_that_comes_much_later(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.widget.play()
    assert page.widget.get_state()["playing"] is True
    page.says(kind="lease", client="a", seq=1, ms=1)
    assert page.widget.get_state()["playing"] is True
    now = time.monotonic()
    monkeypatch.setattr(leases, "monotonic", lambda: now + 60)
    assert page.widget.get_state()["playing"] is False
    page.widget.play()
    assert page.widget.get_state()["playing"] is True


def test_a_page_waits_while_a_cell_trains_the_trainer_itself(page: Page) -> None:
    page.widget.play()
    with page.trainer.training():
        page.trainer.train(3)
        (reply,) = page.says(kind="lease", client="a", seq=1, ms=60)
        assert reply == {"kind": "busy", "client": "a", "seq": 1}
        (reply,) = page.says(kind="step", client="a", seq=1, until="batch")
        assert reply["kind"] == "busy"
        assert page.trainer.batch == 3
    assert page.says(kind="step", client="a", seq=1, until="batch")[-1]["kind"] == "frame"
    assert page.trainer.batch == 4

"""Pages see one stream of a minibatch, or the average: what travels says which, and does not grow with the streams."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import traitlets
from pages import TEXT, Page, make
from unpacking import batches, detailed, require_details, unpack

from rnnbow_widget import RNNbow, Run, Trainer
from rnnbow_widget.feed import STATE_BYTES, Feed
from rnnbow_widget.protocol import pack_details, packed_nbytes

STREAMS = 4


def record(batch_size: int = STREAMS, batches: int = 7, **settings: Any) -> Trainer:
    given = {"hidden_size": 8, "seq_length": 12, "horizon": 4, "record_every": 3, **settings}
    trainer = Trainer(TEXT, batch_size=batch_size, **given)
    trainer.train(batches)
    return trainer


def details(chunks: list[bytes]) -> list[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    read = [unpack(chunk) for chunk in chunks]
    return [(header, columns) for header, columns in read if header["kind"] == "details"]


def streams_of(chunks: list[bytes]) -> set[int | None]:
    return {header["stream"] for header, _ in details(chunks)}


def test_snapshots_know_which_stream_they_are() -> None:
    snapshot = record().run[-1]
    assert [one.stream for one in (snapshot, *snapshot.streams)] == [None, 0, 1, 2, 3]
    assert "streams[2], data" in repr(snapshot.streams[2])
    assert record(batch_size=1).run[-1].stream is None


def test_details_of_the_average_have_shares_of_streams_instead_of_labels() -> None:
    run = record().run
    ((header, columns),) = details(pack_details(run))
    assert (header["stream"], header["count"]) == (None, 3)
    assert "start" not in columns
    require_details(columns, list(run))
    assert (columns["target"] == -1).all()
    assert (columns["prediction"] == -1).all()
    for i, snapshot in enumerate(run):
        right = [one.target_tokens == one.prediction_tokens for one in snapshot.streams]  # B of (n,)
        np.testing.assert_array_equal(columns["accuracy"][i] * STREAMS, np.sum(right, axis=0))
    assert 0 < columns["accuracy"].mean() < 1


@pytest.mark.parametrize("stream", range(STREAMS))
def test_details_of_a_stream_have_its_labels_and_its_place(stream: int) -> None:
    run = record().run
    snapshots = [snapshot.streams[stream] for snapshot in run]
    ((header, columns),) = details(pack_details(snapshots))
    assert (header["stream"], header["count"]) == (stream, 3)
    assert "accuracy" not in columns
    require_details(columns, snapshots)
    tokens = {label: token for token, label in enumerate(run.vocabulary)}
    for i, start in enumerate(columns["start"]):
        assert start == stream * (len(TEXT) // STREAMS) + 3 * i * 12 + 1
        assert columns["target"][i].tolist() == [tokens[label] for label in TEXT[start : start + 12]]


def test_details_of_one_stream_alone_are_as_ever() -> None:
    ((header, columns),) = details(pack_details(record(batch_size=1).run))
    assert header["stream"] is None
    assert not {"accuracy", "start"} & columns.keys()


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_what_travels_does_not_grow_with_the_streams(batch_size: int) -> None:
    run = record(batch_size).run
    for stream in [None, *range(batch_size)] if batch_size > 1 else [None]:
        shown = [snapshot if stream is None else snapshot.streams[stream] for snapshot in run]
        (chunk,) = pack_details(shown)
        header = 4 + int.from_bytes(chunk[:4], "little")
        assert len(chunk) - header == sum(map(packed_nbytes, shown))
        assert packed_nbytes(shown[0]) <= packed_nbytes(record(1).run[0]) + 4 * 12
    assert sum(map(len, Feed(run).state()["chunks"])) < 12_000


@pytest.mark.parametrize("stream", [None, 0, 3])
def test_everything_that_carries_details_carries_those_of_the_chosen_stream(stream: int | None) -> None:
    trainer = record(batches=0)
    feed = Feed(trainer.run)
    trainer.train(7)
    carried = [
        feed.frame(stream)[1],
        feed.whole(3, stream)[1],
        feed.state(3, stream)["chunks"],
    ]
    for chunks in carried:
        assert batches(chunks) == detailed(chunks) == [0, 3, 6]
        assert streams_of(chunks) == {stream}
    found, chunks = feed.details(3, stream)
    asked = {"epoch": 0, "batch": 3, "stream": stream, "part": None}
    assert found == {**asked, "held": True, "nearest": None, "reason": None}
    assert (detailed(chunks), streams_of(chunks)) == ([3], {stream})
    assert feed.details(4, stream) == (found | {"batch": 4, "held": False}, [])


def test_the_state_is_bounded_whatever_the_number_of_streams() -> None:
    trainer = record(8, 200, record_every=1, seq_length=40, horizon=None)
    for stream in (None, 5):
        chunks = Feed(trainer.run).state(None, stream)["chunks"]
        assert sum(len(chunk) for chunk in chunks if unpack(chunk)[0]["kind"] == "details") < STATE_BYTES + 2_000
        assert detailed(chunks)[-1] == 199


def test_a_run_that_holds_no_streams_says_so() -> None:
    recorded = record().run
    run = Run(recorded.vocabulary, recorded.settings)
    for snapshot in recorded:
        run.append(dataclasses.replace(snapshot, streams=()))
    feed = Feed(run)
    assert detailed(feed.state(None, 2)["chunks"]) == []
    found, chunks = feed.details(3, 2)
    assert (found["held"], found["nearest"], chunks) == (False, None, [])
    assert feed.details(3)[0]["held"]


def test_the_stream_is_a_trait_that_pages_share() -> None:
    widget = make(batch_size=STREAMS)
    assert (widget.stream, widget.get_state()["stream"], widget.get_state()["_info"]["batch_size"]) == (
        None,
        None,
        STREAMS,
    )
    widget.set_state({"stream": 2})
    assert widget.stream == 2
    widget.stream = 3
    assert widget.get_state()["stream"] == 3
    widget.set_state({"stream": None})
    assert widget.stream is None
    chosen = make(batch_size=STREAMS, stream=1)
    assert (chosen.stream, chosen.get_state()["stream"]) == (1, 1)


@pytest.mark.parametrize("value", [STREAMS, 99, -1, True, 1.5, "2"])
def test_a_stream_that_is_not_there_is_refused_and_what_was_chosen_stays(value: object) -> None:
    widget = make(batch_size=STREAMS, stream=2)
    with pytest.raises(traitlets.TraitError, match="stream") as caught:
        widget.stream = value
    assert str(value) in str(caught.value)
    if isinstance(value, int) and value >= STREAMS:
        assert "None, for the average over streams, or 0 to 3, since batch_size is 4" in str(caught.value)
    assert widget.stream == 2
    widget.set_state({"stream": value})  # as pages do, which are told; see test_malformed_traits.py
    assert widget.stream == 2
    with pytest.raises(traitlets.TraitError, match="stream"):
        make(batch_size=STREAMS, stream=value)


def test_one_stream_is_its_own_average() -> None:
    widget = make(stream=0)
    assert widget.stream is None
    widget.stream = 0
    assert widget.get_state()["stream"] is None
    with pytest.raises(traitlets.TraitError, match="or 0, since batch_size is 1; got 1"):
        widget.stream = 1
    widget.train(1)
    assert streams_of(widget.get_state()["_run"]["chunks"]) == {None}


def test_pages_get_the_stream_that_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(make(batch_size=STREAMS, stream=1), monkeypatch)
    page.widget.train(15)
    assert {stream for _, chunks in page.sent for stream in streams_of(chunks)} == {1}
    assert streams_of(page.widget.get_state()["_run"]["chunks"]) == {1}
    page.says(kind="resync", client="a")
    assert streams_of(page.sent[-1][1]) == {1}
    # A page may still ask for another: each answer says what it has.
    for stream in (None, 0, 3):
        (reply,) = page.says(kind="details", client="a", batch=10, stream=stream)
        assert (reply["batch"], reply["stream"], reply["held"]) == (10, stream, True)
        assert streams_of(page.sent[-1][1]) == {stream}
    for wrong in (STREAMS, -1, "x"):
        assert "stream takes" in page.says(kind="details", client="a", batch=10, stream=wrong)[-1]["message"]


def test_a_choice_sends_the_details_that_a_saved_notebook_is_to_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = make(batch_size=STREAMS)
    widget.train(25)
    sent: list[Any] = []
    monkeypatch.setattr(widget, "send_state", lambda key=None: sent.append((key, widget.get_state()["_run"])))
    widget.set_state({"stream": 2})
    widget.stream = None
    widget.stream = None
    runs = [run for key, run in sent if key == "_run"]
    assert [streams_of(run["chunks"]) for run in runs] == [{2}, {None}]
    assert [detailed(run["chunks"]) for run in runs] == [[0, 10, 20]] * 2


@pytest.mark.usefixtures("even_clock")
def test_while_it_plays_those_details_follow_the_next_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(make(batch_size=STREAMS, record_every=1), monkeypatch)
    order: list[str] = []
    monkeypatch.setattr(page.widget, "send_state", lambda key=None: order.append(key if isinstance(key, str) else ""))
    page.widget.play()
    page.says(kind="lease", client="a", seq=1, ms=100)
    order.clear()
    page.widget.set_state({"stream": 2})
    assert "_run" not in order, "batches may have been recorded that no frame has told"
    page.says(kind="lease", client="a", seq=2, ms=100)
    assert order.count("_run") == 1
    assert {stream for _, chunks in page.sent for stream in streams_of(chunks)} == {2}
    assert page.widget.get_state()["_run"]["next"] == page.widget._reporter.feed.frame(2)[0]["frame"]


def test_a_finished_run_shows_any_stream() -> None:
    run = record().run
    widget = RNNbow(run, stream=3)
    assert widget.get_state()["_info"]["batch_size"] == STREAMS
    assert streams_of(widget.get_state()["_run"]["chunks"]) == {3}
    with pytest.raises(traitlets.TraitError, match="batch_size is 4"):
        widget.stream = 4

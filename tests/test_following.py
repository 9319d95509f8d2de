"""The widget with a run file: opened, followed while somebody writes it, told in words; without a browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import Page
from recorded import recorded, run_of
from saving import TEXT, reader_of, require_same_run, somebody_reads, trainer, writer_of
from unpacking import batches, detailed

from rnnbow_widget import RNNbow, Run, RunFileError, RunFileWarning, Trainer, compare, run_writer
from rnnbow_widget.run_reader import SILENT_SECONDS


class FollowingPage(Page):
    """A page that follows: asks what is new."""

    widget: RNNbow
    _seq = 0

    def follow(self) -> dict[str, Any]:
        """Ask once; return the frame that answers."""
        self._seq += 1
        answer = self.says(kind="follow", client="page", seq=self._seq)[-1]
        assert (answer["kind"], answer["client"], answer["seq"], answer["last"], answer["playing"]) == (
            "frame",
            "page",
            self._seq,
            True,
            False,
        )
        return answer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.rnnbow"


@pytest.mark.parametrize("as_text", [True, False])
def test_a_run_file_is_opened_by_its_name(path: Path, as_text: bool) -> None:
    saved = trainer(save=path)
    saved.train(21)
    widget = RNNbow(str(path) if as_text else path, quantity="loss")
    assert widget.trainer is None
    assert repr(widget).startswith("RNNbow(Run(5 recorded batches")
    found = widget.get_state()
    assert batches(found["_run"]["chunks"]) == detailed(found["_run"]["chunks"]) == [0, 5, 10, 15, 20]
    assert found["_info"]["live"] is False
    assert found["_info"]["cell"] == "tanh"
    assert found["_labels"] == list(saved.data.vocabulary)
    assert found["_status"]["file"] == {"follows": True, "said": "Follows run.rnnbow: paused 0 s ago.", "trouble": ""}
    with pytest.raises(ValueError, match="nothing to train"):
        widget.train(1)
    with pytest.raises(TypeError, match="seed: settings are taken only with data; this Run has its own"):
        RNNbow(path, seed=1)


def test_a_name_that_no_file_has_is_no_text_to_train_on(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no .*run\.rnnbow"):
        RNNbow(path)
    path.write_bytes(b"no run file" * 1000)
    with pytest.raises(RunFileError, match="not a run file"):
        RNNbow(str(path))
    assert RNNbow(TEXT + "\n.rnnbow", hidden_size=4).trainer is not None


def test_what_is_written_meanwhile_comes_as_frames(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = trainer(save=path)
    widget = RNNbow(path)
    page = FollowingPage(widget, monkeypatch)
    assert page.follow()["recorded"] == 0
    assert widget.get_state()["_status"]["state"] == "ready"
    with saved.training():
        saved.train(11)
        assert saved.run.writer is not None
        saved.run.writer.flush()
        answer = page.follow()
        assert (answer["recorded"], answer["frame"], answer["status"]["state"]) == (3, 1, "training")
        assert answer["status"]["file"]["said"] == "Follows run.rnnbow: training."
        assert page.batches() == detailed([chunk for _, chunks in page.sent for chunk in chunks]) == [0, 5, 10]
        page.follow()
        assert page.batches() == []
    saved.train(10)
    answer = page.follow()
    assert page.batches() == [15, 20]
    assert (answer["status"]["state"], answer["status"]["batch"]) == ("paused", 21)
    assert answer["status"]["loss"] == pytest.approx(float(saved.run.column("loss")[-1]))
    saved.run.writer.close()
    answer = page.follow()
    assert answer["status"]["file"] == {
        "follows": False,
        "said": "Read from run.rnnbow: ended: nothing will be added.",
        "trouble": "",
    }


def test_a_killed_writer_is_told_in_words(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("rnnbow_widget.run_reader.monotonic", lambda: now)
    saved = trainer(save=path)
    with saved.training():
        saved.train(6)
        writer_of(saved.run).flush()
        page = FollowingPage(RNNbow(path), monkeypatch)
        assert page.follow()["status"]["state"] == "training"
        now += 2 * SILENT_SECONDS
        status = page.follow()["status"]
    assert status["state"] == "paused"
    assert status["file"]["follows"]
    assert "no sign of life for 30 s: whoever trained it was probably ended." in status["file"]["said"]


def test_a_widget_without_a_page_is_refreshed_by_a_method(path: Path) -> None:
    saved = trainer(save=path)
    widget = RNNbow(Run.open(path))
    saved.train(11)
    assert len(widget.run) == 0
    widget.refresh()
    assert widget.run.batches.tolist() == [0, 5, 10]
    np.testing.assert_array_equal(widget.run[2].surfaces["W_hh"], saved.run[2].surfaces["W_hh"])
    with pytest.raises(ValueError, match="refresh is for a run that was opened from a file"):
        RNNbow(saved).refresh()


def test_a_writer_that_starts_over_makes_pages_start_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = trainer(save=path, batch_size=2)
    saved.train(21)
    widget = RNNbow(path, stream=1)
    widget.select(5)
    page = FollowingPage(widget, monkeypatch)
    page.follow()
    other = Trainer(TEXT + "xyz", cell="lstm", hidden_size=5, num_layers=2, record_every=4, save=path, overwrite=True)
    other.train(5)
    page.follow()
    (whole, chunks), (frame, _) = page.sent
    assert (whole["kind"], whole["epoch"], whole["recorded"]) == ("whole", 1, 2)
    assert batches(chunks) == [0, 4]
    assert (frame["epoch"], frame["frame"]) == (1, whole["next"])
    assert ["_labels", "_info"] in page.states
    assert (widget.selected, widget.stream, widget.surface) == (None, None, "W_hh_l1")
    found = widget.get_state()
    assert found["_info"]["cell"] == "lstm"
    assert found["_labels"] == list(other.data.vocabulary)


def test_a_file_that_cannot_be_read_any_more_is_told_and_asked_for_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_of(3).save(path)
    widget = RNNbow(path)
    page = FollowingPage(widget, monkeypatch)
    elsewhere = path.rename(path.with_name("elsewhere.rnnbow"))
    status = page.follow()["status"]
    assert status["state"] == "error"
    assert status["message"] == f"{path} is not there any more."
    assert status["hint"] == "What was read before is shown."
    with pytest.raises(RunFileError, match="is not there any more"):
        widget.refresh()
    elsewhere.rename(path)
    assert page.follow()["status"]["message"] == ""
    assert len(widget.run) == 3


def test_details_that_are_damaged_are_told_where_they_are_wanted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(30).save(path)
    content = path.read_bytes()
    loss = recorded(11).loss.tobytes()
    assert content.count(loss) == 1
    path.write_bytes(content.replace(loss, bytes(len(loss))))
    page = FollowingPage(RNNbow(Run.open(path, memory_limit=1)), monkeypatch)
    for batch, held in ((70, True), (77, False)):
        page.sent.clear()
        page.widget._conversation.receive({"kind": "details", "client": "page", "batch": batch, "stream": None})
        answer = page.sent[-1][0]
        assert answer["held"] is held
    assert "is damaged: the details of recorded batch 11 are not what was written" in answer["reason"]
    assert answer["again"], "it may be mended"


@pytest.mark.parametrize("sides", [1, 2])
def test_what_a_reader_kept_from_being_written_is_written_when_a_page_asks_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, sides: int
) -> None:
    monkeypatch.setattr(run_writer, "PATIENCE_SECONDS", 0.01)
    saved = trainer(save=path)
    page = FollowingPage(RNNbow(saved) if sides == 1 else compare(saved, trainer(cell="gru")), monkeypatch)
    page.widget.train(1)

    def file() -> dict[str, Any]:
        """What is told of the file once a page has asked; time for the next attempt has come."""
        writer_of(saved.run)._due_at = 0
        frame = page.follow()
        found: dict[str, Any] = (frame["sides"][0] if sides == 2 else frame)["status"]["file"]
        return found

    quiet = {"follows": False, "said": "Saved to run.rnnbow.", "trouble": ""}
    assert file() == quiet
    with somebody_reads(path):
        page.widget.train(10)
        assert file() == {**quiet, "follows": True}
        assert (len(Run.open(path)), len(saved.run)) == (1, 3)
        writer_of(saved.run)._failing_since -= 60
        with pytest.warns(RunFileWarning, match="is in use: another process kept it locked"):
            told = file()
        assert told["trouble"].endswith("it is tried again")
        assert told["follows"], "the page asks again"
    assert file() == quiet
    require_same_run(Run.open(path), saved.run)
    assert reader_of(Run.open(path)).state.activity == "idle"


def test_what_a_widget_trains_is_in_the_file_when_a_request_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widget = RNNbow(TEXT, hidden_size=8, record_every=2, save=path)
    assert widget.get_state()["_status"]["file"] == {"follows": False, "said": "Saved to run.rnnbow.", "trouble": ""}
    writer, writes = writer_of(widget.run), []
    add = writer._file.add

    def noted(*given: Any) -> None:
        add(*given)
        writes.append(given[2])

    monkeypatch.setattr(writer._file, "add", noted)
    acts: list[Callable[[], object]] = [
        lambda: widget.train(300),
        widget.step,
        lambda: widget._conversation.leases.train(21),
    ]
    for act in acts:
        writes.clear()
        act()
        assert writer.written == len(widget.run)
        assert writes[-1] == "idle"
        assert writes.count("idle") == 1  # one stretch, however many slices it was trained in
    widget.reset()
    widget.train(3)
    assert len(Run.open(path)) == 2


def test_a_run_that_cannot_be_saved_is_told_on_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    widget = RNNbow(TEXT, hidden_size=8, save=folder / "run.rnnbow")
    folder.rename(tmp_path / "elsewhere")
    with pytest.warns(RunFileWarning):
        widget.train(5)
    found = widget.get_state()["_status"]
    assert found["file"]["trouble"] == f"{folder / 'run.rnnbow'} is not there any more; it is tried again"
    assert found["state"] == "paused"
    with pytest.warns(RunFileWarning, match="Recorded batches that it lacks: 1"):
        writer_of(widget.run).close()

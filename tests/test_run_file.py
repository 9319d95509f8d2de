"""Run files: what is written is what is read, while it is written too; and what happens when that fails."""

import contextlib
import copy
import gc
import itertools
import json
import os
import pickle
import sqlite3
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import VOCABULARY, recorded, require_same, run_of

from rnnbow_widget import (
    DivergedError,
    Run,
    RunFileError,
    RunFileWarning,
    Snapshot,
    ThinnedError,
    Trainer,
    grammars,
    run_appender,
    run_reader,
    run_writer,
    tasks,
)
from rnnbow_widget.run_file import APPLICATION_ID, FORMAT, connect
from rnnbow_widget.run_reader import SILENT_SECONDS, RunReader, duration
from rnnbow_widget.run_writer import RunWriter
from rnnbow_widget.snapshot_bytes import Layout, LayoutError, SnapshotReader, pack_snapshot

TEXT = "abcde fghij " * 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run #1 100%?.rnnbow"  # a name that would mean something in an address


def trainer(**settings: object) -> Trainer:
    return Trainer(TEXT, **{"hidden_size": 8, "seq_length": 10, "record_every": 5, **settings})  # type: ignore[arg-type]


def require_same_run(found: Run, expected: Run) -> None:
    assert found.overview.names == expected.overview.names
    for name in expected.overview.names:
        column = found.overview.column(name)
        assert column.dtype == expected.overview.column(name).dtype
        np.testing.assert_array_equal(column, expected.overview.column(name))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        require_same(one, other)


def execute(path: Path, statement: str, *parameters: object) -> None:
    """What somebody else does to a file."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, parameters)
    connection.close()


# What is written is what is read.


@settings(max_examples=40, deadline=None)
@given(steps=st.integers(1, 9), lags=st.integers(1, 9), streams=st.integers(0, 3), place=st.integers(0, 9))
def test_a_snapshot_is_the_same_after_it_was_bytes(steps: int, lags: int, streams: int, place: int) -> None:
    snapshot = recorded(place, steps=steps, lags=lags, streams=streams)
    layout, content = pack_snapshot(snapshot)
    found = SnapshotReader(json.loads(layout.description), VOCABULARY).unpack(content)
    require_same(found, snapshot)
    assert len(content) % 8 == 0
    assert pack_snapshot(replace(snapshot, batch=2**40, grad_norm=np.inf))[0] == layout
    for wrong in (content[:-1], content + b"\0", b""):
        with pytest.raises(LayoutError, match="bytes"):
            SnapshotReader(json.loads(layout.description), VOCABULARY).unpack(wrong)


def test_fields_that_snapshots_will_have_are_in_the_bytes_without_being_named_there() -> None:
    snapshot = recorded(3)
    layout, _ = pack_snapshot(snapshot)
    described = {place[0] for place, *_ in layout.pieces} | {name for name, _ in layout.constants}
    assert described | {"vocabulary", "streams"} == {field.name for field in fields(Snapshot)}


def test_names_that_a_later_version_adds_are_passed_over_and_those_that_are_needed_are_missed() -> None:
    layout, content = pack_snapshot(recorded(1))
    more = replace(layout, constants=(*layout.constants, ("mood", '"good"')))
    require_same(SnapshotReader(json.loads(more.description), VOCABULARY).unpack(content), recorded(1))
    less = Layout(tuple(piece for piece in layout.pieces if piece[0] != ("batch",)), layout.constants)
    with pytest.raises(LayoutError, match=r"no snapshot.*batch"):
        SnapshotReader(json.loads(less.description), VOCABULARY).unpack(content[8:])


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"pieces": [[["loss"], "|O", [2]]], "constants": {}, "streams": []},
        {"pieces": [[["loss"], "<f4", [-2]]], "constants": {}, "streams": []},
        {"pieces": [[["loss", "a", "b"], "<f4", [2]]], "constants": {}, "streams": []},
        {"pieces": [[["loss"], "<f4"]], "constants": {}, "streams": []},
        {"pieces": [], "constants": [], "streams": []},
        {"pieces": [], "constants": {}, "streams": [None]},
    ],
)
def test_a_description_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(LayoutError, match="documented form"):
        SnapshotReader(wrong, VOCABULARY)


def test_a_field_without_a_form_in_bytes_is_named() -> None:
    with pytest.raises(TypeError, match="loss takes an array of numbers"):
        pack_snapshot(recorded(0, loss=np.array([None, 1], object)))
    with pytest.raises(TypeError, match="stream has no form in a file: object"):
        pack_snapshot(replace(recorded(0), stream=object()))  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{}, {"batch_size": 3}, {"horizon": None, "cell": "lstm"}], ids=str)
def test_a_run_that_is_saved_while_it_trains_is_in_the_file_when_train_returns(
    path: Path, settings: dict[str, object]
) -> None:
    saved, plain = trainer(save=path, **settings), trainer(**settings)
    for count in (1, 0, 60):
        run = saved.train(count)
        assert isinstance(run.file, RunWriter)
        assert (run.file.written, run.file.trouble) == (len(run), "")
        require_same_run(Run.open(path), run)
    saved.step()
    require_same_run(Run.open(path), saved.run)
    plain.train(61)
    plain.step()
    require_same_run(plain.run, saved.run)  # and saving has changed no number
    found = Run.open(path)
    assert found.vocabulary == saved.run.vocabulary
    assert found.settings == saved.run.settings
    assert found.about == saved.run.about
    assert [vars(cue) for cue in found.cues()] == [vars(cue) for cue in saved.run.cues()]
    assert found.detailed.all()
    assert sorted(path.parent.iterdir()) == [path]  # one file, nothing beside it


@pytest.mark.parametrize("task", [tasks.Adding(12), tasks.CopyMemory(6), grammars.EmbeddedReber(12)], ids=repr)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_data_that_are_no_text_are_the_same_when_they_are_opened(path: Path, task: object, batch_size: int) -> None:
    saved = Trainer(task, hidden_size=8, record_every=5, batch_size=batch_size, save=path)  # type: ignore[arg-type]
    saved.train(21)
    found = Run.open(path)
    assert found.about == saved.run.about
    assert found.vocabulary == saved.run.vocabulary
    require_same_run(found, saved.run)


def test_surfaces_that_are_recorded_from_some_batch_on_are_in_the_file_from_there_on(path: Path) -> None:
    saved = trainer(save=path, num_layers=2, bidirectional=True)
    saved.train(11)
    saved.surfaces = ["h", "W_ih_l1", "h_l1_reverse"]
    saved.train(10)
    saved.surfaces = []
    saved.train(10)
    found = Run.open(path)
    require_same_run(found, saved.run)
    assert found[3].first_lags
    column = found.column("max_gradient", "h")
    assert np.isnan(column[[0, 2, 5, 6]]).all()
    assert np.isfinite(column[3:5]).all()
    np.testing.assert_array_equal(found.surface(15, "h"), saved.run.surface(15, "h"))


@pytest.mark.parametrize("count", [0, 1, 100])
def test_a_run_that_is_saved_once_is_the_same_when_it_is_opened(path: Path, count: int) -> None:
    run = run_of(count, streams=2)
    run.save(path)
    found = Run.open(str(path))
    require_same_run(found, run)
    assert found.file is not None
    assert found.file.written == count
    assert isinstance(found.file, RunReader)
    assert found.file.activity == "ended: nothing will be added"
    found.save(path.with_name("copy.rnnbow"))
    require_same_run(Run.open(path.with_name("copy.rnnbow")), run)


def test_what_was_recorded_before_saving_began_is_in_the_file(path: Path) -> None:
    run = run_of(10)
    run.keep_saving(path)
    run.append(recorded(10))
    run.file.flush()
    require_same_run(Run.open(path), run_of(11))
    with pytest.raises(ValueError, match=r"path cannot be another file: this run has .*rnnbow"):
        run.keep_saving(path.with_name("other.rnnbow"))


def test_details_that_memory_gave_up_are_read_from_the_file(path: Path) -> None:
    run = run_of(0)
    run.memory_limit = 100_000
    run.keep_saving(path)
    for place in range(200):
        run.append(recorded(place))
    held = {snapshot.batch for snapshot in run.details()}
    assert len(held) < 100
    assert run.nbytes < 100_000
    assert run.thinned_to == 1
    for place in range(200):  # those that wait to be written too
        require_same(run[place], recorded(place))
    run.file.flush()
    assert run.detailed.all()
    opened = Run.open(path, memory_limit=50_000)
    assert opened.nbytes < 50_000
    assert 1 < len(opened.details()) < 30
    for place, snapshot in enumerate(opened):
        require_same(snapshot, recorded(place))
    assert opened.nbytes < 50_000


def test_a_file_of_a_thinned_run_says_which_details_it_has(path: Path) -> None:
    run = run_of(0)
    run.memory_limit = 100_000
    for place in range(200):
        run.append(recorded(place))
    run.save(path)
    found = Run.open(path)
    np.testing.assert_array_equal(found.detailed, run.detailed)
    assert 0 < found.detailed.sum() < 200
    assert found.thinned_to == run.thinned_to > 1
    missing = int(np.flatnonzero(~run.detailed)[3])
    with pytest.raises(ThinnedError) as thinned:
        found[missing]
    with pytest.raises(ThinnedError) as before:
        run[missing]
    assert thinned.value.nearest == before.value.nearest
    run.keep_saving(path.with_name("kept.rnnbow"))
    assert isinstance(run.file, RunWriter)
    run.append(recorded(200))
    run.file.flush()
    np.testing.assert_array_equal(Run.open(run.file.path).detailed, run.detailed)
    with pytest.raises(ThinnedError):
        run[missing]


def test_a_diverged_batch_and_what_came_before_an_exception_are_written(path: Path) -> None:
    diverging = trainer(save=path, learning_rate=1e30, optimizer="sgd", clip_value=None, record_every=1)
    with pytest.raises(DivergedError):
        diverging.train(1000)
    require_same_run(Run.open(path), diverging.run)
    assert Run.open(path)[-1].diverged


def test_a_reset_keeps_the_file_until_something_new_is_recorded(path: Path) -> None:
    saved = trainer(save=path)
    saved.train(21)
    reader, before = Run.open(path), len(saved.run)
    saved.reset()
    assert len(Run.open(path)) == before
    assert not reader.refresh()
    saved.learning_rate = 0.5
    saved.reset()
    saved.train(6)
    assert saved.run.writer is not None
    assert saved.run.writer.written == 2
    with pytest.raises(RunFileError, match="another run by now"):
        reader.file.snapshot(0)
    assert reader.refresh()
    require_same_run(reader, saved.run)
    require_same_run(Run.open(path), saved.run)
    assert Run.open(path).settings["learning_rate"] == 0.5


def test_a_run_that_was_opened_cannot_be_changed(path: Path) -> None:
    run_of(3).save(path)
    found = Run.open(path)
    for change in (lambda: found.append(recorded(3)), found.clear):
        with pytest.raises(ValueError, match=f"opened from .*{path.suffix}"):
            change()
    with pytest.raises(ValueError, match=r"refresh is for a run that was opened from a file: Run.open\(path\)"):
        run_of(1).refresh()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))])
def test_a_copy_reads_the_file_by_itself_and_does_not_write_it(path: Path, copied: object) -> None:
    saved = trainer(save=path)
    saved.train(21)
    other = copied(saved.run)  # type: ignore[operator]
    assert other.file is None
    require_same_run(other, saved.run)
    other = copied(Run.open(path, memory_limit=1))  # type: ignore[operator]
    require_same_run(other, saved.run)
    saved.train(10)
    other.refresh()
    require_same_run(other, saved.run)


# When it is written, and what it says.


def test_what_is_recorded_is_written_after_a_while_and_when_it_is_much(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    for module in (run_writer, run_appender):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    run = run_of(0)
    run.keep_saving(path)
    written = []
    for place in range(100):
        run.append(recorded(place))
        written.append(run.file.written)
        now += 0.01
    assert len(set(written)) in (4, 5)  # one every quarter of a second
    assert all(place - count < 26 for place, count in enumerate(written))
    run.append(recorded(100, steps=1000, lags=1000))
    assert run.file.written == 101


def test_a_slow_disk_is_waited_for_more_rarely(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    for module in (run_writer, run_appender):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    run = run_of(0)
    run.keep_saving(path)
    run.append(recorded(0))
    run.file._file.wait = 0.1
    add = run.file._file.add

    def slowly(*arguments: object) -> None:
        add(*arguments)
        run.file._file.wait = 0.1

    monkeypatch.setattr(run.file._file, "add", slowly)
    now += 0.3
    run.append(recorded(1))
    assert run.file.written == 2
    now += 4.9
    run.append(recorded(2))
    assert run.file.written == 2
    now += 0.2
    run.append(recorded(3))
    assert run.file.written == 4


def test_signs_of_life_are_given_while_nothing_is_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    for module in (run_writer, run_appender):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    saved = trainer(save=path, record_every=1_000_000)
    found = Run.open(path)
    assert isinstance(found.file, RunReader)
    with saved.run.training():
        saved.train(1)
        seen = []
        for _ in range(10):
            now += 0.6
            saved.train(1)
            found.refresh()
            seen.append(found.file.state.sign)
        assert len(set(seen)) in (3, 4)
        assert found.file.activity == "training"
    found.refresh()
    assert found.file.activity.startswith("paused 0 s ago")


def test_silence_is_told_in_words(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("rnnbow_widget.run_reader.monotonic", lambda: now)
    saved = trainer(save=path)
    with saved.run.training():
        saved.train(1)
        saved.run.writer.flush()
        file = RunReader(path)
        assert file.activity == "training"
        now += SILENT_SECONDS
        file.look(0)
        assert file.activity == "no sign of life for 15 s: whoever trained it was probably ended"
        now += 600
        assert "no sign of life for 10 minutes" in file.activity
        saved.train(5)
        saved.run.writer.flush()
        file.look(0)
        assert file.activity == "training"
    assert [duration(seconds) for seconds in (0, 119, 120, 7199, 7200, 172_800)] == [
        "0 s",
        "119 s",
        "2 minutes",
        "120 minutes",
        "2 hours",
        "2 days",
    ]


def test_a_writers_clock_that_is_wrong_is_believed_only_at_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnbow_widget.run_appender.time", lambda: 1e9)
    saved = trainer(save=path)
    with saved.run.training():
        saved.train(1)
        file = RunReader(path)
        assert "no sign of life" in file.activity
        saved.train(5)
        saved.run.writer.flush()
        file.look(0)
        assert file.activity == "training"


def test_a_run_that_goes_out_of_use_says_so_in_its_file(path: Path) -> None:
    saved = trainer(save=path)
    saved.train(20)
    assert "paused" in RunReader(path).activity
    del saved
    gc.collect()
    assert RunReader(path).activity == "ended: nothing will be added"


@pytest.mark.parametrize("ending", ["", "raise SystemExit(3)", "raise RuntimeError"])
def test_a_process_that_ends_by_itself_completes_the_file(path: Path, ending: str) -> None:
    code = f"""
        import sys
        from recorded import recorded, run_of
        run = run_of(0)
        run.keep_saving(sys.argv[1])
        for place in range(20):
            run.append(recorded(place))
        {ending}
    """
    # So quickly that most of it waits when the end comes.
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), path],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    found = Run.open(path)
    require_same_run(found, run_of(20))
    assert isinstance(found.file, RunReader)
    assert found.file.state.activity == "ended"


def test_a_fork_leaves_the_file_alone(path: Path) -> None:
    saved = trainer(save=path)
    saved.train(11)
    if (child := os.fork()) == 0:
        saved.train(5)
        saved.run.writer.close()
        os._exit(0)
    os.waitpid(child, 0)
    saved.train(5)
    require_same_run(Run.open(path), saved.run)
    assert Run.open(path).file.state.activity == "idle"


# What is there already.


def test_a_file_that_is_there_is_replaced_only_if_that_is_asked_for(path: Path) -> None:
    run_of(5).save(path)
    before = path.read_bytes()
    for attempt, argument in (
        (lambda **more: trainer(save=path, **more), "save"),
        (lambda **more: run_of(2).save(path, **more), "path"),
        (lambda **more: run_of(2).keep_saving(path, **more), "path"),
    ):
        with pytest.raises(FileExistsError, match=rf"^{argument} takes the name of a new file.* overwrite=True"):
            attempt()
        assert path.read_bytes() == before
    run_of(3).save(path, overwrite=True)
    require_same_run(Run.open(path), run_of(3))
    run = run_of(4)
    run.keep_saving(path, overwrite=True)
    require_same_run(Run.open(path), run)
    with pytest.raises(TypeError, match="overwrite takes True or False, got 'yes'"):
        trainer(save=path, overwrite="yes")
    assert sorted(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (3, TypeError, "save takes the name of a file that ends in .rnnbow, got 3"),
        ("run.db", ValueError, "save takes the name of a file that ends in .rnnbow, got 'run.db'"),
        ("missing/run.rnnbow", RunFileError, "missing/run.rnnbow cannot be made: No such file or directory"),
    ],
)
def test_a_place_that_cannot_be_saved_to_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: object, error: type[Exception], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=said):
        trainer(save=wrong)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run_file_is_never_replaced(path: Path) -> None:
    def other_database() -> None:
        execute(path, "CREATE TABLE mine (precious TEXT)")

    for make, said in (
        (lambda: path.write_bytes(b"precious" * 100), "not a run file"),
        (other_database, "not a run file"),
        (path.mkdir, "is a folder"),
    ):
        make()
        before = path.read_bytes() if path.is_file() else None
        for attempt in (run_of(2).save, run_of(2).keep_saving):
            with pytest.raises(RunFileError, match=said):
                attempt(path, overwrite=True)
        with pytest.raises(RunFileError, match=said.replace("not a run file", "not a run file|is a database, but")):
            Run.open(path)
        if path.is_file():
            assert path.read_bytes() == before
            path.unlink()


def test_a_damaged_or_empty_run_file_can_be_replaced(path: Path) -> None:
    path.touch()
    with pytest.raises(RunFileError, match="is empty: whoever made it ended before anything was written"):
        Run.open(path)
    trainer(save=path, overwrite=True).train(1)
    path.write_bytes(path.read_bytes()[:5000])
    run_of(3).save(path, overwrite=True)
    require_same_run(Run.open(path), run_of(3))


def test_a_journal_that_was_left_behind_is_not_applied_to_a_new_file(path: Path) -> None:
    journal = path.with_name(path.name + "-journal")
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(1000))
    run_of(3).save(path)
    assert not journal.exists()
    require_same_run(Run.open(path), run_of(3))


def test_who_writes_a_file_that_another_takes_over_stops_and_says_so(path: Path) -> None:
    first = trainer(save=path)
    first.train(11)
    reader = Run.open(path)
    second = trainer(save=path, overwrite=True, seed=1)
    second.train(6)
    with pytest.warns(RunFileWarning, match="was replaced by another file; nothing more is written.*run.save"):
        first.train(5)
    assert first.run.writer is not None
    assert "replaced" in first.run.writer.trouble
    first.train(100)  # goes on, and says it once
    assert len(first.run) == 24
    first.run.save(path.with_name("first.rnnbow"))
    require_same_run(Run.open(path.with_name("first.rnnbow")), first.run)
    second.train(5)
    require_same_run(Run.open(path), second.run)
    assert reader.refresh()
    require_same_run(reader, second.run)


def test_who_was_about_to_write_finds_out_before_anything_is_damaged(path: Path) -> None:
    first = trainer(save=path)
    first.train(11)
    run_writer.take_over(path)
    with pytest.warns(RunFileWarning, match="was taken over by another writer"):
        first.train(5)
    assert len(Run.open(path)) == 3


# What fails.


def failing(path: Path, run: Run, place: int) -> str:
    """Record one more, and return what is warned of."""
    with pytest.warns(RunFileWarning) as told:
        run.append(recorded(place, steps=500))
    assert len(told) == 1
    return str(told[0].message)


def test_a_full_disk_costs_neither_training_nor_what_is_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    for module in (run_writer, run_appender):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    run = run_of(0)
    run.keep_saving(path)
    run.append(recorded(0))
    assert isinstance(run.file, RunWriter)
    connection = run.file._file._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    now += 1
    said = failing(path, run, 1000)
    assert "the disk is full; it is tried again. Training goes on" in said
    assert str(path) in said
    assert run.file.trouble.endswith("the disk is full; it is tried again")
    assert run.file.written == 1
    for place in range(1001, 1020):  # says no more, and tries more and more rarely
        now += 1
        run.append(recorded(place))
    run.file.flush()
    assert len(Run.open(path)) == run.file.written == 1
    connection.execute("PRAGMA max_page_count = 1000000")
    now += 20
    run.append(recorded(1020))
    assert (run.file.written, run.file.trouble) == (22, "")
    require_same_run(Run.open(path), run)


def test_what_cannot_be_written_does_not_fill_the_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    for module in (run_writer, run_appender):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    monkeypatch.setattr(run_writer, "_MOST_KEPT_BYTES", 40_000)
    run = run_of(0)
    run.keep_saving(path)
    run.append(recorded(0))
    connection = run.file._file._connection
    connection.execute("PRAGMA max_page_count = 1")
    now += 1
    failing(path, run, 1)

    def record_more() -> None:
        nonlocal now
        for place in range(2, 20):
            now += 15
            run.append(recorded(place))

    with pytest.warns(RunFileWarning, match="nothing more is written to it"):
        record_more()
    assert len(run) == 20
    assert run.file._waiting == {}
    assert "nothing more is written" in run.file.trouble
    assert run.thinned_to == 1
    require_same(run[0], recorded(0))


def test_a_folder_that_goes_away_costs_no_training(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    saved = trainer(save=folder / "run.rnnbow")
    saved.train(6)
    folder.rename(tmp_path / "elsewhere")
    with pytest.warns(RunFileWarning, match="run.rnnbow is not there any more; it is tried again"):
        saved.train(5)
    saved.train(50)
    assert len(saved.run) == 13
    (tmp_path / "elsewhere").rename(folder)
    saved.run.writer._due_at = 0
    saved.train(5)
    assert saved.run.writer.trouble == ""
    require_same_run(Run.open(folder / "run.rnnbow"), saved.run)


def test_a_failure_of_ours_while_writing_costs_no_training_either(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = trainer(save=path)
    monkeypatch.setattr("rnnbow_widget.run_appender.pack_snapshot", lambda _: 1 / 0)
    with pytest.warns(RunFileWarning, match="division by zero"):
        saved.train(11)
    monkeypatch.undo()
    saved.run.writer._due_at = 0
    saved.train(1)
    require_same_run(Run.open(path), saved.run)


def test_a_reader_that_holds_the_file_delays_writing_and_no_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_writer, "PATIENCE_SECONDS", 0.01)
    saved = trainer(save=path)
    saved.train(1)
    holding = sqlite3.connect(path, isolation_level=None)
    holding.execute("BEGIN")
    holding.execute("SELECT * FROM about").fetchone()
    saved.train(10)
    assert (saved.run.writer.written, saved.run.writer.trouble) == (1, "")
    saved.run.writer._failing_since -= 60
    saved.run.writer._due_at = 0
    with pytest.warns(RunFileWarning, match="is in use: another process kept it locked"):
        saved.train(5)
    holding.execute("COMMIT")
    holding.close()
    saved.run.writer._due_at = 0
    saved.train(1)
    assert saved.run.writer.trouble == ""
    require_same_run(Run.open(path), saved.run)


RECORDING = ("details", "records", "run_appender", "run_writer")


def interrupt(call: Callable[[], object], line: int) -> bool:
    """Interrupt a call before a line of the modules that record and write; return whether there are so many."""
    modules = {sys.modules[f"rnnbow_widget.{name}"].__file__ for name in RECORDING}
    count, tracer = -1, sys.gettrace()  # who measures coverage has one

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal count
        if frame.f_code.co_filename not in modules:
            return None
        count += event == "line"
        if count == line:
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(tracer)
    return count >= line


def test_an_interrupt_at_any_moment_of_recording_and_writing_loses_and_doubles_nothing(path: Path) -> None:
    run = run_of(0)
    run.keep_saving(path)

    def record_and_write() -> None:
        run.append(recorded(len(run)))
        run.file.write()

    line = 0
    while interrupt(record_and_write, line):
        line += 1
        record_and_write()
    assert line > 100
    for held in (run, Run.open(path)):
        require_same_run(held, run_of(len(run)))


def test_after_an_interrupt_at_any_moment_of_a_reset_the_file_has_one_run_only(path: Path) -> None:
    run = run_of(3)
    run.keep_saving(path)
    for line in itertools.count():
        run.append(recorded(len(run)))  # not written before it is forgotten
        reached = interrupt(run.clear, line)
        for _ in range(2):
            run.append(recorded(len(run)))
            run.file.write()
        for held in (run, Run.open(path)):
            require_same_run(held, run_of(len(run)))
        if not reached:
            break
    assert line > 30
    assert len(run) == 2


@pytest.mark.parametrize("goes_on", [False, True])
def test_an_interrupt_before_a_batch_is_handed_over_leaves_no_gap(
    path: Path, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    saved = trainer(save=path, record_every=1)
    saved.train(3)

    def interrupted(*_: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(RunWriter, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        saved.train(3)
    if goes_on:
        saved.train(3)
    require_same_run(Run.open(path), saved.run)


def test_a_copy_that_cannot_be_written_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(5).save(path)
    before = path.read_bytes()
    monkeypatch.setattr("rnnbow_widget.run_appender.pack_snapshot", lambda _: 1 / 0)
    for target, overwrite in ((path, True), (path.with_name("new.rnnbow"), False)):
        with pytest.raises(ZeroDivisionError):
            run_of(3).save(target, overwrite=overwrite)
    assert sorted(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def test_a_folder_that_a_file_has_taken_the_place_of_is_said_to_be_none(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    run_of(3).save(folder / "run.rnnbow")
    run = Run.open(folder / "run.rnnbow")
    folder.rename(tmp_path / "moved")
    with pytest.raises(RunFileError, match=r"run\.rnnbow is not there any more"):
        run.refresh()
    folder.write_text("a file")
    with pytest.raises(RunFileError, match=r"run\.rnnbow cannot be used: Not a directory"):
        run.refresh()
    require_same_run(run, run_of(3))
    folder.unlink()
    (tmp_path / "moved").rename(folder)
    assert run.refresh() is False


@pytest.mark.skipif(os.name != "posix", reason="needs another user, or permissions")
def test_a_folder_that_may_not_be_written_to_can_be_read_from_and_is_refused_to_save_to(tmp_path: Path) -> None:
    """In a process that may not do everything, as root may."""
    run_of(4).save(tmp_path / "run.rnnbow")
    code = """
        import os, sys
        from pathlib import Path
        from rnnbow_widget import Run, RunFileError
        folder = Path(sys.argv[1])
        os.chdir(folder)
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        run = Run.open("run.rnnbow")
        print(len(run), run[3].batch, run.refresh())
        for name, overwrite in (("other.rnnbow", False), ("run.rnnbow", True)):
            for save in (run.save, Run(()).keep_saving):
                try:
                    save(name, overwrite=overwrite)
                except RunFileError as error:
                    print(error)
    """
    tmp_path.chmod(0o555)
    (tmp_path / "run.rnnbow").chmod(0o444)
    parents = [parent for parent in tmp_path.parents if parent.stat().st_uid == os.getuid() and parent != Path("/")]
    modes = [parent.stat().st_mode for parent in parents]
    try:
        for parent, mode in zip(parents, modes, strict=True):
            parent.chmod(mode | 0o011)
        # Who measures coverage would have to write, too, as this other user.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), tmp_path],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
    finally:
        for parent, mode in zip(parents, modes, strict=True):
            parent.chmod(mode)
        tmp_path.chmod(0o755)
    assert done.stderr == ""
    first, *refused = done.stdout.splitlines()
    assert first == "4 21 False"
    assert len(refused) == 4
    assert all("cannot be" in said for said in refused)
    require_same_run(Run.open(tmp_path / "run.rnnbow"), run_of(4))


# What is not as it should be.


def test_what_is_missing_foreign_or_newer_is_told_apart(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"path takes a run file, and there is no .*rnnbow"):
        Run.open(path)
    run_of(3).save(path)
    execute(path, f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(RunFileError, match=rf"rnnbow has format {FORMAT + 1}, .* reads formats up to {FORMAT}") as told:
        Run.open(path)
    assert told.value.path == path
    again = pickle.loads(pickle.dumps(told.value))
    assert (str(again), again.path) == (str(told.value), path)
    execute(path, f"PRAGMA user_version = {FORMAT}")
    execute(path, f"PRAGMA application_id = {APPLICATION_ID + 1}")
    with pytest.raises(RunFileError, match="is a database, but not a run file"):
        Run.open(path)


@pytest.mark.parametrize(
    "statement", [f"PRAGMA application_id = {APPLICATION_ID + 1}", "DELETE FROM about WHERE name = 'settings'"]
)
def test_a_file_that_cannot_be_opened_is_closed_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    run_of(3).save(path)
    execute(path, statement)
    opened: list[sqlite3.Connection] = []

    def noted(path: Path) -> sqlite3.Connection:
        opened.append(connect(path))
        return opened[-1]

    monkeypatch.setattr(run_reader, "connect", noted)
    with pytest.raises(RunFileError):
        Run.open(path)
    assert opened
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TABLE details", "its tables are not those"),
        ("CREATE TABLE more (x)", "its tables are not those"),
        ("CREATE VIEW more AS SELECT * FROM about", "its tables are not those"),
        ("CREATE TRIGGER more AFTER INSERT ON about BEGIN DELETE FROM about; END", "its tables are not those"),
        ("DELETE FROM about WHERE name = 'state'", "'state' in the table about is missing"),
        ("DELETE FROM about WHERE name = 'settings'", "'settings' in the table about is missing"),
        ("UPDATE about SET value = '{}' WHERE name = 'state'", "'state' in the table about is missing or not"),
        ("DELETE FROM overview WHERE first = 0", "overview rows from 0 on are missing"),
        ("DELETE FROM overview", "50 batches were recorded, and the overview has 0"),
        ("UPDATE overview SET count = count + 1", "not what was written"),
        ("UPDATE overview SET numbers = 7", "not what was written"),
        ("UPDATE overview SET layout = 9", "not what was written"),
        ("DELETE FROM layouts", "layout 2 is missing or not"),
        ("UPDATE layouts SET description = 'null'", "layout 2 is missing or not"),
    ],
)
def test_a_file_whose_rows_were_changed_is_refused(path: Path, statement: str, said: str) -> None:
    run = run_of(0)
    run.keep_saving(path)
    for place in range(50):
        run.append(recorded(place))
        if place % 10 == 9:
            run.file.write()
    execute(path, statement)
    with pytest.raises(RunFileError, match=f"is damaged: .*{said}"):
        Run.open(path)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM details WHERE place = 4", "the details of recorded batch 4 are missing"),
        ("UPDATE details SET arrays = zeroblob(length(arrays)) WHERE place = 4", "batch 4 are not what was written"),
        ("UPDATE details SET arrays = 'text' WHERE place = 4", "batch 4 are not what was written"),
        ("UPDATE details SET layout = 2 WHERE place = 4", "batch 4 are not what was written"),
        ("DELETE FROM layouts WHERE id = 1", "layout 1 is missing"),
    ],
)
def test_details_that_were_changed_are_refused_when_they_are_asked_for(path: Path, statement: str, said: str) -> None:
    run_of(50).save(path)
    execute(path, statement)
    found = Run.open(path, memory_limit=1)
    with pytest.raises(RunFileError, match=f"is damaged: .*{said}"):
        found[4]
    np.testing.assert_array_equal(found.column("loss"), run_of(50).column("loss"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of several turns of writing, with and without streams."""
    path = tmp_path_factory.mktemp("sound") / "run.rnnbow"
    run = run_of(0)
    run.keep_saving(path)
    for place in range(30):
        run.append(recorded(place, steps=40, lags=10, streams=place // 20))
        run.file.write()
    run.file.close()
    return path.read_bytes()


def damages(length: int) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    anywhere = st.one_of(
        st.integers(0, length - 1), st.integers(0, 200), st.integers(0, length // 4096 - 1).map(lambda p: 4096 * p)
    )
    one = st.tuples(st.sampled_from(["flip", "byte", "cut", "insert", "drop", "zero"]), anywhere, st.integers(0, 255))
    return st.lists(one, min_size=1, max_size=3)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_happens_to_a_file_it_reads_right_or_is_refused(
    sound: bytes, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(sound)
    for kind, at, value in data.draw(damages(len(sound))):
        place = min(at, len(content) - 1) if content else 0
        if kind == "cut":
            del content[place:]
        elif not content:
            continue
        elif kind == "flip":
            content[place] ^= 1 << value % 8
        elif kind == "byte":
            content[place] = value
        elif kind == "insert":
            content[place:place] = bytes([value]) * (1 + value)
        elif kind == "drop":
            del content[place : place + 1 + value]
        else:
            content[place : place + 4 * value] = bytes(len(content[place : place + 4 * value]))
    path = tmp_path / "run.rnnbow"
    path.unlink(missing_ok=True)
    path.with_name("run.rnnbow-journal").unlink(missing_ok=True)
    path.write_bytes(content)
    with contextlib.suppress(RunFileError):
        run = Run.open(path, memory_limit=1)
        assert len(run) == 30
        for place in range(30):
            with contextlib.suppress(RunFileError):
                require_same(run[place], recorded(place, steps=40, lags=10, streams=place // 20))
        run.file.close()


def test_no_warning_is_due_when_a_run_is_replaced_that_had_nothing_left_to_write(path: Path) -> None:
    first = trainer(save=path)
    first.train(11)
    second = trainer(save=path, overwrite=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first.run.writer.close()
    second.train(1)
    require_same_run(Run.open(path), second.run)

"""Run files: what is written is what is read, and what cannot be written or read is told apart."""

import copy
import os
import pickle
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from recorded import recorded, require_same, run_of
from saving import execute, reader_of, require_same_run, trainer, writer_of

from rnnbow_widget import DivergedError, Run, RunFileError, ThinnedError, Trainer, grammars, run_reader, tasks
from rnnbow_widget.run_file import APPLICATION_ID, FORMAT, connect
from rnnbow_widget.run_reader import RunReader
from rnnbow_widget.run_writer import RunWriter

# What is written is what is read.


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
def test_data_that_are_no_text_are_the_same_when_they_are_opened(path: Path, task: tasks.Task, batch_size: int) -> None:
    saved = Trainer(task, hidden_size=8, record_every=5, batch_size=batch_size, save=path)
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
    writer_of(run).flush()
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
    writer_of(run).flush()
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
        reader_of(reader).snapshot(0, reader_of(reader).state.id)
    assert reader.refresh()
    require_same_run(reader, saved.run)
    require_same_run(Run.open(path), saved.run)
    assert Run.open(path).settings["learning_rate"] == 0.5


def test_a_run_that_was_opened_cannot_be_changed(path: Path) -> None:
    run_of(3).save(path)
    found = Run.open(path)
    assert found.reader is found.file is not None
    assert found.writer is None
    assert run_of(1).reader is None
    changes: list[Callable[[], None]] = [lambda: found.append(recorded(3)), found.clear]
    for change in changes:
        with pytest.raises(ValueError, match=f"opened from .*{path.suffix}"):
            change()
    with pytest.raises(ValueError, match=r"refresh is for a run that was opened from a file: Run.open\(path\)"):
        run_of(1).refresh()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))])
def test_a_copy_reads_the_file_by_itself_and_does_not_write_it(path: Path, copied: Callable[[Run], Run]) -> None:
    saved = trainer(save=path)
    saved.train(21)
    other = copied(saved.run)
    assert other.file is None
    require_same_run(other, saved.run)
    other = copied(Run.open(path, memory_limit=1))
    require_same_run(other, saved.run)
    saved.train(10)
    other.refresh()
    require_same_run(other, saved.run)


def test_a_copy_that_is_used_after_the_writer_has_started_over_has_the_new_run_only(path: Path) -> None:
    saved = trainer(save=path)
    saved.train(21)
    packed = pickle.dumps(Run.open(path, memory_limit=1))
    saved.reset()
    saved.train(31)
    late = pickle.loads(packed)
    with pytest.raises(RunFileError, match="another run by now"):
        late[0]
    assert late.refresh()
    require_same_run(late, saved.run)


# Folders and names.


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


# Files that are not as they should be; test_damaged_run_files.py tries that systematically.


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
            writer_of(run).write()
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

"""Run files where something is already: replaced only if that is asked for, and by nobody unnoticed."""

import warnings
from pathlib import Path

import pytest
from recorded import run_of
from saving import execute, require_same_run, trainer, writer_of

from rnnbow_widget import Run, RunFileError, RunFileWarning
from rnnbow_widget.run_appender import take_over


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


def test_a_copy_that_cannot_be_written_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(5).save(path)
    before = path.read_bytes()
    monkeypatch.setattr("rnnbow_widget.run_appender.pack_snapshot", lambda _: 1 / 0)
    for target, overwrite in ((path, True), (path.with_name("new.rnnbow"), False)):
        with pytest.raises(ZeroDivisionError):
            run_of(3).save(target, overwrite=overwrite)
    assert sorted(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


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
    take_over(path)
    with pytest.warns(RunFileWarning, match="was taken over by another writer"):
        first.train(5)
    assert len(Run.open(path)) == 3


def test_no_warning_is_due_when_a_run_is_replaced_that_had_nothing_left_to_write(path: Path) -> None:
    first = trainer(save=path)
    first.train(11)
    second = trainer(save=path, overwrite=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        writer_of(first.run).close()
    second.train(1)
    require_same_run(Run.open(path), second.run)

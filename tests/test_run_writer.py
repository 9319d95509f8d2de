"""When a run is written to its file, what the file says meanwhile, and what follows if writing fails."""

import gc
import os
import subprocess
import sys
import textwrap
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from recorded import recorded, require_same, run_of
from saving import reader_of, require_same_run, somebody_reads, trainer, writer_of

from rnnbow_widget import Run, RunFileWarning, run_appender, run_reader, run_writer
from rnnbow_widget.run_reader import SILENT_SECONDS, RunReader, duration
from rnnbow_widget.run_writer import RunWriter


class Clock:
    """Stands for the clock of writers and readers: it goes on only when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in (run_writer, run_appender, run_reader):
            monkeypatch.setattr(module, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


# When it is written, and what it says.


def test_what_is_recorded_is_written_after_a_while_and_when_it_is_much(path: Path, clock: Clock) -> None:
    run = run_of(0)
    run.keep_saving(path)
    written = []
    for place in range(100):
        run.append(recorded(place))
        written.append(writer_of(run).written)
        clock.now += 0.01
    assert len(set(written)) in (4, 5)  # one every quarter of a second
    assert all(place - count < 26 for place, count in enumerate(written))
    run.append(recorded(100, steps=1000, lags=1000))
    assert writer_of(run).written == 101


def test_a_slow_disk_is_waited_for_more_rarely(path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(0)
    run.keep_saving(path)
    run.append(recorded(0))
    writer = writer_of(run)
    writer._file.wait = 0.1
    add = writer._file.add

    def slowly(*arguments: Any) -> None:
        add(*arguments)
        writer._file.wait = 0.1

    monkeypatch.setattr(writer._file, "add", slowly)
    clock.now += 0.3
    run.append(recorded(1))
    assert writer.written == 2
    clock.now += 4.9
    run.append(recorded(2))
    assert writer.written == 2
    clock.now += 0.2
    run.append(recorded(3))
    assert writer.written == 4


def test_signs_of_life_are_given_while_nothing_is_recorded(path: Path, clock: Clock) -> None:
    saved = trainer(save=path, record_every=1_000_000)
    found = Run.open(path)
    assert isinstance(found.file, RunReader)
    with saved.run.training():
        saved.train(1)
        seen = []
        for _ in range(10):
            clock.now += 0.6
            saved.train(1)
            found.refresh()
            seen.append(found.file.state.sign)
        assert len(set(seen)) in (3, 4)
        assert found.file.activity == "training"
    found.refresh()
    assert found.file.activity.startswith("paused 0 s ago")


def test_silence_is_told_in_words(path: Path, clock: Clock) -> None:
    saved = trainer(save=path)
    with saved.run.training():
        saved.train(1)
        writer_of(saved.run).flush()
        file = RunReader(path)
        assert file.activity == "training"
        clock.now += SILENT_SECONDS + 0.1
        file.look(0, file.state.id)
        assert file.activity == "no sign of life for 15 s: whoever trained it was probably ended"
        clock.now += 600
        assert "no sign of life for 10 minutes" in file.activity
        saved.train(5)
        writer_of(saved.run).flush()
        file.look(0, file.state.id)
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
        writer_of(saved.run).flush()
        file.look(0, file.state.id)
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
        writer_of(saved.run).close()
        os._exit(0)
    os.waitpid(child, 0)
    for batches in (0, 5):
        saved.train(batches)
        require_same_run(Run.open(path), saved.run)
        assert reader_of(Run.open(path)).state.activity == "idle"


# What fails.


def failing(path: Path, run: Run, place: int) -> str:
    """Record one more, and return what is warned of."""
    with pytest.warns(RunFileWarning) as told:
        run.append(recorded(place, steps=500))
    assert len(told) == 1
    return str(told[0].message)


def on_a_full_disk(path: Path, clock: Clock) -> Run:
    """A run of two, the first of which is in its file; the other is not, and that was warned of."""
    run = run_of(0)
    run.keep_saving(path)
    run.append(recorded(0))
    writer_of(run)._file._connection.execute("PRAGMA max_page_count = 1")
    clock.now += 1
    failing(path, run, 1)
    return run


def test_a_full_disk_costs_neither_training_nor_what_is_recorded(path: Path, clock: Clock) -> None:
    run = run_of(0)
    run.keep_saving(path)
    run.append(recorded(0))
    assert isinstance(run.file, RunWriter)
    connection = run.file._file._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    clock.now += 1
    said = failing(path, run, 1000)
    assert "the disk is full; it is tried again. Training goes on" in said
    assert str(path) in said
    assert run.file.trouble.endswith("the disk is full; it is tried again")
    assert run.file.written == 1
    for place in range(1001, 1020):  # says no more, and tries more and more rarely
        clock.now += 1
        run.append(recorded(place))
    run.file.flush()
    assert len(Run.open(path)) == run.file.written == 1
    connection.execute("PRAGMA max_page_count = 1000000")
    clock.now += 20
    run.append(recorded(1020))
    assert (run.file.written, run.file.trouble) == (22, "")
    require_same_run(Run.open(path), run)


def test_what_cannot_be_written_does_not_fill_the_memory(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_writer, "_MOST_KEPT_BYTES", 40_000)
    run = on_a_full_disk(path, clock)
    writer = writer_of(run)

    def record_more() -> None:
        for place in range(2, 20):
            clock.now += 15
            run.append(recorded(place))

    with pytest.warns(RunFileWarning, match="nothing more is written to it"):
        record_more()
    assert len(run) == 20
    assert writer._waiting == {}
    assert "nothing more is written" in writer.trouble
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
    writer_of(saved.run)._due_at = 0
    saved.train(5)
    assert writer_of(saved.run).trouble == ""
    require_same_run(Run.open(folder / "run.rnnbow"), saved.run)


def test_a_failure_of_ours_while_writing_costs_no_training_either(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = trainer(save=path)
    monkeypatch.setattr("rnnbow_widget.run_appender.pack_snapshot", lambda _: 1 / 0)
    with pytest.warns(RunFileWarning, match="division by zero"):
        saved.train(11)
    monkeypatch.undo()
    writer_of(saved.run)._due_at = 0
    saved.train(1)
    require_same_run(Run.open(path), saved.run)


def test_details_that_memory_gave_up_are_there_while_they_cannot_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(3)
    run.keep_saving(path)
    monkeypatch.setattr("rnnbow_widget.run_appender.pack_snapshot", lambda _: 1 / 0)
    writer_of(run)._due_at = 0
    with pytest.warns(RunFileWarning, match="division by zero"):
        run.append(recorded(3))
    for place in range(4, 20):
        run.append(recorded(place))
    run.memory_limit = run.overview.nbytes
    assert len(run.details()) == 1
    assert writer_of(run).written == 3
    assert run.detailed.all()
    for place, held in enumerate(run):
        require_same(held, recorded(place))
    with pytest.warns(RunFileWarning, match="Recorded batches that it lacks: 17"):
        writer_of(run).close()


def test_a_reader_that_holds_the_file_delays_writing_and_no_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_writer, "PATIENCE_SECONDS", 0.01)
    saved = trainer(save=path)
    saved.train(1)
    writer = writer_of(saved.run)
    with somebody_reads(path):
        saved.train(10)
        assert (writer.written, writer.trouble) == (1, "")
        writer._failing_since -= 60
        writer._due_at = 0
        with pytest.warns(RunFileWarning, match="is in use: another process kept it locked"):
            saved.train(5)
    writer._due_at = 0
    saved.train(1)
    assert writer.trouble == ""
    require_same_run(Run.open(path), saved.run)


@pytest.mark.parametrize("batches", [0, 10])
def test_what_a_reader_keeps_from_being_written_until_the_end_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(run_writer, "PATIENCE_SECONDS", 0.01)
    saved = trainer(save=path)
    saved.train(1)
    writer = writer_of(saved.run)
    with somebody_reads(path):
        saved.train(batches)
        expected = pytest.warns(
            RunFileWarning, match=r"nothing more is written to it\. Recorded batches that it lacks: 2\."
        )
        with expected if batches else nullcontext():
            writer.close()
    assert not writer.behind
    assert "another process kept it locked" in writer.trouble
    assert len(Run.open(path)) == 1


def test_how_much_is_missing_in_the_end_is_told_of_known_trouble_too(path: Path, clock: Clock) -> None:
    run = on_a_full_disk(path, clock)
    run.append(recorded(2, steps=500))
    with pytest.warns(RunFileWarning, match=r"nothing more is written to it\. Recorded batches that it lacks: 2\."):
        writer_of(run).close()
    assert len(Run.open(path)) == 1

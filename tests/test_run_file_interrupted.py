"""Interrupts at any moment: what is recorded is in memory and in the file, once, and as it was recorded."""

import itertools
from pathlib import Path

import pytest
from interrupting import interrupt
from recorded import recorded, run_of
from saving import require_same_run, trainer, writer_of

from rnnbow_widget import Run
from rnnbow_widget.run_writer import RunWriter


def test_an_interrupt_at_any_moment_of_recording_and_writing_loses_and_doubles_nothing(path: Path) -> None:
    run = run_of(0)
    run.keep_saving(path)

    def record_and_write() -> None:
        run.append(recorded(len(run)))
        writer_of(run).write()

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
            writer_of(run).write()
        for held in (run, Run.open(path)):
            require_same_run(held, run_of(len(run)))
        if not reached:
            break
    assert line > 30
    assert len(run) == 2


@pytest.mark.parametrize("starts_over", [False, True])
def test_after_an_interrupt_at_any_moment_of_a_refresh_the_next_one_has_all(path: Path, starts_over: bool) -> None:
    run = run_of(2)
    run.keep_saving(path)
    opened = Run.open(path)
    for line in itertools.count():
        if starts_over:
            run.clear()
            run.append(recorded(0))
        run.append(recorded(len(run)))
        writer_of(run).write()
        reached = interrupt(opened.refresh, line)
        opened.refresh()
        require_same_run(opened, run)
        assert opened.detailed.all()
        if not reached:
            break
    assert line > 50


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

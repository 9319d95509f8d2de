"""Interrupts at any moment: what is recorded is in memory and in the file, once, and as it was recorded."""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from recorded import recorded, run_of
from saving import require_same_run, trainer

from rnnbow_widget import Run
from rnnbow_widget.run_writer import RunWriter

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

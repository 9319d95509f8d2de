"""Interrupts that come in the middle of recording a batch, of writing it to a file, or of reading it from there."""

import linecache
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from rnnbow_widget import details, records, run, run_appender, run_reader, run_writer

INTERRUPTED = frozenset(module.__file__ for module in (details, records, run, run_appender, run_reader, run_writer))


def interrupt(call: Callable[[], object], line: int) -> bool:
    """Interrupt a call before one of the lines that record, write and read; return whether there are so many."""
    count, tracer = -1, sys.gettrace()  # who measures coverage has one

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in INTERRUPTED:
            return None
        count += event == "line" and _may_come_before(frame)
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


def _may_come_before(frame: FrameType) -> bool:
    """Whether an interrupt can come before a line: Python lets none come before what ends a `with` or a `try`."""
    path, number = frame.f_code.co_filename, frame.f_lineno
    after, begins = (linecache.getline(path, at).strip() for at in (number - 1, number))
    return not begins.startswith("with ") and after.partition("#")[0].strip() != "finally:"

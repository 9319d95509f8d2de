"""Trainers whose runs tests write to files, whole runs compared, and what somebody else does to a file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from recorded import require_same

from rnnbow_widget import Run, Trainer
from rnnbow_widget.run_reader import RunReader
from rnnbow_widget.run_writer import RunWriter

TEXT = "abcde fghij " * 60


def trainer(**settings: Any) -> Trainer:
    return Trainer(TEXT, **{"hidden_size": 8, "seq_length": 10, "record_every": 5, **settings})


def writer_of(run: Run) -> RunWriter:
    """What writes a run that is saved."""
    assert run.writer is not None
    return run.writer


def reader_of(run: Run) -> RunReader:
    """What reads a run that was opened."""
    assert run.reader is not None
    return run.reader


def require_same_run(found: Run, expected: Run) -> None:
    """Everything in two runs is equal, types included."""
    assert found.overview.names == expected.overview.names
    for name in expected.overview.names:
        column = found.overview.column(name)
        assert column.dtype == expected.overview.column(name).dtype
        np.testing.assert_array_equal(column, expected.overview.column(name))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        require_same(one, other)


@contextmanager
def somebody_reads(path: Path) -> Iterator[None]:
    """Have somebody read a file all the while."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM about").fetchone()
        yield


def execute(path: Path, statement: str, *parameters: object) -> None:
    """What somebody else does to a file."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, parameters)
    connection.close()

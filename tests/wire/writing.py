"""Writers of run files, as other processes have them, and an account of what each run in them has."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from recorded import VOCABULARY, recorded
from saving import reader_of

from rnnbow_widget import Run, Snapshot
from rnnbow_widget.overview import Overview
from rnnbow_widget.run_file import journal_of
from rnnbow_widget.run_writer import RunWriter

KINDS: tuple[dict[str, int], ...] = (
    {"steps": 6, "lags": 3, "streams": 0},
    {"steps": 6, "lags": 3, "streams": 2},
    {"steps": 4, "lags": 2, "streams": 0},
)
"""Networks that runs are of."""
THINNED_LIMIT = 40_000
"""Bytes of a run in memory that has given up details before it is written."""


class Account:
    """What was recorded of a run, whatever of it is in a file by now."""

    def __init__(self) -> None:
        self.overview = Overview()
        self.details: dict[int, Snapshot] = {}

    def add(self, snapshot: Snapshot) -> None:
        self.overview.append(snapshot)
        self.details[snapshot.batch] = snapshot


class Writers:
    """Makes runs that are told apart by all of their numbers, though their batches have the same ones."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        """By the names that runs have in files."""
        self._made = 0

    def run(self, kind: int, count: int, *, thinned: bool) -> tuple[Run, Account]:
        """A run that has so many recorded batches, and its account."""
        self._made += 1
        of = KINDS[kind]
        settings = {"seed": self._made, "seq_length": of["steps"], "batch_size": max(1, of["streams"])}
        run = Run(VOCABULARY, settings, memory_limit=THINNED_LIMIT if thinned else 256_000_000)
        account = Account()
        for _ in range(count):
            self.record(run, account, kind)
        return run, account

    def record(self, run: Run, account: Account, kind: int) -> None:
        """Record the next batch."""
        place = len(account.overview)
        made = recorded(1000 * self._made + place, **KINDS[kind])
        streams = tuple(replace(stream, batch=7 * place) for stream in made.streams)
        snapshot = replace(made, batch=7 * place, streams=streams)
        account.add(snapshot)
        run.append(snapshot)

    def replace_file(self, path: Path, kind: int, count: int, *, thinned: bool) -> None:
        """Put a finished run in the place of a file."""
        run, account = self.run(kind, count, thinned=thinned)
        run.save(path, overwrite=True)
        self.accounts[reader_of(Run.open(path)).state.id] = account

    def begin(self, path: Path, kind: int, count: int, *, thinned: bool) -> "Writer":
        """Begin to write a file, in the place of one that is there."""
        return Writer(self, path, kind, count, thinned)


class Writer:
    """Writes a file until it is closed or killed."""

    def __init__(self, writers: Writers, path: Path, kind: int, count: int, thinned: bool) -> None:
        self._writers, self._path, self._kind = writers, path, kind
        self._run, self._account = writers.run(kind, count, thinned=thinned)
        self._run.keep_saving(path, overwrite=True)
        self._note()

    @property
    def _writer(self) -> RunWriter:
        assert self._run.writer
        return self._run.writer

    def _note(self) -> None:
        self._writers.accounts[self._writer._file._id] = self._account

    def record(self, count: int, *, flush: bool) -> None:
        for _ in range(count):
            self._writers.record(self._run, self._account, self._kind)
        if flush:
            self._writer.flush()

    def say(self, activity: Any) -> None:
        self._writer.flush(activity)

    def start_over(self) -> None:
        """Begin another run: the file keeps the one before until something is recorded."""
        self._run.clear()
        self._writers._made += 1
        self._account = Account()
        self._note()

    def close(self) -> None:
        self._writer.close()

    def kill(self, *, midway: bool) -> None:
        """End without a word; `midway`: in the middle of a transaction, of which parts are in the file already."""
        appender, path, journal = self._writer._file, self._path, journal_of(self._path)
        connection = appender._connection
        own = path.exists() and (path.stat().st_dev, path.stat().st_ino) == appender._file
        if midway and own and not self._writer._ended:  # of a file that was replaced nobody sees any more
            connection.execute("PRAGMA cache_size = 1")  # so that pages are written before they must be
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE about SET value = value || ?, crc = 0", (" " * 20_000,))
            connection.execute("UPDATE overview SET crc = 0")
            kept = [(one, one.with_suffix(f"{one.suffix}-killed")) for one in (path, journal) if one.exists()]
            for one, copy in kept:
                shutil.copyfile(one, copy)
            connection.execute("ROLLBACK")
            connection.close()
            for one, copy in kept:
                shutil.copyfile(copy, one)  # the same file still
                copy.unlink()
        self._writer._end()

"""A disk on which a run file cannot always be written, and whether the file has what was recorded."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from recorded import require_same, run_of
from saving import reader_of, somebody_reads

from rnnbow_widget import Run, Snapshot
from rnnbow_widget.overview import Overview
from rnnbow_widget.run_writer import RunWriter

_UNBOUNDED_PAGES = 1_000_000


class Disk:
    """A folder that one run is written to.

    Attributes
    ----------
    path : Path
        Of the run file.
    fails : bool
        Whether it is full, or gone.
    taken : str
        Name of the run of somebody else that is in the file; "" if none is.
    """

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp())
        self._folder = self._root / "folder"
        self._folder.mkdir()
        self.path = self._folder / "run.rnnbow"
        self.fails = False
        self.taken = ""
        self._full: sqlite3.Connection | None = None

    def fill(self, writer: RunWriter) -> None:
        """Have no room for what the file would grow by."""
        self._full = writer._file._connection
        (pages,) = self._full.execute("PRAGMA page_count").fetchone()
        self._full.execute(f"PRAGMA max_page_count = {pages}")
        self.fails = True

    def go_away(self) -> None:
        self._folder.rename(self._root / "elsewhere")
        self.fails = True

    def mend(self, writer: RunWriter) -> None:
        if self._full and not writer._ended:
            self._full.execute(f"PRAGMA max_page_count = {_UNBOUNDED_PAGES}")
        if not self._folder.exists():
            (self._root / "elsewhere").rename(self._folder)
        self._full, self.fails = None, False

    def remove(self) -> None:
        shutil.rmtree(self._root)

    def take_over(self) -> None:
        """Somebody else puts another run in the place of the file."""
        run_of(2).save(self.path, overwrite=True)
        with self.read() as found:
            self.taken = reader_of(found).state.id

    @contextmanager
    def read(self) -> Iterator[Run]:
        """Open the file, wherever the folder is by now."""
        folder = self._folder if self._folder.exists() else self._root / "elsewhere"
        run = Run.open(folder / self.path.name, memory_limit=1)  # details are read when they are compared
        try:
            yield run
        finally:
            reader_of(run).close()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Have somebody read the file all the while."""
        with somebody_reads(self.path):
            yield


def require_rows(found: Run, recorded: Sequence[Snapshot], first: int = 0) -> None:
    """A file has what was recorded first, each batch once, with its details from the place `first` on."""
    assert found.batches.tolist() == [snapshot.batch for snapshot in recorded[: len(found)]]
    for place in range(first, len(found)):
        require_same(found[place], recorded[place])


def require_columns(found: Run, recorded: Sequence[Snapshot]) -> None:
    """A file has every number that the overview of what was recorded has."""
    overview = Overview()
    for snapshot in recorded:
        overview.append(snapshot)
    assert found.overview.names == overview.names
    for name in overview.names:
        require_same(found.overview.column(name), overview.column(name))

"""A run file, whoever writes, replaces, damages and mends it, and pages that follow it, in any order of events.

Whatever happens, what a page would draw is what the file says, or said, of the run that the page was made for; every
recorded batch is there once; what is wrong with the file is told; and once that is over, pages have everything.
"""

import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from drawn import places_of, require_drawn
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from machine import FAULT, MOST_PAGES, PAGE, PATIENCE_MS, Machine, run_machine
from saving import reader_of
from served import ServedWire
from wire import Pages
from writing import KINDS, Account, Writer, Writers

from rnnbow_widget import Run, RunFileError, run_file, run_reader, run_writer
from rnnbow_widget.follower import Follower
from rnnbow_widget.run_file import journal_of

pytestmark = [pytest.mark.wire, pytest.mark.filterwarnings("ignore::rnnbow_widget.RunFileWarning")]

ROUNDED = 1 / 2048  # numbers of single batches in a page are off by so much at most
BLATANT = ("head", "emptied", "gone", "state")
ROWS = {"state": "about SET crc = 0 WHERE name = 'state'", "settings": "about SET crc = 0 WHERE name = 'settings'"} | {
    table: f"{table} SET crc = 0" for table in ("overview", "details", "layouts")
}
"""What is no more as it was written, in terms of the database."""
KIND = st.integers(0, len(KINDS) - 1)
COUNT = st.integers(0, 12)
STREAM = st.sampled_from([None, 0, 1])


class FollowedFile(Machine):
    """A file, its writers and whoever harms it, and pages that follow it."""

    wire: ServedWire

    @initialize(kind=KIND, recorded=COUNT, thinned=st.booleans(), memory_limit=st.sampled_from([30_000, 256_000_000]))
    def begin(self, kind: int, recorded: int, thinned: bool, memory_limit: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "run.rnnbow"
        self.sound = self.folder / "sound"
        self.patch = pytest.MonkeyPatch()
        readings = count()
        for module in (run_reader, run_writer):
            self.patch.setattr(module, "monotonic", lambda: next(readings) / 20)
        self.patch.setattr(run_file, "PATIENCE_SECONDS", 0.01)
        self.damaged = ""
        self.writers = Writers()
        self.writer: Writer | None = self.writers.begin(self.path, kind, recorded, thinned=thinned)
        self.follower = Follower(Run.open(self.path, memory_limit=memory_limit))
        self.wire = ServedWire(self.follower, self.pages)
        self.wire.open()

    # Pages, and the network.

    @precondition(lambda self: len(self.wire.to_page) < MOST_PAGES)
    @rule()
    def open_page(self) -> None:
        self.wire.open()

    @rule(index=PAGE)
    def load_anew(self, index: int) -> None:
        if (page := self.page(index)) is not None:
            self.wire.close(page)
            self.wire.open()

    @rule(index=PAGE, fault=FAULT, times=st.integers(1, 4))
    def carry_to_server(self, index: int, fault: str, times: int) -> None:
        for _ in range(times):
            if (page := self.page(index)) is not None:
                self.wire.carry_to_server(page, fault)

    @rule()
    def lose_answers(self) -> None:
        """Everything reaches the server, and nothing comes back."""
        for page in list(self.wire.to_page):
            self.wire.carry_to_server(page)
            self.wire.carry_to_page(page, "lost")

    @rule()
    def answer_on_two_threads(self) -> None:
        self.wire.carry_at_once()

    @rule(index=PAGE, place=st.integers(0, 14), stream=STREAM, part=st.sampled_from([None, None, "W_ih"]))
    def want(self, index: int, place: int, stream: int | None, part: str | None) -> None:
        if page := self.page(index):
            place %= 1 + len(self.account(page).overview)
            wanted = {"batch": 7 * place, "stream": stream if self.streams(page) else None, "part": part}
            self.wire.tell("want", page, side=0, places=[wanted])

    @rule(index=PAGE, stream=STREAM)
    def choose(self, index: int, stream: int | None) -> None:
        if (page := self.page(index)) and self.streams(page):
            self.wire.tell("choose", page, name="stream", value=stream)

    def account(self, page: str) -> Account:
        """Of the run that a page was made for."""
        return self.writers.accounts[self.wire.run_of[page]]

    def streams(self, page: str) -> int:
        return max((len(snapshot.streams) for snapshot in self.account(page).details.values()), default=0)

    # Who writes the file.

    @precondition(lambda self: self.writer)
    @rule(recorded=st.integers(1, 5), flush=st.booleans())
    def record(self, recorded: int, flush: bool) -> None:
        assert self.writer is not None
        self.writer.record(recorded, flush=flush)

    @precondition(lambda self: self.writer)
    @rule(activity=st.sampled_from(["training", "idle"]))
    def say(self, activity: str) -> None:
        assert self.writer is not None
        self.writer.say(activity)

    @precondition(lambda self: self.writer)
    @rule(recorded=st.integers(0, 3))
    def start_over(self, recorded: int) -> None:
        assert self.writer is not None
        self.writer.start_over()
        self.writer.record(recorded, flush=True)

    @precondition(lambda self: self.writer)
    @rule()
    def close_writer(self) -> None:
        assert self.writer is not None
        self.writer.close()
        self.writer = None

    @precondition(lambda self: self.writer and not self.damaged)
    @rule(midway=st.booleans())
    def kill_writer(self, midway: bool) -> None:
        assert self.writer is not None
        self.writer.kill(midway=midway)
        self.writer = None

    @rule(kind=KIND, recorded=COUNT, thinned=st.booleans())
    def start_again(self, kind: int, recorded: int, thinned: bool) -> None:
        with suppress(RunFileError):  # what is no run file, as it seems, is not replaced
            writer = self.writers.begin(self.path, kind, recorded, thinned=thinned)
            if self.writer:
                self.writer.kill(midway=False)
            self.writer = writer
            self._forget_damage()

    @rule(kind=KIND, recorded=COUNT, thinned=st.booleans())
    def replace_file(self, kind: int, recorded: int, thinned: bool) -> None:
        with suppress(RunFileError):
            self.writers.replace_file(self.path, kind, recorded, thinned=thinned)
            self._forget_damage()

    def _forget_damage(self) -> None:
        """Nobody will miss what was damaged: another file is there."""
        self.damaged = ""
        shutil.rmtree(self.sound, ignore_errors=True)

    # Who harms it.

    @precondition(lambda self: not self.damaged)
    @rule(how=st.sampled_from([*BLATANT, *ROWS, "cut", "flipped"]), at=st.floats(0, 1, exclude_max=True))
    def damage(self, how: str, at: float) -> None:
        """Put a damaged copy in the place of the file, which is kept, with its journal, to be put there again."""
        self.sound.mkdir()
        for one in (self.path, journal_of(self.path)):
            if one.exists():
                one.rename(self.sound / one.name)
        content = bytearray((self.sound / self.path.name).read_bytes())
        place = int(at * len(content))
        if how == "head":
            content[:16] = b"something else ."
        elif how == "flipped":
            content[place] ^= 0xFF
        elif how == "cut":
            del content[place:]
        if how != "gone":
            self.path.write_bytes(b"" if how == "emptied" else content)
        if how in ROWS:
            with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
                connection.execute(f"UPDATE {ROWS[how]}")
        self.damaged = how

    @rule(kind=KIND, recorded=COUNT, how=st.sampled_from(["overview", "settings", "details"]))
    def replace_by_a_damaged_file(self, kind: int, recorded: int, how: str) -> None:
        self.replace_file(kind, recorded, thinned=False)
        if not self.damaged:
            self.damage(how, 0)

    @precondition(lambda self: self.damaged in ("details", "layouts"))
    @rule()
    def ask_for_what_is_damaged(self) -> None:
        self.wire.open()
        for page in self.wire.to_page:
            newest = self.account(page).overview.column("batch")[-8:].tolist()
            places = [{"batch": batch, "stream": None, "part": None} for batch in newest]
            self.wire.tell("want", page, side=0, places=places)
        self.wire.carry_all(4)
        self.wire.close(next(iter(self.wire.to_page)))

    @precondition(lambda self: self.damaged)
    @rule()
    def mend(self) -> None:
        for one in self.sound.iterdir():
            one.replace(self.folder / one.name)
        self.sound.rmdir()
        self.damaged = ""

    @precondition(lambda self: self.damaged in BLATANT)
    @rule()
    def look_at_damage(self) -> None:
        """A page that follows says what is wrong, and keeps what it has."""
        following = [page for page in self.wire.to_page if self.follows(page)]
        before = {page: (self.wire.run_of[page], self.compare(page)["batches"]) for page in following}
        self.let_pages_ask()
        for page in following:
            found = self.compare(page)
            assert self.path.name in found["state"]["status"]["message"], "it is told"
            assert found["state"]["status"]["state"] in {"error", "diverged"}
            run, batches = before[page]
            # One that has not heard of another run before hears of it now, and is loaded anew.
            assert self.wire.run_of[page] != run or found["batches"][: len(batches)] == batches

    @precondition(lambda self: not self.damaged)
    @rule()
    def ask_while_it_is_locked(self) -> None:
        """What takes turns is no damage, and is not told."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            self.wire.carry_all(5)

    # What always holds.

    @invariant()
    def nothing_is_left_locked(self) -> None:
        assert not self.follower._lock.locked()

    @invariant()
    def what_pages_draw_was_recorded(self) -> None:
        for page in self.wire.to_page:
            self.compare(page)

    def compare(self, page: str) -> dict[str, Any]:
        """Compare what a page would draw with the account of the run that it was made for; return what it has."""
        account = self.account(page)
        places = places_of(account.details, self.streams(page))
        (found,) = self.wire.tell("look", page, places=[places])["sides"]
        require_drawn(found, account.overview, account.details, places, complete=False, rounded=ROUNDED)
        assert found["batches"] == list(range(0, 7 * len(found["batches"]), 7)), "those from the first on"
        return dict(found)

    def follows(self, page: str) -> bool:
        """Whether a page still asks what is new: not after a writer has said that nothing will follow."""
        (found,) = self.wire.tell("look", page, places=[[]])["sides"]
        return bool(found["state"]["status"]["file"]["follows"])

    def let_pages_ask(self) -> None:
        for page in self.wire.to_page:
            self.wire.tell("show", page, visible=True)
        for _ in range(4):
            self.wire.carry_all(3)  # pages ask again and again, and never come to rest
            self.wire.tell("pass", ms=PATIENCE_MS)
        self.wire.carry_all(3)

    # What holds once everything that was said has arrived.

    @precondition(lambda self: hasattr(self, "wire"))
    @rule()
    def settle(self) -> None:
        if self.damaged:
            self.mend()
        if self.writer:
            self.writer.record(1, flush=True)
            self.writer.say("idle")
        self.let_pages_ask()
        now = Run.open(self.path)
        for page in list(self.wire.to_page):
            found = self.compare(page)
            state = found["state"]
            assert state["recorded"] == len(found["batches"])
            assert not state["completing"]
            assert not state["silent"]
            assert state["problem"] is None
            if not state["status"]["file"]["follows"]:
                continue
            assert self.wire.run_of[page] == reader_of(now).state.id
            assert found["batches"] == now.batches.tolist()
            assert state["status"]["message"] == ""
            assert state["status"]["state"] != "error"
            self.require_answered(page, now)

    def require_answered(self, page: str, now: Run) -> None:
        """What the file has of a batch is there once it is wanted, and else it is said that it was thinned."""
        newest = list(zip(now.batches.tolist(), now.detailed.tolist(), strict=True))[-8:]
        places = [{"batch": batch, "stream": None, "part": None} for batch, _ in newest]
        self.wire.tell("want", page, side=0, places=places)
        for _ in range(2):
            self.wire.tell("pass", ms=PATIENCE_MS)
            self.wire.carry_all(len(places) + 3)
        (found,) = self.wire.tell("look", page, places=[places])["sides"]
        for held, (_, there) in zip(found["places"], newest, strict=True):
            assert held["held"] == there, held
            assert there or held["missing"]["why"] == "thinned"

    def teardown(self) -> None:
        if hasattr(self, "wire"):
            try:
                self.settle()
            finally:
                self.wire.end()
                self.patch.undo()
                if self.writer:
                    self.writer.kill(midway=False)
                shutil.rmtree(self.folder)


def test_whatever_happens_to_the_file_pages_show_what_it_says(pages: Pages) -> None:
    run_machine(FollowedFile, pages, examples=20)

"""A widget and pages of it in any order of events, over a wire that loses, doubles and delays messages.

Whatever happens, what a view would draw is what the run holds, every recorded batch is there once, and nothing waits
for ever. What the run is saved to, on a disk that fails, has what was recorded, and what is amiss is told.
"""

import errno
import json
import math
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from conversing import STREAMS, Conversing
from disk import Disk, require_columns, require_rows
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from interrupting import interrupt
from machine import PAGE, run_machine
from saving import reader_of
from traitlets import TraitError
from wire import Pages

from rnnbow_widget import RNNbow, Snapshot, run_appender, run_file, run_writer
from rnnbow_widget.run_writer import RunWriter

pytestmark = [pytest.mark.wire, pytest.mark.filterwarnings("ignore::rnnbow_widget.RunFileWarning")]

TEXT = "the quick brown fox jumps over the lazy dog; " * 4
SETTINGS: dict[str, Any] = {
    "hidden_size": 4,
    "seq_length": 5,
    "horizon": 3,
    "record_every": 3,
    "batch_size": STREAMS,
    "seed": 0,
}
MEMORY_LIMIT = st.sampled_from([60_000, 256_000_000])
WRITING = ("add", "_clear", "_insert", "_layout", "_write_state")


class OneRun(Conversing):
    """One run, and what only its widget can do."""

    widget: RNNbow

    @initialize(memory_limit=MEMORY_LIMIT, joined=st.booleans())
    def begin(self, memory_limit: int, joined: bool) -> None:
        self.begin_with(lambda: RNNbow(TEXT, **SETTINGS, memory_limit=memory_limit))
        self.open_page(joined)

    @rule(index=PAGE)
    def measure_horizon(self, index: int) -> None:
        self.tell(index, "ask", name="measureHorizon")

    @rule(
        index=PAGE,
        setting=st.sampled_from(
            [("learning_rate", 0.05), ("learning_rate", -1), ("horizon", 2), ("horizon", None), ("record_every", 2)]
        ),
    )
    def change_setting(self, index: int, setting: tuple[str, Any]) -> None:
        self.tell(index, "set", name=setting[0], value=setting[1])

    @rule(index=PAGE, surface=st.sampled_from(["W_ih", "W_hh"]))
    def choose_surface(self, index: int, surface: str) -> None:
        self.tell(index, "choose", name="surface", value=surface)

    @rule(
        setting=st.sampled_from([("learning_rate", 0.2), ("horizon", "auto"), ("record_every", 4), ("horizon", 0)]),
        directly=st.booleans(),
    )
    def assign(self, setting: tuple[str, Any], directly: bool) -> None:
        with suppress(TraitError, ValueError):
            self.in_a_cell(lambda: setattr(self.trainer(0) if directly else self.widget, *setting))

    @precondition(lambda self: hasattr(self, "wire"))
    @rule()
    def settle(self) -> None:
        self.come_to_rest()
        self.require_told()
        self.trainer(0).train(SETTINGS["record_every"] + 1)
        self.kernel_loop.go_on()
        assert self.wire.carry_all()
        self.require_told()
        self.require_that_playing_plays()

    def require_told(self) -> None:
        """Pages have all that there is to say."""
        for page in self.wire.to_page:
            (found,) = self.compare(page, complete=True)["sides"]
            self.require_whole(found, 0)
            state = found["state"]
            assert state["playing"] is False
            assert state["surface"] == self.widget.surface
            assert state["status"] == json.loads(json.dumps(self.widget._conversation.status()))
            assert state["settings"] == {name: getattr(self.trainer(0), name) for name in state["settings"]}
            self.require_answered(page, 0)


class SavedRun(OneRun):
    """The same run, which is written to a file on a disk that fails."""

    @initialize(memory_limit=MEMORY_LIMIT, most_kept=st.sampled_from([30_000, 64_000_000]), joined=st.booleans())
    def begin(self, memory_limit: int, most_kept: int, joined: bool) -> None:
        self.disk = Disk()
        self.clock = count()
        self.passed, self.used_at = 0.0, -math.inf
        self.accounts: dict[str, list[Snapshot]] = {}
        self.compared: dict[str, int] = {}
        self.interrupted = False

        def make() -> RNNbow:
            for module in (run_writer, run_appender):
                self.patch.setattr(module, "monotonic", lambda: self.passed + next(self.clock) / 100)
            for module, name in ((run_file, "PATIENCE"), (run_writer, "PATIENCE"), (run_writer, "_SHORT")):
                self.patch.setattr(module, f"{name}_SECONDS", 0.01)
            self.patch.setattr(run_writer, "_MOST_KEPT_BYTES", most_kept)
            return RNNbow(TEXT, **SETTINGS, memory_limit=memory_limit, save=self.disk.path)

        self.begin_with(make)
        self._keep_accounts_of_runs()
        self.open_page(joined)

    def _keep_accounts_of_runs(self) -> None:
        """Keep the account of every run under the name that it has in the file."""
        run, file = self.widget.run, self.writer._file
        append = run.append

        def noted(snapshot: Snapshot) -> None:
            try:
                append(snapshot)
            finally:
                self.accounts[file._id] = self.recorded[0]

        self.patch.setattr(run, "append", noted)

    @property
    def writer(self) -> RunWriter:
        assert self.widget.run.writer
        return self.widget.run.writer

    @rule(ms=st.sampled_from([300, 2_500, 11_000]))
    def let_time_pass(self, ms: int) -> None:
        self.passed += ms / 1000

    # What goes wrong.

    @precondition(lambda self: not self.disk.fails and not self.writer._ended)
    @rule()
    def fill_disk(self) -> None:
        self.disk.fill(self.writer)

    @precondition(lambda self: not self.disk.fails)
    @rule()
    def lose_folder(self) -> None:
        self.disk.go_away()

    @precondition(lambda self: self.disk.fails)
    @rule()
    def mend_disk(self) -> None:
        self.disk.mend(self.writer)

    @rule(what=st.sampled_from(WRITING), after=st.booleans(), full=st.booleans())
    def fail_to_write(self, what: str, after: bool, full: bool) -> None:
        error = OSError(errno.ENOSPC, "No space left on device") if full else None
        self.failing.fail_once(self.writer._file, what, after=after, error=error)

    @precondition(lambda self: not self.disk.fails)
    @rule(batches=st.integers(1, 30))
    def train_while_somebody_reads(self, batches: int) -> None:
        self.used_at = self.passed
        with self.disk.in_use():
            self.train(batches)

    @rule(batches=st.integers(1, 12), line=st.integers(0, 600))
    def interrupt_training(self, batches: int, line: int) -> None:
        self._interrupt(lambda: self.train(batches), line)

    @rule(line=st.integers(0, 60))
    def interrupt_reset(self, line: int) -> None:
        self._interrupt(lambda: self.call("reset"), line)

    def _interrupt(self, call: Callable[[], None], line: int) -> None:
        self.interrupted = interrupt(call, line) or self.interrupted

    @precondition(lambda self: not self.disk.fails and not self.disk.taken)
    @rule()
    def take_file_over(self) -> None:
        self.disk.take_over()

    # What always holds.

    @invariant()
    def the_file_has_what_was_recorded(self) -> None:
        with self.disk.read() as found:
            name = reader_of(found).state.id
            if self.disk.taken:
                assert name == self.disk.taken
                assert len(found) == 2
                return
            require_rows(found, self.accounts.get(name, []), self.compared.get(name, 0))
            self.compared[name] = len(found)
            current = name == self.writer._file._id
            assert not current or len(found) >= self.writer.written
            complete = not self.widget.run.batches.size or (current and len(found) == len(self.widget.run))
            self.interrupted = self.interrupted and not complete
            assert complete or self.interrupted or self.writer._ended or self.writer._failing_since < math.inf

    @invariant()
    def memory_or_file_have_all_details(self) -> None:
        run = self.widget.run
        if run.memory_limit > 1_000_000:
            assert all(one is other for one, other in zip(run.details(), self.recorded[0], strict=True))
        if not self.writer._ended:
            assert run.detailed.all()

    def require_whole(self, found: dict[str, Any], side: int) -> None:
        super().require_whole(found, side)
        in_use = self.passed < self.used_at + run_writer._QUIET_SECONDS  # which is told only if it stays so
        assert self.writer.trouble or in_use or self.writer.written == len(self.widget.run)
        assert found["state"]["status"]["file"]["trouble"] == self.writer.trouble

    @precondition(lambda self: hasattr(self, "wire"))
    @rule()
    def settle(self) -> None:
        if self.disk.fails:
            super().settle()  # what is amiss is told while it lasts
            self.disk.mend(self.writer)
        self.passed += 60  # it is tried again
        super().settle()
        if self.writer._ended:
            assert "nothing more is written" in self.writer.trouble
            return
        assert not self.disk.taken
        assert self.writer.trouble == ""
        self.require_that_what_waits_is_written()
        with self.disk.read() as found:
            require_rows(found, self.recorded[0])
            require_columns(found, self.recorded[0])
            assert len(found) == len(self.recorded[0])

    def require_that_what_waits_is_written(self) -> None:
        """What somebody who read has kept from being written is written while nothing trains, since a page asks."""
        if not self.wire.to_page:
            return
        with self.disk.in_use():
            self.widget.step()
            assert self.wire.carry_all()
        assert self.writer.written < len(self.widget.run)
        self.passed += 1
        self.wire.tell("pass", ms=300)
        assert self.wire.carry_all()
        assert self.writer.written == len(self.widget.run)
        for page in self.wire.to_page:
            (found,) = self.compare(page, complete=True)["sides"]
            assert found["state"]["status"]["file"] == {"follows": False, "said": "Saved to run.rnnbow.", "trouble": ""}

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "disk"):
                self.disk.remove()


def test_whatever_happens_pages_show_what_the_run_holds(pages: Pages) -> None:
    run_machine(OneRun, pages, examples=25)


def test_whatever_happens_to_the_disk_the_file_has_what_was_recorded(pages: Pages) -> None:
    run_machine(SavedRun, pages, examples=15)

"""What is reported written is in the file, whenever the process is killed; and who reads meanwhile reads right."""

import os
import random
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from recorded import recorded, require_same

from rnnbow_widget import Run, RunFileError
from rnnbow_widget.run_file import journal_of

KILLS = 200

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that start as quickly as forks do")

Start = Callable[[Path, float], int]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts a process that writes a file until it is killed; returns its number."""
    program = Path(__file__).with_name("writing_until_killed.py")
    with subprocess.Popen([sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forks:
        given, told = forks.stdin, forks.stdout
        assert given is not None
        assert told is not None

        def start(path: Path, pause: float) -> int:
            print(pause, path, file=given, flush=True)
            return int(told.readline())

        yield start
        given.close()


def reported(path: Path) -> int:
    """How many recorded batches the process has reported written."""
    try:
        notes = path.with_name(path.name + "-reported").read_bytes()
    except FileNotFoundError:
        return 0
    whole = len(notes) // 8 * 8
    return int(struct.unpack("<q", notes[whole - 8 : whole])[0]) if whole else 0


def test_a_killed_process_loses_nothing_that_it_had_reported_written(tmp_path: Path, start: Start) -> None:
    chance = random.Random(0)
    journals = 0
    for kill in range(KILLS):
        path = tmp_path / f"{kill}.rnnbow"
        process = start(path, chance.choice([0, 0, 0.002]))
        sleep(chance.uniform(0, 0.08))  # the moment of the kill: nothing is waited for
        os.kill(process, signal.SIGKILL)
        while _lives(process):
            sleep(0.001)
        told = reported(path)
        journals += journal_of(path).exists()
        run = opened(path)
        if run is None:
            assert told == 0
            continue
        assert len(run) >= told
        assert run.batches.tolist() == [7 * place for place in range(len(run))]
        for place, snapshot in enumerate(run):
            require_same(snapshot, recorded(place))
    assert journals > 5  # some were in the middle of a transaction


def test_one_process_reads_while_another_writes(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "run.rnnbow"
    process = start(path, 0.005)
    try:
        while not reported(path):
            sleep(0.001)
        run = Run.open(path, memory_limit=2_000_000)
        seen = {len(run)}
        end = monotonic() + 60
        while (len(run) < 1000 or len(seen) <= 10) and monotonic() < end:
            told = reported(path)
            assert not run.refresh()
            assert len(run) >= told
            seen.add(len(run))
            for place in {0, len(run) // 2, len(run) - 1}:
                require_same(run[place], recorded(place))
        assert len(run) >= 1000
        assert len(seen) > 10
        assert run.nbytes <= run.memory_limit
    finally:
        os.kill(process, signal.SIGKILL)


def opened(path: Path) -> Run | None:
    """The run in a file; None if the process was killed before it had made one."""
    try:
        return Run.open(path)
    except FileNotFoundError:
        return None
    except RunFileError:
        if path.stat().st_size:
            raise
        return None


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True

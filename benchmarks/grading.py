"""The classroom: how long nbgrader takes for one submission of each assignment, and its slowest cell.

The submission is the instructor's version: every solution is there, and every test passes.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter

from .table import Findings, Row, duration

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
from assignments import SOURCE, make_course, names, nbgrader

AT_MOST = 60.0  # seconds for a submission
A_CELL = 30.0  # after which nbgrader ends a cell, unless it is told otherwise
STUDENT = "student"


def measure() -> Findings:
    with TemporaryDirectory() as folder:
        course = Path(folder)
        make_course(course, names())
        rows = [row for name in names() for row in _graded(course, name)]
    return Findings(rows, ["CPU: seconds of processor time, which other work on the machine changes little."])


def _graded(course: Path, name: str) -> Iterator[Row]:
    """Grade a submission, and look into what nbgrader ran."""
    submitted = course / "submitted" / STUDENT / name
    submitted.mkdir(parents=True)
    shutil.copy(SOURCE / name / f"{name}.ipynb", submitted)
    before, begun = getrusage(RUSAGE_CHILDREN), perf_counter()
    nbgrader(course, "autograde", name)
    seconds, after = perf_counter() - begun, getrusage(RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield _row(f"{name}: grading one submission, CPU {duration(processor)}", seconds, AT_MOST)
    slowest = max(_cells(course / "autograded" / STUDENT / name / f"{name}.ipynb"))
    yield _row(f"{name}: its slowest cell", slowest, A_CELL)


def _cells(path: Path) -> Iterator[float]:
    """Give the seconds that each cell took."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if told := cell["metadata"].get("execution"):
            begun, ended = (datetime.fromisoformat(told[of]) for of in ("iopub.execute_input", "shell.execute_reply"))
            yield (ended - begun).total_seconds()


def _row(name: str, seconds: float, asked: float) -> Row:
    return Row(name, duration(seconds), asked=f"< {asked:g} s", met=seconds < asked)

"""Makes what students get from the instructor's notebooks: with nbgrader, and with otter-grader.

    python scripts/assignments.py OUTPUT [NAME …]

`notebooks/assignments/source/NAME/NAME.ipynb` is the only source, in nbgrader's format. OUTPUT/nbgrader becomes a
course folder of nbgrader: sources, and students' versions in `release`. In OUTPUT/otter each assignment has `student`
and `autograder`, made by `otter assign` from a notebook that is written here: what nbgrader knows by the metadata of
cells, otter reads from cells between.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "notebooks" / "assignments" / "source"
COURSE = "rnnbow"
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS\n?", re.DOTALL)
SOLVED = re.compile(r"### BEGIN SOLUTION\n.*?### END SOLUTION\n?", re.DOTALL)
CONFIG = """# ASSIGNMENT CONFIG
name: {name}
generate:
  pdf: false
export_cell: false
check_all_cell: true
"""

Cell = dict[str, Any]


def names() -> list[str]:
    """Return the names of all assignments, in the order of the course."""
    return sorted(path.name for path in SOURCE.iterdir() if path.is_dir())


def main(arguments: Sequence[str]) -> None:
    output = Path(arguments[0])
    wanted = list(arguments[1:]) or names()
    make_course(output / "nbgrader", wanted)
    for name in wanted:
        make_otter(output / "otter" / name, name)
    print(f"Made {', '.join(wanted)} in {output}")


def make_course(folder: Path, wanted: Sequence[str]) -> None:
    """Make a course folder of nbgrader, with students' versions of these assignments in `release`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(f'c = get_config()\nc.CourseDirectory.course_id = "{COURSE}"\n')
    for name in wanted:
        shutil.copytree(SOURCE / name, folder / "source" / name, dirs_exist_ok=True)
    nbgrader(folder, "generate_assignment", *wanted, "--force")


def nbgrader(course: Path, command: str, *names_and_options: str) -> None:
    """Run a command of nbgrader on assignments of a course folder, one after the other."""
    options = [one for one in names_and_options if one.startswith("-")]
    for name in names_and_options:
        if name not in options:
            run("nbgrader", command, name, f"--course-dir={course.resolve()}", *options, folder=course)


def run(module: str, *arguments: str, folder: Path) -> None:
    """Run a program of Python's in a folder; if it fails, with what it said."""
    line = [sys.executable, "-m", module, *arguments]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by its name
    done = subprocess.run(
        line, check=False, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": programs}
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}\n{done.stdout}\n{done.stderr}")


def make_otter(folder: Path, name: str) -> None:
    """Have otter make its folders `student` and `autograder` of an assignment; the solution has to pass."""
    if folder.exists():
        shutil.rmtree(folder)
    master = folder / f"{name}.ipynb"
    folder.mkdir(parents=True)
    notebook = json.loads((SOURCE / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = for_otter(notebook["cells"], name)
    notebook["cells"] = [{**cell, "id": f"cell-{place}"} for place, cell in enumerate(cells)]
    master.write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")
    run("otter", "assign", master.name, ".", folder=folder)


def for_otter(cells: Sequence[Cell], name: str) -> Iterator[Cell]:
    """Write cells of nbgrader's format as those of otter's: questions with their solutions and tests."""
    yield raw(CONFIG.format(name=name))
    answers: list[Cell] = []
    for cell in cells:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution") and not about["grade"]:
            answers.append(cell)
        elif about.get("solution"):
            yield from written(cell, about)
        elif about.get("grade"):
            yield from question(answers, cell, about)
            answers = []
        elif answers:
            answers.append(cell)  # between an answer and its tests
        else:
            yield plain(cell)
    assert not answers, "every answer has tests"


def question(answers: Sequence[Cell], tests: Cell, about: dict[str, Any]) -> Iterator[Cell]:
    """What is to be written, if anything, and what tests it; cells between stay between."""
    yield raw(f"# BEGIN QUESTION\nname: {about['grade_id'].removesuffix('_test')}\npoints: {about['points']}\n")
    for place, cell in enumerate(answers):
        if place:
            yield plain(cell)
            continue
        text = "".join(cell["source"])
        yield raw("# BEGIN SOLUTION")
        yield plain(cell, text.replace("### BEGIN SOLUTION", "# BEGIN SOLUTION").replace("### END", "# END"))
        yield raw("# END SOLUTION")
    yield raw("# BEGIN TESTS")
    text = "".join(tests["source"])
    seen = HIDDEN.sub("", text).rstrip()
    yield plain(tests, compact(seen))
    for hidden in HIDDEN.findall(text):
        marked = '""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG\n'
        yield plain(tests, marked + compact(f"{seen}\n{hidden}"))
    yield raw("# END TESTS")
    yield raw("# END QUESTION")


def written(cell: Cell, about: dict[str, Any]) -> Iterator[Cell]:
    """A question that a person reads the answer to."""
    text = "".join(cell["source"])
    solution = re.search(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", text, re.DOTALL)
    yield raw(f"# BEGIN QUESTION\nname: {about['grade_id']}\nmanual: true\npoints: {about['points']}\n")
    yield plain(cell, SOLVED.sub("", text).rstrip())
    yield raw("# BEGIN SOLUTION")
    yield plain(cell, solution[1].rstrip() if solution else "")
    yield raw("# END SOLUTION")
    yield raw("# END QUESTION")


def raw(text: str) -> Cell:
    return {"cell_type": "raw", "metadata": {}, "source": text}


def plain(cell: Cell, text: str | None = None) -> Cell:
    """The same cell without what only nbgrader reads."""
    return {**cell, "metadata": {}, "source": "".join(cell["source"]) if text is None else text}


def compact(code: str) -> str:
    """Code without empty lines, at which otter ends what is indented."""
    return "\n".join(line for line in code.splitlines() if line.strip())


if __name__ == "__main__":
    main(sys.argv[1:])

"""The whole round of nbgrader and of otter-grader, for every assignment, with a right and a wrong submission."""

import csv
import json
from pathlib import Path

import pytest
from assignment_cells import SOURCE, Assignment
from assignments import make_course, make_otter, nbgrader, run
from test_assignments import MISCONCEPTIONS

pytestmark = pytest.mark.grading

NAMES = sorted(path.name for path in SOURCE.iterdir())
WRONG = {number: (grade_id, right, wrong) for number, grade_id, right, wrong in MISCONCEPTIONS.values()}
"""Of each assignment one misconception."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small matrices are not quicker on several threads, and slower on a machine that is busy."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def submit(release: Path, target: Path, *, wrong: bool) -> str:
    """Write a student's notebook with all solutions filled in, one of them wrong if so wished; returns its test."""
    assignment = Assignment(release.stem)
    grade_id, old, new = WRONG[release.stem[:2]]
    notebook = json.loads(release.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution"):
            source = assignment.source(about["grade_id"])
            cell["source"] = source.replace(old, new) if wrong and about["grade_id"] == grade_id else source
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(notebook), encoding="utf-8")
    return f"{grade_id}_test"


@pytest.mark.parametrize("name", NAMES)
def test_nbgraders_round(name: str, tmp_path: Path) -> None:
    make_course(tmp_path, [name])
    release = tmp_path / "release" / name / f"{name}.ipynb"
    released = release.read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in released
    assert "HIDDEN TESTS" not in released
    for student in ("right", "wrong"):
        submit(release, tmp_path / "submitted" / student / name / f"{name}.ipynb", wrong=student == "wrong")
    nbgrader(tmp_path, "autograde", name)
    nbgrader(tmp_path, "generate_feedback", name)
    run("nbgrader", "export", f"--db=sqlite:///{tmp_path}/gradebook.db", folder=tmp_path)
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assignment = Assignment(name)
    points = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell["metadata"]["nbgrader"]["points"]
        for cell in assignment.cells
        if cell["metadata"].get("nbgrader", {}).get("grade")
    }
    automatic = assignment.ids(grade=True, locked=True)
    test = f"{WRONG[name[:2]][0]}_test"
    assert scores["right"] == sum(points[one] for one in automatic)
    assert scores["wrong"] <= scores["right"] - points[test]
    for student in ("right", "wrong"):
        page = (tmp_path / "feedback" / student / name / f"{name}.html").read_text(encoding="utf-8")
        assert "data:image/png;base64" in page, "a picture in the place of a view that needs a kernel"
        assert "widget-view+json" not in page
    assert "rel_error" in page or "Error" in page


@pytest.mark.parametrize("name", NAMES)
def test_otters_round(name: str, tmp_path: Path) -> None:
    make_otter(tmp_path / name, name)
    made = tmp_path / name
    student = (made / "student" / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in student
    assert "hidden: true" not in student
    (archive,) = (made / "autograder").glob("*.zip")
    results = {}
    for which in ("right", "wrong"):
        folder = tmp_path / which
        filled(made / "student" / f"{name}.ipynb", folder / f"{name}.ipynb", wrong=which == "wrong")
        run("otter", "run", f"{name}.ipynb", "-a", str(archive), "-o", ".", "--no-logo", folder=folder)
        tests = json.loads((folder / "results.json").read_text(encoding="utf-8"))["tests"]
        results[which] = {one["name"]: (one["score"], one["max_score"]) for one in tests if one.get("max_score")}
    automatic = {one.removesuffix("_test") for one in Assignment(name).ids(grade=True, locked=True)}
    assert automatic <= results["right"].keys()
    assert all(results["right"][one][0] == results["right"][one][1] for one in automatic)
    assert results["wrong"][WRONG[name[:2]][0]][0] < results["wrong"][WRONG[name[:2]][0]][1]


def filled(student: Path, target: Path, *, wrong: bool) -> None:
    """Write otter's version with all solutions filled in, by the first line of what is to be written."""
    assignment = Assignment(student.stem)
    grade_id, old, new = WRONG[student.stem[:2]]
    sources = {one: assignment.source(one) for one in assignment.ids(solution=True, grade=False)}
    if wrong:
        sources[grade_id] = sources[grade_id].replace(old, new)
    by_first_line = {source.partition("\n")[0]: source for source in sources.values()}
    notebook = json.loads(student.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        first = "".join(cell["source"]).partition("\n")[0]
        if cell["cell_type"] == "code" and first in by_first_line:
            cell["source"] = by_first_line.pop(first)
    assert not by_first_line
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(notebook), encoding="utf-8")

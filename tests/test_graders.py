"""The whole round of nbgrader and of otter-grader, for every assignment: right, wrong and empty submissions."""

import json
from html import escape
from pathlib import Path

import pytest
from assignment_cells import NAMES, Assignment
from assignments import make_course, make_otter, nbgrader, run
from nbgrader.api import Gradebook
from test_assignments import MISCONCEPTIONS

pytestmark = pytest.mark.grading

WRONG = {
    "01": ("a step forgets the state before it", {"forward_test"}),
    "02": ("no slope of tanh where the loss enters", {"entering_test", "itemized_test"}),
    "03": ("Jacobians in the wrong order", {"jacobian_test"}),
    "04": ("the first piece below, before the largest", {"reach_test"}),
    "05": ("the symbol is the second input", {"sequences_test"}),
    "06": ("gates in another order", {"forward_test"}),
}
"""Of each assignment a mistake in its first task, and the tests that it costs; all that comes later gets its points."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small matrices are not quicker on several threads, and slower on a machine that is busy."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def submit(release: Path, target: Path, *, wrong: bool) -> None:
    """Write a student's notebook with all solutions filled in, one of them wrong if so wished."""
    assignment = Assignment(release.stem)
    mistaken = dict([wrong_source(assignment)]) if wrong else {}
    notebook = json.loads(release.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution"):
            cell["source"] = mistaken.get(about["grade_id"]) or assignment.source(about["grade_id"])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(notebook), encoding="utf-8")


def wrong_source(assignment: Assignment) -> tuple[str, str]:
    """Name and source of the cell that is wrong in a wrong submission."""
    _, grade_id, right, wrong = MISCONCEPTIONS[WRONG[assignment.name[:2]][0]]
    return grade_id, assignment.source(grade_id).replace(right, wrong)


def automatic_points(assignment: Assignment) -> dict[str, float]:
    """Points of each test."""
    tests = assignment.ids(grade=True, locked=True)
    about = [cell["metadata"].get("nbgrader", {}) for cell in assignment.cells]
    return {one["grade_id"]: float(one["points"]) for one in about if one.get("grade_id") in tests}


@pytest.mark.parametrize("name", NAMES)
def test_nbgraders_round(name: str, tmp_path: Path) -> None:
    make_course(tmp_path, [name])
    release = tmp_path / "release" / name / f"{name}.ipynb"
    released = release.read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in released
    assert "HIDDEN TESTS" not in released
    for student in ("right", "wrong"):
        submit(release, tmp_path / "submitted" / student / name / f"{name}.ipynb", wrong=student == "wrong")
    empty = tmp_path / "submitted" / "empty" / name / f"{name}.ipynb"
    empty.parent.mkdir(parents=True)
    empty.write_text(released, encoding="utf-8")
    nbgrader(tmp_path, "autograde", name)
    nbgrader(tmp_path, "generate_feedback", name)
    assignment = Assignment(name)
    points = automatic_points(assignment)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        given = {
            student: {one.name: one.auto_score for one in submission.grades if one.name in points}
            for student in ("right", "wrong", "empty")
            for submission in [gradebook.find_submission_notebook(name, name, student)]
        }
    assert given["right"] == points
    assert given["wrong"] == points | dict.fromkeys(WRONG[name[:2]][1], 0)
    assert given["empty"] == dict.fromkeys(points, 0)
    pages = {
        student: (tmp_path / "feedback" / student / name / f"{name}.html").read_text(encoding="utf-8")
        for student in ("right", "wrong")
    }
    for page in pages.values():
        assert "data:image/png;base64" in page, "a picture in the place of a view that needs a kernel"
        assert "widget-view+json" not in page
    grade_id, source = wrong_source(assignment)
    failed = assignment.run({grade_id: source}, until=f"{grade_id}_test")
    said = f": {escape(str(failed[f'{grade_id}_test']), quote=False)}"
    assert said in pages["wrong"]
    assert said not in pages["right"]


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
    missed = {one.removesuffix("_test") for one in WRONG[name[:2]][1]}
    assert {one for one in automatic if results["wrong"][one][0] < results["wrong"][one][1]} == missed


def filled(student: Path, target: Path, *, wrong: bool) -> None:
    """Write otter's version with all solutions filled in, by the first line of what is to be written."""
    assignment = Assignment(student.stem)
    sources = {one: assignment.source(one) for one in assignment.ids(solution=True, grade=False)}
    if wrong:
        sources |= [wrong_source(assignment)]
    by_first_line = {source.partition("\n")[0]: source for source in sources.values()}
    notebook = json.loads(student.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        first = "".join(cell["source"]).partition("\n")[0]
        if cell["cell_type"] == "code" and first in by_first_line:
            cell["source"] = by_first_line.pop(first)
    assert not by_first_line
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(notebook), encoding="utf-8")

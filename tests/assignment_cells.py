"""Runs the cells of an assignment here, with solutions of any kind in the place of its own: quicker than a kernel."""

import ast
import json
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[1] / "notebooks" / "assignments" / "source"
NAMES = sorted(path.name for path in SOURCE.iterdir())


class Assignment:
    """An instructor's notebook."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = SOURCE / name / f"{name}.ipynb"
        self.notebook = json.loads(self.path.read_text(encoding="utf-8"))

    @property
    def cells(self) -> list[dict[str, Any]]:
        return list(self.notebook["cells"])

    def ids(self, **wanted: bool) -> list[str]:
        """Names of the cells with this metadata."""
        found = [cell["metadata"].get("nbgrader", {}) for cell in self.cells]
        return [about["grade_id"] for about in found if about and all(about[k] == v for k, v in wanted.items())]

    def source(self, grade_id: str) -> str:
        (found,) = [cell for cell in self.cells if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id]
        return "".join(found["source"])

    def run(self, changed: dict[str, str] | None = None, until: str | None = None) -> dict[str, Exception]:
        """Run all code, or up to a cell, and return what went wrong in which, by name or number.

        With `changed`, other sources of cells by name, nothing is displayed: that takes longer than everything else.
        """
        failed: dict[str, Exception] = {}
        names: dict[str, Any] = {"__name__": "__main__"}
        for number, cell in enumerate(self.cells):
            if cell["cell_type"] != "code":
                continue
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", str(number))
            source = (changed or {}).get(grade_id, "".join(cell["source"]))
            try:
                run_cell(source, names, display=changed is None)
            except Exception as error:  # of whatever kind: a student's code may do anything
                failed[grade_id] = error
            if grade_id == until:
                break
        return failed


def run_cell(source: str, names: dict[str, Any], *, display: bool) -> None:
    """Run a cell, and ask for what it would display."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
        bundle = getattr(value, "_repr_mimebundle_", None)
        assert bundle is None or not display or bundle()[0]["text/plain"]

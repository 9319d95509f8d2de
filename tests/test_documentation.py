"""What the documentation shows runs: README, tutorial, how-tos, docstrings, notebooks."""

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import rnnbow_widget

REPOSITORY = Path(__file__).resolve().parents[1]
MODULES = sorted(module.name for module in pkgutil.iter_modules(rnnbow_widget.__path__, "rnnbow_widget."))
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
LESSONS = [REPOSITORY / "docs" / "tutorial.md", *sorted((REPOSITORY / "docs" / "howto").glob("*.md"))]


def test_the_readmes_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_text.txt").write_text("A text of one's own. " * 30)
    monkeypatch.setattr("builtins.print", lambda *_: None)
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block.replace('open("my_text.txt").read()', '"my_text.txt"'), "README.md", "exec"), {})


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_code_of_lessons_runs_and_prints_what_they_say(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    blocks = re.findall(r"^```(python|text)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)
    assert {kind for kind, _ in blocks} == {"python", "text"}
    for kind, block in blocks:
        if kind == "text":
            assert printed.strip() == block.strip()
            printed = ""
            continue
        assert not printed, "what is printed is shown"
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(block, path.name, "exec"), names)
        printed = out.getvalue()
    assert not printed


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_is_an_example_to_test() -> None:
    assert doctest.testmod(importlib.import_module("rnnbow_widget.widget")).attempted >= 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run_without_a_browser(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    client.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    widgets = [output for output in outputs if "application/vnd.jupyter.widget-view+json" in output.get("data", {})]
    assert widgets
    for output in widgets:
        assert output["data"]["text/plain"].startswith(("RNNbow(", "Comparison(", "Sweep("))
    assert any(_recorded_chunks(state) for state in _widget_states(notebook))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_output(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def _widget_states(notebook: Any) -> list[dict[str, Any]]:
    return list(notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values())


def _recorded_chunks(state: dict[str, Any]) -> bool:
    """Whether a saved widget state holds recorded batches: chunks are among its binary buffers."""
    return any("_run" in buffer["path"] and "chunks" in buffer["path"] for buffer in state.get("buffers", []))

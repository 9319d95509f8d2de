"""No module runs what it reads: nothing is unpickled, compiled, or imported under a name that comes from data."""

import ast
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rnnbow_widget import Run, RunFileError, Trainer

PACKAGE = Path(__file__).resolve().parents[1] / "rnnbow_widget"
MODULES = sorted(PACKAGE.glob("*.py"))
RUNS_DATA = {
    "cPickle",
    "cloudpickle",
    "code",
    "codeop",
    "dill",
    "joblib",
    "marshal",
    "pickle",
    "runpy",
    "shelve",
    "yaml",
}
"""Modules that make objects or code of bytes or text."""
ASKS = {"ftplib", "http.client", "httpx", "requests", "smtplib", "socket", "urllib.request", "urllib3", "webbrowser"}
"""Modules that ask other machines."""
CALLS = {"__import__", "compile", "eval", "exec"}
METHODS = {"enable_load_extension", "load_extension", "run_path", "run_module", "system", "popen"}
LOADERS = {("np", "load"), ("numpy", "load"), ("torch", "load")}


def dangers(source: str) -> list[str]:
    """What in a module could run what it is given, or ask another machine."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [] if node.level else [str(node.module), *(f"{node.module}.{name}" for name in names)]
            found += [name for name in names if {name, name.split(".")[0]} & (RUNS_DATA | ASKS)]
        elif isinstance(node, ast.Call):
            found += called(node)
        elif isinstance(node, ast.keyword) and node.arg in {"allow_pickle", "shell"}:
            found.append(node.arg)
    return found


def called(call: ast.Call) -> list[str]:
    match call.func:
        case ast.Name(id=name) if name in CALLS:
            return [name]
        case ast.Name(id="import_module") | ast.Attribute(attr="import_module"):
            return [] if isinstance(call.args[0], ast.Constant) else ["import_module"]
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if (owner, name) in LOADERS:
            return [f"{owner}.{name}"]
        case ast.Attribute(attr=name) if name in METHODS:
            return [name]
    return []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_neither_runs_what_it_reads_nor_asks_elsewhere(path: Path) -> None:
    assert dangers(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import numpy as np\nnp.load(path)",
        "read(path, allow_pickle=True)",
        "eval(text)",
        "from importlib import import_module\nimport_module(name)",
        "import importlib\nimportlib.import_module(f'torch.{name}')",
        "connection.enable_load_extension(True)",
        "from urllib.request import urlopen",
        "from urllib import request",
        "import os\nos.system(command)",
        "run(command, shell=True)",
    ],
)
def test_each_of_them_would_be_found(source: str) -> None:
    assert dangers(source)


@pytest.mark.parametrize(
    "added",
    [
        "CREATE TRIGGER t AFTER UPDATE ON about BEGIN DELETE FROM details; END",
        "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "ALTER TABLE about RENAME TO other; CREATE VIEW about AS SELECT * FROM other",
        "CREATE INDEX i ON about (length(value))",
        "CREATE TABLE more (content BLOB)",
    ],
)
def test_a_run_file_with_anything_that_is_not_data_is_refused(tmp_path: Path, added: str) -> None:
    path = tmp_path / "run.rnnbow"
    trainer = Trainer("abcde fghij " * 40, hidden_size=4)
    trainer.train(1)
    trainer.run.save(path)
    assert len(Run.open(path)) == 1
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(added)
    with pytest.raises(RunFileError, match="its tables are not those of a run file"):
        Run.open(path)

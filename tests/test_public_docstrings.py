"""Every public name is in the reference, and its docstring says what goes in, what comes out and what can go wrong."""

import doctest
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from test_documentation import MODULES as RUN

import rnnbow_widget
from rnnbow_widget import corpora, examples, tasks
from rnnbow_widget import lightning as watching_trainers
from rnnbow_widget import torch as watching

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
MODULES = ("corpora", "examples", "tasks")
# These take what ours made.
UNCHECKED = {f"rnnbow_widget.{name}" for name in ("Sweep", "bptt", "corpora.Corpus", "tasks.Task")}
REFERS = re.compile(r"[Ss]ee `|As (of|for) `")  # to where it is said


def _own(module: ModuleType) -> list[str]:
    """Names of the public functions and classes that a module defines, or says that it has."""
    defined = [
        name
        for name, value in vars(module).items()
        if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == module.__name__
    ]
    return list(getattr(module, "__all__", [name for name in defined if not name.startswith("_")]))


def _public() -> Iterator[tuple[str, Any]]:
    """Every public name from where it is imported, and what it stands for."""
    for name in rnnbow_widget.__all__:
        if name not in MODULES:
            yield f"rnnbow_widget.{name}", getattr(rnnbow_widget, name)
    for module in (corpora, examples, tasks, watching, watching_trainers):
        for name in _own(module):
            yield f"{module.__name__}.{name}", getattr(module, name)


PUBLIC = dict(_public())
ERRORS = {name for name, value in PUBLIC.items() if inspect.isclass(value) and issubclass(value, Warning | Exception)}


def _methods() -> Iterator[tuple[str, Any]]:
    """Every public method that a public class has from us, by its name there."""
    for name, cls in PUBLIC.items():
        if not inspect.isclass(cls) or cls is watching_trainers.WatchCallback:  # whose methods Lightning calls
            continue
        for base in cls.__mro__:
            if not base.__module__.startswith("rnnbow_widget"):
                continue
            for own, value in vars(base).items():
                if not own.startswith("_") and (
                    inspect.isfunction(value) or isinstance(value, (classmethod, property))
                ):
                    yield f"{name}.{own}", inspect.getattr_static(cls, own)


METHODS = dict(_methods())


def docstring(value: Any) -> str:
    return inspect.getdoc(value) or ""


def sections(value: Any) -> dict[str, str]:
    """The sections of a docstring in numpy's style, by heading."""
    parts = re.split(r"^([A-Z]\w+)\n-{3,}\n", docstring(value), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parameters(value: Any) -> set[str]:
    """What a function, or the making of a class, takes."""
    function = value.__func__ if isinstance(value, classmethod) else value
    return {name for name in inspect.signature(function).parameters if name not in ("self", "cls")}


def described(value: Any) -> set[str]:
    """Parameters that a docstring describes in their section, or all attributes of a record."""
    found = sections(value)
    text = found.get("Parameters", found.get("Attributes", ""))
    names = re.findall(r"^([*\w][\w*, ]*?)\s*(?::|$)", text, re.MULTILINE)
    return {name.strip(" *") for group in names for name in group.split(",")}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_in_the_reference(name: str) -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    module, _, own = name.rpartition(".")
    entry = re.compile(
        rf"currentmodule:: {re.escape(module)}$(?:(?!currentmodule::).)*:: {own}$", re.MULTILINE | re.DOTALL
    )
    assert entry.search(pages)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_names_describe_what_they_take(name: str) -> None:
    value = PUBLIC[name]
    assert docstring(value)
    if name not in ERRORS and not REFERS.search(docstring(value)):
        assert parameters(value) - described(value) == set()


@pytest.mark.parametrize("name", sorted(METHODS))
def test_public_methods_mention_what_they_take(name: str) -> None:
    value = METHODS[name]
    text = docstring(value)
    assert text
    if not isinstance(value, property) and not REFERS.search(text):
        assert {own for own in parameters(value) if not re.search(rf"\b{own}\b", text)} == set()


@pytest.mark.parametrize("name", sorted(name for name, value in PUBLIC.items() if inspect.isfunction(value)))
def test_public_functions_say_what_they_return(name: str) -> None:
    assert "Returns" in sections(PUBLIC[name])


TAKING = {name for name, value in PUBLIC.items() if "Parameters" in sections(value)} - ERRORS - UNCHECKED


@pytest.mark.parametrize("name", sorted(TAKING))
def test_public_names_say_what_goes_wrong(name: str) -> None:
    assert "Raises" in sections(PUBLIC[name])


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_names_have_an_example_that_is_run(name: str) -> None:
    value = PUBLIC[name]
    assert doctest.DocTestParser().get_examples(sections(value).get("Examples", ""))
    assert value.__module__ in RUN

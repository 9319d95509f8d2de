"""A widget's whole configuration as one line of Python, whose evaluation gives the same picture."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Any

from .cells import CELLS
from .records import MEMORY_LIMIT
from .run import Run
from .trainer import Trainer

_DEFAULTS = {name: one.default for name, one in inspect.signature(Trainer.__init__).parameters.items()}
_MADE = ("cell", "hidden_size", "init", "forget_bias", "num_layers", "bidirectional", "dtype")
"""Settings of a network, which one that somebody brings has already."""


def recipe(
    run: Run, trainer: Trainer | None, chosen: Mapping[str, Any], usual: Mapping[str, Any], selected: int | None
) -> str:
    """Return the line.

    What no line can hold is a name in it that a comment explains: data or a network that somebody brings, or a run.

    Parameters
    ----------
    run : Run
        What is shown.
    trainer : Trainer or None
        What trains it.
    chosen, usual : mapping
        What is drawn, as arguments of `RNNbow`, and what is if nothing is said.
    selected : int or None
        Number of the selected batch.
    """
    differing = {name: value for name, value in chosen.items() if value != usual[name]}
    surface = differing.pop("surface", None)
    view = [f"{name}={value!r}" for name, value in differing.items()]
    said: list[str] = []
    statements = []
    if trainer is None:
        if run.reader:
            source = repr(str(run.reader.path))
        else:
            source = "run"
            said.append("run: a finished run of your own")
    else:
        source, settings, said = trainer_parts(trainer)
        view = [*settings, *view]
        statements = list(trainer.history.statements(trainer.batch, "w"))
        statements = [_of_trainer(statement) for statement in statements]
    if surface is not None:  # last: what a widget shows is recorded, and others may have been before
        statements.append(f"w.surface = {surface!r}")
    if selected is not None:
        statements.append(f"w.select({selected})")
    made = f"w = RNNbow({', '.join([source, *view])})"
    return import_line(["RNNbow"], [made, *statements, "w"], said)


def import_line(names: Sequence[str], statements: Sequence[str], said: Sequence[str]) -> str:
    """Return statements as one line, with what they import before them and what it does not hold behind them."""
    code = "; ".join(statements)
    modules = [name for name in ("corpora", "examples", "tasks") if re.search(rf"(\(|= ){name}\.", code)]
    modules += ["RNN"] * ("=RNN(" in code)
    comment = f"  # {'; '.join(said)}" if said else ""
    return f"from rnnbow_widget import {', '.join([*names, *modules])}; {code}{comment}"


def keywords(named: Mapping[str, str]) -> list[str]:
    """Return expressions as keyword arguments, by name."""
    if all(name.isidentifier() and not iskeyword(name) for name in named):
        return [f"{name}={code}" for name, code in named.items()]
    return ["**{" + ", ".join(f"{name!r}: {code}" for name, code in named.items()) + "}"]


def trainer_parts(trainer: Trainer, network: str = "rnn") -> tuple[str, list[str], list[str]]:
    """Return what a trainer trains on, the settings that it began with, and what a line does not hold of it.

    Parameters
    ----------
    trainer : Trainer
        Which.
    network : str
        What a network that somebody brings is called in the line.
    """
    said = []
    source = trainer.data.code
    if source is None:
        source = "data"
        said.append(f"data: your own, {' '.join(trainer.data.name.split())!r}")
    began, rnn = trainer.history.settings, trainer.rnn
    settings = {name: began[name] for name in began if name in _DEFAULTS and name not in ("data", "surfaces")}
    if began["forget_bias"] == 1.0:  # what an LSTM has unless told otherwise
        settings.pop("forget_bias")
    if began["dtype"] == "float32":
        settings.pop("dtype")
    if began["init"] == "given" or type(rnn.cell) is not CELLS.get(rnn.cell.name):
        said.append(f"{network}: your own network, as it was before training")
        settings["rnn"] = _Code(network)
    elif rnn.seed != trainer.seed:
        sizes = [str(size) for size in (rnn.input_size, rnn.hidden_size, rnn.output_size)]
        made = {name: settings[name] for name in (*_MADE, "dtype") if name in settings and name != "hidden_size"}
        named = [f"{name}={value!r}" for name, value in made.items() if value != _DEFAULTS[name]]
        settings["rnn"] = _Code(f"RNN({', '.join([*sizes, *named, f'seed={rnn.seed}'])})")
    if "rnn" in settings:
        settings = {name: value for name, value in settings.items() if name not in _MADE}
    if began["seq_length"] == trainer.data.usual_length:
        settings.pop("seq_length")
    usual = [surface.name for surface in trainer.known_surfaces.recorded(None)]
    if began["surfaces"] != usual:
        settings["surfaces"] = began["surfaces"]
    if settings["memory_limit"] == MEMORY_LIMIT:
        settings.pop("memory_limit")
    told = {name: value for name, value in settings.items() if name == "seed" or value != _DEFAULTS[name]}
    if not trainer.history.complete:
        said.append("settings changed more often than a line can tell")
    return source, [f"{name}={value!r}" for name, value in told.items()], said


def _of_trainer(statement: str) -> str:
    """Settings that a widget does not have are those of its trainer."""
    for name in ("clip_value", "clip_norm", "surfaces", "shown_surface"):
        statement = statement.replace(f"w.{name} =", f"w.trainer.{name} =")
    return statement


class _Code:
    """Stands for a value by an expression."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __repr__(self) -> str:
        return self._code

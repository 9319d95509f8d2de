"""A comparison's whole configuration as one line of Python, whose evaluation gives the same picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from string import ascii_lowercase
from typing import Any

from .recipe import import_line, keywords, trainer_parts
from .sides import Side, derived_names
from .trainer import Trainer


def sides_recipe(
    sides: Mapping[str, Side],
    chosen: Mapping[str, Any],
    selected: int | None,
    diverged: Collection[Trainer] = (),
) -> str:
    """Return the line.

    What no line can hold is a name in it that a comment explains, as in `recipe`.

    Parameters
    ----------
    sides : mapping of str to Side
        What is compared, by name.
    chosen : mapping
        Options of `compare` that are not as they are if nothing is said.
    selected : int or None
        Number of the selected batch.
    diverged : collection of Trainer
        Those that cannot go on, while others may.
    """
    trainers = {letter: side.trainer for letter, side in zip(ascii_lowercase, sides.values(), strict=False)}
    live = [trainer for trainer in trainers.values() if trainer]
    together = _trained_together(live, diverged)
    statements: list[str] = []
    said: list[str] = []
    for letter, side in zip(trainers, sides.values(), strict=True):
        if side.trainer is None:
            if not side.run.reader:
                said.append(f"{letter}: a finished run of your own")
            continue
        source, settings, notes = trainer_parts(side.trainer, f"rnn_{letter}")
        if side.trainer is live[0]:
            statements += [] if source == "data" else [f"data = {source}"]
        else:
            notes = [note for note in notes if not note.startswith("data:")]  # said already
        statements.append(f"{letter} = Trainer({', '.join(['data', *settings])})")
        if together is None:
            statements += side.trainer.history.statements(side.trainer.batch, letter)
        said += notes
    options = [f"{name}={value!r}" for name, value in chosen.items()]
    statements.append(f"w = compare({', '.join([*_arguments(sides), *options])})")
    if together:
        statements.append(f"w.train({together})")
    if selected is not None:
        statements.append(f"w.select({selected})")
    return import_line([*(["Trainer"] if live else []), "compare"], [*statements, "w"], said)


def _trained_together(trainers: Collection[Trainer], diverged: Collection[Trainer]) -> int | None:
    """Return by how many batches all were trained, if that and nothing else was done with them."""
    if not all(trainer.history.plain for trainer in trainers):
        return None
    goes_on = {trainer.batch for trainer in trainers if trainer not in diverged}
    if not trainers:
        return 0
    furthest = max(trainer.batch for trainer in trainers)
    return furthest if goes_on <= {furthest} else None


def _arguments(sides: Mapping[str, Side]) -> list[str]:
    """Return the sources as arguments: those after the first that has a name of its own need theirs, too."""
    derived = derived_names(list(sides.values()))
    given = next((place for place, name in enumerate(sides) if name != derived[place]), len(sides))
    sources = [
        repr(str(side.run.reader.path)) if side.trainer is None and side.run.reader else letter
        for letter, side in zip(ascii_lowercase, sides.values(), strict=False)
    ]
    named = dict(list(zip(sides, sources, strict=True))[given:])
    return [*sources[:given], *keywords(named)]

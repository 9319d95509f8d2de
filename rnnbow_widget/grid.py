"""Which settings a sweep tries: every combination of listed values, or settings that are listed one by one."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from typing import Any

from .checks import shown, whole_number
from .trainer import Trainer

Settings = dict[str, Any]
Grid = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]
"""Values of each setting, or the settings of each trial."""

TAKEN = tuple(
    name
    for name, parameter in inspect.signature(Trainer).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name not in ("save", "overwrite")
)
"""Settings of a `Trainer` that a sweep can vary; the files are the sweep's own."""


def settings_of(grid: Grid, seeds: Iterable[int] | None, common: Mapping[str, Any]) -> list[Settings]:
    """Return what is particular to each trial, in order: the last name of the grid changes first, seeds before all.

    Parameters
    ----------
    grid : mapping or sequence of mappings
        Values of each setting, of which every combination is tried; or the settings of each trial.
    seeds : iterable of int or None
        Each of these with every combination.
    common : mapping
        Settings that all trials have, which the grid may not vary too.

    Raises
    ------
    TypeError, ValueError
        If a name is no setting of `Trainer`, a value is missing, or two trials are the same.
    """
    _check_names("sweep", common)
    if isinstance(grid, Mapping):
        _check_names("grid", grid)
        for name, values in grid.items():
            if isinstance(values, Mapping) or not _is_collection(values):
                raise TypeError(f"grid takes a list of values for each setting; {name} has {shown(values)}")
        columns = [list(values) for values in grid.values()]
        for name, values in zip(grid, columns, strict=True):
            if not values:
                raise ValueError(f"grid takes at least one value for each setting; {name} has none")
        found = [dict(zip(grid, row, strict=True)) for row in product(*columns)]
    elif _is_collection(grid):
        found = []
        for place, own in enumerate(grid):
            if not isinstance(own, Mapping):
                raise TypeError(f"grid takes mappings of settings, or one mapping of lists; [{place}] is {shown(own)}")
            _check_names("grid", own)
            found.append(dict(own))
        if not found:
            raise ValueError("grid takes at least one mapping of settings, got none")
    else:
        raise TypeError(f"grid takes a mapping of lists, or a list of mappings; got {type(grid).__name__}")
    found = _with_seeds(found, seeds)
    _check_different(found, common)
    return found


def grid_of(trials: Sequence[Settings]) -> Grid:
    """Return a grid that gives these trials: of lists of values, if every combination is there, else one by one.

    Parameters
    ----------
    trials : sequence of dict
        What is particular to each.

    Examples
    --------
    >>> grid_of([{"cell": "tanh", "seed": 0}, {"cell": "tanh", "seed": 1}])
    {'cell': ['tanh'], 'seed': [0, 1]}
    """
    columns: dict[str, list[Any]] = {name: [] for name in varied(trials)}
    for settings in trials:
        for name, value in settings.items():
            if value not in columns[name]:
                columns[name].append(value)
    whole = [dict(zip(columns, row, strict=True)) for row in product(*columns.values())]
    return columns if whole == list(trials) else list(trials)


def varied(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of settings that are particular to a trial, in the order in which they come."""
    return list(dict.fromkeys(name for settings in trials for name in settings))


def _is_collection(value: Any) -> bool:
    """Whether it can be gone through; an array without axes cannot."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes)) and getattr(value, "ndim", 1) > 0


def _with_seeds(found: list[Settings], seeds: Iterable[int] | None) -> list[Settings]:
    if seeds is None:
        return found
    if not _is_collection(seeds):
        raise TypeError(f"seeds takes a list of whole numbers, got {shown(seeds)}")
    if any("seed" in settings for settings in found):
        raise ValueError("seeds cannot be given with a grid that has seed: one of them is enough")
    checked = [whole_number("seeds", seed, minimum=0) for seed in seeds]
    if not checked:
        raise ValueError("seeds takes at least one whole number, got none")
    return [settings | {"seed": seed} for settings in found for seed in checked]


def _check_names(argument: str, names: Iterable[Any]) -> None:
    for name in names:
        if name not in TAKEN:
            close = get_close_matches(str(name), TAKEN, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else f": {', '.join(TAKEN)}"
            raise TypeError(f"{argument} takes settings of a Trainer, and {shown(name)} is none{meant}")


def _check_different(found: Sequence[Settings], common: Mapping[str, Any]) -> None:
    seen: dict[str, int] = {}
    for place, settings in enumerate(found):
        if twice := set(settings) & set(common):
            name = min(twice)
            raise ValueError(f"{name} is given to the sweep and in its grid: one of them is enough")
        key = repr(sorted(settings.items()))
        if key in seen:
            raise ValueError(f"grid takes different trials; [{seen[key]}] and [{place}] are both {settings}")
        seen[key] = place

"""A sweep's whole configuration as one line of Python, whose evaluation trains the same trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .data import Data
from .grid import Grid, Settings, grid_of
from .recipe import import_line


def sweep_recipe(
    data: Data,
    trials: Sequence[Settings],
    batches: int,
    common: Mapping[str, Any],
    shown: Sequence[int] = (),
    sort_by: str = "",
    descending: bool = False,
) -> str:
    """Return the line.

    Where the trials trained and where their files are is not in it: neither changes a number.

    Parameters
    ----------
    data : Data
        What is trained on.
    trials : sequence of dict
        What is particular to each.
    batches : int
        How many each trains.
    common : mapping
        Settings of all.
    shown : sequence of int
        Trials that the panels show.
    sort_by : str
        Column by which the table is sorted.
    descending : bool
        Whether the largest comes first.
    """
    grid: Grid = grid_of([_plain(settings) for settings in trials])
    source = data.code
    said = []
    if source is None:
        source = "data"
        said.append(f"data: your own, {' '.join(data.name.split())!r}")
    settings = [f"{name}={value!r}" for name, value in _plain(common).items() if (name, value) != ("horizon", None)]
    statements = [f"s = sweep({', '.join([source, repr(grid), f'batches={batches}', *settings])})"]
    if shown:
        statements += ["s.wait()", f"s.show({', '.join(map(str, shown))})"]
    if sort_by:
        statements.append(f"s.sort_by = {sort_by!r}")
    if descending:
        statements.append("s.descending = True")
    return import_line(["sweep"], [*statements, "s"], said)


def _plain(settings: Mapping[str, Any]) -> Settings:
    """Return settings without numpy's scalars, which say more of themselves than Python reads."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in settings.items()}

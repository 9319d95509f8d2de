"""The sides of a comparison: whether they can be compared, what they are called, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_uppercase
from typing import Any

import numpy as np

from .corpora import Corpus
from .run import Run
from .trainer import Trainer

FEWEST, MOST = 2, 4
"""How many can be compared."""

_NAMING = (
    "cell",
    "hidden_size",
    "num_layers",
    "bidirectional",
    "init",
    "forget_bias",
    "optimizer",
    "learning_rate",
    "clip_value",
    "clip_norm",
    "dtype",
    "seed",
)
"""Settings that change what is learned: those that differ name the sides."""
_RECORDING = ("horizon", "record_every", "tolerance")
"""Settings that change what is recorded."""
_CELLS = {"lstm": "LSTM", "gru": "GRU", "relu": "ReLU"}


@dataclass(frozen=True)
class Side:
    """One of the runs that are compared.

    Attributes
    ----------
    run : Run
        What was recorded.
    trainer : Trainer or None
        What trains it; None for a finished run.
    """

    run: Run
    trainer: Trainer | None

    @property
    def settings(self) -> Mapping[str, Any]:
        """What it was made with, by name."""
        return self.trainer.settings if self.trainer else self.run.settings

    @property
    def weights(self) -> int | None:
        """Number of parameters, if it is known."""
        return self.trainer.rnn.parameters.vector.size if self.trainer else None


def check_comparable(sides: Sequence[Side]) -> None:
    """Raise if these cannot be compared batch by batch.

    Raises
    ------
    ValueError
        If there are not two to four, one is there twice, or their data or windows differ; the message says which.
    """
    if not FEWEST <= len(sides) <= MOST:
        raise ValueError(f"compare takes {FEWEST} to {MOST} trainers, runs or widgets; got {len(sides)}")
    for (i, a), (j, b) in combinations(enumerate(sides, 1), 2):
        if a.run is b.run:
            raise ValueError(f"compare takes different trainers or runs; the {_nth(i)} and the {_nth(j)} are the same")
        for name in ("seq_length", "batch_size"):
            if a.settings.get(name) != b.settings.get(name):
                values = f"{a.settings.get(name)} and {b.settings.get(name)}"
                raise ValueError(f"compare takes runs over the same windows; {name} differs: {values}")
        if a.run.vocabulary != b.run.vocabulary:
            sizes = f"{len(a.run.vocabulary)} and {len(b.run.vocabulary)} labels"
            raise ValueError(
                f"compare takes runs on the same data; the {_nth(i)} and the {_nth(j)} have {sizes} that differ"
            )
        if not _same_data(a, b):
            names = f"{a.settings.get('data')!r} and {b.settings.get('data')!r}"
            raise ValueError(f"compare takes runs on the same data; got {names}, with different content")


def differing(sides: Sequence[Side]) -> list[dict[str, Any]]:
    """Return the settings of each side that are not the same in all, by name.

    A setting that some sides do not have, such as a forget bias, counts only if it differs among those that have it.
    """
    names = [name for name in (*_NAMING, *_RECORDING) if _differs([side.settings.get(name) for side in sides])]
    return [{name: side.settings[name] for name in names if side.settings.get(name) is not None} for side in sides]


def derived_names(sides: Sequence[Side]) -> list[str]:
    """Return names for the sides, all different, from what differs in their settings."""
    found = differing(sides)
    telling = [name for name in _NAMING if any(name in some for some in found)] or list(_RECORDING)
    names = [", ".join(_worded(name, some[name]) for name in telling if name in some) for some in found]
    return [
        name if name and names.count(name) == 1 else f"{name} {letter}".strip()
        for name, letter in zip(names, ascii_uppercase, strict=False)
    ]


def described(settings: Mapping[str, Any]) -> str:
    """Return differing settings of one side in words."""
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in settings.items())


def remarks(sides: Sequence[Side]) -> list[str]:
    """Return sentences about what people should know of this comparison."""
    said = []
    seeds = [side.settings.get("seed") for side in sides]
    if _differs(seeds):
        said.append(f"Seeds differ ({', '.join(map(str, seeds))}): some of what differs is chance.")
    if _differs([side.settings.get("record_every") for side in sides]):
        said.append("Recording intervals differ: of each side the nearest recorded batch is shown.")
    if any(side.trainer is None for side in sides) and any(side.trainer for side in sides):
        said.append("Finished runs stay as they are; the others train.")
    return said


def _differs(values: Sequence[Any]) -> bool:
    present = [value for value in values if value is not None]
    return any(value != present[0] for value in present)


def _same_data(a: Side, b: Side) -> bool:
    if not (a.trainer and b.trainer):
        return bool(a.settings.get("data") == b.settings.get("data"))
    first, second = a.trainer.data, b.trainer.data
    if first is second:
        return True
    if first.name != second.name or type(first) is not type(second):
        return False
    if isinstance(first, Corpus) and isinstance(second, Corpus):
        return np.array_equal(first.tokens, second.tokens)
    windows = [data.windows(a.trainer.seq_length, 1, 0)(0) for data in (first, second)]  # drawn by one seed
    return all(np.array_equal(*arrays) for arrays in zip(*(window[:2] for window in windows), strict=True))


def _worded(name: str, value: Any) -> str:
    """A setting as part of a name."""
    words: dict[str, str] = {
        "cell": _CELLS.get(str(value), str(value)),
        "hidden_size": f"{value} units",
        "num_layers": f"{value} layer{'' if value == 1 else 's'}",
        "bidirectional": "both directions" if value else "one direction",
        "optimizer": str(value),
        "dtype": str(value),
    }
    return words.get(name, f"{name.replace('_', ' ')} {_value(value)}")


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _nth(place: int) -> str:
    return ("first", "second", "third", "fourth")[place - 1]

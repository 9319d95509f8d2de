"""Arguments that people call things with, in the place of each what it does not take: taken, or refused by name."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from rnnbow_widget import DivergedError, RunFileError, ThinnedError

TEXT = "the quick brown fox jumps over the lazy dog; " * 3
HUGE = 10**18


class Unfit:
    """Of no use as any argument."""

    def __repr__(self) -> str:
        return "Unfit()"


VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    HUGE,
    -HUGE,
    10**400,
    0.5,
    float("nan"),
    float("inf"),
    -float("inf"),
    1j,
    "",
    "x",
    "no such thing",
    "\ud800",
    "a\0b",
    b"x",
    [],
    [1],
    [[1], [1, 2]],
    ["x"],
    (),
    {},
    {"x": 1},
    {1},
    range(3),
    Unfit(),
    Unfit,
    len,
    Path("no/such/path"),
    np.int64(3),
    np.float32(2),
    np.array(1),
    np.array([]),
    np.zeros((0, 0)),
    np.zeros((1, 1, 1, 1)),
    np.full(3, np.nan),
    np.full(3, np.inf),
    np.array(["x"]),
    np.array([None]),
    np.array([1, -1]),
    np.array([HUGE]),
]


@dataclass(frozen=True)
class Case:
    """Something that people call, and arguments with which it works."""

    name: str
    call: Callable[..., Any]
    arguments: dict[str, Any]
    also_named: dict[str, str] = field(default_factory=dict)
    """Arguments that errors call otherwise, with good reason."""
    free: frozenset[str] = frozenset()
    """Arguments that take any text: what is wrong with one may be said in other words."""


SMALL: dict[str, Any] = {"hidden_size": 3, "seq_length": 4}


REFUSALS = (TypeError, ValueError, LookupError, RunFileError, OSError, traitlets.TraitError)


def try_all(cases: Iterable[Case]) -> int:
    """Give every argument of every case what it may not take; return how many values that were."""
    tried, wrong = 0, []
    for case in cases:
        assert case.arguments, case.name
        for argument in case.arguments:
            for value in VALUES:
                tried += 1
                if said := complaint_about(case, argument, value):
                    wrong.append(f"{case.name}({argument}={value!r:.60}): {said}")
    assert not wrong, f"{len(wrong)} of {tried}:\n" + "\n".join(wrong)
    return tried


def complaint_about(case: Case, argument: str, value: Any) -> str:
    """What is wrong with how a value is taken; empty if nothing is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            case.call(**{**case.arguments, argument: value})
    except (*REFUSALS, DivergedError, ThinnedError) as error:
        message = str(error)
        named = {argument, case.also_named.get(argument, argument)}
        text = isinstance(value, str) and argument in case.free
        no_file = isinstance(error, OSError | RunFileError) and str(value) in message
        return (
            ""
            if text or no_file or "was not recorded" in message or any(name in message for name in named)
            else f"{type(error).__name__} does not name it: {message:.160}"
        )
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:160]}"
    return ""

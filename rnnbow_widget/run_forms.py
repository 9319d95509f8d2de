"""What a run file says of a whole run, and whether it has the form of docs/run_files.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .about import About
from .checks import boolean, finite_float, instance, names, shown, whole_number

Kind = TypeVar("Kind")

_MOST_LAYERS = 1_000

_SETTINGS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("data", "cell"), lambda name, value: instance(name, value, str)),
    **dict.fromkeys(("hidden_size", "seq_length", "batch_size", "record_every"), whole_number),
    "num_layers": lambda name, value: whole_number(name, value, maximum=_MOST_LAYERS),
    "bidirectional": boolean,
    "surfaces": names,
    "learning_rate": lambda name, value: finite_float(name, value, above=0),
    "horizon": lambda name, value: value == "auto" or whole_number(name, value),
}
"""Settings that are read again when a run is shown."""
_ALWAYS = frozenset({"batch_size", "num_layers", "bidirectional", "surfaces"})
"""Those that are not None, if they are there. None stands for one that is not known, and for the whole window."""


def vocabulary_of(value: Any) -> tuple[str, ...]:
    """Return what tokens are called.

    Raises
    ------
    TypeError
        If it is no list of strings.
    """
    return tuple(names("vocabulary", value))


def settings_of(value: Any) -> dict[str, Any]:
    """Return what the trainer was made with; settings that are not known here are passed over.

    Raises
    ------
    TypeError, ValueError
        If one of them is of another kind than trainers have.
    """
    found = instance("settings", value, dict)
    for name, check in _SETTINGS.items():
        if name in found and (found[name] is not None or name in _ALWAYS):
            check(name, found[name])
    return found


def about_of(value: Any) -> About | None:
    """Return what there is to know of the data. Names that a later version adds are passed over.

    Raises
    ------
    TypeError
        If a field is missing or of another kind.
    """
    return None if value is None else made(About, value)


def made(kind: type[Kind], value: Any) -> Kind:
    """Return a dataclass of the fields of a JSON object.

    Raises
    ------
    TypeError
        If a field is missing or of another kind.
    """
    types = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # of a dataclass
    found = {
        name: tuple(one) if isinstance(one, list) else one
        for name, one in instance(kind.__name__, value, dict).items()
        if name in known
    }
    for name, one in found.items():
        if not _is_of(types[name], one):
            raise TypeError(f"{name} of {kind.__name__} is {shown(one)}")
    return kind(**found)


def _is_of(kind: Any, value: Any) -> bool:
    """Whether a value is of an annotated type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_is_of(one, value) for one in arguments)
    if origin is Literal:
        return isinstance(value, str) and value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(one, arguments[0]) for one in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))

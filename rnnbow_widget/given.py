"""Arrays as people have them in hand, brought into one form: names, shapes and kinds of numbers are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .agreement import Float64, real_array
from .checks import shown
from .rnn import RNN

_SPELLINGS = {
    **dict.fromkeys(("wih", "wxh"), "W_ih"),
    "whh": "W_hh",
    **dict.fromkeys(("bh", "b"), "b_h"),
    "bhn": "b_hn",
    **dict.fromkeys(("who", "why"), "W_ho"),
    **dict.fromkeys(("bo", "by"), "b_o"),
}
"""How parameters are called here and elsewhere, without a d before, underscores and capitals."""


def network_of(weights: Any, cell: Any) -> RNN:
    """Return the network in double precision, from one or from its arrays by name.

    Raises
    ------
    TypeError, ValueError
        If it has several layers or directions, or an array is missing or of another kind; the message names it.
    """
    if isinstance(weights, RNN):
        if weights.num_layers > 1 or weights.bidirectional:
            raise ValueError("weights takes a network of one layer that reads forward")
        given: dict[str, Any] = {name: (name, array) for name, array in weights.parameters.items()}
        cell = type(weights.cell)
    else:
        given = by_name("weights", weights)
    missing = [name for name in ("W_ih", "W_hh", "W_ho") if name not in given]
    if missing:
        raise ValueError(f"weights takes W_ih, W_hh, b_h, W_ho and b_o; {', '.join(missing)} missing")
    arrays = {name: real_array(f"weights[{own!r}]", array, finite=True) for name, (own, array) in given.items()}
    for name, array in arrays.items():
        if name.startswith("W") and array.ndim != 2:
            raise ValueError(f"weights[{given[name][0]!r}] takes an array of two axes, got shape {array.shape}")
    sizes = arrays["W_ih"].shape[1], arrays["W_hh"].shape[1], arrays["W_ho"].shape[0]
    rnn = RNN(*sizes, cell=cell, dtype=np.float64)
    rnn.parameters.vector[:] = 0
    for name, array in arrays.items():
        argument = f"weights[{given[name][0]!r}]"
        if name not in rnn.parameters:
            raise ValueError(f"{argument}: a network with the cell {rnn.cell.name!r} has {', '.join(rnn.parameters)}")
        own = rnn.parameters[name]
        column = own.ndim == 1 and array.shape == (len(own), 1)
        require_shape(argument, array[:, 0] if column else array, own.shape)
        own[...] = array[:, 0] if column else array
    return rnn


def by_name(argument: str, given: Any) -> dict[str, tuple[str, Any]]:
    """Return what is given, by the name that a parameter has here: how it was called, and its array.

    Raises
    ------
    TypeError, ValueError
        If it is no mapping, or has a name that is not known, or is there twice.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"{argument} takes a mapping from names to arrays, got {type(given).__name__}")
    found: dict[str, tuple[str, Any]] = {}
    for name, array in given.items():
        short = str(name).replace("_", "").lower()
        ours = _SPELLINGS.get(short) or _SPELLINGS.get(short.removeprefix("d"))
        if ours is None:
            raise ValueError(f"{argument} takes the names W_ih, W_hh, b_h, W_ho and b_o; got {name!r}")
        if ours in found:
            raise ValueError(f"{argument} takes each parameter once; {found[ours][0]!r} and {name!r} are the same")
        found[ours] = (str(name), array)
    return found


def by_loss_and_step(name: str, values: Any, n: int, shape: tuple[int, ...]) -> Float64:
    """Return pieces by loss and step, array (n, n, …), from an array, a list of lists or a dict.

    What is missing or None is 0.

    Raises
    ------
    TypeError, ValueError
        If they are of another shape, or not finite; the message names the argument.
    """
    if isinstance(values, np.ndarray) and values.dtype != np.object_:
        array = real_array(name, values, finite=True)
        require_shape(name, array, (n, n, *shape))
        return array
    found = np.zeros((n, n, *shape))
    for (t, j), one in _entries(name, values, n):
        if one is not None:
            piece = real_array(f"{name}[{t}][{j}]", one, finite=True)
            require_shape(f"{name}[{t}][{j}]", piece, shape)
            found[t, j] = piece
    return found


def _entries(name: str, values: Any, n: int) -> list[tuple[tuple[int, int], Any]]:
    """The entries of a list of lists or a dict, by loss and step."""
    if isinstance(values, Mapping):
        for key in values:
            known = isinstance(key, tuple) and len(key) == 2 and all(one in range(n) for one in key)
            if not known:
                raise ValueError(f"{name} takes keys (t, j) of steps from 0 to {n - 1}, got {shown(key)}")
        return list(values.items())
    if not isinstance(values, (Sequence, np.ndarray)):
        raise TypeError(f"{name} takes an array, a list of lists or a dict, got {type(values).__name__}")
    if len(values) != n:
        raise ValueError(f"{name} takes a row for each of {n} losses, got {len(values)}")
    found = []
    for t, row in enumerate(values):
        if not isinstance(row, (Sequence, np.ndarray)) or len(row) not in (t + 1, n):
            got = f"{len(row)} entries" if isinstance(row, (Sequence, np.ndarray)) else type(row).__name__
            raise ValueError(f"{name}[{t}] takes an entry for each step from 0 to {t}, or to {n - 1}; got {got}")
        found += [((t, j), one) for j, one in enumerate(row)]
    return found


def require_shape(name: str, array: Float64, shape: tuple[int, ...], also: str = "") -> None:
    """Raise `ValueError` if an array has another shape; `also` says what else would be taken."""
    if array.shape != shape:
        raise ValueError(f"{name} takes an array of shape {shape}{also}, got shape {array.shape}")


def dtype_of(values: Any) -> str:
    """Return the name of the dtype of numbers, however they are nested: that of the first that is there."""
    while not isinstance(values, (np.ndarray, np.generic)) or values.dtype == np.object_:
        if not isinstance(values, (Mapping, Sequence, np.ndarray)):
            break
        inner = values.values() if isinstance(values, Mapping) else values
        values = next((one for one in inner if one is not None), 0.0)
    return str(np.asarray(values).dtype)

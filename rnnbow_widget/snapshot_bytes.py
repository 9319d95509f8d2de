"""A snapshot as bytes with a description, whatever its fields are, and back. docs/run_files.md has the form."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .snapshot import Snapshot

SHARED = "vocabulary"
"""The field that all snapshots of a run share: it is not in their bytes."""

_FIELDS = tuple(field.name for field in fields(Snapshot) if field.name != SHARED)
_OF_OTHER_LENGTH = frozenset({"bounds", "indicators"})
_DTYPES = frozenset({"<f2", "<f4", "<f8", "<i2", "<i4", "<i8", "|i1", "|u1", "|b1"})
_NUMBERS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("batch", "start", "stop"), (int,)),
    **dict.fromkeys(("grad_norm", "update_norm"), (float,)),
    **dict.fromkeys(("diverged", "from_zero_state"), (bool,)),
    "stream": (int, type(None)),
}
_MAPPINGS = {"surfaces": ("f", (2,)), "step_totals": ("f", (1,)), "beyond": ("f", (1,)), "bounds": ("f", (1,))}
_ARRAYS = {
    **dict.fromkeys(("loss", "probability", "indicators", "counted"), ("f", (1,))),
    **dict.fromkeys(("target_tokens", "prediction_tokens"), ("i", (1,))),
    **dict.fromkeys(("target_values", "prediction_values"), ("f", (2,))),
    "inputs": ("fi", (1, 2)),
}
_OPTIONAL = frozenset({"indicators", "counted", "target_values", "prediction_values", "inputs"})
_ALIGNMENT = 8
_PADDING = tuple(b"\0" * (-length % _ALIGNMENT) for length in range(_ALIGNMENT))  # by length modulo the alignment

Shape = tuple[int, ...]
Piece = tuple[tuple[str, ...], str, Shape]  # where it belongs: a field, or a field and a key; dtype; shape


class LayoutError(ValueError):
    """A description is not of the documented form, or bytes do not fit their description."""


@dataclass(frozen=True)
class Layout:
    """What the bytes of a snapshot hold.

    Attributes
    ----------
    pieces : tuple
        Of each array or number: where it belongs, its dtype and its shape; a number has the shape ``()``. Each starts
        at a multiple of 8 bytes, in this order.
    constants : tuple of tuple
        Names of the fields that are not in the bytes, and their values as JSON.
    streams : tuple of Layout
        Of each stream of a minibatch, whose bytes follow.
    """

    pieces: tuple[Piece, ...]
    constants: tuple[tuple[str, str], ...]
    streams: tuple[Layout, ...] = ()

    @property
    def description(self) -> str:
        """The layout as JSON."""
        return json.dumps({"kind": "details", **self._plain()}, separators=(",", ":"))

    def _plain(self) -> dict[str, Any]:
        return {
            "pieces": [[list(place), dtype, list(shape)] for place, dtype, shape in self.pieces],
            "constants": {name: json.loads(value) for name, value in self.constants},
            "streams": [stream._plain() for stream in self.streams],
        }


def pack_snapshot(snapshot: Snapshot) -> tuple[Layout, bytes]:
    """Return the fields of a snapshot as bytes, and what is where in them. Snapshots that are alike have equal layouts.

    Raises
    ------
    TypeError
        If a field holds something that has no form in bytes or JSON; the message names it.
    """
    parts: list[bytes] = []
    layout = _pack(snapshot, parts)
    return layout, b"".join(parts)


def _pack(snapshot: Snapshot, parts: list[bytes]) -> Layout:
    pieces: list[Piece] = []
    constants: list[tuple[str, str]] = []

    def add(place: tuple[str, ...], dtype: str, shape: Shape, content: bytes) -> None:
        pieces.append((place, dtype, shape))
        parts.append(content)
        parts.append(_PADDING[len(content) % _ALIGNMENT])

    def add_array(place: tuple[str, ...], array: NDArray[np.generic]) -> None:
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if little.dtype.str not in _DTYPES:
            raise TypeError(f"{'.'.join(place)} takes an array of numbers, got one of {array.dtype}")
        add(place, little.dtype.str, little.shape, little.tobytes())

    for name in _FIELDS:
        value = getattr(snapshot, name)
        if isinstance(value, np.ndarray):
            add_array((name,), value)
        elif isinstance(value, (bool, np.bool_)):
            add((name,), "|b1", (), struct.pack("<?", value))
        elif isinstance(value, (int, np.integer)) and name != "stream":  # a stream's is the same in all batches
            add((name,), "<i8", (), struct.pack("<q", value))
        elif isinstance(value, (float, np.floating)):
            add((name,), "<f8", (), struct.pack("<d", value))
        elif isinstance(value, Mapping) and value and all(isinstance(one, np.ndarray) for one in value.values()):
            for key, array in value.items():
                add_array((name, key), array)
        elif name != "streams":
            try:
                constants.append((name, _names(value) if isinstance(value, tuple) else _json(value)))
            except TypeError:
                raise TypeError(f"{name} has no form in a file: {type(value).__name__}") from None
    streams = tuple(_pack(stream, parts) for stream in snapshot.streams)
    return Layout(tuple(pieces), tuple(constants), streams)


class SnapshotReader:
    """Makes snapshots of bytes that are laid out as a description says.

    Parameters
    ----------
    description : object
        `Layout.description`, read as JSON.
    vocabulary : tuple of str
        What all snapshots of the run share.

    Raises
    ------
    LayoutError
        If the description is not of the documented form.
    """

    def __init__(self, description: Any, vocabulary: tuple[str, ...]) -> None:
        try:
            self._read(description)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise LayoutError(f"the description of a snapshot is not of the documented form ({error})") from None
        self._vocabulary = vocabulary
        self._streams = [SnapshotReader(stream, vocabulary) for stream in description["streams"]]
        self._nbytes: int = sum(map(_nbytes, self._pieces)) + sum(stream._nbytes for stream in self._streams)

    def unpack(self, content: bytes) -> Snapshot:
        """Return the snapshot, whose arrays are views of `content`: they cannot be written to.

        Raises
        ------
        LayoutError
            If the bytes do not fit the description, or what they hold is no snapshot.
        """
        if len(content) != self._nbytes:
            raise LayoutError(f"a snapshot takes {self._nbytes} bytes by its description, and has {len(content)}")
        return self._unpack(content, 0)

    def _unpack(self, content: bytes, offset: int) -> Snapshot:
        found: dict[str, Any] = {
            name: dict(value) if isinstance(value, dict) else value for name, value in self._constants.items()
        }
        for piece in self._pieces:
            place, dtype, shape = piece
            array = np.frombuffer(content, dtype, math.prod(shape), offset).reshape(shape)
            offset += _nbytes(piece)
            value = array if shape else array.item()
            if len(place) == 1:
                found[place[0]] = value
            else:
                found.setdefault(place[0], {})[place[1]] = value
        streams = []
        for stream in self._streams:
            streams.append(stream._unpack(content, offset))
            offset += stream._nbytes
        known = {name: value for name, value in found.items() if name in _FIELDS}
        try:
            snapshot = Snapshot(**known, vocabulary=self._vocabulary, streams=tuple(streams))
            _require_kinds(snapshot)
            _require_steps(snapshot)
        except (TypeError, AttributeError) as error:
            raise LayoutError(f"what is described is no snapshot ({error})") from None
        return snapshot

    def _read(self, plain: Any) -> None:
        self._pieces: list[Piece] = []
        for place, dtype, shape in plain["pieces"]:
            if dtype not in _DTYPES:
                raise ValueError(f"dtype {dtype!r}")
            if not (isinstance(place, list) and 1 <= len(place) <= 2 and all(isinstance(name, str) for name in place)):
                raise ValueError(f"place {place!r}")
            if not all(isinstance(size, int) and size >= 0 for size in shape):
                raise ValueError(f"shape {shape!r}")
            self._pieces.append((tuple(place), str(dtype), tuple(shape)))
        self._constants = {name: _constant(value) for name, value in plain["constants"].items()}
        if not isinstance(plain["streams"], list):
            raise ValueError(f"streams {plain['streams']!r}")


def _require_kinds(snapshot: Snapshot) -> None:
    """Every field is of its kind."""
    for name, value in vars(snapshot).items():
        if name in (SHARED, "streams"):
            continue
        if name in _NUMBERS:
            fits = type(value) in _NUMBERS[name]
        elif name in _MAPPINGS:
            fits = isinstance(value, Mapping) and all(_is_array(one, *_MAPPINGS[name]) for one in value.values())
        elif name == "first_lags":
            fits = isinstance(value, Mapping) and all(
                type(lag) is int and abs(lag) < snapshot.steps for lag in value.values()
            )
        elif name == "input_vocabulary":
            fits = isinstance(value, tuple) and all(isinstance(label, str) for label in value)
        else:
            kinds, axes = _ARRAYS[name]
            fits = _is_array(value, kinds, axes) or (value is None and name in _OPTIONAL)
        if not fits:
            raise LayoutError(f"{name} is not of its kind")
    if not snapshot.surfaces or not snapshot.steps:
        raise LayoutError("it has no surface, or no steps")
    for name in ("target_tokens", "prediction_tokens") if snapshot.vocabulary else ():
        tokens = getattr(snapshot, name)  # (n,)
        if not -1 <= tokens.min() <= tokens.max() < len(snapshot.vocabulary):
            raise LayoutError(f"{name} has tokens that are not in the vocabulary")


def _is_array(value: Any, kinds: str, axes: tuple[int, ...]) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds and value.ndim in axes


def _require_steps(snapshot: Snapshot) -> None:
    """Every array that is by step has a row for each."""
    for name in _FIELDS:
        if name in _OF_OTHER_LENGTH:
            continue
        value = getattr(snapshot, name)
        for array in value.values() if isinstance(value, Mapping) else [value]:
            if isinstance(array, np.ndarray) and array.shape[0] != snapshot.steps:
                raise LayoutError(f"{name} has {array.shape[0]} rows, and the window {snapshot.steps} steps")


def _json(value: Any) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value)


_names = lru_cache(maxsize=64)(_json)  # a vocabulary may be long


def _constant(value: Any) -> Any:
    """A constant as a field holds it: sequences are tuples."""
    return tuple(map(_constant, value)) if isinstance(value, list) else value


def _nbytes(piece: Piece) -> int:
    """Bytes of a piece with its padding."""
    _, dtype, shape = piece
    nbytes = math.prod(shape) * np.dtype(dtype).itemsize
    return nbytes + -nbytes % _ALIGNMENT

"""What is recorded, in binary form. Twin of ``js/src/protocol/chunks.ts``; the format is in docs/architecture.md."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cell_flow import CellFlow
from .overview import Overview, flags_of
from .snapshot import Snapshot, surface_of
from .units import Units

VERSION = 2

_DTYPES = {"f4": np.dtype("<f4"), "i4": np.dtype("<i4")}
_SURROGATE = re.compile("[\ud800-\udfff]")
_ALIGNMENT = 4
_CHUNK_BYTES = 256_000  # what a page can forget at once: it keeps and drops chunks, not snapshots


def pack_overview(overview: Overview, rows: slice | NDArray[np.intp]) -> list[bytes]:
    """Pack rows of an overview into one chunk; none if there are no rows."""
    columns: dict[str, NDArray[np.generic]] = {}
    for name in overview.names:
        column = overview.column(name)[rows]  # (count,)
        columns[name] = column.astype(_DTYPES["i4" if column.dtype.kind == "i" else "f4"])
    count = len(next(iter(columns.values()), ()))
    return [_pack({"kind": "overview", "count": count}, columns)] if count else []


def pack_details(snapshots: Iterable[Snapshot], part: str | None = None) -> list[bytes]:
    """Pack snapshots into chunks of those that follow each other and are alike in shape, none of them very large.

    All of them are one stream's, or averages: what they are of is said once per chunk, and so is `part`: of which
    surface they are, or None if they are what was recorded.
    """
    chunks = []
    for _, group in groupby(snapshots, key=_alike):
        alike = list(group)
        most = max(1, _CHUNK_BYTES // packed_nbytes(alike[0]))
        chunks += [_pack_alike(alike[first : first + most], part) for first in range(0, len(alike), most)]
    return chunks


def _alike(snapshot: Snapshot) -> tuple[Any, ...]:
    shapes = [(key, items.shape) for key, items in snapshot.surfaces.items()]
    return snapshot.steps, shapes, dict(snapshot.first_lags), snapshot.stream


def pack_units(batch: int, stream: int | None, part: str, units: Units) -> bytes:
    """Pack the hidden units of a batch."""
    surface = part.partition(":")[2]
    described = {"first_lags": {surface: units.first_lag} if units.first_lag else {}, "steps": units.bars.shape[1]}
    arrays = {name: getattr(units, name) for name in ("size", "share", "reach", "agreement", "bars", "profile")}
    return _pack_one("units", batch, stream, part, described, arrays)


def pack_cell(batch: int, stream: int | None, part: str, flow: CellFlow) -> bytes:
    """Pack the flow in a cell in a batch."""
    steps = len(next(iter(flow.sizes.values())))
    edges = [list(edge) for edge in flow.edges]
    described = {"first_lag": flow.first_lag, "steps": steps, "edges": edges, "cell": flow.cell}
    return _pack_one("cell", batch, stream, part, described, {f"edge:{name}": own for name, own in flow.sizes.items()})


def _pack_one(
    kind: str,
    batch: int,
    stream: int | None,
    part: str,
    described: dict[str, Any],
    arrays: Mapping[str, NDArray[np.floating[Any]]],
) -> bytes:
    """Pack a chunk of one batch."""
    columns: dict[str, NDArray[np.generic]] = {"batch": np.array([batch], _DTYPES["i4"])}
    with np.errstate(over="ignore"):  # of double precision
        columns |= {name: array[None].astype(_DTYPES["f4"]) for name, array in arrays.items()}
    return _pack({"kind": kind, "part": part, "count": 1, "stream": stream, **described}, columns)


def packed_nbytes(snapshot: Snapshot) -> int:
    """Bytes that the details of a snapshot take in a chunk, its header left out."""
    labels = 3 + bool(snapshot.streams) if snapshot.vocabulary else 0
    per_step = 1 + labels + sum(2 + items.shape[1] for items in snapshot.surfaces.values())
    per_step += sum(array.size for _, array in _others(snapshot)) // snapshot.steps
    return int(4 * (2 + (snapshot.stream is not None) + snapshot.steps * per_step))


def json_number(value: float) -> float | None:
    """Return `value`, or None for what JSON has no number for: NaN and infinity."""
    return value if math.isfinite(value) else None


def drawable(text: str) -> str:
    """Return `text` with lone surrogates replaced: they have no form in UTF-8, which messages are sent in."""
    return _SURROGATE.sub("\ufffd", text)  # each by itself: two of them are no character of the text


def _pack_alike(snapshots: Sequence[Snapshot], part: str | None) -> bytes:
    first = snapshots[0]
    names = list(dict.fromkeys(map(surface_of, first.surfaces)))
    described = {
        "kind": "details",
        "part": part,
        "count": len(snapshots),
        "steps": first.steps,
        "lags": first.surfaces[names[0]].shape[1],
        "stream": first.stream,
        "surfaces": names,
        "first_lags": {name: first.first_lags[name] for name in names if first.first_lags.get(name)},
    }
    return _pack(described, dict(_columns(snapshots)))


def _pack(described: dict[str, Any], columns: dict[str, NDArray[np.generic]]) -> bytes:
    listed = [[name, _code(array), list(array.shape)] for name, array in columns.items()]
    header = json.dumps({"version": VERSION, **described, "columns": listed}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % _ALIGNMENT)
    return b"".join([struct.pack("<I", len(header)), header, *(array.tobytes() for array in columns.values())])


def _columns(snapshots: Sequence[Snapshot]) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Yield each column of details: arrays (count,), (count, n) or (count, n, k)."""
    f4, i4 = _DTYPES["f4"], _DTYPES["i4"]
    yield "batch", np.array([s.batch for s in snapshots], i4)
    yield "flags", np.array([flags_of(s) for s in snapshots], i4)
    yield "loss", np.array([s.loss for s in snapshots], f4)
    if snapshots[0].vocabulary:
        yield "target", np.array([s.target_tokens for s in snapshots], i4)
        yield "prediction", np.array([s.prediction_tokens for s in snapshots], i4)
        yield "probability", np.array([s.probability for s in snapshots], f4)
        if snapshots[0].streams:  # of an average there are no labels, but how many streams were right
            yield "accuracy", np.array([s.right for s in snapshots], f4)
    for row in zip(*(_others(s) for s in snapshots), strict=True):
        first = row[0][1]
        yield row[0][0], np.array([array for _, array in row], i4 if first.dtype.kind == "i" else f4)
    if snapshots[0].stream is not None:  # the overview has the minibatch's
        yield "start", np.array([s.start for s in snapshots], i4)
    for key in snapshots[0].surfaces:
        if key in snapshots[0].beyond:
            yield f"total:{key}", np.array([s.step_totals[key] for s in snapshots], f4)
            yield f"beyond:{key}", np.array([s.beyond[key] for s in snapshots], f4)
        if key in snapshots[0].bounds:
            yield f"bound:{key}", np.array([s.bounds[key] for s in snapshots], f4)
        yield f"items:{key}", np.array([s.surfaces[key] for s in snapshots], f4)


def _others(snapshot: Snapshot) -> list[tuple[str, NDArray[Any]]]:
    """Return what not every snapshot has: arrays (n,) or (n, D), by the name of their column."""
    found = {
        "counted": snapshot.counted,
        "target_value": snapshot.target_values,
        "prediction_value": snapshot.prediction_values,
        "input" if snapshot.input_vocabulary else "input_value": snapshot.inputs,
    }
    return [(name, array) for name, array in found.items() if array is not None]


def _code(array: NDArray[np.generic]) -> str:
    return next(code for code, dtype in _DTYPES.items() if dtype == array.dtype)

"""Snapshots in binary form, for the browser. Twin of ``js/src/protocol.ts``; the format is in docs/architecture.md."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from .overview import CLIPPED, DIVERGED, FROM_ZERO_STATE
from .snapshot import Snapshot

VERSION = 1

_DTYPES = {"f4": np.dtype("<f4"), "i4": np.dtype("<i4")}
_ALIGNMENT = 4


def pack(snapshots: Iterable[Snapshot]) -> list[bytes]:
    """Pack snapshots into as few chunks as there are changes of shape among them, in order."""
    groups = groupby(snapshots, key=lambda snapshot: (snapshot.steps, snapshot.horizon))
    return [_pack_alike(list(group)) for _, group in groups]


def drawable(text: str) -> str:
    """Return `text` with lone surrogates replaced: they have no form in UTF-8, which messages are sent in."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _pack_alike(snapshots: Sequence[Snapshot]) -> bytes:
    columns = dict(_columns(snapshots))
    header = json.dumps(
        {
            "version": VERSION,
            "count": len(snapshots),
            "steps": snapshots[0].steps,
            "lags": snapshots[0].horizon,
            "columns": [[name, _code(array), list(array.shape)] for name, array in columns.items()],
        }
    ).encode()
    header += b" " * (-len(header) % _ALIGNMENT)
    return b"".join([struct.pack("<I", len(header)), header, *(array.tobytes() for array in columns.values())])


def _columns(snapshots: Sequence[Snapshot]) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Yield each column: arrays (count,), (count, n) or (count, n, k)."""
    f4, i4 = _DTYPES["f4"], _DTYPES["i4"]
    yield "batch", np.array([s.batch for s in snapshots], i4)
    yield "start", np.array([s.start for s in snapshots], i4)
    yield "stop", np.array([s.stop for s in snapshots], i4)
    yield "flags", np.array([_flags(s) for s in snapshots], i4)
    yield "grad_norm", np.array([s.grad_norm for s in snapshots], f4)
    yield "update_norm", np.array([s.update_norm for s in snapshots], f4)
    yield "horizon_length", np.array([s.horizon_length for s in snapshots], f4)
    yield "loss", np.array([s.loss for s in snapshots], f4)
    yield "target", np.array([s.target_tokens for s in snapshots], i4)
    yield "prediction", np.array([s.prediction_tokens for s in snapshots], i4)
    yield "probability", np.array([s.probability for s in snapshots], f4)
    for key in snapshots[0].surfaces:
        surface, _, measure = key.partition(":")
        heights = [s.bar_heights(surface, measure or "norm") for s in snapshots]  # (n,) each
        yield f"max:{key}", np.array([bars.max() for bars in heights], f4)
        yield f"mean:{key}", np.array([bars.mean() for bars in heights], f4)
        yield f"total:{key}", np.array([s.step_totals[key] for s in snapshots], f4)
        yield f"beyond:{key}", np.array([s.beyond[key] for s in snapshots], f4)
        yield f"items:{key}", np.array([s.surfaces[key] for s in snapshots], f4)


def _code(array: NDArray[np.generic]) -> str:
    return next(code for code, dtype in _DTYPES.items() if dtype == array.dtype)


def _flags(snapshot: Snapshot) -> int:
    return DIVERGED * snapshot.diverged | FROM_ZERO_STATE * snapshot.from_zero_state | CLIPPED * snapshot.clipped

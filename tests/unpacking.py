"""Reads chunks as docs/architecture.md describes them, independently of the code that writes them."""

import base64
import gzip
import itertools
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from rnnbow_widget import Snapshot


def unpack(chunk: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    length = int.from_bytes(chunk[:4], "little")
    assert length % 4 == 0
    header = json.loads(chunk[4 : 4 + length])
    position, columns = 4 + length, {}
    for name, code, shape in header["columns"]:
        dtype = np.dtype({"f4": "<f4", "i4": "<i4"}[code])
        count = int(np.prod(shape))
        columns[name] = np.frombuffer(chunk, dtype, count, position).reshape(shape)
        position += 4 * count
    assert position == len(chunk)
    return header, columns


def batches(chunks: Iterable[bytes], kind: str = "overview") -> list[int]:
    """Batch numbers of all chunks of a kind."""
    read = [unpack(chunk) for chunk in chunks]
    return [int(batch) for header, columns in read if header["kind"] == kind for batch in columns["batch"]]


def detailed(chunks: Iterable[bytes]) -> list[int]:
    return batches(chunks, "details")


def require_details(columns: dict[str, np.ndarray], snapshots: list[Snapshot]) -> None:
    """Columns of details have every number of snapshots on a text."""
    np.testing.assert_array_equal(columns["batch"], [snapshot.batch for snapshot in snapshots])
    np.testing.assert_array_equal(columns["flags"] & 2, [2 * snapshot.from_zero_state for snapshot in snapshots])
    for i, snapshot in enumerate(snapshots):
        np.testing.assert_array_equal(columns["loss"][i], snapshot.loss)
        np.testing.assert_array_equal(columns["target"][i], snapshot.target_tokens)
        np.testing.assert_array_equal(columns["prediction"][i], snapshot.prediction_tokens)
        np.testing.assert_array_equal(columns["probability"][i], snapshot.probability)
        for key in ("W_hh", "W_hh:mean_abs", "W_hh:share"):
            np.testing.assert_array_equal(columns[f"items:{key}"][i], snapshot.surfaces[key])
            np.testing.assert_array_equal(columns[f"total:{key}"][i], snapshot.step_totals[key])
            np.testing.assert_array_equal(columns[f"beyond:{key}"][i], snapshot.beyond[key])


def expand(text: str) -> list[bytes]:
    """Chunks as a page that is one file holds them."""
    planes = np.frombuffer(gzip.decompress(base64.b85decode(text.replace(",", "<"))), np.uint8)
    whole = planes.reshape(4, -1).T.tobytes()
    count, *_ = np.frombuffer(whole, "<u4", 1)
    ends = 4 * (1 + int(count)) + np.cumsum([0, *np.frombuffer(whole, "<u4", count, 4)])
    assert ends[-1] == len(whole)
    return [whole[start:end] for start, end in itertools.pairwise(ends)]

"""Reads chunks as docs/architecture.md describes them, independently of the code that writes them."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np


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


def batches(chunks: Iterable[bytes]) -> list[int]:
    return [int(batch) for chunk in chunks for batch in unpack(chunk)[1]["batch"]]

"""What a recorded batch says of its inputs, targets and predictions: fields of a `Snapshot`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .forward import ForwardPass
from .losses import row_starts


def outcomes(forward: ForwardPass, *, inputs: bool) -> dict[str, Any]:
    """Return the fields of a pass, arrays (n, …), or of each of its streams, (n, B, …); with inputs or without."""
    found: dict[str, Any] = {"loss": forward.loss.astype(np.float32)}
    shape = forward.loss.shape  # (n,) or (n, B)
    if forward.of_classes:
        places = row_starts(forward.predicted.reshape(forward.loss.size, -1)).reshape(shape)
        likely = forward.predicted.take(places + forward.targets)  # (n,) or (n, B)
        found["target_tokens"] = forward.targets.astype(np.int32)
        found["prediction_tokens"] = forward.predicted.argmax(axis=-1).astype(np.int32)
        found["probability"] = likely.astype(np.float32)
    else:
        found |= _no_labels(shape)
        found["target_values"] = forward.targets.astype(np.float32)  # (n, O) or (n, B, O)
        found["prediction_values"] = forward.predicted.astype(np.float32)
    if forward.mask is not None:
        found["counted"] = forward.mask.astype(np.float32)
        found["target_tokens"] = np.where(forward.mask, found["target_tokens"], np.int32(-1))
        found["probability"] = np.where(forward.mask, found["probability"], np.float32(np.nan))
    if inputs:
        found["inputs"] = forward.inputs.astype(np.float32 if forward.inputs.dtype.kind == "f" else np.int32)
    return found


def average_outcomes(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the average over streams, arrays (n,), from those of all, arrays (n, B, …)."""
    found = _no_labels(whole["loss"].shape[:1])
    found["loss"] = whole["loss"].mean(axis=1)
    if "counted" not in whole:
        found["probability"] = whole["probability"].mean(axis=1)
        return found
    counted = whole["counted"]  # (n, B)
    found["counted"] = counted.mean(axis=1)
    with np.errstate(invalid="ignore"):  # a step without any loss has no probability either
        found["probability"] = np.where(counted, whole["probability"], 0).sum(axis=1) / counted.sum(axis=1)
    return found


def _no_labels(shape: tuple[int, ...]) -> dict[str, Any]:
    none = np.full(shape, -1, np.int32)
    return {
        "target_tokens": none,
        "prediction_tokens": none,
        "probability": np.full(shape, np.nan, np.float32),
    }

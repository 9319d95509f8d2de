"""Made-up snapshots. The content of most follows from their number: any process can tell what a file must hold."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from rnnbow_widget import Run, Snapshot, Trainer

VOCABULARY = ("a", "b", "ü", "\ud800")


def recorded(place: int, *, steps: int = 6, lags: int = 3, streams: int = 0, **changes: Any) -> Snapshot:
    """The snapshot that a test records at a place."""
    return _snapshot(place, steps, lags, None, **changes) if not streams else _average(place, steps, lags, streams)


def run_of(count: int, **kind: Any) -> Run:
    """A run of so many of them."""
    run = Run(VOCABULARY, {"seed": 1, "clip_norm": None, "learning_rate": 0.1})
    for place in range(count):
        run.append(recorded(place, **kind))
    return run


def snapshot(batch: int = 0, items: np.ndarray | None = None, **changes: Any) -> Snapshot:
    """A snapshot of three steps with two lags, whose numbers can be worked out by hand."""
    items = np.array([[1, 0.5], [2, 0.25], [3, 0]], np.float32) if items is None else items
    fields: dict[str, object] = {
        "batch": batch,
        "start": 1,
        "stop": 4,
        "loss": np.array([1, 2, 3], np.float32),
        "target_tokens": np.array([0, 1, 1], np.int32),
        "prediction_tokens": np.array([0, 0, 1], np.int32),
        "probability": np.array([0.5, 0.25, 0.75], np.float32),
        "surfaces": {"W_hh": items, "W_hh:share": np.array([[1, -2], [3, 4], [-5, 0]], np.float32)},
        "step_totals": {"W_hh": np.array([1.2, 2, 3], np.float32), "W_hh:share": np.array([-0.5, 7, -5], np.float32)},
        "beyond": {"W_hh": np.array([0.125, 0, 0], np.float32), "W_hh:share": np.array([0.5, 0, 0], np.float32)},
        "grad_norm": 4.0,
        "update_norm": 4.0,
        "vocabulary": ("a", "b"),
    }
    return Snapshot(**{**fields, **changes})


def filled(recorded: int, memory_limit: float, every: int = 10) -> Run:
    """A run of batches 0, 10, 20, … whose max gradients are 1, 2, 3, …"""
    run = Run(("a", "b"), memory_limit=memory_limit)
    for index in range(recorded):
        run.append(numbered(every * index))
    return run


def numbered(batch: int) -> Snapshot:
    return snapshot(batch, np.full((3, 2), batch / 20 + 0.5, np.float32), beyond=nothing_beyond())


def long_run(count: int) -> Run:
    """A run of many batches, whose details are one snapshot with other numbers."""
    (model,) = Trainer("abcde fghij " * 60, hidden_size=8, seq_length=3, horizon=2).train(1)
    generator = np.random.default_rng(0)
    run = Run(model.vocabulary, memory_limit=1e6)
    for batch in range(count):
        size = np.float32(np.exp(generator.normal()))
        surfaces = {key: size * items for key, items in model.surfaces.items()}
        norm = float(generator.uniform(1, 2))
        run.append(replace(model, batch=batch, surfaces=surfaces, grad_norm=norm, update_norm=norm))
    return run


def require_same(found: Any, expected: Any) -> None:
    """Everything in two snapshots is equal, types included."""
    assert type(found) is type(expected) or isinstance(found, Mapping)
    if isinstance(expected, Snapshot):
        for field in fields(Snapshot):
            require_same(getattr(found, field.name), getattr(expected, field.name))
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, Mapping):
        assert list(found) == list(expected)
        for name, value in expected.items():
            require_same(found[name], value)
    elif isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            require_same(one, other)
    else:
        np.testing.assert_equal(found, expected)


def _snapshot(place: int, steps: int, lags: int, stream: int | None, **changes: Any) -> Snapshot:
    random = np.random.default_rng((place, 0 if stream is None else 1 + stream))
    keys = ("W_hh", "W_hh:share")
    found: dict[str, Any] = {
        "batch": 7 * place,
        "start": 1 + place,
        "stop": 1 + place + steps,
        "loss": random.random(steps, np.float32),
        "target_tokens": random.integers(4, size=steps, dtype=np.int32),
        "prediction_tokens": random.integers(4, size=steps, dtype=np.int32),
        "probability": random.random(steps, np.float32),
        "surfaces": {key: random.random((steps, lags), np.float32) for key in keys},
        "step_totals": {key: random.random(steps, np.float32) for key in keys},
        "beyond": {key: random.random(steps, np.float32) for key in keys},
        "grad_norm": float(random.random()),
        "update_norm": float(random.random()),
        "vocabulary": VOCABULARY,
        "diverged": place % 5 == 4,
        "from_zero_state": place % 3 == 0,
        "stream": stream,
    }
    return Snapshot(**{**found, **changes})


def _average(place: int, steps: int, lags: int, streams: int) -> Snapshot:
    unlabelled = np.full(steps, -1, np.int32)
    of_streams = tuple(_snapshot(place, steps, lags, stream) for stream in range(streams))
    return _snapshot(
        place, steps, lags, None, streams=of_streams, target_tokens=unlabelled, prediction_tokens=unlabelled
    )


def nothing_beyond() -> dict[str, np.ndarray]:
    return {key: np.zeros(3, np.float32) for key in ("W_hh", "W_hh:share")}


ONE = numbered(0).nbytes

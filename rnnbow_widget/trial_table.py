"""The trials of a sweep as a table: rows for pages, and text for people and logs."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from .protocol import drawable, json_number
from .trial import Trial
from .visible_text import visible_line

MOST_ROWS = 60
"""Rows of the text at most."""
_LONGEST = 40  # characters of a setting


def row_of(trial: Trial, varied: Sequence[str]) -> dict[str, Any]:
    """Return a row as docs/architecture.md describes it."""
    return {
        "number": trial.number,
        "values": [_plain(trial.settings.get(name)) for name in varied],
        "status": trial.status,
        "batch": trial.batch,
        "loss": json_number(trial.loss),
        "horizon": json_number(trial.horizon),
        "at_least": trial.at_least,
        "said": drawable(trial.said),
        "hint": drawable(trial.hint),
        "trend": [list(point) for point in trial.trend],
        "here": trial.is_here,
    }


def text_of(trials: Sequence[Trial], varied: Sequence[str]) -> str:
    """Return the table as lines of text: settings, status, batches, loss and horizon length of each trial."""
    head = ["trial", *varied, "status", "batches", "loss", "horizon"]
    shown = trials[:MOST_ROWS]
    rows = [
        [
            str(trial.number),
            *(_text(trial.settings.get(name)) for name in varied),
            trial.status,
            f"{trial.batch:,}",
            "–" if isnan(trial.loss) else f"{trial.loss:.3g}",
            "–" if isnan(trial.horizon) else f"{'≥ ' if trial.at_least else ''}{trial.horizon:g}",
        ]
        for trial in shown
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    named = len(varied) + 2  # numbers stand at the right
    lines = [
        "  ".join(
            text.ljust(width) if 0 < column < named else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    ]
    if len(trials) > len(shown):
        lines.append(f"… and {len(trials) - len(shown)} more")
    return "\n".join(lines)


def summary_of(trials: Sequence[Trial]) -> str:
    """Return how many trials are how far, in words."""
    kinds = [trial.status for trial in trials]
    order = ("done", "training", "waiting", "diverged", "failed", "cancelled")
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in order if kind in kinds)
    return f"{len(trials)} {'trial' if len(trials) == 1 else 'trials'}: {counts}"


def _plain(value: Any) -> Any:
    """A value as JSON has it, or as text."""
    if isinstance(value, float):
        return value if json_number(value) is not None else str(value)
    return value if value is None or isinstance(value, (bool, int)) else drawable(_text(value))


def _text(value: Any) -> str:
    """A value in words, with every character visible."""
    if isinstance(value, float):
        return f"{value:g}"
    named = value.__name__ if isinstance(value, type) else str(value)
    text = visible_line(named)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

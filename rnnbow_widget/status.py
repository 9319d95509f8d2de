"""What pages say of the training: its state, how far it is, how well it does, and what went wrong."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from .overview import DIVERGED
from .protocol import drawable, json_number
from .run import Run
from .trainer import Trainer
from .training_loop import DivergedError


def status_of(
    run: Run, trainer: Trainer | None, *, training: bool, rate: float, trouble: tuple[str, str]
) -> dict[str, Any]:
    """Return the status as docs/architecture.md describes it.

    Parameters
    ----------
    run : Run
        What is shown.
    trainer : Trainer or None
        What trains it; None for a finished run.
    training : bool
        Whether training is under way, or wanted.
    rate : float
        Batches per second, or NaN.
    trouble : tuple of str
        What went wrong and what to try, or two empty strings.
    """
    overview = run.overview
    stop = len(overview)  # it may grow meanwhile
    first = max(0, stop - 1)
    newest = {name: overview.column(name, first, stop) for name in ("batch", "loss", "flags")}  # (1,), or (0,) at first
    batch = trainer.batch if trainer else int(newest["batch"].max(initial=-1)) + 1
    loss = trainer.smooth_loss if trainer else float(newest["loss"].sum()) if batch else math.nan
    message, hint = trouble
    if (newest["flags"] & DIVERGED).any():
        state = "diverged"
    elif message:
        state = "error"
    elif training or (run.reader and run.reader.trains):
        state = "training"
    else:
        state = "paused" if batch else "ready"
    return {
        "state": state,
        "batch": batch,
        "epoch_of_data": trainer.epoch if trainer else 0,
        "loss": json_number(loss),
        "perplexity": json_number(math.exp(loss)) if loss < 700 and run.vocabulary else None,
        "rate": json_number(rate),
        "message": message,
        "hint": hint,
        "details_every": run.thinned_to,
        "memory_limit": run.memory_limit,
        "overhead": json_number(run.overhead),
        "diagnoses": [asdict(diagnosis) for diagnosis in run.diagnoses()],
        "file": _file_of(run),
    }


def _file_of(run: Run) -> dict[str, Any] | None:
    """What is to be said of the file that a run is written to, or read from."""
    if reader := run.reader:
        name, follows = drawable(reader.path.name), reader.state.activity != "ended"
        said = f"Follows {name}: {reader.activity}." if follows else f"Read from {name}: {reader.activity}."
        return {"follows": follows, "said": said, "trouble": ""}
    if writer := run.writer:
        said = f"Saved to {drawable(writer.path.name)}."
        return {"follows": writer.behind, "said": said, "trouble": drawable(writer.trouble)}
    return None


def explain(error: Exception) -> tuple[str, str]:
    """What happened, and what to try."""
    if isinstance(error, DivergedError):
        return str(error), error.hint
    hint = "Training has stopped; what was recorded is kept. The traceback is in the kernel's log."
    return f"{type(error).__name__}: {error}", hint

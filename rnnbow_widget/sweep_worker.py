"""What a worker does for a sweep: it trains one trial, wherever it runs, and sees to it that its run file arrives."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Literal

from .data import Data
from .trainer import Trainer
from .training_loop import DivergedError

GO_ON, STOP = "go on", "stop"
_LOOK_SECONDS = 0.25  # between two looks whether the sweep is still wanted

Ending = Literal["done", "diverged", "cancelled", "failed"]


@dataclass(frozen=True)
class Sign:
    """A small file by which a sweep says that it goes on, and a worker sees whether it shares the sweep's disk.

    Attributes
    ----------
    path : str
        The file.
    token : str
        What is in it, and nowhere else.
    """

    path: str
    token: str

    def set(self, word: str) -> None:
        """Say that it goes on, or that it is to stop."""
        Path(self.path).write_text(f"{word} {self.token}", encoding="ascii")

    def remove(self) -> None:
        """Take it away: nobody will look any more."""
        with suppress(OSError):
            Path(self.path).unlink(missing_ok=True)

    def read(self) -> str:
        """Return the word, or "" where this disk has no such file."""
        with suppress(OSError, ValueError):
            word, _, token = Path(self.path).read_text(encoding="ascii").rpartition(" ")
            if token == self.token:
                return word
        return ""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, in plain values: they travel between processes and machines.

    Attributes
    ----------
    ending : str
        "done", "diverged", "cancelled" or "failed".
    said, hint : str
        What happened and what to try, in sentences; empty if it is done.
    batch : int or None
        Batches that were trained, if that is known.
    file : bytes or None
        The run file, if the worker does not share the sweep's disk.
    """

    ending: Ending
    said: str = ""
    hint: str = ""
    batch: int | None = None
    file: bytes | None = None


def train_trial(data: Data, settings: Mapping[str, Any], batches: int, path: str, sign: Sign) -> Outcome:
    """Train one trial, and write its run file as it goes.

    A worker that sees the sweep's sign shares its disk: the file is written in its place, so that the sweep follows it,
    and training ends when the sign says so or is gone. Elsewhere the file is written to a folder of the worker's
    own, and comes back as bytes in the end.

    Parameters
    ----------
    data : Data
        What to train on.
    settings : mapping
        Of the `Trainer`.
    batches : int
        How many.
    path : str
        The run file. One that an attempt before has left is replaced.
    sign : Sign
        Of the sweep.

    Returns
    -------
    Outcome
        Whatever happens: exceptions are told in words.
    """
    try:
        word = sign.read()
        if word == STOP:
            return Outcome("cancelled")
        if word:
            return _train(data, settings, batches, path, sign)
        with TemporaryDirectory(prefix="rnnbow-") as folder:
            own = Path(folder, Path(path).name)
            ended = _train(data, settings, batches, str(own), None)
            return replace(ended, file=own.read_bytes())
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"In {Path(last.filename).name}, line {last.lineno}."
        return Outcome("failed", f"{type(error).__name__}: {error}", where)


def _train(data: Data, settings: Mapping[str, Any], batches: int, path: str, sign: Sign | None) -> Outcome:
    """Train in short stretches, and look between them whether it is still wanted."""
    trainer = Trainer(data, save=path, overwrite=True, **settings)
    writer = trainer.run.writer
    assert writer is not None
    ending: Ending = "done"
    said = hint = ""
    stretch, looked = 1, monotonic()
    try:
        with trainer.training():
            while trainer.batch < batches and ending == "done":
                trainer.train(min(stretch, batches - trainer.batch))
                now = monotonic()
                if now - looked < _LOOK_SECONDS / 2:
                    stretch *= 2
                    continue
                stretch, looked = max(1, int(stretch * _LOOK_SECONDS / (now - looked) / 2)), now
                if sign and sign.read() != GO_ON:
                    ending = "cancelled"
    except DivergedError as error:
        ending, said, hint = "diverged", str(error), error.hint
    writer.close()
    if writer.trouble:
        ending, said, hint = "failed", f"{writer.trouble}.", "It was trained, but its run file is not complete."
    return Outcome(ending, said, hint, trainer.batch)

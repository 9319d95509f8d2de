"""Data whose training goes wrong in a worker process, for one seed only. A module of its own: workers import it."""

import os
from typing import Any

import numpy as np

from rnnbow_widget.corpora import Corpus
from rnnbow_widget.data import Windows

DEADLY, RAISING = 13, 17
AT = 12


class Dying(Corpus):
    """Training with seed 13 ends the process abruptly, and with seed 17 it raises, at batch 12 and not where made."""

    def __init__(self) -> None:
        super().__init__("dying", np.arange(600, dtype=np.int32) % 5, tuple("abcde"))
        self.maker = os.getpid()

    def windows(self, seq_length: int | None, batch_size: int, seed: int) -> Any:
        return _Windows(super().windows(seq_length, batch_size, seed), seed, self.maker)


class _Windows(Windows):
    def __init__(self, windows: Windows, seed: int, maker: int) -> None:
        self.seq_length, self.batch_size, self.per_epoch = windows.seq_length, windows.batch_size, windows.per_epoch
        self._windows, self._seed, self._maker = windows, seed, maker

    def __call__(self, batch: int) -> Any:
        if batch == AT and os.getpid() != self._maker:
            if self._seed == DEADLY:
                os._exit(1)
            if self._seed == RAISING:
                raise ValueError("no such window")
        return self._windows(batch)

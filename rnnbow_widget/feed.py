"""What the pages that show a run have been told, and what they have not. No widget, no messages: only their content."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any

from .protocol import pack
from .run import Run


class Feed:
    """Numbers the frames of a run, so that a page that misses one knows. Safe to use from several threads.

    Parameters
    ----------
    run : Run
        What is shown. It may grow in any way between two frames.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._epoch = 0
        self._next = 0
        self._told = 0

    def frame(self) -> tuple[dict[str, Any], list[bytes]]:
        """Return the numbers and chunks of the next frame: all that was recorded since the last one."""
        with self._lock:
            numbers = {"epoch": self._epoch, "frame": self._next}
            new = self._run[self._told :]
            self._next += 1
            self._told += len(new)
        return numbers, pack(new)

    def whole(self) -> tuple[dict[str, Any], list[bytes]]:
        """Return the number of the next frame and the chunks of everything recorded.

        What no frame has told yet is in it, and in no later frame. Pages that do not get this whole notice, since a
        number is skipped.
        """
        with self._lock:
            everything = self._run[:]
            if len(everything) > self._told:
                self._next += 1
                self._told = len(everything)
            numbers = {"epoch": self._epoch, "next": self._next}
        return numbers, pack(everything)

    def cues(self) -> list[dict[str, Any]]:
        """Return the cues of the run as it stands. Costs what is new, not what was recorded before."""
        return [asdict(cue) for cue in self._run.cues()]

    def start_over(self) -> None:
        """Begin a new epoch after the run was cleared: frames of the old one are out of date."""
        with self._lock:
            self._epoch += 1
            self._next = 0
            self._told = 0

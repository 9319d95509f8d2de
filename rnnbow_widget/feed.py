"""What the pages that show a run have been told, and what they have not. No widget, no messages: only their content."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any

import numpy as np

from .extract import extract_rows, spread
from .overview import Overview
from .parts import pack_part
from .protocol import pack_details, pack_overview
from .recall import ReplayError, ThinnedError, UnfinishedError
from .run import Run
from .run_file import RunFileError
from .snapshot import Snapshot, stream_views

FRAME_BYTES = 64_000
"""Details that go along with a frame: at usual rates all that is new, else the newest and some before it."""
WHOLE_BYTES = 8_000_000
"""Details that go along with the whole run."""
STATE_BYTES = 256_000
"""Details in the state that a saved notebook holds."""
STREAMED_BYTES = 192_000
"""Frames' overview rows that pages may add to that state until it is due to be sent anew."""
ANSWER_SECONDS = 10.0
"""How long a page may have to wait for what has to be worked out again."""


class Feed:
    """Numbers the frames of a run, so that a page that misses one knows. Safe to use from several threads.

    Of a minibatch, details are those of one stream, counted from 0, or with None those of the average over streams:
    what travels and what pages hold does not grow with the number of streams.

    Parameters
    ----------
    run : Run
        What is shown. It may grow in any way between two frames. Once it was cleared, by whomever, a new epoch begins,
        and frames of the old one are out of date.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._overview = run.overview
        self._epoch = 0
        self._next = 0
        self._told = 0
        self._streamed = 0

    @property
    def epoch(self) -> int:
        """How many times the run was cleared."""
        with self._lock:
            self._current()
            return self._epoch

    @property
    def is_behind(self) -> bool:
        """Whether something was recorded that no frame has told."""
        with self._lock:
            return len(self._current()) > self._told

    def frame(self, stream: int | None = None) -> tuple[dict[str, Any], list[bytes]]:
        """Return the numbers and chunks of the next frame: what was recorded since the last one.

        The overview of all of it, and details of the newest and of others, evenly spread, as far as they fit.
        """
        with self._lock:
            overview = self._current()
            first, stop = self._told, len(overview)
            numbers = {"epoch": self._epoch, "frame": self._next, "recorded": stop}
            self._next += 1
            self._told = stop
            rows = pack_overview(overview, slice(first, stop))
            self._streamed += sum(map(len, rows))
        new = stream_views(self._run.details(first), stream) if stop > first else []
        return numbers, rows + pack_details(spread(new, FRAME_BYTES) or new[-1:])

    def whole(self, selected: int | None = None, stream: int | None = None) -> tuple[dict[str, Any], list[bytes]]:
        """Return the number of the next frame, the overview of everything recorded, and details as far as they fit.

        What no frame has told yet is in it, and in no later frame. Pages that do not get this whole notice, since a
        number is skipped.
        """
        numbers, overview = self.tell_all()
        rows = pack_overview(overview, slice(numbers["recorded"]))
        return numbers, rows + self._details(WHOLE_BYTES, selected, stream)

    def state(self, selected: int | None = None, stream: int | None = None) -> dict[str, Any]:
        """Return what a new page loads and a saved notebook holds: of a long run an extract, and few details.

        Numbered as `whole`.
        """
        numbers, overview = self.tell_all()
        named = [cue.batch for cue in self._run.cues()] + ([] if selected is None else [selected])
        batches = overview.column("batch", 0, numbers["recorded"])  # (recorded,)
        rows = extract_rows(overview, numbers["recorded"], np.flatnonzero(np.isin(batches, named)))
        return {**numbers, "chunks": pack_overview(overview, rows) + self._details(STATE_BYTES, selected, stream)}

    def is_state_due(self) -> bool:
        """Whether pages have added so much to the state that it is to be sent to them again. True once each time."""
        due = self._streamed > STREAMED_BYTES
        if due:
            self._streamed = 0
        return due

    def renew_state(self) -> None:
        """Have the state sent again: other details than before are wanted."""
        with self._lock:
            self._streamed = STREAMED_BYTES + 1

    def details(
        self, batch: int, stream: int | None = None, part: str | None = None
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Return what of a batch is held or can be worked out, as a message `details` has it, and the chunk.

        Parameters
        ----------
        batch : int
            Number of the batch.
        stream : int or None
            One stream, or the average.
        part : str or None
            What of it; see `pack_part`.
        """
        asked = {"epoch": self.epoch, "batch": batch, "stream": stream, "part": part}
        found: dict[str, Any] = {**asked, "held": False, "nearest": None, "reason": None}
        try:
            chunks = pack_part(self._run, batch, stream, part, ANSWER_SECONDS)
            return {**found, "held": bool(chunks)}, chunks
        except ThinnedError as error:
            return {**found, "nearest": error.nearest}, []
        except KeyError:  # recorded before a reset that the page does not know of yet
            return found, []
        except ReplayError as error:
            nearest = self._run.nearest_held(batch).batch if part is None else None
            unfinished = isinstance(error, UnfinishedError)
            return {**found, "nearest": nearest, "reason": _sentence(error), "unfinished": unfinished}, []
        except RunFileError as error:  # it may be in use, or mended
            return {**found, "reason": _sentence(error), "again": True}, []
        except (TypeError, ValueError) as error:
            return {**found, "reason": _sentence(error)}, []

    def cues(self) -> list[dict[str, Any]]:
        """Return the cues of the run as it stands. Costs what is new, not what was recorded before."""
        return [asdict(cue) for cue in self._run.cues()]

    def tell_all(self) -> tuple[dict[str, Any], Overview]:
        """Return the number of the next frame, and the overview: all of it is told now, and in no later frame."""
        with self._lock:
            overview = self._current()
            recorded = len(overview)
            if recorded > self._told:
                self._next += 1
                self._told = recorded
            return {"epoch": self._epoch, "next": self._next, "recorded": recorded}, overview

    def _current(self) -> Overview:
        """The overview; a run that was cleared has another one. Who calls it holds the lock."""
        overview = self._run.overview
        if overview is not self._overview:
            self._overview = overview
            self._epoch += 1
            self._next = self._told = self._streamed = 0
        return overview

    def _details(self, budget: int, selected: int | None, stream: int | None) -> list[bytes]:
        held = stream_views(self._run.details(), stream)
        wanted: list[Snapshot] = [snapshot for snapshot in held if snapshot.batch == selected]
        return pack_details(spread(held, budget, wanted + held[-1:]))


def _sentence(error: Exception) -> str:
    message = str(error)
    return f"{message[:1].upper()}{message[1:]}."

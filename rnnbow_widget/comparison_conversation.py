"""The conversation of several runs side by side with their pages: one frame tells of all sides."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from .conversation import Conversation, Handler, Widget
from .lockstep import Lockstep
from .reporter import Part, Reporter
from .run_file import RunFileError
from .sides import Side, check_comparable
from .status import explain

_CONTRAST_SECONDS = 0.25
_LOOK_SECONDS = 0.25  # from one look into files to the next, while something trains


class ComparisonConversation(Conversation):
    """Several reporters, of which frames tell together: so pages see all at the same batch.

    Parameters
    ----------
    widget : Comparison
        Whose messages these are.
    sides : sequence of Side
        What is compared.
    reporters : sequence of Reporter
        Of each side.
    lockstep : Lockstep or None
        What trains; None if nothing does.
    told : callable
        Returns what pages are told of how the sides differ.
    """

    def __init__(
        self,
        widget: Widget,
        sides: Sequence[Side],
        reporters: Sequence[Reporter],
        lockstep: Lockstep | None,
        told: Callable[[], dict[str, Any]],
    ) -> None:
        super().__init__(widget, reporters, lockstep)
        self._sides = sides
        self._told = told
        self._lockstep = lockstep
        self._contrast: dict[str, Any] = {}
        self._contrast_told_at = self._looked_at = -math.inf
        self._others: dict[int, str] = {}  # why a run that took the place of another does not fit

    def status(self, side: int = 0) -> dict[str, Any]:
        """Return how training of a side goes: one that diverged says why it stays."""
        reporter = self._reporters[side]
        if self._lockstep and reporter.trainer:
            error = self._lockstep.diverged[self._lockstep.trainers.index(reporter.trainer)]
            if error:
                reporter.trouble = explain(error)
        elif side in self._others and not reporter.trouble[0]:
            reporter.trouble = self._others[side], "Compare it anew with what it can be compared with."
        return super().status(side)

    def follow(self, client: str | None = None, seq: int = 0) -> None:
        """Tell what is new in the files that runs were opened from, or why one cannot be read; write what waits."""
        with self.leases.lock:
            self._tend_files()
            self.send_frame(client, seq, last=True)

    def send_frame(self, client: str | None, seq: int, *, last: bool) -> None:
        """Tell the pages what is new; while others train, also in files, now and then."""
        if self.is_training and monotonic() - self._looked_at > _LOOK_SECONDS:
            self._tend_files()
        super().send_frame(client, seq, last=last)

    def _tend_files(self) -> None:
        for side, reporter in enumerate(self._reporters):
            if reporter.run.file:
                with suppress(RunFileError):  # the side's status has it
                    if reporter.tend_file():
                        self._take_other_run(side)
        self._looked_at = monotonic()

    def _take_other_run(self, side: int) -> None:
        """A file holds another run by now: it takes the place of the one before, if it can be compared."""
        self._others.pop(side, None)
        try:
            check_comparable(self._sides)
        except ValueError as error:
            self._others[side] = f"The file holds another run by now: {error}."
        self._widget.selected = None
        self._widget.send_state("_sides")
        self._send_whole(side)

    def _handlers(self) -> dict[Any, Handler]:
        single = ("set", "measure_horizon")
        return {kind: handler for kind, handler in super()._handlers().items() if kind not in single}

    def _send_whole(self, side: int) -> None:
        super()._send_whole(side)
        self._widget.send_state("_contrast")  # whoever missed a frame may have missed that too

    def _together(self, parts: Sequence[Part]) -> Part:
        content: dict[str, Any] = {"sides": [part for part, _ in parts], "chunks": [len(chunks) for _, chunks in parts]}
        if not self.is_training or monotonic() - self._contrast_told_at > _CONTRAST_SECONDS:
            self._contrast_told_at = monotonic()
            told = self._told()
            if told != self._contrast:
                content["contrast"] = self._contrast = told
        return content, [chunk for _, chunks in parts for chunk in chunks]

    def _about(self, side: int, content: dict[str, Any]) -> dict[str, Any]:
        return {**content, "side": side}

    def _run_trait(self, side: int) -> str:
        return f"_side_{side}"

    def _state(self) -> list[str]:
        return ["_contrast", *(f"_side_{side}" for side in range(len(self._reporters)))]

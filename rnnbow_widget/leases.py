"""Training in short leases: whoever trains holds the lock, and every request of a page is carried out once."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import Any, Protocol

from .checks import one_of, whole_number
from .page_message import request_of

FRAME_SECONDS = 0.05
"""From one frame to the next, while something trains."""
_SLICE_SECONDS = 0.002  # trained at a stretch: so soon a stop is heard
_OVERLAP_SECONDS = 0.025  # more than the way to the page and back takes
_MANY = 1 << 30
_LONGEST_LEASE_MS = 2_000
_STALE_SECONDS = 10.0
_MOST_PAGES = 1_000  # of which it is known what was carried out


class Trains(Protocol):
    """What can be trained: a `Trainer`, or whatever else counts its batches and trains them."""

    @property
    def batch(self) -> int:
        """Batches trained so far."""

    def training(self) -> AbstractContextManager[None]:
        """Everything that belongs to one stretch of training happens within this: files are written in the end."""

    def train(self, batches: int = 1) -> object:
        """Train a number of batches."""

    def step(self) -> object:
        """Train one batch, and record it."""

    def step_to_record(self) -> object:
        """Train up to and including the next batch that is due to be recorded."""

    def reset(self) -> None:
        """Go back to the start."""


class Host(Protocol):
    """Who talks to the pages."""

    @property
    def playing(self) -> bool:
        """Whether training is wanted."""

    @property
    def is_training(self) -> bool:
        """Whether something trains just now, through the host or not."""

    @property
    def trains(self) -> Trains:
        """What trains; ValueError if nothing does."""

    def pause(self) -> None:
        """Want no more training."""

    def begin(self) -> None:
        """Training begins: what went wrong before is past."""

    def fail(self, error: Exception) -> None:
        """Keep what went wrong, for the next frame to tell."""

    def send(self, content: dict[str, Any]) -> None:
        """Send a message to the pages."""

    def send_frame(self, client: str | None, seq: int, *, last: bool) -> None:
        """Tell the pages what is new, as a frame that answers this request."""


class Leases:
    """Trains for pages that ask, and for cells, one at a time. See "The lease" in docs/architecture.md.

    Parameters
    ----------
    host : Host
        Who talks to the pages.

    Attributes
    ----------
    lock : Lock
        Whoever trains holds it: messages may arrive on other threads than cells.
    last : float or None
        When the last lease began, on the clock of `monotonic`; None: none since training is wanted.
    rate : float
        Batches per second, or NaN.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.lock = threading.Lock()
        self.last: float | None = None
        self.rate = math.nan
        self._answered: dict[str, int] = {}

    def is_current(self) -> bool:
        """Whether a page that loads now may go on playing: not if the one that played has been gone for a while."""
        return self.last is None or monotonic() - self.last < _STALE_SECONDS

    def lease(self, message: Mapping[str, Any]) -> None:
        """Train for a page, for as long as its message says."""
        milliseconds = min(whole_number("ms", message.get("ms")), _LONGEST_LEASE_MS)
        host = self._host

        def work(client: str, seq: int) -> None:
            self.last = monotonic()
            end = self.last + milliseconds / 1000
            self._stream(
                lambda _: _MANY if host.playing and monotonic() < end else 0, client, seq, end - _OVERLAP_SECONDS
            )

        self._answer(message, work)

    def step(self, message: Mapping[str, Any]) -> None:
        """Take a step for a page."""
        self._answer(message, lambda client, seq: self._take_step(message.get("until"), client, seq))

    def train(self, batches: int) -> None:
        """Train a number of batches now, for a cell."""
        end = self._host.trains.batch + batches
        with self.lock:
            self._stream(lambda trains: end - trains.batch)

    def take_step(self, until: str) -> None:
        """Take a step now, for a cell; `until`: "batch" or "record"."""
        with self.lock:
            self._take_step(until)

    def _answer(self, message: Mapping[str, Any], work: Callable[[str, int], None]) -> None:
        """Carry out a page's request once, or say that it was carried out before, or that something else trains now."""
        client, seq = request_of(message)
        if not self.lock.acquire(timeout=2 * _OVERLAP_SECONDS):  # the request before may be about to end
            self._host.send({"kind": "busy", "client": client, "seq": seq})
            return
        try:
            if seq <= self._answered.get(client, 0):
                self._host.send({"kind": "done", "client": client, "seq": seq})
                return
            if self._host.is_training:  # through another widget, or by a cell that calls the trainer itself
                self._host.send({"kind": "busy", "client": client, "seq": seq})
                return
            self._answered.pop(client, None)  # so that who asked last is forgotten last
            self._answered[client] = seq
            if len(self._answered) > _MOST_PAGES:
                del self._answered[next(iter(self._answered))]
            work(client, seq)
        finally:
            self.lock.release()

    def _take_step(self, until: Any, client: str | None = None, seq: int = 0) -> None:
        until = one_of("until", until, ("batch", "record"))
        self._host.pause()
        with self._reported(client, seq) as (trains, _):
            if until == "batch":
                trains.step()
            else:
                trains.step_to_record()

    def _stream(
        self, wanted: Callable[[Trains], int], client: str | None = None, seq: int = 0, farewell: float = math.inf
    ) -> None:
        """Train while batches are `wanted`, and send frames; the last one at the time `farewell`, if that comes first.

        So the page's next request is here when this one ends. What is trained after the farewell goes with the frames
        of that one. The caller holds the lock.
        """
        with self._reported(client, seq) as (trains, report):
            begun, batch = monotonic(), trains.batch
            now, due, slice_ = begun, begun + FRAME_SECONDS, 1
            while (most := wanted(trains)) > 0:
                count, since = min(slice_, most), now
                trains.train(count)
                now = monotonic()
                slice_ = max(1, min(2 * count, int(count * _SLICE_SECONDS / max(now - since, 1e-9))))
                if not report.ended and now >= min(due, farewell):
                    self.rate = (trains.batch - batch) / (now - begun)
                    report.send(last=now >= farewell)
                    now = monotonic()
                    due = now + FRAME_SECONDS

    @contextmanager
    def _reported(self, client: str | None, seq: int) -> Iterator[tuple[Trains, _Report]]:
        """Whatever happens within, the pages learn of it: a last frame is sent, and an exception stops the playing."""
        host = self._host
        trains = host.trains
        report = _Report(host, client, seq)
        host.begin()
        try:
            with trains.training():
                yield trains, report
        except BaseException as error:
            host.pause()
            if isinstance(error, Exception):
                host.fail(error)
            raise
        finally:
            if not report.ended:
                report.send(last=True)
            elif not host.playing:  # nobody will ask for the rest
                host.send_frame(None, 0, last=True)


class _Report:
    """The frames that answer one request."""

    def __init__(self, host: Host, client: str | None, seq: int) -> None:
        self._host = host
        self._request = client, seq
        self.ended = False

    def send(self, *, last: bool) -> None:
        self.ended = last
        self._host.send_frame(*self._request, last=last)

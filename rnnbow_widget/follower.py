"""What a page that follows a run file is told: the page, and answers to what it asks. No server, no sockets."""

from __future__ import annotations

import json
import math
import secrets
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .page import make_page
from .page_message import kind_of, request_of
from .reporter import Part, Reporter
from .run import Run
from .run_file import RunFileError

_MOST_PAGES = 32  # that are told what is new; one that was opened before the last so many is to load anew

Message = Part
"""Content, and the chunks that go along."""
_RELOAD: Message = ({"kind": "reload"}, [])


class Follower:
    """Follows a run file for pages that ask, each for itself. Safe to use from several threads.

    Parameters
    ----------
    run : Run
        One that was opened from a file.
    """

    def __init__(self, run: Run) -> None:
        if run.reader is None:
            raise ValueError("run takes one that was opened from a file: Run.open(path)")
        self._run, self._file = run, run.reader
        self._lock = threading.Lock()
        self._pages: dict[str, Reporter] = {}

    def page(self, title: str | None = None) -> str:
        """Return the HTML of a page with what is recorded now, that asks for what is new.

        If the file cannot be read just now, the page has what was read before, and says so.
        """
        with self._lock:
            name = secrets.token_hex(8)
            reporter = self._reporter(name)
            with suppress(RunFileError):  # the status says so
                reporter.look_into_file()
            return make_page(reporter, title=title or self._file.path.name, follows=f"talk?page={name}")

    def answer(self, page: str, message: Any) -> list[Message]:
        """Return what a page is to be told that sends a message; see docs/architecture.md, *A page that follows*.

        Raises
        ------
        TypeError, ValueError
            If it is no such message.
        """
        kind = kind_of(message, ("follow", "resync", "details"))
        with self._lock:
            if page not in self._pages:
                return [_RELOAD]
            reporter = self._reporter(page)
            answer = _answer(reporter, kind, message)
            if answer is _RELOAD:
                del self._pages[page]  # whatever it asks next, should it not hear of this
            return [answer]

    def _reporter(self, page: str) -> Reporter:
        reporter = self._pages.pop(page, None) or Reporter(self._run, None)
        self._pages[page] = reporter  # the newest last
        for oldest in list(self._pages)[:-_MOST_PAGES]:
            del self._pages[oldest]
        return reporter


def packed(messages: list[Message]) -> bytes:
    """Return messages as one body.

    The length of the head as uint32; the head, JSON of contents and of the lengths of their chunks; the chunks.
    """
    head = json.dumps([{"content": content, "lengths": [*map(len, chunks)]} for content, chunks in messages]).encode()
    head += b" " * (-len(head) % 4)
    return b"".join([struct.pack("<I", len(head)), head, *(chunk for _, chunks in messages for chunk in chunks)])


def _stream(reporter: Reporter, message: Mapping[str, Any]) -> int | None:
    return reporter.checked_stream(message.get("stream"))


def _status(reporter: Reporter) -> dict[str, Any]:
    return reporter.status(training=False, rate=math.nan)


def _answer(reporter: Reporter, kind: str, message: Mapping[str, Any]) -> Message:
    """What a page is told; if the file has another run, perhaps of another network, to load anew."""
    if not reporter.is_current():  # another page has asked what is new
        return _RELOAD
    if kind == "details":
        return reporter.details(message)
    stream = _stream(reporter, message)
    if kind == "resync":
        content, chunks = reporter.whole(None, stream)
        return {"kind": "whole", **content, "status": _status(reporter)}, chunks
    client, seq = request_of(message)
    with suppress(RunFileError):  # the status says so
        if reporter.look_into_file():
            return _RELOAD
    content, chunks = reporter.frame(last=True, playing=False, stream=stream)
    head = {"kind": "frame", "client": client, "seq": seq, "last": True, "playing": False}
    return {**head, **content, "status": _status(reporter)}, chunks

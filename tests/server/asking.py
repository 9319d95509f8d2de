"""Asks the server of `rnnbow view` as a browser could, and as none would."""

import json
import re
import socket
from contextlib import suppress
from email.message import Message as Headers
from http.client import parse_headers
from io import BytesIO
from typing import Any, NamedTuple

from malformed import Message, require_plain

from rnnbow_widget.server import PageServer

REFUSED = {400, 404, 413, 414, 431, 501, 505}
NOTHING = 0
"""Instead of a status: there was no answer, or one as HTTP 0.9 has it, without a head."""
WAIT_SECONDS = 20
RIGHT = b'{"kind": "follow", "client": "c", "seq": 1}'
MESSAGES: list[Message] = [
    {"kind": "follow", "client": "a", "seq": 1, "stream": None},
    {"kind": "resync", "client": "a", "stream": 1},
    {"kind": "details", "client": "a", "batch": 2, "stream": None, "part": None},
]
ANSWERS = {"follow": "frame", "resync": "whole", "details": "details"}
MOST_BYTES = 100_000


class Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes

    @property
    def messages(self) -> list[Message]:
        """What the page is told, in a form that browsers read."""
        end = 4 + int.from_bytes(self.body[:4], "little")
        head = json.loads(self.body[4:end])
        require_plain(head)
        assert len(self.body) == end + sum(sum(one["lengths"]) for one in head)
        return [one["content"] for one in head]


class Page:
    """Asks a server as a browser could, and as none would."""

    def __init__(self, server: PageServer) -> None:
        self.server = server
        self.base, self.host = f"/{server.token}/", f"127.0.0.1:{server.server_port}"
        (self.name,) = re.findall(rb'id="rnnbow-follows">talk\?page=(\w+)<', self.asks(self.request()).body)
        self.seq = 0

    @property
    def talk(self) -> str:
        return f"{self.base}talk?page={self.name.decode()}"

    def request(
        self,
        body: bytes | None = None,
        method: str | None = None,
        path: str | None = None,
        version: str = " HTTP/1.1",
        **headers: str | list[str] | None,
    ) -> bytes:
        """A request that is right but for what is given: of the page, or to send it a body."""
        posts = body is not None
        told: dict[str, Any] = {"Host": self.host}
        if posts:
            told |= {"Content_Type": "application/json", "Content_Length": str(len(body or b""))}
        told |= headers
        path = path if path is not None else self.talk if posts else self.base
        lines = [f"{method if method is not None else 'POST' if posts else 'GET'} {path}{version}"]
        for name, values in told.items():
            for value in [values] if isinstance(values, str) else values or []:
                lines.append(f"{name.replace('_', '-')}: {value}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")

    def asks(self, request: bytes) -> Answer:
        """Send so much of a request as is taken, and read until the server ends the connection."""
        with socket.create_connection(("127.0.0.1", self.server.server_port), timeout=WAIT_SECONDS) as connection:
            found = b""
            with suppress(OSError):  # it has heard enough
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError):
                while part := connection.recv(1 << 20):
                    found += part
        if not found.startswith(b"HTTP/"):
            return Answer(NOTHING, Headers(), found)
        head, _, body = found.partition(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        return Answer(int(line.split()[1]), parse_headers(BytesIO(fields + b"\r\n\r\n")), body)

    def tells(self, message: Any) -> Answer:
        return self.asks(self.request(json.dumps(message).encode()))

    def require_answered(self) -> None:
        """What is right is done."""
        self.seq += 1
        (told,) = self.tells({"kind": "details", "client": "c", "batch": 0, "stream": 1, "part": None}).messages
        assert (told["kind"], told["held"], told["batch"], told["stream"]) == ("details", True, 0, 1)
        (told,) = self.tells({"kind": "follow", "client": "c", "seq": self.seq}).messages
        assert (told["kind"], told["seq"], told["recorded"]) == ("frame", self.seq, 4)


def indiscretion(page: Page, answer: Answer) -> str:
    """What a refusal says that it should not; empty if there is nothing."""
    whole = b"\n".join([answer.body, *(f"{name}: {value}".encode() for name, value in answer.headers.items())])
    for secret in (page.server.token, "secret place", "run.rnnbow", "Traceback", "Python", 'File "', "site-packages"):
        if secret.encode() in whole:
            return f"it says {secret}"
    if answer.status == NOTHING:
        return f"it says {answer.body!r:.80}" if answer.body else ""
    if any(name.lower().startswith("access-control") for name in answer.headers):
        return "it permits other origins something"
    required = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store"}
    for name, value in required.items():
        if answer.headers[name] != value:
            return f"{name} is {answer.headers[name]}"
    return ""

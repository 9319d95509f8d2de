"""Serves a page that follows a run file, to browsers on this machine only."""

from __future__ import annotations

import json
import re
import secrets
import sys
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from .follower import Follower, packed

_MOST_BYTES = 100_000  # of a message
_LENGTH = re.compile(r"[0-9]{1,9}")


class PageServer(ThreadingHTTPServer):
    """A server on 127.0.0.1 that shows one run, to who knows its address.

    The address has a random token in it; and only requests that name this machine as their host are answered, so that
    no page from elsewhere can reach it under a name of its own. What a page of another origin asks is refused too.

    Parameters
    ----------
    follower : Follower
        What is shown.
    port : int
        Which port; 0 for any that is free.

    Attributes
    ----------
    url : str
        Address of the page.
    """

    daemon_threads = True

    def __init__(self, follower: Follower, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(16)
        super().__init__(("127.0.0.1", port), partial(_Handler, follower, self.token))
        self.url = f"http://127.0.0.1:{self.server_port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what went wrong, unless a browser has gone before it was answered, as browsers do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version, sys_version = "rnnbow", ""  # whoever is refused learns nothing of what runs here
    default_request_version = "HTTP/1.0"  # so every answer has a head, and what it says of safety
    timeout = 30.0  # who has asked for nothing by then is not waited for any longer

    def __init__(self, follower: Follower, token: str, *arguments: Any) -> None:
        self._follower, self._token = follower, token
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer with the page."""
        if self._asked_for("") is None:
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
        else:
            self._answer(HTTPStatus.OK, self._follower.page().encode(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        """Answer what the page asks."""
        page = self._asked_for("talk")
        length = self._header("Content-Length")
        if page is None or self._header("Content-Type").partition(";")[0].strip().lower() != "application/json":
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
        elif not _LENGTH.fullmatch(length) or int(length) > _MOST_BYTES:
            takes = f"Content-Length takes a whole number of at most {_MOST_BYTES}"
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, takes.encode(), "text/plain")
        else:
            try:
                body = packed(self._follower.answer(page, json.loads(self.rfile.read(int(length)))))
            except (RecursionError, TypeError, ValueError) as error:
                self._answer(HTTPStatus.BAD_REQUEST, str(error).encode(), "text/plain; charset=utf-8")
            else:
                self._answer(HTTPStatus.OK, body, "application/octet-stream")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, or none that is answered here, as all else is; nothing of it is repeated."""
        self._answer(HTTPStatus(code), b"", "text/plain")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the address is a secret."""

    def _asked_for(self, name: str) -> str | None:
        """Return which page asks; None if this is not asked for as it should be."""
        path, _, query = self.path.partition("?")
        host = self._header("Host")
        named = host in {f"127.0.0.1:{self.server.server_port}", f"localhost:{self.server.server_port}"}
        own = self._header("Origin", f"http://{host}") == f"http://{host}"
        if not (named and own) or not secrets.compare_digest(path.encode(), f"/{self._token}/{name}".encode()):
            return None
        return parse_qs(query).get("page", [""])[0]

    def _header(self, name: str, default: str = "") -> str:
        """Return a header; of one that is there twice, what none is like."""
        return ", ".join(self.headers.get_all(name, [default]))

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": "frame-ancestors 'none'",  # the rest stands in the page; this cannot
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

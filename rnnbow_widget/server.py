"""Serves a page that follows a run file, to browsers on this machine only."""

from __future__ import annotations

import json
import secrets
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .follower import Follower, packed

_MOST_BYTES = 100_000  # of a message


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


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version, sys_version = "rnnbow", ""  # whoever is refused learns nothing of what runs here

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
        length = self.headers.get("Content-Length", "")
        if page is None or self.headers.get_content_type() != "application/json":
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
        elif not length.isdecimal() or int(length) > _MOST_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"", "text/plain")
        else:
            try:
                body = packed(self._follower.answer(page, json.loads(self.rfile.read(int(length)))))
            except (RecursionError, TypeError, ValueError) as error:
                self._answer(HTTPStatus.BAD_REQUEST, str(error).encode(), "text/plain; charset=utf-8")
            else:
                self._answer(HTTPStatus.OK, body, "application/octet-stream")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the address is a secret."""

    def _asked_for(self, name: str) -> str | None:
        """Return which page asks; None if this is not asked for as it should be."""
        try:
            address = urlsplit(self.path)
        except ValueError:
            return None
        host = self.headers.get("Host", "")
        named = host in {f"127.0.0.1:{self.server.server_port}", f"localhost:{self.server.server_port}"}
        own = self.headers.get("Origin", f"http://{host}") == f"http://{host}"
        if not (named and own) or not secrets.compare_digest(address.path.encode(), f"/{self._token}/{name}".encode()):
            return None
        return parse_qs(address.query).get("page", [""])[0]

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

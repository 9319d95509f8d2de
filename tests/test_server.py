"""The server of a page that follows a run file: who is answered, and what others hear."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from recorded import run_of

from rnnbow_widget import Run
from rnnbow_widget.follower import Follower
from rnnbow_widget.server import PageServer


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    run_of(4).save(tmp_path / "run.rnnbow")
    return Follower(Run.open(tmp_path / "run.rnnbow"))


@pytest.fixture
def server(follower: Follower) -> Iterator[PageServer]:
    with PageServer(follower) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: PageServer, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> tuple[int, bytes, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer.headers


def test_the_server_answers_who_knows_its_address(server: PageServer) -> None:
    path = urlsplit(server.url).path
    assert server.server_address[0] == "127.0.0.1"
    status, page, headers = ask(server, path)
    assert status == 200
    assert page.startswith(b"<!doctype html>")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    name = page.partition(b"talk?page=")[2].partition(b"<")[0].decode()
    asked = '{"kind": "follow", "client": "c", "seq": 1}'
    status, body, _ = ask(server, f"{path}talk?page={name}", "POST", asked, Content_Type="application/json")
    assert status == 200
    assert b'"frame"' in body


REFUSED = {
    "no token": ("/", {}),
    "a wrong token": ("/AAAAAAAAAAAAAAAAAAAAAA/", {}),
    "part of the token": ("{token:.21}/", {}),
    "a file beside it": ("/favicon.ico", {}),
    "a path upwards": ("{token}/../../etc/passwd", {}),
    "a path upwards, disguised": ("{token}/%2e%2e/%2e%2e/etc/passwd", {}),
    "a file of its folder": ("{token}/run.rnnbow", {}),
    "the name of another machine": ("{token}/", {"Host": "attacker.example"}),
    "that name with our port": ("{token}/", {"Host": "attacker.example:{port}"}),
    "our name as part of another": ("{token}/", {"Host": "127.0.0.1.attacker.example:{port}"}),
    "another port": ("{token}/", {"Host": "127.0.0.1:1"}),
    "no name": ("{token}/", {"Host": ""}),
    "a page of another origin": ("{token}/", {"Origin": "http://attacker.example"}),
    "a page of another port": ("{token}/", {"Origin": "http://127.0.0.1:1"}),
    "a page that is a file": ("{token}/", {"Origin": "null"}),
    "an address that is none": ("http://[{token}/", {"Host": "127.0.0.1:{port}"}),
    "another machine's address": ("http://attacker.example/{token}/", {"Host": "attacker.example"}),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("case", REFUSED)
def test_the_server_answers_nobody_else(
    server: PageServer, capfd: pytest.CaptureFixture[str], case: str, method: str
) -> None:
    known = {"token": f"/{server.token}", "port": server.server_port}
    path, given = REFUSED[case]
    headers = {name: value.format(**known) for name, value in given.items()}
    body = None
    if method == "POST":
        path = path.removesuffix("/") + "/talk?page=x"
        headers["Content-Type"], body = "application/json", '{"kind": "resync"}'
    status, content, answered = ask(server, path.format(**known), method, body, **headers)
    assert (status, content) == (404, b"")
    assert "Python" not in answered["Server"]
    assert capfd.readouterr() == ("", "")


def test_the_server_refuses_what_a_page_of_another_origin_can_send_unasked(server: PageServer) -> None:
    talk = f"/{server.token}/talk?page=x"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert ask(server, talk, "POST", '{"kind": "resync"}', Content_Type=kind)[0] == 404
    # For anything else a browser asks first, with OPTIONS: what it hears is no permission.
    status, _, headers = ask(server, talk, "OPTIONS", Origin="http://attacker.example")
    assert status == 501
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("body", "length", "status"),
    [
        ("{", None, 400),
        ("[" * 99_000, None, 400),
        ('{"kind": "__class__"}', None, 400),
        ("", "1000000", 413),
        ("", "-1", 413),
        ("", "\u00b2", 413),
        ("", "many", 413),
    ],
)
def test_the_server_answers_every_body(
    server: PageServer, capfd: pytest.CaptureFixture[str], body: str, length: str | None, status: int
) -> None:
    headers = {"Content-Type": "application/json"} | ({} if length is None else {"Content-Length": length})
    assert ask(server, f"/{server.token}/talk?page=x", "POST", body, **headers)[0] == status
    assert capfd.readouterr() == ("", "")


def test_no_other_page_may_hold_this_one(server: PageServer) -> None:
    status, page, headers = ask(server, f"/{server.token}/")
    assert status == 200
    assert b"Content-Security-Policy" in page
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(server, f"/{server.token}/", "DELETE")[0] == 501


def test_every_server_has_a_token_of_its_own(follower: Follower) -> None:
    with PageServer(follower) as first, PageServer(follower) as second:
        assert first.token != second.token
        assert len(first.token) >= 22, "128 bits"
        for server in (first, second):
            assert server.socket.getsockname()[0] == "127.0.0.1", "no other machine can reach it"

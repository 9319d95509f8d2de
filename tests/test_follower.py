"""A page that follows a run file: what it is told, and who is answered."""

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from unpacking import batches, detailed

from rnnbow_widget import Run, Trainer
from rnnbow_widget.follower import Follower, packed
from rnnbow_widget.page import make_page
from rnnbow_widget.reporter import Reporter
from rnnbow_widget.server import PageServer

TEXT = "the quick brown fox jumps over the lazy dog; " * 30


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    trainer = Trainer(TEXT, hidden_size=8, record_every=5, horizon=5, save=tmp_path / "run.rnnbow")
    trainer.train(20)
    return trainer


@pytest.fixture
def follower(trainer: Trainer, tmp_path: Path) -> Follower:
    return Follower(Run.open(tmp_path / "run.rnnbow"))


def opened(follower: Follower) -> tuple[str, dict[str, Any]]:
    """Open a page: its name, and the traits in it."""
    page = follower.page()
    name = page.partition('id="rnnbow-follows">talk?page=')[2].partition("<")[0]
    traits = page.partition('id="rnnbow-traits">')[2].partition("</script>")[0]
    return name, json.loads(traits)


def follow(follower: Follower, page: str) -> tuple[dict[str, Any], list[bytes]]:
    ((content, chunks),) = follower.answer(page, {"kind": "follow", "client": "c", "seq": 1})
    return content, chunks


def test_a_page_is_told_what_is_new_and_nothing_twice(follower: Follower, trainer: Trainer) -> None:
    name, traits = opened(follower)
    assert traits["_run"]["recorded"] == 4
    assert traits["_info"]["page"] is None
    assert traits["_status"]["file"]["follows"]
    trainer.train(11)
    frame, chunks = follow(follower, name)
    assert (frame["kind"], frame["client"], frame["seq"], frame["last"]) == ("frame", "c", 1, True)
    assert (frame["epoch"], frame["frame"], frame["recorded"]) == (0, traits["_run"]["next"], 7)
    assert batches(chunks) == [20, 25, 30]
    frame, chunks = follow(follower, name)
    assert frame["frame"] == traits["_run"]["next"] + 1
    assert not chunks


def test_each_page_is_told_for_itself(follower: Follower, trainer: Trainer) -> None:
    first, _ = opened(follower)
    trainer.train(6)
    second, traits = opened(follower)
    assert traits["_run"]["recorded"] == 6
    assert not follow(follower, second)[1]
    assert batches(follow(follower, first)[1]) == [20, 25]


def test_what_a_page_does_not_hold_is_asked_for(follower: Follower) -> None:
    name, _ = opened(follower)
    ((content, chunks),) = follower.answer(name, {"kind": "details", "client": "c", "batch": 5, "part": None})
    assert content["held"]
    assert detailed(chunks) == [5]
    ((content, chunks),) = follower.answer(name, {"kind": "details", "client": "c", "batch": 5, "part": "W_ih"})
    assert not content["held"]
    assert "W_ih" in content["reason"]
    ((content, chunks),) = follower.answer(name, {"kind": "resync", "client": "c"})
    assert content["kind"] == "whole"
    assert batches(chunks) == [0, 5, 10, 15]


def test_a_page_loads_anew_when_the_file_has_another_run(follower: Follower, trainer: Trainer) -> None:
    name, _ = opened(follower)
    other, _ = opened(follower)
    trainer.reset()
    trainer.train(6)
    assert follow(follower, name)[0]["kind"] == follow(follower, other)[0]["kind"] == "reload"
    assert opened(follower)[1]["_run"]["recorded"] == 2


def test_a_page_hears_nothing_of_another_run_that_a_second_page_has_found(follower: Follower, trainer: Trainer) -> None:
    first, _ = opened(follower)
    second, _ = opened(follower)
    trainer.reset()
    trainer.train(6)
    assert follow(follower, second)[0]["kind"] == "reload"
    for asked in ({"kind": "details", "batch": 5, "part": None}, {"kind": "resync"}, {"kind": "follow", "seq": 1}):
        assert follower.answer(first, {"client": "c", **asked}) == [({"kind": "reload"}, [])]


def test_a_page_that_does_not_hear_that_it_is_to_load_anew_is_told_again(follower: Follower, trainer: Trainer) -> None:
    name, _ = opened(follower)
    trainer.reset()
    trainer.train(6)
    assert [follow(follower, name)[0]["kind"] for _ in range(3)] == ["reload"] * 3


def test_a_page_that_was_forgotten_loads_anew(follower: Follower) -> None:
    first, _ = opened(follower)
    for _ in range(32):
        last, _ = opened(follower)
    assert follow(follower, first)[0]["kind"] == "reload"
    assert follow(follower, last)[0]["kind"] == "frame"


def test_a_file_that_cannot_be_read_any_more_is_said(follower: Follower, tmp_path: Path) -> None:
    name, _ = opened(follower)
    (tmp_path / "run.rnnbow").write_bytes(b"no run file" * 1000)
    frame, _ = follow(follower, name)
    assert frame["kind"] == "frame"
    assert "run.rnnbow" in frame["status"]["message"]


@pytest.mark.parametrize("harm", ["gone", "no run file", "damaged details"])
def test_a_page_that_is_opened_while_the_file_cannot_be_read_has_what_was_read(
    trainer: Trainer, tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "run.rnnbow"
    follower = Follower(Run.open(path, memory_limit=20_000))
    if harm == "damaged details":
        loss = trainer.run[1].loss.tobytes()
        assert path.read_bytes().count(loss) == 1
        path.write_bytes(path.read_bytes().replace(loss, bytes(len(loss))))
    elif harm == "gone":
        path.unlink()
    else:
        path.write_bytes(b"no run file" * 1000)
    name, traits = opened(follower)
    assert traits["_run"]["recorded"] == 4
    assert ("run.rnnbow" in traits["_status"]["message"]) == (harm != "damaged details")
    assert follow(follower, name)[0]["kind"] == "frame"


@pytest.mark.parametrize("message", [None, [], {}, {"kind": "lease"}, {"kind": "details", "batch": "five"}])
def test_other_messages_are_refused(follower: Follower, message: Any) -> None:
    name, _ = opened(follower)
    with pytest.raises((TypeError, ValueError), match="takes"):
        follower.answer(name, message)


def test_a_page_has_one_batch_however_large_that_is(follower: Follower) -> None:
    reporter = Reporter(follower._run, None)
    with pytest.raises(ValueError, match="max_bytes takes at least"):
        make_page(reporter, max_bytes=1_000)
    assert '"recorded":4' in make_page(reporter, max_bytes=1_000, follows="talk")


def test_only_a_run_from_a_file_is_followed(trainer: Trainer) -> None:
    with pytest.raises(ValueError, match="run takes one that was opened from a file"):
        Follower(trainer.run)


def test_messages_are_packed_as_they_are_described() -> None:
    body = packed([({"kind": "a", "words": "é"}, []), ({"kind": "b"}, [b"1234", b"56789abc"])])
    end = 4 + int(np.frombuffer(body, "<u4", 1)[0])
    assert json.loads(body[4:end]) == [
        {"content": {"kind": "a", "words": "é"}, "lengths": []},
        {"content": {"kind": "b"}, "lengths": [4, 8]},
    ]
    assert end % 4 == 0
    assert body[end:] == b"123456789abc"


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

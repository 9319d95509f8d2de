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


@pytest.mark.parametrize("message", [None, [], {}, {"kind": "lease"}, {"kind": "details", "batch": "five"}])
def test_other_messages_are_refused(follower: Follower, message: Any) -> None:
    name, _ = opened(follower)
    with pytest.raises((TypeError, ValueError), match="takes"):
        follower.answer(name, message)


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


def test_the_server_answers_nobody_else(server: PageServer) -> None:
    path = urlsplit(server.url).path
    assert ask(server, "/")[0] == 404
    assert ask(server, "/favicon.ico")[0] == 404
    assert ask(server, f"{path[:-2]}x/")[0] == 404
    assert ask(server, f"{path}../../etc/passwd")[0] == 404
    assert ask(server, path, Host="attacker.example")[0] == 404
    assert ask(server, path, Host=f"attacker.example:{server.server_port}")[0] == 404
    talk = f"{path}talk?page=x"
    assert ask(server, talk, "POST", '{"kind": "resync"}', Content_Type="text/plain")[0] == 404
    assert ask(server, "/talk", "POST", '{"kind": "resync"}', Content_Type="application/json")[0] == 404
    assert ask(server, talk, "POST", "{", Content_Type="application/json")[0] == 400
    assert ask(server, talk, "POST", "", Content_Type="application/json", Content_Length="1000000")[0] == 413
    assert ask(server, path, "DELETE")[0] == 501

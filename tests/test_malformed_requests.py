"""What `rnnbow view` is asked, malformed in every way: answered as it is meant, or refused with what is wrong.

Whatever comes, the next request that is right is answered, nothing is printed, no thread is left waiting, and who does
not know the address learns nothing.
"""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import Message as Headers
from http.client import parse_headers
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from malformed import CALLED, NO_MESSAGES, SMALL, STREAMS, TEXT, VALUES, Message, is_taken, malformed, require_plain

from rnnbow_widget import Run, Trainer
from rnnbow_widget.follower import Follower
from rnnbow_widget.server import PageServer

MOST_BYTES = 100_000
MESSAGES: list[Message] = [
    {"kind": "follow", "client": "a", "seq": 1, "stream": None},
    {"kind": "resync", "client": "a", "stream": 1},
    {"kind": "details", "client": "a", "batch": 2, "stream": None, "part": None},
]
ANSWERS = {"follow": "frame", "resync": "whole", "details": "details"}
REFUSED = {400, 404, 413, 414, 431, 501, 505}
NOTHING = 0
"""Instead of a status: there was no answer, or one as HTTP 0.9 has it, without a head."""
WAIT_SECONDS = 20


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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "secret place" / "run.rnnbow"
    path.parent.mkdir()
    trainer = Trainer(TEXT, **SMALL, batch_size=STREAMS, save=path, seed=0)
    trainer.train(7)
    trainer.run.writer.close()
    return path


@pytest.fixture
def page(path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Page]:
    """A page of a server, which prints nothing, and leaves no thread behind."""
    before = threading.active_count()
    with PageServer(Follower(Run.open(path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Page(server)
        server.shutdown()
        thread.join()
    deadline = time.monotonic() + WAIT_SECONDS
    while threading.active_count() > before:
        assert time.monotonic() < deadline, "a request is still waited for"
        time.sleep(0.01)
    assert capfd.readouterr() == ("", "")


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


# What the page sends.


def complaint(page: Page, field: str, message: Message, one: Message) -> str:
    body = json.dumps(one).encode()
    answer = page.asks(page.request(body))
    if len(body) > MOST_BYTES:
        return "" if answer.status == 413 and b"at most 100000" in answer.body else f"it is long, and {answer!r:.200}"
    if answer.status == 200:
        (told,) = answer.messages
        said = told.get("reason") or ""
    else:
        told, said = {}, answer.body.decode()
    if answer.status not in {200, 400} or len(said) > 5_000:
        return f"{answer!r:.200}"
    if is_taken(message, field, one):
        right = not said and told["kind"] == ANSWERS[message["kind"]]
        return "" if right else f"it is right, and answered {answer!r:.200}"
    if not any(name in said.lower() for name in (field, *CALLED.get(field, ()))):
        return f"the refusal does not name it: {answer!r:.200}"
    return indiscretion(page, answer)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["kind"])
def test_messages_to_a_server(page: Page, message: Message, tried: Callable[[str, int], None]) -> None:
    cases, wrong = 0, []
    for field, one in malformed(message):
        cases += 1
        if said := complaint(page, field, message, one):
            wrong.append(f"{field} of {one!r:.120}: {said}")
        page.require_answered()
    for extra in ("extra", "__proto__", "method"):
        cases += 1
        (told,) = page.tells({**message, extra: VALUES[-1]}).messages
        assert told["kind"] == ANSWERS[message["kind"]]
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:40])
    tried("messages of pages to a server", cases)


def test_what_is_no_message_is_refused(page: Page, tried: Callable[[str, int], None]) -> None:
    for value in NO_MESSAGES:
        answer = page.tells(value)
        assert answer.status == (413 if len(json.dumps(value)) > MOST_BYTES else 400)
        assert b"kind" in answer.body or answer.status == 413
        page.require_answered()
    tried("messages of pages to a server", len(NO_MESSAGES))


def test_batches_that_are_not_there_are_said_not_to_be(page: Page, tried: Callable[[str, int], None]) -> None:
    batches = [1, 3, 5, 7, 8, 1_000, 2**31 - 1, 2**31, 2**32, 2**52, 2**53]
    for batch in batches:
        for stream in (None, 0, 1):
            (told,) = page.tells({"kind": "details", "client": "c", "batch": batch, "stream": stream}).messages
            assert (told["batch"], told["held"], told["nearest"], told["reason"]) == (batch, False, None, None)
    page.require_answered()
    tried("messages of pages to a server", 3 * len(batches))


def test_a_page_that_is_not_known_is_to_load_anew(page: Page, tried: Callable[[str, int], None]) -> None:
    right, seen = page.name.decode(), []
    names = [
        "",
        "x",
        right[:-1],
        f"{right}x",
        right.upper() + "X",
        "%00",
        "%ff",
        "../x",
        "a" * 10_000,
        "%",
        "&" * 5_000,
    ]
    for query in [
        *(f"?page={name}" for name in names),
        "",
        "?",
        "?page",
        "?other=1",
        f"?PAGE={right}",
        f"?page=x&page={right}",
    ]:
        for message in MESSAGES:
            answer = page.asks(page.request(json.dumps(message).encode(), path=f"{page.base}talk{query}"))
            assert [told["kind"] for told in answer.messages] == ["reload"], query
            seen.append(query)
    page.require_answered()
    tried("requests for a page that is not known", len(seen))


# Bodies and their lengths.

RIGHT = b'{"kind": "follow", "client": "c", "seq": 1}'
BODIES = [
    b"",
    b" ",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe\x00",
    b"{",
    b"[" * 99_000,
    b'{"a":' * 19_000,
    b"9" * 99_999,
    b"-" * 99_999,
    b'"' + b"x" * 99_990,
    b'{"kind": "follow", "client": "c", "seq": 1}}',
    b'{"kind": "follow", "client": "c", "seq": 1} {}',
    b"{'kind': 'follow'}",
    b'{"kind": "follow", "client": "\xff", "seq": 1}',
    b'{"kind": "follow", "client": "c", "seq": 1e400}',
    b'{"kind": "follow", "client": "c", "seq": ' + b"1" * 5_000 + b"}",
    b'{"kind": "follow", "client": "c", "client": null, "seq": 1}',
    b"kind=follow&client=c&seq=1",
    b"--x\r\nContent-Disposition: form-data\r\n\r\n",
    b"2b\r\n" + RIGHT + b"\r\n0\r\n\r\n",
    b"\x1f\x8b\x08" + bytes(20),
    b"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>",
]


def test_bodies_that_are_none(page: Page, tried: Callable[[str, int], None]) -> None:
    random = np.random.default_rng(0)
    flipped = []
    for _ in range(300):
        body = bytearray(RIGHT)
        for _ in range(random.integers(1, 4)):
            body[random.integers(len(body))] ^= 1 << int(random.integers(8))
        flipped.append(bytes(body[: random.integers(1, len(body) + 1)] if random.integers(2) else body))
    bodies = [*BODIES, *(RIGHT[:end] for end in range(len(RIGHT))), *(random.bytes(200) for _ in range(50))]
    for body in [*bodies, *flipped]:
        answer = page.asks(page.request(body))
        if answer.status == 200:
            assert body in flipped, "it could be read"
            (told,) = answer.messages
            assert told["kind"] == "frame"
        else:
            assert answer.status == 400
            assert answer.body.strip()
            assert not indiscretion(page, answer)
        page.require_answered()
    tried("bodies that are no message", len(bodies) + len(flipped))


def test_bodies_in_other_encodings_of_json_are_read(page: Page) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"):
        (told,) = page.asks(page.request(RIGHT.decode().encode(encoding))).messages
        assert told["kind"] == "frame"


LENGTHS = [
    None,
    "",
    "-1",
    "+43",
    "43.0",
    "4e1",
    "0x2b",
    "43, 43",
    ["43", "43"],
    ["43", "1"],
    "43;",
    "many",
    "\u00b2",
    "100001",
    "1000000",
    str(2**31),
    str(2**63),
    "9" * 300,
    "9" * 5_000,
    "0" * 5_000,
    "True",
    "None",
    "٤٣".encode().decode("latin-1"),
]


@pytest.mark.parametrize("encoding", [None, "chunked"])
def test_lengths_that_are_none(page: Page, encoding: str | None, tried: Callable[[str, int], None]) -> None:
    for length in LENGTHS:
        answer = page.asks(page.request(RIGHT, Content_Length=length, Transfer_Encoding=encoding))
        assert answer.status == 413, length
        assert b"Content-Length takes a whole number of at most 100000" in answer.body
        assert not indiscretion(page, answer)
        page.require_answered()
    tried("lengths of bodies that are none", len(LENGTHS))


def test_bodies_of_another_length_than_is_said(page: Page, tried: Callable[[str, int], None]) -> None:
    lengths = [0, 1, 42, 44, 1_000, MOST_BYTES]
    for length in lengths:
        status = page.asks(page.request(RIGHT, Content_Length=str(length))).status
        assert status == (400 if length < len(RIGHT) else 200), "no more comes, and what came is whole"
        page.require_answered()
    assert page.asks(page.request(RIGHT + b"x" * 5_000_000, Content_Length="43")).status in {200, NOTHING}
    assert page.asks(page.request(b"x" * 5_000_000)).status in {413, NOTHING}
    page.require_answered()
    tried("lengths of bodies that are none", len(lengths) + 2)


# Addresses, hosts, origins, kinds of content, methods, versions.


def addresses(page: Page) -> Iterator[str]:
    token = page.server.token
    for place, letter in enumerate(token):
        yield f"/{token[:place]}{'A' if letter != 'A' else 'B'}{token[place + 1 :]}/"
        yield f"/{token[:place]}/"
        yield f"/{token[:place]}%{ord(letter):02x}{token[place + 1 :]}/"
    for other in (token.swapcase(), token[::-1], token * 2, token + "A", "A" + token, f"{token}\0", f"{token}%00"):
        yield f"/{other}/"
    for before in ("", "/.", "/x/..", "\\", "/\\", "/%2f", "/;", "/*", "*", "?", "#", "/\x01", "\x01", "/\xff"):
        yield f"{before}{page.base if before else page.base[1:]}"
    for scheme in ("http", "https", "file", "ftp", "javascript"):
        yield f"{scheme}://{page.host}{page.base}"
        yield f"{scheme}://attacker.example{page.base}"
    for after in (
        "x",
        ".",
        "..",
        "../",
        "%2e%2e/",
        "%2e%2e/%2e%2e/etc/passwd",
        "..\\..\\",
        "%00",
        "\0",
        ";",
        "/",
        "%2f",
    ):
        yield f"{page.base}{after}"
    for name in ("index.html", "run.rnnbow", "favicon.ico", "robots.txt", ".git/config", "page.js", "talk/", "TALK"):
        yield f"{page.base}{name}"
        yield f"/{name}"
    yield from (page.base[:-1], "/", "//", "/talk", "*", "?", "#", ".", "http://", "http://[", f"http://[{page.base}")
    yield from (f"{page.base}#", f"{page.base}#x?page=y", "/" * 5_000, "/" + "a" * 60_000, "/%" * 1_000)


def test_other_addresses(page: Page, tried: Callable[[str, int], None]) -> None:
    cases, wrong = 0, []
    for path in addresses(page):
        for request in (page.request(path=path), page.request(RIGHT, path=f"{path}talk?page={page.name.decode()}")):
            cases += 1
            answer = page.asks(request)
            if answer.status != 404 or answer.body or indiscretion(page, answer):
                wrong.append(f"{request!r:.100}: {answer!r:.200}")
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:40])
    page.require_answered()
    tried("requests for other addresses, of other hosts and origins", cases)


def hosts(page: Page) -> Iterator[str | list[str] | None]:
    port = page.server.server_port
    yield from (None, "", ":", f":{port}", str(port), "localhost", "127.0.0.1", "127.0.0.1:", "localhost:80")
    for name in (
        *(
            "0.0.0.0",
            "127.1",
            "127.0.0.2",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "::1",
        ),
        *("localhost.", "LOCALHOST", "localhost.attacker.example", "attacker.example", "127.0.0.1.attacker.example"),
        *("user@localhost", "localhost@attacker.example", "http://localhost", "localhost ", "localhost\t", "*", "null"),
        *("localhost\0", "\0localhost", "l\xf6calhost", "\xff" * 100, "a" * 10_000, "localhost,", "'localhost'"),
    ):
        yield f"{name}:{port}"
    for after in ("0", "/", ",", "#", "?", "@attacker.example", ".0", " x", "\0", ":1", f", {page.host}"):
        yield f"{page.host}{after}"
    yield from (f"localhost:0{port}", f"localhost:+{port}", f"localhost:{port + 1}", f"localhost:{port - 65_536}")
    yield from ([page.host, page.host], [page.host, "attacker.example"], ["attacker.example", page.host])


def origins(page: Page) -> Iterator[str | list[str]]:
    own = f"http://{page.host}"
    yield from ("", "null", "*", "http://", "about:blank", "file://", "http://attacker.example", own.upper())
    yield from (f"http://localhost:{page.server.server_port}", f"https://{page.host}", f"ws://{page.host}", page.host)
    yield from (f"{own}/", f"{own}0", f"{own}.attacker.example", f"{own} http://attacker.example", f"{own}, null")
    yield from (f"http://user@{page.host}", own[:-1], f"{own}\0", "\xff", "a" * 10_000)
    yield from ([own, own], [own, "http://attacker.example"], ["http://attacker.example", own])


def test_other_hosts_and_origins(page: Page, tried: Callable[[str, int], None]) -> None:
    cases, wrong = 0, []
    named = [{"Host": host} for host in hosts(page)] + [{"Origin": origin} for origin in origins(page)]
    for headers in named:
        for request in (page.request(**headers), page.request(RIGHT, **headers)):
            cases += 1
            answer = page.asks(request)
            if answer.status != 404 or answer.body or indiscretion(page, answer):
                wrong.append(f"{headers!r:.100}: {answer!r:.200}")
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:40])
    for host in (page.host, f"localhost:{page.server.server_port}"):
        assert page.asks(page.request(Host=host, Origin=f"http://{host}")).status == 200
        assert page.asks(page.request(RIGHT, Host=f"  {host}", Origin=f"http://{host}")).status == 200
    page.require_answered()
    tried("requests for other addresses, of other hosts and origins", cases)


KINDS = [
    None,
    "",
    "json",
    "/",
    "application",
    "application/",
    "application/jsonx",
    "application/json/x",
    "application/x-json",
    "application/json, text/plain",
    "text/json",
    "text/plain",
    "text/plain; application/json",
    "text/plain; charset=application/json",
    "multipart/form-data; boundary=application/json",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/json\0",
    "\xff",
    "a" * 10_000,
    ["application/json", "text/plain"],
    ["text/plain", "application/json"],
]


def test_other_kinds_of_content(page: Page, tried: Callable[[str, int], None]) -> None:
    """Those that a page of another origin can send unasked among them."""
    for kind in KINDS:
        answer = page.asks(page.request(RIGHT, Content_Type=kind))
        assert (answer.status, answer.body) == (404, b""), kind
        assert not indiscretion(page, answer)
    for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;x"):
        assert page.asks(page.request(RIGHT, Content_Type=kind)).status == 200
    page.require_answered()
    tried("requests with another kind of content, method or version", len(KINDS))


METHODS = [
    *("HEAD", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "get", "post", "Get", "GETT", "GE"),
    *("__class__", "GET\0", "\0", "\xff", "<script>alert(1)</script>", "A" * 60_000, "GET/", "'", '"', "%s", "{token}"),
]
VERSIONS = [
    *(" HTTP/2.0", " HTTP/2", " HTTP/3", " HTTP/1", " HTTP/1.", " HTTP/.1", " HTTP/1.1.1", " HTTP/-1.1", " HTTP/1.x"),
    *(" HTTP/99999999999.1", " HTTP/\u00b2.0", " http/1.1", " FTP/1.1", " HTTP/1.1 x", " x HTTP/1.1", " HTTP", " /"),
]


def test_other_methods_and_versions(page: Page, tried: Callable[[str, int], None]) -> None:
    cases, wrong = 0, []
    for changes in [*({"method": one} for one in METHODS), *({"version": one} for one in VERSIONS)]:
        for body in (None, RIGHT):
            cases += 1
            answer = page.asks(page.request(body, **changes))
            if answer.status not in REFUSED or indiscretion(page, answer):
                wrong.append(f"{changes!r:.100}: {answer!r:.200}")
    for method, path in (("GET", page.talk), ("POST", page.base)):
        cases += 1
        answer = page.asks(page.request(RIGHT, method=method, path=path))
        assert (answer.status, answer.body) == (404, b"")
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:40])
    for version in (" HTTP/1.0", " HTTP/1.1"):
        assert page.asks(page.request(version=version)).status == 200
    page.require_answered()
    tried("requests with another kind of content, method or version", cases)


def damaged(page: Page, request: bytes, random: np.random.Generator) -> bytes:
    found = bytearray(request)
    for _ in range(random.integers(1, 4)):
        at, size = int(random.integers(len(found))), int(random.integers(1, 40))
        match random.integers(5):
            case 0:
                found[at] ^= 1 << int(random.integers(8))
            case 1:
                found[at] = random.integers(256)
            case 2:
                del found[at + 1 :]
            case 3:
                found[at:at] = random.bytes(size)
            case _:
                del found[at : at + size]
                found = found or bytearray(b"\r\n")
    return bytes(found)


def test_bytes_that_are_no_request(page: Page, tried: Callable[[str, int], None]) -> None:
    random = np.random.default_rng(1)
    plain, posted = page.request(), page.request(RIGHT)
    cases = [
        *(
            b"",
            b"\r\n",
            b"\r\n" * 1_000,
            b"\n",
            b"\0" * 1_000,
            b" " * 70_000,
            b"GET",
            b"GET ",
            b"GET /",
            b"GET\r\n\r\n",
        ),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random.bytes(500),  # a browser that tries https
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        plain.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
        plain.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"),
        plain.replace(b"\r\n\r\n", b"\r\nno colon\r\n\r\n"),
        plain.replace(b"\r\n\r\n", b"\r\n folded\r\n\r\n"),
        plain.replace(b"Host", b" Host"),
        plain.replace(b"Host:", b"Host :"),
        plain.replace(b" HTTP/1.1", b""),
        plain.replace(b"HTTP/1.1", b"HTTP/0.9"),
        posted.replace(b" HTTP/1.1", b""),
        *(random.bytes(int(random.integers(1, 2_000))) for _ in range(100)),
        *(plain[:end] for end in range(0, len(plain), 3)),
        *(posted[:end] for end in range(0, len(posted), 3)),
        *(damaged(page, plain, random) for _ in range(300)),
        *(damaged(page, posted, random) for _ in range(300)),
    ]
    wrong = []
    for request in cases:
        answer = page.asks(request)
        if answer.status == 200:
            # It still asks for what is there, in the name of this machine, with the token.
            known = page.base.encode() in request and re.search(rb"(?i)host:\s*(127\.0\.0\.1|localhost):", request)
            if not known:
                wrong.append(f"{request!r:.200}: {answer!r:.100}")
        elif answer.status == NOTHING and b"HTTP/0.9" in request:
            continue  # which has no heads
        elif answer.status not in {*REFUSED, NOTHING} or indiscretion(page, answer):
            wrong.append(f"{request!r:.200}: {answer!r:.200}")
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong[:40])
    page.require_answered()
    tried("bytes that are no request", len(cases))


# Browsers that go, and those that keep silent.


def test_browsers_that_go_before_they_are_answered(page: Page, tried: Callable[[str, int], None]) -> None:
    linger = np.array([1, 0], "i4").tobytes()  # closing resets the connection
    requests = [page.request(), page.request(RIGHT), page.request(RIGHT)[:-10], page.request()[:20], b""]
    for request in requests * 4:
        with socket.create_connection(("127.0.0.1", page.server.server_port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sendall(request)
    page.require_answered()
    tried("browsers that go before they are answered", 4 * len(requests))


def test_who_keeps_silent_is_not_waited_for_without_end(
    page: Page, monkeypatch: pytest.MonkeyPatch, tried: Callable[[str, int], None]
) -> None:
    monkeypatch.setattr("rnnbow_widget.server._Handler.timeout", 0.2)
    requests = [b"", b"GET", page.request()[:-2], page.request(RIGHT)[:-1], page.request(RIGHT, Content_Length="99")]
    open_ones = [socket.create_connection(("127.0.0.1", page.server.server_port), WAIT_SECONDS) for _ in requests]
    for connection, request in zip(open_ones, requests, strict=True):
        connection.sendall(request)
    page.require_answered()
    for connection in open_ones:
        assert connection.recv(1) == b"", "it ends the connection"
        connection.close()
    tried("browsers that go before they are answered", len(requests))


# The file behind it.


SPOILS: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "another kind of file": lambda path: path.write_bytes(b"no run file" * 1_000),
    "its beginning overwritten": lambda path: path.write_bytes(b"\xff" * 200 + path.read_bytes()[200:]),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5_000]),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("how", SPOILS)
def test_a_file_that_cannot_be_read_any_more(
    page: Page, path: Path, how: str, tried: Callable[[str, int], None]
) -> None:
    content = path.read_bytes()
    SPOILS[how](path)
    for message in MESSAGES:
        (told,) = page.tells(message).messages
        assert told["kind"] == ANSWERS[message["kind"]]
        if told["kind"] != "details":
            assert path.name in told["status"]["message"]
            assert told["recorded"] == 4
        page.require_answered()
    other = Page(page.server)  # what was read before is in a page that is loaded now, and it says so
    traits = page.asks(page.request()).body.partition(b'id="rnnbow-traits">')[2].partition(b"</script>")[0]
    found = json.loads(traits)
    assert found["_run"]["recorded"] == 4
    assert path.name in found["_status"]["message"]
    other.require_answered()
    if path.is_dir():
        path.rmdir()
    path.write_bytes(content)
    (told,) = page.tells(MESSAGES[0]).messages
    assert (told["status"]["message"], told["recorded"]) == ("", 4)
    tried("requests while a file cannot be read", len(MESSAGES) + 2)

"""Bytes that are no request, browsers that go before they are answered, and those that keep silent."""

import re
import socket
from collections.abc import Callable

import numpy as np
import pytest
from asking import NOTHING, REFUSED, RIGHT, WAIT_SECONDS, Page, indiscretion


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

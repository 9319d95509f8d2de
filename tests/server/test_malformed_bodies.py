"""Bodies of requests that are no message, and lengths that are none."""

from collections.abc import Callable

import numpy as np
import pytest
from asking import MOST_BYTES, NOTHING, RIGHT, Page, indiscretion

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
        bits = bytearray(RIGHT)
        for _ in range(random.integers(1, 4)):
            bits[random.integers(len(bits))] ^= 1 << int(random.integers(8))
        flipped.append(bytes(bits[: random.integers(1, len(bits) + 1)] if random.integers(2) else bits))
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

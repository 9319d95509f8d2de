"""Requests for other addresses, of other hosts and origins, with other kinds of content, methods and versions.

All are refused, and who does not know the address learns nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

from asking import REFUSED, RIGHT, Page, indiscretion


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
    named: list[dict[str, Any]] = [{"Host": host} for host in hosts(page)]
    named += [{"Origin": origin} for origin in origins(page)]
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

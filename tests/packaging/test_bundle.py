"""What is in the scripts and styles that are shipped: nothing that turns text into code, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

REPOSITORY = Path(__file__).resolve().parents[2]
STATIC = REPOSITORY / "rnnbow_widget" / "static"
SOURCES = REPOSITORY / "js" / "src"
NAMESPACES = {
    "http://www.w3.org/1999/xhtml",
    "http://www.w3.org/1999/xlink",
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/2000/xmlns/",
    "http://www.w3.org/XML/1998/namespace",
}
"""They look like addresses, and nobody asks them."""

RUNS_TEXT = {
    "eval": r"\beval\b",
    "a function made of text": r"\bFunction\s*\(",
    "code loaded later": r"\bimport\s*\(",
    "a timer that is given text": r"\bset(Timeout|Interval)\s*\(\s*[\"'`]",
    "a handler in an attribute": r"(setAttribute(NS)?|attr)\s*\(\s*[\"'`]on",
    "markup written into the page": r"document\s*\.\s*write|outerHTML|insertAdjacentHTML|ContextualFragment|srcdoc",
    "markup read": r"DOMParser|setHTMLUnsafe|parseHTMLUnsafe",
    "an address that is a script": r"javascript:",
    "a worker": r"\b(Shared|Service)?Worker\b|importScripts",
}
ASKS = {
    "a request": r"XMLHttpRequest|sendBeacon|EventSource|WebSocket|WebTransport|RTCPeerConnection",
    "a picture or a script from an address": r"new\s+Image\b|createElement\(\s*[\"'`](script|iframe|img|object|embed)",
    "another page": r"window\.open\b|location\s*\.\s*(assign|replace)\b|location(\.href)?\s*=[^=]",
}
EXAMPLES = [
    "eval(x)",
    "new Function(x)",
    "await import(x)",
    "setTimeout('x()', 1)",
    'node.setAttribute("onclick", x)',
    "document.write(x)",
    "new DOMParser()",
    'a.href="javascript:x"',
    "new Worker(x)",
    "new WebSocket(x)",
    "new Image().src = x",
    'document.createElement("script")',
    "window.location.href = x",
]


def found(text: str) -> list[str]:
    """What of the above is in a script."""
    return [name for name, pattern in (RUNS_TEXT | ASKS).items() if re.search(pattern, text)]


@pytest.mark.parametrize("name", ["widget.js", "page.js"])
def test_scripts_turn_no_text_into_code_and_ask_nobody(name: str) -> None:
    script = (STATIC / name).read_text(encoding="utf-8")
    assert found(script) == []
    # A page that the command line serves asks its own server, at one place; its policy allows no other.
    assert len(re.findall(r"\bfetch\s*\(", script)) == {"widget.js": 0, "page.js": 1}[name]
    assert set(re.findall(r"https?://[^\"'`\s)]*", script)) <= NAMESPACES


@pytest.mark.parametrize("name", ["widget.css", "page.css"])
def test_styles_need_nothing_from_elsewhere(name: str) -> None:
    assert not re.findall(r"url\(|@import|https?:|expression\(", (STATIC / name).read_text(encoding="utf-8"))


def test_sources_make_no_markup_of_text() -> None:
    """D3 can, and brings the means along; nobody uses them."""
    sources = {path: path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.ts")}
    assert len(sources) > 100
    assert not [path for path, source in sources.items() if re.search(r"innerHTML|\.html\(", source)]


def test_what_must_not_be_there_would_be_found() -> None:
    told = [found(example) for example in EXAMPLES]
    assert [len(one) for one in told] == [1] * len(EXAMPLES)
    assert {name for one in told for name in one} == (RUNS_TEXT | ASKS).keys(), "of each kind"

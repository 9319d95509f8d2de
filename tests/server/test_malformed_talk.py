"""What a page says to `rnnbow view`, malformed in every field, and what it says while the file cannot be read.

Each is answered as it is meant or refused with what is wrong, and the next request that is right is answered.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from asking import ANSWERS, MESSAGES, MOST_BYTES, Page, indiscretion
from malformed import CALLED, NO_MESSAGES, VALUES, Message, is_taken, malformed


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


def _become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILS: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "another kind of file": lambda path: path.write_bytes(b"no run file" * 1_000),
    "its beginning overwritten": lambda path: path.write_bytes(b"\xff" * 200 + path.read_bytes()[200:]),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5_000]),
    "a folder": _become_a_folder,
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

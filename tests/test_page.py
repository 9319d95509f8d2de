"""A page that is one file: what it holds, how large it is, and that nothing in it is taken for markup."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unpacking import batches, detailed, expand, unpack

from rnnbow_widget import RNNbow, Run, Trainer
from rnnbow_widget.compact import compact, rounded
from rnnbow_widget.corpora import Corpus, text
from rnnbow_widget.protocol import pack_details, pack_overview
from rnnbow_widget.visible_text import visible

TEXT = "the quick brown fox jumps over the lazy dog; " * 30
HOSTILE = (
    """</script><script>alert(1)</script><!--<b a='&quot;'>&lt;]]></style><img src=x onerror=alert()>\u2028\u202e\0"""
)
PRECISION = 1 / 2048


class Page(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.elements: list[tuple[str, dict[str, str | None], str]] = []
        self.texts: list[str] = []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "meta":
            self.elements.append((tag, dict(attributes), ""))
        else:
            self.open.append((tag, dict(attributes)))
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1][0] == tag
        self.elements.append((*self.open.pop(), self.texts.pop()))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, inner) for name, attributes, inner in self.elements if name == tag]

    def data(self, name: str) -> str:
        (inner,) = [inner for attributes, inner in self.all("script") if attributes.get("id") == name]
        return inner

    @property
    def traits(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.data("rnnbow-traits"))
        return found

    @property
    def chunks(self) -> list[bytes]:
        return [chunk for part in self.data("rnnbow-chunks").split(" ") for chunk in expand(part)]


def page_of(source: RNNbow | Run, **settings: Any) -> Page:
    written = io.StringIO()
    source.to_html(written, **settings)
    return Page(written.getvalue())


def trained(recorded: int, data: str | Corpus = TEXT, **settings: Any) -> Trainer:
    trainer = Trainer(data, **{"hidden_size": 8, "horizon": 5, "record_every": 2, **settings})
    trainer.train(2 * recorded - 1)
    return trainer


@pytest.fixture(scope="module")
def run() -> Run:
    return trained(40).run


def test_500_batches_take_less_than_a_megabyte_with_every_detail(tmp_path: Path) -> None:
    run = trained(500, text(Path(__file__).read_text(encoding="utf-8")), hidden_size=100).run
    run.to_html(tmp_path / "run.html")
    assert (tmp_path / "run.html").stat().st_size < 1_000_000
    page = Page((tmp_path / "run.html").read_text(encoding="ascii"))
    assert detailed(page.chunks) == run.batches.tolist()
    assert page.traits["_info"]["page"] == {"details": 500}


def test_a_page_holds_what_the_run_holds(run: Run) -> None:
    overview, details = page_of(run).chunks
    assert overview == pack_overview(run.overview, slice(None))[0]
    header, columns = unpack(details)
    exact_header, exact = unpack(pack_details(run.details())[0])
    assert header == exact_header
    for name, column in exact.items():
        np.testing.assert_allclose(columns[name], column, rtol=PRECISION if column.dtype.kind == "f" else 0, atol=0)


def test_the_same_run_gives_the_same_page(run: Run) -> None:
    first, second = io.StringIO(), io.StringIO()
    run.to_html(first)
    run.to_html(second)
    assert first.getvalue() == second.getvalue()


def test_the_policy_allows_the_one_script_and_style_that_are_there(run: Run) -> None:
    page = page_of(run)
    (policy,) = [meta["content"] for meta, _ in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    (script,) = [inner for attributes, inner in page.all("script") if "type" not in attributes]
    ((_, style),) = page.all("style")
    for inner, rule in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == rules["trusted-types"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"


def test_nothing_in_a_page_comes_from_elsewhere(run: Run) -> None:
    for tag, attributes, _ in page_of(run).elements:
        assert not {"src", "href", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")], tag


def test_names_and_labels_are_never_markup(run: Run) -> None:
    plain = page_of(run)
    trainer = trained(3, Corpus(HOSTILE, np.arange(100, dtype=np.int32) % 3, ("</script>", "<!--", HOSTILE)))
    trainer.run.settings[HOSTILE] = HOSTILE
    page = page_of(trainer.run, title=HOSTILE)
    assert [name for name, *_ in page.elements] == [name for name, *_ in plain.elements]
    assert not page.comments
    shown = "".join(character if character == " " else visible(character) for character in HOSTILE)
    assert page.all("title")[0][1] == page.all("h1")[0][1] == shown
    assert f"{shown}={shown}" in page.all("p")[0][1]
    assert page.traits["_labels"] == list(trainer.run.vocabulary)


def test_what_does_not_fit_is_left_out_evenly_and_said(run: Run) -> None:
    whole = io.StringIO()
    run.to_html(whole)
    limit = len(whole.getvalue()) - 26_000  # so that batches that cues name would not be among those evenly spread
    written = io.StringIO()
    run.to_html(written, max_bytes=limit)
    assert 0.98 * limit < len(written.getvalue()) <= limit
    page = Page(written.getvalue())
    held = np.array(detailed(page.chunks))
    assert batches(page.chunks) == run.batches.tolist()
    assert page.traits["_info"]["page"] == {"details": len(held)}
    assert held[-1] == run.batches[-1]
    assert 1 < len(held) < len(run)
    gaps = np.diff(held)
    assert {cue.batch for cue in run.cues()} <= set(held.tolist())
    assert gaps.max() <= 2 * np.ceil(2 * len(run) / len(held))


def test_a_long_runs_overview_is_an_extract_if_need_be() -> None:
    run = trained(9_000, hidden_size=2, seq_length=2, horizon=1, record_every=1).run
    page = page_of(run, max_bytes=900_000)
    shown = batches(page.chunks)
    assert 1_000 < len(shown) < page.traits["_run"]["recorded"] == len(run)
    peak = run.column("max_gradient").argmax()
    assert run.batches[peak] in shown


def test_a_page_that_is_too_small_says_how_large_it_must_be(run: Run) -> None:
    with pytest.raises(ValueError, match=r"max_bytes takes at least (\d+),.* got 1000") as caught:
        run.to_html(io.StringIO(), max_bytes=1000)
    found = re.search(r"at least (\d+)", str(caught.value))
    assert found
    page = page_of(run, max_bytes=int(found[1]))
    assert detailed(page.chunks) == [run.batches[-1]]


@pytest.mark.parametrize("stream", [None, 2])
def test_streams_go_along_and_the_chosen_one_first(stream: int | None) -> None:
    widget = RNNbow(trained(30, batch_size=3), stream=stream)
    headers = [unpack(chunk)[0] for chunk in page_of(widget).chunks]
    found = [header["stream"] for header in headers if header["kind"] == "details"]
    assert found[0] == stream
    assert set(found) == {None, 0, 1, 2}


def test_the_first_view_is_the_widgets() -> None:
    widget = RNNbow(trained(20), measure="share", quantity="loss", overlay="accuracy", log_scale=True, form="heatmap")
    widget.select(4)
    widget.play()
    traits = page_of(widget).traits
    for name in ("measure", "quantity", "overlay", "log_scale", "form", "selected", "horizon", "record_every"):
        assert traits[name] == getattr(widget, name)
    assert traits["playing"] is False
    assert traits["_info"]["live"] is False
    assert traits["_samples"]["now"]["text"]


def test_an_empty_run_has_a_page() -> None:
    page = page_of(Trainer(TEXT).run)
    assert page.chunks == []
    assert page.traits["_run"]["recorded"] == 0


@pytest.mark.parametrize(("name", "value"), [("title", 3), ("max_bytes", 0), ("max_bytes", 1.5), ("file", 7)])
def test_bad_arguments_are_named(run: Run, name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name} takes"):
        run.to_html(**{"file": io.StringIO(), name: value})


def test_a_file_is_replaced_when_the_new_one_is_complete(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.html"
    path.write_text("before")

    def fail(self: Path, data: bytes) -> int:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fail)
        with pytest.raises(OSError, match="no space"):
            run.to_html(path)
    assert path.read_text() == "before"
    run.to_html(str(path))
    assert path.read_text().startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_can_be_written_to_what_is_open(run: Run) -> None:
    as_text, as_bytes = io.StringIO(), io.BytesIO()
    run.to_html(as_text)
    run.to_html(as_bytes)
    assert as_bytes.getvalue().decode() == as_text.getvalue()


@given(st.lists(st.floats(width=32), min_size=1))
def test_rounding_is_off_by_one_part_in_2048_at_most(values: list[float]) -> None:
    exact = np.array(values, "<f4")
    header = json.dumps({"columns": [["x", "f4", [len(values)]], ["n", "i4", [1]]]}).encode()
    header += b" " * (-len(header) % 4)
    whole = np.array([12_345_677], "<i4")
    chunk = len(header).to_bytes(4, "little") + header + exact.tobytes() + whole.tobytes()
    _, columns = unpack(rounded(chunk))
    assert columns["n"] == whole
    normal = ~np.isfinite(exact) | (exact == 0) | (np.abs(exact) >= np.finfo(np.float32).tiny)
    np.testing.assert_allclose(columns["x"][normal], exact[normal], rtol=PRECISION, atol=0)
    np.testing.assert_array_equal(np.isfinite(columns["x"]), np.isfinite(exact))
    assert not (columns["x"][np.isfinite(exact)].view("<u4") & 0x1FFF).any()


@given(st.lists(st.binary(max_size=12).map(lambda some: some + bytes(-len(some) % 4))))
def test_compact_chunks_come_back(chunks: list[bytes]) -> None:
    assert expand(compact(chunks)) == chunks


@pytest.mark.parametrize(
    ("label", "drawn"),
    [("a", "a"), ("", "∅"), (" ", "␣"), ("\x07\x7f", "␇␡"), ("\u0301", "◌\u0301"), ("\u202e", "U+202E"), ("漢", "漢")],
)
def test_labels_are_drawn_visibly(label: str, drawn: str) -> None:
    assert visible(label) == drawn

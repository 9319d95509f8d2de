"""A comparison as a page that is one file: what it holds of each side, and how large it is."""

import io
import json
import re
from typing import Any

import numpy as np
import pytest
from unpacking import batches, detailed, expand

from rnnbow_widget import Comparison, Trainer, compare
from rnnbow_widget.corpora import Corpus

TEXT = "abcde fghij " * 60
SETTINGS: dict[str, Any] = {"hidden_size": 6, "record_every": 2, "seq_length": 10}


@pytest.fixture
def both() -> Comparison:
    made = compare("tanh", "lstm", data=TEXT, **SETTINGS, quantity="loss", scale="own")
    made.train(41)
    return made


def page_of(comparison: Comparison, **settings: Any) -> tuple[dict[str, Any], list[list[bytes]], str]:
    """The traits of a page, the chunks of each of its sides, and all of it."""
    written = io.StringIO()
    comparison.to_html(written, **settings)
    page = written.getvalue()

    def data(name: str) -> str:
        found = re.search(rf'id="rnnbow-{name}">(.*?)</script>', page, re.DOTALL)
        assert found
        return found[1]

    sides = [[chunk for text in line.split(" ") for chunk in expand(text)] for line in data("chunks").split("\n")]
    return json.loads(data("traits")), sides, page


def test_it_holds_all_sides_as_they_are_shown(both: Comparison) -> None:
    both.select(20)
    traits, sides, page = page_of(both)
    assert (traits["selected"], traits["quantity"], traits["scale"], traits["playing"]) == (20, "loss", "own", False)
    assert [side["name"] for side in traits["_sides"]["sides"]] == ["tanh", "LSTM"]
    assert traits["_contrast"] == both.get_state("_contrast")["_contrast"]
    assert "<h1>RNNbow: tanh, LSTM</h1>" in page
    assert "LSTM: data=text, cell=lstm" in page
    for place, (chunks, run) in enumerate(zip(sides, both.runs.values(), strict=True)):
        side = traits[f"_side_{place}"]
        assert batches(chunks) == detailed(chunks) == run.batches.tolist()
        assert side["_run"]["recorded"] == len(run)
        assert (side["_info"]["live"], side["_info"]["page"]) == (False, {"details": len(run)})
        assert side["_status"]["file"] is None
    assert traits["_side_2"] is None


def test_names_settings_and_remarks_are_never_markup(both: Comparison) -> None:
    hostile = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>]]>\u2028"
    corpus = Corpus(hostile, np.arange(300, dtype=np.int32) % 3, ("</script>", "<!--", hostile))
    trainers = [Trainer(corpus, cell=cell, **SETTINGS) for cell in ("tanh", "gru")]
    named: dict[str, Any] = {hostile: trainers[0], f"{hostile}2": trainers[1]}
    marked = compare(**named)
    marked.train(5)
    traits, _, page = page_of(marked)
    _, _, plain = page_of(both)
    tags = re.compile(r"<[a-z!/][^ >]*", re.IGNORECASE)
    assert tags.findall(page) == tags.findall(plain)
    assert traits["_sides"]["sides"][0]["name"] == hostile
    assert traits["_side_0"]["_labels"] == list(corpus.vocabulary)
    assert page.isascii()


def test_what_does_not_fit_is_left_out_of_all_sides_alike(both: Comparison) -> None:
    _, _, whole = page_of(both)
    limit = len(whole) - 6_000
    traits, sides, page = page_of(both, max_bytes=limit, title="Small <b>")
    assert len(page) <= limit
    assert "<h1>Small &lt;b&gt;</h1>" in page
    counts = [len(detailed(chunks)) for chunks in sides]
    assert all(1 < count < len(run) for count, run in zip(counts, both.runs.values(), strict=True))
    assert [traits[f"_side_{place}"]["_info"]["page"]["details"] for place in range(2)] == counts
    with pytest.raises(ValueError, match=r"max_bytes takes at least \d+, .* got 1000"):
        page_of(both, max_bytes=1000)
    with pytest.raises(TypeError, match="title takes a str, got 3"):
        page_of(both, title=3)


def test_finished_runs_are_not_said_to_train_beside_others() -> None:
    finished = Trainer(TEXT, **SETTINGS).train(5)
    mixed = compare(finished, Trainer(TEXT, **SETTINGS, cell="gru"))
    assert mixed.get_state("_sides")["_sides"]["remarks"]
    assert page_of(mixed)[0]["_sides"]["remarks"] == []

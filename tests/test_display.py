"""What a notebook keeps of a displayed widget: a view, words, a picture; in a grader no view, which needs a kernel."""

from typing import Any

import pytest
from strategies import make_case

from rnnbow_widget import RNNbow, grading
from rnnbow_widget.attempt_view import AttemptView

VIEW = "application/vnd.jupyter.widget-view+json"


def bundle(widget: Any) -> dict[str, Any]:
    data, _ = widget._repr_mimebundle_()
    return dict(data)


def checked() -> AttemptView:
    case = make_case(steps=4)
    return RNNbow.from_arrays(case.rnn, case.inputs, case.targets, state=case.state, loss=case.forward().loss)


def test_an_attempt_has_words_a_picture_and_a_view() -> None:
    view = checked()
    data = bundle(view)
    assert data["text/plain"] == repr(view)
    assert data["image/png"].startswith("iVBOR")
    assert VIEW in data


def test_a_grader_gets_a_picture_in_the_place_of_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = RNNbow("hello world, " * 20, hidden_size=8, record_every=5)
    assert set(bundle(widget)) == {"text/plain", VIEW}
    monkeypatch.setenv(grading.VARIABLE, "autograde")
    assert set(bundle(widget)) == {"text/plain", VIEW}, "there is nothing to draw"
    widget.train(10)
    assert set(bundle(widget)) == {"text/plain", "image/png"}
    assert set(bundle(checked())) == {"text/plain", "image/png"}

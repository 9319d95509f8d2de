"""Every trait set to all that it is not, by pages and in Python: taken as it is meant, or refused by name.

Whatever is set, the state of the widget has a form in JSON, what was trained and recorded is unharmed, and the trait
holds what it held or what it may hold.
"""

import copy
from collections.abc import Callable
from typing import Any

import anywidget
import numpy as np
import pytest
import traitlets
from bad_arguments import VALUES as OBJECTS
from executors import AtOnce
from malformed import SMALL, TEXT, VALUES, Kernel, Message, require_plain

from rnnbow_widget import RNN, Comparison, RNNbow, Sweep, Trainer, compare, sweep
from rnnbow_widget.attempt_view import AttemptView

Widget = RNNbow | Comparison | Sweep

NUMBERS = ("selected", "stream")


def trained() -> Trainer:
    trainer = Trainer(TEXT, **SMALL, batch_size=2, seed=0)
    trainer.train(5)
    return trainer


def attempt() -> AttemptView:
    rnn = RNN(5, 3, seed=1, dtype="float64")
    return RNNbow.from_arrays(rnn, [0, 1, 2], [1, 2, 3], gradients={"dWhh": np.zeros((3, 3))})


WIDGETS: dict[str, Callable[[], Widget]] = {
    "a run that trains": lambda: RNNbow(trained()),
    "a finished run": lambda: RNNbow(copy.copy(trained().run)),
    "a comparison": lambda: compare(trained(), Trainer(TEXT, **SMALL, batch_size=2, cell="gru")),
    "an attempt": attempt,
    "a sweep": lambda: sweep(TEXT, {"cell": ["tanh", "gru"]}, batches=5, executor=AtOnce(), **SMALL).wait(60),
}


def own_traits(widget: Widget) -> list[str]:
    """All that is shared with pages, and all that anywidget shares and one page could harm others with."""
    others = set(anywidget.AnyWidget.class_traits(sync=True)) - {"_esm", "_css"}
    return sorted((set(widget.keys) - others) | {"_anywidget_id", "_view_module"})


def from_pages(name: str) -> bool:
    told_only = {"learning_rate", "horizon", "record_every", "playing"}
    return name == "_touring" or not (name.startswith("_") or name in told_only)


def plain_state(widget: Widget) -> Message:
    """The state, without binary chunks, for which JSON needs no form."""
    found = copy.deepcopy({name: value for name, value in widget.get_state().items() if name not in {"_esm", "_css"}})
    found.pop("layout", None)
    opened = found.get("_opened", {}).get("state") or {}
    for holder in (found, opened, *(found.get(f"_side_{side}") or {} for side in range(4))):
        if "_run" in holder:
            holder["_run"]["chunks"] = len(holder["_run"]["chunks"])
    opened.pop("layout", None)
    return found


def may_hold(widget: Widget, name: str, value: Any) -> bool:
    """Whether it is one of those that a trait takes from a page."""
    if name in NUMBERS:
        most = 2**53 if name == "selected" else 0 if isinstance(widget, AttemptView) else 1
        return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most)
    if isinstance(getattr(type(widget), name), traitlets.Bool):
        return isinstance(value, int) and value in (0, 1)
    if name == "surface":
        return value is None
    if name == "overlay" and value is None:
        return True
    return isinstance(value, str) and value in {"measure": {"norm"}, "sort_by": {"", "batch"}}.get(name, ())


@pytest.mark.parametrize("kind", WIDGETS)
def test_traits_that_pages_set(kind: str, tried: Callable[[str, int], None]) -> None:
    widget = WIDGETS[kind]()
    kernel = Kernel(widget)
    before, trained_before, wrong, cases = plain_state(widget), kernel.state(), [], 0
    for name in own_traits(widget):
        held = getattr(widget, name)
        for value in VALUES:
            cases += 1
            kernel.said.clear()
            widget._handle_msg({"content": {"data": {"method": "update", "state": {name: value}}}, "buffers": []})
            refused = [told for told in kernel.said if told["kind"] == "refused"]
            now = getattr(widget, name)
            taken = from_pages(name) and may_hold(widget, name, value)
            where = f"{name} = {value!r:.80} of {kind}"
            if taken and refused:
                wrong.append(f"{where} is refused: {refused!r:.200}")
            elif not taken and not (len(refused) == 1 and refused[0]["name"] == name and name in refused[0]["message"]):
                wrong.append(f"{where}: {kernel.said!r:.200}")
            elif not taken and not (type(now) is type(held) and now == held):
                wrong.append(f"{where} was refused, and it holds {now!r:.80}")
            require_plain(plain_state(widget))
            if taken:
                setattr(widget, name, held)
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:40])
    after = plain_state(widget)
    assert {name for name in before if repr(before[name]) != repr(after[name])} <= {"_status"}
    assert kernel.state() == trained_before
    tried(f"traits that pages set, of {kind}", cases)


@pytest.mark.parametrize("kind", WIDGETS)
def test_traits_that_are_set_in_python(kind: str, tried: Callable[[str, int], None]) -> None:
    widget = WIDGETS[kind]()
    wrong, cases = [], 0
    names = [name for name in own_traits(widget) if not name.startswith("_")]
    for name in names:
        held = getattr(widget, name)
        for value in OBJECTS:
            cases += 1
            try:
                setattr(widget, name, value)
            except (TypeError, ValueError, traitlets.TraitError) as error:
                if name not in str(error) or len(str(error)) > 1_000:
                    wrong.append(f"{name} = {value!r:.80} of {kind}: {error!s:.200}")
                elif getattr(widget, name) is not held:
                    wrong.append(f"{name} = {value!r:.80} of {kind} was refused, and taken")
            except BaseException as error:
                wrong.append(f"{name} = {value!r:.80} of {kind}: {type(error).__name__} {error!s:.200}")
            require_plain(plain_state(widget))
            if getattr(widget, name) is not held:
                setattr(widget, name, held)
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:40])
    tried(f"traits that are set in Python, of {kind}", cases)


def test_what_is_no_state_is_refused() -> None:
    kernel = Kernel(RNNbow(trained()))
    for state in (None, 5, "x", ["selected"]):
        kernel.said.clear()
        kernel.widget._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})
        assert [told["kind"] for told in kernel.said] == ["refused"]


def test_what_is_right_is_taken_beside_what_is_refused() -> None:
    kernel = Kernel(RNNbow(trained()))
    state = {"measure": "share", "selected": -1, "stream": 1, "learning_rate": 7.0, "no such trait": 1}
    kernel.widget._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})
    assert [told["name"] for told in kernel.said if told["kind"] == "refused"] == ["selected", "learning_rate"]
    assert (kernel.widget.measure, kernel.widget.selected, kernel.widget.stream) == ("share", None, 1)
    assert kernel.widget.learning_rate == kernel.trainers[0].learning_rate == 0.1

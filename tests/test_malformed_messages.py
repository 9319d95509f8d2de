"""Messages of pages with every field missing, of every other kind, and with buffers: done, or refused by name.

Whatever a page sends, what was trained and recorded is unharmed, what is answered has a form in JSON, and the next
message that is right is done.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from executors import AtOnce
from malformed import BUFFERS, CALLED, NO_MESSAGES, SMALL, STREAMS, TEXT, VALUES, Kernel, Message, is_taken, malformed

from rnnbow_widget import Comparison, RNNbow, compare, sweep


class Check:
    """Says what a widget does wrong with malformed messages."""

    def __init__(self, kernel: Kernel, answers: Mapping[str, set[str]], go_on: Callable[["Check"], None]) -> None:
        self.kernel = kernel
        self.answers = answers
        self.cases = 0
        self.wrong: list[str] = []
        self._go_on = go_on
        self._clients = 0

    def client(self) -> str:
        self._clients += 1
        return f"page {self._clients}"

    def of(self, message: Message) -> None:
        """Try a message in every form."""
        for field, one in malformed(message):
            self._try(message, field, one)
        for extra in ("extra", "__proto__", "method"):
            self._try(message, None, {**message, extra: VALUES[-1]})

    def _try(self, message: Message, field: str | None, one: Message) -> None:
        self.cases += 1
        # A request of its own each time: else it would be done already.
        if field != "client" and "client" in one:
            one = {**one, "client": self.client()}
        elif field == "client" and "seq" in one:
            one = {**one, "seq": self.cases}
        if message["kind"] == "lease":
            self.kernel.widget.playing = True
        before = self.kernel.state()
        try:
            said = self.kernel.hears(one, BUFFERS if self.cases % 2 else ())
        except BaseException as error:
            self.wrong.append(f"{field} of {one!r:.160}: {type(error).__name__}: {error!s:.160}")
            return
        if complaint := self._complaint(message, field, one, said, before):
            self.wrong.append(f"{field} of {one!r:.160}: {complaint}")
        self._go_on(self)

    def _complaint(self, message: Message, field: str | None, one: Message, said: list[Message], before: Any) -> str:
        refusals = [told for told in said if told["kind"] in {"refused", "error"} or told.get("reason")]
        if any(len(repr(told)) > 5_000 for told in refusals):
            return "the refusal is very long"
        if field is None or is_taken(message, field, one):
            kinds = {told["kind"] for told in said}
            fits = not refusals and kinds <= self.answers[message["kind"]]
            return "" if fits else f"it is right, and answered {said!r:.200}"
        if not refusals:
            return f"it is not refused: {said!r:.200}"
        names = {field, *CALLED.get(field, ()), *([one["name"]] if field == "value" else [])}
        if not any(name in (told.get("message") or told["reason"]).lower() for told in refusals for name in names):
            return f"the refusal does not name it: {refusals!r:.200}"
        return "" if self.kernel.state() == before else "something was trained, recorded or set"

    def require_nothing_wrong(self) -> None:
        assert not self.wrong, f"{len(self.wrong)} of {self.cases}:\n" + "\n".join(self.wrong[:40])


def locked(widget: RNNbow | Comparison) -> bool:
    return widget._conversation.leases.lock.locked()


def step_goes_on(check: Check) -> None:
    """What is right is done: details are given, and now and then a step is taken."""
    kernel = check.kernel
    assert isinstance(kernel.widget, RNNbow | Comparison)
    assert not locked(kernel.widget)
    if isinstance(kernel.widget, RNNbow):
        for name, value in SETTINGS.items():
            kernel.hears({"kind": "set", "name": name, "value": value})
            assert getattr(kernel.widget, name) == getattr(kernel.widget.trainer, name) == value
    if any(trainer.batch == 0 or trainer.batch > 30 for trainer in kernel.trainers):
        kernel.hears({"kind": "reset"})
        kernel.widget.train(3)
    (told,) = kernel.hears({"kind": "details", "client": "c", "batch": 0, "stream": 1, "part": None})
    assert told["held"]
    if check.cases % 10 == 0:
        trained = [trainer.batch for trainer in kernel.trainers]
        told = kernel.hears({"kind": "step", "client": check.client(), "seq": 1, "until": "batch"})[-1]
        assert (told["kind"], told["last"], kernel.widget.playing) == ("frame", True, False)
        assert [trainer.batch for trainer in kernel.trainers] == [batch + 1 for batch in trained]
        assert all(trainer.run.batches[-1] == trainer.batch - 1 for trainer in kernel.trainers)


SETTINGS = {"learning_rate": 0.1, "horizon": 2, "record_every": 2}
COMMON: list[Message] = [
    {"kind": "lease", "client": "a", "seq": 1, "ms": 20},
    {"kind": "step", "client": "a", "seq": 1, "until": "record"},
    {"kind": "play"},
    {"kind": "stop"},
    {"kind": "reset"},
    {"kind": "resync", "client": "a"},
]
SINGLE: list[Message] = [
    *COMMON,
    {"kind": "set", "name": "learning_rate", "value": 0.2},
    {"kind": "set", "name": "horizon", "value": 3},
    {"kind": "set", "name": "record_every", "value": 3},
    {"kind": "measure_horizon"},
    {"kind": "details", "client": "a", "batch": 2, "stream": None, "part": "W_ih"},
    {"kind": "code", "client": "a"},
]
ANSWERS = {
    "lease": {"frame"},
    "step": {"frame"},
    "follow": {"frame"},
    "play": set(),
    "stop": {"frame"},
    "reset": {"whole"},
    "resync": {"whole"},
    "set": set(),
    "measure_horizon": {"frame"},
    "details": {"details"},
    "code": {"code"},
}


def require_kind_is_missed(check: Check) -> None:
    """What is no object at all is refused, too."""
    for value in NO_MESSAGES:
        check.cases += 1
        (told,) = check.kernel.hears(value)
        assert told["kind"] == "error"
        assert "kind" in told["message"]


@pytest.mark.usefixtures("even_clock")
def test_messages_to_a_run_that_trains(tried: Callable[[str, int], None]) -> None:
    widget = RNNbow(TEXT, **SMALL, batch_size=STREAMS, horizon=2, learning_rate=0.1, seed=0)
    widget.train(3)
    check = Check(Kernel(widget), ANSWERS, step_goes_on)
    for message in SINGLE:
        check.of(message)
    require_kind_is_missed(check)
    tried("messages of pages to a run that trains", check.cases)
    check.require_nothing_wrong()


@pytest.mark.usefixtures("even_clock")
def test_messages_to_a_comparison(tried: Callable[[str, int], None]) -> None:
    widget = compare("tanh", "gru", data=TEXT, **SMALL, batch_size=STREAMS, seed=0)
    widget.train(3)
    check = Check(Kernel(widget), ANSWERS, step_goes_on)
    for message in [
        *COMMON,
        {"kind": "follow", "client": "a", "seq": 1},
        {"kind": "resync", "client": "a", "side": 1},
        {"kind": "details", "client": "a", "batch": 2, "stream": None, "part": None, "side": 1},
    ]:
        check.of(message)
    require_kind_is_missed(check)
    tried("messages of pages to a comparison", check.cases)
    check.require_nothing_wrong()


def test_messages_to_a_sweep(tried: Callable[[str, int], None]) -> None:
    made = sweep(TEXT, {"cell": ["tanh", "gru"]}, batches=5, executor=AtOnce(), **SMALL).wait(60)
    made.show(0)
    relayed = {
        "method": "custom",
        "content": {"kind": "details", "client": "a", "batch": 2, "stream": None, "part": None},
    }

    def goes_on(check: Check) -> None:
        if made.opened != (0,):
            check.kernel.hears({"kind": "show", "numbers": [0]})
        (told,) = check.kernel.hears({"kind": "relay", "id": made._opened_id, "data": relayed})
        assert told["data"]["content"]["held"]

    answers = {"follow": {"rows"}, "show": set(), "cancel": {"rows"}, "relay": {"relay"}}
    check = Check(Kernel(made), answers, goes_on)
    messages: list[dict[str, Any]] = [
        {"kind": "follow", "client": "a", "seq": 1},
        {"kind": "show", "numbers": [0, 1]},
        {"kind": "cancel"},
    ]
    for message in messages:
        check.of(message)
    check.of({"kind": "relay", "id": made._opened_id, "data": relayed})
    require_kind_is_missed(check)
    tried("messages of pages to a sweep", check.cases)
    check.require_nothing_wrong()

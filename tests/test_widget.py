"""The widget without a browser: its traits, its messages, its methods."""

import copy
import gc
import math
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import traitlets
from IPython.core.interactiveshell import InteractiveShell
from unpacking import batches, detailed, unpack

from rnnbow_widget import DivergedError, RNNbow, Trainer, compare, conversation, corpora, leases, none_as_null

TEXT = "abcde fghij " * 60


class Page:
    """Stands for the pages: keeps what the widget sends, and sends what a page would."""

    def __init__(self, widget: RNNbow, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        monkeypatch.setattr(
            widget, "send", lambda content, buffers=None: self.sent.append((content, list(buffers or [])))
        )

    def says(self, **message: Any) -> list[dict[str, Any]]:
        """Send a message; return what came back."""
        self.sent.clear()
        self.widget._conversation.receive(message)
        return [content for content, _ in self.sent]

    def batches(self) -> list[int]:
        return [batch for _, buffers in self.sent for batch in batches(buffers)]


def make(**settings: Any) -> RNNbow:
    return RNNbow(TEXT, **{"hidden_size": 8, "record_every": 10, **settings})


@pytest.fixture
def widget() -> RNNbow:
    return make()


@pytest.fixture
def page(widget: RNNbow, monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(widget, monkeypatch)


def state(widget: RNNbow) -> dict[str, Any]:
    return widget.get_state()


def test_it_takes_data_a_trainer_or_a_run() -> None:
    trainer = Trainer(TEXT, hidden_size=8)
    assert RNNbow(trainer).trainer is trainer
    assert RNNbow(corpora.text(TEXT), seed=3).trainer.seed == 3  # type: ignore[union-attr]
    finished = RNNbow(trainer.train(1))
    assert finished.trainer is None
    assert finished.run is trainer.run
    assert state(finished)["_info"]["live"] is False
    assert state(finished)["horizon"] == 10
    with pytest.raises(TypeError, match="seed: settings are taken only with data"):
        RNNbow(trainer, seed=1)
    for act in (finished.play, finished.step, finished.reset, lambda: finished.train(1)):
        with pytest.raises(ValueError, match="nothing to train"):
            act()
    with pytest.raises(traitlets.TraitError, match="learning_rate cannot be changed"):
        finished.learning_rate = 1.0


@pytest.mark.parametrize("display", [make, lambda: compare(tanh=Trainer(TEXT, seed=1), gru=Trainer(TEXT, cell="gru"))])
def test_a_widget_that_is_closed_is_let_go_with_its_run(display: Callable[[], Any]) -> None:
    shown = display()
    shown.train(20)
    held = weakref.ref(shown)
    shown.close()
    del shown
    gc.collect()
    assert held() is None


def test_a_new_page_gets_the_whole_run(widget: RNNbow) -> None:
    assert state(widget)["_run"] == {"epoch": 0, "next": 0, "recorded": 0, "chunks": []}
    assert state(widget)["_status"]["state"] == "ready"
    widget.train(35)
    found = state(widget)
    assert batches(found["_run"]["chunks"]) == detailed(found["_run"]["chunks"]) == [0, 10, 20, 30]
    assert found["_status"]["batch"] == 35
    assert found["_status"]["state"] == "paused"
    assert found["_status"]["perplexity"] == pytest.approx(math.exp(found["_status"]["loss"]))
    assert found["_labels"] == sorted(set(TEXT))
    assert found["_info"] == {
        "live": True,
        "seq_length": 25,
        "batch_size": 1,
        "num_layers": 1,
        "bidirectional": False,
        "hidden_size": 8,
        "cell": "tanh",
        "data_name": "text",
        "data_length": len(TEXT),
        "task": {
            "kind": "classes",
            "loss_name": "cross-entropy",
            "loss_unit": "nats",
            "inputs": None,
            "input_vocabulary": [],
            "input_entries": [],
            "output_entries": [],
            "fresh": False,
            "baseline": None,
            "baseline_name": "",
            "least": None,
            "least_name": "",
            "solved_below": None,
        },
        "surfaces": [
            {"name": name, "base": name, "layer": 0, "direction": "forward", "recorded": name == "W_hh"}
            for name in ("W_hh", "W_ih", "h", "jacobian")
        ],
        "gates": [],
        "units": 8,
        "primary": "W_hh",
    }
    assert found["_samples"]["first"]["batch"] == 0
    assert found["_samples"]["now"]["batch"] == 35
    assert len(found["_samples"]["now"]["text"]) == 240


@pytest.mark.usefixtures("even_clock")
def test_a_lease_trains_for_its_time_and_streams(page: Page) -> None:
    page.widget.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=250)
    assert len(replies) >= 3
    assert [reply["frame"] for reply in replies] == list(range(len(replies)))
    assert [reply["last"] for reply in replies] == [False] * (len(replies) - 1) + [True]
    assert all((reply["client"], reply["seq"]) == ("a", 1) for reply in replies)
    assert replies[-1]["playing"] is True
    assert replies[-1]["status"]["state"] == "training"
    assert 0 < replies[-1]["status"]["batch"] < page.widget.trainer.batch  # type: ignore[union-attr]
    assert replies[-1]["status"]["rate"] > 0
    told = page.batches()
    (reply,) = page.says(kind="stop")
    assert reply["status"]["batch"] == page.widget.trainer.batch, "what was trained after the last frame is told too"  # type: ignore[union-attr]
    assert told + page.batches() == page.widget.run.batches.tolist()
    assert page.says(kind="lease", client="a", seq=1, ms=120) == [{"kind": "done", "client": "a", "seq": 1}]
    assert page.says(kind="lease", client="b", seq=1, ms=5)[-1]["last"]


def test_the_next_lease_is_asked_for_while_the_one_before_still_trains(page: Page) -> None:
    """From another thread, as hosts deliver it; and what was trained meanwhile is told once."""
    page.widget.play()
    next_lease = threading.Thread(
        target=page.widget._conversation.receive, args=({"kind": "lease", "client": "a", "seq": 2, "ms": 60},)
    )
    send = page.widget.send

    def answer(content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        send(content, buffers)
        if content["last"] and content["seq"] == 1:
            assert page.widget._conversation.leases.lock.locked()
            next_lease.start()

    page.widget.send = answer
    page.widget._conversation.receive({"kind": "lease", "client": "a", "seq": 1, "ms": 60})
    next_lease.join()
    page.widget._conversation.receive({"kind": "stop"})
    contents = [content for content, _ in page.sent]
    assert [content["seq"] for content in contents if content["last"]] == [1, 2, 0]
    assert all(content["kind"] == "frame" for content in contents), "nobody was told to come back later"
    assert page.batches() == page.widget.run.batches.tolist()


@pytest.mark.usefixtures("even_clock")
@pytest.mark.parametrize("trouble", ["stop", "error"])
def test_what_ends_the_training_after_the_last_frame_of_a_lease_is_told(
    page: Page, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    page.widget.play()
    train = page.widget.trainer.train  # type: ignore[union-attr]

    def watched(batches: int) -> object:
        if any(content["last"] for content, _ in page.sent):
            if trouble == "error":
                raise RuntimeError("the disk is full")
            page.widget.pause()
        return train(batches)

    monkeypatch.setattr(page.widget.trainer, "train", watched)
    replies = page.says(kind="lease", client="a", seq=1, ms=100)
    last, end = [reply for reply in replies if reply["kind"] == "frame" and reply["last"]]
    assert (last["seq"], last["playing"]) == (1, True)
    assert (end["client"], end["seq"], end["playing"]) == (None, 0, False)
    assert end["status"]["state"] == {"stop": "paused", "error": "error"}[trouble]
    assert page.batches() == page.widget.run.batches.tolist()
    assert not page.widget._conversation.leases.lock.locked()


def test_a_pause_between_leases_is_told(page: Page) -> None:
    page.widget.play()
    page.says(kind="lease", client="a", seq=1, ms=50)
    page.sent.clear()
    page.widget.pause()  # by a cell, while the page waits for its next turn, or is hidden
    ((frame, _),) = page.sent
    assert (frame["kind"], frame["playing"], frame["status"]["state"]) == ("frame", False, "paused")


def test_a_lease_nobody_wants_trains_nothing(page: Page) -> None:
    replies = page.says(kind="lease", client="a", seq=1, ms=50)
    assert [(reply["last"], reply["playing"]) for reply in replies] == [(True, False)]
    assert page.widget.trainer.batch == 0  # type: ignore[union-attr]


def test_stop_ends_a_running_lease_at_once(page: Page) -> None:
    page.widget.play()
    lease = threading.Thread(
        target=page.widget._conversation.receive, args=({"kind": "lease", "client": "a", "seq": 1, "ms": 2000},)
    )
    lease.start()
    while not page.sent:
        pass
    assert page.widget._conversation.leases.lock.locked()
    page.widget._conversation.receive({"kind": "lease", "client": "b", "seq": 1, "ms": 50})
    page.widget._conversation.receive({"kind": "stop"})
    lease.join(timeout=1)
    assert not lease.is_alive()
    contents = [content for content, _ in page.sent]
    assert {"kind": "busy", "client": "b", "seq": 1} in contents
    assert contents[-1]["last"] is True
    assert contents[-1]["playing"] is False
    assert contents[-1]["status"]["state"] == "paused"


def test_stop_between_leases_says_that_training_is_paused(page: Page) -> None:
    page.widget.play()
    page.says(kind="lease", client="a", seq=1, ms=20)
    (reply,) = page.says(kind="stop")
    assert (reply["playing"], reply["status"]["state"]) == (False, "paused")


def test_the_state_is_sent_once_after_a_cell_that_trained(widget: RNNbow, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell()
    monkeypatch.setattr(conversation, "get_ipython", lambda: shell)
    sent: list[list[str]] = []
    monkeypatch.setattr(widget, "send_state", sent.append)
    for _ in range(3):
        widget.train(5)
        widget.step()
    assert sent == []
    for _ in range(2):
        shell.events.trigger("post_run_cell", None)
        assert sent == [["_run", "_status", "_samples", "_cues", "_choice"]]


def test_steps(page: Page) -> None:
    (reply,) = page.says(kind="step", client="a", seq=1, until="batch")
    assert (reply["last"], reply["status"]["batch"], page.batches()) == (True, 1, [0])
    page.says(kind="step", client="a", seq=2, until="record")
    assert page.batches() == [10]
    page.widget.step()
    page.widget.step_to_record()
    assert page.widget.run.batches.tolist() == [0, 10, 11, 20]
    assert page.says(kind="step", client="a", seq=3, until="noon")[-1]["message"].startswith(
        "ValueError: until takes one of"
    )


def test_buttons_and_methods_do_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    by_button, by_method = make(), make()
    page = Page(by_button, monkeypatch)
    for seq, until in enumerate(["batch", "record", "record"], 1):
        page.says(kind="step", client="a", seq=seq, until=until)
    page.says(kind="set", name="horizon", value=3)
    page.says(kind="step", client="a", seq=4, until="batch")
    by_method.step()
    by_method.step_to_record()
    by_method.step_to_record()
    by_method.horizon = 3
    by_method.step()
    first, second = state(by_button), state(by_method)
    assert first["_run"]["chunks"] == second["_run"]["chunks"]
    assert first["_samples"] == second["_samples"]
    page.says(kind="play")
    assert by_button.playing
    page.says(kind="reset")
    assert not by_button.playing
    assert len(by_button.run) == 0


def test_reset_starts_a_new_epoch(page: Page) -> None:
    page.says(kind="step", client="a", seq=1, until="batch")
    page.widget.selected = 0
    (reply,) = page.says(kind="reset")
    assert (reply["kind"], reply["epoch"], reply["next"]) == ("whole", 1, 0)
    assert reply["status"]["state"] == "ready"
    assert reply["samples"]["first"] == reply["samples"]["now"]
    assert page.widget.selected is None
    (reply,) = page.says(kind="step", client="a", seq=2, until="batch")
    assert (reply["epoch"], reply["frame"], page.batches()) == (1, 0, [0])


def test_resync_sends_everything(page: Page) -> None:
    page.widget.train(25)
    (reply,) = page.says(kind="resync", client="a")
    assert (reply["kind"], reply["next"], page.batches()) == (
        "whole",
        page.widget._reporter.feed.frame()[0]["frame"],
        [0, 10, 20],
    )


def test_a_page_asks_for_the_widget_as_a_line_of_python(page: Page) -> None:
    (message,) = page.says(kind="code", client="p")
    assert message == {"kind": "code", "client": "p", "line": page.widget.code()}


def test_the_tour_is_wanted_until_a_page_closes_it(widget: RNNbow) -> None:
    assert not widget.get_state("_touring")["_touring"]
    widget.tour()
    assert widget.get_state("_touring")["_touring"]
    widget.set_state({"_touring": False})
    widget.tour()
    assert widget.get_state("_touring")["_touring"]


def test_settings_change_live(page: Page) -> None:
    assert page.says(kind="set", name="learning_rate", value=0.02) == []
    page.says(kind="set", name="record_every", value=3)
    page.says(kind="set", name="horizon", value=None)
    trainer = page.widget.trainer
    assert trainer is not None
    assert (trainer.learning_rate, trainer.record_every, trainer.horizon) == (0.02, 3, None)
    assert (page.widget.learning_rate, page.widget.record_every, page.widget.horizon) == (0.02, 3, None)
    with pytest.raises(ValueError, match="record_every takes a whole number of at least 1, got 0"):
        page.widget.record_every = 0
    assert page.widget.record_every == 3


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("learning_rate", "fast", "learning_rate takes a finite number greater than 0, got 'fast'"),
        ("learning_rate", None, "learning_rate takes"),
        ("horizon", 0, "horizon takes a whole number of at least 1, got 0"),
        ("horizon", "long", "horizon takes one of 'auto'; got 'long'"),
        ("record_every", 2.5, "record_every takes a whole number, got 2.5"),
        ("seed", 3, "name takes one of learning_rate, horizon, record_every; got 'seed'"),
    ],
)
def test_refused_settings_are_answered(page: Page, name: str, value: object, message: str) -> None:
    before = dict(page.widget._settings())
    (reply,) = page.says(kind="set", name=name, value=value)
    assert (reply["kind"], reply["name"], reply["value"]) == ("refused", name, value)
    assert message in reply["message"]
    assert page.widget._settings() == before
    assert not page.widget._reporter.trouble[0]


def test_divergence_is_shown_and_keeps_the_run(page: Page) -> None:
    page.widget.train(25)
    page.widget.trainer.rnn.parameters.W_hh[:] = np.nan  # type: ignore[union-attr]
    page.widget.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=100)
    last = replies[-1]
    assert (last["last"], last["playing"]) == (True, False)
    assert last["status"]["state"] == "diverged"
    assert "not finite" in last["status"]["message"]
    assert "learning_rate" in last["status"]["hint"]
    assert page.widget.run.batches.tolist() == [0, 10, 20, 25]
    with pytest.raises(DivergedError):
        page.widget.train(1)
    page.says(kind="reset")
    assert state(page.widget)["_status"]["state"] == "ready"


def test_an_exception_in_the_kernel_is_shown(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.widget.train(5)
    monkeypatch.setattr(page.widget.trainer, "train", lambda _: 1 / 0)
    page.widget.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=100)
    assert [reply["kind"] for reply in replies] == ["frame", "error"]
    assert replies[0]["status"]["state"] == "error"
    assert replies[1]["message"] == "ZeroDivisionError: division by zero"
    assert not page.widget.playing
    assert not page.widget._conversation.leases.lock.locked()


def test_an_interrupt_stops_the_playing(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(page.widget.trainer, "train", interrupt)
    page.widget.play()
    with pytest.raises(KeyboardInterrupt):
        page.says(kind="lease", client="a", seq=1, ms=100)
    assert page.sent[-1][0]["playing"] is False
    assert page.sent[-1][0]["status"]["message"] == ""
    assert not page.widget._conversation.leases.lock.locked()


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"kind": "dance"},
        {"kind": ["lease"]},
        {"kind": "lease"},
        {"kind": "lease", "client": "a", "seq": -1, "ms": 5},
        {"kind": "lease", "client": "a", "seq": 1},
    ],
)
def test_messages_that_make_no_sense_are_reported(page: Page, message: dict[str, Any]) -> None:
    assert page.says(**message)[-1]["kind"] == "error"
    assert not page.widget._conversation.leases.lock.locked()


def test_a_message_that_is_no_object_is_reported(page: Page) -> None:
    page.widget._conversation.receive(["lease"])
    assert page.sent[-1][0]["kind"] == "error"


def test_playing_is_not_taken_up_again_by_a_page_that_comes_much_later(
    widget: RNNbow, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget.play()
    assert state(widget)["playing"] is True
    widget._conversation.receive({"kind": "lease", "client": "a", "seq": 1, "ms": 1})
    assert state(widget)["playing"] is True
    now = leases.monotonic()
    monkeypatch.setattr(leases, "monotonic", lambda: now + 60)
    assert state(widget)["playing"] is False
    widget.play()
    assert state(widget)["playing"] is True


def test_select_takes_recorded_batches(widget: RNNbow) -> None:
    widget.train(25)
    widget.select(10)
    assert widget.selected == 10
    with pytest.raises(KeyError, match="batch 11 was not recorded"):
        widget.select(11)
    assert widget.selected == 10
    widget.select(None)
    assert widget.selected is None
    with pytest.raises(traitlets.TraitError, match="measure"):
        widget.measure = "median"


def test_the_form_of_panel_3_is_a_trait_that_pages_share(widget: RNNbow) -> None:
    assert state(widget)["form"] == "auto"
    widget.set_state({"form": "heatmap"})
    assert widget.form == "heatmap"
    widget.form = "bars"
    assert state(widget)["form"] == "bars"
    assert make(form="heatmap").form == "heatmap"
    with pytest.raises(traitlets.TraitError, match="form"):
        widget.form = "pie"


def test_what_the_overview_draws_is_chosen_on_both_sides(widget: RNNbow) -> None:
    names = ("quantity", "overlay", "log_scale")
    assert {name: state(widget)[name] for name in names} == {
        "quantity": "max_gradient",
        "overlay": None,
        "log_scale": False,
    }
    widget.set_state({"quantity": "loss", "overlay": "horizon_length", "log_scale": True})
    assert (widget.quantity, widget.overlay, widget.log_scale) == ("loss", "horizon_length", True)
    widget.overlay = None
    assert state(widget)["overlay"] is None
    assert make(quantity="accuracy", overlay="loss", log_scale=True).overlay == "loss"
    for name, value in {"quantity": "perplexity", "overlay": "perplexity", "log_scale": "yes"}.items():
        with pytest.raises(traitlets.TraitError, match=f"'{name}' trait"):
            setattr(widget, name, value)
        with pytest.raises(traitlets.TraitError, match=f"'{name}' trait"):
            make(**{name: value})
    with pytest.raises(traitlets.TraitError, match="'quantity' trait"):
        widget.quantity = None


def test_pages_learn_of_cues_when_they_change(page: Page) -> None:
    assert state(page.widget)["_cues"] == []
    page.widget.trainer.clip_norm = 0.5  # type: ignore[union-attr]
    first, *_ = page.says(kind="step", client="a", seq=1, until="batch")
    assert [cue["kind"] for cue in first["cues"]] == ["first_clipped"]
    assert "cues" not in page.says(kind="step", client="a", seq=2, until="batch")[0]
    page.widget.train(200)
    assert page.sent[-1][0]["cues"][0]["kind"] == "tallest"
    assert state(page.widget)["_cues"] == page.says(kind="resync", client="a")[0]["cues"]
    assert [vars(cue) for cue in page.widget.cues] == state(page.widget)["_cues"]
    page.widget.reset()
    assert page.sent[-1][0]["cues"] == []
    page.widget.train(200)
    assert page.sent[-1][0]["cues"][0]["kind"] == "tallest", "the same as before the reset, and told again"


def test_pages_ask_for_details_also_while_something_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = make(record_every=1, memory_limit=150_000)
    page = Page(widget, monkeypatch)
    widget.train(400)
    held = widget.run.details()[3].batch
    missing = int(widget.run.batches[~widget.run.detailed][0])
    with widget._conversation.leases.lock:  # whoever trains holds it
        (reply,) = page.says(kind="details", client="a", batch=held)
        asked = {"kind": "details", "client": "a", "epoch": 0, "batch": held, "stream": None}
        assert reply == asked | {"part": None, "held": True, "nearest": None, "reason": None}
        assert detailed(page.sent[0][1]) == [held]
        (reply,) = page.says(kind="details", client="a", batch=missing)
        assert (reply["held"], detailed(page.sent[0][1])) == (True, [missing])  # worked out again
    (reply,) = page.says(kind="details", client="a", batch=10_000)
    assert (reply["held"], reply["nearest"]) == (False, None)
    thinned = copy.deepcopy(widget.run)
    widget.reset()
    (reply,) = page.says(kind="details", client="a", batch=held)
    assert (reply["epoch"], reply["held"], reply["nearest"]) == (1, False, None)
    alone = Page(RNNbow(copy.deepcopy(thinned)), monkeypatch)  # without a trainer
    (reply,) = alone.says(kind="details", client="a", batch=missing)
    assert (reply["held"], alone.sent[0][1]) == (False, [])
    assert alone.widget.run.at(reply["nearest"]).batch == reply["nearest"]
    finished = Page(RNNbow(Trainer(TEXT, hidden_size=8).train(1)), monkeypatch)
    assert finished.says(kind="details", client="a", batch=0)[0]["held"]
    for batch in (None, "x", -1):
        assert "batch takes a whole number" in page.says(kind="details", client="a", batch=batch)[-1]["message"]


def test_pages_learn_what_was_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = make(record_every=1, memory_limit=150_000)
    assert state(widget)["_status"]["details_every"] == 1
    widget.train(400)
    found = state(widget)["_status"]
    assert (found["details_every"], found["memory_limit"]) == (widget.run.thinned_to, 150_000)
    assert found["details_every"] > 1
    thinned = int(widget.run.batches[~widget.run.detailed][0])
    widget.select(thinned)
    assert widget.selected == thinned, "the overview has it"
    finished = RNNbow(widget.run)
    assert state(finished)["_status"] == found | {"state": "paused", "epoch_of_data": 0, "rate": None} | {
        name: state(finished)["_status"][name] for name in ("loss", "perplexity")
    }


def test_the_state_is_sent_again_when_pages_have_added_much_to_it(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    monkeypatch.setattr(page.widget, "send_state", lambda names: sent.append((names, len(page.sent))))
    page.widget.trainer.record_every = 1  # type: ignore[union-attr]
    page.widget.train(10)
    assert sent == []
    page.widget.trainer.train(4000)  # type: ignore[union-attr]
    page.widget.step()
    assert sent == [("_run", len(page.sent))], "after the frame that was too much"
    page.widget.step()
    assert len(sent) == 1
    page.says(kind="resync", client="a")
    assert sent[1:] == [("_run", 1)], "what was missed is missing in the pages' own copies too"


def test_messages_are_sent_in_the_order_of_their_numbers(page: Page) -> None:
    """A whole run takes its time to pack: no frame that is numbered after it may overtake it."""
    page.widget.train(100)
    page.sent.clear()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            page.widget._conversation.receive({"kind": "resync", "client": "a"})

    asking = threading.Thread(target=ask)
    asking.start()
    page.widget.train(300)
    stop.set()
    asking.join()
    numbers = [content.get("frame", content.get("next")) for content, _ in page.sent]
    assert {"whole", "frame"} == {content["kind"] for content, _ in page.sent}
    assert numbers == sorted(numbers)


def test_pages_learn_which_horizon_would_be_enough(page: Page) -> None:
    trainer = page.widget.trainer
    assert trainer is not None
    assert state(page.widget)["_choice"] == {"newest": None}
    page.widget.train(20)
    assert all("choice" not in content for content, _ in page.sent)
    (reply,) = page.says(kind="measure_horizon")
    choice = trainer.horizon_choice
    assert choice is not None
    assert (reply["kind"], reply["client"], reply["last"]) == ("frame", None, True)
    assert reply["choice"] == {
        "horizon": choice.horizon,
        "tolerance": 0.1,
        "batch": 20,
        "losses": choice.losses,
        "residual": choice.residual.tolist(),
    }
    assert state(page.widget)["_choice"] == {"newest": reply["choice"]}
    assert page.says(kind="resync", client="a")[0]["choice"] == reply["choice"]
    assert "choice" not in page.says(kind="step", client="a", seq=1, until="batch")[0]
    assert page.widget.measure_horizon() is trainer.horizon_choice
    assert page.sent[-1][0]["choice"]["batch"] == 21
    (reply,) = page.says(kind="reset")
    assert reply["choice"] is None


def test_a_choice_that_auto_makes_is_told_with_the_frame_that_it_was_made_for(page: Page) -> None:
    page.widget.horizon = "auto"
    (reply,) = page.says(kind="step", client="a", seq=1, until="batch")
    assert reply["choice"]["horizon"] == page.widget.run[-1].horizon
    page.says(kind="set", name="horizon", value=3)
    assert page.widget.horizon == 3
    page.says(kind="set", name="horizon", value="auto")
    assert page.widget.trainer.horizon == "auto"  # type: ignore[union-attr]


def test_a_horizon_that_cannot_be_measured_is_refused_with_the_reason(page: Page) -> None:
    page.widget.trainer.rnn.parameters.W_ho[:] = 0  # type: ignore[union-attr]
    (reply,) = page.says(kind="measure_horizon")
    assert (reply["kind"], reply["name"]) == ("refused", "measure_horizon")
    assert reply["message"] == "no horizon can be chosen from these windows: all gradients are 0"
    with pytest.raises(ValueError, match="all gradients are 0"):
        page.widget.measure_horizon()
    assert not page.widget._conversation.leases.lock.locked()
    assert not page.widget._reporter.trouble[0]
    with pytest.raises(ValueError, match="nothing to train"):
        RNNbow(page.widget.run).measure_horizon()


def test_training_goes_on_from_what_the_trainer_did_by_itself(page: Page) -> None:
    page.widget.trainer.train(15)  # type: ignore[union-attr]
    page.says(kind="step", client="a", seq=1, until="batch")
    assert page.batches() == [0, 10, 15]


def test_plain_text_stays_meaningful_and_short(widget: RNNbow) -> None:
    assert repr(widget) == "RNNbow(text, batch 0, untrained, 0 recorded)"
    widget.train(11)
    assert widget.trainer is not None
    loss = f"{widget.trainer.smooth_loss:.2f} nats per step"
    assert repr(widget) == f"RNNbow(text, batch 11, loss {loss}, 2 recorded)"
    assert repr(RNNbow(widget.run)).startswith("RNNbow(Run(2 recorded batches, 0 to 10;")
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == repr(widget)


def test_markup_in_the_data_stays_text() -> None:
    found = state(RNNbow("<script>alert(1)</script> & \ud800" * 20, hidden_size=4))
    assert "<" in found["_labels"]
    assert "\ufffd" in found["_labels"]


@pytest.mark.parametrize("batches_wanted", [-1, 2.5, "many"])
def test_train_takes_a_number_of_batches(widget: RNNbow, batches_wanted: object) -> None:
    with pytest.raises((TypeError, ValueError), match="batches takes a whole number"):
        widget.train(batches_wanted)  # type: ignore[arg-type]


def test_a_surface_can_be_chosen_and_is_then_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = make(record_every=1, cell="lstm", num_layers=2)
    assert widget.surface == "W_hh_l1"
    widget.train(1)
    page = Page(widget, monkeypatch)
    widget.surface = "c_l1[3]"
    widget.train(1)
    assert list(map(len, (widget.run[0].surfaces, widget.run[1].surfaces))) == [6, 9]
    page.sent.clear()
    (reply,) = page.says(kind="details", client="a", batch=1, part="c_l1[3]")
    header, columns = unpack(page.sent[-1][1][0])
    assert (reply["held"], reply["part"], header["part"]) == (True, "c_l1[3]", "c_l1[3]")
    assert header["surfaces"] == ["c_l1[3]"]
    np.testing.assert_array_equal(columns["items:c_l1[3]"][0], widget.run.surface(1, "c_l1[3]"))
    widget.surface = None
    widget.train(1)
    assert (widget.surface, len(widget.run[-1].surfaces)) == ("W_hh_l1", 6)
    with pytest.raises(traitlets.TraitError, match=r"surface takes one of W_hh.*; got 'W_hh_l2'"):
        widget.surface = "W_hh_l2"


def as_javascript_hears(value: Any) -> Any:
    """What is left after Pyodide has made undefined of None, and JSON.stringify has left that out."""
    if isinstance(value, dict):
        return {name: as_javascript_hears(part) for name, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [as_javascript_hears(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_listed(part) for name, part in value.items()}
    return [as_listed(part) for part in value] if isinstance(value, list | tuple) else value


def test_a_page_hears_null_for_none_from_a_kernel_in_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = make(horizon=None)
    usual = widget.get_state()
    assert (
        usual["selected"] is usual["horizon"] is usual["_status"]["rate"] is usual["_info"]["task"]["baseline"] is None
    )
    heard: list[Any] = []
    monkeypatch.setattr(widget, "_send", lambda message, buffers=None: heard.append(as_javascript_hears(message)))
    monkeypatch.setattr(none_as_null, "IN_BROWSER", True)
    assert as_javascript_hears(widget.get_state()) == as_listed(usual)
    widget.selected = 0
    widget.selected = None
    assert [message["state"] for message in heard] == [{"selected": 0}, {"selected": None}]
    widget.send({"kind": "details", "nearest": None})
    assert heard[-1] == {"method": "custom", "content": {"kind": "details", "nearest": None}}

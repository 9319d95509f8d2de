"""The messages between a widget and its pages, and what pages are told; without a browser."""

import copy
import gc
import math
import threading
import weakref

import pytest
from IPython.core.interactiveshell import InteractiveShell
from pages import TEXT, Page, make
from unpacking import detailed

from rnnbow_widget import RNNbow, Trainer, conversation


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(make(), monkeypatch)


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
    first, second = by_button.get_state(), by_method.get_state()
    assert first["_run"]["chunks"] == second["_run"]["chunks"]
    assert first["_samples"] == second["_samples"]
    page.says(kind="play")
    assert by_button.playing
    page.says(kind="reset")
    assert not by_button.playing
    assert len(by_button.run) == 0


def test_what_is_assigned_to_a_trainer_is_seen_in_every_widget_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(TEXT, hidden_size=4, record_every=10)
    widgets = [RNNbow(trainer), RNNbow(trainer)]
    pages = [Page(widget, monkeypatch) for widget in widgets]
    trainer.learning_rate = 0.02
    widgets[0].horizon = 3
    pages[1].says(kind="set", name="record_every", value=2)
    with pytest.raises(ValueError, match="horizon takes"):
        trainer.horizon = 0
    for widget in widgets:
        assert (widget.learning_rate, widget.horizon, widget.record_every) == (0.02, 3, 2)
    assert [page.states for page in pages] == [["learning_rate", "horizon", "record_every"]] * 2, "each is told once"
    trainer.surfaces = ["W_hh", "W_ih"]
    trainer.clip_norm = 1.0
    for page in pages:
        assert page.states[3:] == ["_info"]
        told = page.widget.get_state("_info")["_info"]["surfaces"]
        assert [one["name"] for one in told if one["recorded"]] == ["W_hh", "W_ih"]


def test_a_widget_that_is_gone_hears_of_no_setting() -> None:
    trainer = Trainer(TEXT, hidden_size=4)
    widget = RNNbow(trainer)
    gone = weakref.ref(widget)
    widget.close()
    del widget
    gc.collect()
    assert gone() is None
    trainer.learning_rate = 0.02
    trainer.surfaces = ["W_ih"]


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


def test_pages_learn_of_cues_when_they_change(page: Page) -> None:
    assert page.widget.get_state()["_cues"] == []
    page.trainer.clip_norm = 0.5
    first, *_ = page.says(kind="step", client="a", seq=1, until="batch")
    assert [cue["kind"] for cue in first["cues"]] == ["first_clipped"]
    assert "cues" not in page.says(kind="step", client="a", seq=2, until="batch")[0]
    page.widget.train(200)
    assert page.sent[-1][0]["cues"][0]["kind"] == "tallest"
    assert page.widget.get_state()["_cues"] == page.says(kind="resync", client="a")[0]["cues"]
    assert [vars(cue) for cue in page.widget.cues] == page.widget.get_state()["_cues"]
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
    assert widget.get_state()["_status"]["details_every"] == 1
    widget.train(400)
    found = widget.get_state()["_status"]
    assert (found["details_every"], found["memory_limit"]) == (widget.run.thinned_to, 150_000)
    assert found["details_every"] > 1
    thinned = int(widget.run.batches[~widget.run.detailed][0])
    widget.select(thinned)
    assert widget.selected == thinned, "the overview has it"
    finished = RNNbow(widget.run)
    assert finished.get_state()["_status"] == found | {"state": "paused", "epoch_of_data": 0, "rate": None} | {
        name: finished.get_state()["_status"][name] for name in ("loss", "perplexity")
    }


def test_the_state_is_sent_once_after_a_cell_that_trained(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell()
    monkeypatch.setattr(conversation, "get_ipython", lambda: shell)
    page.states.clear()
    for _ in range(3):
        page.widget.train(5)
        page.widget.step()
    assert page.states == []
    for _ in range(2):
        shell.events.trigger("post_run_cell", None)
        assert page.states == [["_run", "_status", "_samples", "_cues", "_choice"]]


def test_the_state_is_sent_again_when_pages_have_added_much_to_it(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.trainer.record_every = 1
    sent: list[object] = []
    monkeypatch.setattr(page.widget, "send_state", lambda names: sent.append((names, len(page.sent))))
    page.widget.train(10)
    assert sent == []
    page.widget._conversation._told_at = math.inf  # of what its trainer does by itself nothing is told
    page.trainer.train(4000)
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
    numbers = [content["frame"] if content["kind"] == "frame" else content["next"] for content, _ in page.sent]
    assert {"whole", "frame"} == {content["kind"] for content, _ in page.sent}
    assert numbers == sorted(numbers)


def test_pages_learn_which_horizon_would_be_enough(page: Page) -> None:
    trainer = page.widget.trainer
    assert trainer is not None
    assert page.widget.get_state()["_choice"] == {"newest": None}
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
    assert page.widget.get_state()["_choice"] == {"newest": reply["choice"]}
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
    assert page.trainer.horizon == "auto"


def test_a_horizon_that_cannot_be_measured_is_refused_with_the_reason(page: Page) -> None:
    page.trainer.rnn.parameters.W_ho[:] = 0
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
    page.trainer.train(15)
    told = page.batches()
    page.says(kind="step", client="a", seq=1, until="batch")
    assert told + page.batches() == [0, 10, 15]

"""The widget without a browser: what it takes, its traits, and what it says of itself."""

import gc
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import traitlets
from pages import TEXT, Page, make
from unpacking import batches, detailed, unpack

from rnnbow_widget import RNNbow, Trainer, compare, corpora, none_as_null, tasks


@pytest.fixture
def widget() -> RNNbow:
    return make()


def test_it_takes_data_a_trainer_or_a_run() -> None:
    trainer = Trainer(TEXT, hidden_size=8)
    assert RNNbow(trainer).trainer is trainer
    made = RNNbow(corpora.text(TEXT), seed=3).trainer
    assert made is not None
    assert made.seed == 3
    finished = RNNbow(trainer.train(1))
    assert finished.trainer is None
    assert finished.run is trainer.run
    assert finished.get_state()["_info"]["live"] is False
    assert finished.get_state()["horizon"] == 10
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
    assert widget.get_state()["_run"] == {"epoch": 0, "next": 0, "recorded": 0, "chunks": []}
    assert widget.get_state()["_status"]["state"] == "ready"
    widget.train(35)
    found = widget.get_state()
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


def test_a_squared_error_has_no_perplexity() -> None:
    widget = RNNbow(tasks.Adding(12), hidden_size=4)
    widget.train(2)
    status = widget.get_state()["_status"]
    assert widget.trainer is not None
    assert status["loss"] == pytest.approx(widget.trainer.smooth_loss)
    assert status["perplexity"] is None


def test_the_tour_is_wanted_until_a_page_closes_it(widget: RNNbow) -> None:
    assert not widget.get_state("_touring")["_touring"]
    widget.tour()
    assert widget.get_state("_touring")["_touring"]
    widget.set_state({"_touring": False})
    widget.tour()
    assert widget.get_state("_touring")["_touring"]


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
    assert widget.get_state()["form"] == "auto"
    widget.set_state({"form": "heatmap"})
    assert widget.form == "heatmap"
    widget.form = "bars"
    assert widget.get_state()["form"] == "bars"
    assert make(form="heatmap").form == "heatmap"
    with pytest.raises(traitlets.TraitError, match="form"):
        widget.form = "pie"


def test_what_the_overview_draws_is_chosen_on_both_sides(widget: RNNbow) -> None:
    names = ("quantity", "overlay", "log_scale")
    assert {name: widget.get_state()[name] for name in names} == {
        "quantity": "max_gradient",
        "overlay": None,
        "log_scale": False,
    }
    widget.set_state({"quantity": "loss", "overlay": "horizon_length", "log_scale": True})
    assert (widget.quantity, widget.overlay, widget.log_scale) == ("loss", "horizon_length", True)
    widget.overlay = None
    assert widget.get_state()["overlay"] is None
    assert make(quantity="accuracy", overlay="loss", log_scale=True).overlay == "loss"
    for name, value in {"quantity": "perplexity", "overlay": "perplexity", "log_scale": "yes"}.items():
        with pytest.raises(traitlets.TraitError, match=f"'{name}' trait"):
            setattr(widget, name, value)
        with pytest.raises(traitlets.TraitError, match=f"'{name}' trait"):
            make(**{name: value})
    with pytest.raises(traitlets.TraitError, match="'quantity' trait"):
        widget.quantity = None


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
    found = RNNbow("<script>alert(1)</script> & \ud800" * 20, hidden_size=4).get_state()
    assert "<" in found["_labels"]
    assert "\ufffd" in found["_labels"]


@pytest.mark.parametrize("batches_wanted", [-1, 2.5, "many"])
def test_train_takes_a_number_of_batches(widget: RNNbow, batches_wanted: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="batches takes a whole number"):
        widget.train(batches_wanted)


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

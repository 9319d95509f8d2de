"""The comparison without a browser: what it takes, its traits, its messages, its methods."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import traitlets
from pages import TEXT, Page
from unpacking import batches, detailed

from rnnbow_widget import Comparison, DivergedError, RNNbow, Trainer, compare, corpora

SETTINGS: dict[str, Any] = {"hidden_size": 6, "record_every": 5, "seq_length": 10}


def make(*cells: str, **settings: Any) -> Comparison:
    return compare(*(cells or ("tanh", "lstm")), data=TEXT, **{**SETTINGS, **settings})


class SidesPage(Page):
    """Stands for the pages of a comparison."""

    widget: Comparison

    def told(self) -> list[list[int]]:
        """Recorded batches that frames told, of each side."""
        found: list[list[int]] = [[] for _ in self.widget.sides]
        for content, chunks in self.sent:
            if content["kind"] != "frame":
                continue
            first = 0
            for side, count in enumerate(content["chunks"]):
                found[side] += batches(chunks[first : first + count])
                first += count
            assert first == len(chunks)
        return found


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> SidesPage:
    return SidesPage(make("tanh", "lstm", "gru"), monkeypatch)


def trained(**settings: Any) -> Trainer:
    trainer = Trainer(TEXT, **{**SETTINGS, **settings})
    trainer.train(11)
    return trainer


def test_it_takes_trainers_runs_widgets_and_what_trainers_are_made_from() -> None:
    trainer, other = trained(), trained(cell="lstm")
    assert list(compare(trainer, other).runs) == ["tanh", "LSTM"]
    mixed = compare(trainer.run, RNNbow(other))
    assert list(mixed.trainers) == ["LSTM"]
    assert mixed.trainers["LSTM"] is other
    named = compare(trainer, large=trained(hidden_size=9))
    assert list(named.runs) == ["6 units", "large"]
    made = compare({"forget_bias": 0}, strong={"forget_bias": 3.0}, data=TEXT, cell="lstm", **SETTINGS)
    assert list(made.runs) == ["forget bias 0", "strong"]
    assert [t.horizon for t in made.trainers.values()] == [None, None], "the whole window, so that none is cut"
    assert [t.rnn.forget_bias for t in made.trainers.values()] == [0, 3]
    assert len({id(t.data) for t in made.trainers.values()}) == 1
    assert make(horizon=4).trainers["tanh"].horizon == 4


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ([{"seed": 0}, {"seed": 1}], ["seed 0", "seed 1"]),
        ([{}, {}], ["A", "B"]),
        ([{"num_layers": 1}, {"num_layers": 2}], ["1 layer", "2 layers"]),
        ([{"bidirectional": True}, {}], ["both directions", "one direction"]),
        (
            [{"cell": "lstm"}, {"cell": "lstm", "hidden_size": 9}, {}],
            ["LSTM, 6 units", "LSTM, 9 units", "tanh, 6 units"],
        ),
        ([{"cell": "gru"}, {}, {"cell": "gru"}], ["GRU A", "tanh", "GRU C"]),
        ([{"learning_rate": 0.1}, {"learning_rate": 0.02}], ["learning rate 0.1", "learning rate 0.02"]),
        ([{"horizon": 3}, {"horizon": 5}], ["horizon 3", "horizon 5"]),
    ],
)
def test_sides_are_named_by_what_differs(settings: list[dict[str, Any]], names: list[str]) -> None:
    assert list(compare(*settings, data=TEXT, **SETTINGS).runs) == names


def test_what_cannot_be_compared_is_refused_with_the_reason() -> None:
    trainer, other = trained(), trained(cell="gru")
    for sources in ([trainer], [trainer, other, trained(), trained(), trained()]):
        with pytest.raises(ValueError, match=f"2 to 4 trainers, runs or widgets; got {len(sources)}"):
            compare(*sources)
    with pytest.raises(ValueError, match="the first and the third are the same"):
        compare(trainer, other, RNNbow(trainer))
    with pytest.raises(ValueError, match="the first and the second are the same"):
        compare(trainer, trainer.run)
    with pytest.raises(ValueError, match="seq_length differs: 10 and 12"):
        compare(trainer, trained(seq_length=12))
    with pytest.raises(ValueError, match="batch_size differs: 1 and 2"):
        compare(trainer, trained(batch_size=2))
    with pytest.raises(ValueError, match="on the same data; the first and the second have"):
        compare(trainer, Trainer("xyz " * 90, **SETTINGS))
    with pytest.raises(ValueError, match="on the same data; got 'text' and 'text', with different content"):
        compare(trainer, Trainer(TEXT[::-1], **SETTINGS))
    assert compare(trainer, Trainer(corpora.text(TEXT), **SETTINGS)), "the same text again is the same data"
    with pytest.raises(TypeError, match="got int"):
        compare(trainer, cast(Any, 3))
    with pytest.raises(TypeError, match="got str; with data=…, a cell's name makes a trainer"):
        compare(trainer, "lstm")
    with pytest.raises(TypeError, match="seed: compare takes settings only with data"):
        compare(trainer, other, seed=1)
    with pytest.raises(
        TypeError, match="with data, compare takes names of cells or mappings of settings; got a Trainer"
    ):
        compare(trainer, "lstm", data=TEXT)
    with pytest.raises(ValueError, match="'LSTM' is what another side is called already"):
        compare(trained(cell="lstm"), LSTM=trained())
    with pytest.raises(ValueError, match="cell takes one of"):
        make("tanh", "elm")
    with pytest.raises(traitlets.TraitError, match="scale"):
        make(scale="both")


def test_pages_get_all_sides(page: SidesPage) -> None:
    comparison = page.widget
    comparison.train(11)
    found = comparison.get_state()
    assert [side["name"] for side in found["_sides"]["sides"]] == ["tanh", "LSTM", "GRU"]
    assert found["_sides"]["sides"][1]["settings"] == "cell lstm"
    assert found["_sides"]["sides"][1]["weights"] == comparison.trainers["LSTM"].rnn.parameters.vector.size
    assert found["_side_3"] is None
    for index, trainer in enumerate(comparison.trainers.values()):
        side = found[f"_side_{index}"]
        assert batches(side["_run"]["chunks"]) == detailed(side["_run"]["chunks"]) == [0, 5, 10]
        assert side["_status"]["batch"] == 11
        assert side["_info"] == RNNbow(trainer).get_state()["_info"]
        assert set(side) >= {"_labels", "_samples", "_cues", "_choice", "learning_rate", "horizon", "record_every"}
    assert found["_contrast"] == {"sentence": comparison.sentence()}


def test_remarks_say_what_people_should_know() -> None:
    seeds = compare({"seed": 0}, {"seed": 1}, data=TEXT, **SETTINGS).get_state()["_sides"]["remarks"]
    assert seeds == ["Seeds differ (0, 1): some of what differs is chance."]
    mixed = compare(trained().run, trained(cell="lstm", record_every=2)).get_state()["_sides"]["remarks"]
    assert [remark.split()[0] for remark in mixed] == ["Recording", "Finished"]


@pytest.mark.usefixtures("even_clock")
def test_a_lease_trains_all_and_every_frame_is_of_one_batch(page: SidesPage) -> None:
    comparison = page.widget
    comparison.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=250)
    assert len(replies) >= 3
    for reply in replies:
        assert len({side["status"]["batch"] for side in reply["sides"]}) == 1
        assert len({side["frame"] for side in reply["sides"]}) == 1
    assert [reply["last"] for reply in replies] == [False] * (len(replies) - 1) + [True]
    assert replies[-1]["sides"][0]["status"]["batch"] > 0
    told = page.told()
    (reply,) = page.says(kind="stop")
    contrasts = [frame["contrast"] for frame in [*replies, reply] if "contrast" in frame]
    assert contrasts[-1] == {"sentence": comparison.sentence()}
    told = [before + after for before, after in zip(told, page.told(), strict=True)]
    assert told == [run.batches.tolist() for run in comparison.runs.values()]
    assert len({trainer.batch for trainer in comparison.trainers.values()}) == 1
    assert reply["sides"][2]["status"]["state"] == "paused"
    assert page.says(kind="lease", client="a", seq=1, ms=20) == [{"kind": "done", "client": "a", "seq": 1}]


def test_steps_resets_and_details_by_side(page: SidesPage) -> None:
    comparison = page.widget
    page.says(kind="step", client="a", seq=1, until="batch")
    assert page.told() == [[0], [0], [0]]
    page.says(kind="step", client="a", seq=2, until="record")
    assert page.told() == [[5], [5], [5]]
    (reply,) = page.says(kind="details", client="a", side=2, batch=5, stream=None, part=None)
    assert (reply["side"], reply["held"], detailed(page.sent[0][1])) == (2, True, [5])
    (reply,) = page.says(kind="resync", client="a", side=1)
    assert (reply["kind"], reply["side"], reply["recorded"]) == ("whole", 1, 2)
    assert page.states[-2:] == ["_side_1", "_contrast"]  # what differs may have been in the frame that was missed
    comparison.selected = 5
    replies = page.says(kind="reset")
    assert [(reply["kind"], reply["side"], reply["epoch"]) for reply in replies] == [("whole", i, 1) for i in range(3)]
    assert comparison.selected is None
    assert [len(run) for run in comparison.runs.values()] == [0, 0, 0]
    for message in ({"kind": "details", "side": 3, "batch": 0}, {"kind": "set", "name": "horizon", "value": 2}):
        assert page.says(client="a", **message)[-1]["kind"] == "error"


@pytest.mark.usefixtures("even_clock")
def test_one_that_diverges_says_so_and_the_others_play_on(page: SidesPage) -> None:
    comparison = page.widget
    comparison.train(5)
    comparison.trainers["LSTM"].rnn.parameters.W_hh[:] = np.nan
    comparison.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=150)
    last = replies[-1]
    assert (last["last"], last["playing"]) == (True, True)
    states = [side["status"]["state"] for side in last["sides"]]
    assert states == ["training", "diverged", "training"]
    stays = last["sides"][1]["status"]
    assert stays["batch"] == 5
    assert "not finite" in stays["message"]
    assert "learning_rate" in stays["hint"]
    assert last["sides"][0]["status"]["batch"] == last["sides"][2]["status"]["batch"] > 5
    assert comparison.sentence().startswith("LSTM diverged at batch 5 and stays there.")
    for name in ("tanh", "GRU"):
        comparison.trainers[name].rnn.parameters.W_hh[:] = np.nan
    last = page.says(kind="lease", client="a", seq=2, ms=150)[-1]
    assert (last["playing"], [side["status"]["state"] for side in last["sides"]]) == (False, ["diverged"] * 3)
    with pytest.raises(DivergedError):
        comparison.train(1)
    page.says(kind="reset")
    comparison.train(1)
    assert {trainer.batch for trainer in comparison.trainers.values()} == {1}
    assert not any(side["status"]["message"] for side in page.sent[-1][0]["sides"])


def test_an_exception_stops_all_and_is_shown(page: SidesPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page.widget.trainers["GRU"], "train", lambda _: 1 / 0)
    page.widget.play()
    replies = page.says(kind="lease", client="a", seq=1, ms=100)
    assert [reply["kind"] for reply in replies] == ["frame", "error"]
    assert not page.widget.playing
    assert not page.widget._conversation.leases.lock.locked()


def test_finished_runs_stay_while_others_train(monkeypatch: pytest.MonkeyPatch) -> None:
    finished = trained().run
    page = SidesPage(compare(finished, live=trained(cell="lstm")), monkeypatch)
    page.widget.play()
    last = page.says(kind="lease", client="a", seq=1, ms=60)[-1]
    assert [side["status"]["state"] for side in last["sides"]] == ["paused", "training"]
    assert len(finished) == 3
    page.says(kind="reset")
    assert (len(finished), len(page.widget.runs["live"])) == (3, 0)
    still = compare(trained().run, trained(cell="lstm").run)
    with pytest.raises(ValueError, match="nothing to train"):
        still.train(1)
    assert still.sentence() == ""


def test_the_sentence_is_of_the_selected_batch(page: SidesPage) -> None:
    comparison = page.widget
    comparison.train(150)
    comparison.select(80)
    assert page.states[-1] == "_contrast"
    assert comparison.get_state()["_contrast"]["sentence"] == comparison.sentence(80)
    assert comparison.sentence(80).startswith("At batch 80 ")
    assert comparison.sentence().startswith("At batch 145 ")
    with pytest.raises(KeyError, match="batch 81 was not recorded by any side"):
        comparison.select(81)
    found, losses = comparison.column("loss")
    assert (found.tolist(), losses.shape) == (list(range(0, 150, 5)), (3, 30))
    assert np.array_equal(losses[1], comparison.runs["LSTM"].column("loss"))
    assert np.array_equal(comparison.contrast(80).loss, losses[:, 6:17])
    with pytest.raises(ValueError, match="name takes one of"):
        comparison.column("losses")


def test_streams_are_chosen_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = make(batch_size=3)
    comparison.train(6)
    comparison.stream = 2
    for index in range(2):
        assert detailed(comparison.get_state()[f"_side_{index}"]["_run"]["chunks"]) == [0, 5]
    with pytest.raises(traitlets.TraitError, match="0 to 2"):
        comparison.stream = 3


def test_plain_text_stays_meaningful(page: SidesPage) -> None:
    page.widget.train(6)
    assert repr(page.widget) == "Comparison(tanh: 2 recorded, LSTM: 2 recorded, GRU: 2 recorded)"


def test_run_files_are_opened_and_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{name}.rnnbow" for name in "ab"]
    first, second = (
        Trainer(TEXT, **SETTINGS, cell=cell, save=path) for cell, path in zip(("tanh", "lstm"), paths, strict=True)
    )
    first.train(11)
    second.train(6)
    page = SidesPage(compare(str(paths[0]), paths[1]), monkeypatch)
    assert list(page.widget.runs) == ["tanh", "LSTM"]
    (told,) = page.says(kind="follow", client="a", seq=1)
    assert [side["status"]["file"]["follows"] for side in told["sides"]] == [True, True]
    assert page.told() == [[], []], "pages have loaded what was there"
    second.train(10)
    (told,) = page.says(kind="follow", client="a", seq=2)
    assert (told["client"], told["seq"], told["last"], told["playing"]) == ("a", 2, True, False)
    assert page.told() == [[], [10, 15]]
    named = compare(small=paths[0], large=str(paths[1]), quantity="loss")
    assert list(named.runs) == ["small", "large"]
    assert named.quantity == "loss"
    with pytest.raises(FileNotFoundError):
        compare(tmp_path / "no.rnnbow", paths[0])


def test_a_followed_run_beside_one_that_trains_is_followed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.rnnbow"
    elsewhere = Trainer(TEXT, **SETTINGS, save=path)
    elsewhere.train(1)
    page = SidesPage(compare(path, trained(cell="lstm")), monkeypatch)
    elsewhere.train(20)
    page.widget.play()
    page.says(kind="lease", client="a", seq=1, ms=100)
    assert page.told()[0][-1] == 20


def test_a_file_that_holds_another_run_by_now_shows_it_if_it_can_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.rnnbow"
    Trainer(TEXT, **SETTINGS, save=path).train(11)
    page = SidesPage(compare(path, trained(cell="lstm").run), monkeypatch)
    other = Trainer(TEXT, **{**SETTINGS, "hidden_size": 7}, save=path, overwrite=True)
    other.train(6)
    whole, frame = page.says(kind="follow", client="a", seq=1)
    assert (whole["kind"], whole["side"], whole["recorded"], whole["epoch"]) == ("whole", 0, 2, 1)
    assert frame["sides"][0]["status"]["message"] == ""
    Trainer(TEXT, **{**SETTINGS, "seq_length": 12}, save=path, overwrite=True).train(6)
    _, frame = page.says(kind="follow", client="a", seq=2)
    said = frame["sides"][0]["status"]["message"]
    assert said.startswith("The file holds another run by now: compare takes runs over the same windows")
    path.write_bytes(b"not a run file any more")
    (frame,) = page.says(kind="follow", client="a", seq=3)
    assert "is not a run file" in frame["sides"][0]["status"]["message"]


def test_how_sides_differ_is_told_when_a_setting_changes(page: SidesPage) -> None:
    described = page.widget.get_state("_sides")["_sides"]
    assert [side["settings"] for side in described["sides"]] == ["cell tanh", "cell lstm", "cell gru"]
    page.widget.trainers["LSTM"].learning_rate = 0.02
    page.widget.trainers["GRU"].record_every = 2
    assert page.states == ["_sides", "_sides"]
    described = page.widget.get_state("_sides")["_sides"]
    assert [side["settings"] for side in described["sides"]] == [
        "cell tanh, learning rate 0.1, record every 5",
        "cell lstm, learning rate 0.02, record every 5",
        "cell gru, learning rate 0.1, record every 2",
    ]
    assert described["remarks"] == ["Recording intervals differ: of each side the nearest recorded batch is shown."]

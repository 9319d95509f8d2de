"""Batches that are worked out again: to the last bit what was trained, and never in the way of the training."""

import copy
import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from unpacking import unpack

from rnnbow_widget import Trainer, parts
from rnnbow_widget.checkpoints import Changeable, Checkpoint, Checkpoints
from rnnbow_widget.elman import TanhCell
from rnnbow_widget.feed import Feed
from rnnbow_widget.gradients import bptt
from rnnbow_widget.recall import ReplayError, ThinnedError
from rnnbow_widget.surfaces import Surfaces

TEXT = "the cat sat on the mat. What is it, 12345? " * 12
ARRANGEMENTS: list[dict[str, Any]] = [
    {},
    {"cell": "lstm", "optimizer": "adam", "batch_size": 3, "dtype": np.float64},
    {"cell": "gru", "num_layers": 2, "bidirectional": True, "optimizer": "sgd"},
    {"cell": "relu", "init": "identity", "num_layers": 2, "clip_norm": 0.5},
]


def make(**settings: Any) -> Trainer:
    return Trainer(TEXT, **{"hidden_size": 10, "record_every": 7, "seq_length": 10, "horizon": 6, **settings})


@pytest.mark.parametrize("settings", ARRANGEMENTS)
def test_a_batch_is_worked_out_again_bit_for_bit(settings: dict[str, Any]) -> None:
    trainer = make(**settings)
    weights = {}
    for batches, change in ((90, {}), (61, {"learning_rate": 0.03}), (50, {"clip_value": 0.2, "clip_norm": 0.7})):
        for name, value in change.items():
            setattr(trainer, name, value)
        for _ in range(batches):
            weights[trainer.batch] = trainer.rnn.parameters.vector.copy()
            trainer.train(1)
    after = trainer.rnn.parameters.vector.copy()
    for batch in (196, 0, 7, 98, 154, 105, 91, 200):  # there and back, recorded and not
        replay = trainer.replay(batch)
        np.testing.assert_array_equal(replay.rnn.parameters.vector, weights[batch])
        np.testing.assert_array_equal(
            replay.gradients.parameters.vector, bptt(replay.rnn, replay.forward).parameters.vector
        )
        if batch in trainer.run.batches:
            recorded = trainer.run.at(batch)
            assert trainer.run.recall is not None
            again = trainer.run.recall.snapshot(batch)
            for one, other in zip((recorded, *recorded.streams), (again, *again.streams), strict=True):
                np.testing.assert_array_equal(one.loss, other.loss)
                assert (one.grad_norm, one.update_norm) == (other.grad_norm, other.update_norm)
                assert list(one.surfaces) == list(other.surfaces)
                for key, items in one.surfaces.items():
                    np.testing.assert_array_equal(items, other.surfaces[key])
    np.testing.assert_array_equal(trainer.rnn.parameters.vector, after)
    assert trainer.batch == 201


def test_what_was_thinned_is_worked_out_again() -> None:
    kept, trainer = make(), make(memory_limit=160_000)
    kept.train(1500)
    trainer.train(1500)
    assert trainer.run.thinned_to > 1
    assert trainer.run.nbytes <= 160_000
    assert 0 < trainer.run.beside <= 20_000
    for index in np.flatnonzero(~trainer.run.detailed)[::9]:
        batch = int(trainer.run.batches[index])
        for name, surface in trainer.run.at(batch).surfaces.items():
            np.testing.assert_array_equal(surface, kept.run.at(batch).surfaces[name])
    alone = copy.deepcopy(trainer.run)
    with pytest.raises(ThinnedError):
        alone.at(batch)
    with pytest.raises(ReplayError, match="'h' of batch 0 is not held, and there is no trainer that could"):
        alone.surface(0, "h")


@pytest.mark.parametrize("settings", ARRANGEMENTS)
def test_any_surface_of_any_batch_can_be_asked_for(settings: dict[str, Any]) -> None:
    trainer = make(**settings)
    trainer.train(100)
    every = make(**settings, surfaces=[one.name for one in Surfaces.of(trainer.rnn).all if one.base != "jacobian"])
    every.train(100)
    for name in every.surfaces:
        for measure in ("norm", "mean_abs", "share"):
            found, expected = (one.run.surface(49, name, measure) for one in (trainer, every))
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
        asked, recorded = (one.run.with_surface(49, name) for one in (trainer, every))
        assert asked.first_lags.get(name, 0) == recorded.first_lags.get(name, 0)
        for one, other in zip(asked.streams, recorded.streams, strict=True):
            for key, items in other.surfaces.items():
                np.testing.assert_allclose(one.surfaces[key], items, rtol=1e-5, atol=1e-7)
    with pytest.raises(KeyError, match="batch 50 was not recorded"):
        trainer.run.surface(50, "h")
    with pytest.raises(ValueError, match=r"surface takes one of W_hh, W_ih, h.*got 'W_xx'"):
        trainer.run.surface(49, "W_xx")
    with pytest.raises(ValueError, match="measure takes one of 'norm', 'mean_abs', 'share'; got 'size'"):
        trainer.run.surface(49, "h", "size")
    with pytest.raises(ValueError, match="batch takes one that was trained, before 100; got 100"):
        trainer.replay(100)


def test_a_network_that_was_changed_is_not_taken_for_what_was_recorded() -> None:
    trainer = make()
    trainer.train(40)
    trainer.rnn.parameters.vector[:] *= 0.9
    trainer.train(20)
    trainer.replay(35)
    with pytest.raises(ReplayError, match=r"batch 56 cannot be worked out again: trained again, its loss is"):
        trainer.replay(56)
    trainer.replay(28)  # before the change


def test_a_batch_that_diverged_can_be_looked_at() -> None:
    trainer = make(learning_rate=1e30, optimizer="sgd", clip_value=None, init="uniform")
    with pytest.raises(ArithmeticError):
        trainer.train(100)
    batch = trainer.run[-1].batch
    assert trainer.run[-1].diverged
    assert trainer.replay(batch).snapshot.diverged
    assert trainer.run.surface(batch, "h").shape == (10, 6)


def test_reset_forgets_what_was_before() -> None:
    trainer = make()
    trainer.train(100)
    before = trainer.replay(98)
    trainer.learning_rate = 0.01
    trainer.reset()
    assert trainer.run.beside == 0
    trainer.train(99)
    assert trainer.replay(98).snapshot.loss.tolist() == trainer.run.at(98).loss.tolist()
    assert trainer.replay(98).snapshot.loss.tolist() != before.snapshot.loss.tolist()


def test_no_room_and_no_time_are_reasons() -> None:
    trainer = make(memory_limit=20_000)
    trainer.train(10)
    with pytest.raises(ReplayError, match="within memory_limit=20000 bytes there is no room for a copy"):
        trainer.replay(7)
    trainer = make(memory_limit=100_000)
    trainer.train(3000)
    batch = int(trainer.run.batches[~trainer.run.detailed][-1])
    with pytest.raises(ReplayError, match=r"is not worked out again yet: after 0 s, \d+ batches before it are left"):
        trainer.run.at(batch, 0)
    assert trainer.run.at(batch).batch == batch


def test_replays_while_training_goes_on_disturb_nothing() -> None:
    trainer, plain = make(memory_limit=300_000), make(memory_limit=300_000)
    failures: list[BaseException] = []
    asked: list[int] = []
    finished = threading.Event()
    trainer.train(50)

    def ask() -> None:
        generator = np.random.default_rng(0)
        try:
            while not finished.is_set():
                batch = int(generator.choice(trainer.run.batches))
                assert trainer.run.surface(batch, "h").shape == (10, 6)
                assert trainer.run.at(batch).batch == batch
                asked.append(batch)
        except BaseException as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    trainer.train(1500)
    finished.set()
    asking.join()
    assert not failures
    assert len(asked) > 3
    plain.train(1550)
    np.testing.assert_array_equal(trainer.rnn.parameters.vector, plain.rnn.parameters.vector)


def test_checkpoints_are_thinned_evenly_within_their_limit() -> None:
    found = Checkpoints()
    settings = Changeable(0.1, None, None)
    found.change(0, settings)
    for batch in range(10_000):
        if found.is_due(batch):
            found.add(Checkpoint(batch, np.zeros(250, np.float32), (), np.zeros(0)), 40_000)  # 2 kB each
    before = [found.before(batch) for batch in range(0, 10_000, 100)]
    batches = [checkpoint.batch for checkpoint in before if checkpoint is not None]
    assert len(batches) == 100
    assert found.nbytes <= 40_000
    assert set(np.diff(np.unique(batches))) == {512}
    found.change(500, settings)
    found.change(700, settings._replace(clip_norm=1.0))
    found.change(700, settings._replace(clip_norm=2.0))
    assert [found.settings(batch).clip_norm for batch in (0, 699, 700, 9000)] == [None, None, 2.0, 2.0]


def test_parts_of_a_batch_are_answered_as_chunks() -> None:
    trainer = make(cell="lstm", num_layers=2, bidirectional=True, batch_size=2)
    feed = Feed(trainer.run)
    trainer.train(50)
    for stream in (None, 1):
        content, (chunk,) = feed.details(49, stream, "units:W_hh_l1_both")
        header, columns = unpack(chunk)
        assert (content["held"], content["part"], content["reason"]) == (True, "units:W_hh_l1_both", None)
        assert (header["kind"], header["part"], header["stream"]) == ("units", "units:W_hh_l1_both", stream)
        assert (header["steps"], header["first_lags"]) == (10, {"W_hh_l1_both": -5})
        units = trainer.replay(49).units("W_hh_l1_both", 6, stream=stream)
        shapes = {
            "size": (10,),
            "share": (10,),
            "reach": (10,),
            "agreement": (10,),
            "bars": (10, 10),
            "profile": (10, 11),
        }
        for name, shape in shapes.items():
            assert columns[name].shape == (1, *shape)
            np.testing.assert_allclose(columns[name][0], getattr(units, name), rtol=1e-5)
        content, (chunk,) = feed.details(49, stream, "cell:_l1_reverse")
        header, columns = unpack(chunk)
        # Over the whole window, though 6 lags are recorded.
        assert (header["kind"], header["part"], header["first_lag"]) == ("cell", "cell:_l1_reverse", -9)
        assert header["cell"] == "lstm"
        assert header["edges"] == [list(edge) for edge in trainer.rnn.cell.edges]
        flow = trainer.replay(49).cell_flow("_l1_reverse").of_stream(stream)
        for name, sizes in flow.sizes.items():
            np.testing.assert_allclose(columns[f"edge:{name}"][0], sizes, rtol=1e-5)
    refused: list[tuple[Any, str]] = [
        ("units:W_ih", "Surface takes W_hh of a layer, as a whole; got 'W_ih'."),
        ("cell:_l7", "Cell takes one of '', '_l0_reverse', '_l1', '_l1_reverse'; got '_l7'."),
        ("nothing", "Surface takes one of W_hh"),
        ("W_hh_l1_both:share", "Surface takes one of W_hh"),
        (5, "Part takes a name, got 5."),
    ]
    for part, reason in refused:
        content, chunks = feed.details(49, None, part)
        assert (content["held"], chunks) == (False, [])
        assert content["reason"].startswith(reason)
    content, chunks = Feed(copy.deepcopy(trainer.run)).details(49, None, "cell:")
    assert content["reason"].startswith("'cell:' of batch 49 was not recorded, and there is no trainer")
    assert feed.details(48, None, "cell:")[0]["reason"] is None


def test_the_flow_in_a_cell_has_as_many_lags_as_can_be_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(horizon=3)
    trainer.train(8)

    def lags() -> int:
        content, (chunk,) = Feed(trainer.run).details(7, None, "cell:")
        assert content["held"]
        return int(unpack(chunk)[1]["edge:h"].shape[-1])

    assert lags() == 10
    monkeypatch.setattr(parts, "FLOW_BYTES", 4 * 10 * len(trainer.rnn.cell.edges) * 7)
    assert lags() == 7
    monkeypatch.setattr(parts, "FLOW_BYTES", 1)
    assert lags() == 3, "as many as are recorded, at least"


def test_a_cell_of_ones_own_is_not_taken_for_one_of_ours() -> None:
    class Own(TanhCell):
        pass

    for cell, name in (("relu", "relu"), (Own, None)):
        trainer = make(cell=cell)
        trainer.train(8)
        _, (chunk,) = Feed(trainer.run).details(7, None, "cell:")
        assert unpack(chunk)[0]["cell"] == name


def test_a_page_is_told_that_more_time_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(memory_limit=100_000)
    trainer.train(3000)
    batch = int(trainer.run.batches[~trainer.run.detailed][-1])
    feed = Feed(trainer.run)
    with monkeypatch.context() as patch:
        patch.setattr("rnnbow_widget.feed.ANSWER_SECONDS", 0)
        content, chunks = feed.details(batch)
        assert (content["held"], content["unfinished"], chunks) == (False, True, [])
        assert "is not worked out again yet" in content["reason"]
    content, chunks = feed.details(batch)
    assert content["held"]
    assert len(chunks) == 1


def test_who_lets_go_of_a_run_lets_go_of_it_at_once() -> None:
    trainer = make()
    run = trainer.train(20)
    del trainer
    assert run.surface(14, "h").shape == (10, 6)  # the run alone can still be asked
    gone = weakref.ref(run)
    gc.disable()
    try:
        del run
        assert gone() is None
    finally:
        gc.enable()

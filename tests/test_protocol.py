"""The wire form of snapshots, and the numbering of frames."""

import numpy as np
import pytest
from unpacking import batches, unpack

from rnnbow_widget import Trainer
from rnnbow_widget.feed import Feed
from rnnbow_widget.protocol import drawable, pack

TEXT = "abcde fghij " * 60


def test_every_number_of_a_snapshot_is_in_its_chunk() -> None:
    trainer = Trainer(TEXT, hidden_size=8, seq_length=12, horizon=4, record_every=3, clip_norm=1.0)
    run = trainer.train(10)
    (chunk,) = pack(run)
    header, columns = unpack(chunk)
    assert (header["version"], header["count"], header["steps"], header["lags"]) == (1, 4, 12, 4)
    for i, snapshot in enumerate(run):
        scalars = {
            name: columns[name][i] for name in ("batch", "start", "stop", "grad_norm", "update_norm", "horizon_length")
        }
        for name, value in scalars.items():
            assert value == pytest.approx(getattr(snapshot, name), rel=1e-6), name
        assert columns["flags"][i] == 2 * (i == 0) + 4 * (snapshot.update_norm < snapshot.grad_norm)
        np.testing.assert_array_equal(columns["loss"][i], snapshot.loss)
        np.testing.assert_array_equal(columns["target"][i], snapshot.target_tokens)
        np.testing.assert_array_equal(columns["prediction"][i], snapshot.prediction_tokens)
        np.testing.assert_array_equal(columns["probability"][i], snapshot.probability)
        for key, measure in {"W_hh": "norm", "W_hh:mean_abs": "mean_abs", "W_hh:share": "share"}.items():
            np.testing.assert_array_equal(columns[f"items:{key}"][i], snapshot.surfaces[key])
            np.testing.assert_array_equal(columns[f"total:{key}"][i], snapshot.step_totals[key])
            np.testing.assert_array_equal(columns[f"beyond:{key}"][i], snapshot.beyond[key])
            assert columns[f"max:{key}"][i] == np.float32(snapshot.max_gradient(measure=measure))
            assert columns[f"mean:{key}"][i] == np.float32(snapshot.mean_gradient(measure=measure))
    assert columns["flags"].tolist()[0] & 2


def test_a_change_of_horizon_starts_a_new_chunk() -> None:
    trainer = Trainer(TEXT, hidden_size=8, horizon=4, record_every=1)
    trainer.train(2)
    trainer.horizon = None
    trainer.train(3)
    assert [batches([chunk]) for chunk in pack(trainer.run)] == [[0, 1], [2, 3, 4]]
    assert pack([]) == []


def test_a_batch_that_diverged_is_packed_as_it_is() -> None:
    trainer = Trainer(TEXT, hidden_size=8)
    trainer.rnn.parameters.W_ho[:] = np.nan
    with pytest.raises(ArithmeticError):
        trainer.train(1)
    _, columns = unpack(pack(trainer.run)[0])
    assert columns["flags"][0] & 1
    assert np.isnan(columns["loss"]).all()


def test_chunks_are_as_large_as_their_numbers() -> None:
    def size(horizon: int) -> int:
        return len(pack(Trainer(TEXT, hidden_size=8, horizon=horizon).train(1))[0])

    assert 0 <= size(20) - size(10) - 3 * 25 * 10 * 4 <= 8  # the header's numbers may grow by a digit


def test_frames_carry_what_is_new_and_the_whole_carries_everything() -> None:
    trainer = Trainer(TEXT, hidden_size=8, record_every=2)
    feed = Feed(trainer.run)
    assert feed.frame() == ({"epoch": 0, "frame": 0}, [])
    trainer.train(5)
    numbers, chunks = feed.frame()
    assert (numbers, batches(chunks)) == ({"epoch": 0, "frame": 1}, [0, 2, 4])
    trainer.train(2)
    assert batches(feed.frame()[1]) == [6]
    numbers, chunks = feed.whole()
    assert (numbers, batches(chunks)) == ({"epoch": 0, "next": 3}, [0, 2, 4, 6])
    trainer.train(2)
    numbers, chunks = feed.whole()
    assert (numbers, batches(chunks)) == ({"epoch": 0, "next": 4}, [0, 2, 4, 6, 8])
    assert feed.frame() == ({"epoch": 0, "frame": 4}, []), "who got the whole misses nothing, who did not sees a gap"
    trainer.reset()
    feed.start_over()
    assert feed.whole() == ({"epoch": 1, "next": 0}, [])
    trainer.train(1)
    numbers, chunks = feed.frame()
    assert (numbers, batches(chunks)) == ({"epoch": 1, "frame": 0}, [0])


def test_lone_surrogates_can_be_sent() -> None:
    assert drawable("a\ud800é😀\0") == "a\ufffdé😀\0"

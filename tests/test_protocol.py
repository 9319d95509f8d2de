"""The wire form of what is recorded: chunks have every number of an overview and of details."""

import numpy as np
import pytest
from unpacking import batches, detailed, require_details, unpack

from rnnbow_widget import Run, Trainer
from rnnbow_widget.protocol import drawable, pack_details, pack_overview, packed_nbytes

TEXT = "abcde fghij " * 60
KEYS = {"W_hh": "norm", "W_hh:mean_abs": "mean_abs", "W_hh:share": "share"}


def test_an_overview_has_the_numbers_of_every_batch() -> None:
    trainer = Trainer(TEXT, hidden_size=8, seq_length=12, horizon=4, record_every=3, clip_norm=1.0)
    run = trainer.train(10)
    (chunk,) = pack_overview(run.overview, slice(len(run)))
    header, columns = unpack(chunk)
    assert (header["version"], header["kind"], header["count"]) == (2, "overview", 4)
    for i, snapshot in enumerate(run):
        for name in ("batch", "start", "stop", "grad_norm", "update_norm", "horizon_length"):
            assert columns[name][i] == pytest.approx(getattr(snapshot, name), rel=1e-6), name
        assert columns["flags"][i] == 2 * (i == 0) + 4 * (snapshot.update_norm < snapshot.grad_norm)
        assert columns["loss"][i] == pytest.approx(snapshot.loss.mean())
        assert columns["accuracy"][i] == pytest.approx(snapshot.correct.mean())
        for key, measure in KEYS.items():
            assert columns[f"max:{key}"][i] == np.float32(snapshot.max_gradient(measure=measure))
            assert columns[f"mean:{key}"][i] == np.float32(snapshot.mean_gradient(measure=measure))
    assert columns["flags"].tolist()[0] & 2
    assert batches(pack_overview(run.overview, np.array([0, 3]))) == [0, 9]
    assert pack_overview(run.overview, slice(0)) == pack_overview(Run(("a",)).overview, slice(0)) == []


def test_details_have_every_number_of_a_snapshot() -> None:
    run = Trainer(TEXT, hidden_size=8, seq_length=12, horizon=4, record_every=3).train(10)
    (chunk,) = pack_details(run)
    header, columns = unpack(chunk)
    assert (header["version"], header["kind"], header["count"]) == (2, "details", 4)
    assert (header["steps"], header["lags"]) == (12, 4)
    require_details(columns, list(run))


def test_a_change_of_horizon_starts_a_new_chunk_and_so_do_very_many_bytes() -> None:
    trainer = Trainer(TEXT, hidden_size=8, horizon=4, record_every=1)
    trainer.train(2)
    trainer.horizon = None
    trainer.train(300)
    chunks = pack_details(trainer.run)
    assert detailed(chunks) == trainer.run.batches.tolist()
    assert detailed(chunks[:1]) == [0, 1]
    assert len(chunks) > 2
    assert max(map(len, chunks)) < 258_000
    assert pack_details([]) == []


def test_a_batch_that_diverged_is_packed_as_it_is() -> None:
    trainer = Trainer(TEXT, hidden_size=8)
    trainer.rnn.parameters.W_ho[:] = np.nan
    with pytest.raises(ArithmeticError):
        trainer.train(1)
    _, columns = unpack(pack_overview(trainer.run.overview, slice(1))[0])
    assert columns["flags"][0] & 1
    assert np.isnan(columns["loss"]).all()
    _, columns = unpack(pack_details(trainer.run)[0])
    assert np.isnan(columns["loss"]).all()


@pytest.mark.parametrize("horizon", [1, 10, 20, None])
def test_chunks_are_as_large_as_their_numbers(horizon: int | None) -> None:
    run = Trainer(TEXT, hidden_size=8, horizon=horizon, record_every=1).train(3)
    (chunk,) = pack_details(run)
    header = 4 + int.from_bytes(chunk[:4], "little")
    assert len(chunk) - header == sum(map(packed_nbytes, run))
    (chunk,) = pack_overview(run.overview, slice(3))
    assert len(chunk) - 4 - int.from_bytes(chunk[:4], "little") == 3 * 84


def test_lone_surrogates_can_be_sent() -> None:
    assert drawable("a\ud800é😀\0") == "a\ufffdé😀\0"

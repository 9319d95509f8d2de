"""A run in the forms of xarray and pandas: the same numbers, under names."""

import sys
from typing import Any

import numpy as np
import pytest
from recorded import recorded, run_of

from rnnbow_widget import Trainer

TEXT = "abcde fghij " * 60


def trainer(**settings: Any) -> Trainer:
    return Trainer(TEXT, **{"hidden_size": 8, "seq_length": 10, "horizon": 4, "record_every": 5, **settings})


def test_a_data_frame_has_the_overview() -> None:
    run = trainer().train(31)
    frame = run.to_pandas()
    assert frame.index.name == "batch"
    assert frame.index.tolist() == run.batches.tolist()
    assert ["batch", *frame.columns] == list(run.overview.names)
    np.testing.assert_array_equal(frame["loss"], run.column("loss"))
    np.testing.assert_array_equal(frame["max:W_hh"], run.column("max_gradient"))
    frame["loss"] = 0.0  # the run does not change with it
    assert (run.column("loss") > 0).all()
    assert len(trainer().run.to_pandas()) == 0


@pytest.mark.parametrize("stream", [None, 0, 2])
def test_a_dataset_has_the_pieces_by_batch_surface_step_and_lag(stream: int | None) -> None:
    run = trainer(batch_size=3, num_layers=2, bidirectional=True).train(21)
    found = run.to_xarray(stream=stream)
    assert found["norm"].dims == ("batch", "surface", "step", "lag")
    assert found["lag"].values.tolist() == list(range(-3, 4))
    for batch in run.batches.tolist():
        snapshot = run.at(batch) if stream is None else run.at(batch).streams[stream]
        row = found.sel(batch=batch)
        np.testing.assert_array_equal(row["step_loss"], snapshot.loss)
        np.testing.assert_array_equal(row["target"], snapshot.target_tokens)
        assert float(row["loss"]) == float(run.column("loss")[run.index_of(batch)])
        for key, items in snapshot.surfaces.items():
            surface, _, measure = key.partition(":")
            first = snapshot.first_lags.get(surface, 0)
            cells = row[measure or "norm"].sel(surface=surface)
            np.testing.assert_array_equal(cells.sel(lag=slice(first, first + items.shape[1] - 1)), items)
            assert int(cells.notnull().sum()) == items.size
            np.testing.assert_array_equal(
                row[f"{measure or 'norm'}_total"].sel(surface=surface), snapshot.step_totals[key]
            )
            np.testing.assert_array_equal(row[f"{measure or 'norm'}_beyond"].sel(surface=surface), snapshot.beyond[key])
    assert found.attrs["hidden_size"] == 8


def test_batches_of_a_dataset_can_be_chosen_and_may_differ_in_lags() -> None:
    made = trainer()
    made.train(6)
    made.horizon = 7
    run = made.train(10)
    found = run.to_xarray([5, 10])
    assert found["batch"].values.tolist() == [5, 10]
    assert found.sizes["lag"] == 7
    assert found["loss"].values.tolist() == run.column("loss")[1:3].tolist()
    assert np.isnan(found["norm"].sel(batch=5, lag=6)).all()
    np.testing.assert_array_equal(found["norm"].sel(batch=10, surface="W_hh"), run.at(10).surfaces["W_hh"])
    with pytest.raises(KeyError, match="batch 7 was not recorded"):
        run.to_xarray([7])
    with pytest.raises(ValueError, match="stream takes None, since there is one stream; got 0"):
        run.to_xarray(stream=0)


def test_past_the_end_of_a_shorter_window_nothing_is_said() -> None:
    run = run_of(1)
    run.append(recorded(1, steps=4))
    found = run.to_xarray()
    assert found["step_loss"].isnull().values.tolist() == [[False] * 6, [False] * 4 + [True] * 2]
    assert found["target"].sel(batch=7).values[4:].tolist() == [-1, -1]
    assert found["norm"].sel(batch=7, step=[4, 5]).isnull().all()


@pytest.mark.parametrize("library", ["pandas", "xarray"])
def test_a_library_that_is_missing_is_named_with_how_to_get_it(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer().train(1)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"to_{library} needs {library}: pip install 'rnnbow_widget\[{library}\]'"):
        getattr(run, f"to_{library}")()

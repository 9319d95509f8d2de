"""What is said of a run's newest batches: each diagnosis where it holds, and nowhere else."""

from typing import Any

import numpy as np
import pytest

from rnnbow_widget import Run, Trainer, corpora, tasks
from rnnbow_widget.arrays import overview_frame
from rnnbow_widget.diagnoses import LEAST, RECENT, Diagnosis, diagnose
from rnnbow_widget.overview import CLIPPED, DIVERGED, Overview

TEXT = "abcde fghij " * 60


def of(newest: Any = None, settings: dict[str, Any] | None = None, rows: int = RECENT, **columns: Any) -> list[str]:
    """Kinds that are found in rows of these numbers."""
    return [found.kind for found in found_in(newest, settings, rows, **columns)]


def found_in(newest: Any, settings: dict[str, Any] | None, rows: int, **columns: Any) -> list[Diagnosis]:
    usual: dict[str, Any] = {
        "batch": np.arange(rows),
        "start": np.arange(rows),
        "stop": np.arange(rows) + 1,
        "flags": 0,
        "grad_norm": 1.0,
        "update_norm": 1.0,
        "horizon_length": 5.0,
        "saturation": 0.3,
        "unit_median": 0.1,
        "max:W_hh": 1.0,
    }
    overview = Overview()
    overview.extend({name: np.broadcast_to(value, rows).copy() for name, value in (usual | columns).items()})
    return diagnose(overview, newest, settings or {})


class Growing(Overview):
    """One that another thread trains on: every look at it finds one row more."""

    def column(self, name: str, first: int = 0, stop: int | None = None) -> Any:
        found = super().column(name, first, stop)
        whole = {key: np.array([len(self)]) for key in ("batch", "start", "stop")}
        self.extend({**whole, "flags": np.zeros(1, np.int32), "max:W_hh": np.ones(1, np.float32)})
        return found


def trained(batches: int, data: Any = TEXT, **settings: Any) -> Run:
    return Trainer(data, **{"hidden_size": 8, "record_every": 1, "horizon": None, **settings}).train(batches)


def test_nothing_is_said_of_few_batches_or_of_a_run_that_diverged() -> None:
    assert of(rows=LEAST - 1, flags=CLIPPED, update_norm=0.1) == []
    assert of(rows=LEAST, flags=CLIPPED, update_norm=0.1) == ["clipped"]
    assert of(flags=np.where(np.arange(RECENT) == RECENT - 1, DIVERGED | CLIPPED, CLIPPED), update_norm=0.1) == []
    assert of() == [], "usual numbers; without details nobody knows how far could be seen"


def test_a_run_may_grow_while_it_is_looked_at() -> None:
    overview = Growing()
    rows = {"batch": np.arange(LEAST), "start": np.arange(LEAST), "stop": np.arange(LEAST) + 1}
    norms = {"grad_norm": np.ones(LEAST), "update_norm": np.full(LEAST, 0.1), "max:W_hh": np.ones(LEAST)}
    overview.extend(rows | norms | {"flags": np.full(LEAST, CLIPPED)})
    assert [found.kind for found in diagnose(overview, None, {})] == ["clipped"]
    assert len(overview) > LEAST
    frame = overview_frame(overview)
    assert frame.index.tolist() == list(range(len(frame)))
    assert len(overview) > len(frame)


@pytest.mark.parametrize(
    ("clipped", "left", "said"), [(20, 0.5, True), (18, 0.9, True), (17, 0.5, False), (20, 0.95, False)]
)
def test_clipped_always(clipped: int, left: float, said: bool) -> None:
    flags = np.where(np.arange(RECENT) < clipped, CLIPPED, 0)
    found = found_in(None, {"clip_value": 5.0, "clip_norm": None}, RECENT, flags=flags, update_norm=left)
    assert [one.kind for one in found] == ["clipped"] * said
    if said:
        assert f"{clipped} of the newest 20" in found[0].sentence
        assert "a larger clip_value" in found[0].remedy


@pytest.mark.parametrize(
    ("spikes", "size", "said"), [(2, 10.5, True), (1, 1e9, False), (2, 9.5, False), (5, np.inf, True)]
)
def test_exploding(spikes: int, size: float, said: bool) -> None:
    norms = np.where(np.arange(RECENT) < spikes, size, 1.0)
    assert of(grad_norm=norms, update_norm=norms) == ["exploding"] * said
    bounded = found_in(None, None, RECENT, grad_norm=norms)
    assert [one.kind for one in bounded] == ["exploding"] * said
    assert all("Clipping keeps" in one.remedy for one in bounded)


def test_saturated_and_dead_units() -> None:
    assert of(saturation=0.95, settings={"cell": "tanh"}) == ["saturated"]
    assert of(saturation=0.85, settings={"cell": "tanh"}) == []
    assert of(saturation=0.95, settings={"cell": "relu"}) == [], "of ReLU, zeros are usual"
    assert of(unit_median=0.0, settings={"cell": "relu"}) == ["dead"]
    assert of(unit_median=0.0, settings={"cell": "tanh"}) == []
    assert of(unit_median=0.0, grad_norm=0.0, settings={"cell": "relu"}) == [], "batches without any loss"
    assert of(saturation=np.nan, unit_median=np.nan, horizon_length=np.nan, settings={"cell": "relu"}) == []


def test_gradients_of_small_weights_vanish_and_an_orthogonal_network_is_tried() -> None:
    (found,) = trained(LEAST, seq_length=24, learning_rate=1e-4).diagnoses()
    assert found.kind == "vanishing"
    assert "of 24" in found.sentence
    assert 'init="orthogonal"' in found.remedy
    assert trained(LEAST - 1, seq_length=24).diagnoses() == []


def test_how_far_gradients_reach_is_no_complaint_where_they_do() -> None:
    settings = {"init": "orthogonal", "seq_length": 24, "learning_rate": 1e-4}
    (far,) = trained(LEAST, **settings).diagnoses()
    assert (far.kind, "or more" in far.sentence, "seq_length" in far.remedy) == ("reach", True, True)
    (cut,) = trained(LEAST, **settings | {"horizon": 4}).diagnoses()
    assert (cut.kind, "or more" in cut.sentence, "horizon=None" in cut.remedy) == ("reach", True, True)


@pytest.mark.parametrize(
    "settings", [{"seq_length": 6}, {"bidirectional": True, "seq_length": 24}], ids=["short windows", "both directions"]
)
def test_nothing_is_said_of_reach_where_nothing_is_known(settings: dict[str, Any]) -> None:
    assert trained(LEAST, **settings).diagnoses() == []


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"cell": "tanh", "init": "orthogonal"}, 'cell="lstm" or "gru"'),
        ({"cell": "relu"}, 'init="identity"'),
        ({"cell": "lstm"}, "forget_bias"),
        ({"cell": "gru"}, 'cell="lstm" with forget_bias=3'),
    ],
)
def test_what_is_tried_depends_on_the_cell(settings: dict[str, Any], remedy: str) -> None:
    task = tasks.Adding(60)
    run = trained(LEAST, task, batch_size=4, learning_rate=1e-6, **settings)
    newest = run[-1]
    found = found_in(newest, run.settings, LEAST, horizon_length=4.0)
    assert [one.kind for one in found] == ["vanishing"]
    assert remedy in found[0].remedy


def test_saturation_comes_with_too_large_a_step() -> None:
    run = trained(60, corpora.c_headers(), optimizer="sgd", learning_rate=1.0, clip_value=None, hidden_size=32)
    assert "saturated" in [found.kind for found in run.diagnoses()]

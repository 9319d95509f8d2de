"""Numbers of the recurrent weights, of saturation and over units, in the overview."""

import numpy as np
import pytest
from strategies import make_case

from rnnbow_widget import Trainer
from rnnbow_widget.cells import CELLS
from rnnbow_widget.gradients import bptt
from rnnbow_widget.indicators import indicators, is_spectral_due
from rnnbow_widget.snapshot import INDICATORS

TEXT = "the cat sat on the mat. " * 20


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_indicators_are_those_of_the_matrices(cell: str, bidirectional: bool) -> None:
    case = make_case(2, cell=cell, num_layers=2, bidirectional=bidirectional, gain=2.0)
    forward = case.forward()
    numbers = indicators(case.rnn, forward, bptt(case.rnn, forward), spectral=True)
    found = dict(zip(INDICATORS, numbers.tolist(), strict=True))
    weights = case.rnn.parameters["W_hh_l1"].reshape(-1, 7, 7)
    block = weights[{"lstm": 2, "gru": 2}.get(cell, 0)]
    assert found["spectral_radius"] == pytest.approx(np.abs(np.linalg.eigvals(block)).max(), rel=1e-6)
    assert found["largest_singular_value"] == pytest.approx(np.linalg.svd(block)[1][0], rel=1e-6)
    names = ["W_hh_l1", "W_hh_l1_reverse"][: 1 + bidirectional]
    gradients = bptt(case.rnn, forward).parameters
    rows = np.concatenate([gradients[name].reshape(-1, 7, 7) for name in names])  # (D·gates, H, H)
    sizes = np.linalg.norm(rows, axis=(0, 2))
    assert found["unit_median"] == pytest.approx(np.median(sizes), rel=1e-6)
    assert found["unit_p90"] == pytest.approx(np.quantile(sizes, 0.9), rel=1e-6)
    assert found["unit_max"] == pytest.approx(sizes.max(), rel=1e-6)
    states = np.array([track.states[1:] for layer in forward.tracks for track in layer])  # (L·D, n, S)
    close = {"relu": states == 0, "lstm": np.abs(np.tanh(states[..., 7:])) > 0.9}.get(cell, np.abs(states) > 0.9)
    assert found["saturation"] == pytest.approx(close.mean(), rel=1e-6)


def test_spectra_are_looked_at_ever_more_rarely() -> None:
    for hidden_size, times in ((1, 64), (32, 64), (33, 16), (64, 16), (65, 4), (100, 4), (2000, 4)):
        due = [is_spectral_due(recorded, hidden_size) for recorded in range(4096)]
        assert all(due[:times])
        for first in (64, 128, 256, 512, 1024, 2048):
            assert sum(due[first : 2 * first]) == times
    assert is_spectral_due(0, 10_000)


def test_the_overview_has_them_and_gaps_where_none_was_due() -> None:
    run = Trainer(TEXT, hidden_size=8, record_every=1).train(300)
    spectral = run.column("spectral_radius")
    assert np.isnan(spectral).sum() == 64 + 33  # every second from 128 on, three of four from 256 on
    np.testing.assert_array_equal(np.isnan(run.column("largest_singular_value")), np.isnan(spectral))
    assert (run.column("unit_median") <= run.column("unit_p90")).all()
    assert (run.column("unit_p90") <= run.column("unit_max")).all()
    assert ((run.column("saturation") >= 0) & (run.column("saturation") <= 1)).all()
    assert run[-1].indicators is not None
    np.testing.assert_array_equal(run[-1].indicators, [run.column(name)[-1] for name in INDICATORS])


def test_what_is_not_finite_has_none() -> None:
    case = make_case()
    case.rnn.parameters["W_hh"][0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        forward = case.forward()
        found = indicators(case.rnn, forward, bptt(case.rnn, forward), spectral=True)
    assert np.isnan(found[[INDICATORS.index(name) for name in INDICATORS if name != "saturation"]]).all()

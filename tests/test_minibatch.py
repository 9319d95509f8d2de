"""Minibatches: streams side by side give what they give alone, and their mean is the gradient that trains."""

from dataclasses import dataclass
from typing import Any

import autograd
import numpy as np
import pytest
from differences import MEASURED, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import LinearCell, make_case

from rnnbow_widget import RNN, DivergedError, Trainer
from rnnbow_widget.bptt_itemized import itemized_bptt, itemized_delta
from rnnbow_widget.cells import CELLS
from rnnbow_widget.corpora import Corpus
from rnnbow_widget.forward import ForwardPass
from rnnbow_widget.gradients import TrainingGradients, bptt
from rnnbow_widget.horizon import choose_horizon, gradient_residuals
from rnnbow_widget.initialization import PRESETS
from rnnbow_widget.measuring import MEASURES

TEXT = "the cat sat on the mat, and the dog sat on the log. " * 20


@dataclass(frozen=True)
class Streams:
    rnn: RNN
    inputs: np.ndarray  # (n, B)
    targets: np.ndarray  # (n, B)
    state: np.ndarray | None  # (B, S)

    def forward(self) -> ForwardPass:
        return self.rnn.forward(self.inputs, self.targets, self.state)

    def alone(self) -> list[ForwardPass]:
        states = [None] * self.inputs.shape[1] if self.state is None else self.state
        columns = zip(self.inputs.T, self.targets.T, states, strict=True)
        return [self.rnn.forward(x, y, state) for x, y, state in columns]

    def unrolled(self) -> list[autograd.Unrolled]:
        state = self.rnn.zero_state(self.inputs.shape[1]) if self.state is None else self.state
        return [
            autograd.unroll(self.rnn, x, y, h) for x, y, h in zip(self.inputs.T, self.targets.T, state, strict=True)
        ]


def make_streams(seed: int = 0, *, streams: int = 3, zero_state: bool = False, **network: Any) -> Streams:
    """A network as `make_case` makes it, and windows of several streams, all from one seed."""
    case = make_case(seed, **network)
    shape = (len(case.inputs), streams)
    generator = np.random.default_rng(seed)
    state = generator.uniform(-0.9, 0.9, (streams, case.rnn.cell.state_width)).astype(case.rnn.dtype)
    inputs, targets = generator.integers(0, case.rnn.input_size, (2, *shape))
    return Streams(case.rnn, inputs, targets, None if zero_state else state)


def minibatches(dtype: type = np.float64, gains: tuple[float, ...] = (0.3, 1.0, 3.0)) -> st.SearchStrategy[Streams]:
    return st.builds(
        make_streams,
        seed=st.integers(0, 2**32 - 1),
        streams=st.integers(1, 6),
        steps=st.integers(1, 14),
        hidden=st.integers(1, 12),
        tokens=st.integers(1, 9),
        cell=st.sampled_from(sorted(CELLS)),
        init=st.sampled_from(sorted(PRESETS)),
        gain=st.sampled_from(gains),
        zero_state=st.booleans(),
        dtype=st.just(dtype),
    )


HORIZONS = st.one_of(st.none(), st.integers(1, 16))


@given(minibatches())
@settings(max_examples=40)
def test_forward_runs_every_stream_as_if_alone(case: Streams) -> None:
    forward = case.forward()
    n, streams = case.inputs.shape
    assert (forward.steps, forward.streams) == (n, streams)
    assert forward.states.shape == (n + 1, streams, case.rnn.cell.state_width)
    np.testing.assert_array_equal(forward.hidden, forward.states[..., : case.rnn.hidden_size])
    assert forward.probabilities.shape == (n, streams, case.rnn.output_size)
    for b, alone in enumerate(case.alone()):
        one = forward.stream(b)
        for name in ("inputs", "targets", "states", "hidden", "linearization", "probabilities", "loss"):
            np.testing.assert_allclose(getattr(one, name), getattr(alone, name), rtol=1e-11, atol=1e-12)


@given(minibatches())
@settings(max_examples=40)
def test_delta_and_gradients_agree_with_autograd(case: Streams) -> None:
    forward, windows = case.forward(), case.unrolled()
    delta = itemized_delta(case.rnn, forward)  # (n, B, n, H)
    for b, window in enumerate(windows):
        assert relative_error(delta[:, b], autograd.itemized_delta(window)) < 1e-9
    found, back_propagate = bptt(case.rnn, forward), TrainingGradients(case.rnn, sparse=False)
    expected = [autograd.gradients(window) for window in windows]
    for name, array in found.parameters.items():
        mean = np.mean([gradients[name] for gradients in expected], axis=0)
        largest = max(np.abs(gradients[name]).max() for gradients in expected)
        np.testing.assert_allclose(array, mean, rtol=0, atol=1e-12 * largest + 1e-15)
    trained, _ = back_propagate(forward)
    assert relative_error(trained.parameters.vector, found.parameters.vector) < 1e-12
    np.testing.assert_array_equal(trained.delta, found.delta)
    sum_of_pieces = np.einsum("jbdi,jbh->ih", delta, forward.hidden[:-1]) / forward.streams
    assert relative_error(sum_of_pieces, found.parameters.W_hh) < 1e-12


@given(minibatches(), HORIZONS, st.sampled_from([None, 1e-3, 0.3]))
@settings(max_examples=60)
def test_measures_are_those_of_the_matrices(case: Streams, horizon: int | None, epsilon: float | None) -> None:
    forward = case.forward()
    found = itemized_bptt(case.rnn, forward, horizon, epsilon=epsilon, measures=MEASURES)
    delta = itemized_delta(case.rnn, forward, horizon, epsilon=epsilon)  # (n, B, k, H)
    pieces = np.einsum("jbdi,jbh->jbdih", delta, forward.hidden[:-1])  # (n, B, k, H, H)
    every = itemized_delta(case.rnn, forward).sum(axis=2)  # (n, B, H)
    received = np.einsum("jbi,jbh->jbih", every, forward.hidden[:-1])  # (n, B, H, H)
    missing = received - pieces.sum(axis=2)
    whole = received.mean(axis=1).sum(axis=0)  # (H, H)
    largest = max(1.0, float(np.linalg.norm(pieces, axis=(-2, -1)).sum(axis=2).max()))
    close: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-13 * largest}
    for name, measure in MEASURED.items():
        np.testing.assert_allclose(found.items[name], measure(pieces, whole), **close)
        np.testing.assert_allclose(found.total[name], measure(received, whole), **close)
        np.testing.assert_allclose(found.beyond[name], measure(missing, whole), **close)
        average = found.average
        np.testing.assert_allclose(average.items[name], measure(pieces, whole).mean(axis=1), **close)
        # The norm goes through squares, in which what cancels leaves the root of the rounding.
        loose: dict[str, Any] = {"rtol": 1e-7, "atol": 1e-7 * largest} if name == "norm" else close
        np.testing.assert_allclose(average.total[name], measure(received.mean(axis=1), whole), **loose)
        np.testing.assert_allclose(average.beyond[name], measure(missing.mean(axis=1), whole), **loose)
    shares = found.items["share"].sum(axis=(0, 2)) + found.beyond["share"].sum(axis=0)  # (B,)
    assert shares.mean() == pytest.approx(np.linalg.norm(found.gradients.parameters.W_hh), rel=1e-10, abs=1e-13)
    np.testing.assert_allclose(found.gradients.delta * forward.streams, found.delta, rtol=1e-12)


@given(minibatches(), HORIZONS)
@settings(max_examples=40)
def test_items_are_those_of_separate_runs(case: Streams, horizon: int | None) -> None:
    """But for shares, which refer to the gradient of the whole minibatch."""
    found = itemized_bptt(case.rnn, case.forward(), horizon, measures=("norm", "mean_abs"))
    alone = [itemized_bptt(case.rnn, forward, horizon, measures=("norm", "mean_abs")) for forward in case.alone()]
    for name in ("norm", "mean_abs"):
        for b, one in enumerate(alone):
            assert relative_error(found.items[name][:, b], one.items[name]) < 1e-9
            assert relative_error(found.total[name][:, b], one.total[name]) < 1e-9
        mean = np.mean([one.items[name] for one in alone], axis=0)
        assert relative_error(found.average.items[name], mean) < 1e-9


@given(minibatches(dtype=np.float32, gains=(0.3, 1.0)), HORIZONS)
@settings(max_examples=40)
def test_single_precision_agrees_with_double(case: Streams, horizon: int | None) -> None:
    double = RNN(case.rnn.input_size, case.rnn.hidden_size, cell=type(case.rnn.cell), dtype=np.float64)
    double.parameters.vector[:] = case.rnn.parameters.vector
    expected = itemized_bptt(
        double, double.forward(case.inputs, case.targets, case.state), horizon, measures=("norm", "mean_abs")
    )
    found = itemized_bptt(case.rnn, case.forward(), horizon, measures=("norm", "mean_abs"))
    for name in ("norm", "mean_abs"):
        assert found.items[name].dtype == found.average.total[name].dtype == np.float32
        assert relative_error(found.items[name], expected.items[name]) < 1e-4
        largest = expected.total[name].max()
        assert np.abs(found.average.total[name] - expected.average.total[name]).max() <= 1e-4 * largest


@given(minibatches(dtype=np.float32), HORIZONS)
@settings(max_examples=40)
def test_one_stream_is_the_same_to_the_last_bit_with_and_without_an_axis(case: Streams, horizon: int | None) -> None:
    with_axis = case.rnn.forward(
        case.inputs[:, :1], case.targets[:, :1], None if case.state is None else case.state[:1]
    )
    without = case.alone()[0]
    for name in ("states", "linearization", "probabilities", "loss"):
        np.testing.assert_array_equal(getattr(with_axis, name)[:, 0], getattr(without, name))
    first, second = (bptt(case.rnn, forward) for forward in (with_axis, without))
    np.testing.assert_array_equal(first.parameters.vector, second.parameters.vector)
    first_items, second_items = (
        itemized_bptt(case.rnn, forward, horizon, measures=MEASURES) for forward in (with_axis, without)
    )
    for name in MEASURES:
        for kind in ("items", "total", "beyond"):
            expected = getattr(second_items, kind)[name]
            np.testing.assert_array_equal(getattr(first_items, kind)[name][:, 0], expected)
            np.testing.assert_array_equal(getattr(first_items.average, kind)[name], expected)
            np.testing.assert_array_equal(getattr(second_items.average, kind)[name], expected)


def test_a_cell_is_still_two_steps() -> None:
    generator = np.random.default_rng(0)
    rnn = RNN(3, 4, cell=LinearCell, init="orthogonal", dtype=np.float64)
    inputs, targets = generator.integers(0, 3, (2, 7, 2))
    forward = rnn.forward(inputs, targets)
    for b in range(2):
        alone = rnn.forward(inputs[:, b], targets[:, b])
        np.testing.assert_allclose(forward.states[:, b], alone.states, rtol=1e-12, atol=1e-14)
        delta = itemized_delta(rnn, forward)[:, b]
        np.testing.assert_allclose(delta, itemized_delta(rnn, alone), rtol=1e-12, atol=1e-14)


def test_residuals_and_the_choice_of_a_horizon_count_every_stream() -> None:
    case = make_streams(1, init="orthogonal", steps=20, hidden=10)
    forward, alone = case.forward(), case.alone()
    found = gradient_residuals(case.rnn, forward)  # (n, B, n+1)
    for b, one in enumerate(alone):
        np.testing.assert_allclose(found[:, b], gradient_residuals(case.rnn, one), rtol=1e-9, atol=1e-9)
    for tolerance in (0.5, 0.1, 0.01):
        together, apart = (choose_horizon(case.rnn, windows, tolerance) for windows in ([forward], alone))
        assert (together.horizon, together.losses) == (apart.horizon, apart.losses)


def small(**settings: Any) -> Trainer:
    return Trainer(
        TEXT,
        **{
            "hidden_size": 12,
            "seq_length": 10,
            "batch_size": 4,
            "record_every": 5,
            "init": "uniform",
            "seed": 1,
            **settings,
        },
    )


def test_each_stream_reads_its_piece_of_the_data_in_order() -> None:
    trainer = small(record_every=1)
    piece = len(TEXT) // 4
    windows = (piece - 1) // 10
    run = trainer.train(windows + 1)
    assert trainer.epoch == 1
    for b in range(4):
        streams = [snapshot.streams[b] for snapshot in run]
        read = "".join("".join(one.targets) for one in streams[:windows])
        assert read == TEXT[b * piece + 1 : b * piece + 1 + windows * 10]
        assert [one.start for one in streams] == [b * piece + 1 + 10 * i for i in range(windows)] + [b * piece + 1]
        assert [one.from_zero_state for one in streams] == [True] + [False] * (windows - 1) + [True]
    assert [snapshot.start for snapshot in run] == [snapshot.streams[0].start for snapshot in run]


def test_states_are_carried_per_stream() -> None:
    trainer = small(dtype=np.float64, horizon=4)
    trainer.train(3)
    states = trainer._loop.state  # (B, H)
    snapshot = trainer.step()
    twin = small(dtype=np.float64)
    twin.train(3)
    assert isinstance(twin.data, Corpus)
    piece = len(TEXT) // 4
    for b, one in enumerate(snapshot.streams):
        window = twin.data.tokens[b * piece + 30 : b * piece + 41]
        forward = twin.rnn.forward(window[:-1], window[1:], states[b])
        itemized = itemized_bptt(twin.rnn, forward, 4, measures=MEASURES)
        np.testing.assert_allclose(one.loss, forward.loss, rtol=1e-6)
        for key, measure in {"W_hh": "norm", "W_hh:mean_abs": "mean_abs"}.items():
            assert relative_error(one.surfaces[key], itemized.items[measure]) < 1e-6
            assert relative_error(one.step_totals[key], itemized.total[measure]) < 1e-6
            assert relative_error(one.beyond[key], itemized.beyond[measure]) < 1e-6
        assert one.predictions == tuple(twin.data.vocabulary[i] for i in forward.probabilities.argmax(axis=1))
        np.testing.assert_array_equal(one.correct, one.accuracy)


def test_a_snapshot_of_a_minibatch_is_the_average_of_its_streams() -> None:
    snapshot = small().step()
    streams = snapshot.streams
    assert len(streams) == 4
    assert all(not one.streams for one in streams)
    np.testing.assert_allclose(snapshot.loss, np.mean([one.loss for one in streams], axis=0), rtol=1e-6)
    np.testing.assert_allclose(snapshot.probability, np.mean([one.probability for one in streams], axis=0), rtol=1e-6)
    np.testing.assert_allclose(snapshot.accuracy, np.mean([one.correct for one in streams], axis=0))
    for key, items in snapshot.surfaces.items():
        mean = np.mean([one.surfaces[key] for one in streams], axis=0)
        np.testing.assert_allclose(items, mean, rtol=1e-5, atol=1e-7 * np.abs(mean).max())
    # A mean of matrices is never longer than the mean of their lengths.
    assert (snapshot.step_total <= np.mean([one.step_total for one in streams], axis=0) * (1 + 1e-5)).all()
    shares = snapshot.surfaces["W_hh:share"].sum() + snapshot.beyond["W_hh:share"].sum()
    assert shares == pytest.approx(snapshot.step_totals["W_hh:share"].sum(), rel=1e-5)
    assert 0 < shares < snapshot.grad_norm
    assert {one.grad_norm for one in streams} == {snapshot.grad_norm}
    assert snapshot.from_zero_state
    reaches = [one.horizon_length for one in streams]
    assert min(reaches) <= snapshot.horizon_length <= max(reaches)
    assert (snapshot.target_tokens == -1).all()
    assert (snapshot.prediction_tokens == -1).all()
    for name in ("targets", "predictions", "correct"):
        with pytest.raises(ValueError, match=rf"{name} is of one stream, .* average over 4: take streams\[0\]\.{name}"):
            getattr(snapshot, name)
    assert "Snapshot(batch 0, average of 4 streams, loss" in repr(snapshot)
    assert "data 1–11" in repr(streams[0])


def test_a_run_of_minibatches_has_the_usual_columns() -> None:
    trainer = small()
    run = trainer.train(21)
    np.testing.assert_allclose(run.column("accuracy"), [one.accuracy.mean() for one in run])
    np.testing.assert_allclose(run.column("loss"), [one.loss.mean() for one in run])
    assert run[0].nbytes == 5 * small(batch_size=1).train(1)[0].nbytes  # four streams and their average
    assert run.cues() == []
    assert trainer.settings["batch_size"] == 4


@pytest.mark.parametrize("optimizer", ["adagrad", "sgd", "adam"])
def test_a_batch_is_a_step_down_the_mean_gradient(optimizer: str) -> None:
    trainer = small(optimizer=optimizer, dtype=np.float64, clip_value=None, learning_rate=0.01)
    trainer.train(4)
    twin = small(optimizer=optimizer, dtype=np.float64, clip_value=None, learning_rate=0.01)
    for _ in range(4):
        window = twin.windows(twin.batch)
        forward = twin.rnn.forward(window.inputs, window.targets, twin._loop.state)
        vector = bptt(twin.rnn, forward).parameters.vector
        twin.rnn.parameters.vector -= twin.optimizer.update(vector)
        twin._loop.state = forward.states[-1]
        twin._loop.batch += 1
    assert relative_error(trainer.rnn.parameters.vector, twin.rnn.parameters.vector) < 1e-10


def test_streams_that_are_alike_train_like_one() -> None:
    """The loss is the mean over streams, so a learning rate means the same with any number of them."""
    text = "abcdefghij klm nop qrs tuv wxy. "
    one, three = (Trainer(text * 20 * b, hidden_size=9, seq_length=8, batch_size=b, dtype=np.float64) for b in (1, 3))
    one.train(60)
    three.train(60)
    assert relative_error(three.rnn.parameters.vector, one.rnn.parameters.vector) < 1e-6
    assert three.smooth_loss == pytest.approx(one.smooth_loss, rel=1e-6)


def test_it_learns_and_writes() -> None:
    trainer = small()
    trainer.train(2500)
    assert trainer.smooth_loss < 1
    assert trainer.run[-1].loss.mean() < 0.3
    assert trainer.sample(16, temperature=0.2) in TEXT + TEXT
    assert trainer.sample(6, prompt="the c", temperature=0.2).startswith("at")


@pytest.mark.parametrize("horizon", [None, 3, "auto"])
def test_recording_changes_no_number(horizon: int | str | None) -> None:
    plain, recorded = small(record_every=1000), small(record_every=3, horizon=horizon)
    plain.train(20)
    recorded.train(20)
    np.testing.assert_array_equal(plain.rnn.parameters.vector, recorded.rnn.parameters.vector)
    recorded.reset()
    recorded.train(20)
    np.testing.assert_array_equal(plain.rnn.parameters.vector, recorded.rnn.parameters.vector)


def test_divergence_is_found() -> None:
    trainer = small(learning_rate=1e18, optimizer="sgd")
    with pytest.raises(DivergedError):
        trainer.train(500)
    assert trainer.run[-1].diverged
    assert np.isfinite(trainer.rnn.parameters.vector).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size takes a whole number of at least 1, got 0"),
        ({"batch_size": 2.5}, "batch_size takes a whole number, got 2.5"),
        (
            {"batch_size": 100},
            r"data takes at least batch_size \* \(seq_length \+ 1\) = 1100 characters for one window of each of "
            r"100 streams, got 1040 \(text",
        ),
    ],
)
def test_bad_batch_sizes_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        small(**settings)

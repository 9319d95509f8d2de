"""Tasks: what they are made of, that a batch's number makes its sequences, baselines by computation, training."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnbow_widget import RNN, Sequences, Stream, Trainer, corpora, tasks
from rnnbow_widget.data import Data
from rnnbow_widget.evaluation import evaluate
from rnnbow_widget.grammars import REBER_ARCS, Grammar

TASKS = (
    tasks.Adding(12),
    tasks.TemporalOrder(20),
    tasks.TemporalOrder(20, symbols=3),
    tasks.CopyMemory(lag=7, length=3, symbols=4),
    tasks.DelayedRecall(delay=3, length=9),
    tasks.Reber(20),
    tasks.EmbeddedReber(30),
    tasks.AnBn(most=4, length=25),
)
MANY = 20_000


def drawn(task: tasks.Task, count: int = MANY) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    return task.draw(np.random.default_rng(7), count)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_number_of_a_batch_makes_its_sequences(task: tasks.Task, batch_size: int) -> None:
    windows, again = task.windows(None, batch_size, 5), task.windows(task.steps, batch_size, 5)
    later, earlier = windows(8), windows(3)
    for batch, window in ((3, earlier), (8, later)):
        for own, other in zip(again(batch)[:3], window[:3], strict=True):
            np.testing.assert_array_equal(own, other)
        assert window.fresh
        assert len(window.starts) == batch_size
    assert (earlier.inputs != later.inputs).any()
    assert (task.windows(None, batch_size, 6)(3).inputs != earlier.inputs).any()
    held, first = task.held_out(5, batch_size), windows(0)
    assert (held.inputs.reshape(first.inputs.shape) != first.inputs).any(), "of the same number, but never trained on"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_windows_are_what_a_network_takes(task: tasks.Task, batch_size: int) -> None:
    window = task.windows(None, batch_size, 0)(0)
    rnn = RNN(task.input_size, 4, task.output_size)
    forward = rnn.forward(window.inputs, window.targets, mask=window.mask)
    assert forward.loss.shape == ((task.steps,) if batch_size == 1 else (task.steps, batch_size))
    assert forward.of_classes == (task.kind == "classes")
    if window.mask is not None:
        assert not window.targets[~window.mask].any()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_is_solved_nine_tenths_of_the_way_down(task: tasks.Task) -> None:
    least = task.least.loss if task.least else 0
    assert least < task.solved_below < task.baseline.loss
    assert (task.baseline.loss - task.solved_below) / (task.baseline.loss - least) == pytest.approx(0.9)


def test_adding() -> None:
    inputs, targets, mask = drawn(tasks.Adding(11))
    numbers, markers = inputs[..., 0], inputs[..., 1]  # (n, B) each
    assert (markers[:5].sum(axis=0) == 1).all()
    assert (markers[5:].sum(axis=0) == 1).all()
    np.testing.assert_allclose(targets[-1, :, 0], (numbers * markers).sum(axis=0))
    assert mask is not None
    assert mask.tolist() == [False] * 10 + [True]
    assert np.square(targets[-1] - 1).mean() == pytest.approx(tasks.Adding(11).baseline.loss, rel=0.03)
    assert tasks.Adding(11).baseline.loss == pytest.approx(1 / 6)


@pytest.mark.parametrize("symbols", [2, 3])
def test_temporal_order(symbols: int) -> None:
    task = tasks.TemporalOrder(100, symbols)
    inputs, targets, mask = drawn(task, 4000)
    texts = ["".join(task.input_vocabulary[token] for token in column) for column in inputs.T]
    assert all(re.fullmatch(r"E[abcdXY]{98}B", text) for text in texts)
    orders = [re.sub("[^XY]", "", text) for text in texts]
    assert orders == [task.vocabulary[token] for token in targets[-1]]
    ranges = [(10, 20), (50, 60)] if symbols == 2 else [(10, 20), (33, 43), (66, 76)]
    for text in texts:
        places = [place for place, symbol in enumerate(text) if symbol in "XY"]
        assert all(low <= place < high for place, (low, high) in zip(places, ranges, strict=True))
    shares = np.bincount(targets[-1]) / 4000
    assert len(shares) == 2**symbols
    assert -(shares * np.log(shares)).sum() == pytest.approx(task.baseline.loss, rel=0.01)
    assert mask is not None
    assert mask.sum() == 1


def test_copy_memory() -> None:
    task = tasks.CopyMemory(lag=30)
    inputs, targets, mask = drawn(task, 5)
    for tokens, told in zip(inputs.T, targets.T, strict=True):
        symbols = "".join(task.input_vocabulary[token] for token in tokens[:10])
        assert "".join(task.input_vocabulary[token] for token in tokens) == symbols + "–" * 29 + "?" + "–" * 10
        assert "".join(task.vocabulary[token] for token in told) == "–" * 40 + symbols
    assert mask is None
    # Who tells blanks surely, and then each symbol with the chance of an eighth:
    assert task.baseline.loss == pytest.approx(np.where(np.arange(50) >= 40, math.log(8), 0).mean())
    assert task.baseline.loss == pytest.approx(10 * math.log(8) / (30 + 20))


def test_delayed_recall() -> None:
    inputs, targets, mask = drawn(tasks.DelayedRecall(3, 8))
    np.testing.assert_array_equal(targets[3:], inputs[:-3])
    assert mask is not None
    assert mask.tolist() == [False] * 3 + [True] * 5
    assert np.square(targets[3:]).mean() == pytest.approx(tasks.DelayedRecall().baseline.loss, rel=0.02)
    assert abs(inputs).max() <= 0.5


def strings_of(task: tasks.Task, last: str) -> list[str]:
    """Whole strings that the sequences have; the last one may be cut off."""
    inputs, targets, _ = drawn(task, 400)
    whole = np.concatenate([inputs[:1], targets])  # (n+1, B)
    np.testing.assert_array_equal(inputs[1:], targets[:-1])
    texts = ["".join(task.vocabulary[token] for token in column) for column in whole.T]
    return [string + last for text in texts for string in re.split(last, text)[:-1]]


def reber_is_right(string: str) -> bool:
    states = {0}
    for symbol in string:
        states = {after for state in states for _, own, after in REBER_ARCS[state] if own == symbol}
    return states == {0} and string[-1] == "E"


def test_reber_strings() -> None:
    strings = strings_of(tasks.Reber(60), "E")
    assert len(set(strings)) > 30
    for known in ("BTXSE", "BPVVE", "BTSXSE", "BPTVPXVVE", "BTXXVVE", "BTXXTTVPSE"):
        assert reber_is_right(known), known
    for wrong in ("BTE", "BPSE", "BTXTE", "BTSXXTVVT"):
        assert not reber_is_right(wrong), wrong
    assert all(map(reber_is_right, strings))
    assert {"BTXSE", "BPVVE"} <= set(strings)


def test_embedded_reber_strings() -> None:
    inputs, targets, _ = drawn(tasks.EmbeddedReber(80), 400)
    symbols = tasks.EmbeddedReber().vocabulary
    strings = []
    for column in np.concatenate([inputs[:1], targets]).T:
        text = "".join(symbols[token] for token in column)
        while found := re.match(r"B([TP])(B[^E]*E)([TP])E", text):
            strings.append(found)
            text = text[found.end() :]
        assert len(text) < 80
    assert len(strings) > 400
    for found in strings:
        assert found[1] == found[3]
        assert reber_is_right(found[2])
    assert {found[1] for found in strings} == {"T", "P"}
    lengths = [len(found[0]) for found in strings]
    assert min(lengths) == 9


def test_anbn_strings() -> None:
    strings = strings_of(tasks.AnBn(most=5, length=80), "T")
    counts = Counter(len(string) // 2 - 1 for string in strings)
    assert all(string == "S" + "a" * n + "b" * n + "T" for string in strings for n in [len(string) // 2 - 1])
    assert sorted(counts) == [1, 2, 3, 4, 5]
    first = Counter(len(text) for text in (re.findall("^Sa+", s)[0] for s in strings))
    assert len(first) == 5


def test_n_is_drawn_evenly() -> None:
    task = tasks.AnBn(most=4, length=12)
    inputs, _, _ = drawn(task)
    firsts = (np.cumprod(inputs[1:] == 1, axis=0)).sum(axis=0)  # (B,): how many a the first string has
    np.testing.assert_allclose(np.bincount(firsts)[1:] / MANY, 0.25, atol=0.01)


def cross_entropy(known: Sequence[Sequence[object]], symbols: np.ndarray) -> float:
    """Of who knows only so much before each symbol (n, B), in the long run: by counting."""
    pairs, givens = Counter[tuple[object, int]](), Counter[object]()
    for own, row in zip(known, symbols.tolist(), strict=True):
        for given_, symbol in zip(own, row, strict=True):
            pairs[given_, symbol] += 1
            givens[given_] += 1
    total = sum(pairs.values())
    return -sum(count / total * math.log(count / givens[given_]) for (given_, _), count in pairs.items())


@pytest.mark.parametrize("task", [tasks.Reber(20), tasks.AnBn(most=4, length=25)], ids=lambda task: task.name)
def test_the_current_symbol_alone_leaves_as_much_as_the_baseline_says(task: tasks.Task) -> None:
    inputs, targets, _ = drawn(task)
    assert cross_entropy(inputs.tolist(), targets) == pytest.approx(task.baseline.loss, rel=0.005)


@pytest.mark.parametrize(
    "task", [tasks.Reber(12), tasks.AnBn(most=3, length=12), tasks.EmbeddedReber(14)], ids=lambda task: task.name
)
def test_all_that_was_written_leaves_as_much_as_the_grammar(task: tasks.Task) -> None:
    """Who remembers the string so far, symbol by symbol, knows all that can be known."""
    inputs, targets, _ = drawn(task, 5 * MANY)
    texts = ["".join(task.vocabulary[token] for token in column) for column in inputs.T]
    end = "T" if isinstance(task, tasks.AnBn) else "E"

    def so_far(text: str) -> str:
        if isinstance(task, tasks.EmbeddedReber):
            return re.sub(r"^(B([TP])B[^E]*E\2E)", "", text)
        return text[text.rfind(end) + 1 :]

    known = [[so_far(text[: step + 1]) for text in texts] for step in range(task.steps)]
    assert task.least is not None
    assert cross_entropy(known, targets) == pytest.approx(task.least.loss, rel=0.01)


def test_forgetting_the_outer_symbol_costs_one_bit_a_string() -> None:
    task = tasks.EmbeddedReber(5000)
    inputs, _, _ = drawn(task, 4)
    assert task.least is not None
    text = "".join(task.vocabulary[token] for token in inputs.T.reshape(-1))
    strings = len(re.findall("E[TP]E", text)) / len(text)
    assert task.baseline.loss - task.least.loss == pytest.approx(math.log(2) * strings, rel=0.03)


def test_entropies_that_are_known() -> None:
    """Two states in turn, one with two equal ways on."""
    coin = Grammar(("h", "t", "-"), [((0.5, "h", 1), (0.5, "t", 1)), ((1, "-", 0),)])
    assert coin.entropy(2) == pytest.approx(math.log(2) / 2)
    assert coin.bigram_entropy(2) == pytest.approx(math.log(2) / 2)
    assert coin.entropy(2, known=[0, 0]) == pytest.approx(1.5 * math.log(2))
    steps = coin.write(np.random.default_rng(0), 6, 50)
    assert (steps[1::2] == 2).all()
    assert set(steps[::2].ravel()) == {0, 1}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_is_trained_recorded_and_described(task: tasks.Task) -> None:
    trainer = Trainer(
        task, cell="lstm", hidden_size=8, batch_size=2, record_every=5, init="uniform", horizon="auto", seed=3
    )
    run = trainer.train(11)
    assert trainer.seq_length == task.steps
    assert trainer.epoch == 0
    assert np.isfinite(run.column("loss")).all()
    assert np.isnan(run.column("accuracy")).all() == (task.kind == "values")
    assert f"(baseline {task.baseline.loss:.3g})" in repr(trainer)
    assert task.name in repr(trainer)
    assert all(snapshot.from_zero_state for snapshot in run)
    for snapshot in (run[-1], *run[-1].streams):
        assert ("right" in repr(snapshot)) == (task.kind == "classes")
    stream = run[-1].streams[1]
    window = trainer.windows(10)
    if task.kind == "values":
        np.testing.assert_array_equal(stream.targets, window.targets[:, 1].astype(np.float32))
        assert isinstance(stream.predictions, np.ndarray)
        assert isinstance(stream.targets, np.ndarray)
        assert stream.predictions.shape == stream.targets.shape
        with pytest.raises(ValueError, match="correct is of classes"):
            _ = stream.correct
    else:
        labels = [task.vocabulary[token] for token in window.targets[:, 1]]
        there = np.ones(task.steps, bool) if window.mask is None else window.mask[:, 1]
        assert list(stream.targets) == [label if own else "" for label, own in zip(labels, there, strict=True)]
        assert not stream.correct[~there].any()
    if task.shows_inputs:
        assert stream.inputs is not None
        np.testing.assert_allclose(stream.inputs, window.inputs[:, 1], rtol=1e-6)
    else:
        assert stream.inputs is None
    with pytest.raises(ValueError, match=r"sample writes text, and .* is none"):
        trainer.sample()


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([None, 1, 4]))
@settings(max_examples=15)
def test_losses_and_horizons_are_of_the_losses_that_there_are(seed: int, streams: int, horizon: int | None) -> None:
    generator = np.random.default_rng(seed)
    count, n = 8, 7
    mask = generator.random((count, n)) < 0.5
    data = Sequences(generator.normal(size=(count, n, 2)), generator.integers(0, 3, (count, n)), mask)
    trainer = Trainer(
        data, hidden_size=5, init="orthogonal", batch_size=streams, record_every=1, horizon=horizon, seed=seed
    )
    snapshot, window = trainer.step(), trainer.windows(0)
    assert window.mask is not None
    there = window.mask.reshape(n, streams)
    for b, one in enumerate(snapshot.streams or [snapshot]):
        assert one.counted is not None
        np.testing.assert_array_equal(one.counted, there[:, b])
        np.testing.assert_array_equal(one.loss != 0, there[:, b])
        assert one.losses == there[:, b].sum()
    losses = [one.loss.sum() for one in snapshot.streams or [snapshot]]
    if there.any():
        assert trainer.run.column("loss")[0] == pytest.approx(sum(losses) / there.sum(), rel=1e-5)
        assert trainer.smooth_loss == pytest.approx(sum(losses) / there.sum(), rel=1e-5)
    else:
        assert math.isnan(trainer.run.column("loss")[0])
        assert math.isnan(trainer.smooth_loss)
    first = min(snapshot.horizon, (n + 1) // 2) - 1
    assert math.isnan(snapshot.horizon_length) == (not there[first:].any())


def test_the_horizon_is_that_of_the_one_loss_that_counts() -> None:
    trainer = Trainer(tasks.Adding(20), cell="lstm", hidden_size=8, horizon=None, init="uniform", forget_bias=-2.0)
    snapshot = trainer.step()
    pieces = snapshot.surfaces["W_hh"][np.arange(20), np.arange(19, -1, -1)][::-1]  # by lag, of the last loss
    decayed = np.flatnonzero(pieces[1:] < 0.01 * pieces.max())[0] + 1
    assert snapshot.horizon_length == decayed < 15


def test_reset_and_one_seed_give_one_run() -> None:
    first, second = (Trainer(tasks.DelayedRecall(2, 6), hidden_size=5, record_every=3, seed=4) for _ in range(2))
    first.train(20)
    second.train(20)
    np.testing.assert_array_equal(first.rnn.parameters.vector, second.rnn.parameters.vector)
    expected = first.rnn.parameters.vector.copy()
    first.reset()
    first.train(20)
    np.testing.assert_array_equal(first.rnn.parameters.vector, expected)


@pytest.mark.parametrize("optimizer", ["adagrad", "sgd", "adam"])
def test_dense_inputs_are_trained_with_every_optimizer(optimizer: str) -> None:
    trainer = Trainer(tasks.DelayedRecall(1, 8), hidden_size=10, batch_size=4, init="uniform", optimizer=optimizer)
    trainer.learning_rate = 0.01 if optimizer == "adam" else 0.05
    before = trainer.evaluate(100).loss
    trainer.train(300)
    assert trainer.evaluate(100).loss < 0.6 * before


def test_an_lstm_solves_what_fits_into_its_memory() -> None:
    settings_: dict[str, Any] = {
        "hidden_size": 16,
        "batch_size": 8,
        "optimizer": "adam",
        "learning_rate": 0.01,
        "init": "uniform",
    }
    trainer = Trainer(tasks.TemporalOrder(20), cell="lstm", record_every=100, **settings_)
    assert not trainer.evaluate(200).solved
    trainer.train(600)
    found = trainer.evaluate(200)
    assert found.solved
    assert found.accuracy > 0.95
    assert found == trainer.evaluate(200)
    assert math.isnan(evaluate(RNN(2, 3, 1), tasks.Adding(5), 10).accuracy)


def test_whoever_always_says_the_same_is_right_as_often_as_that_is_the_answer() -> None:
    task = tasks.TemporalOrder()
    rnn = RNN(task.input_size, 3, task.output_size)
    rnn.parameters.vector[:] = 0
    rnn.parameters.b_o[0] = 1
    window = task.held_out(seed=0, count=100)
    found = evaluate(rnn, task, 100)
    assert found.accuracy == pytest.approx((window.targets[window.mask] == 0).mean())
    assert 0 < found.accuracy < 1


def test_streams_of_vectors_go_on_from_window_to_window() -> None:
    steps = np.arange(60)
    wave = np.stack([np.sin(steps / 3), np.cos(steps / 3)], axis=1)  # (N, 2)
    data = Stream(wave[:-1], wave[1:, :1], steps[1:] % 2 == 0, name="a wave")
    trainer = Trainer(data, hidden_size=6, seq_length=10, batch_size=2, record_every=1, init="uniform")
    run = trainer.train(4)
    assert [one.from_zero_state for one in run] == [True, False, True, False]
    assert [(one.start, one.stop) for one in run[0].streams] == [(0, 10), (29, 39)]
    inputs = run[1].streams[1].inputs
    assert inputs is not None
    np.testing.assert_allclose(inputs, wave[39:49], rtol=1e-6)
    assert trainer.epoch == 2
    assert "a wave" in repr(trainer)


def test_sequences_come_in_another_order_in_every_pass() -> None:
    inputs = np.arange(20).reshape(10, 2)
    data = Sequences(inputs, inputs % 3, vocabulary=["zero", "one", "two"])
    windows = data.windows(None, 3, seed=1)
    assert windows.per_epoch == 3
    passes = [[tuple(windows(batch).inputs[0]) for batch in range(3 * e, 3 * e + 3)] for e in range(2)]
    for one in passes:
        assert len({first for batch in one for first in batch}) == 9
    assert passes[0] != passes[1]
    np.testing.assert_array_equal(windows(0).inputs, data.windows(2, 3, seed=1)(0).inputs)
    assert windows(4).starts == windows(4).inputs[0].tolist()
    assert (data.vocabulary, data.input_size) == (("zero", "one", "two"), 20)
    assert data.windows(None, 1, seed=0)(5).inputs.shape == (2,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tasks.Adding(1), "length takes a whole number of at least 2, got 1"),
        (lambda: tasks.TemporalOrder(symbols=4), "symbols takes 2 or 3, got 4"),
        (lambda: tasks.TemporalOrder(5), "length takes a whole number of at least 10"),
        (lambda: tasks.CopyMemory(symbols=27), "symbols takes at most 26, got 27"),
        (lambda: tasks.DelayedRecall(5, 5), "length takes a whole number of at least 6, got 5"),
        (lambda: Trainer(tasks.Adding(9), seq_length=5), "seq_length takes None or 9 with adding problem, length 9"),
        (
            lambda: Trainer(tasks.Adding(9), RNN(3, 4)),
            "rnn takes input and output size 2 and 1, the data's; got 3 ",
        ),
        (
            lambda: Trainer("abcdefgh" * 9).evaluate(),
            "evaluate is for tasks, .* made up; text is none",
        ),
        (lambda: evaluate(RNN(2, 2), cast(Any, corpora.text("ab" * 50))), "task takes a Task, got Corpus"),
        (lambda: Stream([[1]], [0]), r"inputs takes whole numbers \(N,\) or vectors \(N, D\); got int64 of shape"),
        (
            lambda: Stream([1, 2], [0]),
            r"targets takes an entry for each step of inputs, shape \(2,\), got ",
        ),
        (lambda: Stream([True], [0]), "inputs takes whole numbers or vectors, got dtype bool"),
        (lambda: Stream([-1], [0]), "inputs takes whole numbers from 0 on, got -1"),
        (lambda: Stream([[np.nan]], [0]), "inputs takes finite numbers"),
        (lambda: Stream([0], [3], vocabulary=["a"]), "vocabulary takes a name for each of 4 numbers, got 1"),
        (
            lambda: Stream([[0.5]], [0], input_vocabulary=["a"]),
            "input_vocabulary is for whole numbers, and there ",
        ),
        (lambda: Stream([0], [0], [1]), "mask takes True and False"),
        (lambda: Trainer(Stream([0] * 9, [0] * 9), seq_length=10), "data takes at least seq_length = 10 steps"),
        (lambda: Sequences([0], [0]), r"inputs takes whole numbers \(count, n\)"),
        (
            lambda: Trainer(Sequences([[0]], [[0]]), batch_size=2),
            "batch_size takes at most 1, the sequences that ",
        ),
        (lambda: Trainer(Sequences([[0]], [[0]]), seq_length=2), "seq_length takes None or 1 with sequences"),
    ],
)
def test_bad_arguments_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_data_describes_itself() -> None:
    assert issubclass(corpora.Corpus, Data)
    about = corpora.text("abc" * 20).about
    assert (about.kind, about.inputs, about.fresh, about.baseline) == ("classes", None, False, None)
    about = tasks.Adding(9).about
    assert (about.kind, about.inputs, about.fresh, about.loss_unit) == ("values", "values", True, "")
    assert about.input_entries == ("number", "marker")
    assert about.loss_text(0.5) == "0.5 (baseline 0.167)"
    about = tasks.Reber(9).about
    assert (about.inputs, about.least_name) == (None, "entropy of the grammar")

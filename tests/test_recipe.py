"""A widget as one line of Python: run, it shows the same picture, in this process and in another one."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from executors import AtOnce

import rnnbow_widget
from rnnbow_widget import (
    RNN,
    Comparison,
    DivergedError,
    RNNbow,
    Run,
    Stream,
    Trainer,
    compare,
    corpora,
    examples,
    sweep,
    tasks,
)
from rnnbow_widget.protocol import pack_details, pack_overview


def value_of(line: str, **names: Any) -> Any:
    """What a line makes; its last statement is its value, as in a cell."""
    *statements, value = line.partition("  #")[0].split("; ")
    exec("; ".join(statements), names)
    return eval(value, names)


def evaluated(line: str, **names: Any) -> RNNbow:
    found = value_of(line, **names)
    assert isinstance(found, RNNbow)
    return found


def compared(line: str, **names: Any) -> Comparison:
    found = value_of(line, **names)
    assert isinstance(found, Comparison)
    return found


def recorded(run: Run) -> str:
    """A hash of everything that a run holds to be drawn."""
    digest = hashlib.sha256()
    for chunk in [*pack_overview(run.overview, slice(len(run))), *pack_details(run.details())]:
        digest.update(chunk)
    return digest.hexdigest()


def drawn(widget: RNNbow) -> str:
    """A hash of everything that is drawn, and of how."""
    digest = hashlib.sha256(recorded(widget.run).encode())
    names = ("selected", "measure", "form", "quantity", "overlay", "log_scale", "stream", "surface", "learning_rate")
    view = {name: getattr(widget, name) for name in (*names, "horizon", "record_every")}
    digest.update(json.dumps(view).encode())
    return digest.hexdigest()


def as_it_comes() -> RNNbow:
    widget = RNNbow(corpora.c_headers(), hidden_size=8, record_every=3)
    widget.train(10)
    return widget


def with_everything_changed() -> RNNbow:
    widget = RNNbow(
        "one line, or two. " * 30,
        cell="lstm",
        hidden_size=6,
        forget_bias=2.0,
        num_layers=2,
        seq_length=9,
        batch_size=2,
        horizon="auto",
        record_every=2,
        optimizer="adam",
        learning_rate=0.01,
        clip_norm=1.0,
        dtype="float64",
        seed=5,
        surfaces=["h"],
        measure="share",
        form="heatmap",
        quantity="loss",
        overlay="accuracy",
        log_scale=True,
        stream=1,
    )
    widget.train(5)
    widget.learning_rate = 0.02
    widget.step()
    widget.step()
    assert widget.trainer is not None
    widget.trainer.clip_norm = None
    widget.record_every = 3
    widget.horizon = 4
    widget.train(9)
    widget.surface = "W_hh"
    widget.trainer.surfaces = None
    widget.select(6)
    return widget


def after_a_reset() -> RNNbow:
    widget = RNNbow(tasks.Adding(12), hidden_size=5, batch_size=3, record_every=2)
    widget.train(5)
    widget.learning_rate = 0.03
    widget.step()
    widget.reset()
    widget.train(4)
    return widget


def an_example() -> RNNbow:
    return RNNbow(examples.vanishing(), measure="share")


def with_a_network_of_another_seed() -> RNNbow:
    text = corpora.c_headers()
    size = len(text.vocabulary)
    rnn = RNN(size, 4, size, cell="lstm", forget_bias=2.0, seed=2, dtype="float64")
    widget = RNNbow(Trainer(text, rnn, record_every=2, seed=7))
    widget.train(3)
    return widget


MADE = [as_it_comes, with_everything_changed, after_a_reset, an_example, with_a_network_of_another_seed]


@pytest.mark.parametrize("made", MADE)
def test_the_line_shows_the_same_picture(made: Callable[[], RNNbow]) -> None:
    widget = made()
    again = evaluated(widget.code())
    assert drawn(again) == drawn(widget)
    assert again.code() == widget.code()
    assert again.trainer is not None
    assert widget.trainer is not None
    assert again.trainer.settings == widget.trainer.settings


def test_the_same_in_another_process_with_other_threads() -> None:
    widget = an_example()
    script = f"{widget.code()}\nimport sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    script += "from test_recipe import drawn; print(drawn(w))"
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **threads}, check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == drawn(widget)


def test_only_what_differs_from_the_usual_is_told() -> None:
    assert RNNbow(corpora.c_headers()).code() == (
        "from rnnbow_widget import RNNbow, corpora; w = RNNbow(corpora.c_headers(), seed=0); w"
    )


@pytest.mark.parametrize(
    "task",
    [
        tasks.Adding(11),
        tasks.TemporalOrder(20, 3),
        tasks.CopyMemory(4, 3, 5),
        tasks.DelayedRecall(2, 9),
        tasks.Reber(12),
        tasks.EmbeddedReber(13),
        tasks.AnBn(4, 15),
    ],
)
def test_every_task_knows_how_it_is_made(task: tasks.Task) -> None:
    again = eval(task.code or "", {"tasks": tasks})
    assert type(again) is type(task)
    first, second = (one.windows(None, 2, 3)(1) for one in (task, again))
    np.testing.assert_array_equal(first.inputs, second.inputs)
    np.testing.assert_array_equal(first.targets, second.targets)


def test_what_no_line_can_hold_is_a_name_that_a_comment_explains(tmp_path: Path) -> None:
    inputs = np.random.default_rng(0).normal(size=(40, 2))
    data = Stream(inputs, inputs)
    widget = RNNbow(data, hidden_size=4, seq_length=5)
    widget.train(3)
    assert "# data: your own" in widget.code()
    assert drawn(evaluated(widget.code(), data=data)) == drawn(widget)
    text = corpora.c_headers()
    size = len(text.vocabulary)
    rnn = RNN(size, 4, size)
    rnn._given = rnn.parameters.vector.copy()
    rnn.init = "given"
    assert "RNNbow(corpora.c_headers(), seed=0, rnn=rnn)" in RNNbow(Trainer(text, rnn)).code()
    assert "RNNbow(run)" in RNNbow(Run(("a", "b"))).code()
    path = tmp_path / "run.rnnbow"
    as_it_comes().run.save(path)
    opened = RNNbow(path, measure="share")
    assert drawn(evaluated(opened.code())) == drawn(opened)


def test_a_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("a b c d " * 20)
    widget = RNNbow(path, hidden_size=4)
    widget.train(2)
    assert repr(str(path)) in widget.code()
    assert drawn(evaluated(widget.code())) == drawn(widget)


def drawn_by(comparison: Comparison) -> dict[str, Any]:
    """What a comparison draws, and how."""
    names = ("selected", "measure", "form", "quantity", "log_scale", "scale", "stream")
    return {
        **{name: getattr(comparison, name) for name in names},
        **{name: recorded(run) for name, run in comparison.runs.items()},
        "sentence": comparison.sentence(),
    }


def two_cells() -> Comparison:
    both = compare("tanh", "lstm", data=corpora.c_headers(), hidden_size=6, record_every=5, seed=2, scale="own")
    both.train(21)
    both.select(10)
    return both


def with_a_step_and_a_name() -> Comparison:
    text = "one line, or two. " * 30
    first, second = (Trainer(text, hidden_size=6, seq_length=9, batch_size=2, record_every=4, seed=s) for s in (0, 1))
    named: dict[str, Any] = {"my own": second}
    both = compare(first, **named, measure="share", stream=1)
    both.train(6)
    both.step()
    second.learning_rate = 0.02
    both.train(5)
    return both


def of_networks_of_other_seeds() -> Comparison:
    text = corpora.c_headers()
    size = len(text.vocabulary)
    small, large = (Trainer(text, RNN(size, width, size, seed=3), record_every=2, seed=7) for width in (4, 5))
    both = compare(large=large, small=small, log_scale=True)
    both.train(3)
    return both


@pytest.mark.parametrize("made", [two_cells, with_a_step_and_a_name, of_networks_of_other_seeds])
def test_the_line_of_a_comparison_shows_the_same(made: Callable[[], Comparison]) -> None:
    both = made()
    again = compared(both.code())
    assert drawn_by(again) == drawn_by(both)
    assert again.code() == both.code()
    assert [trainer.settings for trainer in again.trainers.values()] == [
        trainer.settings for trainer in both.trainers.values()
    ]


def test_a_comparison_trains_together_where_nothing_else_was_done() -> None:
    assert two_cells().code() == (
        "from rnnbow_widget import Trainer, compare, corpora; data = corpora.c_headers(); "
        "a = Trainer(data, hidden_size=6, seed=2, horizon=None, record_every=5); "
        "b = Trainer(data, cell='lstm', hidden_size=6, seed=2, horizon=None, record_every=5); "
        "w = compare(a, b, scale='own'); w.train(21); w.select(10); w"
    )


def test_a_side_that_diverged_does_not_stop_the_line() -> None:
    settings: dict[str, Any] = {"clip_value": None, "record_every": 1, "hidden_size": 4, "seq_length": 8}
    both = compare({"learning_rate": 1e30}, {"learning_rate": 0.1}, data="hello, world. " * 40, **settings)
    with np.errstate(all="ignore"):
        both.train(12)
        assert both._lockstep is not None
        assert [isinstance(error, DivergedError) for error in both._lockstep.diverged] == [True, False]
        again = compared(both.code())
    assert drawn_by(again) == drawn_by(both)


def test_sides_that_no_line_can_make_are_names_that_a_comment_explains(tmp_path: Path) -> None:
    both = two_cells()
    first, second = both.runs.values()
    second.save(tmp_path / "second.rnnbow")
    mixed = compare(first, tmp_path / "second.rnnbow")
    assert "compare(a, " in mixed.code()
    assert mixed.code().endswith("  # a: a finished run of your own")
    assert drawn_by(compared(mixed.code(), a=first)) == drawn_by(mixed)
    inputs = np.random.default_rng(0).normal(size=(40, 2))
    data = Stream(inputs, inputs)
    own = compare("tanh", "gru", data=data, hidden_size=4, seq_length=5)
    own.train(3)
    assert own.code().count("data: your own") == 1
    assert drawn_by(compared(own.code(), data=data)) == drawn_by(own)


@pytest.mark.parametrize("own", [False, True])
def test_the_line_of_a_sweep_trains_the_same_and_shows_the_same(own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rnnbow_widget, "sweep", partial(sweep, executor=AtOnce()))
    inputs = np.random.default_rng(0).normal(size=(40, 2))
    data = Stream(inputs, inputs) if own else corpora.text("a b c d " * 20)
    rates = np.array([0.1, 0.01], np.float32)
    settings: dict[str, Any] = {"hidden_size": 3, "seq_length": 4, "horizon": None, "record_every": 2}
    made = rnnbow_widget.sweep(data, {"cell": ["tanh", "gru"], "learning_rate": list(rates)}, batches=5, **settings)
    made.wait(60)
    line = made.code()
    assert ("# data: your own" in line) == own
    assert "show" not in line
    assert "sort_by" not in line
    made.show(2, 1)
    made.sort_by, made.descending = "loss", True
    again = value_of(made.code(), **({"data": data} if own else {}))
    assert [(trial.settings, trial.loss) for trial in again.trials] == [
        (trial.settings, trial.loss) for trial in made.trials
    ]
    assert (again.opened, again.sort_by, again.descending) == ((2, 1), "loss", True)


def test_an_attempt_is_the_call_with_arrays_as_names() -> None:
    rnn = RNN(5, 3, 5, seed=1, dtype="float64")
    inputs, targets = [0, 1, 2, 3], [1, 2, 3, 4]
    gradients = {"W_hh": np.ones((3, 3))}
    view = RNNbow.from_arrays(rnn, inputs, targets, gradients=gradients)
    view.measure = "share"
    assert view.code() == (
        "from rnnbow_widget import RNNbow; w = RNNbow.from_arrays(weights, inputs, targets, gradients=gradients); "
        "w.measure = 'share'; w  # weights, inputs, targets, gradients: your own, of the newest batch that was checked"
    )
    again = value_of(view.code(), weights=rnn, inputs=inputs, targets=targets, gradients=gradients)
    assert again.sentence() == view.sentence()
    assert again.measure == "share"

"""Arguments of what takes arrays, modules and grids of one's own, given what they do not take; see `test_bad_input`."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from bad_arguments import SMALL, TEXT, Case, try_all
from executors import AtOnce

from rnnbow_widget import RNN, Attempt, RNNbow, Trainer, bptt, compare, sweep
from rnnbow_widget.lightning import WatchCallback
from rnnbow_widget.torch import watch


def attempts() -> Iterator[Case]:
    rnn = RNN(5, 3, seed=1, dtype="float64")
    tokens, targets = [0, 1, 2], [1, 2, 3]
    forward = rnn.forward(tokens, targets)
    weights = dict(rnn.parameters)
    arrays = {
        "state": None,
        "mask": None,
        "hidden": None,
        "probabilities": None,
        "loss": None,
        "delta": None,
        "terms": None,
        "pieces": None,
        "gradients": {"dWhh": bptt(rnn, forward).parameters["W_hh"]},
        "batch": None,
    }
    given = {"weights": weights, "inputs": tokens, "targets": targets, **arrays}
    of_attempt = {"cell": "tanh", "vocabulary": (), "tolerance": None, "name": "x"}
    yield Case("from_arrays", RNNbow.from_arrays, {**given, **of_attempt})
    yield Case("Attempt", Attempt, of_attempt)


def loops() -> Iterator[Case]:
    settings: dict[str, Any] = {
        "every": 2,
        "horizon": 2,
        "streams": 1,
        "surfaces": None,
        "head": None,
        "targets": None,
        "vocabulary": (),
        "name": "x",
        "memory_limit": 1e6,
    }

    def watched(module: Any, **given: Any) -> None:
        watch(module, **given).close()

    yield Case("watch", watched, {"module": torch.nn.RNN(2, 3), **settings})
    yield Case("WatchCallback", WatchCallback, {"module": torch.nn.LSTM(2, 3), **settings})


def between(one: Any, other: Any) -> None:
    compare(one, other)


def widgets(folder: Path) -> Iterator[Case]:
    def swept(**given: Any) -> None:
        sweep(**{"executor": AtOnce(), **given}, **SMALL).cancel()

    grid = {"cell": ["tanh"], "learning_rate": [0.1]}
    given: dict[str, Any] = {
        "data": TEXT,
        "grid": grid,
        "batches": 1,
        "seeds": None,
        "folder": folder / "trials",
        "overwrite": True,
    }
    yield Case("sweep", swept, given, also_named={"grid": "Trainer"}, free=frozenset({"data"}))
    chosen = {"measure": "norm", "form": "auto", "quantity": "loss", "log_scale": True, "scale": "own", "stream": None}
    trained = {"hidden_size": 3, "seq_length": 4, "record_every": 2, "seed": 0, "learning_rate": 0.1}
    yield Case("compare", partial(compare, "tanh", "gru", data=TEXT), {**chosen, **trained})
    yield Case(
        "compare(runs)",
        between,
        {"one": Trainer(TEXT, **SMALL), "other": Trainer(TEXT, **SMALL)},
        also_named={"one": "compare", "other": "compare"},
    )


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_every_argument_takes_what_it_takes_or_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: Callable[[str, int], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    cases = try_all([*attempts(), *loops(), *widgets(tmp_path)])
    tried("arguments of attempts, loops elsewhere, sweeps and comparisons", cases)

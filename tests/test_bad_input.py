"""Every argument of what people call, given what it does not take."""

import gc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_arguments import SMALL, TEXT, Case, try_all

from rnnbow_widget import (
    RNN,
    RNNbow,
    Run,
    Sequences,
    Stream,
    Trainer,
    compare,
    corpora,
    itemize,
    itemized_bptt,
    itemized_delta,
    itemized_layers,
    tasks,
)


def made_trainer(**settings: Any) -> Trainer:
    return Trainer(TEXT, **{**SMALL, "record_every": 2, "batch_size": 2, **settings})


def cases(folder: Path) -> Iterator[Case]:  # noqa: PLR0915  # one list
    trainer = made_trainer()
    trainer.train(7)
    run = trainer.run
    rnn = RNN(5, 3, seed=0, dtype=np.float64)
    tokens = np.arange(7) % 5
    forward = rnn.forward(tokens[:-1], tokens[1:])
    deep = RNN(5, 3, num_layers=2, bidirectional=True, seed=0)
    deep_forward = deep.forward(tokens[:-1], tokens[1:])
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(9, 6, 2))
    yield Case(
        "RNN",
        RNN,
        {
            "input_size": 5,
            "hidden_size": 3,
            "output_size": 4,
            "cell": "lstm",
            "init": "normal",
            "forget_bias": 1.0,
            "num_layers": 1,
            "bidirectional": False,
            "seed": 0,
            "dtype": np.float32,
        },
    )
    yield Case(
        "Trainer",
        Trainer,
        {
            "data": TEXT,
            "rnn": None,
            "cell": "lstm",
            "hidden_size": 3,
            "init": "normal",
            "forget_bias": 1.0,
            "num_layers": 1,
            "bidirectional": False,
            "dtype": np.float32,
            "seed": 0,
            "seq_length": 4,
            "batch_size": 2,
            "horizon": 2,
            "surfaces": ["W_hh"],
            "tolerance": 0.1,
            "record_every": 3,
            "learning_rate": 0.1,
            "optimizer": "adagrad",
            "clip_value": 5.0,
            "clip_norm": None,
            "memory_limit": 1e6,
            "overwrite": False,
        },
    )
    yield Case("Trainer(save=)", partial(saving, folder), {"save": folder / "one.rnnbow"})
    for name in ("learning_rate", "horizon", "record_every", "surfaces", "tolerance"):
        yield Case(f"trainer.{name}", partial(assigned, made_trainer()), {name: getattr(trainer, name)})
    yield Case("trainer.train", made_trainer().train, {"batches": 2})
    yield Case("trainer.replay", trainer.replay, {"batch": 2})
    yield Case(
        "trainer.sample", trainer.sample, {"length": 5, "temperature": 1.0, "prompt": "t"}, free=frozenset({"prompt"})
    )
    yield Case("trainer.evaluate", Trainer(tasks.Adding(5), **SMALL | {"seq_length": None}).evaluate, {"sequences": 4})
    yield Case("rnn.forward", rnn.forward, {"inputs": tokens, "targets": tokens, "state": None, "mask": None})
    yield Case(
        "rnn.sample",
        rnn.sample,
        {"token": 1, "length": 3, "state": None, "temperature": 1.0, "context": 2, "generator": generator},
    )
    yield Case("rnn.zero_state", rnn.zero_state, {"streams": 2})
    yield Case(
        "itemized_bptt",
        itemized_bptt,
        {"rnn": rnn, "forward": forward, "horizon": 2, "epsilon": 0.1, "measures": ("norm",), "gradients": None},
    )
    yield Case("itemized_delta", itemized_delta, {"rnn": rnn, "forward": forward, "horizon": 2, "epsilon": 0.1})
    yield Case(
        "itemized_layers",
        itemized_layers,
        {"rnn": deep, "forward": deep_forward, "horizon": 2, "measures": ("norm",), "gradients": None},
    )
    weights = {"weight_ih_l0": np.ones((3, 2)), "weight_hh_l0": np.ones((3, 3)), "bias_ih_l0": np.ones(3)}
    yield Case(
        "itemize",
        itemize,
        {
            "weights": {**weights, "bias_hh_l0": np.ones(3)},
            "inputs": np.ones((4, 1, 2)),
            "gradients": np.ones((4, 1, 3)),
            "cell": "tanh",
            "state": None,
            "lengths": None,
            "outputs": None,
            "targets": None,
            "logits": None,
            "vocabulary": (),
            "horizon": 2,
            "surfaces": None,
            "name": "x",
            "batch": 0,
            "run": None,
        },
    )
    for kind, arrays in ((Stream, tokens), (Sequences, vectors)):
        yield Case(
            kind.__name__,
            kind,
            {
                "inputs": arrays,
                "targets": arrays,
                "mask": None,
                "name": "x",
                "vocabulary": None,
                "input_vocabulary": None,
            },
        )
    yield Case("Adding", tasks.Adding, {"length": 9})
    yield Case("TemporalOrder", tasks.TemporalOrder, {"length": 20, "symbols": 2})
    yield Case("CopyMemory", tasks.CopyMemory, {"lag": 5, "length": 2, "symbols": 3})
    yield Case("DelayedRecall", tasks.DelayedRecall, {"delay": 3, "length": 10})
    yield Case("Reber", tasks.Reber, {"length": 9})
    yield Case("EmbeddedReber", tasks.EmbeddedReber, {"length": 20})
    yield Case("AnBn", tasks.AnBn, {"most": 4, "length": 20})
    yield Case("corpora.text", corpora.text, {"source": TEXT, "name": "x"}, free=frozenset({"source"}))
    yield Case("Run", Run, {"vocabulary": ("a", "b"), "settings": {}, "about": None, "memory_limit": 1e6})
    yield Case("Run.open", Run.open, {"path": folder / "saved.rnnbow", "memory_limit": 1e6})
    yield Case("run.save", run.save, {"path": folder / "again.rnnbow", "overwrite": True})
    for name in ("at", "nearest_held", "index_of"):
        yield Case(f"run.{name}", getattr(run, name), {"batch": 2})
    yield Case("run.surface", run.surface, {"batch": 2, "surface": "W_ih", "measure": "norm"})
    yield Case("run.column", run.column, {"name": "max_gradient", "surface": "W_hh", "measure": "norm"})
    yield Case("run.to_xarray", run.to_xarray, {"batches": [2], "stream": 1})
    yield Case(
        "run.to_html",
        run.to_html,
        {"file": folder / "page.html", "title": "x", "max_bytes": 10**6, "selected": 2, **CHOICES},
    )
    yield Case(
        "run.to_svg", run.to_svg, {"batch": 2, "surface": "W_hh", "measure": "norm", "stream": 1, "quantity": "loss"}
    )
    for name in ("bar_heights", "max_gradient", "mean_gradient", "beyond_share"):
        yield Case(f"snapshot.{name}", getattr(run[0], name), {"surface": "W_hh", "measure": "norm"})
    shown = {**CHOICES, "overlay": "loss", "surface": "W_hh"}
    yield Case("RNNbow", RNNbow, {"source": TEXT, **shown, **SMALL, "batch_size": 2}, {"source": "data"})
    widget = RNNbow(made_trainer())
    widget.train(5)
    for name, value in {
        **CHOICES,
        "selected": 2,
        "surface": "W_hh",
        "learning_rate": 0.1,
        "horizon": 2,
        "record_every": 3,
    }.items():
        yield Case(f"widget.{name}", partial(assigned, widget), {name: value})
    yield Case("widget.train", widget.train, {"batches": 2})
    yield Case("widget.select", widget.select, {"batch": 2})
    yield Case("compare", partial(compare, "tanh", "gru", **SMALL), {"data": TEXT})


CHOICES = {"measure": "norm", "form": "auto", "quantity": "loss", "log_scale": True, "stream": 1}


def saving(folder: Path, save: Any) -> None:
    trainer = Trainer(TEXT, **SMALL, save=save, overwrite=True)
    trainer.train(2)


def assigned(holder: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(holder, name, value)


def test_every_argument_takes_what_it_takes_or_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: Callable[[str, int], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    made_trainer(save=tmp_path / "saved.rnnbow").train(3)
    gc.collect()
    tried("arguments of what people call", try_all(cases(tmp_path)))

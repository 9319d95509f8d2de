"""Trains the examples of the gallery, and writes each as a page that is one file: ``python scripts/gallery.py FOLDER``.

All are seeded. docs/gallery.md says what is to be seen in them.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rnnbow_widget import RNN, DivergedError, Run, Trainer, corpora, tasks

MAX_BYTES = 900_000


def vanishing() -> Run:
    """A tanh network: 10 batches between two that are recorded, all lags."""
    return _text(hidden_size=64, seq_length=40, horizon=None, record_every=10).train(600)


def exploding() -> Run:
    """Rectified units that begin with the identity, trained without clipping until the loss is not finite."""
    trainer = _text(
        cell="relu",
        init="identity",
        hidden_size=64,
        seq_length=40,
        horizon=None,
        record_every=1,
        optimizer="sgd",
        learning_rate=0.002,
        clip_value=None,
    )
    with suppress(DivergedError):
        trainer.train(100)
    return trainer.run


def carousel() -> Run:
    """An LSTM whose forget gates begin open."""
    return _text(
        cell="lstm", forget_bias=3, hidden_size=48, seq_length=40, horizon=None, record_every=20, surfaces=["W_hh", "c"]
    ).train(600)


def depth() -> Run:
    """Three layers of tanh units, of which every one is recorded."""
    return _text(num_layers=3, hidden_size=48, record_every=20, learning_rate=0.02).train(600)


def both_directions() -> Run:
    """A layer that reads in both directions, and so can see what it is to predict."""
    return _text(bidirectional=True, hidden_size=48, horizon=None, record_every=20, learning_rate=0.05).train(500)


def adding() -> Run:
    """An LSTM that comes to solve the adding problem of 20 steps."""
    network = RNN(2, 24, 1, cell="lstm", init="uniform", forget_bias=3.0, seed=0)
    trainer = Trainer(
        tasks.Adding(20),
        network,
        batch_size=16,
        optimizer="adam",
        learning_rate=0.01,
        clip_value=None,
        clip_norm=1.0,
        record_every=25,
        horizon=None,
        seed=0,
    )
    return trainer.train(750)


def _text(**settings: Any) -> Trainer:
    return Trainer(corpora.c_headers(), seed=0, **settings)


# What to train, the page's heading, and what it shows first.
EXAMPLES: dict[str, tuple[Callable[[], Run], str, dict[str, Any]]] = {
    "vanishing": (vanishing, "A gradient that vanishes", {"overlay": "horizon_length"}),
    "exploding": (exploding, "A gradient that explodes", {"log_scale": True, "selected": 57}),
    "carousel": (carousel, "An LSTM's carousel", {"surface": "c", "selected": 0}),
    "depth": (depth, "Three layers", {}),
    "both_directions": (both_directions, "Both directions", {}),
    "adding": (adding, "The adding problem", {"quantity": "loss", "log_scale": True, "stream": 0}),
}


def main(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (train, title, shown) in EXAMPLES.items():
        train().to_html(folder / f"{name}.html", title=title, max_bytes=MAX_BYTES, **shown)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A real `Trainer` of Lightning, watched by a callback."""

import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from saving import reader_of
from torch.utils.data import DataLoader

from rnnbow_widget import Run
from rnnbow_widget.torch import watch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own imports
    from lightning.pytorch import LightningModule, Trainer

    from rnnbow_widget.lightning import WatchCallback


class Model(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = torch.nn.LSTM(3, 8, 2, batch_first=True), torch.nn.Linear(8, 4)
        self.losses: list[float] = []

    def loss(self, batch: Any) -> torch.Tensor:
        x, y = batch
        return torch.nn.functional.cross_entropy(self.head(self.lstm(x)[0]).flatten(0, 1), y.flatten())

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        loss = self.loss(batch)
        self.losses.append(loss.item())
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        self.loss(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.01)


def batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(2, 6, 3, generator=generator), torch.randint(0, 4, (2, 6), generator=generator)) for _ in range(7)
    ]


def make() -> Model:
    torch.manual_seed(0)
    return Model()


def fit(model: Model, folder: Path, *callbacks: Any) -> Model:
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
        default_root_dir=folder,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Lightning's: how many workers load the data, and the like
        training, validation = (DataLoader(cast(Any, data), batch_size=None) for data in (batches(), batches()[:2]))
        trainer.fit(model, training, validation)
    return model


def test_it_records_what_watch_records_beside_a_loop_and_changes_nothing(tmp_path: Path) -> None:
    model = make()
    callback = WatchCallback(
        model, 3, streams=2, head=model.head, targets=lambda batch: batch[1], save=tmp_path / "fit.rnnbow"
    )
    assert not len(callback.run)
    fit(model, tmp_path, callback)
    plain = fit(make(), tmp_path)
    assert model.losses == plain.losses
    for own, other in zip(model.parameters(), plain.parameters(), strict=True):
        np.testing.assert_array_equal(own.detach(), other.detach())

    looped = make()
    optimizer = looped.configure_optimizers()
    y = torch.empty(0)
    with watch(looped, 3, streams=2, head=looped.head, targets=lambda: y) as watching:
        for x, y in batches() * 2:
            loss = looped.loss((x, y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert callback.watching.trouble == watching.trouble == ""
    assert callback.run.batches.tolist() == watching.run.batches.tolist() == [0, 3, 6, 9, 12]
    for snapshot, looked_at in zip(callback.run, watching.run, strict=True):
        assert snapshot.streams[1].targets == looked_at.streams[1].targets
        assert snapshot.streams[1].predictions == looked_at.streams[1].predictions
        for name, surface in snapshot.surfaces.items():
            np.testing.assert_array_equal(surface, looked_at.surfaces[name])
    opened = Run.open(tmp_path / "fit.rnnbow")
    assert opened.batches.tolist() == [0, 3, 6, 9, 12]
    assert reader_of(opened).activity.startswith("paused")


def test_a_fit_that_fails_ends_watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make()
    callback = WatchCallback(model, 1)
    monkeypatch.setattr(model, "training_step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fit(model, tmp_path, callback)
    assert not model.lstm._forward_hooks


def test_what_cannot_be_watched_is_refused_before_it_trains() -> None:
    with pytest.raises(ValueError, match="dropout between the layers"):
        WatchCallback(torch.nn.LSTM(3, 4, 2, dropout=0.1))
    with pytest.raises(TypeError, match="targets takes a function"):
        WatchCallback(torch.nn.RNN(3, 4), targets=cast(Any, torch.zeros(3)), vocabulary="a")

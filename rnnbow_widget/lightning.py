"""Watches recurrent layers while a `Trainer` of Lightning trains them. Imports Lightning; nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from .records import MEMORY_LIMIT
from .run import Run
from .torch import Watch


class WatchCallback(Callback):
    """Itemizes gradients while a `Trainer` fits a model: ``Trainer(callbacks=[WatchCallback(model, every=100)])``.

    It does what `watch` does, from the first training batch to the end of ``fit``. Validation is not looked at. Where
    several processes train, that of rank 0 watches.

    Parameters
    ----------
    module, every, horizon, streams, surfaces, head, vocabulary, name, memory_limit, save :
        As for `watch`.
    targets : callable, optional
        Called with the batch of a watched step, as the data loader gave it; returns what `watch` takes.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind that `watch` takes.

    Attributes
    ----------
    watching : Watch
        What watches.
    run : Run
        What was recorded; ``RNNbow(callback.run)`` shows it, also before and while it grows.

    Examples
    --------
    >>> import torch
    >>> from rnnbow_widget.lightning import WatchCallback
    >>> model = torch.nn.ModuleDict({"layers": torch.nn.LSTM(3, 4)})  # or a LightningModule that has them
    >>> callback = WatchCallback(model, every=10)  # then Trainer(callbacks=[callback]).fit(model)
    >>> len(callback.run)
    0
    """

    def __init__(
        self,
        module: torch.nn.Module,
        every: int = 100,
        horizon: int | None = None,
        *,
        streams: int = 1,
        surfaces: Sequence[str] | None = None,
        head: torch.nn.Linear | None = None,
        targets: Callable[[Any], torch.Tensor] | None = None,
        vocabulary: Sequence[str] = (),
        name: str = "",
        memory_limit: float = MEMORY_LIMIT,
        save: str | PathLike[str] | None = None,
    ) -> None:
        self._batch: Any = None
        self.watching = Watch(
            module,
            every,
            horizon,
            streams=streams,
            surfaces=surfaces,
            head=head,
            targets=(lambda: targets(self._batch)) if callable(targets) else targets,
            vocabulary=vocabulary,
            name=name,
            memory_limit=memory_limit,
            save=save,
        )

    @property
    def run(self) -> Run:
        """What was recorded."""
        return self.watching.run

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to watch."""
        self.watching.start()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Note the batch, of which `targets` is asked."""
        self._batch = batch

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End watching."""
        self._end()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """End watching: `fit` has failed, or was interrupted."""
        self._end()

    def _end(self) -> None:
        self._batch = None
        self.watching.close()

"""A script that `torchrun` starts in several processes: a loop under DDP, watched in all of them or in none.

Every process writes its losses, weights and gradients to ``FOLDER/NAME-RANK.npz``.
"""

import gc
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel

from rnnbow_widget.torch import watch


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = torch.nn.LSTM(3, 8, 2, batch_first=True), torch.nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.lstm(x)[0])
        return out


def main(folder: Path, name: str) -> None:
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    torch.manual_seed(0)
    model = DistributedDataParallel(Model())
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    watching = watch(model, 2, streams=2, save=folder / "ranks.rnnbow") if name == "watched" else None
    generator = torch.Generator().manual_seed(rank)
    losses, gradients = [], []
    for _ in range(5):
        x, y = torch.randn(2, 6, 3, generator=generator), torch.randint(0, 4, (2, 6), generator=generator)
        loss = torch.nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        for weight in model.parameters():
            assert weight.grad is not None
            gradients.append(weight.grad.clone().flatten())
        optimizer.step()
        losses.append(loss.item())
    weights = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    recorded = []
    if watching:
        assert watching.trouble == ""
        watching.close()
        recorded = watching.run.batches.tolist()
    np.savez(
        folder / f"{name}-{rank}.npz", losses=losses, gradients=torch.cat(gradients), weights=weights, recorded=recorded
    )
    # DDP holds the group, whose threads are joined when nothing does: one that still lets go of a tensor while the
    # interpreter ends aborts the process.
    del model, optimizer, watching
    gc.collect()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

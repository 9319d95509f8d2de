"""A real run of two processes under DDP, started by `torchrun`: gloo, on the CPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ranks import Model

from rnnbow_widget import Run
from rnnbow_widget.torch import watch

SCRIPT = Path(__file__).with_name("ranks.py")
PATIENCE_SECONDS = 300


def run_two(folder: Path, name: str) -> list[dict[str, np.ndarray]]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(SCRIPT)]
    ended = subprocess.run(
        [*command, str(folder), name],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return [dict(np.load(folder / f"{name}-{rank}.npz")) for rank in range(2)]


def test_every_rank_keeps_its_numbers_and_rank_0_records(tmp_path: Path) -> None:
    plain, watched = run_two(tmp_path, "plain"), run_two(tmp_path, "watched")
    for own, other in zip(plain, watched, strict=True):
        for name in ("losses", "gradients", "weights"):
            np.testing.assert_array_equal(own[name], other[name])
    assert plain[0]["losses"].tolist() != plain[1]["losses"].tolist(), "each has its own part of the batch"
    np.testing.assert_array_equal(plain[0]["weights"], plain[1]["weights"])
    assert watched[0]["recorded"].tolist() == [0, 2, 4]
    assert watched[1]["recorded"].tolist() == []

    opened = Run.open(tmp_path / "ranks.rnnbow")
    assert opened.batches.tolist() == [0, 2, 4]
    # The first step, by rank 0 alone: its own loss, before gradients are averaged over processes.
    torch.manual_seed(0)
    model, generator = Model(), torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 6, 3, generator=generator), torch.randint(0, 4, (2, 6), generator=generator)
    with watch(model, streams=2) as watching:
        torch.nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()
    for name, surface in watching.run[-1].surfaces.items():
        assert opened[0].surfaces[name] == pytest.approx(surface, rel=1e-4, abs=1e-9)

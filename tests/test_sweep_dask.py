"""A sweep on a real cluster of Dask: workers, a scheduler and messages between them, on this machine."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Client, LocalCluster, Worker

from rnnbow_widget import Sweep, Trainer, sweep, tasks

SETTINGS: dict[str, Any] = {"hidden_size": 8, "record_every": 10, "batch_size": 2}
SECONDS = 120

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def start(client: Client, folder: Path, batches: int, grid: dict[str, Any]) -> Sweep:
    return sweep(tasks.Adding(12), grid, batches=batches, executor=client.get_executor(), folder=folder, **SETTINGS)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline


def wait_until_one_trains(found: Sweep) -> None:
    wait_until(lambda: "training" in [row["status"] for row in found.get_state("_table")["_table"]["rows"]])


def test_trials_train_on_the_clusters_workers_and_come_back_as_runs(client: Client, tmp_path: Path) -> None:
    found = start(client, tmp_path, 60, {"cell": ["tanh", "gru"], "seed": [0, 1, 2]})
    found.wait(SECONDS)
    assert [trial.status for trial in found.trials] == ["done"] * 6, found
    for trial in found.trials:
        expected = Trainer(tasks.Adding(12), horizon=None, **SETTINGS, **trial.settings).train(60)
        assert np.array_equal(trial.run.column("loss"), expected.column("loss"))
        assert np.array_equal(trial.run.column("horizon_length"), expected.column("horizon_length"))


def test_a_worker_of_the_cluster_that_is_killed_costs_no_other_trial(client: Client, tmp_path: Path) -> None:
    found = start(client, tmp_path, 6000, {"seed": [0, 1, 2, 3]})
    wait_until_one_trains(found)
    ended: dict[str, int] = client.run(os.getpid)
    os.kill(next(iter(ended.values())), 9)
    found.wait(SECONDS)
    assert [trial.status for trial in found.trials] == ["done"] * 4, found
    assert {len(trial.run) for trial in found.trials} == {600}


def test_cancelling_reaches_the_workers(client: Client, tmp_path: Path) -> None:
    found = start(client, tmp_path, 10**9, {"seed": [0, 1, 2]})
    wait_until_one_trains(found)
    found.cancel()
    found.wait(SECONDS)
    assert {trial.status for trial in found.trials} == {"cancelled"}

    def is_idle(dask_worker: Worker) -> bool:
        return not dask_worker.state.executing

    wait_until(lambda: all(client.run(is_idle).values()))

"""Sweeps without a browser: what they take, who trains, what comes back, and what goes wrong."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dying import AT, DEADLY, RAISING, Dying
from executors import Elsewhere, Later

from rnnbow_widget import RNNbow, Run, Trainer, corpora, sweep, tasks
from rnnbow_widget import trial as trial_module
from rnnbow_widget.local_processes import LocalProcesses, WorkerError
from rnnbow_widget.trials import Trials

TEXT = "abcde fghij " * 60
SETTINGS: dict[str, Any] = {"hidden_size": 5, "record_every": 5, "seq_length": 10}
SECONDS = 60


def small(grid: Any, data: Any = TEXT, **changes: Any) -> Trials:
    return Trials(data, grid, **{**SETTINGS, "batches": 40, **changes})


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_every_combination_is_tried_in_order_with_every_seed(threads: Executor) -> None:
    trials = small({"cell": ["tanh", "gru"], "learning_rate": [0.1, 0.01]}, seeds=range(2), executor=threads)
    expected = [
        {"cell": cell, "learning_rate": rate, "seed": seed}
        for cell in ("tanh", "gru")
        for rate in (0.1, 0.01)
        for seed in range(2)
    ]
    assert [trial.settings for trial in trials.trials] == expected
    assert trials.varied == ["cell", "learning_rate", "seed"]
    trials.wait(SECONDS)
    for trial in trials.trials:
        settings = trial.run.settings
        assert {name: settings[name] for name in trial.settings} == trial.settings
        assert (settings["hidden_size"], settings["horizon"]) == (5, None)
        assert (trial.status, trial.batch, trial.said) == ("done", 40, "")
        assert trial.run.batches.tolist() == list(range(0, 40, 5))


def test_settings_can_be_listed_one_by_one(threads: Executor) -> None:
    trials = small([{"cell": "lstm", "forget_bias": 2.0}, {"horizon": 3}, {}], executor=threads)
    trials.wait(SECONDS)
    assert trials.varied == ["cell", "forget_bias", "horizon"]
    runs = [trial.run for trial in trials.trials]
    assert [run.settings["cell"] for run in runs] == ["lstm", "tanh", "tanh"]
    assert [run[-1].horizon for run in runs] == [10, 3, 10]


def test_a_horizon_that_was_cut_short_is_a_lower_bound(threads: Executor) -> None:
    trials = small([{"horizon": 3}, {}], executor=threads, seq_length=30)
    trials.wait(SECONDS)
    cut, seen = trials.trials
    assert (cut.horizon, cut.at_least) == (3, True)
    assert (3 < seen.horizon < 15, seen.at_least) == (True, False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"grid": {"hidden": [1]}},
            "grid takes settings of .*'hidden' is none; did you mean 'hidden_size'",
        ),
        ({"grid": {"cell": "lstm"}}, "grid takes a list of values for each setting; cell has 'lstm'"),
        ({"grid": {"cell": 3}}, "cell has 3"),
        ({"grid": {"cell": []}}, "cell has none"),
        ({"grid": []}, "grid takes at least one mapping of settings"),
        ({"grid": ["lstm"]}, r"\[0\] is 'lstm'"),
        ({"grid": 3}, "grid takes a mapping of lists, or a list of mappings; got int"),
        ({"grid": {"save": ["a.rnnbow"]}}, "'save' is none"),
        ({"grid": {"seed": [0, 0]}}, r"\[0\] and \[1\] are both {'seed': 0}"),
        ({"grid": {"cell": ["tanh", "elm"]}}, r"cell takes one of .* \(of the trial with {'cell': 'elm'}"),
        ({"grid": {"learning_rate": [0.1, -1]}}, "learning_rate takes a finite number greater than 0"),
        ({"grid": {"hidden_size": [3]}}, "hidden_size is given to the sweep and in its grid"),
        ({"hidden": 3}, "sweep takes settings of a Trainer, and 'hidden' is none"),
        ({"seq_length": 100_000}, "data takes at least"),
        ({"seeds": 3}, "seeds takes a list of whole numbers, got 3"),
        ({"seeds": [0, -1]}, "seeds takes a whole number of at least 0, got -1"),
        ({"seeds": []}, "seeds takes at least one"),
        ({"grid": {"seed": [1]}, "seeds": [1]}, "seeds cannot be given with a grid that has seed"),
        ({"batches": 0}, "batches takes a whole number of at least 1"),
        ({"executor": 0}, "executor takes a whole number of at least 1"),
        ({"executor": "dask"}, "executor takes a concurrent.futures.Executor, or how many local processes; got str"),
        ({"overwrite": 1}, "overwrite takes True or False"),
        ({"data": 3}, "data takes a text or a path, got int"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_started(changes: dict[str, Any], message: str) -> None:
    calls = Elsewhere()
    arguments = {"data": TEXT, "grid": {"cell": ["tanh"]}, "batches": 5, "executor": calls, **SETTINGS, **changes}
    with pytest.raises((TypeError, ValueError), match=message):
        sweep(arguments.pop("data"), arguments.pop("grid"), **arguments)
    assert not calls.calls


def test_a_clients_executor_is_asked_for() -> None:
    class Client:
        def get_executor(self) -> None: ...

    with pytest.raises(TypeError, match=r"got Client; of a dask client that is client.get_executor\(\)"):
        small({"seed": [0]}, executor=Client())


def executors() -> list[tuple[str, Callable[[], Any]]]:
    return [
        ("threads", lambda: ThreadPoolExecutor(3)),
        ("processes", lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn"))),
        ("local", lambda: LocalProcesses(2)),
        ("elsewhere", Elsewhere),
    ]


@pytest.mark.parametrize(("name", "make"), executors(), ids=[name for name, _ in executors()])
def test_results_are_the_same_whoever_trains(name: str, make: Callable[[], Executor]) -> None:
    grid = {"cell": ["tanh", "lstm"], "seed": [0, 1]}
    with make() as executor:
        trials = small(grid, tasks.Adding(10), executor=executor, seq_length=None, batch_size=3)
        trials.wait(SECONDS)
    for trial in trials.trials:
        expected = Trainer(
            tasks.Adding(10), **{**SETTINGS, "seq_length": None}, batch_size=3, horizon=None, **trial.settings
        )
        expected.train(40)
        assert trial.status == "done"
        assert np.array_equal(trial.run.batches, expected.run.batches)
        for column in ("loss", "horizon_length", "max_gradient", "grad_norm"):
            assert np.array_equal(trial.run.column(column), expected.run.column(column)), column
        for found, own in zip(trial.run, expected.run, strict=True):
            assert np.array_equal(found.surfaces["W_hh"], own.surfaces["W_hh"])
        assert trial.loss == np.median(expected.run.column("loss")[-11:].astype(np.float32))


def test_a_worker_that_dies_costs_its_own_run_only(tmp_path: Path) -> None:
    trials = small({"seed": [DEADLY, 0, RAISING, 1, 2]}, Dying(), executor=2, folder=tmp_path)
    trials.wait(SECONDS)
    dead, *others = trials.trials
    assert [trial.status for trial in others] == ["done", "failed", "done", "done"]
    assert dead.status == "failed"
    assert "ended abruptly" in dead.said
    assert others[1].said == "ValueError: no such window"
    assert "dying.py" in others[1].hint
    assert len(dead.run) <= AT // 5 + 1, "what it had written before can be opened"
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"trial_000{i}.rnnbow" for i in range(5)]


def test_when_an_executor_breaks_as_a_whole_the_others_are_trained_elsewhere() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        trials = small({"seed": [0, DEADLY, 1, 2, 3]}, Dying(), executor=pool)
        trials.wait(SECONDS)
    assert [trial.status for trial in trials.trials] == ["done", "failed", "done", "done", "done"]
    assert "ended abruptly" in trials.trials[1].said


def test_what_cannot_travel_fails_its_trial_in_words() -> None:
    data: Any = corpora.text(TEXT)
    data.unpicklable = lambda: None
    trials = small({"seed": [0]}, data, executor=1)
    trials.wait(SECONDS)
    assert trials.trials[0].status == "failed"
    assert "pickle" in trials.trials[0].said


def test_a_trial_that_diverges_says_so_and_keeps_what_it_recorded(threads: Executor) -> None:
    trials = small({"learning_rate": [1e30, 0.1]}, executor=threads, clip_value=None)
    trials.wait(SECONDS)
    diverged, done = trials.trials
    assert (diverged.status, done.status) == ("diverged", "done")
    assert "not finite" in diverged.said
    assert "learning_rate" in diverged.hint
    assert np.isnan([diverged.loss, diverged.horizon]).all()
    assert diverged.run[-1].diverged


def test_files_come_back_from_workers_that_share_no_disk(tmp_path: Path) -> None:
    trials = small({"seed": [0, 1]}, executor=Elsewhere(), folder=tmp_path)
    trials.wait(SECONDS)
    for seed, trial in enumerate(trials.trials):
        assert Run.open(trial.path).settings["seed"] == seed
        assert len(trial.run) == 8
    assert len(list(tmp_path.iterdir())) == 2


def test_it_is_followed_while_it_trains(threads: Executor) -> None:
    trials = small({"seed": [0, 1]}, executor=threads, batches=200_000)
    first, second = trials.trials
    deadline = time.monotonic() + SECONDS
    batches = [0]
    while len(set(batches)) < 4:
        assert time.monotonic() < deadline
        trials.refresh()
        batches.append(first.batch)
    assert batches == sorted(batches)
    assert (first.status, second.status) == ("training", "waiting")
    assert first.trend
    with pytest.raises(FileNotFoundError, match="trial 1 has no run yet: it is waiting"):
        _ = second.run
    with pytest.raises(TimeoutError, match="2 of 2 trials have not ended after 0 s"):
        trials.wait(0)
    run = first.run
    trials.cancel()
    trials.wait(SECONDS)
    assert [trial.status for trial in trials.trials] == ["cancelled", "cancelled"]
    assert first.batch > 0
    assert first.run is run
    assert len(run) == -(-first.batch // 5), "what was recorded until then is there"
    assert not trials.refresh()


def test_a_worker_that_begins_after_the_end_finds_that_nothing_is_wanted(tmp_path: Path) -> None:
    later = Later()
    trials = small({"seed": [0]}, executor=later, folder=tmp_path, batches=10**9)
    trials.cancel()
    assert trials.finished
    future, train, arguments = later.calls.pop()
    assert train(*arguments).ending == "cancelled"
    del trials, future, train, arguments
    assert list(tmp_path.iterdir()) == [], "nothing stays behind"


def test_the_trend_has_medians_of_equal_stretches(threads: Executor) -> None:
    trials = small({"seed": [0]}, executor=threads, batches=1000)
    trials.wait(SECONDS)
    (trial,) = trials.trials
    assert len(trial.trend) == 32
    lengths, batches = trial.run.column("horizon_length"), trial.run.batches
    stretch = -(-1000 // trial_module.TREND_POINTS)
    for batch, horizon in trial.trend:
        here = batches // stretch == batch // stretch
        assert batch in batches[here]
        assert horizon == np.median(lengths[here])


def test_files_are_where_they_are_asked_for_and_nothing_is_replaced_unasked(tmp_path: Path, threads: Executor) -> None:
    folder = tmp_path / "new" / "sweep"
    small({"seed": [0]}, executor=threads, folder=folder).wait(SECONDS)
    before = (folder / "trial_0000.rnnbow").read_bytes()
    with pytest.raises(FileExistsError, match=r"trial_0000.rnnbow exists: overwrite=True replaces it"):
        small({"seed": [1]}, executor=threads, folder=folder)
    assert (folder / "trial_0000.rnnbow").read_bytes() == before
    again = small({"seed": [1]}, executor=threads, folder=folder, overwrite=True)
    again.wait(SECONDS)
    assert again.trials[0].run.settings["seed"] == 1


def test_a_temporary_folder_stays_as_long_as_somebody_needs_it(threads: Executor) -> None:
    trials = small({"seed": [0]}, executor=threads)
    trials.wait(SECONDS)
    folder, run = trials.folder, trials.trials[0].run
    del trials
    threads.submit(int).result()  # it held the last call
    assert len(run[0].loss) == 10
    assert folder.exists()
    del run
    assert not folder.exists()


def test_the_table_is_readable_as_text_and_as_a_frame(threads: Executor) -> None:
    found = sweep(TEXT, {"cell": ["tanh", "lstm"]}, batches=40, executor=threads, **SETTINGS).wait(SECONDS)
    lines = repr(found).splitlines()
    assert lines[0] == "Sweep(2 trials: 2 done)"
    assert lines[1].split() == ["trial", "cell", "status", "batches", "loss", "horizon"]
    assert lines[3].split()[:4] == ["1", "lstm", "done", "40"]
    bundle = found._repr_mimebundle_()
    assert bundle is not None
    assert bundle[0]["text/plain"] == repr(found)
    frame = found.to_pandas()
    assert frame.index.tolist() == [0, 1]
    assert frame["cell"].tolist() == ["tanh", "lstm"]
    assert frame["loss"].tolist() == [trial.loss for trial in found.trials]
    assert [Path(path) for path in frame["path"]] == [trial.path for trial in found.trials]
    assert list(found.runs) == [0, 1]
    assert RNNbow(found.runs[0]).run is found.trials[0].run


def test_settings_are_shown_as_text_whatever_is_in_them(threads: Executor) -> None:
    made = sweep(TEXT, [{"surfaces": ["W_hh"]}, {"surfaces": ["W_ih"]}], batches=5, executor=threads, **SETTINGS)
    made.wait(SECONDS)
    values = [row["values"] for row in made.get_state("_table")["_table"]["rows"]]
    assert values == [["['W_hh']"], ["['W_ih']"]]


# Local processes.


def test_local_processes_end_with_their_tasks() -> None:
    with LocalProcesses(2) as pool:
        found = list(pool.map(os.path.basename, ["a/b", "c/d", "e/f"]))
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result(SECONDS)
        died = pool.submit(os._exit, 3)
        with pytest.raises(WorkerError, match="ended abruptly"):
            died.result(SECONDS)
        assert pool.submit(max, 1, 2).result(SECONDS) == 2
    assert found == ["b", "d", "f"]
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(max, 1, 2)


def test_tasks_that_wait_can_be_cancelled() -> None:
    pool = LocalProcesses(1)
    first = pool.submit(time.sleep, 0.2)
    others = [pool.submit(max, 1, 2) for _ in range(3)]
    assert others[1].cancel()
    pool.shutdown(wait=True, cancel_futures=True)
    assert first.done()
    assert all(other.cancelled() for other in others)


def run_script(tmp_path: Path, text: str, *, status: int | None = 0) -> tuple[str, str]:
    path = tmp_path / "script.py"
    path.write_text(text)
    ended = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ended.returncode == status, ended.stderr
    return ended.stdout, ended.stderr


SCRIPT = """
from rnnbow_widget import sweep
{guard}
    found = sweep("abcde fghij " * 60, {{"seed": [0, 1, 2]}}, batches=30, hidden_size=4, executor=2)
    found.wait()
    print([trial.status for trial in found.trials], found.trials[0].said)
"""


def test_it_works_in_a_script(tmp_path: Path) -> None:
    printed, errors = run_script(tmp_path, SCRIPT.format(guard='if __name__ == "__main__":'))
    assert printed.strip() == "['done', 'done', 'done']"
    assert errors == ""


def test_a_script_that_starts_itself_again_is_told_what_to_do(tmp_path: Path) -> None:
    printed, _ = run_script(tmp_path, SCRIPT.format(guard="if True:"))
    assert printed.startswith("['failed', 'failed', 'failed'] No worker process could start")
    assert '`if __name__ == "__main__":`' in printed


def test_workers_end_with_who_started_them(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, time\n"
        "from rnnbow_widget.local_processes import LocalProcesses\n"
        'if __name__ == "__main__":\n'
        "    pool = LocalProcesses(1)\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    pool.submit(time.sleep, 600)\n"
        "    time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    process.kill()
    process.communicate()
    deadline = time.monotonic() + SECONDS
    while _is_alive(worker):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

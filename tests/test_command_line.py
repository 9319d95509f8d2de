"""The command line, as a process of its own: what it writes, says and returns."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import unicodedata
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import require_same

from rnnbow_widget import Run, Trainer, __version__
from rnnbow_widget.command_line import TASKS
from rnnbow_widget.corpora import Corpus

TEXT = "static inline int min(int a, int b) { return a < b ? a : b; }\n" * 20
SECONDS = 60
QUICK = ("--hidden-size=8", "--record-every=10")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


def rnnbow(*arguments: str | Path, status: int = 0, **settings: Any) -> tuple[str, str]:
    """Run it, and return what it wrote to the standard output and the standard error."""
    command = [sys.executable, "-m", "rnnbow_widget", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, **settings)
    assert ended.returncode == status, ended.stderr
    return ended.stdout, ended.stderr


def test_it_trains_and_writes_what_is_asked_for(text: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / f"run.{name}" for name in ("html", "svg", "png", "rnnbow")}
    outputs = [f"--{'save' if name == 'rnnbow' else name}={path}" for name, path in files.items()]
    said, about = rnnbow("train", text, "--batches=101", "--cell=lstm", "--horizon=all", *QUICK, *outputs)
    run = Run.open(files["rnnbow"])
    assert len(run) == 11
    assert run.settings["cell"] == "lstm"
    assert run.settings["horizon"] is None
    assert "11 recorded batches" in said
    assert about.splitlines() == [f"Wrote {files[name]}" for name in ("html", "svg", "png")]
    assert files["html"].read_text().startswith("<!doctype html>")
    assert files["svg"].read_text().startswith("<?xml")
    assert files["png"].read_bytes().startswith(b"\x89PNG")


def test_what_it_trains_is_what_python_trains(text: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.rnnbow"
    rnnbow("train", text, "--batches=30", "--seed=3", "--surface=W_ih", *QUICK, "--save", path)
    there = Run.open(path)
    here = Trainer(text, hidden_size=8, record_every=10, seed=3, surfaces=["W_ih"]).train(30)
    assert there.settings == here.settings
    assert there.column("loss").tolist() == here.column("loss").tolist()
    require_same(there[-1], here[-1])
    assert "W_ih" in there[-1].surfaces


@pytest.mark.parametrize("name", TASKS)
def test_it_trains_on_every_task(name: str, tmp_path: Path) -> None:
    path = tmp_path / "run.rnnbow"
    rnnbow("train", "--task", name, "--length=30", "--batches=11", "--batch-size=2", *QUICK, "--save", path)
    run = Run.open(path)
    assert len(run) == 2
    assert run.about is not None
    assert run.about.baseline is not None


def test_a_tasks_options_reach_it(tmp_path: Path) -> None:
    path = tmp_path / "run.rnnbow"
    rnnbow("train", "--task=copy-memory", "--lag=7", "--length=3", "--symbols=4", "--batches=1", *QUICK, "--save", path)
    settings = Run.open(path).settings
    assert settings["data"] == "copy memory, lag 7"
    assert settings["seq_length"] == 13
    said, _ = rnnbow("train", "--task=adding", "--batches=1", *QUICK, "--save", tmp_path / "adding.rnnbow")
    assert "Run(1 recorded batch, 0 to 0; " in said
    of_run, _ = rnnbow("info", tmp_path / "adding.rnnbow")
    assert re.search(r"^loss +[0-9.]+ → [0-9.]+$", of_run, re.MULTILINE), "squares have no nats"


def test_info_says_what_a_file_holds(text: Path, tmp_path: Path) -> None:
    rnnbow("train", text, "--batches=21", *QUICK, "--save", tmp_path / "run.rnnbow")
    of_run, _ = rnnbow("info", tmp_path / "run.rnnbow")
    assert re.search(r"^recorded batches +3$", of_run, re.MULTILINE)
    assert re.search(r"^hidden_size +8$", of_run, re.MULTILINE)
    of_text, _ = rnnbow("info", text)
    assert re.search(rf"^characters +{len(TEXT):,}$", of_text, re.MULTILINE)
    assert "↵ ␣" in of_text


def test_info_says_all_that_a_batch_is_worth_a_look_for_and_each_fact_once(text: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.rnnbow"
    rnnbow(
        "train", text, "--batches=30", *QUICK, "--record-every=1", "--clip-value=1e-4", "--surface=W_ih", "--save", path
    )
    of_run, _ = rnnbow("info", path)
    cues = Run.open(path).cues()
    assert len({cue.batch for cue in cues}) < len(cues), "there is a batch with two"
    assert all(cue.reason in of_run for cue in cues)
    assert re.findall(r"^surfaces +(.+)$", of_run, re.MULTILINE) == ["W_hh, W_ih"]


def test_what_a_file_says_gives_the_terminal_no_orders(tmp_path: Path) -> None:
    order = "\x1b]0;owned\x07\x9b2J\u202e\r"
    trainer = Trainer(Corpus(f"a{order}", np.arange(200, dtype=np.int32) % 3, ("a", "b", order)), hidden_size=4)
    trainer.run.settings[order] = order
    trainer.train(1)
    trainer.run.save(tmp_path / "run.rnnbow")
    out, err = rnnbow("info", tmp_path / "run.rnnbow")
    assert "a␛]0;owned␇U+009B2JU+202E␍" in out
    assert not [character for character in out + err if character != "\n" and unicodedata.category(character)[0] == "C"]


def test_export_writes_pages_and_pictures_of_a_run_file(text: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.rnnbow"
    rnnbow("train", text, "--batches=51", *QUICK, "--save", path)
    page, picture = tmp_path / "run.html", tmp_path / "run.svg"
    _, about = rnnbow("export", path, "--html", page, "--svg", picture, "--batch=20", "--measure=share", "--title=Mine")
    assert about.splitlines() == [f"Wrote {page}", f"Wrote {picture}"]
    assert '"selected":20' in page.read_text()
    assert '"measure":"share"' in page.read_text()
    assert "<h1>Mine</h1>" in page.read_text()
    assert picture.read_text() == Run.open(path).to_svg(20, measure="share")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["train", "nowhere.txt"], 2, "'nowhere.txt' does not exist"),
        (["train"], 2, "Give what to train on: a text, or --task."),
        (["train", "TEXT", "--task=adding"], 2, "Give a text or --task."),
        (["train", "--task=additing"], 2, "'additing' is not one of 'adding'"),
        (["train", "TEXT", "--length=20"], 2, "--length belongs to a task: give --task."),
        (["train", "--task=adding", "--lag=3"], 2, "--lag is none of --task adding: it takes --length."),
        (["train", "--task=adding", "--length=1"], 2, "--length takes a whole number of at least 2, got 1"),
        (["train", "--task=adding", "--seq-length=9"], 2, "--seq-length takes None or 50 with adding problem"),
        (["train", "TEXT", "--cell=transformer"], 2, "--cell"),
        (["train", "TEXT", "--hidden-siz=3"], 2, "--hidden-size"),
        (["train", "TEXT", "--learning-rate=-1"], 2, "--learning-rate takes a finite number greater than 0"),
        (["train", "TEXT", "--horizon=0"], 2, "takes a number of lags from 1 on, auto, or all; got '0'"),
        (["train", "TEXT", "--horizon=²"], 2, "takes a number of lags from 1 on, auto, or all; got '²'"),
        (["train", "TEXT", f"--horizon={'9' * 5_000}"], 2, "takes a number of lags from 1 on, auto, or all; got '9999"),
        (["train", "TEXT", "--clip-value=small"], 2, "takes a number, or none; got 'small'"),
        (["train", "TEXT", "--surface=V"], 2, "--surface takes"),
        (["train", "TEXT", "--save=run.txt"], 2, "--save takes the name of a file that ends in .rnnbow"),
        (["train", "TEXT", "--save=TEXT.rnnbow", "--batches=0"], 2, "--overwrite replaces it"),
        (["train", "TEXT", "--batches=1", "--html=x.html", "--max-bytes=10"], 2, "--max-bytes takes at least"),
        (["train", "TEXT", "--batches=1", "--html=/nowhere/x.html"], 1, "/nowhere/"),
        (["export", "TEXT", "--html=x.html"], 1, "is not a run file"),
        (["export", "TEXT"], 2, "give --html, --svg or --png"),
        (["info"], 2, "Missing argument"),
        (["dance"], 2, "No such command"),
    ],
    ids=lambda value: "-".join(value[:3])[:40] if isinstance(value, list) else "",
)
def test_errors_name_the_option(text: Path, tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    (tmp_path / "corpus.txt.rnnbow").write_bytes(b"")
    given = [argument.replace("TEXT", str(text)) for argument in arguments]
    out, err = rnnbow(*given, status=status, cwd=tmp_path)
    assert said in " ".join(err.split())
    assert "Traceback" not in err
    assert not out


def test_a_run_that_diverges_is_written_and_fails(text: Path, tmp_path: Path) -> None:
    wild = ("--cell=relu", "--learning-rate=1e9", "--optimizer=sgd", "--clip-value=none")
    said, err = rnnbow("train", text, *QUICK, *wild, "--html", tmp_path / "run.html", status=1)
    assert "diverged" in said
    assert "is not finite" in err
    assert "smaller learning_rate" in err
    assert (tmp_path / "run.html").exists()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes that are started hear SIGINT: jobs in the background of a shell, and all that they start, ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_on_a_terminal_it_shows_progress_and_loss_and_an_interrupt_keeps_what_was_recorded(
    text: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rnnbow_widget", "train", str(text), "--batches=100000000", *QUICK]
    path = tmp_path / "run.html"
    with subprocess.Popen([*command, f"--html={path}"], stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        shown, deadline = "", time.monotonic() + SECONDS
        while not re.search(r"Training.*loss \d", shown, re.DOTALL):
            assert time.monotonic() < deadline, shown
            if select.select([ours], [], [], 1)[0]:
                shown += os.read(ours, 4096).decode()
        process.send_signal(signal.SIGINT)
        while process.poll() is None:  # a full terminal would hold it up
            with suppress(OSError):  # it has closed its end
                os.read(ours, 4096)
        assert process.stdout
        said = process.stdout.read()
    os.close(ours)
    assert process.returncode == 130
    assert re.search(r"Run\(\d+ recorded batch(es)?, 0 to ", said)
    assert path.exists()


def test_it_says_its_version_and_completes_in_shells() -> None:
    assert rnnbow("--version")[0] == f"rnnbow, version {__version__}\n"
    completion = os.environ | {"_RNNBOW_COMPLETE": "bash_complete", "COMP_WORDS": "rnnbow tr", "COMP_CWORD": "1"}
    assert rnnbow(env=completion)[0] == "plain,train\n"


def test_without_click_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError(name='click')")
    _, err = rnnbow("--version", status=1, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert err == "rnnbow needs click: pip install 'rnnbow_widget[cli]'\n"


def test_what_else_cannot_be_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import nothing_of_this_name")
    _, err = rnnbow("--version", status=1, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert err.endswith("ModuleNotFoundError: No module named 'nothing_of_this_name'\n")


@pytest.mark.usefixtures("interruptible")
def test_view_serves_a_run_file_until_it_is_interrupted(text: Path, tmp_path: Path) -> None:
    rnnbow("train", text, "--batches=21", *QUICK, "--save", tmp_path / "run.rnnbow")
    command = [sys.executable, "-m", "rnnbow_widget", "view", str(tmp_path / "run.rnnbow"), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/", address)
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            assert b"run.rnnbow" in answer.read()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert err == "Ended.\n"

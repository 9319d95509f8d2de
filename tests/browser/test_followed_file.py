"""A run file in JupyterLab, followed live while another process trains, and told in words when that ends."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from figure import Figure
from harness import Lab, kernel_value
from playwright.sync_api import Page, expect

WRITER = """
import sys
from rnnbow_widget import Trainer, corpora
path, seed = sys.argv[1:]
settings = dict(hidden_size=24, horizon=6, record_every=5, seed=int(seed))
trainer = Trainer(corpora.c_headers(), **settings, save=path, overwrite=True)
with trainer.training():
    for line in sys.stdin:
        trainer.train(int(line))
        trainer.run.file.flush()
        print(trainer.run.file.written, flush=True)
"""


class Writer:
    """Another process, which trains as much as it is told to."""

    def __init__(self, path: Path, seed: int = 0) -> None:
        command = [sys.executable, "-c", WRITER, str(path), str(seed)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def train(self, batches: int) -> int:
        """Train so many; return how many recorded batches are in the file then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(batches, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self) -> None:
        """Let it end by itself."""
        self._process.communicate()


@pytest.fixture
def start(lab: Lab) -> Iterator[Callable[..., Writer]]:
    """Starts a process that writes `run.rnnbow` beside the notebooks."""
    writers: list[Writer] = []

    def start(seed: int = 0) -> Writer:
        writers.append(Writer(lab.notebooks / "run.rnnbow", seed))
        return writers[-1]

    yield start
    for writer in writers:
        writer.kill()


def test_a_file_is_followed_while_another_process_trains_until_it_ends(
    show: Callable[..., Figure], start: Callable[..., Writer]
) -> None:
    writer = start()
    assert writer.train(21) == 5
    figure = show("from rnnbow_widget import RNNbow", "w = RNNbow('run.rnnbow')\nw")
    said = figure.page.locator(".rnnbow .file")
    figure.expect_recorded(5)
    figure.expect_batch(20)
    figure.expect_state("training")
    expect(said).to_have_text("Follows run.rnnbow: training.")
    expect(figure.button("play")).to_be_hidden()
    for _ in range(3):
        figure.expect_recorded(writer.train(50))
    figure.expect_batch(170)
    assert kernel_value(figure.page, "len(w.run)") == 35
    figure.point(figure.bar_place(2))
    figure.expect_batch(10)
    figure.leave()
    writer.end()
    expect(said).to_have_text("Read from run.rnnbow: ended: nothing will be added.")
    figure.expect_state("paused")
    figure.expect_recorded(35)


def test_a_writer_that_is_killed_is_told_in_words_and_another_is_followed(
    show: Callable[..., Figure], start: Callable[..., Writer]
) -> None:
    writer = start()
    writer.train(51)
    figure = show(
        "from rnnbow_widget import RNNbow, run_reader\nrun_reader.SILENT_SECONDS = 1.0", "w = RNNbow('run.rnnbow')\nw"
    )
    said = figure.page.locator(".rnnbow .file")
    figure.expect_recorded(11)
    writer.kill()
    expect(said).to_contain_text("no sign of life for")
    expect(said).to_contain_text("whoever trained it was probably ended.")
    figure.expect_state("paused")
    figure.expect_recorded(11)
    other = start(seed=1)
    assert other.train(11) == 3
    figure.expect_recorded(3)
    figure.expect_batch(10)
    figure.expect_recorded(other.train(10))
    loss = kernel_value(figure.page, "float(w.run.column('loss')[-1])")
    expect(figure.status("loss")).to_have_text(f"{loss:.3f} nats/step")


def test_two_files_are_followed_side_by_side(show: Callable[..., Figure], lab: Lab, page: Page) -> None:
    writers = [Writer(lab.notebooks / f"{name}.rnnbow", seed) for seed, name in enumerate("ab")]
    try:
        for writer in writers:
            assert writer.train(21) == 5
        show("from rnnbow_widget import compare", "c = compare('a.rnnbow', b='b.rnnbow')\nc")
        sides = page.locator(".rnnbow .side")
        for side in (sides.nth(0), sides.nth(1)):
            expect(side).to_have_attribute("data-batch", "20")
        expect(page.locator(".rnnbow .together")).to_have_text("Follows run files.")
        expect(sides.nth(1)).to_contain_text("Follows b.rnnbow: training.")
        for writer in writers:
            writer.train(50)
        for side in (sides.nth(0), sides.nth(1)):
            expect(side).to_have_attribute("data-recorded", "15")
            expect(side).to_have_attribute("data-batch", "70")
        for writer in writers:
            writer.end()
        expect(page.locator(".rnnbow .together")).to_have_text("Finished runs.")
        assert kernel_value(page, "[len(run) for run in c.runs.values()]") == [15, 15]
    finally:
        for writer in writers:
            writer.kill()

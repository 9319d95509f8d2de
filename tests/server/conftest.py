"""A run file, and a page of a server that shows it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import WAIT_SECONDS, Page
from malformed import SMALL, STREAMS, TEXT

from rnnbow_widget import Run, Trainer
from rnnbow_widget.follower import Follower
from rnnbow_widget.server import PageServer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "secret place" / "run.rnnbow"
    path.parent.mkdir()
    trainer = Trainer(TEXT, **SMALL, batch_size=STREAMS, save=path, seed=0)
    trainer.train(7)
    assert trainer.run.writer is not None
    trainer.run.writer.close()
    return path


@pytest.fixture
def page(path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Page]:
    """A page of a server, which prints nothing, and leaves no thread behind."""
    before = threading.active_count()
    with PageServer(Follower(Run.open(path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Page(server)
        server.shutdown()
        thread.join()
    deadline = time.monotonic() + WAIT_SECONDS
    while threading.active_count() > before:
        assert time.monotonic() < deadline, "a request is still waited for"
        time.sleep(0.01)
    assert capfd.readouterr() == ("", "")

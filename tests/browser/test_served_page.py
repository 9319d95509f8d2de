"""A page that follows a run file: it is served to this machine, and grows as the file does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from figure import Figure
from harness import SLOW_MS
from hosts import serving
from page_log import PageLog, watched_page
from playwright.sync_api import Browser, Page, expect

from rnnbow_widget import Trainer
from rnnbow_widget.server import PageServer

TEXT = "static inline int min(int a, int b) { return a < b ? a : b; }\n" * 20


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    trainer = Trainer(TEXT, hidden_size=12, horizon=5, record_every=10, save=tmp_path / "run.rnnbow")
    trainer.train(40)
    return trainer


@pytest.fixture
def server(trainer: Trainer, tmp_path: Path) -> Iterator[PageServer]:
    with serving(tmp_path / "run.rnnbow") as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: PageServer) -> Iterator[Page]:
    """A page in which nothing must go wrong, closed before the server ends."""
    with watched_page(browser, PageLog()) as page:
        yield page


def test_it_grows_as_the_file_does(page: Page, server: PageServer, trainer: Trainer) -> None:
    page.goto(server.url)
    figure = Figure(page)
    figure.expect_recorded(4)
    figure.expect_batch(30)
    expect(page.locator(".file")).to_contain_text("Follows run.rnnbow: paused")
    trainer.train(60)
    figure.expect_recorded(10)
    figure.expect_batch(90)
    assert len(figure.read().bars) == 10
    figure.click(figure.bar_place(2))
    figure.leave()
    trainer.train(10)
    figure.expect_recorded(11)
    figure.expect_batch(20)


def test_it_shows_another_run_in_the_same_file(page: Page, server: PageServer, trainer: Trainer) -> None:
    page.goto(server.url)
    figure = Figure(page)
    figure.expect_recorded(4)
    trainer.reset()
    trainer.train(11)
    figure.expect_recorded(2)


def test_a_server_that_has_ended_is_noticed_and_what_is_there_stays(
    browser: Browser, server: PageServer, trainer: Trainer
) -> None:
    log = PageLog()
    with watched_page(browser, log) as page:
        page.goto(server.url)
        figure = Figure(page)
        figure.expect_batch(30)
        page.context.set_offline(True)
        expect(page.locator(".silence")).to_contain_text("has not answered for some seconds", timeout=SLOW_MS)
        figure.click(figure.bar_place(1))
        figure.leave()
        figure.expect_batch(10)
        page.context.set_offline(False)
        trainer.train(10)
        figure.expect_recorded(5)
        expect(page.locator(".silence")).to_be_hidden()
        log.console = [line for line in log.console if "ERR_INTERNET_DISCONNECTED" not in line]

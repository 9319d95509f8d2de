"""Chunks that arrive damaged: a page says what it could not read, keeps what it had, and is right after good ones.

Damage to the numbers themselves cannot be noticed; then the page goes on, and is right when it has the whole run anew.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import damage
import pytest
from agreement import TOLD, assert_agrees, assert_overview_agrees, assert_sides_agree
from compared import Compared
from damage import DAMAGES, damaged
from expected import assert_parts_are
from figure import Figure
from harness import ANSWER_MS, kernel_exec, kernel_value, next_drawing
from hosts import serving
from page_log import PageLog, watched_page
from playwright.sync_api import Browser, Locator, Page, expect

from rnnbow_widget import RNNbow, Run, Trainer, server
from rnnbow_widget import page as pages
from rnnbow_widget.follower import Message, packed
from rnnbow_widget.server import PageServer

TEXT = "static inline int min(int a, int b) { return a < b ? a : b; }\n" * 20
NETWORK = "hidden_size=6, seq_length=8, horizon=4, record_every=1, seed=0"
UNREAD = "A part of the run could not be read."
# The next messages of a kind go out with one chunk damaged: `planned` says of which kind, which chunk, and how.
DAMAGING = f"""
{inspect.getsource(damage)}
{TOLD}
sent, planned = w.send, []
def send(content, buffers=None):
    if planned and buffers and content["kind"] == planned[0][0]:
        _, which, how, seed = planned.pop(0)
        buffers = list(buffers)
        buffers[which] = damaged(buffers[which], how, seed)
    sent(content, buffers)
w.send = send
w
"""
OVERVIEW, DETAILS = -2, -1  # of the last side, if there are several
SILENCE_MS = 5_000 + ANSWER_MS  # until what nobody answers is asked for again


def plan(page: Page, *ones: tuple[str, int, str, int]) -> None:
    kernel_exec(page, f"planned[:] = {list(ones)!r}")


class Banner:
    """What a widget said to be wrong, however briefly."""

    def __init__(self, root: Locator) -> None:
        self._root = root
        root.locator(".banner").first.evaluate(
            "banner => { window.said = []; new MutationObserver(() => banner.hidden || window.said.push("
            "banner.textContent)).observe(banner, { attributes: true, childList: true }); }"
        )

    def said(self) -> bool:
        """Whether something could not be read since this was asked before; then it must say why."""
        told: list[str] = self._root.page.evaluate("() => window.said.splice(0)")
        for text in told:
            assert text.startswith(UNREAD)
            assert len(text) > len(UNREAD) + 10
        return bool(told)

    def expect_hidden(self) -> None:
        expect(self._root.locator(".banner").first).to_be_hidden()


def step(figure: Figure) -> None:
    """Train and record one batch, and wait until the page has heard of it."""
    trained = kernel_value(figure.page, "w.trainer.batch")
    figure.button("step").click()
    expect(figure.status("batch")).to_have_text(f"{trained + 1:,}")
    next_drawing(figure.page)


def test_frames_in_jupyterlab(show: Callable[..., Figure], tried: Callable[[str, int], None]) -> None:
    figure = show(f"from rnnbow_widget import RNNbow\nw = RNNbow({TEXT!r}, {NETWORK})\nw.train(6)", DAMAGING)
    page = figure.page
    figure.expect_recorded(6)
    banner, noticed = Banner(figure.root), 0
    for place, how in enumerate(DAMAGES):
        for which in (OVERVIEW, DETAILS):
            before = figure.recorded
            plan(page, ("frame", which, how, place))
            step(figure)
            unread = banner.said()
            noticed += unread
            assert figure.recorded >= before
            assert figure.read().parts, "it shows what it had"
            step(figure)
            step(figure)  # of a batch far ahead it learns only when others do not come after it
            figure.expect_recorded(before + 3)
            banner.expect_hidden()
            if not unread | banner.said():
                kernel_exec(page, "w.reset(); w.train(6)")
                figure.expect_recorded(6)
        assert assert_agrees(figure, "w") > 20, how
    assert assert_overview_agrees(figure, "w") == figure.recorded
    assert noticed > len(DAMAGES)
    tried("chunks damaged on their way to JupyterLab", 2 * len(DAMAGES))


def test_a_whole_and_details_in_jupyterlab(show: Callable[..., Figure], tried: Callable[[str, int], None]) -> None:
    figure = show(f"from rnnbow_widget import RNNbow\nw = RNNbow({TEXT!r}, {NETWORK})\nw.train(6)", DAMAGING)
    page, cut = figure.page, "cut in the header"
    figure.expect_recorded(6)
    plan(page, ("frame", OVERVIEW, cut, 0), ("whole", 0, cut, 1))
    step(figure)
    step(figure)
    expect(figure.banner).to_contain_text(UNREAD)
    step(figure)
    figure.expect_recorded(9)
    expect(figure.banner).to_be_hidden()
    # Details that were asked for are asked for again.
    plan(page, ("details", 0, cut, 2))
    kernel_exec(page, "w.surface = 'W_ih'")
    expect(figure.banner).to_contain_text(UNREAD)
    expect(figure.root).to_have_attribute("data-surface", "W_ih", timeout=SILENCE_MS)
    expect(figure.root.locator(".pending-note")).to_be_hidden(timeout=SILENCE_MS)
    expect(figure.banner).to_be_hidden()
    assert assert_agrees(figure, "w") > 20
    tried("chunks damaged on their way to JupyterLab", 3)


def test_a_comparison_in_jupyterlab(show: Callable[..., Figure], page: Page, tried: Callable[[str, int], None]) -> None:
    made = f"compare('tanh', 'gru', data={TEXT!r}, {NETWORK})"
    show(f"from rnnbow_widget import compare\nw = {made}\nw.train(6)", DAMAGING)
    compared = Compared(page)
    compared.expect_recorded(6)
    first, second = compared.sides.nth(0), compared.sides.nth(1)
    banner, recorded, noticed = Banner(compared.root), 6, 0

    def train() -> None:
        nonlocal recorded
        recorded += 1
        compared.button("step").click()
        expect(first).to_have_attribute("data-recorded", str(recorded))  # which is not damaged
        next_drawing(page)

    for place, how in enumerate(DAMAGES):
        plan(page, ("frame", (OVERVIEW, DETAILS)[place % 2], how, place))
        train()
        unread = banner.said()
        noticed += unread
        assert int(second.get_attribute("data-recorded") or 0) >= recorded - 1
        assert second.locator("polygon.part").count() > 0, "it shows what it had"
        train()
        train()
        compared.expect_recorded(recorded)
        banner.expect_hidden()
        unread |= banner.said()
        if not unread:
            kernel_exec(page, "w.reset(); w.train(6)")
            compared.expect_recorded(6)
            recorded = 6
    assert assert_sides_agree(compared.root, "w") > 40
    assert noticed > len(DAMAGES) // 2
    tried("chunks damaged on their way to a comparison", len(DAMAGES))


# Pages without a kernel.


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    trainer = Trainer(
        TEXT, hidden_size=6, seq_length=8, horizon=4, record_every=1, save=tmp_path / "run.rnnbow", seed=0
    )
    trainer.train(6)
    return trainer


@pytest.fixture
def served(trainer: Trainer, tmp_path: Path) -> Iterator[PageServer]:
    with serving(tmp_path / "run.rnnbow") as served:
        yield served


def assert_draws(figure: Figure, run: Run) -> None:
    """The newest batch is drawn as the run has it, and all are there."""
    figure.expect_recorded(len(run))
    figure.expect_batch(run[-1].batch)
    picture, snapshot = figure.read(), run[-1]
    assert len(picture.bars) == len(run)
    assert_parts_are(picture, snapshot.surfaces["W_hh"], rel=2e-3, within=0.05)


def test_a_page_that_follows_a_file(
    browser: Browser,
    served: PageServer,
    trainer: Trainer,
    monkeypatch: pytest.MonkeyPatch,
    tried: Callable[[str, int], None],
) -> None:
    planned: list[tuple[int, str, int] | None] = []  # None: the head of the answer itself

    def send(messages: list[Message]) -> bytes:
        ((content, chunks),) = messages
        if not (planned and content["kind"] == "frame" and chunks):
            return packed(messages)
        if (plan := planned.pop()) is None:
            return b"\xff" * 8 + packed(messages)
        which, how, seed = plan
        chunks[which] = damaged(chunks[which], how, seed)
        return packed([(content, chunks)])

    monkeypatch.setattr(server, "packed", send)
    noticed = 0
    with watched_page(browser, PageLog()) as page:
        page.goto(served.url)
        figure = Figure(page)
        figure.expect_recorded(6)
        banner = Banner(figure.root)

        def train() -> None:
            trainer.train(1)
            expect(figure.status("batch")).to_have_text(f"{trainer.batch:,}", timeout=SILENCE_MS)
            next_drawing(page)

        for place, how in enumerate(DAMAGES):
            for which in (OVERVIEW, DETAILS):
                planned.append((which, how, place))
                train()
                assert not planned
                unread = banner.said()
                noticed += unread
                assert figure.read().parts, "it shows what it had"
                train()
                train()
                figure.expect_recorded(len(trainer.run))
                banner.expect_hidden()
                if not unread:
                    page.reload()
                    banner = Banner(figure.root)
            assert_draws(figure, trainer.run)
        # An answer whose head cannot be read is none: the page asks again.
        planned.append(None)
        train()
        assert not planned
        figure.expect_recorded(len(trainer.run))
        assert_draws(figure, trainer.run)
    assert noticed > len(DAMAGES)
    tried("chunks damaged on their way to a page that follows a file", 2 * len(DAMAGES) + 1)


def spoiled(text: str, how: str, place: int) -> str:
    at = 1 + place * (len(text) - 12) // 4
    match how:
        case "another digit":
            return f"{text[:at]}{'0' if text[at] != '0' else '1'}{text[at + 1 :]}"
        case "no digit":
            return f"{text[:at]}~\u00e9{text[at + 2 :]}"
        case "cut":
            return text[:at]
        case "inserted":
            return f"{text[:at]}Zz9{text[at:]}"
        case _:
            return text[:at] + text[at + 4 :]


def test_pages_that_are_files(
    browser: Browser, trainer: Trainer, tmp_path: Path, tried: Callable[[str, int], None]
) -> None:
    path, cases, refused = tmp_path / "run.html", 0, 0
    RNNbow(trainer.run).to_html(path)
    sound = path.read_text(encoding="ascii")
    chunks = re.search(r'id="rnnbow-chunks">([^<]*)<', sound)
    assert chunks
    with watched_page(browser, PageLog()) as page:
        for how in ("another digit", "no digit", "cut", "inserted", "dropped"):
            for place in range(5):
                cases += 1
                text = spoiled(chunks[1], how, place).encode("ascii", "xmlcharrefreplace").decode()
                path.write_text(sound.replace(chunks[1], text), encoding="ascii")
                page.goto(path.as_uri())
                shown = page.locator(".failure[role=alert], .rnnbow[data-recorded='6']")
                expect(shown).to_be_visible()
                if page.locator(".failure[role=alert]").count():
                    refused += 1
                    expect(shown).to_contain_text(re.compile("This file is damaged or not complete: ."))
                else:
                    assert_draws(Figure(page), trainer.run)
        path.write_text(sound, encoding="ascii")
        page.goto(path.as_uri())
        assert_draws(Figure(page), trainer.run)
    assert refused > 20
    tried("pages that are files, damaged", cases)


@pytest.mark.parametrize("which", [OVERVIEW, DETAILS])
def test_a_page_that_was_written_with_a_damaged_chunk_shows_the_others(
    browser: Browser, trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    """So does a notebook that was saved with one."""
    packs = "pack_details" if which == DETAILS else "pack_overview"
    pack: Any = getattr(pages, packs)
    monkeypatch.setattr(pages, "rounded", lambda chunk: chunk)
    monkeypatch.setattr(pages, packs, lambda *told: [cut(chunk) for chunk in pack(*told)])
    RNNbow(trainer.run).to_html(tmp_path / "run.html")
    with watched_page(browser, PageLog()) as page:
        page.goto((tmp_path / "run.html").as_uri())
        figure = Figure(page)
        expect(figure.banner).to_contain_text(UNREAD)
        figure.expect_recorded(0 if which == OVERVIEW else 6)


def cut(chunk: bytes) -> bytes:
    """A chunk without its last column's end; the lengths of all are multiples of 4."""
    return chunk[:-4]

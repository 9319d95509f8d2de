"""Chromium, and pages of it that tell what went wrong in them, and whom they asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from chromium import MISSING, find_chromium
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    ViewportSize,
    WebSocket,
    sync_playwright,
)

VIEWPORT: ViewportSize = {"width": 1200, "height": 1700}  # the whole widget is in view
IGNORED = {
    # JupyterLab's own debugger says so in a page that is closed or loaded again before its kernel has answered.
    "error: Could not restore the debugger state: Canceled future for debug_request message before replies were done",
    # With the oldest versions that are tested: JupyterLab 4.2 finds no language pack for its own language, and the
    # widget manager cannot ask ipykernel 6.5 for all widgets at once, and asks for each. On a busy machine it gives up
    # before the kernel has said so.
    "warning: Language pack 'en_US' not installed!",
    *(
        'warning: Failed to fetch ipywidgets through the "jupyter.widget.control" comm channel, fallback to fetching '
        f"individual model state. Reason: Control comm {reason}"
        for reason in ("was closed too early", "did not respond in time")
    ),
}
# JupyterLite's, of the same environment: JupyterLab finds it beside its own, and says at length that it cannot load it.
NOT_FOR_JUPYTERLAB = "@jupyterlite/pyodide-kernel-extension"
# As root in a container, on a machine whose network may be closed: no sandbox, no GPU, no small talk with other hosts.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


@dataclass
class PageLog:
    """What a page said, what went wrong in it, and whom it asked.

    `asked`: the servers, and the files; empty for what stays within the page. `outside`: addresses on other machines.
    """

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    outside: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """All that must not happen: errors and warnings, requests to other machines, dialogs of the browser's."""
        said = [line for line in self.console if line.startswith(("error:", "warning:")) and not _is_ignored(line)]
        outside = [f"request to {address}" for address in self.outside]
        return [*said, *(f"exception: {error}" for error in self.errors), *outside, *self.dialogs]

    def clear(self) -> None:
        """Forget all of it."""
        for noted in (self.console, self.errors, self.asked, self.outside, self.dialogs):
            noted.clear()

    def watch(self, context: BrowserContext) -> None:
        """Note everything that pages of a context do, if it has none yet."""
        context.on("request", self._note_address)
        context.on("page", self._watch_page)

    def _watch_page(self, page: Page) -> None:
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))
        page.on("websocket", self._note_address)
        page.on("dialog", self._note_dialog)

    def _note_message(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")

    def _note_dialog(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            self.dialogs.append(f"dialog: {dialog.message}")
        dialog.accept()

    def _note_address(self, request: Request | WebSocket) -> None:
        address = urlsplit(request.url)
        within = address.scheme in {"blob", "data"}
        self.asked.add("" if within else address.netloc or request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname != "127.0.0.1":
            self.outside.append(request.url)


def _is_ignored(line: str) -> bool:
    return line in IGNORED or NOT_FOR_JUPYTERLAB in line


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Give a Chromium without a window, that renders in software; raise `RuntimeError` where there is none."""
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError(MISSING)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=FLAGS)


@contextmanager
def logged_page(browser: Browser, log: PageLog, **settings: Any) -> Iterator[Page]:
    """Give a page that shares nothing with others, and note what it does; settings are those of a browser context."""
    context = browser.new_context(**{"viewport": VIEWPORT, **settings})
    log.watch(context)
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def watched_page(browser: Browser, log: PageLog, **settings: Any) -> Iterator[Page]:
    """Give a page as `logged_page` does; nothing must go wrong in it."""
    with logged_page(browser, log, **settings) as page:
        yield page
    assert not log.complaints, log.complaints

"""A real JupyterLab, and what a person does in it: open a notebook, run cells, switch the theme, save.

Everything waits for a state of the page, never for a time.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from chromium import MISSING, find_chromium
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    ViewportSize,
    WebSocket,
    sync_playwright,
)

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN = "browser-tests"
VIEWPORT: ViewportSize = {"width": 1200, "height": 1700}  # the whole widget is in view
START_SECONDS = 60
ANSWER_SECONDS = 15
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
NEXT_DRAWING = """() => new Promise((done) => {
  const look = () => (document.querySelector(".rnnbow[data-drawing]") ? requestAnimationFrame(look) : done());
  requestAnimationFrame(() => requestAnimationFrame(look));
})"""
SLOW_MS = 60_000  # for what a busy machine may take long to do: load JupyterLab, start a kernel


class Lab:
    """A JupyterLab server on a free port, whose notebooks, settings and run-time files all lie under ``root``.

    As a context, it stops at the end.
    ``settings`` are those of a person, by plugin: ``{"@jupyterlab/apputils-extension:themes": {"theme": …}}``.
    """

    def __init__(self, root: Path, settings: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.root = root
        self.notebooks = root / "notebooks"
        self.notebooks.mkdir()
        write_settings(root, settings or {})
        self.url = f"http://127.0.0.1:{free_port()}"
        self._log = root / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command(), env=own_environment(root), stdout=log, stderr=log)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def write(self, name: str, *sources: str) -> Path:
        """Write a notebook with one code cell for each source."""
        path = self.notebooks / name
        path.write_text(json.dumps(notebook(*sources)), encoding="utf-8")
        return path

    def address(self, name: str) -> str:
        """Return the address at which JupyterLab opens a notebook, alone and with no layout from before."""
        return f"{self.url}/lab/tree/{name}?token={TOKEN}&reset"

    def end_kernels(self) -> None:
        """End all kernels, which else live on after their pages."""
        for kernel in json.loads(self._ask("GET", "kernels")):
            self._ask("DELETE", f"kernels/{kernel['id']}")

    def stop(self) -> None:
        """End the server; it ends its kernels."""
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _command(self) -> list[str]:
        return [
            *[sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"],
            *["--ip=127.0.0.1", f"--port={urlsplit(self.url).port}", "--ServerApp.port_retries=0"],
            *[f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.notebooks}"],
            *[f"--LabApp.app_settings_dir={REPOSITORY / 'scripts' / 'jupyterlab'}"],
            "--LabApp.extension_manager=readonly",
        ]

    def _ask(self, method: str, what: str) -> bytes:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(f"{self.url}/api/{what}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            content: bytes = answer.read()
        return content

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._ask("GET", "status")
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"JupyterLab did not start:\n{self._log.read_text()}") from None
                time.sleep(0.05)


@dataclass
class PageLog:
    """What a page said, what went wrong in it, and what it asked of other machines."""

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
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
        for noted in (self.console, self.errors, self.outside, self.dialogs):
            noted.clear()

    def watch(self, page: Page) -> None:
        """Note everything that the page does from now on."""
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))
        page.on("request", self._note_address)
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


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def write_settings(root: Path, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a person's settings of JupyterLab, by plugin, to where `own_environment` has them read."""
    for plugin, values in settings.items():
        path = root / "settings" / f"{plugin.replace(':', '/')}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


def own_environment(root: Path) -> dict[str, str]:
    """Return this process's environment, but for the person's own Jupyter: none of its settings or kernels."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
    places = {
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
    }
    return kept | {variable: str(root / folder) for variable, folder in places.items()}


@contextmanager
def logged_page(browser: Browser, log: PageLog) -> Iterator[Page]:
    """Give a page that shares nothing with others, and note what it does."""
    context = browser.new_context(viewport=VIEWPORT)
    context.on("page", log.watch)
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def watched_page(browser: Browser, log: PageLog) -> Iterator[Page]:
    """Give a page that shares nothing with others; nothing must go wrong in it."""
    with logged_page(browser, log) as page:
        yield page
    assert not log.complaints, log.complaints


def notebook(*sources: str) -> dict[str, Any]:
    """Return the JSON of a notebook with one code cell for each source."""
    empty: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells = [empty | {"id": f"cell-{i}", "source": source} for i, source in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open a notebook, in the JupyterLab that the page shows or a new one, and wait until its kernel is idle."""
    if page.url.startswith(lab.url):
        command(page, "docmanager:open", path=name)
    else:
        page.goto(lab.address(name))
    wait_for_kernel(page)


def close_notebooks(page: Page) -> None:
    """Close what is open in JupyterLab, saved or not."""
    page.evaluate("() => { for (const open of [...(window.jupyterapp?.shell.widgets('main') ?? [])]) open.dispose(); }")


def wait_for_kernel(page: Page) -> None:
    """Wait until the notebook is drawn and its kernel is idle."""
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=SLOW_MS)
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=SLOW_MS
    )


def command(page: Page, name: str, **arguments: object) -> None:
    """Carry out a command of JupyterLab's and wait until it is done."""
    page.evaluate("async ([name, args]) => { await window.jupyterapp.commands.execute(name, args) }", [name, arguments])


def run_all(page: Page) -> None:
    """Run every cell of the open notebook and wait for the last."""
    command(page, "notebook:run-all-cells")


def kernel_exec(page: Page, code: str) -> str:
    """Run code in the open notebook's kernel, as if in a cell, and return what it printed."""
    status, printed, traceback = page.evaluate(
        """async (code) => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const future = kernel.requestExecute({ code, store_history: false, stop_on_error: false });
          let printed = "";
          future.onIOPub = ({ header, content }) => { if (header.msg_type === "stream") printed += content.text; };
          const { content } = await future.done;
          return [content.status, printed, (content.traceback ?? []).join("\\n")];
        }""",
        code,
    )
    assert status == "ok", f"{printed}\n{traceback}"
    return str(printed)


def kernel_value(page: Page, expression: str) -> Any:
    """Return the value of an expression in the kernel; arrays come as lists."""
    return json.loads(kernel_exec(page, f"import json; print(json.dumps({expression}, default=lambda a: a.tolist()))"))


def wait_for_value(page: Page, expression: str, expected: object) -> None:
    """Ask the kernel until an expression has the expected value: what a page sends takes its time to arrive."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while (value := kernel_value(page, expression)) != expected:
        assert time.monotonic() < deadline, f"{expression} is {value!r}, not {expected!r}"


def next_drawing(page: Page) -> None:
    """Wait until the page has drawn what is due by now: a widget may take several frames."""
    page.evaluate(NEXT_DRAWING)


def set_theme(page: Page, name: str) -> None:
    """Switch to a theme, such as "JupyterLab Dark", and wait until the page wears it."""
    command(page, "apputils:change-theme", theme=name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
    page.locator("#jupyterlab-splash").wait_for(state="detached")  # it covers the page meanwhile


def notebook_path(page: Page, lab: Lab) -> Path:
    """Return the file of the open notebook."""
    return lab.notebooks / str(page.evaluate("window.jupyterapp.shell.currentWidget.context.path"))


def save(page: Page) -> None:
    """Save the open notebook and wait until nothing is unsaved."""
    command(page, "docmanager:save")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")

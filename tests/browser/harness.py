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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, WebSocket

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN = "browser-tests"
START_SECONDS = 60
SLOW_MS = 60_000  # for what a busy machine may take long to do: load JupyterLab, start a kernel


class Lab:
    """A JupyterLab server on a free port, whose notebooks, settings and run-time files all lie under ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notebooks = root / "notebooks"
        self.notebooks.mkdir()
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._log = root / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command(), env=self._environment(), stdout=log, stderr=log)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def write(self, name: str, *sources: str) -> Path:
        """Write a notebook with one code cell for each source."""
        path = self.notebooks / name
        path.write_text(json.dumps(notebook(*sources)), encoding="utf-8")
        return path

    def address(self, name: str) -> str:
        """Return the address at which JupyterLab opens a notebook, alone and with no layout from before."""
        return f"{self.url}/lab/tree/{name}?token={TOKEN}&reset"

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

    def _environment(self) -> dict[str, str]:
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
        return kept | {variable: str(self.root / folder) for variable, folder in places.items()}

    def _wait_until_ready(self) -> None:
        request = urllib.request.Request(f"{self.url}/api/status", headers={"Authorization": f"token {TOKEN}"})
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(request, timeout=5).close()
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

    def watch(self, page: Page) -> None:
        """Note everything that the page does from now on."""
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._note_address)
        page.on("websocket", self._note_address)

    def _note_address(self, request: Request | WebSocket) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname != "127.0.0.1":
            self.outside.append(request.url)


def notebook(*sources: str) -> dict[str, Any]:
    """Return the JSON of a notebook with one code cell for each source."""
    empty: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells = [empty | {"id": f"cell-{i}", "source": source} for i, source in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open a notebook and wait until its kernel is idle."""
    page.goto(lab.address(name))
    wait_for_kernel(page)


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


def set_theme(page: Page, name: str) -> None:
    """Switch to a theme, such as "JupyterLab Dark", and wait until the page wears it."""
    command(page, "apputils:change-theme", theme=name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)


def save(page: Page) -> None:
    """Save the open notebook and wait until nothing is unsaved."""
    command(page, "docmanager:save")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port

"""The JupyterLite site, served as files, and what a person does in it: Python runs in the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from harness import SLOW_MS, command, notebook
from playwright.sync_api import Page

LOADING_MS = 3 * SLOW_MS  # for 15 MB of WebAssembly, which a busy machine compiles


class QuietFiles(SimpleHTTPRequestHandler):
    """Files of a folder, and no word about it."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve files of a folder to this machine; give the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietFiles, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def open_site(page: Page, address: str) -> None:
    """Open the site and wait for JupyterLab."""
    page.goto(f"{address}/lab/index.html")
    page.wait_for_function("window.jupyterapp?.shell", timeout=SLOW_MS)
    page.evaluate("async () => { await window.jupyterapp.restored }")


def write(page: Page, name: str, *sources: str) -> None:
    """Write a notebook with one code cell for each source, to where the browser keeps files of the site."""
    content: dict[str, Any] = notebook(*sources)
    content["metadata"]["kernelspec"] = {"name": "python", "display_name": "Python", "language": "python"}
    page.evaluate(
        """async ([name, content]) => {
          const { contents } = window.jupyterapp.serviceManager;
          await contents.save(name, { type: "notebook", format: "json", content });
        }""",
        [name, content],
    )


def open_in_site(page: Page, name: str) -> None:
    """Open a notebook and wait until its kernel is idle."""
    command(page, "docmanager:open", path=name)
    page.wait_for_function(
        """name => {
          const context = window.jupyterapp.shell.currentWidget?.sessionContext;
          return context?.path?.endsWith(name) && context.session?.kernel?.status === "idle";
        }""",
        arg=name,
        timeout=LOADING_MS,
    )

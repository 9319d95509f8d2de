"""A real JupyterLab, and what a person does in it: open a notebook, run cells, switch the theme, save.

Everything waits for a state of the page, never for a time.
"""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from page_log import VIEWPORT, PageLog, watched_page
from playwright.sync_api import Browser, Page
from servers import free_port, running

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN = "browser-tests"
ANSWER_SECONDS = 15  # for what the kernel has to do first
ANSWER_MS = 1000 * ANSWER_SECONDS
NEXT_DRAWING = """() => new Promise((done) => {
  const look = () => (document.querySelector(".rnnbow[data-drawing]") ? requestAnimationFrame(look) : done());
  requestAnimationFrame(() => requestAnimationFrame(look));
})"""
HIDE = """hidden => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => hidden ? "hidden" : "visible" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SLOW_MS = 60_000  # for what a busy machine may take long to do: load JupyterLab, start a kernel


class Lab:
    """A JupyterLab server on a free port, whose notebooks, settings and run-time files all lie under ``root``.

    As a context, it runs until the end, and its kernels with it.
    ``settings`` are those of a person, by plugin: ``{"@jupyterlab/apputils-extension:themes": {"theme": …}}``.
    """

    def __init__(self, root: Path, settings: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.root = root
        self.notebooks = root / "notebooks"
        self.notebooks.mkdir()
        write_settings(root, settings or {})
        self.url = f"http://127.0.0.1:{free_port()}"
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self._running.enter_context(running(self._command(), self.root, self._answers))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

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

    def _command(self) -> list[str]:
        return [
            *["-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"],
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

    def _answers(self) -> bool:
        try:
            self._ask("GET", "status")
        except OSError:
            return False
        return True


def write_settings(root: Path, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a person's settings of JupyterLab, by plugin, to where `servers.own_environment` has them read."""
    for plugin, values in settings.items():
        path = root / "settings" / f"{plugin.replace(':', '/')}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


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


@contextmanager
def run_notebook(
    browser: Browser, lab: Lab, name: str, *sources: str, height: int = VIEWPORT["height"]
) -> Iterator[Page]:
    """Give a page of its own, so high, with a new notebook whose cells have run; its kernel ends with it."""
    lab.write(name, *sources)
    with watched_page(browser, PageLog(), viewport=VIEWPORT | {"height": height}) as page:
        open_notebook(page, lab, name)
        run_all(page)
        yield page
    lab.end_kernels()


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


def begin_cell(page: Page, code: str) -> None:
    """Have the kernel run code, as if in a cell, and wait for nothing."""
    page.evaluate(
        """code => {
          const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
          kernel.requestExecute({ code, store_history: false, stop_on_error: false });
        }""",
        code,
    )


def shut_kernel_down(page: Page) -> None:
    """End the open notebook's kernel, as a person does by the menu."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def wait_for_value(page: Page, expression: str, expected: object) -> None:
    """Ask the kernel until an expression has the expected value: what a page sends takes its time to arrive."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while (value := kernel_value(page, expression)) != expected:
        assert time.monotonic() < deadline, f"{expression} is {value!r}, not {expected!r}"


def next_drawing(page: Page) -> None:
    """Wait until the page has drawn what is due by now: a widget may take several frames."""
    page.evaluate(NEXT_DRAWING)


def hide(page: Page, hidden: bool = True) -> None:
    """Tell the page that nobody sees it, or that somebody does again."""
    page.evaluate(HIDE, hidden)


def set_theme(page: Page, name: str) -> None:
    """Switch to a theme, such as "JupyterLab Dark", and wait until the page wears it."""
    command(page, "apputils:change-theme", theme=name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
    page.locator("#jupyterlab-splash").wait_for(state="detached")  # it covers the page meanwhile


def notebook_path(page: Page, lab: Lab) -> Path:
    """Return the file of the open notebook."""
    return lab.notebooks / str(page.evaluate("window.jupyterapp.shell.currentWidget.context.path"))


def open_saved(page: Page, lab: Lab, path: Path, *, kernel: bool = False) -> None:
    """Leave JupyterLab, and load a notebook in a new one, as its file has it: without its kernel, or with it."""
    page.goto("about:blank")
    if not kernel:
        lab.end_kernels()
    page.goto(lab.address(path.name))
    wait_for_kernel(page)


def save(page: Page) -> None:
    """Save the open notebook and wait until nothing is unsaved."""
    command(page, "docmanager:save")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")

"""What shows widgets other than JupyterLab: Notebook 7, Voila, marimo and `rnnbow view`, each a server of its own."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from textwrap import indent
from urllib.parse import urlsplit

from harness import TOKEN, Lab, notebook
from servers import free_port, running

from rnnbow_widget import Run
from rnnbow_widget.follower import Follower
from rnnbow_widget.server import PageServer

MARIMO_APP = """
import marimo

app = marimo.App()

{cells}

if __name__ == "__main__":
    app.run()
"""


MARIMO_CELL = """
@app.cell
def _():
{source}
    return
"""


class NotebookServer(Lab):
    """A Jupyter Notebook 7: JupyterLab's parts in another frame, so that `harness` opens and runs its notebooks too."""

    def address(self, name: str) -> str:
        """Return the address at which Jupyter Notebook opens a notebook."""
        return f"{self.url}/notebooks/{name}?token={TOKEN}"

    def _command(self) -> list[str]:
        return [
            *["-m", "notebook", "--no-browser", "--allow-root", "--expose-app-in-browser"],
            *["--ip=127.0.0.1", f"--port={urlsplit(self.url).port}", "--ServerApp.port_retries=0"],
            *[f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.notebooks}"],
        ]


@contextmanager
def serving(path: Path) -> Iterator[PageServer]:
    """Serve a page that follows a run file, as `rnnbow view` does, on another thread."""
    with PageServer(Follower(Run.open(path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def running_voila(root: Path, source: str) -> Iterator[str]:
    """Serve a notebook with one cell as a page of Voila; give its address."""
    (root / "page.ipynb").write_text(json.dumps(notebook(source)), encoding="utf-8")
    port = free_port()
    options = ["--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with _running_at_home(["-m", "voila", "page.ipynb", *options], root, f"http://127.0.0.1:{port}/static/"):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def running_marimo(root: Path, mode: str, *sources: str, theme: str) -> Iterator[str]:
    """Serve a marimo notebook with a cell for each source, to "run" or to "edit", in a theme; give its address."""
    settings = f'[tool.marimo]\nruntime = {{ auto_instantiate = true }}\ndisplay = {{ theme = "{theme}" }}\n'
    (root / "pyproject.toml").write_text(settings, encoding="utf-8")
    cells = "\n".join(MARIMO_CELL.format(source=indent(source.strip(), "    ")) for source in sources)
    (root / "page.py").write_text(MARIMO_APP.format(cells=cells), encoding="utf-8")
    port = free_port()
    options = ["--headless", "--no-token", "--host=127.0.0.1", f"--port={port}"]
    with _running_at_home(["-m", "marimo", mode, "page.py", *options], root, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}/"


def _running_at_home(command: list[str], root: Path, health: str) -> AbstractContextManager[None]:
    """Run a server whose home is the folder; it is there when an address answers."""
    places = {"HOME": str(root), "MARIMO_SKIP_UPDATE_CHECK": "1"}
    return running(command, root, lambda: _answers(health), places)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False

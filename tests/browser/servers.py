"""Servers of the browser tests: programs in Python, on ports of their own, that end with their context."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
END_SECONDS = 15


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


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
def running(
    command: Sequence[str], root: Path, answers: Callable[[], bool], environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run ``python command`` in a folder until the end of the context; it is there when `answers` says so."""
    log = root / "server.log"
    own = own_environment(root) | dict(environment or {})
    with log.open("wb") as output:
        server = subprocess.Popen([sys.executable, *command], cwd=root, env=own, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[1]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        try:
            server.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

"""Pages in Node.js, for all machines."""

from collections.abc import Iterator
from pathlib import Path

import npm
import pytest
from wire import Pages

JS = Path(__file__).resolve().parents[2] / "js"


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The real sessions, bundled as they are."""
    host = tmp_path_factory.mktemp("pages") / "host.mjs"
    bundled = ["--bundle", "--platform=node", "--format=esm", "--log-level=error", f"--outfile={host}"]
    npm.npm("exec", "--", "esbuild", "test/wire/host.mjs", *bundled)
    pages = Pages(npm.NPM[0], host)
    yield pages
    pages.end()

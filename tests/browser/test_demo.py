"""`make demo` as a new user meets it: the address that it prints, the first notebook run, a widget that trains."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from figure import Figure
from harness import REPOSITORY, write_settings
from playwright.sync_api import Page, expect
from servers import free_port, own_environment

NOTEBOOK = REPOSITORY / "notebooks" / "01_rnnbow.ipynb"
START_SECONDS = 300  # the first `make demo` in a .venv of `make test` installs the package once more
CELLS_MS = 60_000

pytestmark = pytest.mark.skipif(
    Path(sys.prefix) != REPOSITORY / ".venv", reason="`make demo` runs in .venv: `make test-browser` runs this"
)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address that `make demo` prints."""
    port = free_port()
    write_settings(tmp_path, {"@jupyterlab/docmanager-extension:plugin": {"autosave": False}})  # the notebook is ours
    log = tmp_path / "make.log"
    environment = {name: value for name, value in own_environment(tmp_path).items() if not name.startswith("MAKE")}
    with log.open("wb") as output:
        make = subprocess.Popen(
            ["make", "demo", "BROWSER=none", f"PORT={port}"],
            cwd=REPOSITORY,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield _printed_address(log, port, make)
    finally:
        os.killpg(make.pid, signal.SIGTERM)  # make, and the server that it started; the server ends its kernels
        make.wait(timeout=30)


def _printed_address(log: Path, port: int, make: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(rf"http://127\.0\.0\.1:{port}/\S+", log.read_text())):
        assert make.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return found[0]


def test_the_demo_opens_the_first_notebook_whose_cells_all_run_and_whose_widget_trains(
    page: Page, address: str
) -> None:
    before = NOTEBOOK.read_bytes()
    page.set_viewport_size({"width": 1200, "height": 6000})  # JupyterLab draws only cells that are in view
    page.goto(address)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=CELLS_MS)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=CELLS_MS)
    # JupyterLab forgets cells that are run before there is a kernel.
    page.locator("#jp-bottom-panel").get_by_text("| Idle").wait_for(timeout=CELLS_MS)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    figure = Figure(page)
    expect(figure.root.locator("polygon.part").first).to_be_visible(timeout=CELLS_MS)
    figure.expect_state("training")
    figure.expect_more_recorded(5)

    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt")
    expect(prompts.filter(has_text=re.compile(r"\[[ *]\]:"))).to_have_count(0, timeout=CELLS_MS)
    assert prompts.count() > 3
    trouble = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
    expect(page.locator(trouble)).to_have_count(0)
    for index in range(page.locator(".rnnbow").count()):
        expect(Figure(page, index).banner).to_be_hidden()
    figure.expect_more_recorded(figure.recorded)
    figure.button("play").click()
    figure.expect_state("paused")
    picture = figure.read()
    figure.point(picture.steps[12].cell)
    assert figure.read().caused == {12}
    assert NOTEBOOK.read_bytes() == before, "nothing was saved"

"""The widget in a real kernel, and a page that is only messages: what ipykernel, ipywidgets and anywidget carry."""

from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from unpacking import batches

SECONDS = 60
SETUP = """
import json
from rnnbow_widget import RNNbow
widget = RNNbow("abcde fghij " * 60, hidden_size=8, record_every=10, seed=0)
widget.train(11)
"""


class Page:
    """A page that has no browser: it runs code, and talks with the widget as docs/architecture.md says."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client
        self._opened: list[dict[str, Any]] = []
        self.run(SETUP)
        (self.model,) = [one for one in self._opened if "_esm" in one["content"]["data"]["state"]]

    def run(self, code: str) -> str:
        """Run code as a cell; return what it printed."""
        printed = ""
        for message in self._until_idle(self._client.execute(code)):
            assert message["msg_type"] != "error", "\n".join(message["content"]["traceback"])
            if message["msg_type"] == "stream":
                printed += message["content"]["text"]
            elif message["msg_type"] == "comm_open":
                self._opened.append(message)
        return printed

    def says(self, **content: Any) -> list[tuple[dict[str, Any], list[bytes]]]:
        """Send a message; return what the widget said until the kernel had done with it."""
        return [
            (one["content"]["data"]["content"], [bytes(buffer) for buffer in one["buffers"]])
            for one in self._sent({"method": "custom", "content": content})
            if one["content"]["data"]["method"] == "custom"
        ]

    def state(self) -> tuple[dict[str, Any], list[bytes]]:
        """Ask for all traits, as a page does that is opened; return them, and the buffers among them."""
        (answer,) = self._sent({"method": "request_state"})
        return answer["content"]["data"]["state"], [bytes(buffer) for buffer in answer["buffers"]]

    def sets(self, **traits: Any) -> None:
        """Set traits, as a page does."""
        self._sent({"method": "update", "state": traits, "buffer_paths": []})

    def _sent(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        content = {"comm_id": self.model["content"]["comm_id"], "data": data}
        message = self._client.session.msg("comm_msg", content)
        self._client.shell_channel.send(message)
        return [one for one in self._until_idle(message["header"]["msg_id"]) if one["msg_type"] == "comm_msg"]

    def _until_idle(self, asked: str) -> Iterator[dict[str, Any]]:
        while True:
            message = self._client.get_iopub_msg(timeout=SECONDS)
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return
            yield message


@pytest.fixture(scope="module")
def kernel() -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel(startup_timeout=SECONDS)
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.context.destroy()


@pytest.fixture
def page(kernel: BlockingKernelClient) -> Page:
    """A page with a widget of its own."""
    return Page(kernel)


def test_a_new_page_has_the_run_and_what_draws_it(page: Page) -> None:
    assert page.model["content"]["target_name"] == "jupyter.widget"
    state, buffers = page.state()
    assert "export" in state["_esm"]
    assert ".rnnbow" in state["_css"]
    assert state["_info"]["hidden_size"] == 8
    assert state["_run"]["recorded"] == 2
    assert batches(buffers) == [0, 10]


def test_it_trains_on_leases_and_says_what_it_recorded(page: Page) -> None:
    page.says(kind="play")
    said = page.says(kind="lease", client="page", seq=1, ms=200)
    frames = [(content, chunks) for content, chunks in said if content["kind"] == "frame"]
    assert [content["last"] for content, _ in frames] == [False] * (len(frames) - 1) + [True]
    said += page.says(kind="stop")  # what was trained after the last frame
    said += page.says(kind="step", client="page", seq=2, until="record")
    told = batches([chunk for _, chunks in said for chunk in chunks])
    assert len(told) > 1
    assert page.run("print(json.dumps(widget.run.batches.tolist()[2:]))") == f"{told}\n"


def test_settings_and_choices_arrive(page: Page) -> None:
    page.says(kind="set", name="learning_rate", value=0.05)
    page.sets(measure="share")
    assert page.run("print(widget.learning_rate, widget.trainer.learning_rate, widget.measure)") == "0.05 0.05 share\n"
    ((refused, _),) = page.says(kind="set", name="learning_rate", value="fast")
    assert refused["kind"] == "refused"
    assert "learning_rate" in refused["message"]


def test_what_goes_wrong_in_the_kernel_is_told(page: Page) -> None:
    page.run("widget.trainer.step = widget.trainer.train = None")
    said = page.says(kind="step", client="page", seq=1, until="batch")
    (told,) = [content for content, _ in said if content["kind"] == "error"]
    assert "not callable" in told["message"]

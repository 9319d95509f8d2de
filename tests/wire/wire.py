"""A kernel's widget and pages of it, the real ones, with a wire between them on which messages can get lost."""

import base64
import json
import subprocess
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from failing import InjectedError
from ipywidgets.widgets.widget import _remove_buffers

from rnnbow_widget import Comparison, RNNbow

Message = dict[str, Any]
Item = TypeVar("Item")
FAULTS = ("none", "lost", "doubled", "late")


class Pages:
    """Pages in Node.js; `js/test/wire/pages.ts` has their commands."""

    def __init__(self, node: str, host: Path) -> None:
        self._process = subprocess.Popen([node, str(host)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, command: Message) -> tuple[Any, list[Message]]:
        """Carry out a command; return its answer, and what pages sent to the kernel meanwhile."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(command, allow_nan=False) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the pages ended at {command['do']}"
        told = json.loads(line)
        return told["answer"], told["sent"]

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)
        assert self._process.stdout
        self._process.stdout.close()


class Wire:
    """Carries messages between a widget and its pages, one queue for each page and direction."""

    def __init__(self, widget: RNNbow | Comparison, pages: Pages) -> None:
        self.widget = widget
        self.pages = pages
        self.kind = "run" if isinstance(widget, RNNbow) else "comparison"
        self.to_page: dict[str, deque[Message]] = {}
        self.to_kernel: dict[str, deque[Message]] = {}
        self._opened = 0
        # Traits that a page has set and the kernel has not confirmed: until then hosts keep what the page has set.
        self._unconfirmed: dict[str, Counter[str]] = {}
        self._speaking = threading.local()
        assert widget.comm is not None
        widget.comm.publish_msg = self._publish

    def open(self) -> str:
        """Open a page: it has the widget's state."""
        state = _with_buffers(self.widget.get_state())
        page = f"page {self._opened}"
        self._opened += 1
        self.to_page[page], self.to_kernel[page], self._unconfirmed[page] = deque(), deque(), Counter()
        self.tell("open", page, kind=self.kind, **state)
        return page

    def close(self, page: str) -> None:
        self.tell("close", page)
        del self.to_page[page], self.to_kernel[page]

    def tell(self, do: str, page: str | None = None, **rest: Any) -> Any:
        """Carry out a page's command; what it sends waits in its queue."""
        answer, sent = self.pages.tell({"do": do, "page": page, **rest})
        for one in sent:
            if (speaking := one.pop("page")) in self.to_kernel:
                self.to_kernel[speaking].append(one)
                self._unconfirmed[speaking].update(list(one.get("state", {})))
        return answer

    def carry_to_page(self, page: str, fault: str = "none") -> None:
        """Deliver the first message that waits for a page."""
        for message in _taken(self.to_page[page], fault):
            if "confirmed" in message:
                self._unconfirmed[page].subtract(message["confirmed"])
                continue
            kept = {
                name: value for name, value in message.get("state", {}).items() if not self._unconfirmed[page][name]
            }
            self.tell(page=page, **message | ({"state": kept} if message["do"] == "update" else {}))

    def carry_to_kernel(self, page: str, fault: str = "none") -> None:
        """Deliver the first message of a page that waits for the kernel."""
        for message in _taken(self.to_kernel[page], fault):
            self.receive(page, message)

    def lose_all(self, page: str) -> None:
        """Lose every message that waits for a page, or that it has sent; traits arrive."""
        while self.to_page[page]:
            self.carry_to_page(page, "lost")
        while self.to_kernel[page]:
            self.carry_to_kernel(page, "lost")

    def asked(self, page: str) -> list[str]:
        """What messages of a page that wait for the kernel ask for."""
        return [waiting["message"]["kind"] for waiting in self.to_kernel[page] if "message" in waiting]

    def receive(self, page: str, message: Message) -> None:
        self._speaking.page = page
        if "message" in message:
            data = {"method": "custom", "content": message["message"]}
        else:
            data = {"method": "update", "state": message["state"], "buffer_paths": []}
        with suppress(InjectedError):  # kernels write it into their logs
            self.widget._handle_msg({"content": {"data": data}, "buffers": []})

    def carry_all(self, most: int = 400) -> bool:
        """Deliver what waits, and what follows from it; return whether the wire is empty."""
        for _ in range(most):
            if not any([*self.to_page.values(), *self.to_kernel.values()]):
                return True
            for page in list(self.to_page):
                self.carry_to_page(page)
                self.carry_to_kernel(page)
        return False

    def _publish(
        self, kind: str, data: Message, metadata: object = None, buffers: Sequence[bytes] | None = None, **_: Any
    ) -> None:
        if kind != "comm_msg":  # it is closed
            return
        encoded = [base64.b64encode(buffer).decode() for buffer in buffers or ()]
        if data["method"] == "custom":
            message = {"do": "deliver", "content": data["content"], "buffers": encoded}
        elif data["method"] in ("update", "echo_update"):
            message = {"do": "update", "state": data["state"], "buffers": encoded, "paths": data["buffer_paths"]}
        else:
            return
        for page, queue in self.to_page.items():
            if data["method"] == "echo_update" and page == self._speaking.page:
                queue.append({"confirmed": list(data["state"])})
                continue
            queue.append(json.loads(json.dumps(message, allow_nan=False)))  # as it was when it was sent


def taken(queue: deque[Item], fault: str) -> list[Item]:
    """Take the first message; by the fault it is nothing, itself twice, or the one behind it and then itself."""
    if not queue:
        return []
    message = queue.popleft()
    if fault == "lost":
        return []
    if fault == "late" and queue:
        return [queue.popleft(), message]
    return [message] * (2 if fault == "doubled" else 1)


def _taken(queue: deque[Message], fault: str) -> list[Message]:
    """Take the first message. Traits are state, and hosts do not lose them: only messages are."""
    of_traits = bool(queue) and (queue[0].get("do") == "update" or "state" in queue[0] or "confirmed" in queue[0])
    return taken(queue, "none" if of_traits else fault)


def _with_buffers(state: Mapping[str, Any]) -> Message:
    """A whole state as hosts send it."""
    names = {name for name in state if not name.startswith(("_view", "_model", "_dom", "_esm", "_css", "_any"))}
    kept = {name: state[name] for name in names if name not in {"layout", "tabbable", "tooltip"}}
    without, paths, buffers = _remove_buffers(kept)
    return {"state": without, "buffers": [base64.b64encode(buffer).decode() for buffer in buffers], "paths": paths}

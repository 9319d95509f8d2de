"""A server that follows a run file, and pages of it, with a network between them on which requests can get lost."""

import base64
import http.client
import json
import threading
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from failing import at_once
from saving import reader_of
from wire import Message, Pages, taken

from rnnbow_widget.follower import Follower
from rnnbow_widget.server import PageServer

_PROMPT_SECONDS = 0.005


class ServedWire:
    """Carries what pages ask and what they are answered, one queue for each page and direction."""

    def __init__(self, follower: Follower, pages: Pages) -> None:
        self.pages = pages
        self.to_page: dict[str, deque[Message]] = {}
        self.to_server: dict[str, deque[Message]] = {}
        self.run_of: dict[str, str] = {}
        """Which run each page was made for, by the name that the run has in its file."""
        self._talk: dict[str, str] = {}
        self._follower = follower
        self._opened = 0
        self._server = PageServer(follower)
        self._serving = threading.Thread(target=lambda: self._server.serve_forever(_PROMPT_SECONDS))
        self._serving.start()

    def end(self) -> None:
        """End the server, and all pages."""
        for page in list(self.to_page):
            self.close(page)
        self._server.shutdown()
        self._serving.join()
        self._server.server_close()

    def open(self) -> str:
        """Open a page: it is loaded, and seen."""
        page = f"page {self._opened}"
        self._opened += 1
        self._load(page)
        return page

    def close(self, page: str) -> None:
        self.tell("close", page)
        del self.to_page[page], self.to_server[page]

    def tell(self, do: str, page: str | None = None, **rest: Any) -> Any:
        """Carry out a page's command; what it posts waits in its queue. A page that wants to be loaded anew is."""
        answer, sent = self.pages.tell({"do": do, "page": page, **rest})
        for one in sent:
            if (speaking := one.pop("page")) not in self.to_server:
                continue
            if "reload" in one:
                self.tell("close", speaking)
                self._load(speaking)
            else:
                self.to_server[speaking].append(one)
        return answer

    def carry_to_page(self, page: str, fault: str = "none") -> None:
        """Deliver the first answer that waits for a page, which hears it once; or tell it that there is none."""
        queue = self.to_page[page]
        if fault == "lost" and queue:
            queue[0]["body"] = None
        for message in taken(queue, fault if fault == "late" else "none"):
            if self.to_page[page] is queue:  # else it has been loaded anew, and is another one
                self.tell("answer", page, **message)

    def carry_to_server(self, page: str, fault: str = "none") -> None:
        """Deliver the first post of a page that waits; if that is lost, the page hears that there is no answer."""
        if fault == "lost" and self.to_server[page]:
            self.to_page[page].append({**self.to_server[page].popleft(), "body": None})
            return
        answers = {post["post"]: self._answered(page, post) for post in taken(self.to_server[page], fault)}
        self.to_page[page].extend(answers.values())

    def carry_at_once(self) -> None:
        """Deliver the first posts of two pages on two threads."""
        speaking = [(page, queue.popleft()) for page, queue in self.to_server.items() if queue][:2]
        answers: dict[str, Message] = {}

        def carry(page: str, post: Message) -> None:
            answers[page] = self._answered(page, post)

        at_once(*((lambda one=one: carry(*one)) for one in speaking))
        for page, answer in answers.items():
            self.to_page[page].append(answer)

    def carry_all(self, most: int = 400) -> bool:
        """Deliver what waits, and what follows from it; return whether nothing waits any more."""
        for _ in range(most):
            if not any([*self.to_page.values(), *self.to_server.values()]):
                return True
            for page in list(self.to_page):
                self.carry_to_page(page)
                self.carry_to_server(page)
        return False

    def _load(self, page: str) -> None:
        html = self._ask("GET", "").decode()
        self.run_of[page] = reader_of(self._follower._run).state.id
        self._talk[page] = _between(html, 'id="rnnbow-follows">', "<")
        traits, texts = (_between(html, f'id="rnnbow-{name}">', "</script>") for name in ("traits", "chunks"))
        self.to_page[page], self.to_server[page] = deque(), deque()
        self.tell("open", page, kind="served", traits=json.loads(traits), texts=texts)
        self.tell("join", page)

    def _answered(self, page: str, post: Message) -> Message:
        body = self._ask("POST", self._talk[page], post["body"], {"Content-Type": "application/json"})
        return {"post": post["post"], "body": base64.b64encode(body).decode()}

    def _ask(self, method: str, what: str, *rest: Any) -> bytes:
        """What the server answers, which it must."""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.server_port, timeout=30)
        try:
            connection.request(method, urlsplit(self._server.url).path + what, *rest)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, f"{method} {what} {rest}: {answer.status} {body[:200]!r}"
            return body
        finally:
            connection.close()


def _between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0]

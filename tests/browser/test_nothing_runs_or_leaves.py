"""Nothing leaves the page, nothing in the data runs, and a strict policy is enough; docs/security.md promises it."""

import base64
import hashlib
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from chromium import find_chromium
from figure import Figure
from harness import SLOW_MS, Lab, kernel_exec, open_notebook, run_all
from hosts import serving
from page_log import FLAGS, PageLog, logged_page
from playwright.sync_api import Browser, Error, Page, expect

from rnnbow_widget import Trainer, compare
from rnnbow_widget.corpora import Corpus
from rnnbow_widget.server import PageServer

HOSTILE = "</script><script>window.ran=1</script><img src=x onerror='window.ran=1'>]]><!--\u2028&lt;"
MARKS = "script, img, b, iframe, object, embed, link, a[href]"
"""Elements that the panels have none of: one would come of data."""
VIOLATIONS = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) => {
    window.violations.push([effectiveDirective, blockedURI, sample]);
  });
"""
POLICY = {
    "default-src": "'none'",
    # JupyterLab makes functions of JSON schemas, for which it needs 'unsafe-eval'. anywidget loads every widget as a
    # blob. The one script that stands in JupyterLab's page is allowed by its hash.
    "script-src": "'self' blob: 'unsafe-eval' {hashes}",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'self'",
}
SETUP = f"""
import numpy as np
from rnnbow_widget import RNNbow, compare, sweep
from rnnbow_widget.corpora import Corpus

hostile = {HOSTILE!r}
tokens = np.random.default_rng(0).integers(0, 4, 400).astype(np.int32)
corpus = Corpus(hostile, tokens, (hostile, "<b>b</b>", "&amp;", "d"))
settings = dict(hidden_size=6, seq_length=8, record_every=5)
"""


class StrictLab(Lab):
    """A JupyterLab that sends a content security policy of ours with every page."""

    def __init__(self, root: Path, policy: str) -> None:
        self._policy = policy
        super().__init__(root)

    def _command(self) -> list[str]:
        headers = {"headers": {"Content-Security-Policy": self._policy}}
        return [*super()._command(), f"--ServerApp.tornado_settings={headers}"]


@pytest.fixture(scope="module")
def strict(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictLab]:
    """A JupyterLab as strict as it can bear."""
    lab.write("empty.ipynb", "")
    with urllib.request.urlopen(lab.address("empty.ipynb")) as answer:
        scripts = re.findall(r"<script>(.*?)</script>", answer.read().decode(), re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    policy = "; ".join(f"{name} {allowed}" for name, allowed in POLICY.items()).format(hashes=hashes)
    with StrictLab(tmp_path_factory.mktemp("strict"), policy) as server:
        yield server


@contextmanager
def policed_page(browser: Browser, log: PageLog, **settings: Any) -> Iterator[Page]:
    """Give a page that notes what a policy stopped, once it shows something."""
    with logged_page(browser, log, **settings) as page:
        page.add_init_script(VIOLATIONS)
        yield page


def assert_nothing_ran(page: Page, log: PageLog) -> None:
    assert page.evaluate("window.ran") is None
    assert page.evaluate("window.violations") == []
    expect(page.locator(".rnnbow").locator(MARKS)).to_have_count(0)
    assert not log.complaints


@pytest.fixture
def notebook_page(browser: Browser, strict: StrictLab) -> Iterator[tuple[Page, PageLog]]:
    """A page of that JupyterLab: nothing may leave it."""
    log = PageLog()
    with policed_page(browser, log) as page:
        yield page, log
        assert log.asked - {""} == {urlsplit(strict.url).netloc}
    strict.end_kernels()


def shown(page: Page, strict: StrictLab, name: str, *sources: str) -> None:
    strict.write(f"{name}.ipynb", SETUP, *sources)
    open_notebook(page, strict, f"{name}.ipynb")
    run_all(page)


def test_the_widget_works_under_a_strict_policy_and_draws_data_as_text(
    notebook_page: tuple[Page, PageLog], strict: StrictLab
) -> None:
    page, log = notebook_page
    shown(page, strict, "widget", "w = RNNbow(corpus, **settings)\nw.train(21)\nw")
    figure = Figure(page)
    figure.expect_batch(20)
    targets = {step.target for step in figure.read().steps.values()}
    assert targets & {"<b>b</b>", "&amp;"}
    figure.point(figure.read().steps[3].cell)
    expect(figure.tooltip).to_be_visible()
    expect(figure.root).to_contain_text("</script><script>")
    figure.button("step").click()
    figure.expect_recorded(6)
    kernel_exec(page, f"def fail(*_): raise RuntimeError({HOSTILE!r})\nw.trainer.train = w.trainer.step = fail")
    figure.button("step").click()
    expect(figure.banner).to_contain_text("</script><script>window.ran=1</script><img")
    assert_nothing_ran(page, log)


def test_a_comparison_does_too(notebook_page: tuple[Page, PageLog], strict: StrictLab) -> None:
    page, log = notebook_page
    sides = "{hostile: Trainer(corpus, **settings), '<b>': Trainer(corpus, cell='gru', **settings)}"
    shown(page, strict, "compare", f"from rnnbow_widget import Trainer\nc = compare(**{sides})\nc.train(21)\nc")
    expect(page.locator(".rnnbow .side")).to_have_count(2)
    expect(page.locator(".rnnbow .side").nth(1)).to_have_attribute("data-batch", "20")
    expect(page.locator(".rnnbow").first).to_contain_text("</script><script>")
    assert_nothing_ran(page, log)


def test_a_sweep_does_too(notebook_page: tuple[Page, PageLog], strict: StrictLab) -> None:
    page, log = notebook_page
    trial = "{'seed': [0, 1]}, batches=20, record_every=5, hidden_size=6, seq_length=8, executor=1"
    shown(page, strict, "sweep", f"s = sweep(corpus, {trial})\ns")
    root = page.locator(".rnnbow.sweep")
    expect(root).to_have_attribute("data-finished", "true", timeout=SLOW_MS)
    root.locator("tr[data-trial='1'] button").click()
    expect(page.locator(".rnnbow [data-panel=gradients] svg")).to_be_visible()
    expect(page.locator(".rnnbow-host").first).to_contain_text("<b>b</b>")
    assert_nothing_ran(page, log)


def hostile_corpus() -> Corpus:
    tokens = np.random.default_rng(0).integers(0, 4, 400).astype(np.int32)
    return Corpus(HOSTILE, tokens, (HOSTILE, "<b>b</b>", "&amp;", "d"))


def test_a_page_of_a_comparison_draws_names_as_text_and_asks_for_nothing(browser: Browser, tmp_path: Path) -> None:
    trainers = [Trainer(hostile_corpus(), cell=cell, hidden_size=6, seq_length=8) for cell in ("tanh", "gru")]
    sides: dict[str, Any] = {HOSTILE: trainers[0], "<b>": trainers[1]}
    both = compare(**sides)
    both.train(5)
    path = tmp_path / "both.html"
    both.to_html(path, title=HOSTILE)
    log = PageLog()
    with policed_page(browser, log, offline=True) as page:
        page.goto(path.as_uri())
        expect(page.locator(".rnnbow .side")).to_have_count(2)
        expect(page.locator(".rnnbow .side [data-panel=gradients] svg").first).to_be_visible()
        expect(page.locator("h1")).to_have_text(HOSTILE.replace("\u2028", "U+2028"))
        assert_nothing_ran(page, log)
        assert log.asked == {path.as_uri()}


def test_the_policy_of_a_page_stops_requests(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "run.html"
    Trainer("abcde fghij " * 40, hidden_size=4).train(1).to_html(path)
    with policed_page(browser, PageLog()) as page:
        page.context.route("http://elsewhere.invalid/**", lambda route: route.fulfill(body="answered"))
        page.goto(path.as_uri())
        expect(page.locator(".rnnbow [data-panel=gradients] svg")).to_be_visible()
        came = page.evaluate("""() => Promise.all([
          fetch("http://elsewhere.invalid/", { mode: "no-cors" }).then(() => "answered", ({ name }) => name),
          new Promise((done) => {
            const image = new Image();
            image.onload = () => done("loaded");
            image.onerror = () => done("error");
            image.src = "http://elsewhere.invalid/";
          }),
        ])""")
        assert came == ["TypeError", "error"]
        assert {directive for directive, *_ in page.evaluate("window.violations")} == {"connect-src", "img-src"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    """Serves a run file with a hostile name and hostile content."""
    path = tmp_path / f"{HOSTILE.replace('/', '')}.rnnbow"
    trainer = Trainer(hostile_corpus(), hidden_size=6, seq_length=8, record_every=5, save=path)
    trainer.train(21)
    with serving(path) as server:
        yield server


def test_a_served_page_asks_its_own_server_only(browser: Browser, server: PageServer) -> None:
    log = PageLog()
    with policed_page(browser, log) as page:
        with page.expect_response(lambda response: "talk?page=" in response.url):
            page.goto(server.url)
        figure = Figure(page)
        figure.expect_batch(20)
        expect(page.locator("h1")).to_contain_text("<script><script>window.ran=1<script><img")
        expect(page.locator(".file")).to_contain_text("<img src=x")
        assert_nothing_ran(page, log)
    assert log.asked == {urlsplit(server.url).netloc}


def test_a_served_page_is_not_there_under_another_name(browser: Browser, server: PageServer) -> None:
    """A page from elsewhere can give this machine a name of its own; the browser then takes both for one origin."""
    rules = "--host-resolver-rules=MAP attacker.example 127.0.0.1"
    other = browser.browser_type.launch(executable_path=find_chromium(), args=[*FLAGS, rules])
    try:
        page = other.new_page()
        for name, status in (("attacker.example", 404), ("127.0.0.1", 200)):
            with (
                page.expect_response(lambda response: response.request.is_navigation_request()) as answered,
                suppress(Error),  # a page that is not there is an error to whoever goes there
            ):
                page.goto(server.url.replace("127.0.0.1", name))
            assert answered.value.status == status
    finally:
        other.close()


def test_what_leaves_a_page_and_what_its_policy_stops_would_be_noticed(
    browser: Browser, notebook_page: tuple[Page, PageLog], strict: StrictLab
) -> None:
    page, log = notebook_page
    page.goto(strict.address("empty.ipynb"))
    page.evaluate("fetch('http://elsewhere.invalid/').catch(() => {})")
    assert page.evaluate("window.violations")[0][0] == "connect-src"
    assert log.complaints
    free = PageLog()
    with logged_page(browser, free) as blank:
        blank.context.route("http://elsewhere.invalid/**", lambda route: route.abort())
        blank.evaluate("fetch('http://elsewhere.invalid/').catch(() => {})")
        assert free.asked == {"elsewhere.invalid"}
        assert "request to http://elsewhere.invalid/" in free.complaints

"""A monkey at a notebook with all that can be shown, while it trains: nothing breaks, leaks, or is drawn wrong.

After each round everything is paused and compared with the kernel. A seed does the same again, and so for longer::

    pytest tests/browser/test_monkey.py --monkey-seed=7 --monkey-minutes=30
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from agreement import (
    TOLD,
    assert_agrees,
    assert_overview_agrees,
    assert_sides_agree,
    assert_table_agrees,
    plain,
    shown_figures,
)
from footprint import Footprint, footprint, have_jupyterlab_let_go
from harness import SLOW_MS, Lab, kernel_exec, kernel_value, next_drawing, open_notebook, run_all, wait_for_value
from monkey import EVENTS, KINDS, SINGLE, Action, Monkey, rounds
from page_log import PageLog, logged_page
from playwright.sync_api import Browser, Page, expect

ROUNDS = len(EVENTS)  # each event once
# What may be left above the first checkpoint when all runs have begun anew: docs/benchmarks.md says why.
PAGE_BYTES = 10_000_000
BYTES_OF_A_WIDGET = 2_000_000  # for each that cells made since: browsers never forget a module
NODES = 2_000  # a display has some 1,500, and 150 listeners
LISTENERS = 300
KERNEL_BYTES = 40_000_000
KERNEL_BYTES_OF_A_WIDGET = 1_500_000  # for each that cells made since: Out holds all that they have displayed
# Of JupyterLab, what it makes anew for whichever cell is active: 800 listeners are left behind each time.
SWITCHED_OFF = (
    "@jupyterlab/cell-toolbar-extension:plugin",
    "@jupyterlab/metadataform-extension:metadataforms",
    "@jupyterlab/notebook-extension:tools",
    "@jupyterlab/notebook-extension:update-raw-mimetype",  # needs these
)
# What a widget is made of anew, when its cell runs again.
ANEW = "if {0!r} in globals():\n    {0}.close()\n{0} = {1}\n{0}.train(60)\n{0}"
CELLS = (
    "from rnnbow_widget import RNNbow, compare, corpora, sweep\ndata = corpora.c_headers()",
    ANEW.format("w", "RNNbow(data, hidden_size=16, horizon=6, batch_size=3, record_every=5, memory_limit=3e6, seed=1)"),
    "w",
    ANEW.format(
        "deep",
        "RNNbow(data, cell='lstm', num_layers=2, bidirectional=True, hidden_size=8, seq_length=12, horizon=8, "
        "record_every=20, memory_limit=20e6, seed=2)",
    ),
    ANEW.format(
        "long",
        "RNNbow(data, hidden_size=12, seq_length=128, horizon=None, record_every=20, init='orthogonal', "
        "memory_limit=20e6, seed=3)",
    ),
    ANEW.format("both", "compare('tanh', 'gru', data=data, hidden_size=10, record_every=5, horizon=6, seed=4)"),
    "if 'table' in globals():\n    table.cancel()\n    table.close()\n"
    "table = sweep(data, {'cell': ['tanh', 'lstm'], 'learning_rate': [0.1, 0.01]}, batches=1_000, record_every=50, "
    "hidden_size=8, executor=1)\ntable",
)
TOGETHER = ((1, 2), (2,), (3,), (4,), (5,), (6,))  # who makes a widget anew also displays it anew
PLAYING = (*SINGLE, "both")  # what can train
PAUSE = """
for one in (w, deep, long, both):
    one.pause()
table.cancel()
"""
FORGET = """
for one in (w, deep, long, both):
    one.reset()
table.show()
for one in Out.values():  # widgets that are closed, with all that they had recorded
    if getattr(one, "comm", one) is None:
        for trainer in getattr(one, "trainers", {"": getattr(one, "trainer", None)}).values():
            if trainer:
                trainer.reset()
"""
BEGIN_ANEW = """
for one in (w, deep, long):
    one.learning_rate = 0.1
for one in (w, deep, long, both):
    one.train(60)
"""
LISTEN = """() => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  window.kernelSaid ??= [];
  window.kernelsHeard ??= new WeakSet();
  if (window.kernelsHeard.has(kernel)) return;
  window.kernelsHeard.add(kernel);
  kernel.iopubMessage.connect((_, { header, content }) => {
    if (header.msg_type === "error") window.kernelSaid.push(`${content.ename}: ${content.traceback.join("\\n")}`);
    if (header.msg_type === "stream" && content.name === "stderr") window.kernelSaid.push(content.text);
  });
}"""
HEARD = "() => window.kernelSaid?.splice(0) ?? []"
# What others say of what a monkey does. Ours is that nothing throws, and nothing is left out.
OTHERS_IN_PAGE = (
    r"warning: Connection lost, reconnecting in \d+ seconds\.",  # JupyterLab, when a kernel is restarted
    r"warning: Plugin \S+ \(with \d+ dependants\) took [\d.]+ms to activate\.",  # JupyterLab, on a busy machine
    r"warning: Plugin \S+ is taking too long to activate\.",  # the same
)
OTHERS_IN_KERNEL = (
    r"No such comm: [0-9a-f-]+\s*",  # ipykernel: a page spoke to a widget that a cell has just closed
    r"No such comm target registered: jupyter\.widget\.control\s*",  # ipykernel: ipywidgets is not imported yet
    r"\d+\.\d+s - .*",  # its debugger, when it is started again on a busy machine
)
INTERRUPTED = r".*\bKeyboardInterrupt\b.*"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    config = tmp_path / "config" / "labconfig" / "page_config.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"disabledExtensions": dict.fromkeys(SWITCHED_OFF, True)}))
    with Lab(tmp_path) as lab:
        yield lab


def test_a_monkey_breaks_nothing(
    browser: Browser, lab: Lab, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    seed: int = request.config.getoption("monkey_seed")
    minutes: float = request.config.getoption("monkey_minutes")
    end = monotonic() + 60 * minutes
    log = PageLog()
    with logged_page(browser, log) as page:
        life = Life(page, lab, log)
        try:
            life.begin()
            for index, actions in enumerate(rounds(seed)):
                if index >= ROUNDS and monotonic() >= end:
                    break
                life.live(actions)
                life.check()
                if minutes:
                    with capsys.disabled():
                        print(f"\n{index}: {life.footprints[-1]} {life.monkey.made} widgets made", end="", flush=True)
        except BaseException as error:
            error.add_note(f"The monkey's seed was {seed}; its last actions:\n" + "\n".join(life.monkey.done))
            page.screenshot(path=request.path.parent / "failures" / f"monkey-{seed}.png")
            raise
    assert all(life.compared[name] > 100 for name in (*PLAYING, "overviews")), life.compared
    assert life.compared["table"] > 0
    assert all(life.monkey.met[kind] for kind in KINDS), "every kind of action met something to act on"


class Life:
    """A notebook, the monkey at it, and what must hold."""

    def __init__(self, page: Page, lab: Lab, log: PageLog) -> None:
        self._page = page
        self._lab = lab
        self._log = log
        self.monkey = Monkey(page, lab, "monkey.ipynb", TOGETHER, len(PLAYING) + 1)
        self.compared: Counter[str] = Counter()
        self.footprints: list[Footprint] = []
        self._first_of_page: Footprint | None = None
        self._first_of_kernel: Footprint | None = None
        self._made = self._made_in_kernel = 0

    def begin(self) -> None:
        self._lab.write("monkey.ipynb", *CELLS)
        open_notebook(self._page, self._lab, "monkey.ipynb")
        self._page.evaluate(LISTEN)
        run_all(self._page)

    def live(self, actions: Iterable[Action]) -> None:
        """Carry out a round of actions. Whatever goes wrong, it is told with the action that it follows."""
        for action in actions:
            self.monkey.act(action)
            self._assert_page_is_silent()
            if action.kind == "restart":
                self._first_of_kernel = None
            if action.kind in ("reload", "reopen", "restart"):
                self._first_of_page = None
                self._page.evaluate(LISTEN)

    def check(self) -> None:
        """Pause, and compare everything with what the kernel holds; then begin all runs anew and see what is left."""
        page, compared = self._page, self.compared
        self.monkey.rest()
        kernel_exec(page, PAUSE)
        kernel_exec(page, TOLD)
        for name in PLAYING:
            wait_for_value(page, f"{name}._conversation.leases.lock.locked()", False)
        for name in SINGLE:
            for figure in shown_figures(page, name):
                compared[name] += assert_agrees(figure, name)
                plain(page, name)
                compared[name] += assert_agrees(figure, name)
                compared["overviews"] += assert_overview_agrees(figure, name)
        for figure in shown_figures(page, "both"):
            compared["both"] += assert_sides_agree(figure.root, "both")
        for figure in shown_figures(page, "table"):
            compared["table"] += assert_table_agrees(figure.root, "table")
        self._begin_anew()
        have_jupyterlab_let_go(page)
        self._assert_little_is_left(footprint(page))
        self._assert_page_is_silent()
        self._assert_kernel_is_silent()

    def _begin_anew(self) -> None:
        """Reset all runs, and train a little: panels hold the run that was drawn last until a batch of another is."""
        page = self._page
        for code, batch in ((FORGET, r"^$"), (BEGIN_ANEW, r"^\d+$")):
            kernel_exec(page, code)
            shown = {f"{name}.run": [figure.root for figure in shown_figures(page, name)] for name in SINGLE}
            for side in range(2):
                places = [figure.root.locator(".side").nth(side) for figure in shown_figures(page, "both")]
                shown[f"list(both.runs.values())[{side}]"] = places
            for run, places in shown.items():
                recorded = str(kernel_value(page, f"len({run})"))
                for place in places:
                    expect(place).to_have_attribute("data-recorded", recorded, timeout=SLOW_MS)
                    expect(place).to_have_attribute("data-batch", re.compile(batch), timeout=SLOW_MS)
            next_drawing(page)

    def _assert_little_is_left(self, now: Footprint) -> None:
        self.footprints.append(now)
        if self._first_of_page is None:
            self._first_of_page, self._made = now, self.monkey.made
        if self._first_of_kernel is None:
            self._first_of_kernel, self._made_in_kernel = now, self.monkey.made
        first, made = self._first_of_page, self.monkey.made - self._made
        assert now.page_bytes <= first.page_bytes + PAGE_BYTES + BYTES_OF_A_WIDGET * made
        assert now.nodes <= first.nodes + NODES
        assert now.listeners <= first.listeners + LISTENERS
        held = KERNEL_BYTES_OF_A_WIDGET * (self.monkey.made - self._made_in_kernel)
        assert now.kernel_bytes <= self._first_of_kernel.kernel_bytes + KERNEL_BYTES + held

    def _assert_page_is_silent(self) -> None:
        ours = [line for line in self._log.complaints if not _is_said_by(line, OTHERS_IN_PAGE)]
        assert not ours

    def _assert_kernel_is_silent(self) -> None:
        others = (*OTHERS_IN_KERNEL, INTERRUPTED) if self.monkey.interrupted else OTHERS_IN_KERNEL
        ours = [text for text in self._page.evaluate(HEARD) if not _is_said_by(text, others)]
        assert not ours


def _is_said_by(text: str, others: Iterable[str]) -> bool:
    return any(re.fullmatch(other, text, re.DOTALL) for other in others)

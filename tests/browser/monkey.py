"""What a monkey does to a notebook. Which action comes next, and where, depends on a seed and on nothing else.

An action is a kind and some dice. They choose among what there is when it is carried out: the same seed gives the same
actions, and as far as the page is the same by then, they meet the same things.
"""

import random
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness import (
    SLOW_MS,
    Lab,
    begin_cell,
    close_notebooks,
    command,
    hide,
    kernel_exec,
    next_drawing,
    open_notebook,
    run_all,
    save,
    wait_for_kernel,
)
from playwright.sync_api import Page

T = TypeVar("T")
DICE = 8
ROUND = 150  # actions from one checkpoint to the next
REMEMBERED = 40
KINDS = {
    "point": 12,
    "sweep": 6,
    "click": 8,
    "double_click": 2,
    "drag": 5,
    "wheel": 8,
    "steer": 12,
    "press": 14,
    "play": 6,
    "choose": 8,
    "type": 7,
    "tab": 4,
    "scroll": 4,
    "theme": 1,
    "resize": 3,
    "sidebar": 1,
    "fold": 2,
    "hide": 1,
    "cell": 6,
    "run": 2,
    "interrupt": 1,
    "look": 4,
}
# One in the middle of each round, in an order of their own: some rounds go by without, so that what leaks adds up.
EVENTS: tuple[tuple[str, ...], ...] = (
    ("reload",),
    ("restart", "point", "press", "steer", "run_all"),
    ("reopen",),
    (),
    (),
)

PLOT = "svg[tabindex]"
CONTROL = "button, summary, input[type=checkbox]"
FIELD = "input:not([type=checkbox])"
KEYS = (
    *["ArrowLeft", "ArrowRight"] * 3,
    *["ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Enter", "Escape", "Space"],
    *["Shift+ArrowLeft", "Shift+ArrowRight", "+", "-", "0", "n", "p", "d"],
)
TEXTS = (
    *["0.1", "0.01", "0.05", "2.5", "1e30", "-1", "nan", "1e999", "", "👩‍🔬 <b>א", "x" * 500],
    *["0", "1", "3", "5", "6", "20", "auto", "all"],
)
THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")
SINGLE = ("w", "deep", "long")
# What cells do while all goes on. A kernel that was just started has none of the names.
CODE = (
    "{one}.train(60)",
    "{one}.step()",
    "{one}.step_to_record()",
    "{one}.play()",
    "{one}.pause()",
    "{one}.reset()",
    "{one}.select(None)",
    "{one}.select(int({one}.run.batches[len({one}.run) // 3]) if len({one}.run) else None)",
    "{one}.measure = 'share'",
    "{one}.quantity, {one}.overlay, {one}.log_scale = 'grad_norm', 'loss', True",
    "{one}.form = 'heatmap'",
    "{one}.form = 'bars'",
    "{one}.horizon = 'auto'",
    "{one}.horizon, {one}.record_every = 4, 7",
    "{one}.learning_rate = 0.05",
    "{one}.surface = 'h'",
    "{one}.surface = None",
    "{one}.stream = None",
    "{one}.tour()",
    "{one}.code()",
    "_ = len({one}.run) and {one}.measure_horizon()",
    "_ = len({one}.run) and {one}.run.surface(int({one}.run.batches[0]), 'h')",
    "both.train(20)",
    "both.play()",
    "both.scale = 'own'",
    "both.select(None)",
    "_ = both.sentence()",
    "table.show(0)",
    "table.sort_by = 'loss'",
    "print(repr(table))",
    "sum(i * i for i in range(2_000_000))",
)

FIND = """([selector, widget, which, across, down]) => {
  const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
  const usable = (node) => seen(node) && !node.disabled && !node.closest("[inert]");
  const roots = [...document.querySelectorAll(".rnnbow")]
    .map((root) => [root, [...root.querySelectorAll(selector)].filter(usable)])
    .filter(([, found]) => found.length > 0);
  if (roots.length === 0) return null;
  const [root, found] = roots[Math.floor(widget * roots.length)];
  const node = found[Math.floor(which * found.length)];
  node.scrollIntoView({ block: "center" });
  const { x, y, width, height } = node.getBoundingClientRect();
  const place = [x + across * width, Math.min(Math.max(y + down * height, 1), window.innerHeight - 1)];
  if (!document.elementFromPoint(...place)?.closest(".rnnbow")) return null;  // covered, or out of sight
  const panel = node.closest("[data-panel]")?.dataset.panel ?? "";
  const { action, setting, choice } = node.dataset;
  const about = action ?? setting ?? choice ?? (node.matches("button, summary") ? node.textContent : "");
  return { place, name: `${root.className} ${panel} ${about.slice(0, 30)}` };
}"""
FOCUS = """([x, y]) => {
  const node = document.elementFromPoint(x, y).closest("svg[tabindex], select, button, input");
  node?.focus({ preventScroll: true });
  return node !== null && document.activeElement === node;
}"""
HAS_FOCUS = "() => document.activeElement.closest('.rnnbow') !== null"
RUN_CELLS = """async (cells) => {
  const { context, content, sessionContext } = window.jupyterapp.shell.currentWidget;
  for (const cell of cells) {
    content.activeCellIndex = cell;
    await window.jupyterapp.commands.execute("notebook:run-cell");
  }
}"""
FOLD = """([cell, folded]) => {
  window.jupyterapp.shell.currentWidget.content.activeCellIndex = cell;
  return window.jupyterapp.commands.execute(`notebook:${folded ? "hide" : "show"}-cell-outputs`);
}"""
INTERRUPT = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()"


@dataclass(frozen=True)
class Action:
    """One thing to do, and the dice that say where and how."""

    number: int
    kind: str
    dice: tuple[float, ...]

    def pick(self, die: int, choices: Sequence[T]) -> T:
        return choices[int(self.dice[die] * len(choices))]


def rounds(seed: int) -> Iterator[list[Action]]:
    """Give the actions of one round after another, without end."""
    dice = random.Random(seed)
    events: list[tuple[str, ...]] = []
    number = 0
    while True:
        events = events or dice.sample(EVENTS, len(EVENTS))
        kinds = dice.choices(list(KINDS), list(KINDS.values()), k=ROUND)
        middle = dice.randrange(ROUND // 4, 3 * ROUND // 4)
        kinds[middle:middle] = events.pop()
        yield [
            Action(number + index, kind, tuple(dice.random() for _ in range(DICE))) for index, kind in enumerate(kinds)
        ]
        number += len(kinds)


class Monkey:
    """Carries actions out, and remembers the last of them.

    Attributes
    ----------
    done : deque of str
        The last actions, and what each of them met.
    met : Counter
        How many actions of each kind met something.
    interrupted : bool
        Whether the kernel was interrupted: cells may have ended by that.
    made : int
        How many widgets were made, or at least begun.
    """

    def __init__(self, page: Page, lab: Lab, name: str, cells: Sequence[Sequence[int]], widgets: int) -> None:
        self._page = page
        self._lab = lab
        self._name = name
        self._cells = cells
        self._widgets = self.made = widgets
        self._hidden = False
        self.done: deque[str] = deque(maxlen=REMEMBERED)
        self.met: Counter[str] = Counter()
        self.interrupted = False

    def act(self, action: Action) -> None:
        """Carry an action out, as far as what it is about is there."""
        self.done.append(f"{action.number} {action.kind}")
        met = getattr(self, f"_{action.kind}")(action)
        self.done[-1] += f": {met}"
        self.met[action.kind] += met is not None

    def rest(self) -> None:
        """Undo what would keep the page from being read: it is seen, wide, light, and its outputs are open."""
        page = self._page
        page.mouse.move(2, 2)
        if self._hidden:
            self._hide(Action(-1, "hide", ()))
        page.set_viewport_size({"width": 1200, "height": 1700})
        self._unfold()
        self._wear(THEMES[0])

    # With the mouse.

    def _find(self, action: Action, selector: str) -> tuple[tuple[float, float], str] | None:
        found = self._page.evaluate(FIND, [selector, *action.dice[:4]])
        return found and ((found["place"][0], found["place"][1]), found["name"])

    def _elsewhere(self, action: Action) -> tuple[float, float]:
        window = self._page.viewport_size
        assert window
        return action.dice[4] * window["width"], action.dice[5] * window["height"]

    def _point(self, action: Action) -> str | None:
        if (found := self._find(action, PLOT)) is None:
            return None
        self._page.mouse.move(*found[0])
        return f"{found[1]} {found[0]}"

    def _sweep(self, action: Action) -> str | None:
        if (found := self._find(action, PLOT)) is None:
            return None
        self._page.mouse.move(*found[0])
        end = self._elsewhere(action)
        self._page.mouse.move(*end, steps=8)
        return f"{found[1]} {found[0]} to {end}"

    def _click(self, action: Action, selector: str = PLOT) -> str | None:
        if (found := self._find(action, selector)) is None:
            return None
        self._page.mouse.click(*found[0])
        return f"{found[1]} {found[0]}"

    def _double_click(self, action: Action) -> str | None:
        if (found := self._find(action, PLOT)) is None:
            return None
        self._page.mouse.dblclick(*found[0])
        return f"{found[1]} {found[0]}"

    def _drag(self, action: Action) -> str | None:
        if (found := self._find(action, PLOT)) is None:
            return None
        mouse, end = self._page.mouse, self._elsewhere(action)
        mouse.move(*found[0])
        mouse.down()
        mouse.move(*end, steps=5)
        mouse.up()
        return f"{found[1]} {found[0]} to {end}"

    def _wheel(self, action: Action) -> str | None:
        if (found := self._find(action, PLOT)) is None:
            return None
        modifier = action.pick(4, ("Control", "Control", "Shift", ""))
        delta = round(600 * (action.dice[5] - 0.5))
        self._page.mouse.move(*found[0])
        if modifier:
            self._page.keyboard.down(modifier)
        self._page.mouse.wheel(0, delta)
        if modifier:
            self._page.keyboard.up(modifier)
        return f"{found[1]} {modifier} {delta}"

    def _scroll(self, action: Action) -> str:
        delta = round(3000 * (action.dice[5] - 0.5))
        self._page.mouse.wheel(0, delta)
        return str(delta)

    def _press(self, action: Action) -> str | None:
        return self._click(action, CONTROL)

    def _play(self, action: Action) -> str | None:
        return self._click(action, "button[data-action=play]")

    # With keys.

    def _choose(self, action: Action) -> str | None:
        found = self._find(action, "select")
        if found is None or not self._page.evaluate(FOCUS, found[0]):
            return None
        key, times = action.pick(4, ("ArrowDown", "ArrowUp", "End", "Home")), action.pick(5, (1, 1, 2, 3))
        for _ in range(times):
            self._page.keyboard.press(key)
        return f"{found[1]} {times} × {key}"

    def _type(self, action: Action) -> str | None:
        found = self._find(action, FIELD)
        if found is None or not self._page.evaluate(FOCUS, found[0]):
            return None
        text, key = action.pick(4, TEXTS), action.pick(5, ("Enter", "Enter", "Tab", "Escape"))
        self._page.keyboard.press("Control+A")
        self._page.keyboard.insert_text(text)
        self._page.keyboard.press(key)
        return f"{found[1]} {text!r} {key}"

    def _steer(self, action: Action) -> str | None:
        found = self._find(action, PLOT)
        if found is None or not self._page.evaluate(FOCUS, found[0]):
            return None
        keys = [action.pick(die, KEYS) for die in range(4, DICE)]
        return f"{found[1]} {self._press_within(keys)}"

    def _tab(self, action: Action) -> str | None:
        way, times = action.pick(0, ("Tab", "Shift+Tab")), action.pick(1, range(1, 8))
        pressed = self._press_within([way] * times)
        return " ".join([*pressed, *self._press_within([action.pick(2, ("Enter", "Space", "Escape"))])]) or None

    def _press_within(self, keys: Sequence[str]) -> list[str]:
        """Press keys as long as one of our elements has the focus: the others' keys are not ours to try."""
        pressed = []
        for key in keys:
            if not self._page.evaluate(HAS_FOCUS):
                break
            self._page.keyboard.press(key)
            pressed.append(key)
        return pressed

    # In JupyterLab.

    def _look(self, _: Action) -> str:
        next_drawing(self._page)
        return "drawn"

    def _wear(self, theme: str) -> None:
        if self._page.locator("body").get_attribute("data-jp-theme-name") != theme:
            command(self._page, "apputils:change-theme", theme=theme)
            self._page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=theme)
            self._page.locator("#jupyterlab-splash").wait_for(state="detached")

    def _theme(self, action: Action) -> str:
        self._wear(theme := action.pick(0, THEMES))
        return theme

    def _resize(self, action: Action) -> str:
        width, height = round(420 + 1200 * action.dice[0]), round(500 + 1200 * action.dice[1])
        self._page.set_viewport_size({"width": width, "height": height})
        return f"{width} × {height}"

    def _sidebar(self, _: Action) -> str:
        command(self._page, "application:toggle-left-area")
        return "toggled"

    def _fold(self, action: Action) -> str:
        cell, folded = action.pick(0, self._cells)[-1], action.dice[1] < 0.4
        self._page.evaluate(FOLD, [cell, folded])
        return f"outputs of cell {cell} {'hidden' if folded else 'shown'}"

    def _unfold(self) -> None:
        for cell in sorted({cell for cells in self._cells for cell in cells}):
            self._page.evaluate(FOLD, [cell, False])

    def _hide(self, _: Action) -> str:
        self._hidden = not self._hidden
        hide(self._page, self._hidden)
        return "hidden" if self._hidden else "seen"

    def _cell(self, action: Action) -> str:
        code = action.pick(0, CODE).format(one=action.pick(1, SINGLE))
        begin_cell(self._page, f"if 'table' in globals():\n    {code}")
        return code

    def _run(self, action: Action) -> str:
        cells = action.pick(0, self._cells)
        self._page.evaluate(RUN_CELLS, list(cells))
        self.made += 1
        return f"cells {cells}"

    def _interrupt(self, _: Action) -> str:
        self.interrupted = True
        self._page.evaluate(INTERRUPT)
        return "interrupted"

    # Large events.

    def _reload(self, _: Action) -> str:
        self._end_cells()
        self._page.reload()
        self._hidden = False
        wait_for_kernel(self._page)
        self._wait_for_widgets()
        return "reloaded"

    def _reopen(self, _: Action) -> str:
        self._end_cells()
        close_notebooks(self._page)
        open_notebook(self._page, self._lab, self._name)
        self._wait_for_widgets()
        return "reopened"

    def _end_cells(self) -> None:
        """Let cells end, and save. While widgets are made, ipywidgets cannot tell a new page which there are."""
        kernel_exec(self._page, "")
        self._unfold()
        save(self._page)

    def _wait_for_widgets(self) -> None:
        self._page.locator(".rnnbow.sweep").first.wait_for(state="attached", timeout=SLOW_MS)

    def _restart(self, _: Action) -> str:
        self._page.evaluate(RESTART)
        wait_for_kernel(self._page)
        return "restarted"

    def _run_all(self, _: Action) -> str:
        run_all(self._page)
        self.made += self._widgets
        self._wait_for_widgets()
        return "run"

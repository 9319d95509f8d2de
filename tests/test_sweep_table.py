"""The table of a sweep without a browser: its traits, its messages, and the panels within it."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from executors import Later
from ipywidgets import Widget
from pages import TEXT, Page
from unpacking import batches, detailed

import rnnbow_widget
from rnnbow_widget import Sweep, compare, sweep
from rnnbow_widget.grid import grid_of

SETTINGS: dict[str, Any] = {"hidden_size": 5, "record_every": 5, "seq_length": 10}
SECONDS = 60


class TablePage(Page):
    """Stands for the pages of a sweep."""

    widget: Sweep

    def relays(self, **data: Any) -> list[tuple[dict[str, Any], list[bytes]]]:
        """Send something to the panels; return what they say."""
        self.says(kind="relay", id=self.opened["id"], data=data)
        return [(content["data"], buffers) for content, buffers in self.sent if content["kind"] == "relay"]

    @property
    def opened(self) -> dict[str, Any]:
        found: dict[str, Any] = self.widget.get_state("_opened")["_opened"]
        return found

    @property
    def table(self) -> dict[str, Any]:
        found: dict[str, Any] = self.widget.get_state("_table")["_table"]
        return found


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def page(later: Later, monkeypatch: pytest.MonkeyPatch) -> TablePage:
    made = sweep(TEXT, {"cell": ["tanh", "lstm"], "seed": [0, 1]}, batches=20, executor=later, **SETTINGS)
    return TablePage(made, monkeypatch)


@pytest.fixture
def finished(page: TablePage, later: Later) -> TablePage:
    for _ in range(4):
        later.work()
    page.widget.wait(SECONDS)
    return page


def test_pages_get_the_table_and_then_what_has_changed(page: TablePage, later: Later) -> None:
    table = page.table
    assert (table["columns"], table["batches"], table["finished"]) == (["cell", "seed"], 20, False)
    assert [row["values"] for row in table["rows"]] == [["tanh", 0], ["tanh", 1], ["lstm", 0], ["lstm", 1]]
    assert {row["status"] for row in table["rows"]} == {"waiting"}
    (nothing,) = page.says(kind="follow", client="a", seq=1)
    assert nothing == {"kind": "rows", "client": "a", "seq": 1, "rows": [], "finished": False}
    later.work()
    (news,) = page.says(kind="follow", client="a", seq=2)
    (row,) = news["rows"]
    trial = page.widget.trials[0]
    assert (row["number"], row["status"], row["batch"], row["here"]) == (0, "done", 20, True)
    assert (row["loss"], row["horizon"]) == (trial.loss, trial.horizon)
    assert row["trend"] == [list(point) for point in trial.trend]
    assert page.says(kind="follow", client="a", seq=3)[0]["rows"] == []
    for _ in range(3):
        later.work()
    assert page.states == []
    (end,) = page.says(kind="follow", client="a", seq=4)
    assert end["finished"]
    assert [row["number"] for row in end["rows"]] == [0, 1, 2, 3], "all: so a page that missed some has them"
    assert page.states == ["_table"]
    page.says(kind="follow", client="a", seq=5)
    assert page.states == ["_table"]


def test_waiting_tells_the_pages_too(page: TablePage, later: Later) -> None:
    with ThreadPoolExecutor(1) as pool:
        for _ in range(4):
            pool.submit(later.work)
        assert page.widget.wait(SECONDS) is page.widget
    assert page.sent[-1][0]["finished"]
    assert page.widget.finished


def test_cancelling_ends_it(page: TablePage, later: Later) -> None:
    later.work()
    (told,) = page.says(kind="cancel")
    assert told["finished"]
    assert [row["status"] for row in told["rows"]] == ["done", "cancelled", "cancelled", "cancelled"]
    assert repr(page.widget).startswith("Sweep(4 trials: 1 done, 3 cancelled)")


def test_one_trial_opens_in_the_panels(finished: TablePage) -> None:
    finished.says(kind="show", numbers=[2])
    assert finished.widget.opened == (2,)
    assert finished.states[-1] == "_opened"
    opened = finished.opened
    assert opened["numbers"] == [2]
    assert not {"_esm", "_css", "layout"} & set(opened["state"])
    assert batches(opened["state"]["_run"]["chunks"]) == [0, 5, 10, 15]
    assert opened["state"]["_info"]["cell"] == "lstm"
    answers = finished.relays(
        method="custom", content={"kind": "details", "client": "a", "batch": 5, "stream": None, "part": None}
    )
    (answer, chunks) = answers[-1]
    assert (answer["method"], answer["content"]["held"]) == ("custom", True)
    assert detailed(chunks) == [5]
    finished.relays(method="update", state={"measure": "share", "selected": 10}, buffer_paths=[])
    assert finished.opened["state"]["measure"] == "share"
    assert finished.opened["state"]["selected"] == 10


def test_several_trials_open_side_by_side_and_close(finished: TablePage) -> None:
    finished.widget.show(0, 3)
    state = finished.opened["state"]
    assert [side["name"] for side in state["_sides"]["sides"]] == ["tanh, seed 0 (trial 0)", "LSTM, seed 1 (trial 3)"]
    first = finished.opened["id"]
    finished.widget.show(1)
    assert finished.opened["id"] == first + 1
    assert finished.says(kind="relay", id=first, data={"method": "update", "state": {}}) == [], (
        "of panels that are gone"
    )
    finished.widget.show()
    assert (finished.opened["state"], finished.widget.opened) == (None, ())


def test_runs_can_be_shown_elsewhere_too(finished: TablePage) -> None:
    runs = finished.widget.runs
    assert list(runs) == [0, 1, 2, 3]
    assert len(compare(runs[0], runs[2]).runs) == 2


def test_what_cannot_be_shown_is_refused_and_what_is_shown_stays(page: TablePage, later: Later) -> None:
    later.work()
    page.widget.show(0)
    shown = page.opened["id"]
    (refused,) = page.says(kind="show", numbers=[1])
    assert refused == {"kind": "refused", "message": "Trial 1 has no run yet: it is waiting."}
    assert "numbers takes those of trials, 0 to 3; got 4" in page.says(kind="show", numbers=[4])[0]["message"].lower()
    assert page.says(kind="show", numbers="x")[0]["kind"] == "refused"
    assert "up to 4 trials, got 5" in page.says(kind="show", numbers=[0, 0, 0, 0, 0])[0]["message"]
    assert page.opened["id"] == shown
    with pytest.raises(FileNotFoundError, match="trial 2 has no run yet"):
        page.widget.show(2)


def test_what_fails_is_told(page: TablePage) -> None:
    (told,) = page.says(kind="lease", client="a", seq=1, ms=10)
    assert told["kind"] == "error"
    assert "kind takes one of follow, show, cancel, code, relay; got 'lease'" in told["message"]
    assert page.says(kind="follow", client="a", seq=0)[0]["kind"] == "error"


def test_a_line_of_python_makes_the_same_trials(finished: TablePage, monkeypatch: pytest.MonkeyPatch) -> None:
    made = finished.widget
    made.show(0)
    made.sort_by = "loss"
    (answer,) = finished.says(kind="code", client="page")
    assert answer == {"kind": "code", "client": "page", "line": made.code()}
    *statements, value = made.code().split("; ")
    assert statements[-3:] == ["s.wait()", "s.show(0)", "s.sort_by = 'loss'"]
    names: dict[str, Any] = {}
    with ThreadPoolExecutor(1) as executor:
        monkeypatch.setattr(rnnbow_widget, "sweep", partial(sweep, executor=executor), raising=False)
        exec("; ".join(statements), names)
    again = eval(value, names)
    assert [trial.settings for trial in again.trials] == [trial.settings for trial in made.trials]
    assert [again.runs[trial.number].column("loss").tolist() for trial in again.trials] == [
        made.runs[trial.number].column("loss").tolist() for trial in made.trials
    ]
    assert again.opened == (0,)


def test_the_grid_in_a_line_is_as_short_as_it_can_be() -> None:
    whole = [{"cell": cell, "seed": seed} for cell in ("tanh", "lstm") for seed in (0, 1)]
    assert grid_of(whole) == {"cell": ["tanh", "lstm"], "seed": [0, 1]}
    assert grid_of(whole[:3]) == whole[:3]
    assert grid_of(whole[::-1]) == {"cell": ["lstm", "tanh"], "seed": [1, 0]}
    assert grid_of([{"cell": "gru"}, {"seed": 3}]) == [{"cell": "gru"}, {"seed": 3}]


def test_a_host_that_connects_every_new_widget_is_not_told_of_panels_within_another(finished: TablePage) -> None:
    told: list[Widget] = []
    Widget.on_widget_constructed(told.append)
    try:
        finished.widget.show(0)
        finished.widget.show(0, 1)
        assert told == []
        another = compare("tanh", "lstm", data="hello world, " * 40, hidden_size=4)
        assert another in told
    finally:
        Widget.on_widget_constructed(None)

"""Still pictures: what they draw, and that no label is taken for anything but text."""

import struct
import sys
import xml.etree.ElementTree as ET
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from rnnbow_widget import RNNbow, Run, ThinnedError, Trainer, compare, tasks
from rnnbow_widget.corpora import Corpus
from rnnbow_widget.picture import as_png, draw
from rnnbow_widget.recall import ReplayError
from rnnbow_widget.visible_text import visible

TEXT = "the quick brown fox jumps over the lazy dog; " * 30
HOSTILE = ("$x", "^_{", "\\frac", "</", "&lt", "漢\u0301", "\x07", "\u202e")
OVERVIEW, LABELS, GRADIENTS, HORIZON = range(4)


def trained(data: str | Corpus = TEXT, **settings: Any) -> Run:
    trainer = Trainer(data, **{"hidden_size": 8, "horizon": 5, "record_every": 5, "seq_length": 20, **settings})
    return trainer.train(51)


@pytest.fixture(scope="module")
def run() -> Run:
    return trained()


def bars(panel: Any, color: str | None = None) -> list[tuple[float, float, float]]:
    """Step, bottom and height of what is drawn as bars."""
    wanted = color and mpl.colors.to_rgba(color)
    patches = [patch for patch in panel.patches if wanted is None or patch.get_facecolor() == wanted]
    return [(patch.get_x() + patch.get_width() / 2, patch.get_y(), patch.get_height()) for patch in patches]


def tops(panel: Any, steps: int) -> np.ndarray:
    """How high the bars of each step reach, array (n,)."""
    found = np.zeros(steps)
    for step, bottom, height in bars(panel):
        found[round(step)] = max(found[round(step)], bottom + height)
    return found


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("measure", ["norm", "mean_abs", "share"])
def test_bars_are_as_tall_as_the_run_says(run: Run, measure: str) -> None:
    figure = draw(run, 40, measure=measure)
    expected = run.at(40).bar_heights(measure=measure)
    np.testing.assert_allclose(tops(figure.axes[GRADIENTS], 20), expected, rtol=1e-5, atol=1e-7)
    heights = [height for *_, height in bars(figure.axes[OVERVIEW])][: len(run)]
    np.testing.assert_allclose(heights, run.column("max_gradient", measure=measure))


def test_the_horizon_is_that_of_the_strongest_loss(run: Run) -> None:
    items = run[-1].surfaces["W_hh"]
    sent = [[(j, items[j, t - j]) for j in range(max(0, t - 4), t + 1)] for t in range(20)]
    strongest = max(sent, key=lambda pieces: sum(size for _, size in pieces))
    drawn = [(round(step), height) for step, _, height in bars(draw(run).axes[HORIZON]) if height]
    np.testing.assert_allclose(drawn, [(j, size) for j, size in strongest if size])


def test_losses_on_both_sides_stack_on_both_sides() -> None:
    run = trained(bidirectional=True)
    panel = draw(run, surface="W_hh_l0_both").axes[GRADIENTS]
    assert min(height for *_, height in bars(panel)) < 0 < max(height for *_, height in bars(panel))
    items = run[-1].surfaces["W_hh_l0_both"]
    np.testing.assert_allclose(sum(abs(h) for *_, h in bars(panel)), items.sum() + run[-1].beyond["W_hh_l0_both"].sum())


def test_many_lags_and_batches_are_grouped_and_no_peak_is_lost() -> None:
    run = trained(seq_length=120, horizon=None, record_every=1)
    figure = draw(run)
    assert len(figure.axes[GRADIENTS].patches) <= 120 * 2 * 10
    long = Trainer(TEXT, hidden_size=2, seq_length=2, horizon=1, record_every=1).train(2000)
    heights = [height for *_, height in bars(draw(long).axes[OVERVIEW])]
    assert len(heights) <= 601
    assert max(heights) == long.column("max_gradient").max()


def test_labels_are_drawn_as_text() -> None:
    run = trained(Corpus("hostile", np.arange(900, dtype=np.int32) % len(HOSTILE), HOSTILE))
    drawn = texts(run.to_svg())
    assert {visible(label) for label in HOSTILE if len(visible(label)) <= 4 or label == "\u202e"} <= set(drawn)
    assert run.to_png().startswith(b"\x89PNG")


def test_a_minibatch_is_drawn_as_an_average_or_a_stream() -> None:
    run = trained(batch_size=3)
    assert any("share of 3 streams" in text for text in texts(run.to_svg()))
    assert any("stream 3" in text for text in texts(run.to_svg(stream=2)))


@pytest.mark.parametrize(
    ("task", "stream", "head"),
    [
        (tasks.Adding(), None, "2  Loss of each step · average over 2 streams"),
        (tasks.Adding(), 1, "2  Targets (dashes) and predictions (lines)"),
        (tasks.TemporalOrder(), None, "2  Targets and predictions · share of 2 streams that were right"),
        (tasks.TemporalOrder(), 1, " of 1 right"),
    ],
)
def test_data_that_is_no_text_is_drawn_too(task: tasks.Task, stream: int | None, head: str) -> None:
    trainer = Trainer(task, hidden_size=8, record_every=5, batch_size=2)
    assert any(text.endswith(head) for text in texts(trainer.train(11).to_svg(stream=stream)))


def test_targets_and_predictions_that_are_vectors_are_drawn_where_there_is_a_loss() -> None:
    run = Trainer(tasks.DelayedRecall(3, 9), hidden_size=8, batch_size=2).train(1)
    predicted, true = draw(run, stream=1).axes[LABELS].lines
    stream = run[0].streams[1]
    assert stream.prediction_values is not None
    assert stream.target_values is not None
    np.testing.assert_array_equal(predicted.get_ydata(), stream.prediction_values[:, 0])
    expected = stream.target_values[:, 0].copy()
    expected[:3] = np.nan  # nothing is to be recalled yet
    np.testing.assert_array_equal(true.get_ydata(), expected)


def test_a_picture_is_the_same_every_time_and_disturbs_no_settings(run: Run) -> None:
    before = dict(mpl.rcParams)
    first = run.to_svg(20)
    mpl.rcParams["font.size"] = 30
    try:
        assert run.to_svg(20) == first
    finally:
        mpl.rcParams["font.size"] = before["font.size"]
    assert dict(mpl.rcParams) == before
    assert run.to_png(20) == run.to_png(20)


def test_a_png_is_large_enough_for_print(run: Run) -> None:
    width, height = struct.unpack(">II", run.to_png()[16:24])
    assert width > 1200
    assert height > 900


def test_a_widgets_picture_is_of_what_it_shows(run: Run) -> None:
    widget = RNNbow(run, measure="share", quantity="loss")
    widget.select(15)
    assert widget.to_svg() == run.to_svg(15, measure="share", quantity="loss")
    assert widget.to_svg(20) == run.to_svg(20, measure="share", quantity="loss")
    assert widget.to_png() == run.to_png(15, measure="share", quantity="loss")


def test_what_is_not_finite_is_left_out() -> None:
    trainer = Trainer(TEXT, hidden_size=8, cell="relu", learning_rate=1e9, optimizer="sgd", clip_value=None)
    with pytest.raises(ArithmeticError):
        trainer.train(1000)
    assert np.isnan(trainer.run.column("max_gradient")[-1])
    for panel in draw(trainer.run).axes:
        assert np.isfinite(bars(panel)).all()
    assert "3  Gradients per step · batch 1" in trainer.run.to_svg()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch": 3}, "batch 3 was not recorded"),
        ({"batch": -1}, "batch takes"),
        ({"measure": "size"}, "measure takes"),
        ({"quantity": "size"}, "quantity takes"),
        ({"stream": 0}, "stream takes"),
        ({"surface": "V"}, "surface"),
    ],
)
def test_bad_arguments_are_named(run: Run, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((KeyError, ReplayError, ValueError), match=message):
        run.to_svg(**arguments)


def test_an_empty_run_and_thinned_details_are_said() -> None:
    with pytest.raises(ValueError, match="empty"):
        Trainer(TEXT).run.to_svg()
    run = trained(record_every=1, memory_limit=60_000)
    run.recall = None  # no trainer works them out again
    with pytest.raises(ThinnedError):
        run.to_svg(int(run.batches[~run.detailed][0]))


def test_without_matplotlib_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rnnbow_widget.picture")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"rnnbow_widget\[pictures\]"):
        run.to_svg()


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was drawn of several runs, before it becomes a PNG."""
    drawn: list[Any] = []

    def keep(figure: Any) -> bytes:
        drawn.append(figure)
        return as_png(figure)

    monkeypatch.setattr("rnnbow_widget.sides_picture.as_png", keep)
    return drawn


def test_sides_are_drawn_at_one_batch_and_on_one_scale(figures: list[Any]) -> None:
    both = compare(tanh=trained(), lstm=trained(cell="lstm", record_every=10), quantity="loss")
    assert both.to_png(45).startswith(b"\x89PNG")
    course, *panels = figures[0].axes
    for line, run in zip(course.lines, both.runs.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.stack([run.batches, run.column("loss")], axis=1))
    assert [text.get_text() for text in course.get_legend().get_texts()] == ["tanh", "lstm"]
    gradients, horizons = panels[::2], panels[1::2]
    # The LSTM has recorded 40 and 50: of two that are as near, the earlier one is drawn.
    for panel, run, batch in zip(gradients, both.runs.values(), (45, 40), strict=True):
        assert panel.get_title(loc="left").endswith(f"batch {batch}")
        np.testing.assert_allclose(tops(panel, 20), run.at(batch).bar_heights(), rtol=1e-5, atol=1e-7)
    for alike in (gradients, horizons):
        assert alike[0].get_ylim() == alike[1].get_ylim()


def test_sides_of_one_batch_have_no_course_and_may_show_a_stream(figures: list[Any]) -> None:
    runs = [Trainer(TEXT, hidden_size=8, batch_size=2, seq_length=20, seed=seed).train(1) for seed in (0, 1)]
    both = compare(a=runs[0], b=runs[1])
    both.to_png()
    both.stream = 1
    both.to_png()
    average, stream = figures
    assert len(average.axes) == len(stream.axes) == 4
    for figure, snapshots in ((average, [run[0] for run in runs]), (stream, [run[0].streams[1] for run in runs])):
        for panel, snapshot in zip(figure.axes[::2], snapshots, strict=True):
            np.testing.assert_allclose(tops(panel, 20), snapshot.bar_heights(), rtol=1e-5, atol=1e-7)

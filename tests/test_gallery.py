"""What docs/gallery.md says of its runs is so."""

from collections.abc import Callable
from pathlib import Path

import gallery
import numpy as np
import pytest
from numpy.typing import NDArray

from rnnbow_widget import Run, Snapshot, tasks


def by_lag(snapshot: Snapshot, surface: str = "W_hh") -> NDArray[np.float64]:
    """Mean piece at each lag, relative to that at lag 0."""
    pieces = snapshot.surfaces[surface]  # (n, n)
    means = np.array([pieces[: snapshot.steps - lag, lag].mean() for lag in range(pieces.shape[1])])  # (n,)
    relative: NDArray[np.float64] = means / means[0]
    return relative


def vanishes(run: Run) -> None:
    pieces = run.at(300).surfaces["W_hh"]  # (40, 40)
    assert pieces[:, :3].sum() > 0.7 * pieces.sum()
    assert by_lag(run.at(300))[10] < 0.2
    assert by_lag(run.at(300))[20] < 0.03
    assert run.cues()[0].batch == 10


def explodes(run: Run) -> None:
    assert by_lag(run.at(57))[30] > 1
    tallest = dict(zip(run.batches.tolist(), run.column("max_gradient"), strict=True))
    assert tallest[40] < 0.1
    assert tallest[57] > 10
    assert tallest[60] > 1e8
    assert run[-1].diverged
    assert run[-1].batch == 61


def carries(run: Run) -> None:
    assert by_lag(run[0], "c")[30] > 0.2
    assert by_lag(run[0])[30] < 0.8 * by_lag(run[0], "c")[30]
    assert by_lag(run[-1], "c")[10] < 0.1


def goes_down(run: Run) -> None:
    sums = {name: run[-1].surfaces[name].sum() for name in ("W_hh", "W_hh_l1", "W_hh_l2")}
    assert max(sums, key=sums.__getitem__) == "W_hh"


def sees_ahead(run: Run) -> None:
    assert run.column("loss")[0] > 4
    assert run[-1].loss.mean() < 0.5
    assert run[-1].first_lags == {"W_hh_l0_both": -24, "W_hh_l0_reverse": -24}


def learns(run: Run) -> None:
    baseline = tasks.Adding(20).baseline.loss
    loss = run.column("loss")
    assert abs(np.median(loss[1:10]) - baseline) < 0.05
    assert loss[-5:].max() < baseline / 10


@pytest.mark.parametrize(
    ("name", "is_so"),
    [
        ("vanishing", vanishes),
        ("exploding", explodes),
        ("carousel", carries),
        ("depth", goes_down),
        ("both_directions", sees_ahead),
        ("adding", learns),
    ],
)
def test_the_gallery_shows_what_it_says(name: str, is_so: Callable[[Run], None]) -> None:
    is_so(gallery.EXAMPLES[name][0]())


def test_the_page_of_the_gallery_shows_every_example() -> None:
    text = (Path(gallery.__file__).parents[1] / "docs" / "gallery.md").read_text(encoding="utf-8")
    for name, (_, title, _) in gallery.EXAMPLES.items():
        assert f'src="../live/{name}.html" title="{title}"' in text

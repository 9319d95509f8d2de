"""Whether what a page would draw of a run is what the run holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnbow_widget import Snapshot
from rnnbow_widget.overview import Overview

COLUMNS = ("loss", "grad_norm", "horizon_length", "max:W_hh", "mean:W_hh")

Place = dict[str, Any]


def places_of(details: Mapping[int, Snapshot], streams: int) -> list[Place]:
    """Where a page may hold what was recorded of these batches."""
    return [{"batch": batch, "stream": stream, "part": None} for batch in details for stream in (None, *range(streams))]


def require_drawn(
    found: Mapping[str, Any],
    overview: Overview,
    details: Mapping[int, Snapshot],
    shown: Sequence[Place],
    *,
    complete: bool,
    rounded: float = 0,
) -> None:
    """What a page was found to draw is what was recorded.

    Parameters
    ----------
    found : mapping
        What `look.ts` tells of one run.
    overview, details :
        Of the run: every batch, and what is known of some.
    shown : sequence
        Places that were looked at.
    complete : bool
        Whether every batch must be there by now.
    rounded : float
        Part by which numbers of single batches may be off.
    """
    batches = overview.column("batch")
    rows = np.searchsorted(batches, found["batches"])
    assert (rows < len(batches)).all(), f"the page has {found['batches']} of {batches.tolist()}"
    assert batches[rows].tolist() == found["batches"], "each once, in order, and none that was not recorded"
    assert (np.diff(rows) > 0).all(), f"some are there twice: {found['batches']}"
    if complete:
        assert found["batches"] == batches.tolist()
    for name in COLUMNS if len(rows) else ():
        assert found["columns"][name] == as_drawn(overview.column(name)[rows]), name
    for place, held in zip(shown, found["places"], strict=True):
        if not held["held"] or place["batch"] not in details:  # the page may hold what the kernel has given up since
            continue
        whole = details[place["batch"]]
        snapshot = whole if place["stream"] is None else whole.streams[place["stream"]]
        require_close(held["loss"], snapshot.loss, rounded)
        require_close(held["pieces"]["W_hh"], snapshot.surfaces["W_hh"], rounded)


def require_close(found: list[float | None], recorded: Any, rounded: float) -> None:
    """Numbers that a page tells are those that were recorded."""
    expected = as_drawn(recorded)
    if not rounded:
        assert found == expected
        return
    own, other = (np.array([np.nan if value is None else value for value in values]) for values in (found, expected))
    np.testing.assert_allclose(own, other, rtol=rounded, atol=0)


def as_drawn(values: Any) -> list[float | None]:
    """Numbers as a page that sends JSON tells them."""
    return [float(value) if np.isfinite(value) else None for value in np.asarray(values, np.float32).ravel()]

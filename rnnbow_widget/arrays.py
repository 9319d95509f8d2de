"""A run in the forms of xarray and pandas, which only these functions import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .checks import whole_number
from .overview import PLACES, Overview
from .snapshot import Snapshot, surface_key, surface_of

if TYPE_CHECKING:
    import pandas
    import xarray

_STEPS: Mapping[str, tuple[str, str]] = {
    "loss": ("step_loss", "loss of each step"),
    "target_tokens": ("target", "true token; -1 in an average, or without a loss"),
    "prediction_tokens": ("prediction", "likeliest token; -1 in an average"),
    "probability": ("probability", "probability that the model gave to the target"),
}
"""Fields of a snapshot with a number for each step, and what they are called."""


def overview_frame(overview: Overview) -> pandas.DataFrame:
    """Return the columns of an overview as a data frame, one row per recorded batch, by batch number.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    pandas = _pandas()
    stop = len(overview)  # it may grow meanwhile
    columns = {name: np.array(overview.column(name, 0, stop)) for name in overview.names}
    index = pandas.Index(columns.pop("batch", np.zeros(0, np.int64)), name="batch")
    return pandas.DataFrame(columns, index=index)


def trials_frame(rows: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """Return a row for each trial of a sweep, by its number.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    pandas = _pandas()
    return pandas.DataFrame(rows, index=pandas.RangeIndex(len(rows), name="trial"))


def snapshots_dataset(overview: Overview, snapshots: Iterable[Snapshot], settings: Mapping[str, Any]) -> xarray.Dataset:
    """Return recorded batches as a dataset with named dimensions; see `Run.to_xarray`.

    Raises
    ------
    ImportError
        If xarray is not installed.
    """
    try:
        import xarray
    except ImportError as error:
        raise ImportError("to_xarray needs xarray: pip install 'rnnbow_widget[xarray]'") from error
    held = list(snapshots)
    batches = np.array([one.batch for one in held], np.int64)  # (batches,)
    rows = np.searchsorted(overview.column("batch"), batches)  # (batches,)
    variables: dict[str, tuple[tuple[str, ...], NDArray[Any], dict[str, str]]] = {
        name: (("batch",), overview.column(name)[rows], {})
        for name in overview.names
        if name not in PLACES[:1] and ":" not in name
    }
    steps = max((one.steps for one in held), default=0)
    for name, (called, meaning) in _STEPS.items():
        variables[called] = (("batch", "step"), _by_step(held, name, steps), {"long_name": meaning})
    surfaces = list(dict.fromkeys(surface_of(key) for one in held for key in one.surfaces))
    measures = list(dict.fromkeys(key.partition(":")[2] or "norm" for one in held for key in one.surfaces))
    lags = _lags(held)
    for measure in measures:
        pieces, totals, beyond = _measured(held, surfaces, measure, steps, lags)
        where = ("batch", "surface", "step")
        variables[measure] = ((*where, "lag"), pieces, {"long_name": f"{measure} of each piece"})
        variables[f"{measure}_total"] = (where, totals, {"long_name": f"{measure} of the sum of all pieces of a step"})
        variables[f"{measure}_beyond"] = (
            where,
            beyond,
            {"long_name": f"{measure} of what lies past the recorded lags"},
        )
    return xarray.Dataset(
        variables,
        {"batch": batches, "surface": surfaces, "step": np.arange(steps), "lag": lags},
        {name: value for name, value in settings.items() if isinstance(value, (str, int, float))},
    )


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError("to_pandas needs pandas: pip install 'rnnbow_widget[pandas]'") from error
    return pandas


def one_stream(snapshot: Snapshot, stream: int) -> Snapshot:
    """Return one stream of a minibatch.

    Raises
    ------
    ValueError
        If there is no such stream.
    """
    if not 0 <= whole_number("stream", stream, minimum=0) < len(snapshot.streams):
        takes = f"0 to {len(snapshot.streams) - 1}, or None" if snapshot.streams else "None, since there is one stream"
        raise ValueError(f"stream takes {takes}; got {stream}")
    return snapshot.streams[stream]


def _lags(held: Sequence[Snapshot]) -> NDArray[np.intp]:
    """All lags that any surface has, ascending, array (lags,)."""
    ranges = [
        (first, first + items.shape[1])
        for one in held
        for key, items in one.surfaces.items()
        for first in [one.first_lags.get(surface_of(key), 0)]
    ]
    return np.arange(min((first for first, _ in ranges), default=0), max((stop for _, stop in ranges), default=0))


def _by_step(held: Sequence[Snapshot], name: str, steps: int) -> NDArray[Any]:
    """A field of each snapshot, array (batches, steps): NaN or -1 past the end of a shorter window."""
    dtype = np.asarray(getattr(held[0], name)).dtype if held else np.dtype(np.float32)
    found = np.full((len(held), steps), -1 if dtype.kind == "i" else np.nan, dtype)  # (batches, steps)
    for row, one in zip(found, held, strict=True):
        row[: one.steps] = getattr(one, name)
    return found


def _measured(
    held: Sequence[Snapshot], surfaces: Sequence[str], measure: str, steps: int, lags: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Pieces (batches, surfaces, steps, lags), their sums and what lies beyond (batches, surfaces, steps); else NaN."""
    shape = (len(held), len(surfaces), steps)
    pieces = np.full((*shape, len(lags)), np.nan, np.float32)  # (batches, surfaces, steps, lags)
    totals, beyond = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    for b, one in enumerate(held):
        for s, surface in enumerate(surfaces):
            key = surface_key(surface, measure)
            if key in one.surfaces:
                first = one.first_lags.get(surface, 0) - (lags[0] if len(lags) else 0)
                items = one.surfaces[key]  # (n, K)
                pieces[b, s, : one.steps, first : first + items.shape[1]] = items
                totals[b, s, : one.steps] = one.step_totals[key]
                if key in one.beyond:
                    beyond[b, s, : one.steps] = one.beyond[key]
    return pieces, totals, beyond

"""What of a recorded batch a page can ask for: what was recorded, a surface, hidden units, the flow in a cell."""

from __future__ import annotations

from .checks import shown
from .protocol import pack_cell, pack_details, pack_units
from .recall import ReplayError
from .replay import Replay
from .run import Run
from .snapshot import stream_views

FLOW_BYTES = 4_000_000
"""How much of the flow in a cell is sent at once: it has as many lags as fit, and no fewer than are recorded."""
UNITS, CELL = "units:", "cell:"
"""How the names of parts begin that are not surfaces: then the name of a W_hh, or the ending of a track."""


def pack_part(run: Run, batch: int, stream: int | None, part: str | None, seconds: float) -> list[bytes]:
    """Pack a part of a recorded batch.

    Parameters
    ----------
    run : Run
        What was recorded.
    batch : int
        Number of the batch.
    stream : int or None
        One stream, or the average.
    part : str or None
        None for what was recorded, the name of a surface, "units:" with that of a W_hh, or "cell:" with the ending of a
        layer and direction.
    seconds : float
        How long it may take to work it out again.

    Returns
    -------
    list of bytes
        One chunk; none if there is no such stream.

    Raises
    ------
    KeyError, ThinnedError, ReplayError
        As for `Run.at` and `Run.with_surface`.
    TypeError, ValueError
        If there is no such part.
    """
    if part is None:
        return pack_details(stream_views([run.at(batch, seconds)], stream))
    if not isinstance(part, str):
        raise TypeError(f"part takes a name, got {shown(part)}")
    if not part.startswith((UNITS, CELL)):
        return pack_details(stream_views([run.with_surface(batch, part, seconds)], stream), part)
    run.index_of(batch)
    if run.recall is None:
        raise ReplayError(
            f"{shown(part)} of batch {batch} was not recorded, and there is no trainer that could work it out"
        )
    replay, horizon = run.recall.replay(batch, seconds), run.nearest_held(batch).horizon
    if part.startswith(UNITS):
        return [pack_units(batch, stream, part, replay.units(part.removeprefix(UNITS), horizon, stream=stream))]
    # The way of a loss is the point of it: over the whole window, whatever is recorded of others, if that can be sent.
    flow = replay.cell_flow(part.removeprefix(CELL), max(horizon, _lags_of_flow(replay)))
    return [pack_cell(batch, stream, part, flow.of_stream(stream) if replay.snapshot.streams else flow)]


def _lags_of_flow(replay: Replay) -> int:
    """Return how many lags of the flow in a cell fit into a message."""
    steps, sides = replay.forward.steps, 2 if replay.rnn.bidirectional else 1
    of_lag = 4 * sides * steps * len(replay.rnn.cell.edges)  # bytes
    return max(1, min(steps, FLOW_BYTES // max(1, of_lag)))

"""What is itemized of a batch that is recorded: which surfaces, and in which way each is worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bptt_itemized import ItemizedGradients, itemized_bptt
from .bptt_surfaces import SurfaceItems, itemized_surfaces
from .forward import ForwardPass
from .gradients import Gradients
from .measuring import MEASURES, Measured
from .outcomes import average_outcomes
from .rnn import RNN
from .snapshot import Float32, Snapshot, surface_key
from .surfaces import Surface

Itemized = Mapping[str, ItemizedGradients | SurfaceItems]
"""By the name of a surface: its pieces."""


def itemize(
    rnn: RNN,
    forward: ForwardPass,
    surfaces: Sequence[Surface],
    horizon: int | None,
    gradients: Gradients | None = None,
) -> Itemized:
    """Itemize surfaces in all measures that they have.

    Parameters
    ----------
    rnn, forward, horizon, gradients :
        As for `itemized_surfaces`.
    surfaces : sequence of Surface
        Of this network.

    Returns
    -------
    mapping
        In the order of `surfaces`.
    """
    top = Surface("W_hh", rnn.num_layers - 1)
    if list(surfaces) == [top]:  # the losses reach it directly, so that it takes a fraction of the time
        return {top.name: itemized_bptt(rnn, forward, horizon, measures=MEASURES, gradients=gradients)}
    return itemized_surfaces(rnn, forward, surfaces, horizon, measures=MEASURES, gradients=gradients)


def make_snapshot(
    outcome: Mapping[str, Any],
    itemized: Itemized,
    starts: Sequence[int],
    from_zero: NDArray[np.bool_],
    **about: Any,
) -> Snapshot:
    """Make the snapshot of a batch, and of a minibatch those of its streams.

    Parameters
    ----------
    outcome : mapping
        Fields of a `Snapshot` about losses, labels and inputs: arrays (n, …), or (n, B, …) of a minibatch.
    itemized : mapping
        What `itemize` returned.
    starts : sequence of int
        Where in the data each stream begins.
    from_zero : bool array () or (B,)
        Whether the state before the first step was zero.
    **about
        Other fields, which are the same for all streams.
    """
    steps = len(outcome["loss"])
    lags = first_lags(itemized)
    whole = {**outcome, **surface_fields(itemized)}

    def snapshot(start: int, zero: bool, **arrays: Any) -> Snapshot:
        place: dict[str, Any] = {"start": start, "stop": start + steps, "from_zero_state": zero, "first_lags": lags}
        return Snapshot(**about, **place, **arrays)

    if not from_zero.ndim:
        return snapshot(starts[0], bool(from_zero), **whole)
    streams = tuple(
        snapshot(start, bool(from_zero[b]), stream=b, **_stream(whole, b)) for b, start in enumerate(starts)
    )
    average = {**average_outcomes(whole), **surface_fields(itemized, average=True)}
    return snapshot(starts[0], bool(from_zero.all()), streams=streams, **average)


def _stream(whole: Mapping[str, Any], index: int) -> dict[str, Any]:
    """One stream of arrays (n, B, …) and of mappings of such: views."""
    return {
        name: _stream(value, index) if isinstance(value, Mapping) else value[:, index] for name, value in whole.items()
    }


def first_lags(itemized: Itemized) -> dict[str, int]:
    """First lags of the surfaces in which it is not 0, as a `Snapshot` has them."""
    found = {name: int(own.lags[0]) for name, own in itemized.items() if isinstance(own, SurfaceItems)}
    return {name: first for name, first in found.items() if first}


def surface_fields(itemized: Itemized, *, average: bool = False) -> dict[str, dict[str, Float32]]:
    """Fields of a `Snapshot` that hold itemized gradients: those of all streams, or of their average."""
    found: dict[str, dict[str, Float32]] = {"surfaces": {}, "step_totals": {}, "beyond": {}}
    for name, own in itemized.items():
        measured: Measured = own.average if average else own
        for field, arrays in zip(found, (measured.items, measured.total, measured.beyond), strict=True):
            for measure, array in arrays.items():
                found[field][surface_key(name, measure)] = array.astype(np.float32)
    return found

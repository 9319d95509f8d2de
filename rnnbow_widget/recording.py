"""What is itemized of a batch that is recorded: which surfaces, and in which way each is worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

import numpy as np

from .bptt_itemized import ItemizedGradients, itemized_bptt
from .bptt_surfaces import SurfaceItems, itemized_surfaces
from .forward import ForwardPass
from .gradients import Gradients
from .measuring import MEASURES
from .parameters import Array
from .rnn import RNN
from .snapshot import Float32, Snapshot, surface_key
from .surfaces import Surface

Itemized = Mapping[str, ItemizedGradients | SurfaceItems]
"""By the name of a surface: its pieces."""


class SurfaceFields(TypedDict):
    """Fields of a `Snapshot` that hold itemized gradients."""

    surfaces: dict[str, Float32]
    step_totals: dict[str, Float32]
    beyond: dict[str, Float32]


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


def first_lags(itemized: Itemized) -> dict[str, int]:
    """First lags of the surfaces in which it is not 0, as a `Snapshot` has them."""
    found = {name: int(own.lags[0]) for name, own in itemized.items() if isinstance(own, SurfaceItems)}
    return {name: first for name, first in found.items() if first}


def with_surfaces(snapshot: Snapshot, itemized: Itemized) -> Snapshot:
    """Return a snapshot with other surfaces, of all its streams."""
    lags = first_lags(itemized)
    fields = surface_fields(itemized)
    if not snapshot.streams:
        return replace(snapshot, first_lags=lags, **fields)
    streams = tuple(
        replace(
            stream,
            first_lags=lags,
            surfaces=_of_stream(fields["surfaces"], b),
            step_totals=_of_stream(fields["step_totals"], b),
            beyond=_of_stream(fields["beyond"], b),
        )
        for b, stream in enumerate(snapshot.streams)
    )
    return replace(snapshot, first_lags=lags, streams=streams, **surface_fields(itemized, average=True))


def _of_stream(arrays: dict[str, Float32], stream: int) -> dict[str, Float32]:
    return {key: array[:, stream] for key, array in arrays.items()}


def surface_fields(itemized: Itemized, *, average: bool = False) -> SurfaceFields:
    """Return the fields of a `Snapshot`: those of all streams, or of their average."""
    measured = {name: own.average if average else own for name, own in itemized.items()}
    return {
        "surfaces": _by_key({name: own.items for name, own in measured.items()}),
        "step_totals": _by_key({name: own.total for name, own in measured.items()}),
        "beyond": _by_key({name: own.beyond for name, own in measured.items()}),
    }


def _by_key(arrays: dict[str, dict[str, Array]]) -> dict[str, Float32]:
    return {
        surface_key(name, measure): array.astype(np.float32)
        for name, of in arrays.items()
        for measure, array in of.items()
    }

"""What is itemized of a batch that is recorded: which surfaces, and in which way each is worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from .bptt_itemized import ItemizedGradients, itemized_bptt
from .bptt_surfaces import SurfaceItems, itemized_surfaces
from .forward import ForwardPass
from .gradients import Gradients
from .jacobians import state_jacobians
from .measuring import MEASURES
from .outcomes import average_outcomes
from .parameters import Array
from .rnn import RNN
from .snapshot import Float32, Snapshot, surface_key
from .surfaces import JACOBIAN, Surface

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
    found: dict[str, SurfaceItems] = {
        one.name: state_jacobians(rnn, forward, one, horizon) for one in surfaces if one.base == JACOBIAN
    }
    others = [one for one in surfaces if one.base != JACOBIAN]
    if others:
        found |= itemized_surfaces(rnn, forward, others, horizon, measures=MEASURES, gradients=gradients)
    return {one.name: found[one.name] for one in surfaces}


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
    surfaces: dict[str, Any] = {"first_lags": first_lags(itemized), "bounds": bounds(itemized)}
    whole = {**outcome, **surface_fields(itemized)}

    def snapshot(start: int, zero: bool, **arrays: Any) -> Snapshot:
        place: dict[str, Any] = {"start": start, "stop": start + steps, "from_zero_state": zero}
        return Snapshot(**about, **place, **surfaces, **arrays)

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


def bounds(itemized: Itemized) -> dict[str, Float32]:
    """What norms cannot exceed, as a `Snapshot` has it."""
    found = {name: own.bound for name, own in itemized.items() if isinstance(own, SurfaceItems)}
    with np.errstate(over="ignore"):  # of double precision
        return {name: bound.astype(np.float32) for name, bound in found.items() if bound is not None}


def with_surfaces(snapshot: Snapshot, itemized: Itemized) -> Snapshot:
    """Return a snapshot with other surfaces, of all its streams."""
    lags, limits = first_lags(itemized), bounds(itemized)
    fields = surface_fields(itemized)
    if not snapshot.streams:
        return replace(snapshot, first_lags=lags, bounds=limits, **fields)
    streams = tuple(
        replace(stream, first_lags=lags, bounds=limits, **_stream(fields, b))
        for b, stream in enumerate(snapshot.streams)
    )
    fields = surface_fields(itemized, average=True)
    return replace(snapshot, first_lags=lags, bounds=limits, streams=streams, **fields)


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

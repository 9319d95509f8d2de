"""Itemized back-propagation through time in every layer and direction of a network.

The loss of step t reaches a step j of a lower layer through everything above it. In a layer that reads forward, only
losses of later steps reach a step; below the top of a bidirectional network, those of steps before it too. So the lag
``t - j`` runs from -(k-1) to k-1 there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bptt_itemized import check_horizon
from .bptt_surfaces import itemized_surfaces
from .forward import ForwardPass
from .gradients import Gradients, checked_pass
from .layer_walk import LayerWalk
from .measuring import Measured
from .parameters import Array
from .rnn import RNN
from .surfaces import Surfaces


@dataclass(frozen=True)
class LayerItems(Measured):
    """The gradient with respect to W_hh of one layer in one direction, itemized; see `Measured`.

    Arrays are indexed ``[j, i]`` for the loss at step ``t = j + lags[i]``.

    Attributes
    ----------
    lags : int array (k,)
        The lags ``t - j`` that are there. Those of layers that losses reach from one side only have one sign.
    """

    lags: NDArray[np.intp]


@dataclass(frozen=True)
class LayerDelta:
    """The vectors behind the items of one layer in one direction.

    Every parameter's piece is a product with them: ``delta h_{j-1}ᵀ`` of W_hh (h_{j+1} where the layer reads backward),
    ``input_delta x_jᵀ`` of W_ih, `input_delta` of b_h, and the last block of `delta` of b_hn.

    Attributes
    ----------
    lags : int array (k,)
        The lags ``t - j`` that are there.
    delta : array (n, k, gates·H) or (n, B, k, gates·H)
        ``∂L_t/∂(W_hh h)`` at ``[j, i]`` with ``t = j + lags[i]``; zero where there is no such step.
    input_delta : array (n, k, gates·H) or (n, B, k, gates·H)
        ``∂L_t/∂(W_ih x_j + b_h)``, likewise.
    """

    lags: NDArray[np.intp]
    delta: Array
    input_delta: Array


def itemized_layers(
    rnn: RNN,
    forward: ForwardPass,
    horizon: int | None = None,
    *,
    measures: Collection[str] = ("norm",),
    gradients: Gradients | None = None,
) -> dict[str, LayerItems]:
    """Itemize the gradient of every W_hh: of all layers, in all directions.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    horizon : int, optional
        Lags that are kept, ``|t - j| < k``. The whole window by default.
    measures : collection of str
        Any of `MEASURES`, as for `itemized_bptt`.
    gradients : Gradients, optional
        What `bptt` returned for the same pass, if it is at hand.

    Returns
    -------
    dict of LayerItems
        By the parameter's name: ``"W_hh"``, ``"W_hh_l0_reverse"``, ``"W_hh_l1"`` and so on.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import RNN, itemized_layers
    >>> rnn = RNN(5, 8, num_layers=2, bidirectional=True, seed=1)
    >>> items = itemized_layers(rnn, rnn.forward([0, 1, 2], [1, 2, 3]))
    >>> list(items)
    ['W_hh', 'W_hh_l0_reverse', 'W_hh_l1', 'W_hh_l1_reverse']
    >>> items["W_hh"].lags  # losses before a step reach it too, through the reverse direction above
    array([-2, -1,  0,  1,  2])
    """
    forward = checked_pass(rnn, forward, gradients)
    found = itemized_surfaces(rnn, forward, Surfaces.of(rnn).weights, horizon, measures=measures, gradients=gradients)
    return {
        name: LayerItems(own.items, own.total, own.beyond, own.lags)
        for name, own in ((name, found[name]) for name in rnn.parameters if name in found)
    }


def itemized_layer_delta(rnn: RNN, forward: ForwardPass, horizon: int | None = None) -> dict[str, LayerDelta]:
    """The vectors behind the items of `itemized_layers`.

    Parameters
    ----------
    rnn, forward, horizon :
        As for `itemized_layers`.

    Returns
    -------
    dict of LayerDelta
        By the name of the layer's W_hh.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above.

    Examples
    --------
    >>> from rnnbow_widget import RNN, itemized_layer_delta
    >>> rnn = RNN(5, 8, num_layers=2, seed=1)
    >>> delta = itemized_layer_delta(rnn, rnn.forward([0, 1, 2], [1, 2, 3]))
    >>> delta["W_hh_l1"].delta.shape
    (3, 3, 8)
    """
    forward = checked_pass(rnn, forward)
    walk = LayerWalk(rnn, forward, check_horizon(forward.steps, horizon, None)[0])
    found: dict[str, LayerDelta] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for track in walk.chunks():
            name = "W_hh" + rnn.parameters.suffixes[track.layer][track.direction]
            lags = walk.lags(track.layer, track.direction)
            if name not in found:
                shape = (walk.steps, walk.streams, len(lags), track.cell.delta_width)
                found[name] = LayerDelta(lags, np.zeros(shape, rnn.dtype), np.zeros(shape, rnn.dtype))
            delta, entering = track.cell.delta(track.rows), track.cell.input_delta(track.rows)  # (n, m, B, gates·H)
            j, place, i = track.places(lags)
            found[name].delta[j, :, i] = delta[j, place] / walk.scale
            found[name].input_delta[j, :, i] = entering[j, place] / walk.scale
    return {
        name: LayerDelta(one.lags, walk.shaped(one.delta), walk.shaped(one.input_delta))
        for name, one in ((name, found[name]) for name in rnn.parameters if name in found)
    }

"""How much of a loss's gradient flows along each edge inside a cell, step by step: where it survives, and where not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .bptt_itemized import check_horizon
from .cell import Edge
from .cells import CELLS
from .forward import ForwardPass
from .layer_walk import LayerWalk, TrackRows
from .measuring import squared_norms
from .parameters import Array
from .rnn import RNN


@dataclass(frozen=True)
class CellFlow:
    """The flow through the cell of one layer in one direction.

    Attributes
    ----------
    edges : tuple of (name, from, to)
        Those of the cell; see `Cell.edges`.
    first_lag : int
        Arrays are indexed ``[j, i]`` for the loss at step ``t = j + first_lag + i``.
    sizes : dict of array (n, K) or (n, B, K)
        By the name of an edge: the norm of the gradient of that loss with respect to what flows along it at step j.
    cell : str or None
        Name of the cell, as ``cell=`` takes it; None if it is one of a person's own, of which only the edges are known.
    """

    edges: tuple[Edge, ...]
    first_lag: int
    sizes: dict[str, Array]
    cell: str | None = None

    def of_stream(self, stream: int | None) -> CellFlow:
        """Return the flow in one stream of a minibatch, or with None the mean over streams."""
        sizes = {
            name: own.mean(axis=1) if stream is None else own[:, stream] for name, own in self.sizes.items()
        }  # (n, K)
        return replace(self, sizes=sizes)


def cell_flow(rnn: RNN, forward: ForwardPass, layer: int, direction: int, horizon: int | None = None) -> CellFlow:
    """Follow every loss through the cell of a layer and direction.

    Parameters
    ----------
    rnn : RNN
        The network, with the weights that `forward` was computed with.
    forward : ForwardPass
        What ``rnn.forward`` returned.
    layer, direction : int
        Which of its cells: direction 0 reads forward, 1 backward.
    horizon : int, optional
        Lags that are kept, ``|t - j| < k``. The whole window by default.

    Returns
    -------
    CellFlow

    Raises
    ------
    TypeError, ValueError
        If the horizon is not of the kind above.
    """
    walk = LayerWalk(rnn, forward, check_horizon(forward.steps, horizon, None)[0])
    lags = walk.lags(layer, direction)
    cell = rnn.cells[layer][direction]
    edges = cell.edges
    shape = (walk.steps, walk.streams, len(lags))
    sizes = {name: np.zeros(shape, rnn.dtype) for name, _, _ in edges}
    weights = rnn.parameters.layers[layer][direction].W_ih
    with np.errstate(over="ignore", invalid="ignore"):
        for track in walk.chunks(layer):
            if (track.layer, track.direction) == (layer, direction):
                found = _sizes(track, weights)
                j, place, i = track.places(lags)
                for name, own in sizes.items():
                    own[j, :, i] = found[name][j, place] / walk.scale
    ours = CELLS.get(cell.name) is type(cell)  # a subclass may do anything between the same edges
    shaped = {name: walk.shaped(own) for name, own in sizes.items()}
    return CellFlow(edges, int(lags[0]), shaped, cell.name if ours else None)


def _sizes(track: TrackRows, W_ih: Array) -> dict[str, Array]:
    """Norms of the gradients along each edge, arrays (n, m, B)."""
    n, m, streams, _ = track.rows.shape
    found = {name: np.empty((n, m, streams), track.rows.dtype) for name, _, _ in track.cell.edges}
    for j, step in enumerate(track.steps()):
        gradients = track.cell.edge_gradients(*step)
        gradients["x"] = track.cell.input_delta(step[-1]).dot(W_ih)  # (m·B, V) or (m·B, D·H)
        for name, own in found.items():
            own[j] = np.sqrt(squared_norms(gradients[name])).reshape(m, streams)
    return found

"""Recurrent layers without a read-out: a window of all layers and directions, and a single step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .cell import Cell
from .forward import Track
from .parameters import Array, LayerParameters, Signal


class Layers:
    """Layers and directions, and how what one gives out enters the next.

    Parameters
    ----------
    cells : sequence of sequence of Cell
        ``cells[layer][direction]``.
    parameters : sequence of sequence of LayerParameters
        Of each of them.
    dtype : dtype
        Of all arrays.

    Attributes
    ----------
    state_width : int
        Width of the state of all layers and directions, S_all.
    """

    def __init__(
        self,
        cells: Sequence[Sequence[Cell]],
        parameters: Sequence[Sequence[LayerParameters]],
        dtype: np.dtype[Any],
    ) -> None:
        both = zip(cells, parameters, strict=True)
        self._all = tuple(tuple(zip(layer, own, strict=True)) for layer, own in both)
        self._width = cells[0][0].state_width
        self._hidden_size = cells[0][0].hidden_size
        self._dtype = dtype
        self.state_width = sum(cell.state_width for layer in cells for cell in layer)

    def run(self, x: Signal, state: Array) -> tuple[tuple[tuple[Track, ...], ...], tuple[Array, ...]]:
        """Run all layers over a window of arrays that are known to be right.

        Parameters
        ----------
        x : int array (n,) or (n, B), or array (n, V) or (n, B, V)
            Tokens or vectors.
        state : array (S_all,) or (B, S_all)
            State to start from.

        Returns
        -------
        tuple of tuple of Track, tuple of array
            As the attributes of a `ForwardPass`.
        """
        width, place = self._width, 0
        steps = (len(x), *state.shape[:-1])  # (n,) or (n, B)
        shape = (len(x) + 1, *state.shape[:-1], width)  # (n+1, S) or (n+1, B, S)
        tracks: list[tuple[Track, ...]] = []
        outputs: list[Array] = []
        for layer in self._all:
            row: list[Track] = []
            given: list[Array] = []  # of each direction, h of each step (n, H) or (n, B, H)
            for cell, own in layer:
                if outputs or x.dtype.kind == "f":
                    below = outputs[-1] if outputs else x  # (n, D·H) or (n, B, D·H), or V for D·H
                    gates = below.reshape(-1, below.shape[-1]).dot(own.W_ih.T).reshape(*steps, -1)
                else:
                    gates = own.W_ih.T[x]  # (n, gates·H) or (n, B, gates·H)
                gates += own.b_h
                if row:  # the second direction
                    gates = gates[::-1]
                states = np.empty(shape, self._dtype)
                states[0] = state[..., place : place + width]
                place += width
                cell.forward_window(gates, states)
                hidden = states[..., : self._hidden_size]  # (n+1, H) or (n+1, B, H)
                given.append(hidden[:0:-1] if row else hidden[1:])
                row.append(Track(states, hidden, cell.linearize(states, gates)))
            tracks.append(tuple(row))
            outputs.append(np.concatenate(given, axis=-1) if len(given) > 1 else given[0])
        return tuple(tracks), tuple(outputs)

    def step(self, token: int, before: Array) -> tuple[Array, Array]:
        """Take a step with a token where all read forward: the state (S_all,) after it, and the top layer's h (H,)."""
        after, width, output = np.empty_like(before), self._width, before
        for layer, ((cell, own),) in enumerate(self._all):
            gates = own.W_ih @ output if layer else own.W_ih[:, token]  # (gates·H,)
            place = slice(layer * width, (layer + 1) * width)
            cell.forward_step(gates + own.b_h, before[place], after[place])
            output = after[place][: self._hidden_size]  # (H,)
        return after, output

"""Parameters of a network, or their gradient, as named arrays that share one vector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from math import prod

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating]


class Parameters(Mapping[str, Array]):
    """The arrays of a recurrent layer and its linear read-out, all views of `vector`.

    One vector means that an optimizer updates everything in a handful of numpy calls. Writing into an array writes into
    the vector.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        Sizes V, H and O.
    dtype : dtype
        float32 or float64.
    gates : int
        Blocks of pre-activations per hidden unit: 1 for a tanh cell.

    Attributes
    ----------
    vector : array (P,)
        All parameters.
    W_ih : array (gates·H, V)
        Input to hidden. Stored by columns, because a token selects one column.
    W_hh : array (gates·H, H)
        Hidden to hidden.
    b_h : array (gates·H,)
        Bias of the hidden layer.
    W_ho : array (O, H)
        Hidden to output.
    b_o : array (O,)
        Bias of the output.
    """

    names = ("W_ih", "W_hh", "b_h", "W_ho", "b_o")

    def __init__(self, input_size: int, hidden_size: int, output_size: int, dtype: DTypeLike, gates: int = 1) -> None:
        rows = gates * hidden_size
        self.sizes = (input_size, hidden_size, output_size)
        self._shapes = ((input_size, rows), (rows, hidden_size), (rows,), (output_size, hidden_size), (output_size,))
        self._ends = tuple(accumulate(prod(shape) for shape in self._shapes))
        self._lay_out(np.zeros(self._ends[-1], dtype))

    def empty_like(self) -> Parameters:
        """Return arrays of the same shapes and dtype, with whatever was in memory."""
        # The layout is copied, not worked out again: a training step needs new gradients every time.
        new = object.__new__(Parameters)
        new.sizes, new._shapes, new._ends = self.sizes, self._shapes, self._ends
        new._lay_out(np.empty_like(self.vector))
        return new

    def _lay_out(self, vector: Array) -> None:
        ends = self._ends
        columns, W_hh, b_h, W_ho, b_o = self._shapes
        self.vector = vector  # (P,)
        self.W_ih_columns: Array = vector[: ends[0]].reshape(columns)  # (V, gates·H): row v is the column of token v
        self.W_ih: Array = self.W_ih_columns.T  # (gates·H, V)
        self.W_hh: Array = vector[ends[0] : ends[1]].reshape(W_hh)  # (gates·H, H)
        self.b_h: Array = vector[ends[1] : ends[2]].reshape(b_h)  # (gates·H,)
        self.W_ho: Array = vector[ends[2] : ends[3]].reshape(W_ho)  # (O, H)
        self.b_o: Array = vector[ends[3] :].reshape(b_o)  # (O,)

    def __getitem__(self, name: str) -> Array:
        if name not in self.names:
            raise KeyError(name)
        array: Array = getattr(self, name)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

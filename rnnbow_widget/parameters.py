"""Parameters of a network, or their gradient, as named arrays that share one vector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating]
Tokens = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Which parameters a shorter gradient belongs to: of a table at the end of all, W_ih by columns, to some rows only.

    Attributes
    ----------
    index : int array (k,)
        The rows that are there, each once.
    shape : (int, int)
        Rows V and columns C of the whole table.
    """

    index: Tokens
    shape: tuple[int, int]

    def split(self, gradient: Array) -> tuple[Array, Array]:
        """Return the parts of a vector (R + k·C,): what is before the table, (R,), and its rows, (k, C)."""
        end = gradient.size - self.index.size * self.shape[1]
        return gradient[:end], gradient[end:].reshape(-1, self.shape[1])

    def whole_size(self, gradient: Array) -> int:
        """Return the number of all parameters, R + V·C."""
        return gradient.size + (self.shape[0] - self.index.size) * self.shape[1]


class Parameters(Mapping[str, Array]):
    """The arrays of a recurrent layer and its linear read-out, all views of `vector`.

    One vector means that an optimizer updates everything in a handful of numpy calls. Writing into an array writes into
    the vector. W_ih is its last part, so that a gradient of fewer tokens is a vector of the same kind, only shorter.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        Sizes V, H and O.
    dtype : dtype
        float32 or float64.
    gates : int
        Blocks of pre-activations per hidden unit: 1 for a tanh cell.
    has_b_hn : bool
        Whether the last block of ``W_hh h`` has a bias of its own, as that of a GRU.

    Attributes
    ----------
    names : tuple of str
        Names of the arrays.
    vector : array (P,)
        All parameters.
    rest : array (R,)
        All parameters but W_ih.
    W_ih : array (gates·H, V)
        Input to hidden. Stored by columns, because a token selects one column.
    W_hh : array (gates·H, H)
        Hidden to hidden.
    b_h : array (gates·H,)
        Bias of the hidden layer.
    b_hn : array (H,) or None
        Bias of the last block of ``W_hh h``, if it has one of its own.
    W_ho : array (O, H)
        Hidden to output.
    b_o : array (O,)
        Bias of the output.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        dtype: DTypeLike,
        gates: int = 1,
        has_b_hn: bool = False,
    ) -> None:
        rows = gates * hidden_size
        self.sizes = (input_size, hidden_size, output_size)
        own = ("b_hn",) if has_b_hn else ()
        self.names = ("W_ih", "W_hh", "b_h", *own, "W_ho", "b_o")
        self._shapes: dict[str, tuple[int, ...]] = {  # in the order of memory
            "W_hh": (rows, hidden_size),
            "b_h": (rows,),
            **dict.fromkeys(own, (hidden_size,)),
            "W_ho": (output_size, hidden_size),
            "b_o": (output_size,),
            "W_ih_columns": (input_size, rows),
        }
        self._lay_out(np.zeros(sum(prod(shape) for shape in self._shapes.values()), dtype))

    def empty_like(self) -> Parameters:
        """Return arrays of the same shapes and dtype, with whatever was in memory."""
        return self._with_vector(np.empty_like(self.vector), self.sizes[0])

    def of_tokens(self, count: int, memory: Array) -> Parameters:
        """Return arrays for as many tokens, and otherwise of the same shapes, at the beginning of `memory`, (P,)."""
        return self._with_vector(memory[: self.rest.size + count * self.W_ih_columns.shape[1]], count)

    def _with_vector(self, vector: Array, input_size: int) -> Parameters:
        # The layout is copied, not worked out again.
        new = object.__new__(Parameters)
        new.names = self.names
        new.sizes = (input_size, *self.sizes[1:])
        new._shapes = self._shapes | {"W_ih_columns": (input_size, self.W_ih_columns.shape[1])}
        new._lay_out(vector)
        return new

    def subtract(self, update: Array, rows: Rows | None = None) -> None:
        """Subtract an update of all parameters, or of those that `rows` says."""
        if rows is None:
            self.vector -= update
        else:
            rest, columns = rows.split(update)  # (R,), (k, gates·H)
            self.rest -= rest
            self.W_ih_columns[rows.index] -= columns

    def _lay_out(self, vector: Array) -> None:
        arrays, end = {}, 0
        for name, shape in self._shapes.items():
            begin, end = end, end + prod(shape)
            arrays[name] = vector[begin:end].reshape(shape)
        self.vector = vector  # (P,)
        self.rest: Array = vector[: vector.size - arrays["W_ih_columns"].size]  # (R,)
        self.W_hh: Array = arrays["W_hh"]  # (gates·H, H)
        self.b_h: Array = arrays["b_h"]  # (gates·H,)
        self.b_hn: Array | None = arrays.get("b_hn")  # (H,)
        self.W_ho: Array = arrays["W_ho"]  # (O, H)
        self.b_o: Array = arrays["b_o"]  # (O,)
        self.W_ih_columns: Array = arrays["W_ih_columns"]  # (V, gates·H): row v is the column of token v
        self.W_ih: Array = self.W_ih_columns.T  # (gates·H, V)

    def __getitem__(self, name: str) -> Array:
        if name not in self.names:
            raise KeyError(name)
        array: Array = getattr(self, name)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

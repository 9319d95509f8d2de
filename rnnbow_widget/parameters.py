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
Mask = NDArray[np.bool_]
Signal = NDArray[Any]
"""Tokens or classes, an int array with the axes of steps and streams; or vectors, a float array with one more axis."""


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


@dataclass(frozen=True, slots=True)
class LayerParameters:
    """The arrays of one layer in one direction: views.

    Attributes
    ----------
    W_ih : array (gates·H, V) or (gates·H, D·H)
        From tokens, or from what the layer below gives out.
    W_hh, b_h, b_hn :
        As in `Parameters`.
    """

    W_ih: Array
    W_hh: Array
    b_h: Array
    b_hn: Array | None


class Parameters(Mapping[str, Array]):
    """The arrays of recurrent layers and of their linear read-out, all views of `vector`.

    One vector means that an optimizer updates everything in a handful of numpy calls. Writing into an array writes into
    the vector. The table of tokens is its last part, so that a gradient of fewer tokens is a vector of the same kind,
    only shorter.

    The arrays of layer 0, forward, are called W_ih, W_hh and so on; the names of others end as in PyTorch, in ``_l1``
    for the layer and ``_reverse`` for the direction: ``W_hh_l0_reverse``, ``W_hh_l1``, ``W_hh_l1_reverse``.

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
    num_layers, directions : int
        Layers L, and directions D, 1 or 2, in which each reads.

    Attributes
    ----------
    names : tuple of str
        Names of the arrays.
    layers : tuple of tuple of LayerParameters
        ``layers[layer][direction]``.
    vector : array (P,)
        All parameters.
    rest : array (R,)
        All parameters but those of tokens.
    W_ih_columns : array (V, D·gates·H)
        Row v has the columns of W_ih, and of W_ih_l0_reverse, that token v selects.
    W_ih : array (gates·H, V)
        Input to hidden. Stored by columns, because a token selects one column. (Above layer 0: (gates·H, D·H).)
    W_hh : array (gates·H, H)
        Hidden to hidden.
    b_h : array (gates·H,)
        Bias of the hidden layer.
    b_hn : array (H,) or None
        Bias of the last block of ``W_hh h``, if it has one of its own.
    W_ho : array (O, D·H)
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
        num_layers: int = 1,
        directions: int = 1,
    ) -> None:
        rows = gates * hidden_size
        self.sizes = (input_size, hidden_size, output_size)
        self.suffixes = tuple(
            tuple(layer_suffix(layer, direction) for direction in range(directions)) for layer in range(num_layers)
        )
        names: list[str] = []
        self._shapes: dict[str, tuple[int, ...]] = {}  # in the order of memory
        for layer, row in enumerate(self.suffixes):
            for suffix in row:
                if layer:
                    self._shapes["W_ih" + suffix] = (rows, directions * hidden_size)
                self._shapes |= {"W_hh" + suffix: (rows, hidden_size), "b_h" + suffix: (rows,)}
                own = ("b_hn" + suffix,) if has_b_hn else ()
                self._shapes |= dict.fromkeys(own, (hidden_size,))
                names += ["W_ih" + suffix, "W_hh" + suffix, "b_h" + suffix, *own]
        self.names = (*names, "W_ho", "b_o")
        self._shapes |= {"W_ho": (output_size, directions * hidden_size), "b_o": (output_size,)}
        self._shapes["W_ih_columns"] = (input_size, directions * rows)
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
        new.suffixes = self.suffixes
        new.sizes = (input_size, *self.sizes[1:])
        new._shapes = self._shapes | {"W_ih_columns": (input_size, self.W_ih_columns.shape[1])}
        new._lay_out(vector)
        return new

    def subtract(self, update: Array, rows: Rows | None = None) -> None:
        """Subtract an update of all parameters, or of those that `rows` says."""
        if rows is None:
            self.vector -= update
        else:
            rest, columns = rows.split(update)  # (R,), (k, D·gates·H)
            self.rest -= rest
            self.W_ih_columns[rows.index] -= columns

    def _lay_out(self, vector: Array) -> None:
        arrays, end = {}, 0
        for name, shape in self._shapes.items():
            begin, end = end, end + prod(shape)
            arrays[name] = vector[begin:end].reshape(shape)
        self.vector = vector  # (P,)
        self.W_ih_columns: Array = arrays.pop("W_ih_columns")  # (V, D·gates·H): row v has the columns of token v
        self.rest: Array = vector[: vector.size - self.W_ih_columns.size]  # (R,)
        rows = len(arrays["W_hh"])  # gates·H
        for direction, suffix in enumerate(self.suffixes[0]):
            arrays["W_ih" + suffix] = self.W_ih_columns[:, direction * rows : (direction + 1) * rows].T
        self._arrays = arrays
        self.layers = tuple(tuple(map(self._layer, row)) for row in self.suffixes)
        first = self.layers[0][0]
        self.W_ih, self.W_hh, self.b_h, self.b_hn = first.W_ih, first.W_hh, first.b_h, first.b_hn
        self.W_ho: Array = arrays["W_ho"]  # (O, D·H)
        self.b_o: Array = arrays["b_o"]  # (O,)

    def _layer(self, suffix: str) -> LayerParameters:
        W_ih, W_hh, b_h = (self._arrays[name + suffix] for name in ("W_ih", "W_hh", "b_h"))
        return LayerParameters(W_ih, W_hh, b_h, self._arrays.get("b_hn" + suffix))

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def layer_suffix(layer: int, direction: int) -> str:
    """How the names of a layer's arrays end."""
    if direction:
        return f"_l{layer}_reverse"
    return f"_l{layer}" if layer else ""

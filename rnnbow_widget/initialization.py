"""Presets for the first weights of a recurrent network."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .parameters import Array, Parameters


def normal(parameters: Parameters, generator: np.random.Generator) -> None:
    """Draw all weights from N(0, 0.01²); biases are zero.

    Gradients vanish at first: the spectral radius of W_hh is about 0.01·√H.
    """
    for name, array in parameters.items():
        if name.startswith("W_"):
            array[...] = generator.normal(0, 0.01, array.shape)


def uniform(parameters: Parameters, generator: np.random.Generator) -> None:
    """Draw everything from U(-1/√H, 1/√H), as PyTorch does: the spectral radius of W_hh is about 1/√3."""
    bound = 1 / np.sqrt(parameters.sizes[1])
    for array in parameters.values():
        array[...] = generator.uniform(-bound, bound, array.shape)


def orthogonal(parameters: Parameters, generator: np.random.Generator) -> None:
    """Make W_hh a random orthogonal matrix (Saxe et al. 2014), which neither shrinks nor stretches; one for each gate.

    The other weights are drawn as in `uniform`; biases are zero.
    """
    uniform(parameters, generator)
    for name in parameters:
        if name.startswith("b_"):
            parameters[name][...] = 0
    for block in _recurrent_blocks(parameters):
        hidden_size = len(block)
        q, r = np.linalg.qr(generator.normal(size=(hidden_size, hidden_size)))  # both (H, H)
        block[...] = q * np.sign(np.diag(r))  # without the signs the draw is not uniform over rotations


def identity(parameters: Parameters, generator: np.random.Generator) -> None:
    """Make W_hh the identity (Le, Jaitly and Hinton 2015), for each gate; other weights from N(0, 0.01²), biases zero.

    Meant for the cell "relu": as long as units stay active, their gradient then reaches back unchanged.
    """
    normal(parameters, generator)
    for block in _recurrent_blocks(parameters):
        block[...] = np.eye(len(block))


def _recurrent_blocks(parameters: Parameters) -> Iterator[Array]:
    """The blocks (H, H) of every W_hh, one per gate."""
    for layer in parameters.layers:
        for own in layer:
            yield from own.W_hh.reshape(-1, own.W_hh.shape[1], own.W_hh.shape[1])


PRESETS: dict[str, Callable[[Parameters, np.random.Generator], None]] = {
    "normal": normal,
    "uniform": uniform,
    "orthogonal": orthogonal,
    "identity": identity,
}

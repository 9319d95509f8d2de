"""Networks from PyTorch and to PyTorch, which is imported when one of these functions runs, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from .parameters import Array, Parameters, layer_suffix

_KINDS = {"tanh": "RNN", "relu": "RNN", "lstm": "LSTM", "gru": "GRU"}
_TAKES = "module takes a torch.nn.RNN, LSTM or GRU"
_DTYPES = "module and linear take weights that are all float32 or all float64, got {}"


def read_modules(module: Any, linear: Any) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read a recurrent module and its read-out.

    Parameters
    ----------
    module : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        The recurrent layers.
    linear : torch.nn.Linear
        From its hidden state to logits.

    Returns
    -------
    dict
        Arguments of `RNN`.
    dict of array
        Its parameters. The two biases of PyTorch are added where they only add.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    TypeError, ValueError
        If there is something that `RNN` has no counterpart for; the message names it.
    """
    torch = _torch("from_torch")
    cell = cell_name(module)
    if not isinstance(linear, torch.nn.Linear):
        raise TypeError(f"linear takes a torch.nn.Linear, got {type(linear).__name__}")
    refuse_what_is_unknown(module)
    directions = 2 if module.bidirectional else 1
    outputs = directions * module.hidden_size
    if linear.in_features != outputs:
        raise ValueError(f"linear takes in_features={outputs}, what module gives out; got {linear.in_features}")
    found = {"W_ho": _array(linear.weight)}  # (O, D·H)
    found["b_o"] = np.zeros_like(found["W_ho"][:, 0]) if linear.bias is None else _array(linear.bias)  # (O,)
    weights = {name: _array(tensor) for name, tensor in weights_of(module).items()}
    found |= layer_parameters(weights, cell, module.num_layers, module.bidirectional)
    dtypes = sorted({array.dtype.name for array in found.values()})
    if dtypes not in (["float32"], ["float64"]):
        raise ValueError(_DTYPES.format(dtypes))
    settings = {
        "input_size": module.input_size,
        "hidden_size": module.hidden_size,
        "output_size": linear.out_features,
        "cell": cell,
        "num_layers": module.num_layers,
        "bidirectional": module.bidirectional,
        "dtype": dtypes[0],
    }
    return settings, found


def weights_of(module: Any) -> dict[str, Any]:
    """Return the tensors of recurrent layers by PyTorch's names."""
    # By attribute, not as registered parameters: a parametrization has its weights only there.
    return {
        name: getattr(module, name)
        for layer in range(module.num_layers)
        for direction in range(2 if module.bidirectional else 1)
        for name in names_in_torch(layer, direction, bias=module.bias)
    }


def names_in_torch(layer: int, direction: int, *, bias: bool = True) -> list[str]:
    """Return what PyTorch calls the arrays of a layer in one direction."""
    kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if bias else [])]
    return [kind + _suffix_in_torch(layer, direction) for kind in kinds]


def layer_parameters(weights: Mapping[str, Array], cell: str, num_layers: int, bidirectional: bool) -> dict[str, Array]:
    """Return the parameters of recurrent layers under our names, from arrays under PyTorch's; biases may be missing.

    The two biases are added where they only add.
    """
    found: dict[str, Array] = {}
    for layer in range(num_layers):
        for direction in range(2 if bidirectional else 1):
            ours = layer_suffix(layer, direction)
            names = names_in_torch(layer, direction)
            W_ih, W_hh = (weights[name] for name in names[:2])
            zeros = np.zeros_like(W_hh[:, 0])  # (gates·H,)
            own, recurrent = (weights.get(name, zeros) for name in names[2:])  # (gates·H,) each
            b_h = own + recurrent  # (gates·H,)
            found |= {"W_ih" + ours: W_ih, "W_hh" + ours: W_hh, "b_h" + ours: b_h}
            if cell == "gru":
                size = W_hh.shape[1]
                b_h[-size:] = own[-size:]  # the reset gate multiplies the other
                found["b_hn" + ours] = recurrent[-size:]
    return found


def make_modules(cell: str, parameters: Parameters) -> tuple[Any, Any]:
    """Make PyTorch's recurrent module and linear layer with these parameters.

    Parameters
    ----------
    cell : str
        Name of the cell.
    parameters : Parameters
        Those of the network.

    Returns
    -------
    torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        With ``b_h`` as its first bias and zeros as the second, but for a GRU's ``b_hn``.
    torch.nn.Linear

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    ValueError
        If PyTorch has no such cell.
    """
    torch = _torch("to_torch")
    if cell not in _KINDS:
        raise ValueError(
            f"to_torch takes a network with a cell of {', '.join(map(repr, _KINDS))}; its cell is {cell!r}"
        )
    inputs, hidden, outputs = parameters.sizes
    directions = len(parameters.layers[0])
    options: dict[str, Any] = {"nonlinearity": cell} if _KINDS[cell] == "RNN" else {}
    options |= {"num_layers": len(parameters.layers), "bidirectional": directions > 1}
    options["dtype"] = dtype = getattr(torch, parameters.vector.dtype.name)
    module = getattr(torch.nn, _KINDS[cell])(inputs, hidden, **options)
    linear = torch.nn.Linear(directions * hidden, outputs, dtype=dtype)
    targets = {linear.weight: parameters.W_ho, linear.bias: parameters.b_o}
    for layer, row in enumerate(parameters.layers):
        for direction, own in enumerate(row):
            theirs = _suffix_in_torch(layer, direction)
            second = np.zeros_like(own.b_h)  # (gates·H,)
            if own.b_hn is not None:
                second[-hidden:] = own.b_hn
            arrays = {"weight_ih": own.W_ih, "weight_hh": own.W_hh, "bias_ih": own.b_h, "bias_hh": second}
            targets |= {getattr(module, name + theirs): array for name, array in arrays.items()}
    with torch.no_grad():
        for target, array in targets.items():
            target.copy_(torch.tensor(np.ascontiguousarray(array)))
    return module, linear


def _suffix_in_torch(layer: int, direction: int) -> str:
    return f"_l{layer}" + ("_reverse" if direction else "")


def _array(tensor: Any) -> Array:
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in ("float32", "float64"):  # numpy does not even have all of them
        raise ValueError(_DTYPES.format([name]))
    found: Array = tensor.detach().cpu().numpy()
    return found


def _torch(what: str) -> Any:
    try:
        return import_module("torch")
    except ImportError:
        raise ImportError(f"{what} needs PyTorch, which is not installed here: pip install torch") from None


def cell_name(module: Any) -> str:
    """Return the name of the cell of a recurrent module from PyTorch.

    Raises
    ------
    TypeError
        If it is no such module.
    """
    torch = _torch("module")
    kinds = {torch.nn.RNN: getattr(module, "nonlinearity", ""), torch.nn.LSTM: "lstm", torch.nn.GRU: "gru"}
    for kind, cell in kinds.items():
        if isinstance(module, kind):
            return str(cell)
    raise TypeError(f"{_TAKES}, got {type(module).__name__}")


def refuse_what_is_unknown(module: Any) -> None:
    """Raise `ValueError` if a recurrent module has something that networks here have no counterpart for."""
    reasons = {
        "proj_size": (0, "the state of an LSTM is not projected here"),
        "dropout": (0, "networks here have no dropout, which would be a gradient of its own at every call"),
    }
    for name, (value, reason) in reasons.items():
        if getattr(module, name, value) != value:
            raise ValueError(f"{_TAKES} with {name}={value}, got {getattr(module, name)}: {reason}")

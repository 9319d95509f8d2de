"""Networks from PyTorch and to PyTorch. It is imported when one of these functions runs, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from .parameters import Array

_KINDS = {"tanh": "RNN", "relu": "RNN", "lstm": "LSTM", "gru": "GRU"}
_TAKES = "module takes a torch.nn.RNN, LSTM or GRU"


def read_modules(module: Any, linear: Any) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read a recurrent module and its read-out.

    Parameters
    ----------
    module : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        The recurrent layer.
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
    cell = _cell(torch, module)
    if not isinstance(linear, torch.nn.Linear):
        raise TypeError(f"linear takes a torch.nn.Linear, got {type(linear).__name__}")
    _refuse_what_is_unknown(module)
    if linear.in_features != module.hidden_size:
        raise ValueError(f"linear takes in_features={module.hidden_size}, the hidden size; got {linear.in_features}")
    # By attribute, not as registered parameters: a parametrization has its weights only there.
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    every = {name: getattr(module, name, None) for name in names} | {"weight_ho": linear.weight, "bias_o": linear.bias}
    tensors = {name: tensor for name, tensor in every.items() if tensor is not None}  # biases may be left out
    dtypes = {str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()}
    if dtypes not in ({"float32"}, {"float64"}):
        raise ValueError(f"module and linear take weights that are all float32 or all float64, got {sorted(dtypes)}")
    (dtype,) = dtypes
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    hidden, rows = module.hidden_size, len(arrays["weight_ih_l0"])
    none = np.zeros(rows, dtype)  # (gates·H,)
    own, recurrent = arrays.get("bias_ih_l0", none), arrays.get("bias_hh_l0", none)  # (gates·H,) each
    found = {"W_ih": arrays["weight_ih_l0"], "W_hh": arrays["weight_hh_l0"], "b_h": own + recurrent}
    if cell == "gru":
        found["b_h"][-hidden:] = own[-hidden:]  # the reset gate multiplies the other
        found["b_hn"] = recurrent[-hidden:]
    found |= {"W_ho": arrays["weight_ho"], "b_o": arrays.get("bias_o", np.zeros(linear.out_features, dtype))}
    settings = {"input_size": module.input_size, "hidden_size": hidden, "output_size": linear.out_features}
    return {**settings, "cell": cell, "dtype": dtype}, found


def make_modules(cell: str, sizes: tuple[int, int, int], parameters: Mapping[str, Array]) -> tuple[Any, Any]:
    """Make PyTorch's recurrent module and linear layer with these parameters.

    Parameters
    ----------
    cell : str
        Name of the cell.
    sizes : (int, int, int)
        Sizes V, H and O.
    parameters : mapping of arrays
        Those of `RNN`.

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
    inputs, hidden, outputs = sizes
    dtype = getattr(torch, parameters["W_hh"].dtype.name)
    options = {"nonlinearity": cell} if _KINDS[cell] == "RNN" else {}
    module = getattr(torch.nn, _KINDS[cell])(inputs, hidden, dtype=dtype, **options)
    linear = torch.nn.Linear(hidden, outputs, dtype=dtype)
    recurrent = np.zeros_like(parameters["b_h"])  # (gates·H,)
    if "b_hn" in parameters:
        recurrent[-hidden:] = parameters["b_hn"]
    targets = {
        module.weight_ih_l0: parameters["W_ih"],
        module.weight_hh_l0: parameters["W_hh"],
        module.bias_ih_l0: parameters["b_h"],
        module.bias_hh_l0: recurrent,
        linear.weight: parameters["W_ho"],
        linear.bias: parameters["b_o"],
    }
    with torch.no_grad():
        for target, array in targets.items():
            target.copy_(torch.tensor(np.ascontiguousarray(array)))
    return module, linear


def _torch(what: str) -> Any:
    try:
        return import_module("torch")
    except ImportError:
        raise ImportError(f"{what} needs PyTorch, which is not installed here: pip install torch") from None


def _cell(torch: Any, module: Any) -> str:
    """Return the name of the module's cell."""
    kinds = {torch.nn.RNN: getattr(module, "nonlinearity", ""), torch.nn.LSTM: "lstm", torch.nn.GRU: "gru"}
    for kind, cell in kinds.items():
        if isinstance(module, kind):
            return str(cell)
    raise TypeError(f"{_TAKES}, got {type(module).__name__}")


def _refuse_what_is_unknown(module: Any) -> None:
    reasons = {
        "num_layers": (1, "networks here have one layer"),
        "bidirectional": (False, "networks here read in one direction"),
        "proj_size": (0, "the state of an LSTM is not projected here"),
        "dropout": (0, "networks here have no dropout, which would be a gradient of its own at every call"),
    }
    for name, (value, reason) in reasons.items():
        if getattr(module, name, value) != value:
            raise ValueError(f"{_TAKES} with {name}={value}, got {getattr(module, name)}: {reason}")

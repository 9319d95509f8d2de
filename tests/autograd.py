"""The same network in PyTorch, with autograd: what the engine is checked against."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rnnbow_widget.rnn import RNN

Step = Callable[..., torch.Tensor]
Carry = Callable[[str, torch.Tensor], torch.Tensor]
KINDS: dict[str, Any] = {"tanh": torch.nn.RNN, "relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
"""PyTorch's own recurrent modules, by the name of the cell."""


def make_module(cell: str, *sizes: int, **options: Any) -> torch.nn.Module:
    own = {"nonlinearity": cell} if KINDS[cell] is torch.nn.RNN else {}
    made: torch.nn.Module = KINDS[cell](*sizes, **own, **options)
    return made


@dataclass(frozen=True)
class Unrolled:
    """One window through PyTorch. Tensors are float64."""

    parameters: dict[str, torch.Tensor]
    recurrent: list[torch.Tensor]  # n of (gates·H,): W_hh h_{j-1}
    states: list[torch.Tensor]  # n+1 of (S,)
    losses: list[torch.Tensor]  # n scalars


def unroll(
    rnn: RNN, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray, mask: np.ndarray | None = None
) -> Unrolled:
    p = {
        name: torch.tensor(np.array(array), dtype=torch.float64, requires_grad=True)
        for name, array in rnn.parameters.items()
    }
    step = STEPS[rnn.cell.name]
    states, recurrent, losses = [torch.tensor(np.array(state), dtype=torch.float64)], [], []
    for x, y, counts in zip(_vectors(inputs, rnn.input_size), targets, _counting(targets, mask), strict=True):
        recurrent.append(p["W_hh"] @ states[-1][: rnn.hidden_size])
        states.append(step(p["W_ih"] @ x + p["b_h"], recurrent[-1], states[-1], p.get("b_hn")))
        losses.append(_loss(p["W_ho"] @ states[-1][: rnn.hidden_size] + p["b_o"], y, counts))
    return Unrolled(p, recurrent, states, losses)


def _vectors(inputs: np.ndarray, size: int) -> list[torch.Tensor]:
    """Input vectors, n of (V,), one-hot for tokens."""
    if inputs.dtype.kind == "f":
        return list(torch.tensor(inputs, dtype=torch.float64))
    return list(torch.eye(size, dtype=torch.float64)[torch.tensor(inputs)])


def _counting(targets: np.ndarray, mask: np.ndarray | None) -> list[bool]:
    return [True] * len(targets) if mask is None else mask.tolist()


def _loss(output: torch.Tensor, target: np.ndarray, counts: bool) -> torch.Tensor:
    """The loss of a step, a scalar, of a class or of a vector; 0, but a function of the output, if there is none."""
    if not counts:
        return 0 * output.sum()
    if target.dtype.kind == "f":
        return torch.nn.functional.mse_loss(output, torch.tensor(target, dtype=torch.float64))
    return torch.nn.functional.cross_entropy(output[None], torch.tensor([int(target)]))


def as_it_is(edge: str, tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def _elman(activation: Callable[[torch.Tensor], torch.Tensor]) -> Step:
    def step(
        entering: torch.Tensor,
        recurrent: torch.Tensor,
        state: torch.Tensor,
        b_hn: torch.Tensor | None,
        carry: Carry = as_it_is,
    ) -> torch.Tensor:
        return activation(carry("a", entering + recurrent))

    return step


def _lstm(
    entering: torch.Tensor,
    recurrent: torch.Tensor,
    state: torch.Tensor,
    b_hn: torch.Tensor | None,
    carry: Carry = as_it_is,
) -> torch.Tensor:
    gates = (entering + recurrent).chunk(4)
    i, f, g, o = (carry(name, gate) for name, gate in zip("ifgo", gates, strict=True))
    c = torch.sigmoid(f) * carry("c_before", state.chunk(2)[1]) + torch.sigmoid(i) * torch.tanh(g)
    c = carry("c", c)
    return torch.cat([torch.sigmoid(o) * torch.tanh(carry("tanh_c", c)), c])


def _gru(
    entering: torch.Tensor,
    recurrent: torch.Tensor,
    state: torch.Tensor,
    b_hn: torch.Tensor | None,
    carry: Carry = as_it_is,
) -> torch.Tensor:
    assert b_hn is not None
    (q_r, q_z, q_n), (s_r, s_z, s_n) = entering.chunk(3), recurrent.chunk(3)
    r, z = torch.sigmoid(carry("r", q_r + s_r)), torch.sigmoid(carry("z", q_z + s_z))
    n = torch.tanh(carry("n", q_n + r * (carry("reset_product", s_n) + b_hn)))
    return (1 - z) * n + z * carry("direct", state)


STEPS: dict[str, Step] = {"tanh": _elman(torch.tanh), "relu": _elman(torch.relu), "lstm": _lstm, "gru": _gru}
"""From what enters (gates·H,), W_hh h (gates·H,), the state before (S,) and b_hn to the state after (S,).

A last argument may put something in the place of what flows along each edge within the cell, such as a copy.
"""


def itemized_delta(window: Unrolled) -> np.ndarray:
    """``∂L_t/∂(W_hh h_{j-1})`` at [j, t - j], array (n, n, gates·H), one call of autograd per loss."""
    n, width = len(window.losses), len(window.recurrent[0])
    found = np.zeros((n, n, width))
    for t, loss in enumerate(window.losses):
        gradients = torch.autograd.grad(loss, window.recurrent[: t + 1], retain_graph=True)
        for j, gradient in enumerate(gradients):
            found[j, t - j] = gradient.numpy()
    return found


def gradients(window: Unrolled) -> dict[str, np.ndarray]:
    """``∂(Σ_t L_t)/∂θ`` for every parameter."""
    total = torch.stack(window.losses).sum()
    found = torch.autograd.grad(total, list(window.parameters.values()), retain_graph=True)
    return {name: gradient.numpy() for name, gradient in zip(window.parameters, found, strict=True)}


@dataclass(frozen=True)
class UnrolledLayers:
    """One window through several layers. Tensors are float64; lists are in the order of steps."""

    parameters: dict[str, torch.Tensor]
    recurrent: dict[str, list[torch.Tensor]]  # by the name of the W_hh: n of (gates·H,), W_hh h
    entering: dict[str, list[torch.Tensor]]  # n of (gates·H,): W_ih x_j + b_h
    inputs: dict[str, list[torch.Tensor]]  # n of (V,) or (D·H,): x_j
    before: dict[str, list[torch.Tensor]]  # n of (H,): what W_hh multiplies at step j
    losses: list[torch.Tensor]  # n scalars

    def pieces(self, tensors: list[torch.Tensor]) -> np.ndarray:
        """The gradient of every loss with respect to every one of these: [j, t], array (n, n, …)."""
        found = [torch.autograd.grad(loss, tensors, retain_graph=True, allow_unused=True) for loss in self.losses]
        zero = torch.zeros_like(tensors[0])
        return np.array([[(zero if g[j] is None else g[j]).numpy() for g in found] for j in range(len(tensors))])


def unroll_layers(
    rnn: RNN,
    inputs: np.ndarray,
    targets: np.ndarray | None,
    state: np.ndarray,
    mask: np.ndarray | None = None,
    at_outputs: np.ndarray | None = None,
) -> UnrolledLayers:
    """With `at_outputs` (n, D·H), the losses are the outputs' products with it, and there is no read-out."""
    p = {
        name: torch.tensor(np.array(array), dtype=torch.float64, requires_grad=True)
        for name, array in rnn.parameters.items()
    }
    found = UnrolledLayers(p, {}, {}, {}, {}, [])
    below = _vectors(inputs, rnn.input_size)  # n of (V,)
    first = iter(torch.tensor(np.array(state), dtype=torch.float64).split(rnn.cell.state_width))
    n, step = len(inputs), STEPS[rnn.cell.name]
    for suffixes in rnn.parameters.suffixes:
        given = []
        for direction, suffix in enumerate(suffixes):
            W_hh, h = p["W_hh" + suffix], next(first)
            lists = [[torch.empty(0)] * n for _ in range(4)]
            outputs = [torch.empty(0)] * n
            for j in reversed(range(n)) if direction else range(n):
                before = h[: rnn.hidden_size]
                recurrent, entering = W_hh @ before, p["W_ih" + suffix] @ below[j] + p["b_h" + suffix]
                h = step(entering, recurrent, h, p.get("b_hn" + suffix))
                outputs[j] = h[: rnn.hidden_size]
                for kept, tensor in zip(lists, (recurrent, entering, below[j], before), strict=True):
                    kept[j] = tensor
            name = "W_hh" + suffix
            found.recurrent[name], found.entering[name], found.inputs[name], found.before[name] = lists
            given.append(outputs)
        below = [torch.cat(parts) for parts in zip(*given, strict=True)]
    if at_outputs is not None:
        found.losses.extend(own @ h for own, h in zip(torch.tensor(at_outputs), below, strict=True))
        return found
    assert targets is not None
    for h, y, counts in zip(below, targets, _counting(targets, mask), strict=True):
        found.losses.append(_loss(p["W_ho"] @ h + p["b_o"], y, counts))
    return found


@dataclass(frozen=True)
class ModuleWindow:
    """One window through PyTorch's own recurrent module and a linear layer, in float64."""

    losses: torch.Tensor  # (n,)
    weights: dict[str, torch.Tensor]  # under the engine's names

    def gradients(self) -> dict[str, np.ndarray]:
        """``∂(Σ_t L_t)/∂θ`` for every parameter."""
        found = torch.autograd.grad(self.losses.sum(), list(self.weights.values()))
        return {
            name: (gradient[-len(gradient) // 3 :] if name.startswith("b_hn") else gradient).numpy()
            for name, gradient in zip(self.weights, found, strict=True)
        }


def module(rnn: RNN, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray) -> ModuleWindow:
    name, hidden = rnn.cell.name, rnn.hidden_size
    layer = make_module(
        name, rnn.input_size, hidden, rnn.num_layers, bidirectional=rnn.bidirectional, dtype=torch.float64
    )
    directions = 2 if rnn.bidirectional else 1
    read_out = torch.nn.Linear(directions * hidden, rnn.output_size, dtype=torch.float64)
    weights = {}
    for number, suffixes in enumerate(rnn.parameters.suffixes):
        for direction, suffix in enumerate(suffixes):
            theirs = f"_l{number}" + ("_reverse" if direction else "")
            weights["W_ih" + suffix] = getattr(layer, "weight_ih" + theirs)
            weights["W_hh" + suffix] = getattr(layer, "weight_hh" + theirs)
            weights["b_h" + suffix] = getattr(layer, "bias_ih" + theirs)
            second = getattr(layer, "bias_hh" + theirs)
            with torch.no_grad():
                second.zero_()
                if "b_hn" + suffix in rnn.parameters:
                    second[-hidden:] = torch.tensor(np.array(rnn.parameters["b_hn" + suffix]))
                    weights["b_hn" + suffix] = second
    weights |= {"W_ho": read_out.weight, "b_o": read_out.bias}
    with torch.no_grad():
        for key, weight in weights.items():
            if not key.startswith("b_hn"):
                weight.copy_(torch.tensor(np.array(rnn.parameters[key])))
    one_hot = torch.eye(rnn.input_size, dtype=torch.float64)[torch.tensor(inputs)]  # (n, V)
    blocks = state.astype(float).reshape(-1, rnn.cell.state_blocks, hidden)  # (L·D, blocks, H)
    first = tuple(torch.tensor(blocks[:, block].copy()) for block in range(rnn.cell.state_blocks))  # (L·D, H) each
    outputs, _ = layer(one_hot, first if name == "lstm" else first[0])  # (n, D·H)
    losses = torch.nn.functional.cross_entropy(read_out(outputs), torch.tensor(targets), reduction="none")
    return ModuleWindow(losses, weights)

"""The same network in PyTorch, with autograd: what the engine is checked against."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from rnnbow_widget.rnn import RNN

Step = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]


@dataclass(frozen=True)
class Unrolled:
    """One window through PyTorch. Tensors are float64."""

    parameters: dict[str, torch.Tensor]
    recurrent: list[torch.Tensor]  # n of (gates·H,): W_hh h_{j-1}
    states: list[torch.Tensor]  # n+1 of (S,)
    losses: list[torch.Tensor]  # n scalars


def unroll(rnn: RNN, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray) -> Unrolled:
    p = {
        name: torch.tensor(np.array(array), dtype=torch.float64, requires_grad=True)
        for name, array in rnn.parameters.items()
    }
    step = STEPS[rnn.cell.name]
    states, recurrent, losses = [torch.tensor(np.array(state), dtype=torch.float64)], [], []
    for x, y in zip(inputs.tolist(), targets.tolist(), strict=True):
        recurrent.append(p["W_hh"] @ states[-1][: rnn.hidden_size])
        states.append(step(p["W_ih"][:, x] + p["b_h"], recurrent[-1], states[-1], p.get("b_hn")))
        logits = p["W_ho"] @ states[-1][: rnn.hidden_size] + p["b_o"]
        losses.append(torch.nn.functional.cross_entropy(logits[None], torch.tensor([y])))
    return Unrolled(p, recurrent, states, losses)


def _elman(activation: Callable[[torch.Tensor], torch.Tensor]) -> Step:
    return lambda entering, recurrent, state, b_hn: activation(entering + recurrent)


def _lstm(
    entering: torch.Tensor, recurrent: torch.Tensor, state: torch.Tensor, b_hn: torch.Tensor | None
) -> torch.Tensor:
    i, f, g, o = (entering + recurrent).chunk(4)
    c = torch.sigmoid(f) * state.chunk(2)[1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.cat([torch.sigmoid(o) * torch.tanh(c), c])


def _gru(
    entering: torch.Tensor, recurrent: torch.Tensor, state: torch.Tensor, b_hn: torch.Tensor | None
) -> torch.Tensor:
    (q_r, q_z, q_n), (s_r, s_z, s_n) = entering.chunk(3), recurrent.chunk(3)
    r, z = torch.sigmoid(q_r + s_r), torch.sigmoid(q_z + s_z)
    n = torch.tanh(q_n + r * (s_n + b_hn))
    return (1 - z) * n + z * state


# From what enters (gates·H,), W_hh h (gates·H,), the state before (S,) and b_hn to the state after (S,).
STEPS: dict[str, Step] = {"tanh": _elman(torch.tanh), "relu": _elman(torch.relu), "lstm": _lstm, "gru": _gru}


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
class ModuleWindow:
    """One window through PyTorch's own recurrent module and a linear layer, in float64."""

    losses: torch.Tensor  # (n,)
    weights: dict[str, torch.Tensor]  # under the engine's names

    def gradients(self) -> dict[str, np.ndarray]:
        """``∂(Σ_t L_t)/∂θ`` for every parameter."""
        found = torch.autograd.grad(self.losses.sum(), list(self.weights.values()))
        return {
            name: (gradient[-len(gradient) // 3 :] if name == "b_hn" else gradient).numpy()
            for name, gradient in zip(self.weights, found, strict=True)
        }


def module(rnn: RNN, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray) -> ModuleWindow:
    kinds = {"tanh": torch.nn.RNN, "relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    name = rnn.cell.name
    options = {"nonlinearity": name} if kinds[name] is torch.nn.RNN else {}
    layer = kinds[name](rnn.input_size, rnn.hidden_size, dtype=torch.float64, **options)
    read_out = torch.nn.Linear(rnn.hidden_size, rnn.output_size, dtype=torch.float64)
    weights = {
        "W_ih": layer.weight_ih_l0,
        "W_hh": layer.weight_hh_l0,
        "b_h": layer.bias_ih_l0,
        "W_ho": read_out.weight,
        "b_o": read_out.bias,
    }
    with torch.no_grad():
        for key, weight in weights.items():
            weight.copy_(torch.tensor(np.array(rnn.parameters[key])))
        layer.bias_hh_l0.zero_()
        if "b_hn" in rnn.parameters:
            layer.bias_hh_l0[-rnn.hidden_size :] = torch.tensor(np.array(rnn.parameters["b_hn"]))
            weights["b_hn"] = layer.bias_hh_l0
    one_hot = torch.eye(rnn.input_size, dtype=torch.float64)[torch.tensor(inputs)]  # (n, V)
    first = tuple(torch.tensor(np.array(part))[None] for part in np.split(state.astype(float), rnn.cell.state_blocks))
    hidden, _ = layer(one_hot, first if name == "lstm" else first[0])  # (n, H)
    losses = torch.nn.functional.cross_entropy(read_out(hidden), torch.tensor(targets), reduction="none")
    return ModuleWindow(losses, weights)

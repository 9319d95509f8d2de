"""The same network in PyTorch, with autograd: what the engine is checked against."""

from dataclasses import dataclass

import numpy as np
import torch

from rnnbow_widget.rnn import RNN


@dataclass(frozen=True)
class Unrolled:
    """One window through PyTorch. Tensors are float64."""

    parameters: dict[str, torch.Tensor]
    pre_activations: list[torch.Tensor]  # n of (H,)
    states: list[torch.Tensor]  # n+1 of (H,)
    losses: list[torch.Tensor]  # n scalars


def unroll(rnn: RNN, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray) -> Unrolled:
    p = {
        name: torch.tensor(np.array(array), dtype=torch.float64, requires_grad=True)
        for name, array in rnn.parameters.items()
    }
    states, pre_activations, losses = [torch.tensor(np.array(state), dtype=torch.float64)], [], []
    for x, y in zip(inputs.tolist(), targets.tolist(), strict=True):
        a = p["W_ih"][:, x] + p["W_hh"] @ states[-1] + p["b_h"]
        h = torch.tanh(a)
        logits = p["W_ho"] @ h + p["b_o"]
        losses.append(torch.nn.functional.cross_entropy(logits[None], torch.tensor([y])))
        pre_activations.append(a)
        states.append(h)
    return Unrolled(p, pre_activations, states, losses)


def itemized_delta(window: Unrolled) -> np.ndarray:
    """``∂L_t/∂a_j`` at [j, t - j], array (n, n, H), one call of autograd per loss."""
    n, hidden = len(window.losses), len(window.pre_activations[0])
    found = np.zeros((n, n, hidden))
    for t, loss in enumerate(window.losses):
        gradients = torch.autograd.grad(loss, window.pre_activations[: t + 1], retain_graph=True)
        for j, gradient in enumerate(gradients):
            found[j, t - j] = gradient.numpy()
    return found


def gradients(window: Unrolled) -> dict[str, np.ndarray]:
    """``∂(Σ_t L_t)/∂θ`` for every parameter."""
    total = torch.stack(window.losses).sum()
    found = torch.autograd.grad(total, list(window.parameters.values()), retain_graph=True)
    return {name: gradient.numpy() for name, gradient in zip(window.parameters, found, strict=True)}

"""The same network in PyTorch, eager and on the CPU, in float32."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding, linear

Parameters = Mapping[str, NDArray[np.floating]]
Array = NDArray[np.float32]
Tokens = NDArray[np.integer[Any]]


class Training(ABC):
    """Trains a tanh network with a linear read-out by Adagrad. Subclasses own the recurrent part."""

    def __init__(self, parameters: Parameters, learning_rate: float, clip_value: float) -> None:
        outputs, hidden = parameters["W_ho"].shape
        self.read_out = nn.Linear(hidden, outputs)
        _set(self.read_out.weight, parameters["W_ho"])
        _set(self.read_out.bias, parameters["b_o"])
        self.state = torch.zeros(1, hidden)  # (1, H)
        self.trained = self.make_recurrent(parameters) | {"W_ho": self.read_out.weight, "b_o": self.read_out.bias}
        # The fused kernel is the quickest of the three that PyTorch has.
        self.optimizer = torch.optim.Adagrad(
            self.trained.values(), lr=learning_rate, initial_accumulator_value=1e-8, eps=0, fused=True
        )
        self.clip_value = clip_value

    @abstractmethod
    def make_recurrent(self, parameters: Parameters) -> dict[str, Tensor]:
        """Make the recurrent part; return what of it is trained, under the engine's names."""

    @abstractmethod
    def run(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states (n, H) of all steps and the last one (1, H), for tokens (n,)."""

    def in_engine_shape(self, name: str, tensor: Tensor) -> Array:
        """A parameter or its gradient, as the engine lays it out."""
        array: Array = tensor.detach().numpy()
        return array

    def parameters(self) -> dict[str, Array]:
        return {name: self.in_engine_shape(name, tensor) for name, tensor in self.trained.items()}

    def loss_and_gradients(self, inputs: Tokens, targets: Tokens) -> tuple[float, dict[str, Array]]:
        """Return the window's summed loss and its gradients; nothing is trained."""
        loss, _ = self._back_propagate(inputs, targets)
        gradients = {name: tensor.grad for name, tensor in self.trained.items() if tensor.grad is not None}
        return loss.item(), {name: self.in_engine_shape(name, gradient) for name, gradient in gradients.items()}

    def train_batch(self, inputs: Tokens, targets: Tokens) -> None:
        """Take one step of Adagrad on a window, and carry the state over to the next."""
        _, state = self._back_propagate(inputs, targets)
        # So few tensors are quicker one by one than as a list.
        nn.utils.clip_grad_value_(self.trained.values(), self.clip_value, foreach=False)
        self.optimizer.step()
        self.state = state.detach()

    def _back_propagate(self, inputs: Tokens, targets: Tokens) -> tuple[Tensor, Tensor]:
        states, last = self.run(torch.from_numpy(inputs))  # (n, H), (1, H)
        loss = cross_entropy(self.read_out(states), torch.from_numpy(targets), reduction="sum")
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss, last


class LayerTraining(Training):
    """`nn.RNN` on one-hot input."""

    def make_recurrent(self, parameters: Parameters) -> dict[str, Tensor]:
        hidden, tokens = parameters["W_ih"].shape
        self.one_hot = torch.eye(tokens)  # (V, V)
        self.layer = nn.RNN(tokens, hidden)
        weights = dict(self.layer.named_parameters())
        # The layer has a second bias; two of them would learn twice as fast as one.
        nn.init.zeros_(weights.pop("bias_hh_l0")).requires_grad_(False)
        named = {"W_ih": weights["weight_ih_l0"], "W_hh": weights["weight_hh_l0"], "b_h": weights["bias_ih_l0"]}
        for name, weight in named.items():
            _set(weight, parameters[name])
        return dict(named)

    def run(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        states, last = self.layer(self.one_hot[inputs], self.state)  # (n, H), (1, H)
        return states, last


class UnrolledTraining(Training):
    """The recurrence written out, on columns of W_ih that are looked up instead of multiplied."""

    def make_recurrent(self, parameters: Parameters) -> dict[str, Tensor]:
        self.columns = _tensor(parameters["W_ih"].T).requires_grad_()  # (V, H)
        self.W_hh = _tensor(parameters["W_hh"]).requires_grad_()  # (H, H)
        self.b_h = _tensor(parameters["b_h"]).requires_grad_()  # (H,)
        return {"W_ih": self.columns, "W_hh": self.W_hh, "b_h": self.b_h}

    def run(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        projected = embedding(inputs, self.columns) + self.b_h  # (n, H)
        transposed = self.W_hh.t()  # (H, H)
        states = [self.state]  # n+1 of (1, H)
        for row in torch.split(projected, 1):  # (1, H)
            states.append(torch.addmm(row, states[-1], transposed).tanh())
        return torch.cat(states[1:]), states[-1]

    def in_engine_shape(self, name: str, tensor: Tensor) -> Array:
        found = super().in_engine_shape(name, tensor)
        return found.T if name == "W_ih" else found


class BatchedAutograd:
    """Itemizes one window by autograd: the gradients of all losses with respect to all pre-activations in one call."""

    def __init__(self, parameters: Parameters, inputs: Tokens, targets: Tokens, state: NDArray[np.floating]) -> None:
        p = {name: _tensor(array).requires_grad_() for name, array in parameters.items()}
        projected = embedding(torch.from_numpy(inputs), p["W_ih"].t()) + p["b_h"]  # (n, H)
        transposed = p["W_hh"].t()  # (H, H)
        states = [_tensor(state)[None]]  # n+1 of (1, H)
        self.pre_activations = []  # n of (1, H)
        for row in torch.split(projected, 1):
            self.pre_activations.append(torch.addmm(row, states[-1], transposed))
            states.append(self.pre_activations[-1].tanh())
        logits = linear(torch.cat(states[1:]), p["W_ho"], p["b_o"])  # (n, V)
        self.losses = cross_entropy(logits, torch.from_numpy(targets), reduction="none")  # (n,)
        self.before = torch.cat(states[:-1]).detach()  # (n, H)
        self.eye = torch.eye(len(inputs))  # (n, n)

    def norms(self) -> Tensor:
        """Return ``‖G_{t,j}‖`` at [j, t], (n, n)."""
        deltas = torch.autograd.grad(
            self.losses, self.pre_activations, grad_outputs=self.eye, is_grads_batched=True, retain_graph=True
        )  # n of (n, 1, H): of every loss, with respect to one pre-activation
        lengths = torch.linalg.vector_norm(torch.cat(deltas, dim=1), dim=2)  # (n, n): at [t, j]
        return torch.mul(lengths.t(), torch.linalg.vector_norm(self.before, dim=1, keepdim=True))


def _tensor(array: NDArray[np.floating]) -> Tensor:
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float32)


def _set(parameter: Tensor, array: NDArray[np.floating]) -> None:
    with torch.no_grad():
        parameter.copy_(_tensor(array))

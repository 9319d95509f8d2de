"""The same network in PyTorch, eager and on the CPU, in float32."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
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
    """Trains a network with a linear read-out by Adagrad. Subclasses own the recurrent part."""

    def __init__(self, parameters: Parameters, learning_rate: float, clip_value: float) -> None:
        outputs, hidden = parameters["W_ho"].shape
        self.read_out = nn.Linear(hidden, outputs)
        _set(self.read_out.weight, parameters["W_ho"])
        _set(self.read_out.bias, parameters["b_o"])
        self.state = torch.zeros(1, hidden)  # (1, H); of an LSTM (2, 1, H): h and c
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
        """Return h (n, H) of all steps and the last state, like `state`, for tokens (n,)."""

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
        loss.backward()
        return loss, last


class LayerTraining(Training):
    """The module of a cell, `nn.RNN`, `nn.LSTM` or `nn.GRU`, on one-hot input."""

    def __init__(self, parameters: Parameters, learning_rate: float, clip_value: float, cell: str = "tanh") -> None:
        self.cell = cell
        super().__init__(parameters, learning_rate, clip_value)

    def make_recurrent(self, parameters: Parameters) -> dict[str, Tensor]:
        (rows, tokens), hidden = parameters["W_ih"].shape, parameters["W_hh"].shape[1]
        self.one_hot = torch.eye(tokens)  # (V, V)
        self.layer = _MODULES[self.cell](tokens, hidden)
        weights = dict(self.layer.named_parameters())
        named = {"W_ih": weights["weight_ih_l0"], "W_hh": weights["weight_hh_l0"], "b_h": weights["bias_ih_l0"]}
        for name, weight in named.items():
            _set(weight, parameters[name])
        # The layer has a second bias; two that add would learn twice as fast as one. Only a GRU's last block differs.
        second = nn.init.zeros_(weights["bias_hh_l0"])
        if "b_hn" in parameters:
            _set(second[-hidden:], parameters["b_hn"])
            adds = torch.arange(rows) < rows - hidden  # (3·H,)
            second.register_hook(lambda gradient: gradient.masked_fill(adds, 0))
            named["b_hn"] = weights["bias_hh_l0"]
        else:
            second.requires_grad_(False)
        if self.cell == "lstm":
            self.state = torch.stack([self.state, self.state])
        return dict(named)

    def run(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        if self.cell == "lstm":
            states, last = self.layer(self.one_hot[inputs], (self.state[0], self.state[1]))  # (n, H), 2 of (1, H)
            return states, torch.stack(last)
        states, last = self.layer(self.one_hot[inputs], self.state)  # (n, H), (1, H)
        return states, last

    def in_engine_shape(self, name: str, tensor: Tensor) -> Array:
        found = super().in_engine_shape(name, tensor)
        return found[-len(found) // 3 :] if name == "b_hn" else found


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
    """Itemizes one window by autograd: the gradients of all losses with respect to all ``W_hh h`` in one call."""

    def __init__(
        self,
        parameters: Parameters,
        inputs: Tokens,
        targets: Tokens,
        state: NDArray[np.floating],
        cell: str = "tanh",
    ) -> None:
        p = {name: _tensor(array).requires_grad_() for name, array in parameters.items()}
        projected = embedding(torch.from_numpy(inputs), p["W_ih"].t()) + p["b_h"]  # (n, gates·H)
        transposed = p["W_hh"].t()  # (H, gates·H)
        hidden, none = len(transposed), torch.zeros(0)
        states = [_tensor(state)[None]]  # n+1 of (1, S)
        self.recurrent = []  # n of (1, gates·H)
        for row in torch.split(projected, 1):
            self.recurrent.append(torch.mm(states[-1][:, :hidden], transposed))
            states.append(_STEPS[cell](row, self.recurrent[-1], states[-1], p.get("b_hn", none)))
        every = torch.cat(states)[:, :hidden]  # (n+1, H)
        logits = linear(every[1:], p["W_ho"], p["b_o"])  # (n, V)
        self.losses = cross_entropy(logits, torch.from_numpy(targets), reduction="none")  # (n,)
        self.before = every[:-1].detach()  # (n, H)
        self.eye = torch.eye(len(inputs))  # (n, n)

    def norms(self) -> Tensor:
        """Return ``‖G_{t,j}‖`` at [j, t], (n, n)."""
        deltas = torch.autograd.grad(
            self.losses, self.recurrent, grad_outputs=self.eye, is_grads_batched=True, retain_graph=True
        )  # n of (n, 1, gates·H): of every loss, with respect to one step
        lengths = torch.linalg.vector_norm(torch.cat(deltas, dim=1), dim=2)  # (n, n): at [t, j]
        return torch.mul(lengths.t(), torch.linalg.vector_norm(self.before, dim=1, keepdim=True))


def _elman(entering: Tensor, recurrent: Tensor, state: Tensor, b_hn: Tensor) -> Tensor:
    return torch.tanh(entering + recurrent)


def _rectified(entering: Tensor, recurrent: Tensor, state: Tensor, b_hn: Tensor) -> Tensor:
    return torch.relu(entering + recurrent)


def _lstm(entering: Tensor, recurrent: Tensor, state: Tensor, b_hn: Tensor) -> Tensor:
    i, f, g, o = (entering + recurrent).chunk(4, dim=1)
    c = torch.sigmoid(f) * state.chunk(2, dim=1)[1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.cat([torch.sigmoid(o) * torch.tanh(c), c], dim=1)


def _gru(entering: Tensor, recurrent: Tensor, state: Tensor, b_hn: Tensor) -> Tensor:
    (q_r, q_z, q_n), (s_r, s_z, s_n) = entering.chunk(3, dim=1), recurrent.chunk(3, dim=1)
    z = torch.sigmoid(q_z + s_z)
    n = torch.tanh(q_n + torch.sigmoid(q_r + s_r) * (s_n + b_hn))
    return n + z * (state - n)


# From what enters (1, gates·H), W_hh h (1, gates·H), the state before (1, S) and b_hn, if any, to the state after.
_STEPS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "tanh": _elman,
    "relu": _rectified,
    "lstm": _lstm,
    "gru": _gru,
}
_MODULES: dict[str, Callable[[int, int], nn.RNNBase]] = {
    "tanh": nn.RNN,
    "relu": partial(nn.RNN, nonlinearity="relu"),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


def _tensor(array: NDArray[np.floating]) -> Tensor:
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float32)


def _set(parameter: Tensor, array: NDArray[np.floating]) -> None:
    with torch.no_grad():
        parameter.copy_(_tensor(array))

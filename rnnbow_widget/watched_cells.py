"""Takes passes of loops over `torch.nn.RNNCell`, `LSTMCell` and `GRUCell`: many calls are one window.

A window is a chain of calls, each of which takes the very state that the one before gave out. It ends where a call
takes another: none, or one that was detached.

What arrives at an output comes from two sides: from the next call, which is what itemizing follows, and from everything
else, which is the loss of that step. Autograd tells only their sum; nodes of the graph that lie inside the next call
tell what comes from there. All of it is read; nothing is put into the graph, since that could change the order in
which gradients are added up.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch.autograd.graph import register_multi_grad_hook

from .watched_pass import Pass, Watcher, in_half_precision

KINDS = (torch.nn.RNNCell, torch.nn.LSTMCell, torch.nn.GRUCell)
_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_MOST_NODES = 300  # of the graph that are looked at between two calls

_CHANGED = (
    "a call takes a state that was made from the one before, or from an earlier one; only loops in which each call "
    "takes the very state that the call before gave out are itemized"
)
_BY_INPUT = "a state goes into a call as its input, too; what comes back by either way cannot be told apart"
_AT_C = "gradients arrive at c from elsewhere than the cell; only those that arrive at h are itemized"

_Place = tuple[int, int]
"""Which call, and which of the states that it gave out: 0 for h, 1 for c."""


class _Window:
    """What has been taken of a loop so far. It refers to no node of the graph, whose hooks refer to it."""

    def __init__(self, step: int, states: tuple[torch.Tensor | None, ...], streams: int) -> None:
        self.half = False
        self.step = step
        self.states = states
        self.streams = streams
        self.inputs: list[torch.Tensor] = []  # (b, V) of each call
        self.outputs: list[torch.Tensor] = []  # (b, H)
        self.given: list[tuple[weakref.ref[torch.Tensor], ...]] = []
        self.inside: dict[_Place, torch.Tensor] = {}  # (b, H): what came from inside the cell, of what is to arrive
        self.elsewhere: dict[_Place, torch.Tensor] = {}  # (b, H): what arrived but for that
        self.handles: list[Any] = []

    def end(self) -> None:
        """Remove all hooks."""
        for handle in self.handles:
            handle.remove()
        self.handles = []


class WatchedCells:
    """A cell, loops over which are taken; see `Source`.

    Parameters
    ----------
    module : torch.nn.RNNCell, torch.nn.LSTMCell or torch.nn.GRUCell
        Which.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.cell = "gru" if isinstance(module, torch.nn.GRUCell) else getattr(module, "nonlinearity", "lstm")
        self.output_width: int = module.hidden_size
        self._watcher: Watcher
        self._hook: Any = None
        self._window: _Window | None = None  # the newest that was taken, until its gradients have come
        self._grows = False  # whether further calls may belong to it
        self._last: tuple[weakref.ref[torch.Tensor], ...] = ()  # what the last call gave out

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the weights by the names that a layer's have."""
        found = {name: getattr(self.module, name) for name in _NAMES}
        return {name + "_l0": weight for name, weight in found.items() if weight is not None}

    def attach(self, watcher: Watcher) -> None:
        """Begin to hand over windows."""
        self._watcher = watcher
        self._hook = self.module.register_forward_hook(self._on_call, with_kwargs=True)

    def detach(self) -> None:
        """Remove all hooks."""
        self._hook.remove()
        self._window = None

    def classes(self, given: Any) -> torch.Tensor:
        """Return classes (n, B) from those of the steps, (n, B), or (n,) of one sequence."""
        return given[:, None] if given.ndim == 1 else given  # type: ignore[no-any-return]

    def _on_call(self, _: Any, args: Any, kwargs: Any, output: Any) -> None:
        if not torch.is_grad_enabled():
            return
        states = output if isinstance(output, tuple) else (output,)
        if not states[0].requires_grad:
            return
        given = dict(zip(("input", "hx"), args, strict=False)) | kwargs
        hx = given.get("hx")
        before = hx if isinstance(hx, tuple) else (hx,)
        guarded = self._watcher.guarded
        if not self._follows(before):
            step = self._watcher.begin()
            if step is not None or self._window is not None:
                guarded(partial(self._change, step, given["input"], before))
        if self._window is not None and self._grows:
            guarded(partial(self._take, self._window, given["input"], before, states))
        self._last = tuple(weakref.ref(state) for state in states)

    def _follows(self, before: Sequence[torch.Tensor | None]) -> bool:
        """Whether a call takes what the last one gave out, not detached."""
        return len(before) == len(self._last) and all(
            one is not None and one is last() and one.grad_fn is not None
            for one, last in zip(before, self._last, strict=True)
        )

    def _change(self, step: int | None, x: torch.Tensor, before: tuple[torch.Tensor | None, ...]) -> None:
        """Go on to another window, to be taken if it has a number."""
        earlier = [self._last] if self._window is None else self._window.given
        if _made_from(before, [own for refs in earlier for ref in refs if (own := ref()) is not None]):
            raise ValueError(_CHANGED)
        self._grows = step is not None
        if step is not None:
            states = tuple(None if one is None else self._kept(one)[None] for one in before)  # (1, b, H)
            self._window = _Window(step, states, len(x) if x.ndim == 2 else 1)

    def _take(
        self,
        window: _Window,
        x: torch.Tensor,
        before: Sequence[torch.Tensor | None],
        states: Sequence[torch.Tensor],
    ) -> None:
        """Take a call, and see to it that its gradients are read when they come."""
        call = len(window.inputs)
        window.inputs.append(self._kept(x))
        window.outputs.append(self._kept(states[0]))
        window.half |= in_half_precision(states[0])
        window.given.append(tuple(weakref.ref(state) for state in states))
        places = {_edge(state): (call, kind) for kind, state in enumerate(states)}
        taken = [state for state in before if state is not None]
        if call:
            places |= {_edge(state): (call - 1, kind) for kind, state in enumerate(taken)}
        if x.grad_fn is not None and _edge(x) in places:
            raise ValueError(_BY_INPUT)
        for node in _inside(states, {one.grad_fn for one in (x, *taken)}):
            for number, edge in enumerate(node.next_functions):
                if edge in places:
                    window.handles.append(node.register_hook(partial(self._come, window, places[edge], number)))
        for kind, state in enumerate(states):
            hook = partial(self._arrive, window, (call, kind))
            window.handles.append(state.register_hook(hook))
        if call == 0:  # what comes to it comes last
            window.handles.append(register_multi_grad_hook(tuple(states), partial(self._end, window)))

    def _come(self, window: _Window, place: _Place, number: int, inputs: Any, _: Any) -> None:
        """Note what comes to a state from inside the cell, added up in the order in which autograd does."""

        def note() -> None:
            own = self._kept(inputs[number])
            window.inside[place] = window.inside[place] + own if place in window.inside else own

        if inputs[number] is not None:
            self._watcher.guarded(note)

    def _arrive(self, window: _Window, place: _Place, gradient: torch.Tensor) -> None:
        """Note what arrives at a state from elsewhere."""

        def note() -> None:
            whole, inside = self._kept(gradient), window.inside.pop(place, None)
            # Where nothing comes from elsewhere, both are the same terms in the same order: exactly 0 remains.
            window.elsewhere[place] = whole if inside is None else whole - inside

        self._watcher.guarded(note)

    def _kept(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a copy of the sequences that are itemized, (b, …)."""
        whole = tensor.detach() if tensor.ndim == 2 else tensor.detach()[None]
        return whole[: self._watcher.streams].clone()

    def _end(self, window: _Window, _: Any) -> None:
        """Hand over a window, to whose first call the gradients have come."""
        window.end()
        if window is self._window:
            self._window = None
        self._watcher.guarded(lambda: self._watcher.record(window.step, _whole(window)))


def _whole(window: _Window) -> Pass:
    """Return a window to which the gradients have come."""
    outputs = torch.stack(window.outputs)  # (n, b, H)
    entering = torch.zeros_like(outputs)
    for (call, kind), gradient in window.elsewhere.items():
        if kind == 0:
            entering[call] = gradient
        elif bool(gradient.any()):
            raise ValueError(_AT_C)
    return Pass(torch.stack(window.inputs), outputs, entering, window.states, None, window.streams, window.half)


def _edge(tensor: torch.Tensor) -> tuple[Any, int]:
    """Where gradients of a tensor go, as nodes name it."""
    return tensor.grad_fn, tensor.output_nr


def _inside(states: Sequence[torch.Tensor], borders: set[Any]) -> Iterator[Any]:
    """Yield the nodes of the graph from what a call gave out down to what it took."""
    waiting, seen = [state.grad_fn for state in states], set[Any]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen or node in borders:
            continue
        seen.add(node)
        yield node
        waiting += [below for below, _ in node.next_functions]


def _made_from(tensors: Sequence[torch.Tensor | None], known: Sequence[torch.Tensor]) -> bool:
    """Whether tensors were made from others, as far as few operations lie between them."""
    sought = {own.grad_fn for own in known if own.grad_fn is not None}
    waiting, seen = [one.grad_fn for one in tensors if one is not None], set[Any]()
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.pop(0)
        if node in sought:
            return True
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [below for below, _ in node.next_functions]
    return False

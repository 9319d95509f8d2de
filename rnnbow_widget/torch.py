"""Watches recurrent layers of PyTorch while a loop of one's own trains them. Imports PyTorch; nothing else does.

A watched step costs what is itemized; any other costs a call that counts. Nothing of the user's is changed: hooks only
read, and no chance is drawn from PyTorch's or numpy's own generators.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from torch.autograd.graph import register_multi_grad_hook
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from .blas_threads import one_thread
from .checks import positive_int
from .exchange import cell_name, refuse_what_is_unknown, weights_of
from .foreign import ForeignLayers, Lengths
from .itemizer import TOLERANCES, Itemizer
from .parameters import Array, Tokens
from .run import MEMORY_LIMIT, Run
from .running_median import RunningMedian

_LOG = logging.getLogger("rnnbow_widget")
_HALF_TOLERANCE = 5e-2  # of outputs with 8 or 11 bits, after many steps


class WatchWarning(UserWarning):
    """Something cannot be watched. The training loop goes on as if nothing had been watching."""


def watch(
    module: torch.nn.Module,
    every: int = 100,
    horizon: int | None = None,
    *,
    streams: int = 1,
    surfaces: Sequence[str] | None = None,
    head: torch.nn.Linear | None = None,
    targets: Callable[[], torch.Tensor] | None = None,
    vocabulary: Sequence[str] = (),
    name: str = "",
    memory_limit: float = MEMORY_LIMIT,
    save: str | PathLike[str] | None = None,
) -> Watch:
    """Itemize the gradients of a recurrent module while a loop of one's own trains it.

    Of every so many forward passes that autograd records, the inputs, the outputs and the gradient that arrives at the
    outputs are taken, and itemized outside autograd. It enters by step: what arrives at output t counts as the loss of
    step t, whatever the head makes of the outputs. The loss is the user's own, as it is: if it is a mean over steps,
    gradients are by so much smaller than those of a sum. It is taken as a mean over the B sequences of a batch: a
    sequence's own snapshot has B times its part of the gradient, and the average of all B the gradient as it is.

    Parameters
    ----------
    module : torch.nn.Module
        A `torch.nn.RNN`, `torch.nn.LSTM` or `torch.nn.GRU`, or a module that has one such part, such as one wrapped in
        ``DistributedDataParallel``.
    every : int
        Recording interval, in forward passes of the module in which gradients are wanted.
    horizon : int, optional
        Lags that are kept; by default all.
    streams : int
        How many sequences of a batch are itemized, the first ones: time and memory grow with them.
    surfaces : sequence of str, optional
        Names of the gradients that are recorded; see `Surfaces.parse`. By default W_hh of every layer and direction.
    head : torch.nn.Linear, optional
        What makes logits of the outputs, so that predictions can be shown.
    targets : callable, optional
        Called in the backward pass of a watched step; returns the classes of the batch, in the layout of the outputs:
        (n, B), (B, n) of a module with ``batch_first``, (n,) of one sequence; of packed sequences padded or packed.
        Negative ones stand for none, as for PyTorch's ``ignore_index``.
    vocabulary : sequence of str
        What classes are called; by default their numbers, if there is a head.
    name : str
        What the data is called.
    memory_limit : float
        Bytes that the run may take; see `Run`.
    save : str or path, optional
        File that the run is written to as it grows; see `Run.keep_saving`.

    Returns
    -------
    Watch
        Whose ``run`` is what `RNNbow` shows, also while it grows.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above, or the module has something that cannot be itemized: a projected state,
        dropout between layers, parametrized weights. The message says what and why.
    """
    return Watch(
        module,
        every,
        horizon,
        streams=streams,
        surfaces=surfaces,
        head=head,
        targets=targets,
        vocabulary=vocabulary,
        name=name,
        memory_limit=memory_limit,
        save=save,
    )


class Watch:
    """What `watch` returns: also a context manager, at whose end watching ends.

    Attributes
    ----------
    run : Run
        What was recorded.
    steps : int
        Forward passes that were counted.
    trouble : str
        Why watching has ended by itself; empty if it has not.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        every: int,
        horizon: int | None,
        *,
        streams: int,
        surfaces: Sequence[str] | None,
        head: torch.nn.Linear | None,
        targets: Callable[[], torch.Tensor] | None,
        vocabulary: Sequence[str],
        name: str,
        memory_limit: float,
        save: str | PathLike[str] | None,
    ) -> None:
        self._module = _recurrent(module)
        self._every = positive_int("every", every)
        self._streams = positive_int("streams", streams)
        outputs = self._module.hidden_size * (2 if self._module.bidirectional else 1)
        if head is not None and not isinstance(head, torch.nn.Linear):
            raise TypeError(f"head takes a torch.nn.Linear, got {type(head).__name__}")
        if head is not None and head.in_features != outputs:
            raise ValueError(f"head takes in_features={outputs}, what module gives out; got {head.in_features}")
        if targets is not None and not callable(targets):
            raise TypeError(f"targets takes a function that returns a batch's classes, got {type(targets).__name__}")
        if head is not None and not vocabulary:
            vocabulary = tuple(map(str, range(head.out_features)))
        if head is not None and len(vocabulary) != head.out_features:
            raise ValueError(f"vocabulary takes a name for each of {head.out_features} classes, got {len(vocabulary)}")
        if targets is not None and not vocabulary:
            raise ValueError("vocabulary takes names of the classes that targets has, if there is no head")
        self._head, self._targets = head, targets
        self._double = self._module.weight_hh_l0.dtype == torch.float64
        self._itemizer = Itemizer(
            ForeignLayers(cell_name(self._module), self._weights()),
            horizon=horizon,
            surfaces=surfaces,
            vocabulary=vocabulary,
            name=name or type(module).__name__,
            streams=self._streams,
            memory_limit=memory_limit,
            record_every=self._every,
        )
        self.run: Run = self._itemizer.run
        if save is not None:
            self.run.keep_saving(save, argument="save")
        self.steps = 0
        self.trouble = ""
        self._spent = 0.0
        self._plain = RunningMedian()  # seconds of steps in which nothing is recorded
        self._begun: tuple[float, float] | None = None  # when the last step began, and what was spent until then
        self._hook: Any = self._module.register_forward_hook(self._on_forward, with_kwargs=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Watch({self._module}, {self.steps:,} steps, {len(self.run):,} recorded, overhead {self.overhead:.2%})"

    def close(self) -> None:
        """Remove the hooks; the run stays, and what it is saved to is complete."""
        self._hook.remove()
        if self.run.writer:
            self.run.writer.flush("idle")

    @property
    def overhead(self) -> float:
        """Share of the loop's time that recording took so far; NaN before it can be told.

        It is compared with the typical time from one forward pass to the next where nothing is recorded.
        """
        plain = self._plain.value * self.steps
        return self._spent / (self._spent + plain)

    def _weights(self) -> dict[str, Array]:
        return {name: self._array(tensor) for name, tensor in weights_of(self._module).items()}

    def _array(self, tensor: torch.Tensor) -> Array:
        """Return the numbers of a tensor, for reading: a view where that is possible."""
        found: Array = tensor.detach().to("cpu", torch.float64 if self._double else torch.float32).numpy()
        return found

    def _on_forward(self, module: torch.nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if not torch.is_grad_enabled():
            return
        step, self.steps = self.steps, self.steps + 1
        if self.run.writer:
            self.run.writer.tick("training")
        place = step % self._every
        if place and place != self._every - 1:
            return
        now = perf_counter()
        if self._begun is not None and not place:
            begun, spent = self._begun
            self._plain.extend([now - begun - (self._spent - spent)])
        self._begun = None
        if not place:
            self._guarded(partial(self._take, step, args, kwargs, output), now)
        if place == self._every - 1:
            self._begun = now, self._spent - (perf_counter() - now)

    def _take(self, step: int, args: Any, kwargs: Any, output: Any) -> None:
        """Keep what a pass was made of until its gradients arrive."""
        if self._module.training and self._module.dropout and self._module.num_layers > 1:
            raise ValueError(_DROPOUT)
        given = dict(zip(("input", "hx"), args, strict=False)) | kwargs
        outputs, after = output
        data = outputs.data if isinstance(outputs, PackedSequence) else outputs
        after = after if isinstance(after, tuple) else (after,)
        if not data.requires_grad:
            return
        before = given.get("hx")
        before = before if isinstance(before, tuple) else (before,)
        taken = _Taken(
            step,
            _detached(given["input"]),
            tuple(None if one is None else one.detach() for one in before),
            _detached(outputs),
        )
        handle: list[Any] = []

        def arrived(gradients: Sequence[torch.Tensor | None]) -> None:
            # In a second pass back through the same graph there is nothing left to do.
            for own in handle:
                own.remove()
            self._guarded(partial(self._record, taken, gradients), perf_counter())

        handle.append(register_multi_grad_hook((data, *after), arrived))

    def _guarded(self, work: Callable[[], None], since: float) -> None:
        """Do our own work, so that no failure of it reaches the user's loop, and add up its time."""
        try:
            with torch.no_grad(), one_thread():
                work()
        except Exception as error:
            self._fail(error)
        finally:
            self._spent += perf_counter() - since

    def _fail(self, error: Exception) -> None:
        self.close()
        if self.trouble:
            return
        self.trouble = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        _LOG.debug("watching has ended", exc_info=error)
        message = f"{type(self._module).__name__} is watched no more, and training goes on: {self.trouble}"
        try:
            warnings.warn(message, WatchWarning, stacklevel=2)
        except WatchWarning:  # who makes errors of warnings does not want training to end here
            _LOG.warning(message)

    def _record(self, taken: _Taken, gradients: Sequence[torch.Tensor | None]) -> None:
        """Itemize a pass whose gradients have arrived."""
        steps_first = partial(_steps_first, batch_first=self._module.batch_first)
        outputs, lengths = steps_first(taken.outputs)  # (n, B, D·H)
        inputs, _ = steps_first(taken.inputs)  # (n, B, V)
        at_data, *at_states = gradients
        if at_data is None:
            entering = torch.zeros_like(outputs)
        elif isinstance(taken.outputs, PackedSequence):
            entering, _ = steps_first(taken.outputs._replace(data=at_data.detach()))
        else:
            entering, _ = steps_first(at_data.detach())
        streams = outputs.shape[1]
        kept = min(streams, self._streams)
        at_outputs = self._array(entering[:, :kept]).copy()  # (n, b, D·H)
        ends = np.full(kept, len(outputs)) if lengths is None else lengths.numpy()[:kept]
        self._enter_by_states(at_outputs, at_states, ends)
        layers = self._itemizer.layers
        layers.take(self._weights())
        state = layers.state(*self._states(taken.states, kept), kept)  # (b, S_all)
        own = self._array(outputs[:, :kept])
        logits = None if self._head is None else self._logits(own)
        half = taken.outputs.data.dtype not in (torch.float32, torch.float64)
        self._itemizer.record(
            taken.step,
            self._array(inputs[:, :kept]),
            at_outputs * layers.rnn.dtype.type(streams),
            state,
            None if lengths is None else ends,
            self._classes(kept, lengths),
            logits,
            own,
            _HALF_TOLERANCE if half else TOLERANCES[layers.rnn.dtype.name],
        )
        self.run.overhead = self.overhead

    def _enter_by_states(self, at_outputs: Array, at_states: Sequence[torch.Tensor | None], ends: Lengths) -> None:
        """Add what arrives at h_n of the top layer, which is an output too, to that at the outputs, (n, b, D·H)."""
        kept, size = at_outputs.shape[1], self._module.hidden_size
        directions = at_outputs.shape[2] // size
        for place, gradient in enumerate(at_states):
            if gradient is None:
                continue
            whole = gradient.detach().reshape(len(gradient), -1, size)  # (L·D, B, H)
            below = whole[:-directions] if place == 0 else whole
            if bool(below.any()):
                raise ValueError(_AT_STATES)
            if place == 0:
                found = self._array(whole[-directions:, :kept])  # (D, b, H)
                at_outputs[ends - 1, np.arange(kept), :size] += found[0]
                if directions == 2:
                    at_outputs[0, :, size:] += found[1]

    def _states(self, states: tuple[torch.Tensor | None, ...], kept: int) -> tuple[Array | None, Array | None]:
        """Return h_0 and c_0, arrays (L·D, b, H), or None for zeros."""
        found: list[Array | None] = [
            None if one is None else self._array(one.reshape(len(one), -1, self._module.hidden_size)[:, :kept])
            for one in states
        ]
        return found[0], found[1] if len(found) == 2 else None

    def _logits(self, outputs: Array) -> Array:
        """Return what the head makes of outputs: array (n, b, O)."""
        assert self._head is not None
        found: Array = outputs @ self._array(self._head.weight).T
        return found if self._head.bias is None else found + self._array(self._head.bias)

    def _classes(self, kept: int, lengths: torch.Tensor | None) -> Tokens | None:
        """Return the classes of the batch, int array (n, b)."""
        if self._targets is None:
            return None
        given = self._targets()
        if isinstance(given, PackedSequence):
            given = pad_packed_sequence(given, padding_value=-1)[0]
        elif given.ndim == 1:
            given = given[:, None]
        elif self._module.batch_first:
            given = given.transpose(0, 1)
        found: Tokens = given[:, :kept].detach().cpu().numpy()
        if found.dtype.kind not in "iu" or found.ndim != 2:
            raise ValueError(f"targets takes classes, whole numbers for each step; got {given.dtype} {given.shape}")
        if found.max(initial=0) >= len(self.run.vocabulary):
            raise ValueError(f"targets takes classes below {len(self.run.vocabulary)}, got {found.max()}")
        return found


@dataclass(frozen=True)
class _Taken:
    """What a forward pass was made of: detached, not copied."""

    step: int
    inputs: torch.Tensor | PackedSequence
    states: tuple[torch.Tensor | None, ...]  # h_0, or h_0 and c_0
    outputs: torch.Tensor | PackedSequence


_DROPOUT = (
    "dropout between the layers draws other numbers in every pass, so that the pass cannot be worked out again; "
    "with dropout=0, or in eval mode, it can"
)
_AT_STATES = (
    "gradients arrive at h_n of a lower layer, or at c_n; only those that arrive at the outputs, and at h_n of the top "
    "layer, are itemized"
)


def _recurrent(module: torch.nn.Module) -> Any:
    """Return the recurrent part of a module."""
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module takes a torch.nn.RNN, LSTM or GRU, or a module that has one; got {module!r}")
    kinds = (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU)
    found = [(name, part) for name, part in module.named_modules() if isinstance(part, kinds)]
    if len(found) != 1:
        names = f"has {', '.join(name for name, _ in found)}: name one" if found else "has none"
        raise TypeError(
            f"module takes a torch.nn.RNN, LSTM or GRU, or a module that has one; this {type(module).__name__} {names}"
        )
    part = found[0][1]
    refuse = [kind for kind in kinds if isinstance(part, kind) and type(part).forward is not kind.forward]
    if refuse:
        raise TypeError(
            f"module takes a {refuse[0].__name__} as PyTorch has it; {type(part).__name__} runs differently"
        )
    if part.dropout and part.num_layers > 1:
        raise ValueError(f"module takes one without dropout: {_DROPOUT}")
    if parametrize.is_parametrized(part):
        raise ValueError("module takes one without parametrized weights: to read those may change them")
    if part.proj_size:
        refuse_what_is_unknown(part)
    return part


def _detached(given: torch.Tensor | PackedSequence) -> Any:
    return given._replace(data=given.data.detach()) if isinstance(given, PackedSequence) else given.detach()


def _steps_first(given: torch.Tensor | PackedSequence, batch_first: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return an array (n, B, …), and of packed sequences their lengths."""
    if isinstance(given, PackedSequence):
        return pad_packed_sequence(given)
    if given.ndim == 2:
        return given[:, None], None
    return (given.transpose(0, 1) if batch_first else given), None

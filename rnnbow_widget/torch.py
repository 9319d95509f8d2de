"""Watches recurrent layers of PyTorch while a loop of one's own trains them. Imports PyTorch; nothing else does.

A watched step costs what is itemized; any other costs a call that counts. Nothing of the user's is changed: hooks only
read, and no chance is drawn from PyTorch's or numpy's own generators.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from os import PathLike
from time import perf_counter
from types import TracebackType
from typing import Self

import torch
from torch.nn.utils import parametrize

from .blas_threads import one_thread
from .checks import as_names, instance, shown, whole_number
from .foreign import ForeignLayers
from .itemizer import TOLERANCES, Itemizer
from .parameters import Array, Tokens
from .records import MEMORY_LIMIT
from .run import Run
from .running_median import RunningMedian
from .watched_cells import KINDS as CELLS
from .watched_cells import WatchedCells
from .watched_layers import KINDS as LAYERS
from .watched_layers import WatchedLayers
from .watched_pass import Pass, Source

_LOG = logging.getLogger("rnnbow_widget")
_HALF_TOLERANCE = 5e-2  # of outputs with 8 or 11 bits, after many steps


class WatchWarning(UserWarning):
    """Something cannot be watched. The training loop goes on as if nothing had been watching.

    Examples
    --------
    >>> import warnings
    >>> import torch
    >>> from rnnbow_widget.torch import watch
    >>> gru = torch.nn.GRU(3, 4, num_layers=2)
    >>> watching = watch(gru)
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     _, last = gru(torch.rand(6, 1, 3))
    ...     last.sum().backward()  # also of the lower layer's last state, which is not itemized
    >>> said[0].category.__name__, bool(watching.trouble)
    ('WatchWarning', True)
    """


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

    Examples
    --------
    >>> import torch
    >>> from rnnbow_widget.torch import watch
    >>> _ = torch.manual_seed(0)
    >>> lstm = torch.nn.LSTM(3, 4)
    >>> with watch(lstm, every=2) as watching:
    ...     for _ in range(4):
    ...         outputs, _ = lstm(torch.rand(6, 1, 3))
    ...         outputs.square().sum().backward()
    >>> watching.run.batches
    array([0, 2])
    """
    watching = Watch(
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
    watching.start()
    return watching


class Watch:
    """What `watch` returns: also a context manager, at whose end watching ends. For what it takes see `watch`.

    Attributes
    ----------
    run : Run
        What was recorded.
    steps : int
        Forward passes that were counted.
    trouble : str
        Why watching has ended by itself; empty if it has not.

    Examples
    --------
    >>> import torch
    >>> from rnnbow_widget.torch import watch
    >>> watching = watch(torch.nn.GRU(3, 4))
    >>> watching.close()
    >>> watching.steps, watching.trouble
    (0, '')
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
        self._source = _source_of(module)
        self._every = whole_number("every", every)
        self.streams = whole_number("streams", streams)
        outputs = self._source.output_width
        if head is not None and not isinstance(head, torch.nn.Linear):
            raise TypeError(f"head takes a torch.nn.Linear, got {type(head).__name__}")
        if head is not None and head.in_features != outputs:
            raise ValueError(f"head takes in_features={outputs}, what module gives out; got {head.in_features}")
        if targets is not None and not callable(targets):
            raise TypeError(f"targets takes a function that returns a batch's classes, got {type(targets).__name__}")
        vocabulary = as_names("vocabulary", vocabulary)
        if head is not None and not vocabulary:
            vocabulary = tuple(map(str, range(head.out_features)))
        if head is not None and len(vocabulary) != head.out_features:
            raise ValueError(f"vocabulary takes a name for each of {head.out_features} classes, got {len(vocabulary)}")
        if targets is not None and not vocabulary:
            raise ValueError("vocabulary takes names of the classes that targets has, if there is no head")
        self._head, self._targets = head, targets
        self._double = self._source.weights()["weight_hh_l0"].dtype == torch.float64
        self._itemizer = Itemizer(
            ForeignLayers(self._source.cell, self._weights()),
            horizon=horizon,
            surfaces=surfaces,
            vocabulary=vocabulary,
            name=instance("name", name, str) or type(module).__name__,
            streams=self.streams,
            memory_limit=memory_limit,
            record_every=self._every,
        )
        self.run: Run = self._itemizer.run
        self._save = save
        self._watches = False
        self.steps = 0
        self.trouble = ""
        self._spent = 0.0
        self._plain = RunningMedian()  # seconds of steps in which nothing is recorded
        self._begun: tuple[float, float] | None = None  # when the last step began, and what was spent until then

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        told = f"{self.steps:,} steps, {len(self.run):,} recorded, overhead {self.overhead:.2%}"
        return f"Watch({self._source.module}, {told})"

    def start(self) -> None:
        """Begin to watch, or go on; `watch` does so by itself. Of a distributed run only the process of rank 0 does."""
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        if self._watches or (distributed and torch.distributed.get_rank() != 0):
            return
        if self._save is not None and self.run.file is None:
            self.run.keep_saving(self._save, argument="save")
        self._source.attach(self)
        self._watches = True

    def close(self) -> None:
        """Remove the hooks; the run stays, and what it is saved to is complete.

        A pass whose gradients have not come by then is not recorded.
        """
        if self._watches:
            self._source.detach()
            self._watches = False
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
        return {name: self._array(tensor) for name, tensor in self._source.weights().items()}

    def _array(self, tensor: torch.Tensor) -> Array:
        """Return the numbers of a tensor, for reading: a view where that is possible."""
        found: Array = tensor.detach().to("cpu", torch.float64 if self._double else torch.float32).numpy()
        return found

    # What the source asks for.

    def begin(self) -> int | None:
        """Count a pass that begins; return its number if it is to be recorded."""
        step, self.steps = self.steps, self.steps + 1
        if self.run.writer:
            self.run.writer.tick("training")
        place = step % self._every
        if place and place != self._every - 1:
            return None
        now = perf_counter()
        if self._begun is not None and not place:
            begun, spent = self._begun
            self._plain.extend([now - begun - (self._spent - spent)])
        self._begun = (now, self._spent) if place == self._every - 1 else None
        return None if place else step

    def guarded(self, work: Callable[[], None]) -> None:
        """Do our own work, so that no failure of it reaches the user's loop, and add up its time."""
        if self.trouble or not self._watches:
            return
        since = perf_counter()
        try:
            with torch.no_grad():
                work()
        except Exception as error:
            self._fail(error)
        finally:
            self._spent += perf_counter() - since
            self.run.overhead = self.overhead

    def record(self, step: int, taken: Pass) -> None:
        """Itemize a pass whose gradients have arrived.

        Those of several passes that made one loss come in the opposite order: the last is recorded.

        Parameters
        ----------
        step : int
            What `begin` returned of it.
        taken : Pass
            What was taken.
        """
        if len(self.run) and step < self.run.batches[-1]:
            return
        kept = min(taken.streams, self.streams)
        layers = self._itemizer.layers
        layers.take(self._weights())
        inputs, own, at_outputs = (self._kept(one) for one in (taken.inputs, taken.outputs, taken.entering))
        h, c, *_ = *(None if one is None else self._kept(one) for one in taken.states), None  # (L·D, b, H) each
        state = layers.state(h, c, kept)  # (b, S_all)
        with one_thread():
            self._itemizer.record(
                step,
                inputs,
                at_outputs * layers.rnn.dtype.type(taken.streams),
                state,
                None if taken.lengths is None else taken.lengths.numpy()[:kept],
                self._classes(kept),
                None if self._head is None else self._logits(own),
                own,
                _HALF_TOLERANCE if taken.half else TOLERANCES[layers.rnn.dtype.name],
            )

    def _kept(self, tensor: torch.Tensor) -> Array:
        """Return the sequences that are itemized, array (…, b, W), of a tensor (…, B, W)."""
        return self._array(tensor[:, : self.streams])

    def _fail(self, error: Exception) -> None:
        self.close()
        if self.trouble:
            return
        self.trouble = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        _LOG.debug("watching has ended", exc_info=error)
        message = f"{type(self._source.module).__name__} is watched no more, and training goes on: {self.trouble}"
        try:
            warnings.warn(message, WatchWarning, stacklevel=2)
        except WatchWarning:  # who makes errors of warnings does not want training to end here
            _LOG.warning(message)

    def _logits(self, outputs: Array) -> Array:
        """Return what the head makes of outputs: array (n, b, O)."""
        assert self._head is not None
        found: Array = outputs @ self._array(self._head.weight).T
        return found if self._head.bias is None else found + self._array(self._head.bias)

    def _classes(self, kept: int) -> Tokens | None:
        """Return the classes of the batch, int array (n, b)."""
        if self._targets is None:
            return None
        given = self._source.classes(self._targets())[:, :kept].detach().cpu()
        found: Tokens = given.numpy()
        if found.dtype.kind not in "iu" or found.ndim != 2:
            raise ValueError(f"targets takes classes, whole numbers for each step; got {given.dtype} {found.shape}")
        if found.max(initial=0) >= len(self.run.vocabulary):
            raise ValueError(f"targets takes classes below {len(self.run.vocabulary)}, got {found.max()}")
        return found


def _source_of(module: torch.nn.Module) -> Source:
    """Return what takes the passes of the recurrent part of a module."""
    takes = "module takes a torch.nn.RNN, LSTM, GRU, RNNCell, LSTMCell or GRUCell, or a module that has one"
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"{takes}; got {shown(module)}")
    kinds = (*LAYERS, *CELLS)
    found = [(name, part) for name, part in module.named_modules() if isinstance(part, kinds)]
    if len(found) != 1:
        names = f"has {', '.join(name for name, _ in found)}: name one" if found else "has none"
        raise TypeError(f"{takes}; this {type(module).__name__} {names}")
    part = found[0][1]
    kind = next(kind for kind in kinds if isinstance(part, kind))
    if type(part).forward is not kind.forward:
        raise TypeError(f"module takes a {kind.__name__} as PyTorch has it; {type(part).__name__} runs differently")
    if parametrize.is_parametrized(part):
        raise ValueError("module takes one without parametrized weights: to read those may change them")
    return WatchedLayers(part) if isinstance(part, LAYERS) else WatchedCells(part)

"""Data that a person brings as arrays: one long stream, or independent sequences of one length."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .checks import array_of, labels
from .data import SEQ_LENGTH, Consecutive, Data, Windows, check_sizes, check_whole
from .parameters import Mask, Signal
from .window import Window, check_mask


class _Arrays(Data):
    """Data from arrays with `axes` axes of steps and sequences, and one more if they are vectors."""

    axes: ClassVar[int]
    default_name: ClassVar[str]

    def __init__(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        mask: ArrayLike | None = None,
        *,
        name: str | None = None,
        vocabulary: Sequence[str] | None = None,
        input_vocabulary: Sequence[str] | None = None,
    ) -> None:
        axes = self.axes
        self.inputs = _signal("inputs", inputs, axes)
        steps = self.inputs.shape[:axes]  # (N,) or (count, n)
        self.mask = None if mask is None else check_mask(mask, steps)
        self.targets = _signal("targets", targets, axes, self.mask)
        if self.targets.shape[:axes] != steps:
            raise ValueError(
                f"targets takes an entry for each step of inputs, shape {steps}, got shape {self.targets.shape}"
            )
        classes = _names("vocabulary", self.targets, vocabulary)
        tokens = _names("input_vocabulary", self.inputs, input_vocabulary)
        super().__init__(
            self.default_name if name is None else name,
            input_size=len(tokens) or self.inputs.shape[-1],
            output_size=len(classes) or self.targets.shape[-1],
            vocabulary=classes,
            input_vocabulary=tokens,
            length=int(np.prod(steps)),
        )

    def __repr__(self) -> str:
        arrays = {"inputs": self.inputs, "targets": self.targets}
        shapes = ", ".join(f"{name} {array.dtype.name} {array.shape}" for name, array in arrays.items())
        return f"{type(self).__name__}({self.name!r}, {shapes})"


class Stream(_Arrays):
    """One long stream, which training goes through in consecutive windows: the state is carried from one to the next.

    Parameters
    ----------
    inputs : int array (N,) or float array (N, V)
        Tokens from 0 on, or vectors.
    targets : int array (N,) or float array (N, O)
        Classes from 0 on, or vectors.
    mask : bool array (N,), optional
        Which steps have a loss; by default all. Targets of others are not looked at.
    name : str
        What to call it; by default "stream".
    vocabulary, input_vocabulary : sequence of str, optional
        What classes and input tokens are called; by default by their numbers.

    Raises
    ------
    TypeError, ValueError
        If an array is of another shape or kind.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnbow_widget import Stream, Trainer
    >>> wave = np.sin(np.arange(500) / 5)[:, None]  # (N, 1)
    >>> data = Stream(wave[:-1], wave[1:], name="wave")
    >>> data
    Stream('wave', inputs float64 (499, 1), targets float64 (499, 1))
    >>> Trainer(data, hidden_size=8, seq_length=20, seed=0).step().loss.shape
    (20,)
    """

    axes = 1
    default_name = "stream"
    usual_length = SEQ_LENGTH

    def windows(self, seq_length: int | None, batch_size: int, seed: int) -> Consecutive:
        """Return consecutive windows, of 25 steps unless told otherwise; see `Data`. Nothing is left to chance."""
        steps = SEQ_LENGTH if seq_length is None else seq_length
        check_sizes(steps, batch_size, len(self.inputs), self.name, "steps")
        return Consecutive(self.inputs, self.targets, self.mask, steps, batch_size)


class Sequences(_Arrays):
    """Independent sequences of one length: the network begins each of them with a zero state.

    Training goes through them in an order that is drawn anew for every pass.

    Parameters
    ----------
    inputs : int array (count, n) or float array (count, n, V)
        Tokens from 0 on, or vectors: one sequence after the other, as in PyTorch with ``batch_first=True``.
    targets : int array (count, n) or float array (count, n, O)
        Classes from 0 on, or vectors.
    mask : bool array (count, n), optional
        Which steps have a loss; by default all. Targets of others are not looked at.
    name : str
        What to call them; by default "sequences".
    vocabulary, input_vocabulary :
        As for `Stream`.

    Raises
    ------
    TypeError, ValueError
        If an array is of another shape or kind.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnbow_widget import Sequences, Trainer
    >>> coins = np.random.default_rng(0).integers(0, 2, (100, 12))  # (count, n)
    >>> parity = coins.cumsum(axis=1) % 2
    >>> last = np.zeros(coins.shape, bool)
    >>> last[:, -1] = True  # only the last step has a loss
    >>> data = Sequences(coins, parity, last, vocabulary=["even", "odd"])
    >>> Trainer(data, hidden_size=8, batch_size=4, seed=0).step().losses
    1.0
    """

    axes = 2
    default_name = "sequences"

    def windows(self, seq_length: int | None, batch_size: int, seed: int) -> Windows:
        """Return whole sequences, in an order that is left to chance; see `Data`."""
        count, steps = self.inputs.shape[:2]
        check_whole(seq_length, steps, self.name)
        if batch_size > count:
            raise ValueError(f"batch_size takes at most {count}, the sequences that there are; got {batch_size}")
        return _Shuffled(self, batch_size, seed)


class _Shuffled(Windows):
    """Windows of sequences; in every pass each comes at most once, and some not if they are no multiple of a batch."""

    def __init__(self, data: Sequences, batch_size: int, seed: int) -> None:
        count, self.seq_length = data.inputs.shape[:2]
        self.batch_size = batch_size
        self.per_epoch = self._count = count // batch_size
        self._data = data
        self._order = lru_cache(maxsize=2)(lambda epoch: np.random.default_rng((seed, epoch)).permutation(count))

    def __call__(self, batch: int) -> Window:
        epoch, place = divmod(batch, self._count)
        which = self._order(epoch)[place * self.batch_size : (place + 1) * self.batch_size]  # (B,)
        data = self._data
        arrays = [None if own is None else own[which].swapaxes(0, 1) for own in (data.inputs, data.targets, data.mask)]
        inputs, targets, mask = arrays
        assert inputs is not None
        assert targets is not None
        window = Window(inputs, targets, mask, (which * self.seq_length).tolist(), True)
        return window if self.batch_size > 1 else window.alone()


def _signal(name: str, values: ArrayLike, axes: int, mask: Mask | None = None) -> Signal:
    """Return tokens with so many axes, or vectors with one more; 0 where there is no loss."""
    array = array_of(name, values)
    vectors = array.dtype.kind == "f"
    if array.ndim != axes + vectors or array.size == 0:
        shape = "(N,) or vectors (N, D)" if axes == 1 else "(count, n) or vectors (count, n, D)"
        raise ValueError(f"{name} takes whole numbers {shape}; got {array.dtype} of shape {array.shape}")
    if not vectors and array.dtype.kind not in "iu":
        raise TypeError(f"{name} takes whole numbers or vectors, got dtype {array.dtype}")
    if mask is not None and mask.shape == array.shape[:axes]:
        array = np.where(mask[..., None] if vectors else mask, array, np.zeros_like(array))
    if vectors and not np.isfinite(array).all():
        raise ValueError(f"{name} takes finite numbers, got some that are not")
    if not vectors and array.min() < 0:
        raise ValueError(f"{name} takes whole numbers from 0 on, got {array.min()}")
    return array if vectors else array.astype(np.intp)


def _names(what: str, array: Signal, own: Sequence[str] | None) -> tuple[str, ...]:
    """Return what tokens are called; nothing for vectors."""
    vectors = array.dtype.kind == "f"
    if own is None:
        return () if vectors else tuple(map(str, range(int(array.max()) + 1)))
    if vectors:
        raise ValueError(f"{what} is for whole numbers, and there are vectors")
    own = labels(what, own)
    if len(own) <= array.max():
        raise ValueError(f"{what} takes a name for each of {int(array.max()) + 1} numbers, got {len(own)}")
    return tuple(own)

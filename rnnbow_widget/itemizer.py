"""Records networks that are trained elsewhere: their itemized gradients, from plain arrays, as a `Run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .about import About
from .checks import array_of, as_names, instance, whole_number
from .checks import labels as labels_of
from .foreign import ForeignLayers, Lengths
from .forward import ForwardPass
from .gradients import bptt
from .losses import softmax_cross_entropy
from .parameters import Array, Mask, Tokens
from .recording import itemize as itemize_surfaces
from .recording import make_snapshot
from .records import MEMORY_LIMIT
from .run import Run
from .snapshot import Snapshot
from .surfaces import Surfaces

TOLERANCES = {"float64": 1e-9, "float32": 1e-3}
"""How far outputs may be from those that are worked out here, by dtype: norm of the difference, relative."""


class Itemizer:
    """Itemizes windows of one network, and keeps them in a `Run`.

    Parameters
    ----------
    layers : ForeignLayers
        The network.
    horizon, surfaces, vocabulary, name, memory_limit :
        As for `itemize`.
    streams : int
        Sequences side by side that are recorded.
    run : Run, optional
        One of the same network, to go on with.

    Attributes
    ----------
    run : Run
        What was recorded.
    """

    def __init__(
        self,
        layers: ForeignLayers,
        *,
        horizon: int | None = None,
        surfaces: Sequence[str] | None = None,
        vocabulary: Sequence[str] = (),
        name: str = "",
        streams: int = 1,
        memory_limit: float = MEMORY_LIMIT,
        run: Run | None = None,
        **settings: Any,
    ) -> None:
        self.layers = layers
        self._horizon = None if horizon is None else whole_number("horizon", horizon)
        self._surfaces = Surfaces.of(layers.rnn).recorded(surfaces)
        rnn = layers.rnn
        network = {
            "cell": rnn.cell.name,
            "hidden_size": rnn.hidden_size,
            "num_layers": rnn.num_layers,
            "bidirectional": rnn.bidirectional,
        }
        if run is None:
            settings |= {"data": name, "batch_size": streams, "horizon": self._horizon}
            settings["surfaces"] = [surface.name for surface in self._surfaces]
            labels = as_names("vocabulary", vocabulary)
            about = About(kind="classes", loss_name="cross-entropy", loss_unit="nats", fresh=True)
            run = Run(labels, {**network, **settings}, about=about, memory_limit=memory_limit)
        elif any(run.settings.get(key) != value for key, value in network.items()):
            held = {key: run.settings.get(key) for key in network}
            raise ValueError(f"run takes one of the same network, {network}; got one of {held}")
        self.run = run

    def record(
        self,
        batch: int,
        inputs: Array,
        entering: Array,
        state: Array,
        lengths: Lengths | None = None,
        targets: Tokens | None = None,
        logits: Array | None = None,
        outputs: Array | None = None,
        tolerance: float = 0.0,
    ) -> Snapshot:
        """Itemize a window, and add it to the run.

        Parameters
        ----------
        batch : int
            Its number, greater than those before.
        inputs, entering, state, lengths :
            As for `ForeignLayers.forward`.
        targets : int array (n, B), optional
            Classes; those below 0, and where there is no loss, are not looked at.
        logits : array (n, B, O), optional
            What a read-out made of the outputs.
        outputs : array (n, B, D·H), optional
            What the network gave out.
        tolerance : float
            How large the norm of their difference from what comes out here may be, relative to their own.

        Raises
        ------
        ValueError
            If it is larger. Nothing is recorded then.
        """
        rnn = self.layers.rnn
        forward = self.layers.forward(inputs, entering, state, lengths)
        if outputs is not None:
            _check_outputs(forward, outputs, lengths, tolerance)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found and shown
            gradients = bptt(rnn, forward)
            norm = gradients.norm
        itemized = itemize_surfaces(rnn, forward, self._surfaces, self._horizon, gradients)
        shape = forward.loss.shape  # (n,) or (n, B)
        from_zero: Mask = np.logical_not(np.any(state, axis=-1))  # (B,)
        snapshot = make_snapshot(
            _outcome(shape, forward.mask, _shaped(targets, shape), _shaped(logits, shape)),
            itemized,
            [0] * inputs.shape[1],
            from_zero if len(shape) == 2 else from_zero.reshape(()),
            batch=batch,
            grad_norm=norm,
            update_norm=norm,
            vocabulary=self.run.vocabulary,
            diverged=not np.isfinite(norm),
        )
        self.run.append(snapshot)
        return snapshot


def _shaped(array: Any, shape: tuple[int, ...]) -> Any:
    """Return an array (n, B, …) cut to the steps that there are, and without the axis of streams if there is none."""
    return None if array is None else array[: shape[0]] if len(shape) == 2 else array[: shape[0], 0]


def _outcome(
    shape: tuple[int, ...], losses: Mask | None, targets: Tokens | None, logits: Array | None
) -> dict[str, Any]:
    """Return what a snapshot says of labels and losses: arrays (n,) or (n, B), by the names of its fields."""
    there = np.ones(shape, np.bool_) if losses is None else losses
    found: dict[str, Any] = {
        "loss": np.where(there, np.float32(np.nan), np.float32(0)),  # not known, but that there is one
        "target_tokens": np.full(shape, -1, np.int32),
        "prediction_tokens": np.full(shape, -1, np.int32),
        "probability": np.full(shape, np.nan, np.float32),
    }
    if losses is not None:
        found["counted"] = there.astype(np.float32)
    if targets is not None:
        there = there & (targets >= 0)
        found["target_tokens"] = np.where(there, targets, -1).astype(np.int32)
    if logits is not None:
        found["prediction_tokens"] = logits.argmax(axis=-1).astype(np.int32)
        if targets is not None:
            rows = logits.reshape(-1, logits.shape[-1]).astype(np.float64)  # (N, O)
            classes = np.where(there, targets, 0).reshape(-1)  # (N,)
            weights, loss = softmax_cross_entropy(rows, classes, np.ones(rows.shape[1]))  # (N, O), (N,)
            likely = weights[np.arange(len(classes)), classes].reshape(shape)
            found["probability"] = np.where(there, likely, np.nan).astype(np.float32)
            found["loss"] = np.where(there, loss.reshape(shape), found["loss"]).astype(np.float32)
    return found


def itemize(
    weights: Mapping[str, ArrayLike],
    inputs: ArrayLike,
    gradients: ArrayLike,
    *,
    cell: str,
    state: ArrayLike | tuple[ArrayLike, ArrayLike] | None = None,
    lengths: ArrayLike | None = None,
    outputs: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    logits: ArrayLike | None = None,
    vocabulary: Sequence[str] = (),
    horizon: int | None = None,
    surfaces: Sequence[str] | None = None,
    name: str = "",
    batch: int | None = None,
    run: Run | None = None,
) -> Run:
    """Itemize a window of a network that is trained elsewhere, from plain arrays; ``RNNbow(run)`` shows it.

    All that is needed is what goes into recurrent layers, and the gradient that arrives at what they give out, which
    every library can tell. It enters by step: what arrives at output t counts as the loss of step t.

    Parameters
    ----------
    weights : mapping of array
        By PyTorch's names, in its shapes and with its order of gates (i, f, g, o of an LSTM, r, z, n of a GRU):
        ``weight_ih_l0`` (gates·H, V), ``weight_hh_l0`` (gates·H, H), ``bias_ih_l0``, ``bias_hh_l0`` (gates·H,), then
        those that end in ``_l0_reverse``, ``_l1`` and so on. Biases may be missing.
    inputs : array (n, V) or (n, B, V)
        What goes in at each step of a sequence, or of B sequences.
    gradients : array (n, D·H) or (n, B, D·H)
        ``∂L/∂output``: the gradient of the whole batch's loss with respect to what the top layer gives out, its
        directions side by side. A step where it is 0 has no loss.
    cell : str
        "tanh", "relu", "lstm" or "gru", in PyTorch's variant.
    state : array (L·D, H) or (L·D, B, H), or two of them, optional
        PyTorch's h_0; of an LSTM, (h_0, c_0). Zeros by default.
    lengths : int array (B,), optional
        Steps of each sequence, if they differ; what lies after them is not looked at.
    outputs : array (n, D·H) or (n, B, D·H), optional
        What the network gave out, to be compared with what is worked out here.
    targets : int array (n,) or (n, B), optional
        Classes, to be shown; -1 or any other number below 0 where there is none.
    logits : array (n, O) or (n, B, O), optional
        What a read-out made of the outputs, to show predictions, and with `targets` their cross-entropy.
    vocabulary : sequence of str
        What classes are called. By default their numbers.
    horizon : int, optional
        Lags that are kept; by default all.
    surfaces : sequence of str, optional
        Names of the gradients that are recorded; see `Surfaces.parse`. By default W_hh of every layer and direction.
    name : str
        What the data is called.
    batch : int, optional
        Number of the batch: by default one more than that of the last one in `run`.
    run : Run, optional
        What an earlier call returned, to go on with.

    Returns
    -------
    Run
        `run`, or a new one, with one more snapshot. Of B sequences the loss is taken as a mean over them, as most are:
        a stream's own snapshot has B times its part of the gradient, and the average is the gradient as it is.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above, the outputs are not those that come out here, or `run` is of another
        network; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnbow_widget import itemize
    >>> generator = np.random.default_rng(0)
    >>> shapes = {"weight_ih_l0": (4, 3), "weight_hh_l0": (4, 4), "bias_ih_l0": (4,), "bias_hh_l0": (4,)}
    >>> weights = {name: generator.normal(size=shape) for name, shape in shapes.items()}
    >>> inputs, gradients = generator.normal(size=(6, 3)), generator.normal(size=(6, 4))  # (n, V) and (n, H)
    >>> run = itemize(weights, inputs, gradients, cell="tanh")
    >>> run[-1].surfaces["W_hh"].shape
    (6, 6)
    """
    arrays = {key: np.asarray(array) for key, array in weights.items()} if isinstance(weights, Mapping) else weights
    layers = ForeignLayers(cell, arrays)
    rnn, width = layers.rnn, layers.output_width
    x = _floats("inputs", inputs, (rnn.input_size,), rnn.dtype)
    shape = x.shape[:-1]  # (n,) or (n, B)
    streams = shape[1] if len(shape) == 2 else 1
    at_outputs = _floats("gradients", gradients, (*shape, width), rnn.dtype)
    marks = None if targets is None else _integers("targets", targets, shape)
    scores = None if logits is None else array_of("logits", logits)
    if scores is not None and (scores.shape[:-1] != shape or not scores.shape[-1]):
        raise ValueError(f"logits takes an array of shape {(*shape, 'O')}, got shape {scores.shape}")
    labels = labels_of("vocabulary", vocabulary) or _numbered(marks, scores)
    if run is not None:
        run = instance("run", run, Run)
    _check_labels(marks, scores, len(labels))
    steps = None if lengths is None else _integers("lengths", lengths, (streams,))
    if steps is not None and not (steps.min() >= 1 and steps.max() <= shape[0]):
        raise ValueError(f"lengths takes numbers from 1 to {shape[0]}, got {steps.tolist()}")
    before = layers.state(*_states(state, layers, shape), streams)  # (B, S_all)
    x, at_outputs = (array.reshape(shape[0], streams, -1) for array in (x, at_outputs))  # (n, B, …)
    given = None
    if outputs is not None:
        given = _floats("outputs", outputs, (*shape, width), rnn.dtype).reshape(at_outputs.shape)
    itemizer = Itemizer(
        layers, horizon=horizon, surfaces=surfaces, vocabulary=labels, name=name, streams=streams, run=run
    )
    if batch is None:
        batch = int(itemizer.run.batches[-1]) + 1 if len(itemizer.run) else 0
    number = whole_number("batch", batch, minimum=0)
    marks, scores = (_by_stream(one, shape, streams) for one in (marks, scores))
    own = at_outputs * rnn.dtype.type(streams)  # of each stream's own loss
    itemizer.record(number, x, own, before, steps, marks, scores, given, TOLERANCES[rnn.dtype.name])
    return itemizer.run


def _check_outputs(forward: ForwardPass, outputs: Array, lengths: Lengths | None, tolerance: float) -> None:
    """Raise `ValueError` if a pass does not give out what it is said to."""
    found = forward.outputs[-1]  # (n, D·H) or (n, B, D·H)
    own = outputs[: len(found)].reshape(found.shape)
    if not np.isfinite(own).all():
        return  # it diverged, which is to be seen
    if lengths is not None and own.ndim == 3:
        own = np.where((np.arange(len(own))[:, None] < lengths)[..., None], own, 0)
    difference = float(np.linalg.norm(found - own)) / (float(np.linalg.norm(own)) or 1.0)
    if not difference <= tolerance:
        raise ValueError(
            f"outputs differ from what these weights, inputs and states give by {difference:.2g} of their norm, more "
            f"than {tolerance:g}: these would not be the gradients of that network"
        )


def _floats(name: str, values: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Return an array of this shape; or of steps and streams, whose last axis is given."""
    array = array_of(name, values)
    fits = array.shape == shape if len(shape) > 1 else 2 <= array.ndim <= 3 and array.shape[-1:] == shape
    if not fits or array.size == 0:
        takes = f"shape {shape}" if len(shape) > 1 else f"shape (n, {shape[0]}) or (n, B, {shape[0]})"
        raise ValueError(f"{name} takes an array of {takes}, got shape {array.shape}")
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} takes real numbers, got dtype {array.dtype}")
    return array.astype(dtype, copy=False)


def _by_stream(array: Any, shape: tuple[int, ...], streams: int) -> Any:
    """Return an array (n, …) or (n, B, …) with an axis of streams."""
    return None if array is None else array.reshape(shape[0], streams, *array.shape[len(shape) :])


def _integers(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Tokens:
    array = array_of(name, values)
    if array.shape != shape:
        raise ValueError(f"{name} takes an array of shape {shape}, got shape {array.shape}")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} takes whole numbers, got dtype {array.dtype}")
    return array.astype(np.intp)


def _states(
    state: ArrayLike | tuple[ArrayLike, ArrayLike] | None, layers: ForeignLayers, shape: tuple[int, ...]
) -> tuple[Array | None, Array | None]:
    """Return h_0 and c_0, arrays (L·D, B, H), or None for zeros."""
    if state is None:
        return None, None
    rnn = layers.rnn
    count = rnn.num_layers * (2 if rnn.bidirectional else 1)
    given = list(state) if isinstance(state, tuple) else [state]
    if len(given) != rnn.cell.state_blocks:
        takes = "(h_0, c_0)" if rnn.cell.state_blocks == 2 else "h_0"
        raise ValueError(f"state takes {takes} of a network with the cell {rnn.cell.name!r}, got {len(given)} arrays")
    whole = (count, *shape[1:], rnn.hidden_size)
    found = [_floats("state", one, whole, rnn.dtype).reshape(count, -1, rnn.hidden_size) for one in given]
    return found[0], found[1] if len(found) == 2 else None


def _numbered(targets: Tokens | None, logits: Array | None) -> tuple[str, ...]:
    """Names of classes that have none: their numbers; none if nothing is known of classes."""
    count = 0 if targets is None else int(targets.max()) + 1
    return tuple(map(str, range(count if logits is None else logits.shape[-1])))


def _check_labels(targets: Tokens | None, logits: Array | None, count: int) -> None:
    if logits is not None and logits.shape[-1] != count:
        raise ValueError(f"vocabulary takes a name for each of {logits.shape[-1]} classes, got {count}")
    if targets is not None and targets.max() >= count:
        raise ValueError(f"targets takes classes below {count}, got {targets.max()}")

"""Training, with what is recorded of it, and when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import isnan
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from . import corpora
from .cell import Cell
from .checkpoints import PART, Checkpoints
from .checks import boolean, finite_float, one_of, whole_number
from .corpora import Corpus
from .data import Data
from .evaluation import Evaluation, evaluate
from .followers import Followers
from .forward import ForwardPass
from .gradients import Gradients
from .history import History
from .horizon import HorizonChoice, choose_horizon
from .indicators import indicators, is_spectral_due
from .optimizers import OPTIMIZERS
from .recording import Itemized, itemize
from .records import MEMORY_LIMIT
from .replay import Replay, Replays
from .rnn import RNN
from .run import Run
from .snapshot import Float32, Snapshot
from .surfaces import Surface, Surfaces
from .task import Task
from .training_loop import TrainingLoop

_SMOOTHING = 0.001
_TASK_SMOOTHING = 0.02  # of fresh sequences that are compared with a baseline: the loss as it is now
_STRETCH = 8  # windows that horizon="auto" looks at


class Trainer:
    """Trains a network on windows of data and records itemized gradients.

    Every `record_every`-th batch, from batch 0 on, is recorded with itemized gradients; all are trained with plain
    back-propagation through time, so that recording changes no number. Of a text or another long stream,
    windows are consecutive, and the state is carried from one to the next; at the end of the data training starts over,
    from a zero state. Independent sequences all begin with a zero state.

    With ``batch_size=B`` a stream is cut into B consecutive pieces of one length, and what remains is left out. A batch
    is the next window of every piece: B streams, each with a state of its own. Its loss is the mean over streams.

    Parameters
    ----------
    data : Data, str or path
        What to train on: text from `corpora`, a task from `tasks`, a `Stream` or `Sequences` of your own; a str or path
        is read by `corpora.text`.
    rnn : RNN, optional
        The network. By default one is made from the next eight arguments.
    cell, hidden_size, init, forget_bias, num_layers, bidirectional, dtype, seed :
        See `RNN`. `seed` also seeds `sample`, and what is made up of a task.
    seq_length : int, optional
        Steps in a window, n: 25 by default. Sequences of a task have their own length.
    batch_size : int
        Streams, or independent sequences, that are trained in parallel, B.
    horizon : int, "auto" or None
        Lags that are recorded, k; None for the whole window. "auto" chooses the shortest that leaves out at most
        `tolerance` of the gradient of any loss in the windows that come next; it chooses again whenever the number of
        recorded batches has doubled.
    surfaces : sequence of str, optional
        Names of the gradients that are recorded, such as ``["W_ih", "h_l1"]``; see `Surfaces.parse`. The primary one,
        W_hh of the layer next to the read-out, is always recorded, and first. By default W_hh of every layer and
        direction.
    tolerance : float
        For ``horizon="auto"``: relative size of what may be left out.
    record_every : int
        Recording interval, in batches.
    learning_rate : float
        Step size.
    optimizer : str
        "adagrad", "sgd" or "adam".
    clip_value : float, optional
        Bound on each entry of the gradient.
    clip_norm : float, optional
        Bound on the gradient's norm.
    memory_limit : float
        Bytes that the run may take, 256 MB by default; past it, details of recorded batches are thinned evenly. See
        `Run`.
    save : str or path, optional
        A file, whose name ends in ``.rnnbow``, that the run is written to as it grows; see `Run.keep_saving`.
    overwrite : bool
        Whether a run file that is there is replaced.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the kind above, or the data is too short for one window; the message names it.
    FileExistsError, RunFileError
        If there is a file named as `save` and `overwrite` is false, or it cannot be made.

    Attributes
    ----------
    run : Run
        What was recorded.
    history : History
        What was done to come here, beside training.
    horizon_choice : HorizonChoice or None
        The newest answer to which horizon would be enough, of `measure_horizon` or ``horizon="auto"``: with the
        residual of every k that it was chosen by.
    smooth_loss : float
        Running mean of the loss per step that has one, over about the last 1,000 batches, of a task 50, or all that
        there are; NaN before the first batch.

    Examples
    --------
    >>> from rnnbow_widget import Trainer
    >>> trainer = Trainer("hello world, " * 40, hidden_size=16, horizon=10, record_every=50, seed=0)
    >>> run = trainer.train(100)
    >>> run.batches
    array([ 0, 50])
    >>> run[-1].surfaces["W_hh"].shape  # steps of the window, lags
    (25, 10)
    >>> trainer.learning_rate = 0.05  # while it trains
    """

    horizon_choice: HorizonChoice | None

    def __init__(
        self,
        data: Data | str | PathLike[str],
        rnn: RNN | None = None,
        *,
        cell: str | type[Cell] = "tanh",
        hidden_size: int = 100,
        init: str = "normal",
        forget_bias: float | None = None,
        num_layers: int = 1,
        bidirectional: bool = False,
        dtype: DTypeLike = np.float32,
        seed: int = 0,
        seq_length: int | None = None,
        batch_size: int = 1,
        horizon: int | Literal["auto"] | None = 10,
        surfaces: Sequence[str] | None = None,
        tolerance: float = 0.1,
        record_every: int = 100,
        learning_rate: float = 0.1,
        optimizer: str = "adagrad",
        clip_value: float | None = 5.0,
        clip_norm: float | None = None,
        memory_limit: float = MEMORY_LIMIT,
        save: str | PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.data = data if isinstance(data, Data) else corpora.text(data, argument="data")
        self.seed = whole_number("seed", seed, minimum=0, maximum=None)
        self.batch_size = whole_number("batch_size", batch_size)
        steps = None if seq_length is None else whole_number("seq_length", seq_length)
        try:
            self.windows = self.data.windows(steps, self.batch_size, self.seed)
        except ValueError as error:
            raise ValueError(f"{error}{_perhaps_a_name(data)}") from None
        self.seq_length = self.windows.seq_length
        sizes = (self.data.input_size, self.data.output_size)
        if rnn is None:
            rnn = RNN(
                sizes[0],
                hidden_size,
                sizes[1],
                cell=cell,
                init=init,
                forget_bias=forget_bias,
                num_layers=num_layers,
                bidirectional=bidirectional,
                seed=self.seed,
                dtype=dtype,
            )
        self.rnn = rnn
        if not isinstance(self.rnn, RNN):
            raise TypeError(f"rnn takes an RNN, got {type(rnn).__name__}")
        if (self.rnn.input_size, self.rnn.output_size) != sizes:
            got = f"{self.rnn.input_size} and {self.rnn.output_size}"
            raise ValueError(f"rnn takes input and output size {sizes[0]} and {sizes[1]}, the data's; got {got}")
        self.optimizer = OPTIMIZERS[one_of("optimizer", optimizer, OPTIMIZERS)](learning_rate)
        self.tolerance = finite_float("tolerance", tolerance, at_least=0)
        self.horizon = horizon
        self.known_surfaces = Surfaces.of(self.rnn)
        self.record_every = record_every
        bounds = (_bound("clip_value", clip_value), _bound("clip_norm", clip_norm))
        self._settings_follow, self._progress_follows = Followers(), Followers()
        self._lock = threading.RLock()  # a kernel answers pages on another thread than cells
        self._stretches = 0
        self._loop = TrainingLoop(self.rnn, self.data, self.windows, self.optimizer, *bounds)
        self.run = Run(self.data.vocabulary, about=self.data.about, memory_limit=memory_limit)
        self._checkpoints = Checkpoints()
        # It has not the trainer, nor the run: who lets go of the run lets go of its memory and its file at once.
        self._replays = Replays(self.run, self._checkpoints, self.known_surfaces, self._loop)
        self.run.recall = self._replays
        self._shown: Surface | None = None
        self.surfaces = surfaces
        self.run.settings = self.settings
        self.history = History(self.settings)
        self._start_over()
        if save is not None:
            self.run.keep_saving(save, overwrite=boolean("overwrite", overwrite), argument="save")

    def __repr__(self) -> str:
        loss = "untrained" if self.batch == 0 else f"loss {self.data.about.loss_text(self.smooth_loss)}"
        return f"Trainer({self.data!r}, {self.rnn!r}, batch {self.batch:,}, {loss}, {len(self.run):,} recorded)"

    @property
    def settings(self) -> dict[str, Any]:
        """What to make the same trainer with, by name."""
        return {
            "data": self.data.name,
            "cell": self.rnn.cell.name,
            "hidden_size": self.rnn.hidden_size,
            "init": self.rnn.init,
            "forget_bias": self.rnn.forget_bias,
            "num_layers": self.rnn.num_layers,
            "bidirectional": self.rnn.bidirectional,
            "dtype": self.rnn.dtype.name,
            "seed": self.seed,
            "seq_length": self.seq_length,
            "batch_size": self.batch_size,
            "horizon": self.horizon,
            "surfaces": list(self.surfaces),
            "tolerance": self.tolerance,
            "record_every": self.record_every,
            "learning_rate": self.learning_rate,
            "optimizer": self.optimizer.name,
            "clip_value": self.clip_value,
            "clip_norm": self.clip_norm,
            "memory_limit": self.memory_limit,
        }

    @property
    def learning_rate(self) -> float:
        """Step size. May be changed at any time."""
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer.learning_rate = value
        self._note_settings()
        self._note("learning_rate", self.learning_rate)

    @property
    def horizon(self) -> int | Literal["auto"] | None:
        """Lags that are recorded; None for the whole window, "auto" to choose. May be changed at any time."""
        return self._horizon

    @horizon.setter
    def horizon(self, value: int | Literal["auto"] | None) -> None:
        if isinstance(value, str):
            one_of("horizon", value, ("auto",))
        self._horizon = value if value is None or isinstance(value, str) else whole_number("horizon", value)
        self._choice_is_due = True
        self._note("horizon", self._horizon)

    @property
    def surfaces(self) -> tuple[str, ...]:
        """Names of the gradients that are recorded, the primary one first; None for the default. May be changed."""
        return tuple(surface.name for surface in self._surfaces)

    @surfaces.setter
    def surfaces(self, names: Sequence[str] | None) -> None:
        self._surfaces = self.known_surfaces.recorded(names)
        self._tell_replays()
        self._note("surfaces", list(self.surfaces))

    @property
    def shown_surface(self) -> str | None:
        """Name of a gradient that is recorded beside `surfaces` while somebody looks at it."""
        return self._shown.name if self._shown else None

    @shown_surface.setter
    def shown_surface(self, name: str | None) -> None:
        self._shown = None if name is None else self.known_surfaces.parse(name)
        self._tell_replays()
        self._note("shown_surface", None if self._shown in self._surfaces else name)

    @property
    def record_every(self) -> int:
        """Recording interval, in batches. May be changed at any time."""
        return self._record_every

    @record_every.setter
    def record_every(self, value: int) -> None:
        self._record_every = whole_number("record_every", value)
        self._note("record_every", self._record_every)

    @property
    def clip_value(self) -> float | None:
        """Bound on each entry of the gradient, or None. May be changed at any time."""
        return self._loop.clip_value

    @clip_value.setter
    def clip_value(self, value: float | None) -> None:
        self._loop.clip_value = _bound("clip_value", value)
        self._note_settings()
        self._note("clip_value", self.clip_value)

    @property
    def clip_norm(self) -> float | None:
        """Bound on the gradient's norm, or None. May be changed at any time."""
        return self._loop.clip_norm

    @clip_norm.setter
    def clip_norm(self, value: float | None) -> None:
        self._loop.clip_norm = _bound("clip_norm", value)
        self._note_settings()
        self._note("clip_norm", self.clip_norm)

    @property
    def memory_limit(self) -> int:
        """Bytes that the run may take. May be changed at any time."""
        return self.run.memory_limit

    @memory_limit.setter
    def memory_limit(self, value: float) -> None:
        self.run.memory_limit = value

    @property
    def batch(self) -> int:
        """Batches trained so far."""
        return self._loop.batch

    @property
    def epoch(self) -> int:
        """Passes over the data that are complete; 0 if there is always other data."""
        return self.batch // self.windows.per_epoch if self.windows.per_epoch else 0

    def follow(self, *, settings: Callable[[], None], progress: Callable[[], None]) -> None:
        """Have bound methods called when something was done to this trainer. Their object is not kept alive by that.

        Parameters
        ----------
        settings : callable
            Called when a setting was assigned.
        progress : callable
            Called between two batches, the first of which was recorded; when training has ended, which `is_training`
            tells; after a reset, and when a horizon was measured.
        """
        self._settings_follow.add(settings)
        self._progress_follows.add(progress)

    @property
    def is_training(self) -> bool:
        """Whether a call of `train` or `step`, or what is within `training`, is under way."""
        return self._stretches > 0

    @contextmanager
    def training(self) -> Iterator[None]:
        """Calls of `train` and `step` within this are one: a file that the run is saved to is complete after the last.

        Without it, each of them waits in the end until what it recorded is written. Other threads that are to train it,
        too, or to reset it, wait meanwhile.
        """
        with self._lock:
            stretches = self._stretches
            try:
                with self.run.training():
                    self._stretches = stretches + 1
                    yield
            finally:
                self._stretches = stretches
                if not self.is_training:
                    self._progress_follows.tell()

    def train(self, batches: int = 1) -> Run:
        """Train a number of batches.

        Returns
        -------
        Run
            The one run, with what was recorded so far.

        Raises
        ------
        DivergedError
            If loss or gradient of a batch is not finite. That batch is recorded and marked, and not trained.
        """
        batches = whole_number("batches", batches, minimum=0)
        with self.training():
            for _ in range(batches):
                self._train_batch(record=self.batch % self.record_every == 0)
        return self.run

    def step(self) -> Snapshot:
        """Train one batch and record it, whatever the recording interval."""
        with self.training():
            self._train_batch(record=True)
        self.history.step(self.batch - 1)
        return self.run[-1]

    def step_to_record(self) -> Snapshot:
        """Train up to and including the next batch that is due to be recorded."""
        self.train(-self.batch % self.record_every + 1)
        return self.run[-1]

    def reset(self) -> None:
        """Go back to the untrained network of the same seed, and forget what was recorded. Settings stay.

        A file that the run is saved to keeps it until the next batch is recorded.
        """
        with self._lock:
            self.rnn.reset()
            self.optimizer.reset()
            self.run.settings = self.settings
            self.run.clear()
            self.history.start_over(self.settings)
            self._start_over()
            self._progress_follows.tell()

    def replay(self, batch: int) -> Replay:
        """Train a batch again, on a network of its own, from the nearest checkpoint before it.

        The training itself is not touched, and may go on meanwhile. What is found is compared with what was recorded.

        Parameters
        ----------
        batch : int
            Number of a batch that was trained, recorded or not.

        Returns
        -------
        Replay
            The weights of that batch, its forward pass, its gradients and its snapshot.

        Raises
        ------
        ReplayError
            If that cannot be done, or its loss is not the recorded one. The message says why.
        TypeError, ValueError
            If there is no such batch.
        """
        if whole_number("batch", batch, minimum=0) >= self.batch and batch not in self.run.batches:
            raise ValueError(f"batch takes one that was trained, before {self.batch}; got {batch}")
        return self._replays.replay(batch)

    def measure_horizon(self) -> HorizonChoice:
        """Find the shortest horizon that would be enough for the network as it stands; `horizon` stays as it is.

        Looks at every loss that counts in the 8 windows that training comes to next, as ``horizon="auto"`` does, and
        accepts what leaves out at most ``tolerance`` of its gradient. Training is not disturbed. With
        ``horizon="auto"`` this is a new choice, from the next recorded batch on.

        Returns
        -------
        HorizonChoice
            Also kept as `horizon_choice`.

        Raises
        ------
        ValueError
            If no loss has a gradient yet, or some are not finite. The choice before is kept.
        """
        with self._lock, np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found and reported
            choice = choose_horizon(self.rnn, self._loop.next_windows(_STRETCH), self.tolerance)
            choice = replace(choice, batch=self.batch)
            self.horizon_choice = choice
            self._choice_is_due = False
            if not self.is_training:
                self._progress_follows.tell()
        return choice

    def sample(self, length: int = 200, *, temperature: float = 1.0, prompt: str = "") -> str:
        """Text that the model writes as it stands. The same at the same batch, and training is not disturbed.

        Parameters
        ----------
        length : int
            Number of characters.
        temperature : float
            Towards 0 the likeliest character always wins; 1 samples the model's distribution.
        prompt : str, optional
            Text that the model reads first; by default it goes on from where training is, in the first stream.

        Raises
        ------
        ValueError
            If the prompt has characters that are not in the training data, an argument is out of range, or the data is
            no text.
        """
        if not isinstance(prompt, str):
            raise TypeError(f"prompt takes a str, got {type(prompt).__name__}")
        if not isinstance(self.data, Corpus):
            raise ValueError(
                f"sample writes text, and {self.data.name} is none: run[-1] has inputs, targets and predictions of it"
            )
        generator = np.random.default_rng((self.seed, self.batch))
        state = self._loop.state if self.batch_size == 1 else self._loop.state[0]  # (S_all,)
        token = int(self.windows(self.batch).inputs.flat[0])
        if prompt:
            tokens = self.data.encode(prompt)  # (N,)
            token = tokens[-1]
            state = self.rnn.forward(tokens[:-1], tokens[1:]).carried if len(tokens) > 1 else self.rnn.zero_state()
        written = self.rnn.sample(token, length, state=state, temperature=temperature, generator=generator)
        return self.data.decode(written)

    def evaluate(self, sequences: int = 1000) -> Evaluation:
        """How well the network does the task as it stands, on sequences that it is not trained on.

        Training is not disturbed. The same number gives the same sequences.

        Raises
        ------
        ValueError
            If the data is no task: of other data there are no fresh sequences.
        """
        if not isinstance(self.data, Task):
            raise ValueError(f"evaluate is for tasks, whose sequences are made up; {self.data.name} is none")
        return evaluate(self.rnn, self.data, sequences, self.seed)

    def _note(self, name: str, value: Any) -> None:
        if hasattr(self, "history"):  # else it is what training begins with
            self.history.change(self.batch, name, value)
            self._settings_follow.tell()

    def _start_over(self) -> None:
        self._loop.start_over()
        self._checkpoints.clear()
        self._note_settings()
        self._replays.clear()
        self.run.beside = 0
        self.horizon_choice = None
        self.smooth_loss = float("nan")

    def _train_batch(self, record: bool) -> None:
        if self._checkpoints.is_due(self.batch):
            self._checkpoints.add(self._loop.checkpoint(), PART * self.memory_limit)
            self.run.beside = self._checkpoints.nbytes
        loss = self._loop.train_batch(self._look, self._record, record=record)
        if loss is not None:
            before = loss if isnan(self.smooth_loss) else self.smooth_loss
            part = _SMOOTHING if self.data.baseline is None else _TASK_SMOOTHING
            part = max(part, 1 / self.batch)  # of few batches their mean, in which the first counts no more
            self.smooth_loss = (1 - part) * before + part * loss
        if writer := self.run.writer:
            writer.tick()
        if record:
            self._progress_follows.tell()

    def _look(self, forward: ForwardPass, gradients: Gradients) -> tuple[Itemized, Float32]:
        lags = self._chosen_horizon() if self.horizon == "auto" else self.horizon
        itemized = itemize(self.rnn, forward, self._recorded_surfaces(), lags, gradients)
        spectral = is_spectral_due(len(self.run), self.rnn.hidden_size)
        return itemized, indicators(self.rnn, forward, gradients, spectral=spectral)

    def _tell_replays(self) -> None:
        self._replays.recorded = self._recorded_surfaces()

    def _recorded_surfaces(self) -> list[Surface]:
        shown = self._shown
        return self._surfaces if shown is None or shown in self._surfaces else [*self._surfaces, shown]

    def _chosen_horizon(self) -> int | None:
        """Choose again when the number of recorded batches is a power of two: often while much changes, then rarely."""
        recorded = len(self.run)
        choice = self.horizon_choice
        if choice is None or self._choice_is_due or recorded & (recorded - 1) == 0:
            try:
                choice = self.measure_horizon()
            except ValueError:  # no loss has a gradient, or some are not finite: keep all that there is
                self._choice_is_due = True
                return None
        return choice.horizon

    def _note_settings(self) -> None:
        self._checkpoints.change(self.batch, self._loop.settings)

    def _record(self, snapshot: Snapshot) -> None:
        # A batch that diverged and is tried again is there already.
        if not (self.run and self.run[-1].batch == snapshot.batch):
            self.run.append(snapshot)


def _bound(name: str, value: float | None) -> float | None:
    return None if value is None else finite_float(name, value, above=0)


def _perhaps_a_name(data: object) -> str:
    """A word of help where somebody passed the name of a file that is not there."""
    return "; if it is meant as a file's name: there is no such file" if isinstance(data, str) else ""

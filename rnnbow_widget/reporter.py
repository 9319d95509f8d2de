"""What pages are told of one run and of what trains it. No widget, no messages: only their content."""

from __future__ import annotations

import math
from collections.abc import Mapping
from time import monotonic
from typing import Any

from .checks import one_of, whole_number
from .corpora import Corpus
from .feed import Feed
from .horizon import HorizonChoice
from .page_message import client_of, part_of
from .protocol import drawable, json_number
from .run import Run
from .run_file import RunFileError
from .snapshot import surface_of
from .status import status_of
from .surfaces import JACOBIAN, Surfaces
from .trainer import Trainer

_SAMPLE_SECONDS = 1.0
_CUE_SECONDS = 1.0
_SAMPLE_LENGTH = 240

SETTINGS = ("learning_rate", "horizon", "record_every")
"""What of a trainer's settings pages show, and can set."""

Part = tuple[dict[str, Any], list[bytes]]
"""Part of a message: content, and the chunks that go along."""


class Reporter:
    """Knows what pages have been told of a run, and finds what is new.

    Parameters
    ----------
    run : Run
        What is shown.
    trainer : Trainer or None
        What trains it; None for a finished run.

    Attributes
    ----------
    feed : Feed
        Numbers the frames.
    trouble : tuple of str
        What went wrong and what to try, or two empty strings.
    surfaces : Surfaces or None
        Those of the network; None if a finished run does not say which it was.
    grows : bool
        Whether something else than a trainer is adding to the run.
    samples : dict
        What the model wrote before training and as it stands, as the trait `_samples` describes it.
    """

    def __init__(self, run: Run, trainer: Trainer | None) -> None:
        self.run = run
        self.trainer = trainer
        self.feed = Feed(run)
        self.surfaces = trainer.known_surfaces if trainer else Surfaces.of_settings(run.settings)
        self.trouble = ("", "")
        self.grows = False
        self._of_run = _name_of(run)
        self.samples: dict[str, Any] = {"first": None, "now": None}
        self._written_at = -math.inf
        self._told_cues: list[dict[str, Any]] = []
        self._told_cues_at = -math.inf
        self._told_choice = self._choice_now()
        self._write()

    @property
    def settings(self) -> dict[str, Any]:
        """What the network was made and is trained with."""
        return self.trainer.settings if self.trainer else self.run.settings

    @property
    def batch_size(self) -> int:
        """Streams of a minibatch."""
        return self.trainer.batch_size if self.trainer else int(self.run.settings.get("batch_size", 1))

    @property
    def primary(self) -> str:
        """Name of the surface that is recorded first."""
        return self.surfaces.primary.name if self.surfaces else self.run.primary or "W_hh"

    def checked_surface(self, surface: Any) -> str:
        """Return the name of the surface that is meant; None stands for the primary one.

        Raises
        ------
        TypeError, ValueError
            If the network has no such surface.
        """
        if surface is None:
            return self.primary
        if self.surfaces:
            return self.surfaces.parse(surface).name
        return one_of("surface", surface, list(map(surface_of, self.run.overview.surfaces)) or [self.primary])

    def show_surface(self, surface: str) -> None:
        """Have a surface recorded from now on, while it is looked at."""
        if self.trainer:
            jacobian = self.trainer.known_surfaces.parse(surface).base == JACOBIAN
            self.trainer.shown_surface = None if jacobian else surface  # that costs many batches: on demand only

    def checked_stream(self, stream: Any) -> int | None:
        """Return the stream that is meant; None stands for the average over streams, and for the only one.

        Raises
        ------
        TypeError, ValueError
            If there is no such stream.
        """
        count = self.batch_size
        if stream is not None and whole_number("stream", stream, minimum=0) >= count:
            takes = f"0 to {count - 1}" if count > 1 else "0"
            raise ValueError(
                f"stream takes None, for the average over streams, or {takes}, "
                f"since batch_size is {count}; got {stream}"
            )
        return None if count == 1 or stream is None else int(stream)  # one stream is its own average

    # Traits, as docs/architecture.md describes them.

    def labels(self) -> list[str]:
        """Return what the tokens are called."""
        return [drawable(label) for label in self.run.vocabulary]

    def info(self) -> dict[str, Any]:
        """Return what is known of the network and its data."""
        settings = self.settings
        return {
            "live": self.trainer is not None,
            "seq_length": settings.get("seq_length"),
            "batch_size": self.batch_size,
            "num_layers": settings.get("num_layers", 1),
            "bidirectional": settings.get("bidirectional", False),
            "hidden_size": settings.get("hidden_size"),
            "cell": None if settings.get("cell") is None else drawable(settings["cell"]),
            "data_name": drawable(str(settings.get("data", ""))),
            "data_length": self.trainer.data.length if self.trainer else None,
            "task": self._task(),
            "surfaces": self._known_surfaces(),
            "gates": list(self.surfaces.cell.gate_names) if self.surfaces else [],
            "units": self.surfaces.hidden_size if self.surfaces else 0,
            "primary": self.primary,
        }

    def _known_surfaces(self) -> list[dict[str, Any]]:
        if not self.surfaces:
            return []
        recorded = self.settings.get("surfaces", [self.primary])
        return [
            {
                "name": one.name,
                "base": one.base,
                "layer": one.layer,
                "direction": one.direction,
                "recorded": one.name in recorded,
            }
            for one in self.surfaces.all
        ]

    def _task(self) -> dict[str, Any] | None:
        """What is known of inputs, targets and their loss."""
        about = self.run.about
        if about is None:
            return None
        names = ("input_vocabulary", "input_entries", "output_entries")
        words = {name: drawable(value) for name, value in vars(about).items() if isinstance(value, str)}
        return {**vars(about), **words, **{name: [drawable(one) for one in getattr(about, name)] for name in names}}

    def status(self, *, training: bool, rate: float) -> dict[str, Any]:
        """Return how training goes.

        Parameters
        ----------
        training : bool
            Whether it is under way, or wanted.
        rate : float
            Batches per second, or NaN.
        """
        return status_of(self.run, self.trainer, training=training, rate=rate, trouble=self.trouble)

    def choice(self) -> dict[str, Any]:
        """Return which horizon would be enough, if that was measured."""
        return {"newest": _told(self._choice_now())}

    def measure_horizon(self) -> HorizonChoice:
        """Find which horizon would be enough. Whoever calls it holds what trains."""
        if self.trainer is None:
            raise ValueError("a finished run has no horizon to choose: there is nothing to train")
        return self.trainer.measure_horizon()

    def traits(self) -> dict[str, Any]:
        """Return the traits of a widget that shows the run, but for the run, the status, and what is chosen."""
        return {
            "_labels": self.labels(),
            "_info": self.info(),
            "_samples": self.samples,
            "_cues": self.feed.cues(),
            "_choice": self.choice(),
            **{name: self.settings.get(name) for name in SETTINGS},
        }

    # Messages.

    def details(self, message: Mapping[str, Any]) -> Part:
        """Return the answer to a page that asks for details.

        Raises
        ------
        TypeError, ValueError
            If it names no page, no batch, no part, or no stream that there is.
        """
        batch = whole_number("batch", message.get("batch"), minimum=0)
        client, part, stream = client_of(message), part_of(message), self.checked_stream(message.get("stream"))
        content, chunks = self.feed.details(batch, stream, part)
        return {"kind": "details", "client": client, **content}, chunks

    def frame(self, *, last: bool, playing: bool, stream: int | None) -> Part:
        """Return what is new since the frame before, but the status. Whoever calls it holds what trains.

        Parameters
        ----------
        last, playing : bool
            Whether it is the last frame of a request, and whether others are wanted.
        stream : int or None
            Whose details go along; see `Feed`.
        """
        content: dict[str, Any] = {}
        if (last and not playing) or monotonic() - self._written_at > _SAMPLE_SECONDS:
            self._write()
            content["samples"] = self.samples
        if last or monotonic() - self._told_cues_at > _CUE_SECONDS:
            self._told_cues_at = monotonic()
            cues = self.feed.cues()
            if cues != self._told_cues:
                content["cues"] = self._told_cues = cues
        choice = self._choice_now()
        if choice is not self._told_choice:
            self._told_choice = choice
            content["choice"] = _told(choice)
        numbers, chunks = self.feed.frame(stream)
        return {**content, **numbers}, chunks

    def whole(self, selected: int | None, stream: int | None) -> Part:
        """Return everything, but the status."""
        numbers, chunks = self.feed.whole(selected, stream)
        self._told_cues = self.feed.cues()
        self._told_choice = self._choice_now()
        told = {"samples": self.samples, "cues": self._told_cues, "choice": _told(self._told_choice)}
        return {**numbers, **told}, chunks

    def is_current(self) -> bool:
        """Whether the run is the one that pages have been told of. Of one from a file, others may look into it too."""
        return _name_of(self.run) == self._of_run

    def tend_file(self) -> bool:
        """Write what waits to be written to the run's file, or look into the one that it was opened from."""
        if self.run.writer:
            self.run.writer.tick()
            return False
        return self.look_into_file()

    def look_into_file(self) -> bool:
        """Take over what is new in the file that the run was opened from. True if it holds another run than before.

        Raises
        ------
        RunFileError
            If the file cannot be read any more. What was read is kept.
        ValueError
            If the run was not opened from a file.
        """
        try:
            self.run.refresh()
        except RunFileError as error:
            if not error.busy:
                self.trouble = f"{drawable(str(error))}.", "What was read before is shown."
            raise
        self.trouble = ("", "")
        if self.is_current():
            return False
        self._of_run = _name_of(self.run)
        self.surfaces = Surfaces.of_settings(self.run.settings)
        self.start_over()
        return True

    def start_over(self) -> None:
        """Forget what was said of the run before, after the trainer was reset. Whoever calls it holds what trains."""
        self.trouble = ("", "")
        self._write()

    def _choice_now(self) -> HorizonChoice | None:
        return self.trainer.horizon_choice if self.trainer else None

    def _write(self) -> None:
        """Let the model write a sample, if it learns a text."""
        if self.trainer and isinstance(self.trainer.data, Corpus):
            sample = {"batch": self.trainer.batch, "text": drawable(self.trainer.sample(_SAMPLE_LENGTH))}
            self.samples["now"] = sample
            if self.trainer.batch == 0:
                self.samples["first"] = sample
            self._written_at = monotonic()


def _name_of(run: Run) -> str:
    """The name that the run has in the file that it was opened from."""
    return run.reader.state.id if run.reader else ""


def _told(choice: HorizonChoice | None) -> dict[str, Any] | None:
    """A choice as pages are told it."""
    if choice is None:
        return None
    return {**vars(choice), "residual": [json_number(left) for left in choice.residual.tolist()]}

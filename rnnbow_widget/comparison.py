"""Several runs side by side: the widget, its traits and methods. The protocol is in docs/architecture.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from .checks import one_of, whole_number
from .comparison_conversation import ComparisonConversation
from .contrast import Contrast, contrast
from .display import mime_bundle
from .export import File, write_out
from .lockstep import Lockstep
from .measuring import MEASURES
from .overview import QUANTITIES
from .page import FORMS, MAX_BYTES
from .page_traits import Batch, Checked, Choice, PageWidget, computed, refused
from .protocol import drawable
from .reporter import Reporter
from .sides import Side, described, differing, remarks
from .sides_page import make_sides_page
from .sides_recipe import sides_recipe
from .trainer import Trainer
from .widget import CSS, ESM

SCALES = ("shared", "own")
"""Vertical scale of panel 3: one for all sides, or each its own."""
OPTIONS = ("measure", "form", "quantity", "log_scale", "scale", "stream")
"""What a comparison shows, as traits of these names."""


class Comparison(PageWidget):
    """Two to four runs side by side, live in lockstep; made by `compare`.

    One plot of a quantity over training for all, and of each side panels 2 to 4: of the same batch, or the nearest that
    the side has recorded, with what is pointed at in one highlighted in all. Sides that have a trainer train in
    lockstep: all by the same number of batches. One that diverges stays at its batch and says so; the others go on.

    Parameters
    ----------
    sides : mapping of str to Side
        What is compared, by name.
    measure, form, quantity, log_scale, stream :
        As in `RNNbow`; `quantity` is the one that is drawn over training.
    scale : str
        Whether panel 3 of all sides has one vertical scale, "shared", or each its "own".

    Attributes
    ----------
    runs : dict of str to Run
        What is shown, by name.
    trainers : dict of str to Trainer
        What trains, by name.
    selected : int or None
        Number of the batch that is selected; None follows the newest. Sides that have not recorded it show the nearest.
    playing : bool
        Whether training is wanted.

    Raises
    ------
    ValueError
        If the sides cannot be compared; see `compare`.

    Examples
    --------
    >>> from rnnbow_widget import compare
    >>> both = compare("tanh", "gru", data="hello world, " * 40, hidden_size=8, record_every=5, seed=0)
    >>> both.train(20)
    >>> batches, losses = both.column("loss")
    >>> losses.shape  # sides, batches that all have recorded
    (2, 4)
    """

    _esm = ESM
    _css = CSS

    selected = Batch().tag(sync=True)
    measure = Choice(MEASURES, "norm").tag(sync=True)
    form = Choice(FORMS, "auto").tag(sync=True)
    quantity = Choice(QUANTITIES, "horizon_length").tag(sync=True)
    log_scale = traitlets.Bool(False).tag(sync=True)
    scale = Choice(SCALES, "shared").tag(sync=True)
    stream = Checked().tag(sync=True)
    playing = traitlets.Bool(False).tag(
        sync=True, from_pages=False, to_json=lambda _, widget: widget._conversation.can_play_on()
    )
    _sides = computed(lambda widget: widget._describe())
    _contrast = computed(lambda widget: widget._told())
    _side_0 = computed(lambda widget: widget._side_state(0))
    _side_1 = computed(lambda widget: widget._side_state(1))
    _side_2 = computed(lambda widget: widget._side_state(2))
    _side_3 = computed(lambda widget: widget._side_state(3))

    def __init__(
        self,
        sides: Mapping[str, Side],
        *,
        measure: str = "norm",
        form: str = "auto",
        quantity: str = "horizon_length",
        log_scale: bool = False,
        scale: str = "shared",
        stream: int | None = None,
    ) -> None:
        self.sides = dict(sides)
        self.runs = {name: side.run for name, side in sides.items()}
        self.trainers = {name: side.trainer for name, side in sides.items() if side.trainer}
        self._reporters = [Reporter(side.run, side.trainer) for side in sides.values()]
        self._lockstep = Lockstep(list(self.trainers.values())) if self.trainers else None
        self._conversation = ComparisonConversation(
            self, list(self.sides.values()), self._reporters, self._lockstep, self._told
        )
        chosen = {"measure": measure, "form": form, "quantity": quantity, "log_scale": log_scale, "scale": scale}
        super().__init__(**chosen, stream=stream)
        self.on_msg(lambda _, content, __: self._conversation.receive(content))
        for side in self.sides.values():
            if side.trainer:
                side.trainer.follow(settings=self._tell_settings, progress=self._conversation.tell_progress)
            else:
                side.run.follow(self._conversation.tell_recorded)

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return mime_bundle(self, self.to_png if all(map(len, self.runs.values())) else None)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}: {len(run):,} recorded" for name, run in self.runs.items())
        return f"Comparison({counts})"

    # What a person can do. Each is what a button does.

    def play(self) -> None:
        """Train all in lockstep for as long as a page shows the widget, until `pause`."""
        self._conversation.play()

    def pause(self) -> None:
        """Stop playing, after the batches that are being trained."""
        self._conversation.stop()

    def train(self, batches: int) -> None:
        """Train all by a number of batches now; those that are behind the others catch up first.

        Raises
        ------
        DivergedError
            If none is left that can go on.
        """
        self._conversation.train(batches)

    def step(self) -> None:
        """Train one batch of each, and record it."""
        self._conversation.step("batch")

    def step_to_record(self) -> None:
        """Train all up to and including the next batch that any of them is due to record."""
        self._conversation.step("record")

    def reset(self) -> None:
        """Go back to the untrained networks. The recorded batches are forgotten, but those of finished runs."""
        self._conversation.reset()

    def select(self, batch: int | None) -> None:
        """Select a batch, or with None the newest one from now on.

        Raises
        ------
        KeyError
            If no side has recorded that batch.
        """
        if batch is not None:
            batch = whole_number("batch", batch, minimum=0)
            if not any(batch in run.batches for run in self.runs.values()):
                raise KeyError(f"batch {batch} was not recorded by any side")
        self.selected = batch

    def code(self) -> str:
        """Return all of this as one line of Python, which shows the same picture when it is run.

        It makes data and trainers, trains as many batches, with the settings that held for each, and chooses what is
        drawn. Whatever no line can hold, such as data of your own, is a name in it that a comment explains.
        """
        return sides_recipe(self.sides, self._chosen(), self.selected, self._diverged())

    def contrast(self, batch: int | None = None) -> Contrast:
        """Return what differs at a batch, in numbers; by default at the newest that all have recorded."""
        return contrast(self.runs, batch)

    def sentence(self, batch: int | None = None) -> str:
        """Say what differs at a batch; by default at the newest that all have recorded. See docs/measures.md."""
        return self.contrast(batch).sentence()

    def to_html(self, file: File, *, title: str | None = None, max_bytes: int = MAX_BYTES) -> None:
        """Write a page to share: this comparison as one file for any browser, without a kernel or a network.

        It shows first what is shown here. Sides share the room; of what does not fit details are left out evenly, and
        each side says so. Numbers of single batches are rounded to one part in 2,048.

        Parameters
        ----------
        file : path or file object
            Where to. A file that is there is replaced.
        title : str, optional
            Heading of the page; by default the names of the sides.
        max_bytes : int
            Size of the page at most.

        Raises
        ------
        TypeError, ValueError
            If an argument is not of the kind above, or `max_bytes` leaves no room for the runs.
        OSError
            If the file cannot be written.
        """
        finished = [Side(side.run, None) for side in self.sides.values()]
        traits = {
            **{name: getattr(self, name) for name in ("selected", *OPTIONS)},
            "_sides": {**self._describe(), "remarks": [drawable(remark) for remark in remarks(finished)]},
            "_contrast": self._told(),
        }
        reporters = dict(zip(self.sides, self._reporters, strict=True))
        write_out(file, make_sides_page(reporters, traits, title=title, max_bytes=max_bytes))

    def to_png(self, batch: int | None = None) -> bytes:
        """Draw a batch of all sides side by side, by default the selected one, as a still picture. Needs matplotlib.

        Parameters
        ----------
        batch : int, optional
            Its number; of sides that have not recorded it, the nearest is drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If nothing is recorded.
        """
        return self._draw(batch)

    def _draw(self, batch: int | None, mark: tuple[int, int] | None = None, words: str = "") -> bytes:
        from .sides_picture import draw_sides

        shown = self.selected if batch is None else batch
        chosen: dict[str, Any] = {"measure": self.measure, "quantity": self.quantity, "stream": self.stream}
        return draw_sides(self.runs, shown, mark=mark, words=words, **chosen)

    def column(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """One number per batch that all sides have recorded: the batches (m,), and the numbers (sides, m).

        Parameters
        ----------
        name : str
            One of `rnnbow_widget.overview.QUANTITIES`.
        """
        one_of("name", name, QUANTITIES)
        runs = list(self.runs.values())
        common = runs[0].batches
        for run in runs[1:]:
            common = np.intersect1d(common, run.batches)
        return common, np.array([run.column(name)[np.searchsorted(run.batches, common)] for run in runs])

    # Traits.

    @traitlets.validate("stream")
    def _check_stream(self, proposal: Mapping[str, Any]) -> int | None:
        with refused():
            return self._reporters[0].checked_stream(proposal["value"])

    @traitlets.observe("stream")
    def _send_details_of_stream(self, _: object) -> None:
        if self.comm is not None:  # else nobody has anything of this widget
            self._conversation.renew_state()

    @traitlets.observe("selected")
    def _send_contrast(self, _: object) -> None:
        if self.comm is not None:
            self.send_state("_contrast")

    def _chosen(self) -> dict[str, Any]:
        """Options that are not as they are if nothing is said."""
        usual = self.class_traits()
        return {name: getattr(self, name) for name in OPTIONS if getattr(self, name) != usual[name].default_value}

    def _diverged(self) -> list[Trainer]:
        """Those that stay where they are."""
        if self._lockstep is None:
            return []
        ends = zip(self._lockstep.trainers, self._lockstep.diverged, strict=True)
        return [trainer for trainer, error in ends if error]

    def _tell_settings(self) -> None:
        """A setting of a side was assigned: pages see how the sides differ now."""
        if self.comm is not None:
            self.send_state("_sides")

    def _describe(self) -> dict[str, Any]:
        sides = list(self.sides.values())
        described_ = [
            {"name": drawable(name), "settings": drawable(described(settings)), "weights": side.weights}
            for (name, side), settings in zip(self.sides.items(), differing(sides), strict=True)
        ]
        return {"sides": described_, "remarks": [drawable(remark) for remark in remarks(sides)]}

    def _told(self) -> dict[str, Any]:
        return {"sentence": drawable(self.sentence(self.selected))}

    def _side_state(self, index: int) -> dict[str, Any] | None:
        """Traits of one side, as those of an `RNNbow`; None if there are fewer sides."""
        if index >= len(self._reporters):
            return None
        reporter = self._reporters[index]
        return {
            **reporter.traits(),
            "_run": reporter.feed.state(self.selected, self.stream),
            "_status": self._conversation.status(index),
        }

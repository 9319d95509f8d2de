"""The command line ``rnnbow``: what can be done without a notebook. Arguments in, results out; the work is elsewhere.

Results go to the standard output, all else to the standard error. The exit status is 0, 1 if something failed, 2 for
what was asked in a way that cannot be done, and 130 after an interrupt.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import __version__, corpora, tasks
from .cells import CELLS
from .checks import shown
from .data import SEQ_LENGTH, Data
from .export import write_out
from .initialization import PRESETS
from .measuring import MEASURES
from .optimizers import OPTIMIZERS
from .overview import QUANTITIES
from .page import MAX_BYTES
from .records import MEMORY_LIMIT
from .run import Run
from .run_file import SUFFIX, RunFileError
from .trainer import Trainer
from .training_loop import DivergedError
from .visible_text import visible, visible_line

Command = TypeVar("Command", bound=Callable[..., Any])

_SHOWN_SECONDS = 0.1  # between two looks at the progress
_FILE = click.Path(dir_okay=False, path_type=Path)
_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


if TYPE_CHECKING:
    _Type = click.ParamType[Any]
else:
    _Type = click.ParamType  # older ones of click take no type in brackets


class _Horizon(_Type):
    name = "lags"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in ("auto", "all"):
            return "auto" if value == "auto" else None
        try:
            lags = int(value)
        except ValueError:
            lags = 0
        if lags < 1:
            self.fail(f"takes a number of lags from 1 on, auto, or all; got {shown(value)}", param, ctx)
        return lags


class _Bound(_Type):
    name = "bound"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value == "none":
            return None
        try:
            return float(value)
        except ValueError:
            self.fail(f"takes a number, or none; got {value!r}", param, ctx)


TASKS: dict[str, Callable[..., tasks.Task]] = {
    "adding": tasks.Adding,
    "temporal-order": tasks.TemporalOrder,
    "copy-memory": tasks.CopyMemory,
    "delayed-recall": tasks.DelayedRecall,
    "reber": tasks.Reber,
    "embedded-reber": tasks.EmbeddedReber,
    "anbn": tasks.AnBn,
}
"""Tasks by the name that the option has."""
_TASK_OPTIONS = {
    "length": "Of a task: steps of a sequence; of copy-memory, symbols to remember.",
    "symbols": "Of temporal-order: symbols that matter; of copy-memory: different symbols.",
    "lag": "Of copy-memory: steps from the last symbol to the mark.",
    "delay": "Of delayed-recall: how many steps before.",
    "most": "Of anbn: the largest n.",
}


def _task_options(command: Command) -> Command:
    """Give a command the options that tasks have."""
    for name, help_ in reversed(_TASK_OPTIONS.items()):
        command = click.option(f"--{name}", type=click.IntRange(1), help=help_)(command)
    return command


def _data(text: Path | None, task: str | None, given: dict[str, int]) -> Data:
    """What to train on: a text, or a task with what was given of its options."""
    if text is not None and task is not None:
        raise click.UsageError("Give a text or --task.")
    if text is not None:
        if given:
            raise click.UsageError(f"--{next(iter(given))} belongs to a task: give --task.")
        return corpora.text(text)
    if task is None:
        raise click.UsageError("Give what to train on: a text, or --task.")
    takes = list(inspect.signature(TASKS[task]).parameters)
    for name in given:
        if name not in takes:
            raise click.UsageError(
                f"--{name} is none of --task {task}: it takes {', '.join(f'--{own}' for own in takes)}."
            )
    return TASKS[task](**given)


def _outputs(command: Command) -> Command:
    """Give a command the options of what can be written of a run."""
    for option in reversed(
        (
            click.option("--html", type=_FILE, help="Write a page to share: one file for any browser."),
            click.option("--svg", type=_FILE, help="Write a still picture of a batch as SVG."),
            click.option("--png", type=_FILE, help="Write a still picture of a batch as PNG."),
            click.option("--batch", type=click.IntRange(0), help="Which batch is drawn. [default: the newest]"),
            click.option("--measure", type=click.Choice(MEASURES), default="norm", show_default=True),
            click.option("--quantity", type=click.Choice(QUANTITIES), default="max_gradient", show_default=True),
            click.option("--title", help="Heading of the page. [default: the name of the data]"),
            click.option(
                "--max-bytes", type=click.IntRange(1), default=MAX_BYTES, show_default=True, help="Size of the page."
            ),
        )
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rnnbow")
def rnnbow() -> None:
    """Watch a recurrent network learn: train one, look at what was recorded, and share it."""


@rnnbow.command(context_settings={"show_default": True})
@click.argument("text", type=_THERE, required=False)
@click.option("--task", type=click.Choice(list(TASKS)), help="Train on a task instead of a text.")
@_task_options
@click.option("--batches", type=click.IntRange(0), default=10_000, help="How many batches to train.")
@click.option("--save", type=_FILE, help="Write a run file as it trains; the name ends in .rnnbow.")
@click.option("--overwrite", is_flag=True, help="Replace a run file that is there.")
@click.option("--cell", type=click.Choice(list(CELLS)), default="tanh")
@click.option("--hidden-size", type=click.IntRange(1), default=100, help="Hidden units of a layer.")
@click.option("--num-layers", type=click.IntRange(1), default=1)
@click.option("--bidirectional", is_flag=True)
@click.option("--init", type=click.Choice(list(PRESETS)), default="normal", help="How weights begin.")
@click.option("--forget-bias", type=float, help="Of an LSTM.")
@click.option(
    "--seq-length", type=click.IntRange(1), help="Steps in a window. [default: 25; sequences of a task are whole]"
)
@click.option("--batch-size", type=click.IntRange(1), default=1, help="Streams that are trained in parallel.")
@click.option("--horizon", type=_Horizon(), default="10", help="Lags that are recorded: a number, auto, or all.")
@click.option("--tolerance", type=float, default=0.1, help="What --horizon auto may leave out.")
@click.option("--surface", "surfaces", multiple=True, help="Also record this gradient, such as W_ih; may be repeated.")
@click.option("--record-every", type=click.IntRange(1), default=100, help="Recording interval, in batches.")
@click.option("--learning-rate", type=float, default=0.1)
@click.option("--optimizer", type=click.Choice(list(OPTIMIZERS)), default="adagrad")
@click.option("--clip-value", type=_Bound(), default="5", help="Bound on each entry of the gradient, or none.")
@click.option("--clip-norm", type=_Bound(), help="Bound on the gradient's norm.")
@click.option("--seed", type=click.IntRange(0), default=0)
@click.option("--memory-limit", type=click.FloatRange(1), default=MEMORY_LIMIT, help="Bytes that the run may take.")
@_outputs
def train(
    text: Path | None,
    task: str | None,
    batches: int,
    html: Path | None,
    svg: Path | None,
    png: Path | None,
    surfaces: tuple[str, ...],
    **settings: Any,
) -> None:
    """Train on a text, or on a task, and write what was recorded.

    For example: rnnbow train --task adding --length 50 --cell lstm --batch-size 20 --save adding.rnnbow

    An interrupt (Ctrl-C) ends training; what was asked for is written of what was recorded until then.
    """
    drawn = {name: settings.pop(name) for name in ("batch", "measure", "quantity", "title", "max_bytes")}
    of_task = {name: value for name in _TASK_OPTIONS if (value := settings.pop(name)) is not None}
    _require_matplotlib(svg, png)
    with _said_as_options():
        trainer = Trainer(_data(text, task, of_task), surfaces=surfaces or None, **settings)
    status = 0
    try:
        _train(trainer, batches)
    except KeyboardInterrupt:
        click.echo(f"Interrupted after {trainer.batch:,} batches.", err=True)
        status = 130
    except DivergedError as error:
        click.echo(f"{error} {error.hint}", err=True)
        status = 1
    _write(trainer.run, html, svg, png, **drawn)
    click.echo(repr(trainer.run))
    if trainer.run.writer and trainer.run.writer.trouble:
        raise click.ClickException(f"--save: {trainer.run.writer.trouble}")
    sys.exit(status)


@rnnbow.command()
@click.argument("run", metavar="RUN", type=_THERE)
@_outputs
def export(run: Path, html: Path | None, svg: Path | None, png: Path | None, **drawn: Any) -> None:
    """Write a page or a picture of a run file."""
    if not (html or svg or png):
        raise click.UsageError("Nothing to write: give --html, --svg or --png.")
    _require_matplotlib(svg, png)
    with _said_as_options():
        opened = Run.open(run)
    _write(opened, html, svg, png, **drawn)


@rnnbow.command(context_settings={"show_default": True})
@click.argument("run", metavar="RUN", type=_THERE)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Port; 0 for any that is free.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
def view(run: Path, port: int, browser: bool) -> None:
    """Show a run file in a browser, and follow it while it grows.

    The page is served to this machine only, at an address that nobody can guess. Ctrl-C ends it.
    """
    from .follower import Follower
    from .server import PageServer

    with _said_as_options():
        server = PageServer(Follower(Run.open(run)), port)
    with server:
        click.echo(server.url)
        if browser:
            click.launch(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("Ended.", err=True)


@rnnbow.command()
@click.argument("file", type=_THERE)
def info(file: Path) -> None:
    """Say what a run file or a text holds."""
    with _said_as_options():
        facts = _facts_of_run(file) if _is_run_file(file) else _facts_of_text(file)
    width = max(map(len, facts))
    for name, fact in facts.items():
        click.echo(f"{visible_line(name):{width}}  {visible_line(str(fact))}")


def _train(trainer: Trainer, batches: int) -> None:
    """Train, and show on a terminal how it goes."""
    if not sys.stderr.isatty():
        trainer.train(batches)
        return
    bar: Any = click.progressbar(
        length=batches,
        label="Training",
        item_show_func=lambda loss: "" if loss is None else f"loss {loss:.3f}",
        show_pos=True,
        file=sys.stderr,
    )
    stretch = 1
    with trainer.run.training(), bar:
        while trainer.batch < batches:
            begun, count = monotonic(), min(stretch, batches - trainer.batch)
            trainer.train(count)
            bar.update(count, trainer.smooth_loss)
            stretch = max(1, min(2 * stretch, int(count * _SHOWN_SECONDS / max(1e-6, monotonic() - begun))))


def _write(
    run: Run,
    html: Path | None,
    svg: Path | None,
    png: Path | None,
    *,
    title: str | None,
    max_bytes: int,
    batch: int | None,
    measure: str,
    quantity: str,
) -> None:
    drawn = {"measure": measure, "quantity": quantity}
    with _said_as_options():
        if html:
            run.to_html(html, title=title, max_bytes=max_bytes, selected=batch, **drawn)
        if svg:
            write_out(svg, run.to_svg(batch, **drawn))
        if png:
            write_out(png, run.to_png(batch, **drawn))
    for path in (html, svg, png):
        if path:
            click.echo(f"Wrote {path}", err=True)


def _require_matplotlib(*files: Path | None) -> None:
    """Fail before an hour of training, not after it."""
    if any(files):
        try:
            from . import picture  # noqa: F401
        except ImportError as error:
            raise click.ClickException(str(error)) from None


@contextmanager
def _said_as_options() -> Iterator[None]:
    """Have errors that name an argument name the option."""
    try:
        yield
    except (LookupError, OSError, RunFileError, TypeError, ValueError) as error:
        words = str(error.args[0] if isinstance(error, KeyError) else error)
        said = "\n".join(map(visible_line, words.split("\n")))  # a file's own words give the terminal no orders
        name, _, rest = said.replace("overwrite=True", "--overwrite").partition(" ")
        options = {parameter.name: parameter.opts[0] for parameter in click.get_current_context().command.params}
        if name not in options:
            raise click.ClickException(said) from None
        raise click.UsageError(f"{options[name]} {rest}") from None


def _is_run_file(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == SUFFIX or file.read(16) == b"SQLite format 3\0"


def _facts_of_run(path: Path) -> dict[str, Any]:
    run = Run.open(path)
    facts: dict[str, Any] = {"run file": path, "recorded batches": f"{len(run):,}"}
    if run.reader:
        facts["state"] = run.reader.activity
    if len(run):
        loss, horizon = run.column("loss"), run.column("horizon_length")
        facts["batches"] = f"{run.batches[0]:,} to {run.batches[-1]:,}"
        facts["with details"] = f"{int(run.detailed.sum()):,}"
        unit = " nats per step" if run.vocabulary else ""
        facts["loss"] = f"{loss[0]:.4g} → {loss[-1]:.4g}{unit}"
        facts["horizon length"] = f"{horizon[0]:g} → {horizon[-1]:g} steps"
        facts["surfaces"] = ", ".join(name for name in run.overview.surfaces if ":" not in name)
    for cue in run.cues():
        name = f"batch {cue.batch:,}"
        facts[name] = f"{facts[name]} {cue.reason}" if name in facts else cue.reason
    for name, value in run.settings.items():
        if value is not None and name not in facts:
            facts[name] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return facts


def _facts_of_text(path: Path) -> dict[str, Any]:
    corpus = corpora.text(path)
    return {
        "text": path,
        "characters": f"{len(corpus):,}",
        "distinct": f"{len(corpus.vocabulary):,}",
        "vocabulary": " ".join(map(visible, corpus.vocabulary[:100])) + (" …" if len(corpus.vocabulary) > 100 else ""),
        f"windows of {SEQ_LENGTH}": f"{(len(corpus) - 1) // SEQ_LENGTH:,}",
    }

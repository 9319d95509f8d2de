"""`compare`: what can be compared, in whatever form it comes, made into the sides of a `Comparison`."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from . import corpora
from .comparison import OPTIONS, Comparison
from .data import Data
from .grid import TAKEN
from .run import Run
from .run_file import names_run_file
from .sides import Side, check_comparable, derived_names
from .trainer import Trainer
from .widget import RNNbow

Source = Trainer | Run | RNNbow | PathLike[str]
Recipe = str | Mapping[str, Any]
_SOURCES = (Trainer, Run, RNNbow)


def compare(
    *sources: Source | Recipe, data: Data | str | PathLike[str] | None = None, **named_or_settings: Any
) -> Comparison:
    """Show two to four runs or live trainers side by side, on the same data.

    Parameters
    ----------
    *sources : Trainer, Run, RNNbow, str or path
        What is compared. A run file, whose name ends in ``.rnnbow``, is followed while somebody writes it. With `data`,
        names of cells or mappings of settings, from which trainers are made.
    data : Data, str or path, optional
        What to train those on. They record the whole window (``horizon=None``) unless a setting says otherwise.
    **named_or_settings
        Sources with a name each; options of `Comparison`, such as ``quantity="loss"``; and with `data` settings that
        all trainers have in common.

    Returns
    -------
    Comparison
        The widget.

    Raises
    ------
    TypeError, ValueError
        If there are not two to four sources, one is there twice, or they have different data, windows or streams.
    FileNotFoundError, RunFileError
        If there is no such run file, or it cannot be read; see `Run.open`.

    Examples
    --------
    >>> from rnnbow_widget import Trainer, compare
    >>> text = "hello world, " * 40
    >>> both = compare("tanh", "lstm", data=text, hidden_size=16, record_every=5)
    >>> both.train(100)
    >>> sorted(both.runs)
    ['LSTM', 'tanh']
    >>> named = compare(small=Trainer(text, hidden_size=8), large=Trainer(text, hidden_size=32))
    """
    kinds = (*_SOURCES, Mapping) if data is not None else _SOURCES
    named = {
        name: value
        for name, value in named_or_settings.items()
        if name not in (*OPTIONS, *TAKEN) and (isinstance(value, kinds) or (data is None and _is_run_file(value)))
    }
    rest = {name: value for name, value in named_or_settings.items() if name not in named}
    options = {name: rest.pop(name) for name in OPTIONS if name in rest}
    if data is None and rest:
        raise TypeError(f"{', '.join(rest)}: compare takes settings only with data; the sources have their own")
    everything = [*sources, *named.values()]
    if data is not None:
        shared = data if isinstance(data, Data) else corpora.text(data, argument="data")
        everything = [_made(source, shared, rest) for source in everything]
    sides = [_side(source) for source in everything]
    check_comparable(sides)
    unnamed = derived_names(sides)[: len(sources)]
    for name in unnamed:
        if name in named:
            raise ValueError(f"compare takes different names; {name!r} is what another side is called already")
    return Comparison(dict(zip([*unnamed, *named], sides, strict=True)), **options)


def _made(source: Source | Recipe, data: Data, settings: Mapping[str, Any]) -> Trainer:
    if isinstance(source, _SOURCES):
        raise TypeError(
            f"with data, compare takes names of cells or mappings of settings; got a {type(source).__name__}"
        )
    own = {"cell": source} if isinstance(source, str) else source
    if not isinstance(own, Mapping):
        raise TypeError(f"compare takes names of cells or mappings of settings with data; got {type(source).__name__}")
    return Trainer(data, **{"horizon": None, **settings, **own})


def _side(source: Any) -> Side:
    if isinstance(source, RNNbow):
        return Side(source.run, source.trainer)
    if isinstance(source, Trainer):
        return Side(source.run, source)
    if isinstance(source, Run):
        return Side(source, None)
    if _is_run_file(source):
        return Side(Run.open(source), None)
    help_ = "; with data=…, a cell's name makes a trainer" if isinstance(source, (str, Mapping)) else ""
    takes = "trainers, runs, RNNbow widgets or the names of run files"
    raise TypeError(f"compare takes {takes}; got {type(source).__name__}{help_}")


def _is_run_file(source: Any) -> bool:
    return isinstance(source, (str, PathLike)) and names_run_file(source)

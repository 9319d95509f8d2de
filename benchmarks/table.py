"""The table: a row for each figure, printed as soon as it is known."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTHS = (84, 12, 12, 9, 9, 3)


@dataclass(frozen=True)
class Row:
    """One comparison. ``met`` is None where nothing was asked."""

    name: str
    ours: str
    peer: str = ""
    ratio: str = ""
    asked: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        verdict = {True: "yes", False: "NO", None: ""}[self.met]
        return (self.name, self.ours, self.peer, self.ratio, self.asked, verdict)


@dataclass(frozen=True)
class Findings:
    """What a part of the benchmark found: rows of the table, and sentences below it."""

    rows: Sequence[Row]
    notes: Sequence[str] = ()


def faster(name: str, ours: float, peer: float, asked: float | None = None) -> Row:
    """A row for a peer that takes ``peer`` seconds; at least ``asked`` times ours is wanted."""
    return _compare(name, ours, peer, peer / ours, asked, "≥")


def dearer(name: str, ours: float, peer: float, asked: float | None = None) -> Row:
    """A row for something cheaper that takes ``peer`` seconds; at most ``asked`` times that is wanted."""
    return _compare(name, ours, peer, ours / peer, asked, "≤")


def _compare(name: str, ours: float, peer: float, ratio: float, asked: float | None, sign: str) -> Row:
    times = (duration(ours), duration(peer), f"{ratio:.2f}×")
    if asked is None:
        return Row(name, *times)
    met = ratio >= asked if sign == "≥" else ratio <= asked
    return Row(name, *times, f"{sign} {asked:g}×", met)


def duration(seconds: float) -> str:
    """A time with three digits and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def print_head() -> None:
    _print(("", "ours", "peer", "ratio", "asked", "met"))
    print("─" * (sum(WIDTHS) + 2 * (len(WIDTHS) - 1)))


def print_row(row: Row) -> None:
    _print(row.cells())


def _print(cells: tuple[str, ...]) -> None:
    name, *numbers = cells
    texts = [name.ljust(WIDTHS[0]), *(cell.rjust(width) for cell, width in zip(numbers, WIDTHS[1:], strict=True))]
    print("  ".join(texts).rstrip(), flush=True)

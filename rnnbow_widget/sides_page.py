"""A page that is one file, of several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .page import MAX_BYTES, checked_size, described, fitting, make_document, pack_run, page_traits
from .reporter import Reporter

_SPARE = 200  # for numbers that are not known yet when it is worked out how much room there is


def make_sides_page(
    reporters: Mapping[str, Reporter],
    traits: Mapping[str, Any],
    *,
    title: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> str:
    """Return the HTML of a page with a comparison.

    Parameters
    ----------
    reporters : mapping of str to Reporter
        Of each side, by its name.
    traits : mapping
        Those of the comparison, but for its sides' own.
    title : str, optional
        Heading of the page; by default the names of the sides.
    max_bytes : int
        Size of the page at most. Sides share the room equally; what one does not need, those after it have. Of what
        does not fit, see `make_page`.

    Raises
    ------
    TypeError, ValueError
        If `title` is no text, or `max_bytes` leaves no room for the runs.
    """
    max_bytes = checked_size(title, max_bytes)
    sides = {f"_side_{place}": page_traits(reporter, {}) for place, reporter in enumerate(reporters.values())}
    whole = {**traits, **{f"_side_{place}": None for place in range(4)}, **sides, "playing": False}
    settings = "; ".join(f"{name}: {described(reporter.settings)}" for name, reporter in reporters.items())
    heading = title or f"RNNbow: {', '.join(reporters)}"

    def document(packed: Sequence[Sequence[str]]) -> str:
        return make_document(heading, settings, whole, packed)

    room = max_bytes - len(document([])) - _SPARE
    packed = []
    for place, (side, reporter) in enumerate(zip(sides.values(), reporters.values(), strict=True)):
        side["_status"]["file"] = None  # nobody here could say what becomes of it
        texts, side["_info"]["page"] = pack_run(
            reporter, traits["selected"], traits["stream"], room // (len(reporters) - place)
        )
        room -= sum(map(len, texts))
        packed.append(texts)
    return fitting(document(packed), max_bytes, "the overviews and one batch of each of these runs")

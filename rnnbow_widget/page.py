"""A page that is one file: the panels with a run, to be opened in any browser, without a kernel or a network."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import __version__
from .checks import boolean, instance, one_of, whole_number
from .compact import MANTISSA_BITS, compact, rounded
from .export import File, write_out
from .extract import extract_rows
from .measuring import MEASURES
from .overview import QUANTITIES
from .protocol import pack_details, pack_overview
from .reporter import Reporter
from .run import Run
from .run_file import RunFileError
from .snapshot import Snapshot, stream_views
from .visible_text import visible_line

FORMS = ("auto", "bars", "heatmap")
"""How panel 3 is drawn; "auto": as bars while they are wide enough to be read."""
MAX_BYTES = 5_000_000
"""Size of a page at most, unless another is asked for: what a mail may carry."""
FIRST_VIEW: Mapping[str, Any] = {
    "selected": None,
    "measure": "norm",
    "form": "auto",
    "quantity": "max_gradient",
    "overlay": None,
    "log_scale": False,
    "stream": None,
}
"""What a page shows first, unless something else is chosen."""

_STATIC = Path(__file__).parent / "static"
_SAMPLED = 64  # snapshots from which it is estimated how small others become
_LONGEST_SETTING = 200
_SPARE = 50  # for numbers that are not known yet when it is worked out how much room there is


def make_page(
    reporter: Reporter,
    chosen: Mapping[str, Any] | None = None,
    *,
    title: str | None = None,
    max_bytes: int = MAX_BYTES,
    follows: str | None = None,
) -> str:
    """Return the HTML of a page with a run.

    The page declares a content security policy that allows its one script and its one style, and nothing else.

    Parameters
    ----------
    reporter : Reporter
        Of the run.
    chosen : mapping, optional
        What the page shows first, as the traits of these names; what is missing is as in `FIRST_VIEW`, and
        the surface is the primary one.
    title : str, optional
        Heading of the page; by default the name of the data.
    max_bytes : int
        Size of the page at most. Every recorded batch is in the overview as long as that takes at most half of the
        room, else an extract of it with every peak. Details are those that the run holds, of all batches if they fit,
        else of so many, evenly spread, and of the selected one and those that cues name. Of a minibatch the chosen
        stream, or the average, gets at least half of the room.
    follows : str, optional
        Where the page is to ask for what is new and what it does not hold, relative to its own address: it is served,
        and no file. Its policy then allows to ask its own server, and it may be larger if one batch needs that.

    Raises
    ------
    TypeError, ValueError
        If `title` is no text, or `max_bytes` leaves no room for the run.
    """
    max_bytes = checked_size(title, max_bytes)
    traits = page_traits(reporter, {**FIRST_VIEW, "surface": reporter.primary, **(chosen or {})})
    heading = title or f"RNNbow: {traits['_info']['data_name'] or 'a run'}"

    def document(packed: Sequence[str]) -> str:
        return make_document(heading, described(reporter.settings), traits, [packed], follows)

    room = max_bytes - len(document([])) - _SPARE
    if follows:
        traits["_run"], _ = reporter.feed.tell_all()
    else:
        traits["_status"]["file"] = None  # nobody here could say what becomes of it
    packed, about = pack_run(reporter, traits["selected"], traits["stream"], room, spare_unreadable=bool(follows))
    traits["_info"]["page"] = None if follows else about
    page = document(packed)
    return page if follows else fitting(page, max_bytes, "the overview and one batch of this run")


def checked_size(title: Any, max_bytes: Any) -> int:
    """Return how large a page may be, if that is a size, and its title a text or None.

    Raises
    ------
    TypeError, ValueError
        If they are not.
    """
    if title is not None:
        instance("title", title, str)
    return whole_number("max_bytes", max_bytes)


def fitting(page: str, max_bytes: int, contents: str) -> str:
    """Return a page that is as small as it can be, with the panels and these contents.

    Raises
    ------
    ValueError
        If it is larger than it may be.
    """
    if len(page) > max_bytes:
        raise ValueError(f"max_bytes takes at least {len(page)}, which the panels, {contents} need; got {max_bytes}")
    return page


def write_page(run: Run, file: File, *, title: str | None = None, max_bytes: int | None = None, **choices: Any) -> None:
    """Write the page of a run, which shows first what is chosen; see `Run.to_html`."""
    reporter, most = Reporter(run, None), MAX_BYTES if max_bytes is None else max_bytes
    write_out(file, make_page(reporter, checked_view(reporter, choices), title=title, max_bytes=most))


def checked_view(reporter: Reporter, choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page is to show first, if there is such a thing.

    Raises
    ------
    KeyError
        If the selected batch was not recorded.
    TypeError, ValueError
        If a choice is none of those of `FIRST_VIEW`, or has no such value.
    """
    checks: dict[str, Callable[[Any], Any]] = {
        "selected": lambda batch: reporter.run.index_of(whole_number("selected", batch, minimum=0)),
        "measure": lambda value: one_of("measure", value, MEASURES),
        "form": lambda value: one_of("form", value, FORMS),
        "quantity": lambda value: one_of("quantity", value, QUANTITIES),
        "overlay": lambda value: one_of("overlay", value, QUANTITIES),
        "log_scale": lambda value: boolean("log_scale", value),
        "stream": reporter.checked_stream,
        "surface": reporter.checked_surface,
    }
    shown: dict[str, Any] = {}
    for name, value in choices.items():
        if name not in checks:
            raise TypeError(f"{name}: a page takes choices of {', '.join(checks)}")
        if value is not None or FIRST_VIEW.get(name) is not None:
            checked = checks[name](value)
            shown[name] = int(value) if name == "selected" else checked
    return shown


def page_traits(reporter: Reporter, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What the page's model holds, as docs/architecture.md describes it, but for what is recorded."""
    traits = reporter.traits()
    return {
        **chosen,
        **traits,
        "playing": False,
        "_info": {**traits["_info"], "live": False, "page": {"details": 0}},
        "_run": {"epoch": 0, "next": 0, "recorded": len(reporter.run)},
        "_status": reporter.status(training=False, rate=math.nan),
    }


def pack_run(
    reporter: Reporter, selected: int | None, stream: int | None, room: int, *, spare_unreadable: bool = False
) -> tuple[list[str], dict[str, int]]:
    """Return texts of what is recorded that take `room` if that can be, and what `_info.page` says of them.

    Details that the run's file has, but that cannot be read, are an error, or left out: who asks for them is told.
    """
    run = reporter.run
    named = {cue.batch for cue in run.cues()} | {selected}
    packed = [_pack_overview(run, named, room // 2)]
    room -= len(packed[0])
    streams = [None, *range(reporter.batch_size)] if reporter.batch_size > 1 else [None]
    details = 0
    for place, one in enumerate(sorted(streams, key=lambda one: one != stream)):  # the chosen one first
        share = 1 if len(streams) == 1 else 2 if place == 0 else len(streams) - place
        text, count = _pack_details(run, one, named, room // share, spare_unreadable)
        if place == 0:
            details = count
        elif len(text) > room // share:
            continue
        packed.append(text)
        room -= len(text)
    return packed, {"details": details}


def _pack_overview(run: Run, named: set[int | None], room: int) -> str:
    overview, count = run.overview, len(run)
    if count * len(overview.names) <= room:  # at least a byte for each number
        text = compact(pack_overview(overview, slice(count)))
        if len(text) <= room:
            return text
    batches = overview.column("batch", 0, count)  # (recorded,)
    others = np.flatnonzero([batch in named for batch in batches.tolist()])
    return compact(pack_overview(overview, extract_rows(overview, count, others)))


def _pack_details(
    run: Run, stream: int | None, named: Set[int | None], room: int, spare_unreadable: bool
) -> tuple[str, int]:
    """Return the text of details of as many batches as fit, of one at least, and how many those are."""
    held = np.flatnonzero(run.detailed)  # (held,): which recorded batches have details
    wanted = held[np.isin(run.batches[held], [batch for batch in named if batch is not None])]

    def read(indices: NDArray[np.intp]) -> Iterator[Snapshot]:
        for index in indices.tolist():
            try:
                yield run[index]
            except RunFileError:
                if not spare_unreadable:
                    raise

    def pack(indices: NDArray[np.intp]) -> str:
        snapshots = stream_views(read(indices), stream)
        return compact([rounded(chunk) for chunk in pack_details(snapshots)])

    count = len(held)
    if count > _SAMPLED:
        expected = len(pack(_evenly(held, _SAMPLED))) / _SAMPLED
        count = min(count, int(1.1 * room / expected))  # more become smaller
    while True:
        chosen = _evenly(held, count)
        if count > 1:
            chosen = np.union1d(chosen, wanted)
        text = pack(chosen)
        if len(text) <= room or count <= 1:
            return text, len(chosen)
        count = min(count - 1, int(0.99 * count * room / len(text)))


def _evenly(indices: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Choose so many, evenly spread: the newest, and further ones as they fit."""
    return (
        indices[np.linspace(len(indices) - 1, 0, max(1, count)).round().astype(np.intp)[::-1]]
        if len(indices)
        else indices
    )


def make_document(
    heading: str,
    settings: str,
    traits: Mapping[str, Any],
    packed: Sequence[Sequence[str]],
    follows: str | None = None,
) -> str:
    """Return the page: HTML in ASCII, so that its characters are its bytes.

    Parameters
    ----------
    heading, settings : str
        What stands above the panels.
    traits : mapping
        What the page's model holds.
    packed : sequence of sequence of str
        Texts of what is recorded, of each run.
    follows : str, optional
        See `make_page`.
    """
    script, style = (_bundled(name) for name in ("page.js", "page.css"))
    allowed = f"script-src {_hash(script)}; style-src {_hash(style)}"
    if follows:
        allowed += "; connect-src 'self'"
    # The last two: where browsers know them, no text becomes markup or code, whatever the script does with it.
    others = "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    policy = f"default-src 'none'; {allowed}; {others}"
    precision = 2 ** (MANTISSA_BITS + 1)
    made = f"Made by rnnbow_widget {__version__}. Numbers of single batches are rounded, to one part in {precision:,}."
    recorded = "\n".join(" ".join(texts) for texts in packed)
    page = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(heading)}</title>\n<style>{style}</style>\n</head>\n<body>",
        f'<header><h1>{_text(heading)}</h1><p class="settings">{_text(settings)}</p></header>',
        '<main><noscript><p class="failure">A script draws the panels, but this browser runs none.</p></noscript>',
        "</main>",
        f"<footer><p>{made}</p><details><summary>Licences of what is inside</summary>",
        f"<pre>{escape(_bundled('LICENSES.txt'))}</pre></details></footer>",
        f'<script type="application/json" id="rnnbow-traits">{_json(traits)}</script>',
        f'<script type="text/plain" id="rnnbow-chunks">{recorded}</script>',
        f'<script type="text/plain" id="rnnbow-follows">{follows or ""}</script>',
        f"<script>{script}</script>\n</body>\n</html>\n",
    ]
    return "\n".join(page).encode("ascii", "xmlcharrefreplace").decode("ascii")


@cache
def _bundled(name: str) -> str:
    """Text of a file that js/build.mjs wrote; scripts and styles are ASCII."""
    return (_STATIC / name).read_text(encoding="utf-8").strip()


def _hash(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _json(value: Any) -> str:
    """JSON that no HTML parser takes for the end of a script."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _text(text: str) -> str:
    """Text as HTML that shows every character of it."""
    return escape(visible_line(text))


def described(settings: Mapping[str, Any]) -> str:
    """Settings that are set, as a line."""
    texts = [f"{name}={value}" for name, value in settings.items() if value is not None]
    return ", ".join(text if len(text) <= _LONGEST_SETTING else f"{text[:_LONGEST_SETTING]}…" for text in texts)

"""What a notebook keeps of a widget that is displayed: a view for browsers, and words and pictures for all else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import anywidget
from ipywidgets import Widget

from .grading import is_graded

_WIDTH = 840  # pixels of a page: of pictures, which have more of their own


def mime_bundle(
    widget: anywidget.AnyWidget, picture: Callable[[], bytes] | None, *, always: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a widget as MIME types with their content, and metadata of these, as IPython asks for it.

    The text is what ``repr`` says, all of it. A picture is there where a grader runs the notebook, in the place of the
    view: pages of feedback are read without a kernel and without a network.

    Parameters
    ----------
    widget : AnyWidget
        What is displayed.
    picture : callable or None
        Draws it, as PNG; None if there is nothing to draw.
    always : bool
        Whether there is a picture beside the view in any case, because nothing will change any more.
    """
    metadata: dict[str, Any] = {}
    found = Widget._repr_mimebundle_(widget) or {}
    data: dict[str, Any] = {**found, "text/plain": repr(widget)}
    if picture and (always or is_graded()):
        try:
            data["image/png"] = b64encode(picture()).decode("ascii")
        except ImportError:
            return data, {}  # without matplotlib there are words
        metadata["image/png"] = {"width": _WIDTH}
        if is_graded():
            data = {kind: content for kind, content in data.items() if not kind.endswith("widget-view+json")}
    return data, metadata

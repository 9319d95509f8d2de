"""What our docstrings mean to Sphinx: single backticks, types in words, first sentences with a colon."""

import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon.docstring import NumpyDocstring
from sphinx.util.docstrings import prepare_docstring

_NAME = re.compile(r"(?<![`:\w])`([A-Za-z_]\w*)`(?!`)")
_TYPE = re.compile(r"[A-Z][A-Za-z]+")


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen to what is read, and to what was not found where Sphinx looks."""
    app.connect("autodoc-process-docstring", _read, priority=600)  # after napoleon
    app.connect("doctree-read", _leave_words_alone)
    app.connect("missing-reference", _find_anywhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _read(app: Sphinx, kind: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    # Of what is no function, napoleon takes all before the first colon for a type. Here it is the sentence's beginning.
    if kind == "property":
        own = prepare_docstring(inspect.getdoc(obj) or "")
        lines[:] = NumpyDocstring(own, app.config, app, "method", name, obj, options).lines()
    elif kind in ("attribute", "data"):
        for place, line in enumerate(lines):
            if line.startswith(":type: "):
                lines[:] = [f"{line.removeprefix(':type: ')}: {lines[0]}", *lines[1:place]]
                break
    try:
        parameters = set(inspect.signature(obj).parameters)
    except (TypeError, ValueError):
        return
    # Parameters of the documented function have no place of their own that a link could lead to.
    lines[:] = [
        _NAME.sub(lambda found: f"*{found[1]}*" if found[1] in parameters else found[0], line) for line in lines
    ]


def _leave_words_alone(_app: Sphinx, doctree: nodes.document) -> None:
    """Make no links of words in types: of "float32 array (n, V) or path", none is a name of ours."""
    for node in list(doctree.findall(pending_xref)):
        if node["reftype"] == "class" and "." not in node["reftarget"] and not _TYPE.fullmatch(node["reftarget"]):
            node.replace_self(node.children)


def _find_anywhere(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Resolve a name of ours from whatever module it is mentioned in, if only one thing is called that."""
    domain = env.domains.python_domain
    ending = "." + node.get("reftarget", "")
    places = {(entry.docname, entry.node_id): name for name, entry in domain.objects.items() if name.endswith(ending)}
    if node.get("refdomain") != "py" or len(places) != 1:
        return None
    (name,) = places.values()
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], name, node, content)

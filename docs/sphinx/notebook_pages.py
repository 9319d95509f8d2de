"""Notebooks as pages. They are committed without output, so text and code are all there is."""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx

_OPENING = "*A notebook: `make demo` opens it, with the panels live.* {{download}}`{name}`"


class NotebookParser(MystParser):
    """Reads a notebook's cells as Markdown."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parse the text of a notebook file."""
        name = Path(document["source"]).name
        parts = [_text(cell) for cell in json.loads(inputstring)["cells"]]
        parts.insert(1, _OPENING.format(name=name))  # beneath the heading
        super().parse("\n\n".join(parts), document)


def _text(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    return source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the parser."""
    app.add_source_suffix(".ipynb", "notebook")
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

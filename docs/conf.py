"""The documentation site: ``make docs``. What is read lies where it lies in the repository, so that links hold in both.

The source directory is the repository's root; this folder has the settings, and what Sphinx does not do by itself.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER / "sphinx"), str(FOLDER.parent)]

from rnnbow_widget import __version__  # noqa: E402

project = "rnnbow_widget"
author = "the rnnbow_widget authors"
project_copyright = author
version = release = __version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "docstrings",
    "mathml",
    "notebook_pages",
]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "docs/howto/*.md", "docs/reference/*.md", "notebooks/*.ipynb", "C*.md"]
exclude_patterns = [".*", "benchmarks", "dist", "docs/_build", "js", "rnnbow_widget", "scripts", "tests"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # as GitHub names them

# Every name of ours must be found. Names of others are not looked up: that would need a network.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|torch|lightning|matplotlib|pandas|xarray|traitlets|anywidget|collections|os|click)\..*"),
    ("py:.*", r"Executor|Path|[A-Z][A-Za-z]+Error|[A-Z][A-Za-z]+Warning"),
]
default_role = "py:obj"
autodoc_typehints = "none"  # docstrings say more: shapes, units
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
toc_object_entries_show_parents = "hide"
add_module_names = False
maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"rnnbow_widget {release}"
html_static_path = ["sphinx/static"]
html_css_files = ["site.css"]
html_extra_path = ["sphinx/root", "_build/extra"]  # the second is made by scripts/gallery.py
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"

"""Links within the repository lead somewhere: of README, docs and notebooks, to files and to headings."""

import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("notebooks/**/*.ipynb")])
PAGES = [page for page in PAGES if not {"_build", ".ipynb_checkpoints"} & set(page.parts)]

_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)")
_INDEX_ENTRY = re.compile(r"^```\{toctree\}.*?^```", re.DOTALL | re.MULTILINE)


def markdown(page: Path) -> str:
    """The text of a page, or of a notebook's cells that have text."""
    content = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return content
    cells = json.loads(content)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def links(text: str) -> list[str]:
    """Where links and images in a text lead to, those outside code."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text)))


def anchors(text: str) -> set[str]:
    """What the headings of a text can be linked to by, as GitHub names them."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*$", _FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for target in links(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (fragment and fragment not in anchors(markdown(there))):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page, markdown(page)) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    page = REPOSITORY / "docs" / "index.md"
    text = "[a](nothing.md) [b](measures.md#nothing) ![c](images/nothing.png) [d](#nothing) [e](measures.md#tasks)"
    assert broken(page, text) == ["nothing.md", "measures.md#nothing", "images/nothing.png", "#nothing"]
    assert broken(page, "```\n[a](nothing.md)\n```\n`[b](nothing.md)`") == []


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    index = REPOSITORY / "docs" / "index.md"
    lists = "\n".join(_INDEX_ENTRY.findall(index.read_text(encoding="utf-8")))
    entries = [line.strip() for line in lists.splitlines() if line and line[0] not in "`:"]
    pages = {
        path.relative_to(index.parent).with_suffix("").as_posix() for path in PAGES if index.parent in path.parents
    }
    assert pages - set(entries) == {"index"}

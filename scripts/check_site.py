"""Checks the built documentation without a network: ``python scripts/check_site.py FOLDER``.

Every link to a page, a file or a place in a page leads somewhere; nothing that a page needs to be seen comes from
elsewhere; no live page of the gallery is over a megabyte. Links that lead elsewhere are listed, not followed.
"""

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LIVE_BYTES = 1_000_000
_NEEDED = {"img", "script", "iframe", "source", "video"}
_LOADING_RELS = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}


@dataclass
class Page(HTMLParser):
    """What a page links to, what it needs, and the places in it that can be linked to."""

    text: str
    links: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag in _NEEDED and "src" in given:
            self.needs.append(given["src"])
        elif tag == "link" and _LOADING_RELS & set(given.get("rel", "").split()):
            self.needs.append(given["href"])
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])


def check(folder: Path) -> tuple[list[str], set[str]]:
    """Return what is wrong with a site, and the links that lead elsewhere."""
    live = sorted(folder.glob("live/*.html"))
    wrong = [
        f"{path.relative_to(folder)} is larger than a megabyte" for path in live if path.stat().st_size > LIVE_BYTES
    ]
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    elsewhere: set[str] = set()
    for path, page in pages.items():
        for target in (*page.links, *page.needs):
            parts = urlsplit(target)
            if parts.scheme in ("data", "javascript", "mailto"):
                continue
            if parts.scheme or parts.netloc:
                elsewhere.add(target)
                if target in page.needs:
                    wrong.append(f"{path.relative_to(folder)} needs {target}")
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not there.is_file():
                wrong.append(f"{path.relative_to(folder)} links to {target}, which is not there")
            elif parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].anchors:
                wrong.append(f"{path.relative_to(folder)} links to {target}, and there is no such place")
    for path in folder.rglob("*.css"):
        found = re.findall(r"url\(\s*['\"]?(https?:)?//", path.read_text(encoding="utf-8"))
        wrong += [f"{path.relative_to(folder)} needs something from elsewhere"] * bool(found)
    return wrong, elsewhere


def main(folder: Path) -> int:
    """Print what was found; return the exit status."""
    wrong, elsewhere = check(folder.resolve())
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    (folder.parent / "links_elsewhere.txt").write_text("".join(f"{link}\n" for link in sorted(elsewhere)))
    print(f"{len(files)} files, {size:.1f} MB; {len(elsewhere)} links elsewhere, listed in links_elsewhere.txt")
    print("\n".join(wrong) if wrong else f"Every link holds: open {folder / 'index.html'}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

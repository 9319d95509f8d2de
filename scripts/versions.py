"""Runs tests with the oldest and the newest dependencies, on every Python that is here: ``make versions``.

Each row of the table is an environment of its own, in which the wheel is installed and tested. The table that
docs/versions.md ends with is written anew, if all is well. "Oldest" is what pyproject.toml says, to the last digit,
wherever there are wheels of it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "versions.md"
UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
NEWEST_MINOR = 20
EXTRAS = ("cli", "dask", "pandas", "pictures", "xarray")
SHOWN = ("numpy", "anywidget", "ipywidgets", "traitlets", "click", "distributed", "matplotlib", "pandas", "xarray")
KERNELS = {6: "ipykernel>=6.29,<7", 7: "ipykernel>=7,<8"}
OLDEST_KERNEL = "ipykernel>=6.5,<7"
"""Of JupyterLab 4; its IPython does not know Python 3.12."""
OLDEST_MANAGER = "jupyterlab-widgets==3.0.11"
"""Later ones are built for later JupyterLabs than the oldest, whose console then complains."""
TOOLS = ("hypothesis", "jupyter-client", "pytest")
TESTS = (
    "tests/test_kernel.py",
    "tests/test_trainer.py",
    "tests/test_arrays.py",
    "tests/test_still_picture.py::test_labels_are_drawn_as_text",
    "tests/test_command_line.py::test_info_says_what_a_file_holds",
    "tests/test_sweep_dask.py::test_trials_train_on_the_clusters_workers_and_come_back_as_runs",
)
IN_A_BROWSER = "tests/browser/test_training.py::test_play_trains_while_other_cells_run_and_pause_ends_it"


@dataclass(frozen=True)
class Environment:
    """What a row is about."""

    python: str  # path of the interpreter
    release: str  # its version
    oldest: bool
    kernel: int  # ipykernel's first number
    lab: bool  # whether JupyterLab is there, and tested


def interpreters() -> dict[str, str]:
    """Every Python that is here and new enough: its version and path, one for each minor version, the oldest first."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    asked = required_python()
    names = [f"python{asked.major}.{minor}" for minor in range(asked.minor, NEWEST_MINOR)]
    found: dict[str, str] = {}
    for path in [*filter(None, map(shutil.which, names)), *map(str, versions.glob("*/bin/python"))]:
        told = subprocess.run([path, "-V"], capture_output=True, text=True, check=False).stdout
        release = told.removeprefix("Python ").strip()  # nothing, of a name without a Python behind it
        if release and Version(release) >= asked:
            found[release] = path
    newest = {Version(release).minor: release for release in sorted(found, key=Version)}
    return {release: found[release] for release in newest.values()}


def environments(pythons: dict[str, str]) -> Iterator[Environment]:
    """The rows. Kernels and JupyterLabs are tried on the oldest Python, which everything has wheels for."""
    for place, (release, path) in enumerate(pythons.items()):
        yield Environment(path, release, oldest=True, kernel=6, lab=place == 0)
        if place == 0:
            yield Environment(path, release, oldest=False, kernel=6, lab=False)
        yield Environment(path, release, oldest=False, kernel=7, lab=place == 0)


def project() -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def required_python() -> Version:
    return Version(str(project()["requires-python"]).removeprefix(">="))


def bounds(extras: Sequence[str]) -> dict[str, Version]:
    """The oldest versions that pyproject.toml allows."""
    told = project()
    core, optional = told["dependencies"], told["optional-dependencies"]
    assert isinstance(core, list)
    assert isinstance(optional, dict)
    found: dict[str, Version] = {}
    for text in [*core, *(line for extra in extras for line in optional[extra])]:
        requirement = Requirement(text)
        (bound,) = requirement.specifier
        found[canonicalize_name(requirement.name)] = Version(bound.version)
    return found


def run(command: Sequence[str], **settings: str) -> str:
    """Run a program in the repository and return what it printed; raise `RuntimeError` with all of it if it fails."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ended = subprocess.run(command, cwd=REPOSITORY, env=kept | settings, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{ended.stdout[-6000:]}{ended.stderr[-3000:]}")
    return ended.stdout


def install(environment: Environment, wheel: Path, folder: Path) -> str:
    """Make an environment; return its interpreter."""
    run([UV, "venv", "--quiet", "--python", environment.python, str(folder)])
    python = str(folder / "bin" / "python")
    pip = [UV, "pip", "install", "--quiet", "--python", python, "--no-build"]
    extras = [*EXTRAS, *["demo"] * environment.lab]
    wanted = ["--requirements", "pyproject.toml", *(word for extra in extras for word in ("--extra", extra))]
    resolution = "lowest-direct" if environment.oldest else "highest"
    kernel = OLDEST_KERNEL if environment.oldest and environment.lab else KERNELS[environment.kernel]
    manager = [OLDEST_MANAGER] * (environment.oldest and environment.lab)
    run([*pip, "--resolution", resolution, *wanted, kernel, *manager])
    run([*pip, *TOOLS, *["playwright"] * environment.lab])
    run([*pip, "--no-deps", str(wheel)])
    return python


def versions(python: str) -> dict[str, str]:
    """What is installed."""
    listed = json.loads(run([UV, "pip", "list", "--quiet", "--python", python, "--format=json"]))
    return {canonicalize_name(one["name"]): one["version"] for one in listed}


def tested(environment: Environment, python: str) -> str:
    """Run the tests; return that they pass."""
    # Old packages warn of what newer Pythons will not have.
    warnings = ["-W", "default"] if environment.oldest else []
    tests = [*TESTS, *[IN_A_BROWSER] * environment.lab]
    # PYTHONSAFEPATH: it is the installed package that is tested, not the folder that this runs in.
    run([python, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *warnings, *tests], PYTHONSAFEPATH="1")
    return "pass"


def row(environment: Environment, wheel: Path, folder: Path) -> tuple[list[str], str]:
    """Cells of the table, and what is wrong."""
    cells = [environment.release, "oldest" if environment.oldest else "newest"]
    columns = ["ipykernel", "jupyterlab", *SHOWN]
    try:
        python = install(environment, wheel, folder)
        there = versions(python)
        cells += [there.get(name, "–") for name in columns]
        if environment.oldest and environment.lab:  # the oldest Python has wheels of all of them
            wanted = bounds([*EXTRAS, "demo"])
            other = [name for name, bound in wanted.items() if Version(there[name]) != bound]
            if other:
                raise RuntimeError(f"pyproject.toml allows older versions than those tested, of {', '.join(other)}")
        return [*cells, tested(environment, python)], ""
    except RuntimeError as error:
        missing = 2 + len(columns) - len(cells)
        return [*cells, *["?"] * missing, "**fails**"], str(error)


def table(rows: Sequence[Sequence[str]]) -> str:
    heads = ["Python", "dependencies", "ipykernel", "JupyterLab", *SHOWN, "tests"]
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write(rows: Sequence[Sequence[str]]) -> None:
    """Put the table in the place of the one that the page ends with."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index("| Python |")] + table(rows), encoding="utf-8")


def main() -> int:
    """Print the table and write the page if all is well; return the exit status."""
    rows, wrong = [], False
    with tempfile.TemporaryDirectory() as folder:
        run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder])
        (wheel,) = Path(folder).glob("*.whl")
        for number, environment in enumerate(environments(interpreters())):
            place = Path(folder) / f"environment-{number}"
            cells, trouble = row(environment, wheel, place)
            shutil.rmtree(place, ignore_errors=True)
            print(*cells, sep="  ", flush=True)
            rows.append(cells)
            if trouble:
                wrong = True
                print(trouble, flush=True)
    print(f"\n{table(rows)}")
    if not wrong:
        write(rows)
    return wrong


if __name__ == "__main__":
    sys.exit(main())

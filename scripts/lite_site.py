"""Makes a JupyterLite site: JupyterLab, Python, this package and the notebooks as files, which a browser runs alone.

    python scripts/lite_site.py OUTPUT [--pyodide FOLDER]

OUTPUT is then served by any web server, such as ``python -m http.server``. Everything is in it: a page of it asks
nothing of any other machine. Python for browsers is Pyodide, and FOLDER an unpacked distribution of it; without one
it is put together by `pyodide_distribution`.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assignments import make_course, names, run
from pyodide_distribution import LOCK, copy_distribution, default_distribution

REPOSITORY = Path(__file__).resolve().parents[1]
LESSONS = ("01_rnnbow", "02_cells", "03_forget_bias", "04_depth", "05_both_directions", "06_adding_problem")
"""The others need PyTorch, JAX or processes, none of which a browser has."""
BESIDE = ("anywidget", "comm", "ipywidgets", "psygnal", "typing-extensions")
"""What a widget is imported with, in pure Python, that Pyodide's distribution lacks or has too old."""
NEEDED = ("ipython", "jedi", "matplotlib", "micropip", "numpy", "sqlite3", "ssl")
"""What the kernel and this package take from Pyodide's distribution, with all that these need in turn."""
KERNEL = "@jupyterlite/pyodide-kernel-extension"
MANAGER = "jupyterlab_widgets==3.0.15"
"""What shows widgets; a newer one is made for a newer JupyterLab than that of this JupyterLite."""
PORTABLE = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]

Json = dict[str, Any]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Make a JupyterLite site of the notebooks.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--pyodide", type=Path, help="an unpacked distribution of Pyodide")
    given = parser.parse_args(arguments)
    make_site(given.output, given.pyodide)
    size = sum(path.stat().st_size for path in given.output.rglob("*") if path.is_file()) / 1e6
    print(f"{size:.0f} MB in {given.output}. Serve it, for example: python -m http.server --directory {given.output}")


def make_site(output: Path, pyodide: Path | None = None) -> None:
    """Make the site in a folder, anew."""
    if output.exists():
        shutil.rmtree(output)
    with TemporaryDirectory() as work:
        root = Path(work)
        wheels = collect_wheels(root / "wheels")
        manager = download(root / "manager", MANAGER)
        distribution = root / "lite" / "static" / "pyodide"
        copy_distribution(pyodide or default_distribution(), distribution, NEEDED)
        add_wheels(distribution, wheels)
        write_contents(root / "contents")
        write_settings(root / "lite", preloaded=["comm", "ipython", "jedi", "micropip", "sqlite3", "ssl"])
        shown_by = [wheel for wheel in (*wheels, *manager) if name_of(wheel) in ("anywidget", "jupyterlab-widgets")]
        build(root, shown_by, output.resolve())


def collect_wheels(folder: Path) -> list[Path]:
    """Build this package's wheel, and get those that are beside it."""
    run("hatchling", "build", "--target", "wheel", "--directory", str(folder), folder=REPOSITORY)
    return download(folder, *BESIDE)


def download(folder: Path, *packages: str) -> list[Path]:
    """Get wheels of pure Python from the package registry; return all wheels of the folder."""
    run("pip", "download", "--quiet", "--no-deps", *PORTABLE, *packages, "--dest", str(folder), folder=REPOSITORY)
    return sorted(folder.glob("*.whl"))


def name_of(wheel: Path) -> str:
    return wheel.name.split("-")[0].lower().replace("_", "-")


def add_wheels(distribution: Path, wheels: Iterable[Path]) -> None:
    """Put wheels into a distribution: a cell that imports this package then has Pyodide load them all."""
    path = distribution / LOCK
    lock: Json = json.loads(path.read_text(encoding="utf-8"))
    added = {name_of(wheel): wheel for wheel in wheels}
    for name, wheel in added.items():
        shutil.copy(wheel, distribution)
        ours = name == "rnnbow-widget"
        lock["packages"][name] = {
            "name": name,
            "version": wheel.name.split("-")[1],
            "file_name": wheel.name,
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            "package_type": "package",
            "install_dir": "site",
            "imports": [name.replace("-", "_")],
            "depends": sorted({"numpy", "sqlite3", *added} - {name}) if ours else [],
            "unvendored_tests": False,
        }
    path.write_text(json.dumps(lock), encoding="utf-8")


def write_contents(folder: Path) -> None:
    """Write the notebooks, and students' versions of the assignments."""
    folder.mkdir()
    for name in LESSONS:
        shutil.copy(REPOSITORY / "notebooks" / f"{name}.ipynb", folder)
    with TemporaryDirectory() as course:
        make_course(Path(course), names())
        shutil.copytree(Path(course) / "release", folder / "assignments")
    for path in folder.rglob("*.ipynb"):
        notebook: Json = json.loads(path.read_text(encoding="utf-8"))
        notebook["metadata"]["kernelspec"] = {
            "name": "python",
            "display_name": "Python (Pyodide)",
            "language": "python",
        }
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")


def write_settings(folder: Path, preloaded: list[str]) -> None:
    """Write what the pages are told."""
    kernel = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": preloaded}}
    settings = {
        "appName": "rnnbow_widget",
        "exposeAppInBrowser": True,  # so that the tests can wait for its kernel
        "litePluginSettings": {f"{KERNEL}:kernel": kernel},
    }
    document = {"jupyter-lite-schema-version": 0, "jupyter-config-data": settings}
    (folder / "jupyter-lite.json").write_text(json.dumps(document), encoding="utf-8")


def build(root: Path, extensions: Iterable[Path], output: Path) -> None:
    """Have JupyterLite put everything together, with these extensions of JupyterLab and its own."""
    kernel = Path(sys.prefix, "share", "jupyter", "labextensions", KERNEL)
    config = {
        "LiteBuildConfig": {
            "contents": [str(root / "contents")],
            "federated_extensions": [str(kernel), *map(str, extensions)],
            "ignore_sys_prefix": ["federated_extensions"],
            "no_sourcemaps": True,
            "apps": ["lab"],
            "output_dir": str(output),
        }
    }
    (root / "lite" / "jupyter_lite_config.json").write_text(json.dumps(config), encoding="utf-8")
    run("jupyterlite_core", "build", folder=root / "lite")


if __name__ == "__main__":
    main(sys.argv[1:])

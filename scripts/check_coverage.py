"""Checks coverage module by module: ``coverage json -o - | python scripts/check_coverage.py``.

Networks and itemized gradients, as docs/architecture.md lists them, are covered entirely, lines and branches; every
other module by nine tenths.
"""

import json
import re
import sys
from pathlib import Path

ARCHITECTURE = Path(__file__).resolve().parents[1] / "docs" / "architecture.md"
ENTIRELY = ("Networks", "Itemized gradients")
LEAST = 90.0


def floor(heading: str) -> set[str]:
    """Names of the modules of one floor of the map."""
    found = re.search(rf"^\*\*{heading}\*\*\n\n((?:\|.*\n)+)", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"docs/architecture.md has no floor {heading!r}")
    cells = "\n".join(line.split("|")[1] for line in found[1].splitlines())
    return set(re.findall(r"`(\w+)\.py`", cells))


def main() -> None:
    """Print what falls short, and exit with 1 if anything does."""
    entirely = set().union(*map(floor, ENTIRELY))
    files = json.load(sys.stdin)["files"]
    percent = {Path(name).stem: float(own["summary"]["percent_covered"]) for name, own in files.items()}
    least = {name: 100.0 if name in entirely else LEAST for name in percent}
    short = [name for name in sorted(percent) if percent[name] < least[name]]
    for name in short:
        print(f"{name}.py: {percent[name]:.1f} % is covered, not {least[name]:g} %")
    if missing := sorted(entirely - percent.keys()):
        print(f"not measured: {', '.join(missing)}")
    held = len(percent) - len(short)
    print(f"{held} of {len(percent)} modules are covered as they should be; {len(entirely)} of them entirely")
    if short or missing:
        sys.exit(1)


if __name__ == "__main__":
    main()

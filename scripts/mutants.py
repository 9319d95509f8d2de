"""Tells what mutmut found, module by module, and which survivors nobody has explained: ``python scripts/mutants.py``.

A mutant that survives is explained by an entry of docs/mutants.toml with the lines that it changes. Exits with 1 if one
is not, or if an entry explains none.
"""

import sys
import tomllib
from collections import Counter
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files

EXPLAINED = Path(__file__).resolve().parents[1] / "docs" / "mutants.toml"
KILLED = {"killed", "timeout", "segfault", "caught by type check"}
Change = tuple[str, str, str]
"""Name of the module, the lines before and those after, without their indents."""


def changed(name: str, path: Path) -> Change:
    """What a mutant changes."""
    lines = get_diff_for_mutant(name, path=path).splitlines()[3:]  # without the names of the files and the place

    def of(sign: str) -> str:
        return "\n".join(line[1:].strip() for line in lines if line.startswith(sign))

    return path.name, of("-"), of("+")


def explained() -> set[Change]:
    """The changes that are told to be without effect."""
    entries = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))["mutant"]
    for entry in entries:
        if set(entry) != {"module", "before", "after", "why"} or not entry["why"]:
            raise SystemExit(f"docs/mutants.toml: an entry takes module, before, after and why; got {entry}")
    return {(entry["module"], entry["before"].strip(), entry["after"].strip()) for entry in entries}


def main() -> None:
    """Print a table of modules, then what is not explained."""
    known, found, missing = explained(), set(), []
    print(f"{'module':<20} {'mutants':>8} {'killed':>8} {'explained':>10} {'survived':>9} {'not run':>8}")
    for path in sorted(walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        counts: Counter[str] = Counter()
        for name, code in data.exit_code_by_key.items():
            status = status_by_exit_code[code]
            if status in KILLED:
                counts["killed"] += 1
            elif status == "not checked":
                counts["not run"] += 1
            elif (change := changed(name, path)) in known:
                found.add(change)
                counts["explained"] += 1
            else:
                counts["survived"] += 1
                missing.append((name, status, change))
        columns = (
            len(data.exit_code_by_key),
            *(counts[name] for name in ("killed", "explained", "survived", "not run")),
        )
        print(f"{path.name:<20} {columns[0]:>8} {columns[1]:>8} {columns[2]:>10} {columns[3]:>9} {columns[4]:>8}")
    for name, status, (_, before, after) in missing:
        print(f"\n{name}: {status}\n- {before}\n+ {after}")
    for module, before, after in sorted(known - found):
        print(f"\ndocs/mutants.toml explains a mutant of {module} that did not survive:\n- {before}\n+ {after}")
    if missing or known - found:
        sys.exit(1)


if __name__ == "__main__":
    main()

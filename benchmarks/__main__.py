"""Prints one table: our figures, those of peers, their ratio, and what was asked. Missing a figure is no error."""

import argparse
from collections.abc import Callable

import torch

from . import itemizing, live, machine, training, use_case, vanishing
from .table import Findings, print_head, print_row

PARTS: dict[str, Callable[[], Findings]] = {
    "training": training.measure,
    "itemizing": itemizing.measure,
    "use_case": use_case.measure,
    "vanishing": vanishing.measure,
    "live": live.measure,
}


def main() -> None:
    chosen = _chosen_parts()
    torch.set_num_threads(1)
    print(*machine.facts(), "", sep="\n")
    print_head()
    notes: list[str] = []
    for name in chosen:
        findings = PARTS[name]()
        for row in findings.rows:
            print_row(row)
        notes += findings.notes
    print("", *notes, sep="\n")


def _chosen_parts() -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = f"{', '.join(PARTS)}, or engine for all of them but live"
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{known}; by default all")
    asked = parser.parse_args().parts or list(PARTS)
    if unknown := set(asked) - {"engine", *PARTS}:
        parser.error(f"part takes {known}; got {', '.join(sorted(unknown))}")
    return [name for name in PARTS if name in asked or ("engine" in asked and name != "live")]


if __name__ == "__main__":
    main()

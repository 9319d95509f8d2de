"""Prints one table: our figures, those of peers, their ratio, and what was asked. Missing a figure is no error."""

import argparse
from collections.abc import Callable
from functools import partial

import torch

from . import (
    appending,
    arrangements,
    cells,
    comparing,
    endurance,
    files,
    footprint,
    grading,
    growth,
    hovering,
    itemizing,
    layered,
    limits,
    live,
    long_batches,
    long_overview,
    long_window,
    machine,
    sharing,
    sweeping,
    training,
    use_case,
    vanishing,
    watching,
)
from .table import Findings, print_head, print_row

Part = Callable[[], Findings]

ENGINE: dict[str, Part] = {
    "training": training.measure,
    "cells": cells.measure,
    "arrangements": arrangements.measure,
    "limits": limits.measure,
    "itemizing": itemizing.measure,
    "long_window": long_window.measure,
    "vanishing": vanishing.measure,
    "growth": growth.measure,
    "footprint": footprint.measure,
    "appending": appending.measure,
    "files": files.measure,
    "use_case": use_case.measure,
    "watching": watching.measure,
    "sweeping": sweeping.measure,
    "grading": grading.measure,
}
PAGE: dict[str, Part] = {
    "hovering": hovering.measure,
    "long_batches": long_batches.measure,
    "long_overview": long_overview.measure,
    "live": live.measure,
    "comparing": comparing.measure,
    "layered": layered.measure,
    "sharing": sharing.measure,
    "endurance": endurance.measure,
}
ON_REQUEST: dict[str, Part] = {"million": long_overview.measure_far}
GROUPS = {"engine": list(ENGINE), "page": list(PAGE)}


def main() -> None:
    torch.set_num_threads(1)
    chosen = _chosen_parts()
    print(*machine.facts(), "", sep="\n")
    print_head()
    notes: list[str] = []
    for part in chosen:
        findings = part()
        for row in findings.rows:
            print_row(row)
        notes += findings.notes
    print("", *notes, sep="\n")


def _chosen_parts() -> list[Part]:
    parts = ENGINE | PAGE | ON_REQUEST
    known = f"{', '.join([*parts, *GROUPS])}"
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="part", help=f"one of {known}; by default all but {', '.join(ON_REQUEST)}"
    )
    parser.add_argument(
        "--endurance", type=float, default=endurance.SECONDS, metavar="SECONDS", help="how long endurance plays"
    )
    arguments = parser.parse_args()
    asked = {name for part in arguments.parts or GROUPS for name in GROUPS.get(part, [part])}
    if unknown := asked - set(parts):
        parser.error(f"part takes {known}; got {', '.join(sorted(unknown))}")
    parts["endurance"] = partial(endurance.measure, arguments.endurance)
    return [part for name, part in parts.items() if name in asked]


if __name__ == "__main__":
    main()

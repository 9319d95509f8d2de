"""Trains published results again, on two processes, and writes what was found into docs/replication.md."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from .. import machine
from . import kernel, memory

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "replication.md"
PROCESSES = 2

HEAD = """# Published results, trained again

Written by `make replicate`, in {minutes:.0f} minutes with {processes} processes. What is found stands here as it is
found. Seeds are few, and settings were not searched for each line: what is not solved here may be solved with others.
"""
MEMORY = """
## Which cells remember: adding and temporal order

Hochreiter and Schmidhuber (1997) solve both with an LSTM at lengths that defeat recurrent networks without gates. Here:
{hidden_size} hidden units, {batch_size} sequences a batch, Adam with a learning rate of {learning_rate:g}, gradients
clipped to norm {clip_norm:g}, and for the LSTM a forget bias of {bias:g}. Every {every} batches, {sequences} sequences
held out are evaluated; a task is solved when their loss is below a tenth of the baseline
([measures.md](measures.md#tasks)).
"""
KERNEL = """
## What the RNNbow paper says of its use case

Section 5 of the paper looks at one run: a tanh network with {hidden_size} hidden units, windows of {seq_length}
characters of the Linux kernel, {batches:,} batches of which every {every}th is recorded, five lags drawn. Here the same
with three initializations and three seeds each (Adagrad, learning rate {learning_rate:g}), with all lags recorded.
*Early* is the first thousand batches but batch 0, *late* the last five thousand. The numbers behind each claim are in
the second table.
"""
FOUND = "Text: {name}, from `{file}`, {characters:,} characters."
IN_PLACE = """Text: {name}, {characters:,} characters, **in place of the Linux kernel**, of which no source was found.
On Debian, `apt install linux-source` puts it where it is looked for; `--kernel PATH` takes a tree or a tarball."""

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicate", description=__doc__)
    parser.add_argument(
        "--kernel",
        type=Path,
        default=kernel.tarball(),
        metavar="PATH",
        help="a tree or tarball of the Linux kernel; by default that of Debian's package linux-source in /usr/src, "
        "and if there is none the C headers that come with numpy",
    )
    source: Path | None = parser.parse_args().kernel
    begun = perf_counter()
    trained = _all("tasks", memory.train, memory.jobs())
    read = _all("kernel", kernel.train, kernel.jobs(source))
    minutes = (perf_counter() - begun) / 60
    DOCUMENT.write_text("\n".join(_document(trained, read, source, minutes)) + "\n", encoding="utf-8")
    print(f"{DOCUMENT}: written after {minutes:.1f} minutes")


def _all(name: str, train: Callable[[Job], Outcome], jobs: Sequence[Job]) -> list[tuple[Job, Outcome]]:
    """Train all, and say so one by one."""
    done: list[tuple[Job, Outcome]] = []
    with ProcessPoolExecutor(PROCESSES) as pool:
        for job, outcome in zip(jobs, pool.map(train, jobs), strict=True):
            print(f"{name} {len(done) + 1} of {len(jobs)}: {job} {outcome}", flush=True)
            done.append((job, outcome))
    return done


def _document(
    trained: Sequence[tuple[memory.Job, memory.Outcome]],
    read: Sequence[tuple[kernel.Job, kernel.Found]],
    source: Path | None,
    minutes: float,
) -> Iterator[str]:
    text = kernel.corpus(source)
    described = FOUND if source is not None else IN_PLACE
    yield HEAD.format(minutes=minutes, processes=PROCESSES)
    yield from (f"    {fact}" for fact in machine.facts()[:3])
    yield MEMORY.format(**memory.SETTINGS, bias=memory.FORGET_BIAS, every=memory.EVERY, sequences=memory.SEQUENCES)
    yield from memory.report(trained)
    yield KERNEL.format(batches=kernel.BATCHES, every=kernel.RECORD_EVERY, **kernel.SETTINGS)
    yield described.format(name=text.name, file=source.name if source else "", characters=len(text))
    yield ""
    yield from kernel.report(read)


if __name__ == "__main__":
    main()

"""Processes that write run files until somebody kills them: one for each path that comes in, whose number goes out.

Each notes how many recorded batches its file is reported to have, in a file beside it, as 8 bytes each time.
"""

import os
import signal
import struct
import sys

from recorded import recorded, run_of
from saving import writer_of

from rnnbow_widget import run_writer


def write_until_killed(path: str, pause: float) -> None:
    # So often that most kills come in the middle of a transaction.
    run_writer.WRITE_SECONDS, run_writer._TOLL = pause, 0
    noted = os.open(f"{path}-reported", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    run = run_of(0)
    run.memory_limit = 1_000_000
    run.keep_saving(path)
    writer = writer_of(run)
    written = 0
    while True:
        run.append(recorded(len(run)))
        if writer.written > written:
            written = writer.written
            os.write(noted, struct.pack("<q", written))


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that were killed
    for line in sys.stdin:
        pause, path = line.rstrip("\n").split(" ", 1)
        if (child := os.fork()) == 0:
            os.close(0)
            write_until_killed(path, float(pause))
        print(child, flush=True)


if __name__ == "__main__":
    main()

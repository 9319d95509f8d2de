"""See how a recurrent network learns: itemized gradients of back-propagation through time, live in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import corpora, examples, tasks
from .agreement import rel_error
from .attempt import Attempt
from .bptt_itemized import itemized_bptt, itemized_delta
from .bptt_layers import itemized_layer_delta, itemized_layers
from .gradients import bptt
from .itemizer import itemize
from .recall import ThinnedError
from .rnn import RNN
from .run import Run
from .run_file import RunFileError, RunFileWarning
from .sequences import Sequences, Stream
from .snapshot import Snapshot
from .trainer import Trainer
from .training_loop import DivergedError

if TYPE_CHECKING:
    from .comparing import compare
    from .comparison import Comparison
    from .sweep_table import Sweep, sweep
    from .widget import RNNbow

__version__ = "0.1.0"
__all__ = [
    "RNN",
    "Attempt",
    "Comparison",
    "DivergedError",
    "RNNbow",
    "Run",
    "RunFileError",
    "RunFileWarning",
    "Sequences",
    "Snapshot",
    "Stream",
    "Sweep",
    "ThinnedError",
    "Trainer",
    "bptt",
    "compare",
    "corpora",
    "examples",
    "itemize",
    "itemized_bptt",
    "itemized_delta",
    "itemized_layer_delta",
    "itemized_layers",
    "rel_error",
    "sweep",
    "tasks",
]


def __getattr__(name: str) -> Any:
    # The widgets are imported when they are first asked for: the engine needs numpy only.
    if name == "RNNbow":
        from .widget import RNNbow

        return RNNbow
    if name == "Comparison":
        from .comparison import Comparison

        return Comparison
    if name == "compare":
        from .comparing import compare

        return compare
    if name in ("Sweep", "sweep"):
        from . import sweep_table

        return getattr(sweep_table, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Every cell in the same setting: a training batch, and itemizing a window."""

from collections.abc import Mapping

from rnnbow_widget import itemized_bptt
from rnnbow_widget.cells import CELLS

from .agreement import require_agreement
from .itemizing import by_lag
from .peers.pytorch import BatchedAutograd, LayerTraining
from .setting import CLIP_VALUE, LEARNING_RATE, NEVER, paper_trainer, trained_window, windows
from .table import Findings, Row, faster
from .timing import Task, interleaved
from .training import BATCHES_COMPARED, Peer, compare, continued

MODULES = {"tanh": "nn.RNN", "relu": "nn.RNN", "lstm": "nn.LSTM", "gru": "nn.GRU"}


def measure() -> Findings:
    rows: list[Row] = []
    for cell in CELLS:
        rows.append(_training(cell))
        rows.append(_itemizing(cell))
    return Findings(rows)


def _training(cell: str) -> Row:
    ours = paper_trainer(record_every=NEVER, cell=cell)
    peers: Mapping[str, Peer] = {MODULES[cell]: LayerTraining(ours.rnn.parameters, LEARNING_RATE, CLIP_VALUE, cell)}
    data = windows()
    compare(ours, peers, data[:BATCHES_COMPARED])
    tasks: dict[str, Task] = {"ours": ours.train}
    tasks |= {name: continued(peer, data[BATCHES_COMPARED:]) for name, peer in peers.items()}
    seconds = interleaved(tasks)
    name = f"{cell}: training batch, vs PyTorch: {MODULES[cell]}, Linear, Adagrad"
    return faster(name, seconds["ours"], seconds[MODULES[cell]], 1)


def _itemizing(cell: str) -> Row:
    rnn, forward = trained_window(cell=cell)
    autograd = BatchedAutograd(rnn.parameters, forward.inputs, forward.targets, forward.states[0], cell)
    norms = itemized_bptt(rnn, forward).items["norm"]  # (n, n)
    require_agreement("batched autograd", "norms", norms, by_lag(autograd.norms().numpy()))
    seconds = interleaved({"ours": lambda: itemized_bptt(rnn, forward), "autograd": autograd.norms})
    return faster(f"{cell}: itemized, vs PyTorch's batched autograd", seconds["ours"], seconds["autograd"], 10)

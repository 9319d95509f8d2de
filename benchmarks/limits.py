"""What a training batch costs past its bare matrix products, part by part.

Parts are told apart through public functions only. The loops are what twice the steps cost more, in a network that has
one token and two classes: next to no read-out, softmax and gradients of W_ih and W_ho. Its gradient of W_hh counts as
the bare product.
"""

import numpy as np

from rnnbow_widget import RNN, bptt
from rnnbow_widget.forward import ForwardPass

from . import products
from .setting import HIDDEN, NEVER, STEPS, paper_trainer, trained_window
from .table import Findings, Row, dearer, duration
from .timing import Task, interleaved


def measure() -> Findings:
    rnn, forward = trained_window()
    loop, once, twice = _loops_only(rnn)
    trainer = paper_trainer(record_every=NEVER)
    trainer.train()
    gradient = bptt(rnn, forward).parameters.vector  # (P,)
    seconds = interleaved(
        {
            "batch": trainer.train,
            "forward": _forward(rnn, forward),
            "forward once": _forward(loop, once),
            "forward twice": _forward(loop, twice),
            "backward": lambda: bptt(rnn, forward),
            "backward once": lambda: bptt(loop, once),
            "backward twice": lambda: bptt(loop, twice),
            "optimizer": lambda: trainer.optimizer.update(gradient),
        }
        | {f"bare {name}": task for name, task in products.of_training(rnn, forward).items()}
    )
    return Findings(_rows(seconds), [_note(rnn)])


def _forward(rnn: RNN, forward: ForwardPass) -> Task:
    """The same pass again."""
    inputs, targets, state = forward.inputs, forward.targets, forward.states[0]  # (n,), (n,), (H,)
    return lambda: rnn.forward(inputs, targets, state)


def _loops_only(rnn: RNN) -> tuple[RNN, ForwardPass, ForwardPass]:
    """A network with the same recurrent weights, but one token and two classes; its passes over n steps and over 2n."""
    loop = RNN(1, rnn.hidden_size, 2, seed=0)
    loop.parameters.W_hh[:] = rnn.parameters.W_hh
    only = np.zeros(2 * STEPS, np.intp)  # (2n,)
    return loop, loop.forward(only[:STEPS], only[:STEPS]), loop.forward(only, only)


def _rows(seconds: dict[str, float]) -> list[Row]:
    bare = {name.removeprefix("bare "): value for name, value in seconds.items() if name.startswith("bare ")}
    products_of = ("forward loop", "read-out", "into the states", "backward loop", "weight gradients")
    forward_loop = seconds["forward twice"] - seconds["forward once"]
    backward_loop = seconds["backward twice"] - seconds["backward once"] - bare["gradient of W_hh"]
    softmax, weights = seconds["forward"] - forward_loop, seconds["backward"] - backward_loop
    rest = seconds["batch"] - seconds["forward"] - seconds["backward"] - seconds["optimizer"]
    return [
        dearer(
            "training batch, vs its bare matrix products", seconds["batch"], sum(map(bare.__getitem__, products_of))
        ),
        dearer("  forward loop", forward_loop, bare["forward loop"]),
        dearer("  read-out, softmax, loss, checks", softmax, bare["read-out"]),
        dearer("  backward loop", backward_loop, bare["backward loop"]),
        dearer("  into the states, gradients of weights", weights, bare["into the states"] + bare["weight gradients"]),
        Row("  optimizer", duration(seconds["optimizer"])),
        Row("  rest: windows of data, norm, clipping; less the checks, which training leaves out", _signed(rest)),
    ]


def _signed(seconds: float) -> str:
    return duration(seconds) if seconds >= 0 else f"−{duration(-seconds)}"


def _note(rnn: RNN) -> str:
    return (
        f"Bare products: n={STEPS}, H={HIDDEN}, V={rnn.input_size}, {rnn.dtype.name}: {STEPS} matrix-vector products "
        "each way, the read-out and its way back, the gradients of W_hh and W_ho; each called from Python."
    )

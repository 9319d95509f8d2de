"""Watching a loop in PyTorch: an nn.LSTM of 2 × 256 on batches of 32 sequences of 64 steps."""

from collections.abc import Callable

import numpy as np
import torch

from rnnbow_widget.torch import watch

from .agreement import require_agreement
from .table import Findings, Row, dearer, faster
from .timing import interleaved

STEPS, STREAMS, TOKENS, HIDDEN, LAYERS, EVERY = 64, 32, 50, 256, 2, 100
TURNS = 12


class Loop:
    """A loop of one's own: one-hot tokens, a linear head, Adam."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.lstm, self.head = torch.nn.LSTM(TOKENS, HIDDEN, LAYERS), torch.nn.Linear(HIDDEN, TOKENS)
        self._optimizer = torch.optim.Adam([*self.lstm.parameters(), *self.head.parameters()])
        tokens = torch.randint(0, TOKENS, (STEPS, STREAMS))
        self.inputs = torch.nn.functional.one_hot(tokens, TOKENS).float()
        self.targets = torch.randint(0, TOKENS, (STEPS, STREAMS))

    def loss(self, outputs: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(self.head(outputs).flatten(0, 1), self.targets.flatten())

    def step(self) -> None:
        outputs, _ = self.lstm(self.inputs)
        loss = self.loss(outputs)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()

    def by_autograd(self) -> np.ndarray:
        """Norms of what the top W_hh receives from losses of the first sequence, (n, n), by unrolled cells."""
        weights = dict(self.lstm.named_parameters())
        below, recurrent, before = list(self.inputs[:, 0]), list[torch.Tensor](), list[torch.Tensor]()
        for layer in range(LAYERS):
            names = (f"{kind}_l{layer}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            W_ih, W_hh, b_ih, b_hh = (weights[name] for name in names)
            h = c = torch.zeros(HIDDEN)
            recurrent, before, outputs = [], [], []
            for x in below:
                before.append(h)
                recurrent.append(W_hh @ h)
                i, f, g, o = (W_ih @ x + b_ih + b_hh + recurrent[-1]).chunk(4)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                outputs.append(h)
            below = outputs
        logits = self.head(torch.stack(below))  # (n, O)
        losses = torch.nn.functional.cross_entropy(logits, self.targets[:, 0], reduction="none") / STEPS
        found = np.zeros((STEPS, STEPS), np.float32)  # [j, t - j]
        sizes = torch.stack(before).norm(dim=1)  # (n,)
        for t, loss in enumerate(losses):
            pieces = torch.autograd.grad(loss, recurrent[: t + 1], retain_graph=True)
            norms = torch.stack(pieces).norm(dim=1) * sizes[: t + 1]  # (t+1,)
            found[np.arange(t + 1), t - np.arange(t + 1)] = norms.detach().numpy()
        return found


def measure() -> Findings:
    loop = Loop()
    expected = loop.by_autograd()
    with watch(loop.lstm, 1) as watching:
        loop.step()
    require_agreement("unrolled cells", "norms", watching.run[-1].surfaces["W_hh_l1"], expected)
    plain, watched = Loop(), Loop()
    # What a call costs that counts only would drown in the noise of large steps.
    small, passed = torch.nn.RNN(1, 1), torch.nn.RNN(1, 1)
    one = torch.zeros(1, 1)
    with watch(watched.lstm, 1), watch(passed, 10**9):
        passed(one)  # the only one that would be recorded
        tasks: dict[str, Callable[[], object]] = {
            "plain": plain.step,
            "watched": watched.step,
            "small": lambda: small(one),
            "passed over": lambda: passed(one),
            "autograd": loop.by_autograd,
        }
        seconds = interleaved(tasks, TURNS)
    extra = seconds["watched"] - seconds["plain"]
    mean = (extra + (EVERY - 1) * max(0.0, seconds["passed over"] - seconds["small"])) / EVERY
    share = mean / (mean + seconds["plain"])
    return Findings(
        [
            dearer("watched step, nn.LSTM 2 × 256, B=32, n=64: vs plain step", seconds["watched"], seconds["plain"], 2),
            dearer("  forward pass of nn.RNN 1 × 1 that is passed over", seconds["passed over"], seconds["small"]),
            Row(f"  share of the loop's time, every={EVERY}", f"{share:.2%}", "", "", "≤ 1 %", share <= 0.01),
            faster("  itemizing one sequence: vs unrolled cells and autograd", extra, seconds["autograd"]),
        ]
    )

"""Loops over cells of PyTorch: gradients agree with autograd's, and whoever is watched does not notice."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from watched import HIDDEN, INPUTS, Batch, captured_items, expect_agreement, gradient_of

from rnnbow_widget.foreign import ForeignLayers
from rnnbow_widget.torch import Watch, WatchWarning, watch

KINDS = {"tanh": torch.nn.RNNCell, "relu": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}


def make_cell(cell: str, *sizes: int, **options: Any) -> torch.nn.Module:
    own = {"nonlinearity": cell} if KINDS[cell] is torch.nn.RNNCell else {}
    made: torch.nn.Module = KINDS[cell](*sizes, **own, **options)
    return made


def numbers_of(cell: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name + "_l0": tensor.detach().numpy() for name, tensor in cell.named_parameters()}


def hidden(state: Any) -> torch.Tensor:
    found: torch.Tensor = state[0] if isinstance(state, tuple) else state
    return found


def detached(state: Any) -> Any:
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


@settings(max_examples=80)
@given(
    cell=st.sampled_from(sorted(KINDS)),
    bias=st.booleans(),
    steps=st.integers(1, 6),
    streams=st.integers(0, 3),  # 0: one sequence, without an axis
    watched=st.integers(1, 3),
    state=st.sampled_from(["none", "given", "learned"]),
    reads=st.sampled_from(["stacked", "at once", "both", "some", "last"]),
    by_keyword=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_is_recorded_agrees_with_autograd_on_unrolled_cells(
    cell: str,
    bias: bool,
    steps: int,
    streams: int,
    watched: int,
    state: str,
    reads: str,
    by_keyword: bool,
    seed: int,
) -> None:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    module = make_cell(cell, INPUTS, HIDDEN, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(draw(*weight.shape) / 2)
    count = max(streams, 1)
    axis = (streams,) if streams else ()
    x = draw(steps, *axis, INPUTS).requires_grad_()
    first = tuple(draw(*axis, HIDDEN).requires_grad_(state == "learned") for _ in range(1 + (cell == "lstm")))
    factors = draw(steps, *axis, HIDDEN)
    counts = torch.zeros(steps, dtype=torch.float64)
    counts[{"some": slice(0, None, 2), "last": slice(-1, None)}.get(reads, slice(None))] = 1
    hx: Any = None if state == "none" else first if cell == "lstm" else first[0]
    outputs, loss = [], torch.zeros((), dtype=torch.float64)
    with captured_items() as captured, watch(module, 1, streams=watched) as watching:
        for t in range(steps):
            hx = module(x[t], hx=hx) if by_keyword else module(x[t], hx)
            outputs.append(hidden(hx))
            if reads in ("at once", "both", "some", "last") and counts[t]:
                loss = loss + (factors[t] * hidden(hx)).sum()
        if reads in ("stacked", "both"):
            loss = loss + (factors * torch.stack(outputs)).sum() + (torch.stack(outputs) ** 3).sum()
        loss.backward()
    assert watching.trouble == ""
    stacked = torch.stack(outputs).detach()
    entering = factors * counts.reshape(-1, *[1] * (stacked.ndim - 1)) * (2 if reads == "both" else 1)
    if reads in ("stacked", "both"):
        entering = entering + 3 * stacked**2
    own = entering.reshape(steps, count, HIDDEN).numpy() * count
    states = None if state == "none" else [one.detach().reshape(1, count, HIDDEN).numpy() for one in first]
    batch = Batch(x.detach().reshape(steps, count, INPUTS).numpy(), np.full(count, steps), states)
    snapshot = watching.run[-1]
    assert len(snapshot.streams or (snapshot,)) == min(count, watched)
    expect_agreement(ForeignLayers(cell, numbers_of(module)), snapshot, captured[0], batch, own)
    if not counts.all():
        np.testing.assert_array_equal(snapshot.counted if not snapshot.streams else snapshot.streams[0].counted, counts)


def train(cell: str, watched: bool) -> tuple[list[float], list[np.ndarray], Watch | None]:
    """A loop in which many things are made of every state, with truncation; losses, weights and gradients."""
    torch.manual_seed(0)
    module, head = make_cell(cell, 5, 8), torch.nn.Linear(8, 5)
    optimizer = torch.optim.Adam([*module.parameters(), *head.parameters()])
    watching = watch(module, 2, streams=2) if watched else None
    losses, numbers, state = [], [], None
    for _ in range(5):
        loss, outputs = torch.zeros(()), []
        for _ in range(6):
            state = module(torch.randn(3, 5), state)
            outputs.append(torch.nn.functional.dropout(hidden(state), 0.3))
            loss = loss + torch.nn.functional.cross_entropy(head(outputs[-1]), torch.randint(0, 5, (3,)))
            loss = loss + 0.01 * hidden(state).square().sum()
        stacked = torch.stack(outputs)
        loss = loss + (stacked[1:] - stacked[:-1]).square().mean() + stacked.mean()
        optimizer.zero_grad()
        loss.backward()
        numbers += [gradient_of(weight).clone().numpy() for weight in module.parameters()]
        optimizer.step()
        losses.append(loss.item())
        state = detached(state)
    numbers += [weight.detach().numpy() for weight in module.parameters()]
    return losses, [*numbers, torch.get_rng_state().numpy()], watching


@pytest.mark.parametrize("cell", sorted(KINDS))
def test_who_is_watched_gets_the_same_numbers_bit_for_bit(cell: str) -> None:
    plain, watched = train(cell, False), train(cell, True)
    assert plain[0] == watched[0]
    for own, other in zip(plain[1], watched[1], strict=True):
        np.testing.assert_array_equal(own, other)
    watching = watched[2]
    assert watching is not None
    assert watching.trouble == ""
    assert watching.run.batches.tolist() == [0, 2, 4], "windows are counted, not calls"
    assert watching.steps == 5
    assert all(len(snapshot.loss) == 6 for snapshot in watching.run)


@pytest.mark.parametrize("cell", sorted(KINDS))
def test_a_window_ends_where_the_state_is_detached(cell: str) -> None:
    module = make_cell(cell, 3, 4)
    state: Any = None
    with watch(module, 1) as watching:
        for steps in (3, 1, 4):
            loss = torch.zeros(())
            for _ in range(steps):
                state = module(torch.randn(2, 3), state)
                loss = loss + hidden(state).sum()
            with torch.no_grad():
                module(torch.randn(2, 3), state)  # is not counted, and belongs to no window
            loss.backward()
            if steps == 1 and not isinstance(state, tuple):
                state.detach_()  # in place: the same tensor
            else:
                state = detached(state)
    assert [len(snapshot.loss) for snapshot in watching.run] == [3, 1, 4]


def test_of_windows_whose_gradients_come_together_the_last_is_recorded() -> None:
    module = torch.nn.GRUCell(3, 4)
    with watch(module, 1) as watching:
        loss = torch.zeros(())
        for steps in (3, 5):
            state = None
            for _ in range(steps):
                state = module(torch.randn(2, 3), state)
                loss = loss + state.sum()
        loss.backward()
    assert watching.trouble == ""
    assert [len(snapshot.loss) for snapshot in watching.run] == [5]
    assert watching.run.batches.tolist() == [1]


def test_a_partial_pass_back_does_not_count_twice() -> None:
    torch.manual_seed(0)
    module = torch.nn.LSTMCell(3, 4)
    x = torch.randn(4, 1, 3)
    runs = []
    for partial in (False, True):
        state, outputs = None, []
        with watch(module, 1) as watching:
            for step in x:
                state = module(step, state)
                outputs.append(state[0])
            loss = torch.stack(outputs).square().sum()
            if partial:
                torch.autograd.grad(loss, outputs[2], retain_graph=True)
            loss.backward()
        runs.append(watching.run[-1])
    np.testing.assert_array_equal(runs[0].surfaces["W_hh"], runs[1].surfaces["W_hh"])


def test_autocast_is_followed_in_single_precision() -> None:
    torch.manual_seed(1)
    module = torch.nn.GRUCell(3, 8)
    with watch(module) as watching, torch.autocast("cpu", torch.bfloat16):
        state, loss = None, torch.zeros(())
        for _ in range(6):
            state = module(torch.randn(1, 3), state)
            loss = loss + state.float().square().sum()
        loss.backward()
    assert not watching.trouble
    found = watching.run[-1].step_totals["W_hh:share"].sum()
    assert found == pytest.approx(float(gradient_of(module.weight_hh).norm()), rel=0.05)


def test_labels_come_from_a_head_and_targets() -> None:
    module, head = torch.nn.LSTMCell(3, 4), torch.nn.Linear(4, 3)
    targets = torch.tensor([[0, 2], [1, 2], [2, 1], [-100, 0]])  # (n, B)
    with watch(module, streams=2, head=head, targets=lambda: targets, vocabulary="abc") as watching:
        state: Any = None
        loss = torch.zeros(())
        for t in range(4):
            state = module(torch.randn(2, 3), state)
            loss = loss + torch.nn.functional.cross_entropy(head(state[0]), targets[t])
        loss.backward()
    first, second = watching.run[-1].streams
    assert first.targets == ("a", "b", "c", "")
    assert second.targets == ("c", "c", "b", "a")
    assert second.prediction_tokens[-1] == head(state[0])[1].argmax()


def _with_a_changed_state() -> None:
    module = torch.nn.GRUCell(3, 4)
    with watch(module):
        state: Any = None
        for _ in range(3):
            state = module(torch.randn(2, 3), None if state is None else state * 0.9)
        state.sum().backward()


def _with_branches() -> None:
    module = torch.nn.GRUCell(3, 4)
    with watch(module):
        trunk = module(torch.randn(2, 3))
        branches = module(torch.randn(2, 3), trunk), module(torch.randn(2, 3), trunk)
        (branches[0] + branches[1]).sum().backward()


def _with_the_state_as_input() -> None:
    module = torch.nn.RNNCell(4, 4)
    with watch(module):
        state = module(torch.randn(2, 4))
        module(state, state).sum().backward()


def _with_gradients_at_c() -> None:
    module = torch.nn.LSTMCell(3, 4)
    with watch(module):
        state = module(torch.randn(2, 3))
        state = module(torch.randn(2, 3), state)
        (state[0] + state[1]).sum().backward()


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (_with_a_changed_state, "a state that was made from the one before"),
        (_with_branches, "or from an earlier one"),
        (_with_the_state_as_input, "goes into a call as its input, too"),
        (_with_gradients_at_c, "gradients arrive at c from elsewhere"),
    ],
)
def test_what_cannot_be_itemized_ends_watching_with_the_reason(train: Callable[[], None], message: str) -> None:
    with pytest.warns(WatchWarning, match=message):
        train()


def test_after_watching_no_hook_is_left() -> None:
    module = torch.nn.LSTMCell(3, 4)
    states: list[Any] = []
    with watch(module) as watching:
        for _ in range(2):
            states.append(module(torch.randn(2, 3), states[-1] if states else None))
        source: Any = watching._source
        window = weakref.ref(source._window)
        states[-1][0].sum().backward()
    assert not module._forward_hooks
    assert not any(own._backward_hooks for state in states for own in state)
    gc.collect()
    assert window() is None, "nor at the nodes of the graph, which refer to what they tell"

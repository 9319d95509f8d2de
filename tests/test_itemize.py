"""Plain arrays of networks that are trained elsewhere."""

import copy
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from autograd import KINDS, make_module
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from watched import gradient_of, numbers_of

from rnnbow_widget import itemize
from rnnbow_widget.torch import watch


def case(cell: str = "lstm", **options: Any) -> tuple[torch.nn.Module, dict[str, Any]]:
    torch.manual_seed(0)
    module = make_module(cell, 3, 4, 2, dtype=torch.float64, **options)
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    outputs, _ = module(x)
    outputs.retain_grad()
    outputs.square().mean().backward()
    arrays = {
        "weights": numbers_of(module),
        "inputs": x.numpy(),
        "gradients": outputs.grad.numpy(),
        "cell": cell,
        "outputs": outputs.detach().numpy(),
    }
    return module, arrays


@pytest.mark.parametrize("cell", sorted(KINDS))
def test_plain_arrays_give_what_watching_gives(cell: str) -> None:
    module, arrays = case(cell)
    run = itemize(**arrays)
    again = copy.deepcopy(module)
    with watch(again, streams=2) as watching:
        again(torch.tensor(arrays["inputs"]))[0].square().mean().backward()
    for name, surface in watching.run[-1].surfaces.items():
        np.testing.assert_array_equal(run[-1].surfaces[name], surface)


def test_a_run_goes_on_with_further_arrays() -> None:
    _, arrays = case()
    run = itemize(**arrays)
    assert itemize(**arrays, run=run) is run
    assert itemize(**arrays, run=run, batch=100).batches.tolist() == [0, 1, 100]
    with pytest.raises(TypeError, match="run takes a Run, got 3"):
        itemize(**arrays, run=cast(Any, 3))
    with pytest.raises(ValueError, match="run takes one of the same network"):
        itemize(**case("gru")[1], run=run)


def test_one_sequence_needs_no_axis_of_streams() -> None:
    _, arrays = case("gru", bidirectional=True)
    one = arrays | {name: arrays[name][:, 0] for name in ("inputs", "gradients", "outputs")}
    assert itemize(**one)[-1].streams == ()
    labelled = itemize(**one, targets=[0, 1, 2, 1, -1, 0], logits=np.eye(6, 3), vocabulary="abc")
    assert labelled[-1].targets == ("a", "b", "c", "b", "", "a")
    assert labelled[-1].predictions == ("a", "b", "c", "a", "a", "a")
    assert itemize(**one, targets=[0, 1, 2, 1, -1, 0])[-1].targets == ("0", "1", "2", "1", "", "0")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a | {"weights": {"W": a["weights"]["weight_hh_l0"]}}, "weight_ih_l0, weight_hh_l0 missing"),
        (lambda a: a | {"weights": a["weights"] | {"weight_hr_l0": 0}}, "there is weight_hr_l0, too"),
        (lambda a: a | {"weights": a["weights"] | {"bias_hh_l1": np.zeros(3)}}, "bias_hh_l1 takes an array of shape"),
        (lambda a: a | {"inputs": np.zeros((6, 2, 2))}, "inputs takes an array of shape"),
        (lambda a: a | {"gradients": np.zeros((6, 4))}, "gradients takes an array of shape"),
        (lambda a: a | {"outputs": a["outputs"] + 1}, "outputs differ"),
        (lambda a: a | {"cell": "lstmp"}, "cell takes one of"),
        (lambda a: a | {"state": np.zeros((2, 2, 4))}, "state takes"),
        (lambda a: a | {"lengths": [7, 1]}, "lengths takes numbers from 1 to 6"),
        (lambda a: a | {"targets": np.full((6, 2), 3), "vocabulary": "abc"}, "targets takes classes below 3"),
        (lambda a: a | {"logits": np.zeros((6, 2, 3)), "vocabulary": "ab"}, "vocabulary takes a name for each of 3"),
        (lambda a: a | {"batch": -1}, "batch takes"),
    ],
)
def test_arrays_that_do_not_fit_are_named(change: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        itemize(**change(case()[1]))


def test_states_and_lengths_are_those_of_pytorch() -> None:
    torch.manual_seed(2)
    module = torch.nn.LSTM(3, 4, 2, bidirectional=True, dtype=torch.float64)
    lengths = torch.tensor([4, 6])
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    states = tuple(torch.randn(4, 2, 4, dtype=torch.float64) for _ in range(2))
    packed, _ = module(pack_padded_sequence(x, lengths, enforce_sorted=False), states)
    outputs, _ = pad_packed_sequence(packed)
    outputs.retain_grad()
    outputs.square().sum().backward()
    run = itemize(
        numbers_of(module),
        x.numpy(),
        gradient_of(outputs).numpy(),
        cell="lstm",
        state=(states[0].numpy(), states[1].numpy()),
        lengths=lengths.numpy(),
        outputs=outputs.detach().numpy(),
    )
    weights = dict(module.named_parameters())
    grads = [gradient_of(weights[name]) for name in ("weight_hh_l1", "weight_hh_l1_reverse")]
    expected = float(torch.cat(grads).norm())
    assert run[-1].step_totals["W_hh_l1_both:share"].sum() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("cell", sorted(KINDS))
def test_past_the_end_of_a_shorter_sequence_there_is_no_state(cell: str) -> None:
    torch.manual_seed(3)
    module = make_module(cell, 3, 4, 2, bidirectional=True, dtype=torch.float64)
    lengths = np.array([6, 3, 1])
    x, at_outputs = np.random.default_rng(0).standard_normal((2, 6, 3, 8))
    bases = ("h", "c") if cell == "lstm" else ("h",)
    surfaces = [base + suffix for base in bases for suffix in ("", "_l0_reverse", "_l1_both")]
    options: dict[str, Any] = {"weights": numbers_of(module), "cell": cell, "surfaces": surfaces}
    together = itemize(inputs=x[..., :3], gradients=at_outputs, lengths=lengths, **options)[-1]
    for b, length in enumerate(lengths):
        alone = itemize(inputs=x[:length, b, :3], gradients=at_outputs[:length, b] * 3, **options)[-1]
        for kind in ("surfaces", "step_totals", "beyond"):
            for name, own in getattr(alone, kind).items():
                found = getattr(together.streams[b], kind)[name]
                assert not found[length:].any(), name
                if kind != "surfaces" and not name.endswith(":share"):  # parts of what all streams have in common
                    np.testing.assert_allclose(found[:length], own, rtol=1e-5)

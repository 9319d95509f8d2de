"""Networks that are trained elsewhere: gradients agree with autograd's, and whoever is watched does not notice."""

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from saving import reader_of, writer_of
from watched import Arrangement, arrangements, captured_items, expect_agreement, gradient_of, numbers_of

from rnnbow_widget import Run
from rnnbow_widget.foreign import ForeignLayers
from rnnbow_widget.torch import WatchWarning, watch


@settings(max_examples=60)
@given(arrangements())
def test_what_is_recorded_agrees_with_autograd_on_unrolled_cells(arrangement: Arrangement) -> None:
    with captured_items() as captured:
        run, module, batch, entering = arrangement.train()
    assert len(run[-1].streams or (run[-1],)) == min(batch.inputs.shape[1], arrangement.watched)
    expect_agreement(ForeignLayers(arrangement.cell, numbers_of(module)), run[-1], captured[0], batch, entering)


def train(watched: bool, **options: Any) -> tuple[list[float], list[np.ndarray], list[np.ndarray], Any]:
    """Seven steps of an ordinary loop with chance in it.

    Returns losses, weights, gradients with the states of all generators after them, and what watched.
    """
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the global generator is what must not be touched
    random.seed(0)
    module, head = torch.nn.LSTM(5, 8, 2, batch_first=True), torch.nn.Linear(8, 5)
    optimizer = torch.optim.Adam([*module.parameters(), *head.parameters()])
    watching = watch(module, 2, streams=2, head=head, **options) if watched else None
    losses, gradients = [], []
    for _ in range(7):
        x, y = torch.randn(3, 6, 5), torch.randint(0, 5, (3, 6))
        outputs, _ = module(x)
        outputs = torch.nn.functional.dropout(outputs, 0.3)
        loss = torch.nn.functional.cross_entropy(head(outputs).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        gradients += [gradient_of(weight).clone().numpy() for weight in module.parameters()]
        optimizer.step()
        losses.append(loss.item())
    weights = [weight.detach().numpy() for weight in module.parameters()]
    numpys: Any = np.random.get_state()  # noqa: NPY002
    chance = [torch.get_rng_state().numpy(), numpys[1], random.getstate()[1]]
    return losses, weights, [*gradients, *map(np.asarray, chance)], watching


def test_who_is_watched_gets_the_same_numbers_bit_for_bit() -> None:
    plain, watched = train(False), train(True)
    assert plain[0] == watched[0]
    for own, other in zip([*plain[1], *plain[2]], [*watched[1], *watched[2]], strict=True):
        np.testing.assert_array_equal(own, other)
    assert watched[3].steps == 7
    assert watched[3].run.batches.tolist() == [0, 2, 4, 6]


def test_a_failure_of_ours_is_told_once_and_training_goes_on() -> None:
    def targets() -> torch.Tensor:
        raise RuntimeError("no classes today")

    with pytest.warns(WatchWarning, match="training goes on: RuntimeError: no classes today") as told:
        failing = train(True, targets=targets)
    assert len(told) == 1
    plain = train(False)
    assert plain[0] == failing[0]
    for own, other in zip([*plain[1], *plain[2]], [*failing[1], *failing[2]], strict=True):
        np.testing.assert_array_equal(own, other)
    assert "no classes today" in failing[3].trouble
    assert failing[3].steps == 1, "the hook is gone"
    assert not failing[3].run


def test_who_makes_errors_of_warnings_trains_on_too(caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        failing = train(True, targets=lambda: torch.zeros(3, 6))
    assert "targets takes classes" in failing[3].trouble
    assert "targets takes classes" in caplog.text


def test_the_average_of_all_sequences_is_the_gradient_as_it_is() -> None:
    module = torch.nn.GRU(3, 5, 2)
    with watch(module, streams=4) as watching:
        outputs, _ = module(torch.randn(6, 4, 3))
        outputs.square().mean().backward()
    snapshot = watching.run[-1]
    weights = dict(module.named_parameters())
    for name, weight in {"W_hh": weights["weight_hh_l0"], "W_hh_l1": weights["weight_hh_l1"]}.items():
        sums = snapshot.step_totals[name + ":share"].sum()
        assert sums == pytest.approx(float(gradient_of(weight).norm()), rel=1e-4)
        assert np.mean([s.step_totals[name + ":share"].sum() for s in snapshot.streams]) == pytest.approx(sums)


def test_steps_are_counted_where_gradients_are_wanted_only() -> None:
    module = torch.nn.RNN(3, 4)
    with watch(module, 2) as watching:
        for _ in range(5):
            module(torch.randn(6, 1, 3))[0].sum().backward()
            with torch.no_grad():
                module(torch.randn(6, 1, 3))
    assert watching.steps == 5
    assert watching.run.batches.tolist() == [0, 2, 4]
    module(torch.randn(6, 1, 3))[0].sum().backward()
    assert watching.steps == 5


def test_a_second_pass_back_is_not_recorded() -> None:
    module = torch.nn.RNN(3, 4)
    with watch(module, 1) as watching:
        loss = module(torch.randn(6, 1, 3))[0].sum()
        loss.backward(retain_graph=True)
        loss.backward()
        module(torch.randn(6, 1, 3))[0].sum().backward()
    assert watching.run.batches.tolist() == [0, 1]
    assert not watching.trouble


def test_of_passes_whose_gradients_come_together_the_last_is_recorded() -> None:
    module = torch.nn.RNN(3, 4)
    with watch(module, 1) as watching:
        for _ in range(2):
            (module(torch.randn(6, 1, 3))[0].sum() + module(torch.randn(5, 1, 3))[0].sum()).backward()
    assert watching.trouble == ""
    assert watching.run.batches.tolist() == [1, 3]


def test_a_pass_that_no_gradient_comes_back_to_is_not_recorded() -> None:
    module = torch.nn.RNN(3, 4)
    with watch(module, 1) as watching:
        module(torch.randn(6, 1, 3))
    assert not len(watching.run)


@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.LSTMCell])
def test_a_pass_whose_gradients_come_after_the_end_of_watching_is_not_recorded(kind: type[torch.nn.Module]) -> None:
    module = kind(3, 4)
    with watch(module, 1) as watching:
        outputs, _ = module(torch.randn(6, 3))
    outputs.sum().backward()
    assert not len(watching.run)


def test_steps_without_a_gradient_have_no_loss() -> None:
    module = torch.nn.LSTM(3, 4)
    with watch(module) as watching:
        module(torch.randn(6, 1, 3))[0][[2, 5]].sum().backward()
    snapshot = watching.run[-1]
    np.testing.assert_array_equal(snapshot.counted, [0, 0, 1, 0, 0, 1])
    lags = snapshot.surfaces["W_hh"]  # (n, n)
    assert not lags[0, 0]
    assert lags[1, 1]
    assert lags[2, 0]
    assert np.isnan(snapshot.loss[[2, 5]]).all(), "how large it is nobody has said"


def test_labels_come_from_a_head_and_targets() -> None:
    module, head = torch.nn.LSTM(3, 4, batch_first=True), torch.nn.Linear(4, 3)
    targets = torch.tensor([[0, 1, 2, -100], [2, 2, 1, 0]])
    with watch(module, streams=2, head=head, targets=lambda: targets, vocabulary="abc") as watching:
        outputs, _ = module(torch.randn(2, 4, 3))
        loss = torch.nn.functional.cross_entropy(head(outputs).flatten(0, 1), targets.flatten(), reduction="none")
        loss.sum().backward()
    first, second = watching.run[-1].streams
    assert first.targets == ("a", "b", "c", "")
    assert second.targets == ("c", "c", "b", "a")
    np.testing.assert_array_equal(second.prediction_tokens, head(outputs)[1].argmax(-1))
    np.testing.assert_allclose([first.loss, second.loss], loss.detach().reshape(2, 4), rtol=1e-5)
    np.testing.assert_allclose(first.probability[:3], np.exp(-first.loss[:3]), rtol=1e-5)
    assert np.isnan(first.probability[3])


def test_autocast_is_followed_in_single_precision() -> None:
    torch.manual_seed(1)
    module = torch.nn.LSTM(3, 8, 2)
    with watch(module) as watching, torch.autocast("cpu", torch.bfloat16):
        outputs, _ = module(torch.randn(6, 1, 3))
        outputs.float().square().sum().backward()
    assert not watching.trouble
    weight = dict(module.named_parameters())["weight_hh_l1"]
    found = watching.run[-1].step_totals["W_hh_l1:share"].sum()
    assert found == pytest.approx(float(gradient_of(weight).norm()), rel=0.05)


def test_a_module_that_is_inside_another_is_found() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.GRU(3, 4))
    with watch(model) as watching:
        model(torch.randn(5, 1, 2))[0].sum().backward()
    assert len(watching.run) == 1


class Own(torch.nn.LSTM):
    def forward(self, *_: Any) -> Any:
        return None


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: watch(torch.nn.LSTM(3, 4, proj_size=2)), ValueError, "proj_size=0, got 2: the state"),
        (lambda: watch(torch.nn.LSTM(3, 4, 2, dropout=0.1)), ValueError, "dropout between the layers draws"),
        (lambda: watch(torch.nn.Linear(3, 4)), TypeError, "Linear has none"),
        (
            lambda: watch(torch.nn.ModuleDict({"a": torch.nn.GRU(1, 1), "b": torch.nn.RNN(1, 1)})),
            TypeError,
            "has a, b: name one",
        ),
        (lambda: watch(cast(Any, "lstm")), TypeError, "got 'lstm'"),
        (lambda: watch(Own(3, 4)), TypeError, "Own runs differently"),
        (
            lambda: watch(torch.nn.utils.parametrizations.spectral_norm(torch.nn.RNN(3, 4), "weight_hh_l0")),
            ValueError,
            "without parametrized weights",
        ),
        (lambda: watch(torch.nn.RNN(3, 4), 0), ValueError, "every takes"),
        (lambda: watch(torch.nn.RNN(3, 4), streams=0), ValueError, "streams takes"),
        (lambda: watch(torch.nn.RNN(3, 4), horizon=0), ValueError, "horizon takes"),
        (lambda: watch(torch.nn.RNN(3, 4), surfaces=["c"]), ValueError, "surfaces takes"),
        (lambda: watch(torch.nn.RNN(3, 4), head=torch.nn.Linear(3, 4)), ValueError, "in_features=4"),
        (lambda: watch(torch.nn.RNN(3, 4), head=cast(Any, torch.nn.ReLU())), TypeError, "head takes"),
        (lambda: watch(torch.nn.RNN(3, 4), head=torch.nn.Linear(4, 2), vocabulary="abc"), ValueError, "each of 2"),
        (lambda: watch(torch.nn.RNN(3, 4), targets=lambda: torch.empty(0)), ValueError, "vocabulary takes names"),
        (
            lambda: watch(torch.nn.RNN(3, 4), targets=cast(Any, torch.zeros(3)), vocabulary="a"),
            TypeError,
            "targets takes a function",
        ),
    ],
)
def test_what_cannot_be_watched_is_refused_at_once(
    make: Callable[[], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        make()


def _with_dropout() -> None:
    module = torch.nn.LSTM(3, 4, 2)
    with watch(module):
        module.dropout = 0.5
        module(torch.randn(5, 1, 3))[0].sum().backward()


def _with_lower_state() -> None:
    module = torch.nn.GRU(3, 4, 2)
    with watch(module):
        module(torch.randn(5, 1, 3))[1].sum().backward()


def _with_cell_state() -> None:
    module = torch.nn.LSTM(3, 4)
    with watch(module):
        module(torch.randn(5, 1, 3))[1][1].sum().backward()


def _with_other_outputs() -> None:
    module = torch.nn.LSTM(3, 4)
    module.register_forward_hook(lambda module, args, output: (output[0] * 2, output[1]))
    with watch(module):
        module(torch.randn(5, 1, 3))[0].sum().backward()


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (_with_dropout, "dropout between the layers"),
        (_with_lower_state, "h_n of a lower layer"),
        (_with_cell_state, "or at c_n"),
        (_with_other_outputs, "outputs differ from what these weights"),
    ],
)
def test_what_turns_out_not_to_be_itemizable_ends_watching_with_the_reason(
    train: Callable[[], None], message: str
) -> None:
    with pytest.warns(WatchWarning, match=message):
        train()


def test_the_file_says_that_the_loop_trains_until_watching_ends(tmp_path: Path) -> None:
    module = torch.nn.RNN(3, 4)
    path = tmp_path / "loop.rnnbow"
    with watch(module, 2, save=path) as watching:
        for _ in range(4):
            module(torch.randn(6, 1, 3))[0].sum().backward()
        writer_of(watching.run).flush()
        assert reader_of(Run.open(path)).activity == "training"
    opened = Run.open(path)
    assert reader_of(opened).activity.startswith("paused")
    assert opened.batches.tolist() == [0, 2]


def test_the_overhead_is_a_share_of_the_loops_time() -> None:
    module = torch.nn.RNN(3, 4)
    with watch(module, 3) as watching:
        assert np.isnan(watching.overhead)
        for _ in range(10):
            module(torch.randn(6, 1, 3))[0].sum().backward()
    assert 0 < watching.overhead < 1
    assert watching.run.overhead == watching.overhead, "the last step was recorded"
    assert "overhead" in repr(watching)


def test_what_diverged_is_recorded_as_such() -> None:
    module = torch.nn.RNN(3, 4)
    with watch(module) as watching:
        (module(torch.randn(6, 1, 3))[0].sum() * float("inf")).backward()
    assert watching.run[-1].diverged

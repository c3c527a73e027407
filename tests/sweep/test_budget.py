"""Recipes for budgets: the solver against brute force, and what is found against the truth."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep_subjects import small_net
from torch.utils.data import TensorDataset

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.library import compress
from explorer.measure.accuracy import evaluate
from explorer.measure.metric import ACCURACY
from explorer.sweep import solver as solver_module
from explorer.sweep.budget import fit_budget
from explorer.sweep.measurement import Measurement
from explorer.sweep.options import BudgetSolver, Losses, Toll, layer_losses, toll_of
from explorer.sweep.sensitivity import sensitivity
from explorer.sweep.solver import Budget, Front, Option, solve

LAYER = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 20).map(lambda n: n / 8)), min_size=1, max_size=5
)


def learned_net():
    """A network, and data that it classifies rightly for the most part."""
    net = small_net(3)
    inputs = torch.randn(600, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        labels = net(inputs).argmax(1)
    labels[::20] = (labels[::20] + 1) % 7
    return net, TensorDataset(inputs, labels)


@pytest.fixture(scope="module")
def measured():
    net, data = learned_net()
    points = [p for dial in ("density", "k") for p in sensitivity(net, data, dial=dial)]
    return net, data, points


@pytest.fixture(scope="module")
def solver(measured):
    net, data, points = measured
    return BudgetSolver(Measurement(net, data), points)


def options_of(layers):
    return {
        str(i): [Option((Prune(sparsity=j / 100),), *each) for j, each in enumerate(layer)]
        for i, layer in enumerate(layers)
    }


def brute_force(options):
    for chosen in itertools.product(*options.values()):
        yield sum(o.size_bytes for o in chosen), sum(o.loss for o in chosen)


@given(st.lists(LAYER, min_size=1, max_size=4), st.integers(1, 90))
def test_the_least_loss_within_a_size(layers, size):
    options = options_of(layers)
    choice = solve(options, Budget(size_bytes=size), fixed_bytes=7)
    fitting = [loss for total, loss in brute_force(options) if total + 7 <= size]
    assert choice.met == bool(fitting)
    if fitting:
        assert choice.size_bytes <= size
        assert choice.loss == min(fitting)
        equal = [total for total, loss in brute_force(options) if loss == choice.loss]
        assert choice.size_bytes == 7 + min(equal)
    else:
        assert choice.size_bytes == 7 + min(total for total, _ in brute_force(options))


@given(st.lists(LAYER, min_size=1, max_size=4), st.floats(0.05, 1.0))
def test_the_smallest_within_an_accuracy(layers, accuracy):
    options = options_of(layers)
    choice = solve(options, Budget(accuracy=accuracy), original_accuracy=0.9)
    allowed = math.log(0.9 / accuracy) + 1e-12
    fitting = [size for size, loss in brute_force(options) if loss <= allowed]
    assert choice.met == bool(fitting)
    if fitting:
        assert choice.size_bytes == min(fitting)
    else:
        assert choice.loss == min(loss for _, loss in brute_force(options))


@given(st.lists(LAYER, min_size=1, max_size=4), st.integers(1, 90))
def test_a_choice_is_made_of_options(layers, size):
    options = options_of(layers)
    choice = solve(options, Budget(size_bytes=size))
    chosen = [next(o for o in options[name] if o.steps == s) for name, s in choice.steps.items()]
    assert list(choice.steps) == list(options)
    assert choice.size_bytes == sum(option.size_bytes for option in chosen)
    assert choice.loss == pytest.approx(sum(option.loss for option in chosen))


def test_a_thinned_front_still_keeps_the_budget(monkeypatch):
    generator = np.random.default_rng(0)
    layers = [
        list(
            zip(
                np.sort(generator.integers(1, 10_000, 20)).tolist(),
                np.sort(generator.random(20))[::-1].tolist(),
                strict=True,
            )
        )
        for _ in range(4)
    ]
    options = options_of(layers)
    exact = Front(options)
    monkeypatch.setattr(solver_module, "MAX_FRONT", 40)
    thin = Front(options)
    assert len(thin.sizes) <= 40 < len(exact.sizes)
    for size in (3_000, 8_000, 15_000):
        found, best = thin.within_bytes(size), exact.within_bytes(size)
        assert found.size_bytes <= size
        assert best.loss <= found.loss <= best.loss + 0.3


def test_losses_never_fall_as_a_dial_is_turned_down():
    losses = Losses.of({0.1: 0.5, 0.2: 0.4, 0.5: 0.95, 1.0: 0.9}, Toll(0.9, ACCURACY))
    assert losses.losses.tolist() == pytest.approx([math.log(0.9 / 0.4)] * 2 + [0.0, 0.0])
    assert losses.at(0.2) == pytest.approx(math.log(0.9 / 0.4))
    assert 0 < losses.at(0.3) < losses.at(0.2)


def test_what_no_sample_survives_counts_as_half_a_sample(measured):
    _, data, points = measured
    every = layer_losses(points).values()
    assert max(losses.losses.max() for losses in every) <= math.log(2 * len(data))


def test_original_accuracy(measured):
    net, data, points = measured
    assert toll_of(points).original == evaluate(net, data).top1
    with pytest.raises(ValueError, match="none of them has an accuracy"):
        toll_of(sensitivity(net, None, values=[0.5]))


def test_the_cause_is_named_where_every_point_failed(measured):
    net, _, _ = measured
    with pytest.raises(ValueError, match=r"none of them has an accuracy; each failed.*got nan"):
        fit_budget(net, None, size_bytes=900, metric=lambda _net: math.nan)


def test_predicted_bytes_are_those_of_the_file(measured, solver):
    net, _, _ = measured
    for budget in (Budget(size_bytes=900), Budget(size_bytes=1300), Budget(accuracy=0.9)):
        choice = solver.solve(budget)
        assert choice.size_bytes == compress(net, choice.recipe).size_bytes


@settings(max_examples=25)
@given(size=st.integers(500, 2500))
def test_a_file_never_exceeds_its_budget_where_it_can_be_met(measured, solver, size):
    net, _, _ = measured
    choice = solver.solve(Budget(size_bytes=size))
    assert choice.met == (choice.size_bytes <= size)
    harshest = [Prune(sparsity=0.98), Share(n_clusters=2)]
    assert choice.met or compress(net, {"0": harshest, "2": harshest}).size_bytes > size


def test_a_size_is_kept_and_verified(measured):
    net, data, points = measured
    fitted = fit_budget(net, data, size_bytes=1000, points=points)
    small = compress(net, fitted.recipe)
    assert fitted.met
    assert fitted.point.size_bytes == small.size_bytes <= 1000
    assert fitted.point.accuracy.top1 == evaluate(small.restore(), data).top1


def test_it_does_better_than_the_same_pruning_everywhere(measured):
    net, data, points = measured
    for sparsity in (0.3, 0.5):
        uniform = compress(net, [Prune(sparsity=sparsity), Share(n_clusters=16)])
        fitted = fit_budget(net, data, size_bytes=uniform.size_bytes, points=points)
        assert fitted.point.accuracy.top1 >= evaluate(uniform.restore(), data).top1


def test_an_accuracy_is_kept_with_fewer_bytes(measured):
    net, data, points = measured
    found = [fit_budget(net, data, accuracy=a, points=points) for a in (0.94, 0.85, 0.6)]
    assert all(fitted.met for fitted in found)
    assert all(f.point.accuracy.top1 >= f.budget.accuracy for f in found)
    sizes = [fitted.point.size_bytes for fitted in found]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < compress(net, []).size_bytes


def test_what_cannot_be_met_gives_the_nearest(measured):
    net, data, points = measured
    size = fit_budget(net, data, size_bytes=1, points=points)
    assert not size.met
    assert size.point.size_bytes < 700
    accuracy = fit_budget(net, data, accuracy=1.0, points=points)
    assert not accuracy.met
    assert accuracy.point.accuracy.top1 >= toll_of(points).original


def test_sensitivities_are_measured_where_they_are_not_given():
    net, data = learned_net()
    heard = []
    fitted = fit_budget(net, data, size_bytes=1500, progress=heard.append)
    assert fitted.met
    assert heard[-1].done == heard[-1].total


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({}, "give exactly one of size_bytes and accuracy; got size_bytes=None"),
        ({"size_bytes": 9, "accuracy": 0.9}, "give exactly one of size_bytes and accuracy"),
        ({"size_bytes": 0}, "size_bytes must be positive; got 0"),
        ({"size_bytes": -5}, "size_bytes must be positive; got -5"),
        ({"accuracy": 97}, r"accuracy must be in \(0, 1\]; got 97; it is a fraction: write 0.97"),
        ({"accuracy": 0}, r"accuracy must be in \(0, 1\]; got 0"),
        ({"accuracy": math.nan}, r"accuracy must be in \(0, 1\]; got nan"),
    ],
)
def test_budgets_out_of_range(budget, words):
    with pytest.raises(ValueError, match=words):
        fit_budget(small_net(), None, **budget)


def test_other_bad_input():
    with pytest.raises(TypeError, match="a budget must be a number; got '9'"):
        Budget(size_bytes="9")
    with pytest.raises(ValueError, match="data: there is none to measure accuracy on"):
        fit_budget(small_net(), None, size_bytes=9)
    with pytest.raises(ValueError, match="options: layer 'a' has none"):
        solve({"a": []}, Budget(size_bytes=9))
    with pytest.raises(ValueError, match="at least one layer, got none"):
        solve({}, Budget(size_bytes=9))
    with pytest.raises(ValueError, match="has one of 3 bytes and loss -1"):
        solve({"a": [Option((), 3, -1.0)]}, Budget(size_bytes=9))
    with pytest.raises(RuntimeError, match="stopped before a recipe was measured"):
        fit_budget(*learned_net(), size_bytes=900, should_stop=lambda: True)


def test_a_choice_without_steps_is_the_empty_recipe():
    assert solve({"a": [Option((), 3, 0.0)]}, Budget(size_bytes=9)).recipe == Recipe()

import math

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.measure.metric import Metric, Scale, Score
from explorer.sweep.curves import frontier, method_curves
from explorer.sweep.options import Toll
from explorer.sweep.solver import Budget

RECIPES = [[ex.Prune(sparsity=s)] for s in (0.0, 0.8, 0.95)]


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 1)).eval()


REFERENCE = network()


def error_of(net):
    """Return how far outputs are from those of the network as it is, plus one."""
    inputs = torch.linspace(-1, 1, 400).reshape(10, 40)
    with torch.no_grad():
        return 1 + float((net(inputs) - REFERENCE(inputs)).square().mean())


LOSS = Metric(error_of, "loss", "nats", higher_is_better=False)


def expected(recipe):
    return error_of(ex.compress(network(), recipe).restore())


def test_every_point_of_a_sweep_is_judged_by_the_metric():
    points = {p.recipe: p for p in ex.sweep(network(), None, RECIPES, metric=LOSS)}
    for recipe in RECIPES:
        found = points[ex.Recipe.of(recipe)].accuracy
        assert found == Score(expected(recipe), "loss", "nats", False)


def test_processes_take_a_function_of_a_module_and_refuse_a_lambda():
    with ex.WorkerProcesses(1) as workers:
        found = list(ex.sweep(network(), None, RECIPES[:2], metric=LOSS, executor=workers))
        assert [p.accuracy.name for p in found] == ["loss"] * 2
        recipes = RECIPES[:1]
        with pytest.raises(ValueError, match=r"net, data or metric cannot be sent to worker"):
            list(ex.sweep(network(), None, recipes, metric=lambda net: 1.0, executor=workers))


def test_a_store_tells_metrics_apart(tmp_path):
    store = tmp_path / "points.sqlite"
    for metric in (LOSS, Metric(error_of, "error"), lambda net: 3.5, lambda net: 4.5):
        found = list(ex.sweep(network(), None, RECIPES, metric=metric, store=store))
        again = list(ex.sweep(network(), None, RECIPES, metric=metric, store=store))
        assert sorted(p.accuracy.value for p in again) == sorted(p.accuracy.value for p in found)
        assert {p.accuracy.name for p in again} == {p.accuracy.name for p in found}
        assert {p.seconds for p in again} == {p.seconds for p in found}
    assert {p.accuracy.value for p in again} == {4.5}


def test_a_store_tells_apart_what_a_metric_holds_on_to(tmp_path):
    store = tmp_path / "points.sqlite"

    def made(target):
        return lambda net: float(target.sum())

    values = []
    for target in (torch.ones(2), torch.ones(3)):
        points = ex.sweep(network(), None, RECIPES[:1], metric=made(target), store=store)
        values += [p.accuracy.value for p in points]
    assert values == [2.0, 3.0]


def test_what_goes_wrong_with_a_metric_is_told_in_each_point():
    points = list(ex.sweep(network(), None, RECIPES, metric=lambda net: float("nan")))
    assert {p.accuracy for p in points} == {None}
    assert all("metric: expected a finite number" in p.error_message for p in points)


def test_the_frontier_follows_the_direction():
    points = list(ex.sweep(network(), None, RECIPES, metric=LOSS))
    places = {p: (p.size_bytes, p.accuracy.value) for p in points}
    unbeaten = [
        p
        for p, (size, loss) in places.items()
        if not any(s <= size and v <= loss and (s, v) != (size, loss) for s, v in places.values())
    ]
    assert set(frontier(points)) == set(unbeaten) and len(unbeaten) >= 2


def test_curves_and_sensitivities_take_it():
    curves = list(method_curves(network(), None, methods=["prune"], metric=LOSS))
    assert {p.point.accuracy.name for p in curves} == {"loss"}
    found = list(ex.sensitivity(network(), None, values=[0.5], metric=LOSS))
    assert {p.point.accuracy.name for p in found} == {"loss"}


def test_a_budget_of_a_value_follows_the_direction():
    goal = 1.05
    fitted = ex.fit_budget(network(), None, accuracy=goal, metric=LOSS)
    assert fitted.met and fitted.point.accuracy.value <= goal
    assert fitted.point.size_bytes < fitted.point.original_bytes
    assert fitted.predicted >= 1.0
    small = ex.fit_budget(network(), None, size_bytes=1500, metric=LOSS)
    assert small.met and small.point.size_bytes <= 1500
    with pytest.raises(ValueError, match=r"data: there is none .* or metric="):
        ex.fit_budget(network(), None, size_bytes=1500)
    with pytest.raises(ValueError, match=r"accuracy: expected a finite number.*got nan"):
        Budget(accuracy=math.nan, scale=LOSS.scale)


def test_points_of_different_metrics_fit_no_budget():
    points = [
        p for m in (LOSS, Metric(error_of)) for p in ex.sensitivity(network(), None, metric=m)
    ]
    with pytest.raises(ValueError, match="points: judged by different metrics: loss, error_of"):
        ex.fit_budget(network(), None, size_bytes=900, points=points, metric=LOSS)


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("values", [[0.5, 2.0], [-0.7, -3.0], [0.0, 1.0], [1e-300, 1e300]])
def test_losses_turn_back_into_values(values, higher):
    toll = Toll.of(values[0], Scale("x", "", higher), values, 0)
    for value in values:
        loss = toll.loss(value)
        assert math.isfinite(loss) and math.isfinite(toll.value(loss))
        assert (loss > 0) == (toll.scale.goodness(value) < toll.scale.goodness(values[0]))
        if abs(value) < 1e6 and abs(loss) < 1e6 and value > 1e-6:
            assert toll.value(loss) == pytest.approx(value)

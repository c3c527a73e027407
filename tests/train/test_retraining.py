"""Pruning and retraining in stages."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.prune import Prune
from explorer.measure.accuracy import evaluate
from explorer.train.masks import pruning_masks
from explorer.train.retraining import gradual, retrain, stages_of
from explorer.train.settings import TrainSettings
from explorer.train.training import train

HOW = TrainSettings(n_epochs=2, batch_size=16, learning_rate=0.02)


def test_the_cubic_curve_by_hand():
    # Sparsity s = sf + (si - sf) (1 - t/n)^3 with si = 0, sf = 0.8: 0.7, 0.8.
    assert gradual(0.2, 2) == pytest.approx((0.3, 0.2))
    assert gradual(0.5, 1) == (0.5,)
    assert gradual({"a": 0.2, "b": 1.0}, 2) == (
        {"a": pytest.approx(0.3), "b": 1.0},
        {"a": pytest.approx(0.2), "b": 1.0},
    )


@given(st.floats(0, 1), st.integers(1, 20))
def test_the_curve_falls_ever_more_slowly(final, n_stages):
    densities = [1.0, *gradual(final, n_stages)]
    drops = [a - b for a, b in itertools.pairwise(densities)]
    assert densities[-1] == final
    assert all(drop >= 0 for drop in drops)
    assert all(a >= b - 1e-12 for a, b in itertools.pairwise(drops))


def test_stages_by_layer():
    names = ["fc1", "fc2", "out"]
    assert stages_of(0.5, names) == ({"fc1": 0.5, "fc2": 0.5, "out": 0.5},)
    assert stages_of([1, {"fc1": 0.2, "fc*": 0.5}], names) == (
        {"fc1": 1.0, "fc2": 1.0, "out": 1.0},
        {"fc1": 0.2, "fc2": 0.5},
    )


@pytest.mark.parametrize("criterion", ["magnitude", "obd", "random"])
def test_stages_prune_and_retrain(net, data, criterion):
    schedule = (0.5, {"0": 0.25, "2": 0.5})
    found = list(retrain(net, data, schedule, HOW, criterion=criterion, validation=data))
    assert [r.step for r in found] == [*range(13), *range(12, 25)]
    assert [r.stage for r in found] == [0] * 13 + [1] * 13
    assert {(r.n_steps, r.n_stages) for r in found} == {(24, 2)}
    assert all(r.density["0"] <= 0.5 for r in found[:13])
    assert found[12].density == {"0": 0.5, "2": 0.5}
    assert found[-1].density == {"0": 0.25, "2": 0.5}
    assert found[0].validation is not None
    times = [r.elapsed_s for r in found]
    assert times == sorted(times)
    assert found[-1].done
    assert found[-1].remaining_s == 0


def test_retraining_brings_accuracy_back(net, data):
    trained = list(train(net, data, TrainSettings(n_epochs=15, batch_size=16)))[-1].net
    found = list(retrain(trained, data, 0.2, HOW, validation=data))
    assert found[0].validation.top1 < found[-1].validation.top1


def test_one_stage_is_masked_training(net, data):
    whole = list(retrain(net, data, 0.5, HOW))[1:]
    masks = pruning_masks(net, Prune(sparsity=0.5))
    alone = list(train(net, data, HOW, masks=masks))
    assert [r.loss for r in whole] == pytest.approx([r.loss for r in alone], rel=1e-4)


def test_static_pruning_is_a_stage_without_training(net, data):
    (record,) = retrain(net, data, 0.5, TrainSettings(n_epochs=0), validation=data)
    kept = record.net[0].weight != 0
    assert torch.equal(record.net[0].weight[kept], net[0].weight[kept])
    assert int(kept.sum()) == 24
    assert record.validation == evaluate(record.net, data)
    assert record.validation.complete


def test_the_default_is_a_tenth_of_the_rate(net, data):
    records = retrain(net, data, 0.5)
    next(records)
    assert next(records).learning_rate == pytest.approx(0.005)


@pytest.mark.parametrize("step", [3, 12, 15])
def test_going_on_in_any_stage(net, data, step):
    schedule = gradual(0.2, 2)
    whole = list(retrain(net, data, schedule, HOW))
    place = max(i for i, r in enumerate(whole) if r.step == step and r.stage == step // 13)
    for i, record in enumerate(retrain(net, data, schedule, HOW)):
        if i == place:
            checkpoint = record.checkpoint()
            break
    rest = list(retrain(net, data, schedule, HOW, resume=checkpoint))
    assert [(r.step, r.stage) for r in rest] == [(r.step, r.stage) for r in whole[place + 1 :]]
    end = whole[-1].net.state_dict()
    assert all(torch.equal(end[k], v) for k, v in rest[-1].net.state_dict().items())
    with pytest.raises(ValueError, match=r"stage \d; the schedule has 0|differ|stage 1; the sch"):
        retrain(net, data, 0.9, TrainSettings(), resume=checkpoint)


def test_stopping(net, data):
    asked = itertools.count()
    found = list(retrain(net, data, (0.5, 0.2), HOW, should_stop=lambda: next(asked) >= 5))
    assert found[-1].step == 5
    assert {r.stage for r in found} == {0}


@pytest.mark.parametrize(
    ("schedule", "error", "words"),
    [
        (1.5, ValueError, r"schedule: density must be in \[0, 1\]; got 1.5"),
        ((0.5, -0.1), ValueError, "got -0.1"),
        ((0.2, 0.5), ValueError, "density of '0' rises from 0.2 to 0.5 at stage 1"),
        ((), ValueError, "at least one density, got none"),
        ({"fc": 0.5}, ValueError, "pattern 'fc' matches no layer.*0, 2"),
        ("half", TypeError, "must be a number"),
        (None, TypeError, "must be a number"),
    ],
)
def test_bad_schedules(net, data, schedule, error, words):
    with pytest.raises(error, match=words):
        retrain(net, data, schedule, HOW)


def test_other_bad_arguments(net, data):
    with pytest.raises(ValueError, match="criterion must be one of"):
        retrain(net, data, 0.5, HOW, criterion="luck")
    with pytest.raises(ValueError, match="n_stages must be from 1"):
        gradual(0.5, 0)
    with pytest.raises(ValueError, match=r"final must be in \[0, 1\]; got 2"):
        gradual(2, 3)
    with pytest.raises(TypeError, match="resume must be a Checkpoint"):
        retrain(net, data, 0.5, HOW, resume=3)

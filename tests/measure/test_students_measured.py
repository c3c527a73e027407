"""Students beside their teacher, families under compression, and a raised bias."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

from explorer.measure.accuracy import Accuracy, evaluate
from explorer.measure.label_repair import bias_effect
from explorer.measure.students import (
    T_QUANTILES,
    Family,
    Relative,
    StudentResult,
    mean_interval,
    student_table,
)
from explorer.train.data_variants import correct_bias

PAIR = ("labels", "teacher")


def judged(n_right, n=100):
    return Accuracy.from_counts(n_right, n, n)


def graduate(name, n_right, seed=0, group=""):
    return StudentResult(name, judged(n_right), 1000, group, seed)


def test_a_table_by_hand():
    students = [
        graduate("labels", 90),
        graduate("teacher", 94),
        graduate("labels", 92, 1),
        graduate("teacher", 94, 1),
    ]
    found = student_table(graduate("big", 99), students, PAIR)
    assert [row.name for row in found.rows] == ["big", "labels", "teacher"]
    assert found.rows[1].value == pytest.approx(0.09)
    assert found.rows[1].n_seeds == 2
    assert found.rows[1].n_bytes == 4000
    half = 12.7062047 * math.sqrt(2) * 0.01 / math.sqrt(2)
    assert found.rows[1].high == pytest.approx(0.09 + half)
    assert found.rows[1].low == 0.0
    assert (found.n_better, found.n_pairs, found.n) == (2, 2, 100)
    assert found.gain == pytest.approx(0.03)
    assert found.gain_low == pytest.approx(0.03 - half)


def test_a_single_seed_has_the_interval_over_samples():
    found = student_table(None, [graduate("labels", 90)], PAIR)
    own = judged(90)
    assert (found.rows[0].low, found.rows[0].high) == (1 - own.high, 1 - own.low)
    assert found.n_pairs == 0
    assert student_table(None, [graduate("teacher", 90)], ("teacher",) * 2).n_pairs == 0
    assert math.isnan(found.gain)


def test_pairs_are_of_one_seed_and_group():
    students = [
        graduate("labels", 90, group="deep"),
        graduate("teacher", 80, group="deep"),
        graduate("teacher", 99, group="shallow"),
    ]
    found = student_table(None, students, PAIR)
    assert (found.n_pairs, found.n_better) == (1, 0)
    assert found.gain == pytest.approx(-0.1)
    assert math.isnan(found.gain_low)


def test_the_gap_between_the_best_and_the_worst_shape():
    students = [
        graduate("labels", 90, group="deep"),
        graduate("teacher", 95, group="deep"),
        graduate("labels", 80, group="shallow"),
        graduate("teacher", 93, group="shallow"),
    ]
    found = student_table(graduate("big", 99), students, PAIR)
    rows = {shape: [row.name for row in own] for shape, own in found.groups.items()}
    assert rows == {"deep": ["labels", "teacher"], "shallow": ["labels", "teacher"]}
    assert found.spreads == pytest.approx({"labels": 0.1, "teacher": 0.02})
    assert student_table(None, students[:1], PAIR).spreads == {"labels": 0.0}


def test_quantiles_are_those_of_students_t():
    stats = pytest.importorskip("scipy.stats")
    expected = [stats.t.ppf(0.975, df) for df in range(1, len(T_QUANTILES) + 1)]
    assert pytest.approx(expected, rel=1e-7) == list(T_QUANTILES)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=7))
def test_the_mean_lies_within_its_interval(values):
    mean, low, high = mean_interval(values)
    assert low - 1e-12 <= mean <= high + 1e-12


def test_too_few_or_too_many_values_are_named():
    with pytest.raises(ValueError, match="expected 1 to 7 of them; got 0"):
        mean_interval([])
    with pytest.raises(ValueError, match="got 8"):
        mean_interval([0.0] * 8)
    with pytest.raises(ValueError, match="at least one student"):
        student_table(None, [], PAIR)


def test_ratios_multiply_by_hand():
    sizes = {"teacher": 1900, "teacher_small": 100, "student": 1000, "student_small": 50}
    family = Family(**{name: Relative(name, size, judged(90)) for name, size in sizes.items()})
    assert (family.by_student, family.by_recipe, family.in_all) == (1.9, 20.0, 38.0)
    assert family.ratio(family.teacher_small) == 19.0
    other = Relative("student_small", 50, judged(93))
    assert replace(family, student_small=other).gain == pytest.approx(0.03)


def net_and_data():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4)).eval()
    inputs = torch.randn(200, 6)
    return net, inputs, torch.arange(200) % 4


@pytest.mark.parametrize("amount", [-2.0, 0.0, 0.3, 5.0, 100.0])
def test_raising_a_logit_is_raising_the_bias(amount):
    net, inputs, labels = net_and_data()
    with torch.no_grad():
        found = bias_effect(net(inputs), labels, 2, amount)
    raised = correct_bias(net, 2, amount)
    own = labels == 2
    assert found.after == evaluate(raised, TensorDataset(inputs, labels))
    assert found.class_after == evaluate(raised, TensorDataset(inputs[own], labels[own]))
    assert found.before == evaluate(net, TensorDataset(inputs, labels))


def test_what_is_wrong_with_a_bias_is_said():
    net, inputs, labels = net_and_data()
    logits = net(inputs).detach()
    with pytest.raises(ValueError, match="label must be from 0 to 3; got 4"):
        bias_effect(logits, labels, 4, 1.0)
    with pytest.raises(ValueError, match="amount must be finite"):
        bias_effect(logits, labels, 1, math.inf)
    with pytest.raises(ValueError, match="no sample is of class 1"):
        bias_effect(logits[labels != 1], labels[labels != 1], 1, 1.0)

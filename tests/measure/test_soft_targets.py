"""Softened answers: probabilities and entropy by hand and against torch."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measure.soft_targets import entropy_bits, soft_targets, softened

LOGITS = torch.tensor([math.log(4), 0.0, 0.0])
logits_lists = st.lists(st.floats(-50, 50), min_size=2, max_size=6)


def test_temperatures_by_hand():
    assert softened(LOGITS, 1.0).tolist() == pytest.approx([4 / 6, 1 / 6, 1 / 6])
    assert softened(LOGITS, 2.0).tolist() == pytest.approx([2 / 4, 1 / 4, 1 / 4])
    assert softened(LOGITS, 0.5).tolist() == pytest.approx([16 / 18, 1 / 18, 1 / 18])
    assert softened(LOGITS, 2).dtype == torch.float64


def test_no_overflow():
    assert softened(torch.tensor([1e4, -1e4]), 1e-3).tolist() == [1.0, 0.0]
    assert softened(torch.full((3,), 3e38), 0.5).tolist() == pytest.approx([1 / 3] * 3)
    assert softened(torch.tensor([1e30, 0.0]), 1e-300).tolist() == [1.0, 0.0]


@settings(max_examples=60)
@given(logits_lists, st.floats(0.05, 100))
def test_probabilities_are_torchs_own_softmax(values, temperature):
    logits = torch.tensor(values, dtype=torch.float64)
    found = softened(logits, temperature)
    assert found.sum().item() == pytest.approx(1)
    assert torch.allclose(found, torch.softmax(logits / temperature, 0), atol=1e-12)


@settings(max_examples=60)
@given(logits_lists, st.floats(0.1, 50), st.floats(1.01, 10))
def test_entropy_rises_with_the_temperature(values, temperature, factor):
    logits = torch.tensor(values, dtype=torch.float64)
    cool, hot = (
        entropy_bits(softened(logits, t)).item() for t in (temperature, factor * temperature)
    )
    assert cool <= hot + 1e-9
    assert hot <= math.log2(len(values)) + 1e-9


def test_entropy_by_hand_and_of_torch():
    assert entropy_bits(torch.tensor([[0.5, 0.5], [1.0, 0.0]])).tolist() == [1.0, 0.0]
    p = torch.tensor([0.1, 0.2, 0.7], dtype=torch.float64)
    expected = torch.distributions.Categorical(p).entropy().item() / math.log(2)
    assert entropy_bits(p).item() == pytest.approx(expected)


def test_the_record():
    record = soft_targets(LOGITS, 2.0, 0, ["cow", "dog", "cat"], student=torch.zeros(3))
    assert record.classes == ("cow", "dog", "cat")
    assert record.teacher.tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert record.student.tolist() == pytest.approx([1 / 3] * 3)
    assert record.hard.tolist() == [1.0, 0.0, 0.0]
    assert record.teacher_bits == pytest.approx(1.5)
    assert record.student_bits == pytest.approx(record.max_bits) == math.log2(3)
    assert (record.elsewhere, record.runner_up) == (pytest.approx(0.5), 1)
    alone = soft_targets(LOGITS, 1.0, 2)
    assert (alone.elsewhere, alone.runner_up) == (pytest.approx(5 / 6), 0)
    assert alone.classes == ("0", "1", "2")
    assert (alone.student, alone.student_bits) == (None, None)


def test_of_many_classes_the_likeliest_and_the_right_one_are_chosen():
    record = soft_targets(torch.tensor([0.0, 3.0, 1.0, 2.0]), 1.0, 0)
    assert record.likeliest(4) == [0, 1, 2, 3]
    assert record.likeliest(3) == [1, 3, 0]
    assert soft_targets(torch.tensor([0.0, 3.0, 1.0, 2.0]), 1.0, 3).likeliest(2) == [1, 3]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"temperature": 0}, ValueError, "temperature must be finite and positive; got 0"),
        ({"temperature": math.inf}, ValueError, "temperature must be finite and positive"),
        ({"temperature": "4"}, TypeError, "temperature must be a number; got '4'"),
        ({"teacher": torch.tensor([0.0, math.nan])}, ValueError, "teacher must be finite"),
        ({"teacher": torch.zeros(1, 3)}, ValueError, r"shape \(n_classes,\); got \(1, 3\)"),
        ({"teacher": torch.zeros(0)}, ValueError, r"got \(0,\)"),
        ({"teacher": [0.0]}, TypeError, "teacher must be a floating-point tensor.*got list"),
        ({"student": torch.zeros(2)}, ValueError, "as many logits as the teacher, 3; got 2"),
        ({"label": 3}, ValueError, "label must be an integer from 0 to 2; got 3"),
        ({"classes": ["a"]}, ValueError, "classes: expected 3 names, got 1"),
    ],
)
def test_bad_arguments(options, error, words):
    with pytest.raises(error, match=words):
        soft_targets(**{"teacher": LOGITS, "temperature": 1.0, "label": 0} | options)

"""Which images resemble other classes, and which wrong labels a teacher puts right."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measure.label_repair import corrected
from explorer.measure.soft_targets import dark_knowledge

LOGITS = torch.tensor(
    [[3.0, 0.0, 1.0], [1.0, 2.0, 0.0], [0.0, 0.0, 1.0], [9.0, 0.0, 0.0], [0.0, 2.0, 1.0]]
)
LABELS = torch.tensor([0, 1, 1, 0, 1])


def test_ranked_by_hand():
    found = dark_knowledge(LOGITS, LABELS)
    # Image 2 is wrong. Wrong classes get 1 - 1 / (1 + e^-1 + e^-2) of images 1 and 4,
    # 1 - 1 / (1 + e^-2 + e^-3) of image 0, next to nothing of image 3.
    one, three = (1 / (1 + sum(math.exp(-z) for z in other)) for other in ((1, 2), (2, 3)))
    assert found.positions.tolist() == [1, 4, 0, 3]
    assert found.labels.tolist() == [1, 1, 0, 0]
    assert found.elsewhere[:3].tolist() == pytest.approx([1 - one, 1 - one, 1 - three])
    assert found.second.tolist()[:3] == [0, 2, 2]
    assert found.second_probability[0].item() == pytest.approx(one * math.exp(-1))
    assert (found.n_right, found.temperature) == (4, 1.0)
    assert dark_knowledge(LOGITS, LABELS, n=2).positions.tolist() == [1, 4]


def test_nothing_right():
    found = dark_knowledge(LOGITS, (LOGITS.argmax(1) + 1) % 3)
    assert (found.n_right, len(found.positions), len(found.second)) == (0, 0, 0)


@settings(max_examples=40)
@given(st.integers(1, 20), st.integers(2, 6), st.floats(0.5, 30), st.integers(0, 99))
def test_of_those_classified_rightly(n, n_classes, temperature, seed):
    torch.manual_seed(seed)
    logits = 4 * torch.randn(n, n_classes)
    labels = torch.randint(0, n_classes, (n,))
    found = dark_knowledge(logits, labels, temperature, n=5)
    right = [i for i in range(n) if int(logits[i].argmax()) == int(labels[i])]
    p = (logits.double() / temperature).softmax(1)
    elsewhere = sorted((1 - float(p[i, labels[i]]) for i in right), reverse=True)[:5]
    assert found.n_right == len(right)
    assert found.elsewhere.tolist() == pytest.approx(elsewhere, abs=1e-9)
    assert set(found.positions.tolist()) <= set(right)
    for i, second in zip(found.positions.tolist(), found.second.tolist(), strict=True):
        assert second == int(logits[i].argsort(descending=True)[1])


def test_corrected_by_hand():
    true = torch.tensor([0, 1, 1, 0, 1])
    noisy = torch.tensor([2, 1, 2, 0, 0])
    record = corrected(LOGITS, noisy, true, noisy != true)
    # Answers are 0, 1, 2, 0, 1.
    assert record.corrupted.tolist() == [0, 2, 4]
    assert record.corrected.tolist() == [0, 4]
    assert record.believed.tolist() == [2]
    assert record.spoiled.tolist() == []
    assert (record.n, record.n_corrupted, record.n_corrected) == (5, 3, 2)
    assert record.share == pytest.approx(2 / 3)
    clean = corrected(LOGITS, true, true, torch.zeros(5, dtype=torch.bool))
    assert clean.spoiled.tolist() == [2]
    assert math.isnan(clean.share)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n": 0}, ValueError, "n must be an integer of at least 1; got 0"),
        ({"temperature": -1}, ValueError, "temperature must be finite and positive; got -1"),
        ({"logits": torch.zeros(5, 1)}, ValueError, "at least 2 classes; got 1"),
        ({"logits": torch.zeros(5)}, ValueError, r"shape \(n, n_classes\); got \(5,\)"),
        ({"labels": torch.zeros(4).long()}, ValueError, r"labels must be of shape \(5,\).*\(4,\)"),
        ({"labels": torch.zeros(5)}, TypeError, "labels must be a tensor of class numbers"),
        ({"labels": torch.full((5,), 3)}, ValueError, "labels must be from 0 to 2.*got 3 to 3"),
    ],
)
def test_bad_arguments_of_dark_knowledge(options, error, words):
    with pytest.raises(error, match=words):
        dark_knowledge(**{"logits": LOGITS, "labels": LABELS} | options)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"mask": torch.zeros(5)}, TypeError, "mask must be a bool tensor"),
        ({"mask": torch.ones(5).bool()}, ValueError, "mask must be True exactly where"),
        ({"noisy": torch.zeros(4).long()}, ValueError, r"noisy must be of shape \(5,\)"),
        (
            {"teacher_logits": torch.full((5, 3), math.nan)},
            ValueError,
            "teacher_logits must be fin",
        ),
    ],
)
def test_bad_arguments_of_corrected(options, error, words):
    mask = torch.zeros(5, dtype=torch.bool)
    usual = {"teacher_logits": LOGITS, "noisy": LABELS, "true": LABELS, "mask": mask}
    with pytest.raises(error, match=words):
        corrected(**usual | options)

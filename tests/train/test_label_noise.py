"""Wrong labels: exactly as many as asked for, and never the right one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.train.data_variants import corrupt_labels


def test_two_classes_by_hand():
    labels = torch.tensor([0, 1, 1, 0], dtype=torch.int32)
    noisy, corrupted = corrupt_labels(labels, 1, n_classes=2)
    assert noisy.tolist() == [1, 0, 0, 1]
    assert noisy.dtype == torch.int32
    assert corrupted.tolist() == [True] * 4
    assert labels.tolist() == [0, 1, 1, 0]


@settings(max_examples=50)
@given(st.integers(0, 60), st.floats(0, 1), st.integers(2, 12), st.integers(0, 99))
def test_exactly_so_many_are_wrong(n, fraction, n_classes, seed):
    labels = torch.arange(n) % n_classes
    noisy, corrupted = corrupt_labels(labels, fraction, n_classes, seed)
    assert int(corrupted.sum()) == round(fraction * n)
    assert torch.equal(noisy != labels, corrupted)
    assert bool(((noisy >= 0) & (noisy < n_classes)).all())
    again, _ = corrupt_labels(labels, fraction, n_classes, seed)
    assert torch.equal(again, noisy)


def test_all_other_classes_are_equally_likely():
    noisy, _ = corrupt_labels(torch.full((9000,), 3), 1.0, n_classes=4, seed=1)
    counts = torch.bincount(noisy, minlength=4)
    assert counts[3] == 0
    # 3000 each, standard deviation 45.
    assert bool(((counts[:3] - 3000).abs() < 200).all())


def test_places_follow_the_seed():
    labels = torch.zeros(100, dtype=torch.int64)
    one, two = (corrupt_labels(labels, 0.5, 10, seed)[1] for seed in (1, 2))
    assert not torch.equal(one, two)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"fraction": 30}, ValueError, r"fraction must be in \[0, 1\]; got 30.*write 0\.3"),
        ({"fraction": None}, TypeError, "fraction must be a number; got None"),
        ({"n_classes": 1}, ValueError, "n_classes must be from 2"),
        ({"n_classes": 3}, ValueError, "labels must be from 0 to 2, as n_classes says; got 0 to 3"),
        ({"seed": -1}, ValueError, "seed must be from 0"),
        ({"labels": [0, 1]}, TypeError, "must be a tensor of class numbers; got list"),
        ({"labels": torch.zeros(3)}, TypeError, "must be class numbers.*got torch.float32"),
        ({"labels": torch.zeros(3, 1).long()}, ValueError, r"shape \(n,\); got \(3, 1\)"),
    ],
)
def test_bad_arguments(options, error, words):
    given_ = {"labels": torch.arange(4), "fraction": 0.5, "n_classes": 4, "seed": 0} | options
    with pytest.raises(error, match=words):
        corrupt_labels(**given_)

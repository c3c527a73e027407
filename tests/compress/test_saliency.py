"""Optimal brain damage: saliencies by hand, progress, the mask of the kept weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.compress.methods.prune import saliency_mask
from explorer.compress.networks.curvature import saliencies


def test_it_tells_its_progress_and_stops():
    net = nn.Linear(2, 3)
    batches = [(torch.ones(4, 2), None)] * 3
    told = []
    assert saliencies(net, batches, progress=told.append) is not None
    assert told == [4, 8, 12]
    told = []
    assert saliencies(net, batches, lambda: len(told) == 2, told.append) is None
    assert told == [4, 8]


def test_bad_input_is_refused():
    net = nn.Linear(2, 3)
    with pytest.raises(ValueError, match="batches hold no sample"):
        saliencies(net, [])
    with pytest.raises(ValueError, match=r"logits of shape \(4, classes\) .* got \(4, 5, 3\)"):
        saliencies(net, [(torch.ones(4, 5, 2), None)])
    with pytest.raises(ValueError, match="NaN or infinite logits within samples 1 to 4"):
        saliencies(net, [(torch.ones(1, 2), 0), (torch.full((4, 2), torch.inf), 0)])
    with pytest.raises(ValueError, match="n_draws must be at least 1; got 0"):
        saliencies(net, [], n_draws=0)


def test_the_mask_by_hand():
    weight = torch.tensor([[0.0, 3.0, 1.0], [2.0, 0.0, 1.0]])
    saliency = torch.tensor([[9.0, 2.0, 1.0], [1.0, 9.0, 1.0]])
    for count, kept in [
        (0, [[0, 1, 1], [1, 0, 1]]),
        (2, [[0, 1, 1], [1, 0, 1]]),
        (3, [[0, 1, 0], [1, 0, 1]]),
        (4, [[0, 1, 0], [0, 0, 1]]),
        (5, [[0, 1, 0], [0, 0, 0]]),
        (6, [[0, 0, 0], [0, 0, 0]]),
    ]:
        assert saliency_mask(saliency, weight, count).int().tolist() == kept


@settings(max_examples=60)
@given(
    st.lists(st.integers(-2, 2), min_size=1, max_size=40), st.integers(0, 99), st.integers(0, 40)
)
def test_the_mask_is_that_of_a_stable_sort(numbers, seed, count):
    weight = torch.tensor(numbers, dtype=torch.float32)
    count = min(count, len(numbers))
    drawn = torch.randint(0, 4, weight.shape, generator=torch.Generator().manual_seed(seed))
    keys = [(w != 0, float(s)) for w, s in zip(numbers, drawn, strict=True)]
    order = sorted(range(len(numbers)), key=keys.__getitem__)
    gone = set(order[:count]) | {i for i, w in enumerate(numbers) if w == 0}
    kept = saliency_mask(drawn.float(), weight, count)
    assert kept.tolist() == [i not in gone for i in range(len(numbers))]


def test_bad_masks_are_refused():
    ones = torch.ones(3)
    with pytest.raises(ValueError, match=r"weight's shape \(3,\); got \(4,\)"):
        saliency_mask(torch.ones(4), ones, 1)
    with pytest.raises(ValueError, match="count must be from 0 to 3; got 4"):
        saliency_mask(ones, ones, 4)
    with pytest.raises(ValueError, match="saliency holds NaN"):
        saliency_mask(ones * torch.nan, ones, 1)

"""Every sequence of steps: zeros stay zero, the source stays as it was, sizes add up."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.records.record import Dense, gather, scatter

STEPS = [
    Prune(sparsity=0.5),
    Prune(sparsity=0.3, criterion="random"),
    Quantize(bits=3),
    Quantize(bits=3, granularity="channel"),
    Binarize("none"),
    Binarize("tensor"),
    Binarize("channel"),
    Share(n_clusters=5),
    LowRank(rank=3),
]


def chain(weight, steps):
    record = Dense.of(weight)
    for step in steps:
        record = record.then(step)
    return record


def draws(dtype=torch.float32):
    return torch.randn(7, 3, 2, 2, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_three_steps_give_a_finite_tensor_of_the_same_kind(dtype):
    weight = draws(dtype)
    before = weight.clone()
    for steps in product(STEPS, repeat=3):
        record = chain(weight, steps)
        restored = record.restore()
        assert restored.shape == record.shape == weight.shape, steps
        assert restored.dtype == record.dtype == dtype, steps
        assert torch.isfinite(restored).all(), steps
        assert record.size_bits == sum(record.field_bits), steps
    assert torch.equal(weight, before)


@pytest.mark.parametrize("later", list(product(STEPS[2:], repeat=2)))
def test_what_was_pruned_stays_zero_through_two_later_steps(later):
    pruned = Prune(sparsity=0.5)(draws())
    record = pruned
    for step in later:
        record = record.then(step)
    assert not record.restore()[~pruned.mask].any()


@settings(max_examples=40)
@given(st.lists(st.sampled_from(STEPS), max_size=4))
def test_pruning_everything_first_leaves_nothing(later):
    record = chain(draws(), [Prune(sparsity=1.0), *later])
    assert not record.restore().any()


@pytest.mark.parametrize("coder", [Share(8), Quantize(3), Binarize("channel")])
@pytest.mark.parametrize("sparsity", [0.0, 0.33, 0.9, 1.0])
def test_pruning_after_a_coder_counts_exactly_and_keeps_the_values(coder, sparsity):
    weight = draws()
    coded = coder(weight)
    record = coded.then(Prune(sparsity=sparsity))
    restored, full = record.restore(), coded.restore()
    assert int((restored == 0).sum()) == max(
        round(sparsity * weight.numel()), int((full == 0).sum())
    )
    assert torch.equal(restored[restored != 0], full[restored != 0])


def test_kept_values_come_from_their_own_places():
    weight = draws()
    mask = torch.rand(weight.shape, generator=torch.Generator().manual_seed(3)) < 0.4
    assert torch.equal(gather(weight, mask), weight[mask])
    assert torch.equal(gather(weight, None), weight.flatten())
    assert torch.equal(scatter(weight[mask], mask, weight.shape), torch.where(mask, weight, 0))
    assert torch.equal(scatter(weight.flatten(), None, weight.shape), weight)


def test_a_setting_takes_a_record_as_well_as_a_tensor():
    weight = draws()
    pruned = Prune(sparsity=0.5)(weight)
    assert torch.equal(Share(4)(pruned).restore(), pruned.then(Share(4)).restore())
    assert torch.equal(pruned.restore(), Prune(sparsity=0.5)(Dense.of(weight)).restore())

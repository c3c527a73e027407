"""The indexed path gives what the plain path gives, for every method and kind of tensor."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.networks import plan as plan_module
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.record_plans import RecordPlan
from explorer.compress.records.record import Dense

KINDS = {
    "random": lambda g, n: torch.randn(n, generator=g),
    "constant": lambda g, n: torch.full((n,), -0.25),
    "tiny": lambda g, n: torch.randn(n, generator=g) * 1e-30,
    "huge": lambda g, n: torch.randn(n, generator=g) * 3e37,
    "denormal": lambda g, n: torch.randn(n, generator=g) * 1e-40,
    "half": lambda g, n: torch.randn(n, generator=g).half(),
    "bfloat16": lambda g, n: torch.randn(n, generator=g).bfloat16(),
    "sparse": lambda g, n: torch.randn(n, generator=g) * (torch.rand(n, generator=g) < 0.3),
    "ties": lambda g, n: torch.randint(-3, 4, (n,), generator=g) / 4,
    "zero": lambda g, n: torch.zeros(n),
}

tensors = st.builds(
    lambda kind, seed, rows, columns: KINDS[kind](
        torch.Generator().manual_seed(seed), rows * columns
    ).reshape(rows, columns),
    st.sampled_from(sorted(KINDS)),
    st.integers(0, 1000),
    st.integers(1, 24),
    st.integers(1, 40),
)
prunes = st.one_of(
    st.builds(lambda s: Prune(sparsity=s), st.floats(0, 1)),
    st.builds(lambda t: Prune(threshold=t), st.floats(0, 2)),
)
coders = st.one_of(
    st.builds(
        Share, n_clusters=st.integers(1, 40), init=st.sampled_from(["linear", "density", "random"])
    ),
    st.builds(Quantize, bits=st.integers(1, 8)),
    st.builds(Binarize, scale=st.sampled_from(["none", "tensor"])),
)
recipes = st.tuples(st.lists(prunes, max_size=2), st.lists(coders, max_size=1)).map(
    lambda parts: tuple(parts[0] + parts[1])
)


def plain(weight, steps):
    record = Dense.of(weight)
    for step in steps:
        record = record.then(step)
    return record


@settings(max_examples=400)
@given(tensors, recipes)
def test_indexed_figures_and_weights_equal_the_plain_path(weight, steps):
    layer = IndexedLayer("layer", weight)
    plan, record = layer.plan(steps), plain(weight, steps)
    restored = record.restore()
    out = torch.empty(weight.shape)
    plan.write(layer.source, out)
    assert torch.equal(out.to(weight.dtype), restored)
    assert plan.field_bits == record.field_bits
    assert plan.layout == record.layout
    assert plan.n_nonzero == int(torch.count_nonzero(restored))
    difference = (restored.double() - weight.double()).square().sum().item()
    scale = weight.double().square().sum().item()
    assert plan.squared_error == pytest.approx(difference, rel=1e-6, abs=1e-12 * scale)


@settings(max_examples=200)
@given(tensors, recipes)
def test_indexed_histogram_equals_counting_the_restored_weights(weight, steps):
    layer = IndexedLayer("layer", weight)
    plan = layer.plan(steps)
    record = plain(weight, steps)
    mask = torch.ones(weight.shape, dtype=torch.bool) if record.mask is None else record.mask
    kept = record.restore()[mask].float().numpy()
    if not steps:
        kept = kept[kept != 0]
    edges = layer.ordering.edges
    bins = np.clip(np.searchsorted(edges, kept.astype(np.float64), "right") - 1, 0, 63)
    assert plan.histogram().tolist() == np.bincount(bins, minlength=64).tolist()


@given(tensors, recipes)
def test_a_sample_of_the_matrix_is_that_part_of_the_whole(weight, steps):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "WHOLE_ROWS", 10)
        patch.setattr(plan_module, "WHOLE_COLUMNS", 14)
        layer = IndexedLayer("layer", weight)
        part = layer.sample
    plan = layer.plan(steps)
    large = weight.shape[0] > 10 or weight.shape[1] > 14
    rows, columns = (-(-weight.shape[0] // 5), -(-weight.shape[1] // 7)) if large else (1, 1)
    assert part.stride == rows * columns
    expected = plain(weight, steps).restore().float().numpy()[::rows, ::columns]
    ties = np.abs(layer.matrix.numpy()[::rows, ::columns]) == (plan.threshold or 0)
    seen = torch.from_numpy(plan.sample(part)).to(weight.dtype).float().numpy()
    assert np.array_equal(seen[~ties], expected[~ties])


@given(tensors, st.integers(1, 30))
def test_low_rank_plan_equals_the_record(weight, rank):
    layer = IndexedLayer("layer", weight)
    steps = (LowRank(rank=rank),)
    plan, record = layer.plan(steps), layer.record(steps)
    out = torch.empty(weight.shape)
    plan.write(layer.source, out)
    assert torch.equal(out.to(weight.dtype), record.restore())
    assert plan.field_bits == record.field_bits
    assert plan.layout == record.layout


@given(tensors, st.sampled_from([(Binarize("channel"),), (Quantize(4, "channel"), Share(4))]))
def test_other_recipes_fall_back_to_the_record(weight, steps):
    layer = IndexedLayer("layer", weight)
    plan = layer.plan(steps)
    assert isinstance(plan, RecordPlan)
    out = torch.empty(weight.shape)
    plan.write(layer.source, out)
    assert torch.equal(out.to(weight.dtype), plain(weight, steps).restore())

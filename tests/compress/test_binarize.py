"""Binary weights: signs and scales by hand and by numpy, zeros, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.binarize import Binarize, Binarized
from explorer.compress.methods.prune import Prune

draw = st.builds(
    lambda seed, rows, columns: torch.randn(
        rows, columns, generator=torch.Generator().manual_seed(seed)
    ),
    st.integers(0, 1000),
    st.integers(1, 12),
    st.integers(1, 30),
)


@pytest.mark.parametrize(
    ("scale", "expected", "table"),
    [
        ("none", [[1, -1], [1, -1]], 0),
        ("tensor", [[2, -2], [2, -2]], 32),
        ("channel", [[1, -1], [3, -3]], 64),
    ],
)
def test_by_hand(scale, expected, table):
    record = Binarize(scale)(torch.tensor([[0.0, -2.0], [5.0, -1.0]]))
    assert isinstance(record, Binarized)
    assert record.restore().tolist() == expected
    assert record.codes.flatten().tolist() == [1, 0, 1, 0]
    assert record.field_bits == (0, 4, table)


@given(draw)
def test_the_scale_is_numpys_mean_magnitude(weight):
    array = weight.double().numpy()
    whole = Binarize("tensor")(weight).restore()
    assert float(whole.abs().max()) == pytest.approx(np.abs(array).mean(), rel=1e-6)
    rows = Binarize("channel")(weight).restore()
    np.testing.assert_allclose(rows.abs()[:, 0], np.abs(array).mean(1), rtol=1e-6)


@given(draw, st.sampled_from(["none", "tensor", "channel"]))
def test_signs_are_those_of_the_weights(weight, scale):
    restored = Binarize(scale)(weight).restore()
    assert torch.equal(restored >= 0, weight >= 0)


@given(draw)
def test_the_mean_magnitude_is_the_best_scale(weight):
    signs = Binarize("none")(weight).restore().double()
    best = float((signs * weight.double()).sum() / weight.numel())
    scale = float(Binarize("tensor")(weight).restore().abs().max())
    assert scale == pytest.approx(best, rel=1e-6)


@given(draw, st.floats(0, 1), st.sampled_from(["none", "tensor", "channel"]))
def test_pruned_weights_stay_zero_which_makes_it_ternary(weight, sparsity, scale):
    pruned = Prune(sparsity=sparsity)(weight)
    restored = pruned.then(Binarize(scale)).restore()
    assert torch.equal(restored != 0, pruned.mask)
    if scale == "tensor" and pruned.mask.any():
        kept = weight[pruned.mask].double().abs().mean()
        assert float(restored.abs().max()) == pytest.approx(float(kept), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("scale", ["none", "tensor", "channel"])
def test_the_type_of_half_weights_is_kept(dtype, scale):
    weight = torch.tensor([[1.0, -3.0]], dtype=dtype)
    restored = Binarize(scale)(weight).restore()
    assert restored.dtype == dtype
    assert restored.tolist() == [[1, -1]] if scale == "none" else [[2, -2]]


def test_an_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="scale must be one of 'none', 'tensor', 'channel'"):
        Binarize(scale="row")


def test_in_words():
    words = [Binarize(scale).describe() for scale in ("none", "tensor", "channel")]
    assert words == ["Binarize", "Binarize, scaled", "Binarize, scaled a channel"]

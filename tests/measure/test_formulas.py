import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from explorer.compress.methods.low_rank import LowRank, break_even_rank
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.measure.formulas import methods
from explorer.measure.formulas.formula import plain, ratio_text

WEIGHT = torch.randn(24, 36, generator=torch.Generator().manual_seed(3))


def test_sharing_of_the_sixteen_weights_in_the_deep_compression_paper():
    shared = methods.sharing(16, 4, measured=2.5)
    assert shared.value_text == "3.2×"
    assert plain(shared.filled) == "= (16 × 32) / (16 × log2 4 + 4 × 32) = 3.2×"
    assert shared.spoken == (
        "Weight sharing: r = (n b) / (n log2 k + k b) "
        "= (16 × 32) / (16 × log2 4 + 4 × 32) = 3.2×; file 2.5×"
    )


@pytest.mark.parametrize("n_clusters", [2, 4, 16])
def test_sharing_is_what_a_record_without_zeros_takes(n_clusters):
    record = Share(n_clusters)(WEIGHT)
    measured = 32 * WEIGHT.numel() / record.size_bits
    shared = methods.sharing(WEIGHT.numel(), n_clusters)
    assert shared.value_text == ratio_text(measured)


@pytest.mark.parametrize("rank", [1, 7, 20])
def test_low_rank_is_what_a_record_takes(rank):
    record = LowRank(rank=rank)(WEIGHT)
    low = methods.low_rank(24, 36, rank)
    assert low.value_text == ratio_text(32 * WEIGHT.numel() / record.size_bits)
    assert f"Up to rank {break_even_rank(24, 36)} " in low.note


def test_the_step_is_the_distance_of_neighboring_levels():
    record = Quantize(bits=3)(WEIGHT)
    levels = np.unique(record.restore().numpy())
    step = methods.quantization_step(float(WEIGHT.min()), float(WEIGHT.max()), 3)
    assert float(step.value_text) == pytest.approx(np.diff(levels).min(), rel=0.01)
    assert "- (-" in plain(step.filled)


def test_rates_by_hand():
    assert methods.sparsity(1000, 100).value_text == "10.0×"
    assert methods.sparsity(1000, 0).value_text == "∞"
    assert methods.quantization(8).value_text == "4.0×"
    assert methods.quantization(3, float_bits=16).value_text == "5.3×"
    assert methods.binary().value_text == "32.0×"
    assert methods.neurons((10, 20), (5, 10)).value_text == "4.0×"
    assert methods.neurons((10, 20), (0, 20)).value_text == "∞"
    assert methods.product(8, 8, 4, 4).value_text == "1.9×"
    assert methods.residual(64, 4, 2, 4).value_text == "6.4×"
    assert methods.residual_as_printed(64, 4, 2, 4).value_text == "2.7×"


def test_product_counts_codebooks_and_codes():
    product = methods.product(300, 784, 196, 16)
    bits = 32 * 16 * 784 + 300 * 196 * 4
    assert product.value_text == ratio_text(32 * 300 * 784 / bits)
    assert "300 × 196 × log2 16" in product.spoken


def test_one_stage_of_residual_is_product_quantization_of_whole_rows():
    one = methods.residual(500, 40, 1, 16).value_text
    assert one == methods.product(500, 40, 1, 16).value_text


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_entropy_is_that_of_another_library(counts):
    bits = methods.entropy_bits(counts)
    expected = stats.entropy(counts, base=2) if sum(counts) else 0.0
    assert bits == pytest.approx(expected, abs=1e-9)
    assert 0 <= bits <= math.log2(len(counts)) + 1e-9


def test_entropy_shows_the_likeliest_symbol_and_the_coder():
    entropy = methods.entropy([2, 1, 1], mean_length=1.5)
    assert entropy.value_text == entropy.measured_text == "1.500 bits"
    assert plain(entropy.filled) == "= -(0.500 log2 0.500 + …) = 1.500 bits"
    assert entropy.measured_name == "Huffman"
    assert methods.entropy([]).value_text == "0.000 bits"
    ans = methods.entropy([2, 1, 1], mean_length=1.51, coder="ans")
    assert ans.measured_name == "ANS" and "fractions of bits" in ans.note
    assert methods.entropy_bound([2, 1, 1], 1.51, "ans").measured_name == "ANS"


def test_the_entropy_of_all_symbols_is_a_size():
    assert methods.entropy_bound([1, 1]).value_text == "1 B"
    bound = methods.entropy_bound([16_000, 16_000], mean_length=2.0)
    assert (bound.value_text, bound.measured_text) == ("4.0 KB", "8.0 KB")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: methods.sharing(10, 0), "n_clusters must be positive, got 0"),
        (lambda: methods.sparsity(0, 0), "n_weights must be positive"),
        (lambda: methods.quantization(0), "bits must be positive"),
        (lambda: methods.quantization_step(0, 1, 0), "bits must be positive"),
        (lambda: methods.low_rank(3, 4, 0), "rank must be positive"),
        (lambda: methods.product(3, 4, 0, 2), "n_subvectors must be positive"),
        (lambda: methods.residual(3, 4, 0, 2), "n_stages must be positive"),
        (lambda: methods.residual_as_printed(3, 4, 1, -2), "n_centroids must be positive"),
    ],
)
def test_counts_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()

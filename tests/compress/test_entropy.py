"""Writing records in another way: weights stay, bytes shrink, the bound holds."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.share import Share
from explorer.compress.records.record import Dense
from explorer.compress.records.storage import Stored

CODINGS = [Share(8), Quantize(4), Quantize(3, "channel"), Binarize("channel"), Prune(sparsity=0.0)]


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def bound_bits(record):
    """Entropy of the positions and codes: no static model codes them with fewer bits."""
    written = [] if record.index is None else [record.index.symbols]
    if record.inner.symbols is not None:
        written.append(record.inner.symbols.numpy().ravel())
    tallies = [np.unique(symbols, return_counts=True)[1] for symbols in written]
    return sum(float(tally @ np.log2(tally.sum() / tally)) for tally in tallies)


def test_by_hand_relative_indices():
    weight = torch.zeros(16)
    weight[[2, 3, 12]] = torch.tensor([1.0, 2.0, 3.0])
    record = RelativeIndex(bits=2)(Prune(sparsity=0.0)(weight))
    # 2, 0, then 8 = 3 + 3 + 2: five symbols of 2 bits, and three floats.
    assert record.index.symbols.tolist() == [2, 0, 3, 3, 2]
    assert record.index.n_fillers == 2
    assert record.field_bits == (10, 96)
    assert record.layout["index"] == {"bits": 2, "fillers": 2}


def test_by_hand_huffman_of_codes():
    weight = torch.tensor([1.0] * 400 + [2.0] * 200 + [3.0, 4.0] * 100)
    record = Entropy("huffman")(Share(4)(weight))
    # 400 x 1 + 200 x 2 + 200 x 3 bits; a table of 4 x 5 bits in 3 bytes; four floats.
    assert record.field_bits == (0, 24, 1400, 128)
    assert bound_bits(record) == pytest.approx(1400)


def test_what_would_not_pay_is_left_at_a_fixed_width():
    even = torch.arange(1.0, 17.0)
    record = Entropy("huffman")(Share(16)(even))
    assert record.codes is None
    assert record.size_bits == Share(16)(even).size_bits


@pytest.mark.parametrize("coder", ["huffman", "ans"])
@pytest.mark.parametrize("coding", CODINGS, ids=lambda s: s.describe())
@given(sparsity=st.floats(0, 1), bits=st.none() | st.integers(1, 8))
def test_weights_and_mask_stay(coder, coding, sparsity, bits):
    plain = coding(Prune(sparsity=sparsity)(normal(12, 17)))
    steps = [Entropy(coder)] if bits is None else [RelativeIndex(bits), Entropy(coder)]
    record = plain
    for step in steps:
        record = record.then(step)
    assert torch.equal(record.restore(), plain.restore())
    again = steps[-1](record)
    assert again.field_bits == record.field_bits
    if isinstance(record, Stored):
        before = plain if bits is None else plain.then(RelativeIndex(bits))
        assert record.size_bits <= before.size_bits
        assert record.size_bits >= bound_bits(record) - 1e-6


def test_order_does_not_matter():
    plain = Share(8)(Prune(sparsity=0.9)(normal(40, 50)))
    one = Entropy("ans")(RelativeIndex(4)(plain))
    other = RelativeIndex(4)(Entropy("ans")(plain))
    assert one.field_bits == other.field_bits
    assert one.layout == other.layout


def test_the_width_left_open_is_the_cheapest():
    plain = Share(8)(Prune(sparsity=0.95)(normal(60, 70)))
    chosen = Entropy("huffman")(plain).size_bits
    fixed = [Entropy("huffman")(RelativeIndex(bits)(plain)).size_bits for bits in range(1, 9)]
    assert chosen <= min(fixed)
    assert chosen < max(fixed)


def test_later_steps_keep_how_it_is_written():
    record = Entropy("ans")(Prune(sparsity=0.5)(normal(20, 20)))
    shared = Share(4)(record)
    assert isinstance(shared, Stored)
    assert shared.coder == "ans"
    assert torch.equal(shared.restore(), Share(4)(Prune(sparsity=0.5)(normal(20, 20))).restore())
    fewer = Prune(sparsity=0.8)(shared)
    assert int((fewer.restore() != 0).sum()) == 80
    assert fewer.coder == "ans"


def test_factors_are_coded_each():
    record = Entropy("huffman")(Share(8)(LowRank(rank=4)(normal(30, 40))))
    assert isinstance(record.left, Stored)
    assert isinstance(record.right, Stored)
    pruned = Entropy("ans")(Prune(sparsity=0.5)(normal(30, 40)))
    assert type(LowRank(rank=4)(pruned)).__name__ == "LowRanked"


def test_what_has_nothing_to_code_is_left_alone():
    weight = normal(5, 5)
    assert isinstance(Entropy()(weight), Dense)
    assert isinstance(RelativeIndex()(weight), Dense)
    plain = Share(4)(weight)
    assert RelativeIndex()(plain) is plain


def test_skewed_counts_shrink_and_even_ones_hardly_grow():
    generator = np.random.default_rng(0)
    even = torch.from_numpy(generator.integers(1, 17, 20_000).astype(np.float32))
    plain = Share(16)(even)
    assert Entropy("ans")(plain).size_bits <= plain.size_bits
    skewed = torch.from_numpy(generator.geometric(0.5, 20_000).clip(1, 16).astype(np.float32))
    assert Entropy("ans")(Share(16)(skewed)).size_bits < 0.55 * Share(16)(skewed).size_bits


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="Entropy: coder must be one of 'huffman', 'ans'; got 'x'"):
        Entropy("x")
    with pytest.raises(ValueError, match="RelativeIndex: bits must be from 1 to 16; got 0"):
        RelativeIndex(0)
    with pytest.raises(TypeError, match=r"RelativeIndex: bits must be an integer; got 2\.5"):
        RelativeIndex(2.5)

"""The step that removes neurons, on a tensor: rows of smallest norm, torch's own, bad input."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune as torch_prune

from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.compress.records.coded import Sparse

ROWS = torch.tensor([[3.0, 0.0], [-2.0, -2.0], [0.5, 0.5], [0.0, 0.0]])


def draws(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def zero_rows(tensor):
    return [i for i, row in enumerate(tensor) if not row.any()]


def test_by_hand_the_two_norms_disagree():
    # l1: 3, 4, 1, 0. l2: 3, 2.83, 0.71, 0.
    assert zero_rows(PruneNeurons(0.75, "l1")(ROWS).restore()) == [0, 2, 3]
    assert zero_rows(PruneNeurons(0.75, "l2")(ROWS).restore()) == [1, 2, 3]


def test_by_hand_the_record():
    record = PruneNeurons(fraction=0.5)(ROWS)
    assert isinstance(record, Sparse)
    # Zeros of the kept rows are not kept either.
    assert record.mask.tolist() == [[True, False], [True, True], [False, False], [False, False]]
    assert record.values.tolist() == [3.0, -2.0, -2.0]


def test_no_fraction_removes_the_dead_alone():
    assert torch.equal(PruneNeurons()(ROWS).restore(), ROWS)
    assert PruneNeurons()(ROWS).values.numel() == 5


@given(st.integers(0, 99), st.integers(1, 30), st.floats(0, 0.999), st.sampled_from(["l1", "l2"]))
def test_the_count_is_exact_and_never_all(seed, n_rows, fraction, norm):
    weight = draws(seed, n_rows, 3, 2, 2)
    restored = PruneNeurons(fraction, norm)(weight).restore()
    gone = zero_rows(restored)
    assert len(gone) == min(round(fraction * n_rows), n_rows - 1)
    kept = [i for i in range(n_rows) if i not in gone]
    assert torch.equal(restored[kept], weight[kept])


@given(
    st.integers(0, 99),
    st.integers(2, 20),
    st.floats(0, 0.9),
    st.sampled_from([("l1", 1), ("l2", 2)]),
)
def test_same_rows_as_torch(seed, n_rows, fraction, norm):
    layer = nn.Conv2d(2, n_rows, 3, bias=False)
    layer.weight.data = draws(seed, n_rows, 2, 3, 3)
    ours = PruneNeurons(fraction, norm[0])(layer.weight).restore()
    count = min(round(fraction * n_rows), n_rows - 1)
    torch_prune.ln_structured(layer, "weight", count, n=norm[1], dim=0)
    assert torch.equal(ours, layer.weight.detach())


def test_among_equal_norms_the_first_go():
    assert zero_rows(PruneNeurons(0.5)(torch.ones(4, 3)).restore()) == [0, 1]


def test_a_vector_is_one_neuron_and_stays():
    weight = torch.tensor([1.0, 2.0])
    assert torch.equal(PruneNeurons(0.9)(weight).restore(), weight)


def test_earlier_zeros_stay_zero():
    weight = draws(0, 10, 10)
    record = PruneNeurons(fraction=0.3)(Prune(sparsity=0.5)(weight))
    before = Prune(sparsity=0.5)(weight).mask
    assert not (record.mask & ~before).any()
    assert len(zero_rows(record.restore())) == 3


def test_half_precision_and_other_memory_layouts():
    weight = draws(1, 8, 4, 3, 3).to(memory_format=torch.channels_last)
    plain = PruneNeurons(0.5)(weight.contiguous()).restore()
    assert torch.equal(PruneNeurons(0.5)(weight).restore(), plain)
    assert PruneNeurons(0.5)(weight.half()).restore().dtype == torch.float16


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"fraction": 1}, ValueError, r"fraction must be less than 1; got 1: a layer keeps at"),
        ({"fraction": 30}, ValueError, r"got 30; .* not a percentage: write 0.3"),
        ({"fraction": -0.1}, ValueError, r"fraction must be in \[0, 1\]; got -0.1"),
        ({"fraction": float("nan")}, ValueError, "got nan"),
        ({"fraction": None}, TypeError, "PruneNeurons: fraction must have a value; got None"),
        ({"fraction": "half"}, TypeError, "fraction must be a number .*; got 'half'"),
        ({"fraction": 0.5, "norm": "l3"}, ValueError, "norm must be one of 'l1', 'l2'; got 'l3'"),
    ],
)
def test_values_out_of_range_are_refused(fields, kind, words):
    with pytest.raises(kind, match=words):
        PruneNeurons(**fields)


def test_in_words():
    assert PruneNeurons(0.25).describe() == "Remove 25% of neurons by l1"
    assert PruneNeurons(0.25, "l2").describe() == "Remove 25% of neurons by l2"
    assert PruneNeurons().describe() == "Remove dead neurons"
    assert PruneNeurons(0.25).as_dict() == {"step": "PruneNeurons", "fraction": 0.25}

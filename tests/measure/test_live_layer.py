"""Pictures of a layer in training, against counting by hand and the session's own."""

import numpy as np
import torch
from torch import nn

from explorer.compress.methods.prune import Prune
from explorer.measure.maps import MAX_COUNTED, live_histogram, live_sparsity
from explorer.session import Session


def test_counts_before_and_now_zeros_left_out():
    before = torch.tensor([[-1.0, 0.0], [0.5, 1.0]])
    record = live_histogram(before, torch.tensor([[0.0, 0.0], [9.0, -1.0]]))
    assert (record.edges[0], record.edges[-1], len(record.edges)) == (-1.0, 1.0, 65)
    assert (record.before.sum(), record.before[0], record.before[32], record.before[-1]) == (
        *(4, 1, 1, 1),
    )
    assert (record.after.sum(), record.after[0], record.after[-1]) == (2, 1, 1)


def test_as_the_session_shows_a_pruned_layer():
    net = nn.Sequential(nn.Linear(40, 30))
    session = Session(net)
    session.apply([Prune(sparsity=0.7)])
    expected = session.close_up("0")
    weight = session.compress().restore()[0].weight
    record, kept = live_histogram(net[0].weight, weight), live_sparsity(weight)
    assert np.abs(record.before - expected.histogram.before).sum() <= 2
    assert np.abs(record.after - expected.histogram.after).sum() <= 2
    assert np.array_equal(kept.kept, expected.sparsity.kept)
    assert kept.fraction == expected.sparsity.fraction
    assert kept.matrix_shape == (30, 40)
    session.close()


def test_a_large_layer_is_estimated_and_a_constant_one_has_a_range():
    large = torch.linspace(-1, 1, 3 * MAX_COUNTED)
    record = live_histogram(large, large)
    assert record.before.sum() == 3 * MAX_COUNTED
    assert np.ptp(record.before) <= 6
    same = live_histogram(torch.full((5,), 0.25), torch.zeros(5))
    assert (same.before.sum(), same.after.sum()) == (5, 0)
    assert same.edges[0] < 0.25 < same.edges[-1]

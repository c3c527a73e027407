"""Accuracy: counts by hand, the interval against its definition, data of every kind."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from explorer.measure.accuracy import (
    Accuracy,
    accuracy_so_far,
    count_hits,
    evaluate,
    wilson_interval,
)
from explorer.measure.data import batches, n_samples
from explorer.zoo.loaded import Data


class Pairs(Dataset):
    """The samples of a tensor data set one by one, labels as plain integers."""

    def __init__(self, inputs, labels):
        self.inputs, self.labels = inputs, labels

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, index):
        return self.inputs[index], int(self.labels[index])


def scored(n=700, n_classes=7):
    """Inputs that are their own scores, and labels."""
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(n, n_classes, generator=generator),
        torch.randint(0, n_classes, (n,), generator=generator),
    )


KINDS = {
    "tensors": TensorDataset,
    "pairs": Pairs,
    "loader": lambda x, y: DataLoader(TensorDataset(x, y), batch_size=33),
    "list": lambda x, y: [(x[:100], y[:100]), [x[100:], y[100:]]],
    "lists of labels": lambda x, y: [(x, y.tolist())],
}


def test_by_hand():
    scores = torch.tensor([[9.0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 9], [6, 5, 4, 3, 2, 1, 0]])
    # First right; second fifth best; third sixth best.
    assert count_hits(scores, torch.tensor([0, 2, 5])) == (1, 2)
    accuracy = Accuracy.from_counts(1, 2, 3)
    assert (accuracy.top1, accuracy.top5, accuracy.n) == (1 / 3, 2 / 3, 3)
    assert accuracy.complete
    assert not Accuracy.from_counts(1, 2, 3, 9).complete


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_data_gives_the_same(kind):
    inputs, labels = scored()
    ranks = (inputs >= inputs.gather(1, labels[:, None])).sum(1)
    accuracy = evaluate(nn.Identity(), KINDS[kind](inputs, labels))
    assert accuracy.n == accuracy.n_total == 700
    assert accuracy.top1 == pytest.approx(float((ranks == 1).float().mean()))
    assert accuracy.top5 == pytest.approx(float((ranks <= 5).float().mean()))


def test_five_classes_or_fewer_are_always_among_the_first_five():
    inputs, labels = scored(50, 3)
    assert evaluate(nn.Identity(), TensorDataset(inputs, labels)).top5 == 1.0


def test_the_interval_by_hand():
    # A textbook case: 15 of 50.
    low, high = wilson_interval(15, 50)
    assert (low, high) == (pytest.approx(0.1910, abs=1e-4), pytest.approx(0.4375, abs=1e-4))
    assert wilson_interval(0, 10)[0] == pytest.approx(0, abs=1e-12)
    assert wilson_interval(10, 10)[1] == pytest.approx(1, abs=1e-12)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_proportions_that_the_score_test_accepts(pair):
    n_hits, n = pair
    low, high = wilson_interval(n_hits, n)
    assert 0 <= low <= n_hits / n + 1e-12
    assert n_hits / n - 1e-12 <= high <= 1
    for bound in (low, high):
        if 1e-12 < bound < 1 - 1e-12:
            deviation = (n_hits / n - bound) / math.sqrt(bound * (1 - bound) / n)
            assert abs(deviation) == pytest.approx(1.959964, rel=1e-5)


def test_judging_tells_the_accuracy_so_far():
    inputs, labels = scored()
    told = list(accuracy_so_far(nn.Identity(), TensorDataset(inputs, labels), batch=200))
    assert [accuracy.n for accuracy in told] == [200, 400, 600, 700]
    assert [accuracy.complete for accuracy in told] == [False, False, False, True]
    first = evaluate(nn.Identity(), TensorDataset(inputs[:200], labels[:200]))
    assert told[0].top1 == first.top1


@pytest.mark.parametrize(
    ("kind", "complete"),
    [
        (lambda d: DataLoader(d, batch_size=300, drop_last=True), [False, True]),
        (lambda d: list(DataLoader(d, batch_size=300)), [False, False, True]),
        (lambda d: iter(DataLoader(d, batch_size=300)), [False, False, True]),
    ],
)
def test_only_the_last_estimate_is_complete_where_the_length_is_not_told(kind, complete):
    data = kind(TensorDataset(*scored()))
    assert [accuracy.complete for accuracy in accuracy_so_far(nn.Identity(), data)] == complete


def test_nothing_of_the_network_changes():
    net = nn.Sequential(nn.Linear(7, 7), nn.Dropout(0.5)).train()
    evaluate(net, TensorDataset(*scored()))
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (TensorDataset(torch.empty(0, 3), torch.empty(0, dtype=torch.int64)), "at least one"),
        ([], "expected at least one labeled sample, got none"),
        ([(torch.zeros(2, 3), torch.zeros(3).long())], r"got scores \(2, 3\) for labels \(3,\)"),
        (
            [(torch.zeros(2, 3, 4), torch.zeros(2).long())],
            r"got scores \(2, 3, 4\) for labels \(2,\)",
        ),
        ([(torch.zeros(2, 3), torch.tensor([0, 3]))], "labels must be from 0 to 2.*got 0 to 3"),
        ([(torch.zeros(2, 3), torch.tensor([-1, 1]))], "labels must be from 0 to 2.*got -1 to 1"),
    ],
)
def test_data_that_do_not_fit_are_refused(data, words):
    with pytest.raises(ValueError, match=words):
        evaluate(nn.Identity(), data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (7, "expected a Dataset of pairs .*; got int$"),
        (Data(None, None), r"; got Data\. Give one of its parts, such as data\.eval"),
        ([torch.zeros(2, 3)], "expected pairs .*; got Tensor"),
        ((torch.zeros(2, 3), torch.zeros(2)), "labels must be class numbers"),
        ([(torch.zeros(1), torch.zeros(1), 3)], "expected pairs .*; got tuple of 3 parts"),
    ],
)
def test_what_is_no_data_is_refused(data, words):
    with pytest.raises(TypeError, match=words):
        evaluate(nn.Identity(), data)


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match=r"net must be a torch\.nn\.Module; got int"):
        evaluate(3, [])


def test_batches_cut_a_data_set_and_leave_a_loader_as_it_is():
    inputs, labels = scored(10)
    sizes = [len(y) for _, y in batches(Pairs(inputs, labels), 4)]
    assert sizes == [4, 4, 2]
    sizes = [len(y) for _, y in batches(DataLoader(Pairs(inputs, labels), batch_size=3), 4)]
    assert sizes == [3, 3, 3, 1]
    assert n_samples(Pairs(inputs, labels)) == 10
    assert n_samples(DataLoader(Pairs(inputs, labels), batch_size=3)) == 10
    assert n_samples([(inputs, labels)]) == 0


def test_a_network_guesses_where_its_interval_reaches_down_to_chance():
    assert Accuracy.from_counts(11, 50, 100, n_classes=10).guesses
    assert Accuracy.from_counts(0, 50, 100, n_classes=10).guesses
    assert not Accuracy.from_counts(60, 90, 100, n_classes=10).guesses
    assert not Accuracy.from_counts(0, 50, 100).guesses
    data = TensorDataset(torch.zeros(40, 2), torch.arange(40) % 4)
    assert evaluate(nn.Linear(2, 4), data).guesses


@pytest.mark.parametrize(
    ("shuffle", "words"),
    [(False, "3 of 11 samples are left out by the loader (drop_last)"), (True, "others each time")],
)
def test_samples_that_a_loader_leaves_out_are_named(shuffle, words):
    pairs = TensorDataset(torch.eye(11), torch.arange(11))
    loader = DataLoader(pairs, batch_size=4, shuffle=shuffle, drop_last=True)
    found = evaluate(nn.Identity(), loader)
    assert (found.n, found.top1) == (8, 1.0)
    assert words in found.note
    assert evaluate(nn.Identity(), DataLoader(pairs, batch_size=4)).note == ""

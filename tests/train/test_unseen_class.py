"""Data without a class, and a bias put right."""

import copy
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from explorer.measure.accuracy import evaluate
from explorer.train.data_variants import correct_bias, without_class
from explorer.train.distillation import distill
from explorer.train.settings import TrainSettings
from explorer.train.targets import SoftTargets
from explorer.train.training import train


@dataclass(frozen=True)
class Split:
    tune: Dataset
    eval: Dataset


class Pairs(Dataset):
    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        inputs, label = self.data[i]
        return inputs, int(label)


def test_kinds_stay_what_they_are(data):
    inputs, labels = data.tensors
    kept = labels != 1
    pair = without_class((inputs, labels), 1)
    assert torch.equal(pair[0], inputs[kept])
    assert torch.equal(pair[1], labels[kept])
    plain = without_class(data, 1)
    assert isinstance(plain, TensorDataset)
    assert torch.equal(plain.tensors[1], labels[kept])
    subset = without_class(Pairs(data), 1)
    assert isinstance(subset, Subset)
    assert [label for _, label in subset] == labels[kept].tolist()
    split = without_class(Split(data, data), 1)
    assert split.eval is data
    assert len(split.tune) == int(kept.sum())
    assert len(data) == 96


@pytest.mark.parametrize(
    ("data", "label", "error", "words"),
    [
        (
            (torch.zeros(3, 1), torch.tensor([0, 2, 2])),
            1,
            ValueError,
            "no sample is of class 1.*0, 2",
        ),
        ((torch.zeros(2, 1), torch.tensor([1, 1])), 1, ValueError, "all samples are of class 1"),
        ((torch.zeros(2, 1), torch.tensor([0, 1])), -1, ValueError, "label must be from 0"),
        ((torch.zeros(2, 1), torch.tensor([0, 1])), "3", TypeError, "label must be an integer"),
        ((torch.zeros(2, 1), torch.tensor([0, 1])), None, TypeError, "label must be an integer"),
        (DataLoader(TensorDataset(torch.zeros(4))), 0, TypeError, "of 1 parts"),
    ],
)
def test_bad_classes(data, label, error, words):
    with pytest.raises(error, match=words):
        without_class(data, label)


def test_data_of_a_foreign_kind(data):
    class Loose:
        tune = data

    with pytest.raises(TypeError, match="got Loose; pass its tune part"):
        without_class(Loose(), 1)


def test_one_bias_of_a_copy_is_raised(net):
    before = copy.deepcopy(net.state_dict())
    raised = correct_bias(net, 2, 3.5)
    inputs = torch.randn(5, 6)
    expected = net(inputs) + torch.tensor([0.0, 0.0, 3.5])
    assert torch.allclose(raised(inputs), expected, atol=1e-6)
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert raised[2].bias.requires_grad


@pytest.mark.parametrize(
    ("net", "label", "amount", "error", "words"),
    [
        (nn.Conv2d(1, 3, 3), 0, 1.0, ValueError, r"net \(Conv2d\) has no dense layer"),
        (nn.Linear(2, 3, bias=False), 0, 1.0, ValueError, "last dense layer '' has no bias"),
        (nn.Linear(2, 3), 3, 1.0, ValueError, "label must be from 0 to 2.*got 3"),
        (nn.Linear(2, 3), 0, float("nan"), ValueError, "amount must be finite; got nan"),
        (nn.Linear(2, 3), 0, "much", TypeError, "amount must be a number; got 'much'"),
    ],
)
def test_biases_that_cannot_be_raised(net, label, amount, error, words):
    with pytest.raises(error, match=words):
        correct_bias(net, label, amount)


def test_a_class_that_was_never_seen_is_learned_from_the_teacher(net, data):
    how = TrainSettings(n_epochs=20, batch_size=16)
    teacher = list(train(net, data, how))[-1].net
    inputs, labels = data.tensors
    unseen = TensorDataset(inputs[labels == 1], labels[labels == 1])
    thinned = without_class(data, 1)
    alone = list(train(net, thinned, how))[-1].net
    assert evaluate(alone, unseen).top1 == 0
    student = list(
        distill(teacher, net, thinned, how, target=SoftTargets(temperature=8.0, mix=1.0))
    )[-1].net
    scores = [evaluate(correct_bias(student, 1, b), unseen).top1 for b in (0.0, 2.0, 4.0)]
    assert scores[0] < scores[-1] == 1.0

"""Hints: which regressor fits, and layers that cannot be used."""

import copy

import pytest
import torch
from torch import nn

from explorer.train.distillation import distill
from explorer.train.hints import Hints, hint_error, regressor
from explorer.train.settings import TrainSettings
from explorer.train.targets import HardLabels, SoftTargets


def test_error_by_hand():
    regress = regressor(torch.Size([2]), torch.Size([1]), seed=0)
    with torch.no_grad():
        regress[1].weight.copy_(torch.tensor([[1.0, -1.0]]))
        regress[1].bias.fill_(0.5)
    own, theirs = torch.tensor([[2.0, 1.0], [0.0, 0.0]]), torch.tensor([[0.5], [2.5]])
    # Told 1.5 and 0.5, wanted 0.5 and 2.5.
    assert hint_error(regress, own, theirs).item() == pytest.approx((1 + 4) / 2)


@pytest.mark.parametrize(
    ("student", "teacher", "kind", "kernel"),
    [
        ((3, 8, 8), (5, 8, 8), nn.Conv2d, (1, 1)),
        ((3, 8, 9), (5, 6, 9), nn.Conv2d, (3, 1)),
        ((3, 4, 5), (5, 6, 5), nn.ConvTranspose2d, (3, 1)),
    ],
)
def test_maps_go_through_the_smallest_convolution(student, teacher, kind, kernel):
    regress = regressor(torch.Size(student), torch.Size(teacher), seed=0)
    assert isinstance(regress, kind)
    assert regress.kernel_size == kernel
    assert regress(torch.zeros(2, *student)).shape == (2, *teacher)


@pytest.mark.parametrize(
    ("student", "teacher"),
    [((4,), (7,)), ((3, 4, 4), (7,)), ((4,), (2, 3, 3)), ((3, 4, 6), (2, 6, 4)), ((5, 2), (3, 4))],
)
def test_all_else_goes_through_a_dense_layer(student, teacher):
    regress = regressor(torch.Size(student), torch.Size(teacher), seed=0)
    assert isinstance(regress[1], nn.Linear)
    assert regress(torch.zeros(2, *student)).shape == (2, *teacher)


def test_first_weights_follow_the_seed_alone():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    one, two, three = (regressor(torch.Size([4]), torch.Size([3]), seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(one[1].weight, two[1].weight)
    assert not torch.equal(one[1].weight, three[1].weight)


def test_an_output_is_caught_before_it_is_overwritten(data):
    torch.manual_seed(6)
    plain = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    overwriting = copy.deepcopy(plain)
    overwriting[1].inplace = True
    how = TrainSettings(n_epochs=1, batch_size=32)
    found = [
        list(distill(net, net, data, how, target=Hints("0", "0")))[-1].parts["hint"]
        for net in (plain, overwriting)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert found[0] > 0


def test_the_regressor_learns_and_is_thrown_away(net, data):
    teacher = copy.deepcopy(net)
    how = TrainSettings(n_epochs=30, batch_size=16)
    found = list(distill(teacher, net, data, how, target=Hints("0", "0", target=HardLabels())))
    assert found[-1].parts["hint"] < 0.3 * found[0].parts["hint"]
    assert list(found[-1].net.state_dict()) == list(net.state_dict())
    assert not found[-1].net[0]._forward_hooks
    assert not teacher[0]._forward_hooks


class Odd(nn.Module):
    """Has a layer that gives two tensors, one that gives a number, and one that is not used."""

    def __init__(self):
        super().__init__()
        self.pair = nn.LSTM(6, 4, batch_first=True)
        self.total = Total()
        self.unused = nn.Linear(2, 2)
        self.last = nn.Linear(4, 3)

    def forward(self, inputs):
        hidden, _ = self.pair(inputs[:, None])
        return self.last(hidden[:, 0]) + 0 * self.total(hidden)


class Total(nn.Module):
    def forward(self, inputs):
        return inputs.sum()


@pytest.mark.parametrize(
    ("layers", "error", "words"),
    [
        (("0", "fc9"), ValueError, "Hints: student_layer 'fc9' is no layer.*are: 0, 1, 2"),
        (("mid", "0"), ValueError, "Hints: teacher_layer 'mid' is no layer.*: pair, total, un"),
        (("", "0"), ValueError, "teacher_layer '' is no layer"),
        (("pair", "0"), TypeError, r"'pair' must give a tensor of shape \(n, ...\); got tuple"),
        (("total", "0"), TypeError, r"'total' must give a tensor.*got \(\)"),
        (("unused", "0"), ValueError, "teacher_layer 'unused' does not run"),
    ],
)
def test_layers_that_cannot_be_used(net, data, layers, error, words):
    with pytest.raises(error, match=words):
        distill(Odd().eval(), net, data, target=Hints(*layers))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"strength": -1}, ValueError, "strength must be finite and at least 0; got -1"),
        ({"target": Hints("0", "0")}, TypeError, r"target must be HardLabels\(\), Match.*Hints"),
        ({"target": "soft"}, TypeError, "got 'soft'"),
        ({"student_layer": 0}, TypeError, "student_layer must be a layer's name; got 0"),
    ],
)
def test_bad_hints(options, error, words):
    with pytest.raises(error, match=words):
        Hints(**{"teacher_layer": "0", "student_layer": "0"} | options)


def test_defaults():
    assert Hints("0", "1").target == SoftTargets()
    assert Hints("0", "1").describe() == "90% the teacher's answers at T = 4, with hints from 0"

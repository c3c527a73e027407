"""Distillation: what is refused, and what an error leaves behind."""

import copy
import math

import pytest
import torch
from torch import nn

from explorer.train.distillation import distill
from explorer.train.settings import TrainSettings
from explorer.train.targets import MatchLogits
from explorer.train.teacher import teacher_logits


@pytest.fixture
def teacher():
    torch.manual_seed(11)
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, 3)).eval()


def test_a_loss_that_explodes_keeps_the_last_good_weights(net, teacher, data):
    how = TrainSettings(n_epochs=50, batch_size=16, learning_rate=1e30, schedule="constant")
    going = distill(teacher, net, data, how, target=MatchLogits())
    record = next(going)
    with pytest.raises(ValueError, match="the loss is not finite at step"):
        list(going)
    assert all(bool(torch.isfinite(p).all()) for p in record.net.parameters())


def test_a_teacher_that_fails_midway_keeps_the_weights(noisy_net, images):
    class Failing(nn.Flatten):
        n = 0

        def forward(self, inputs):
            self.n += len(inputs)
            return super().forward(inputs)[:, :3] * (math.nan if self.n > 30 else 1)

    going = distill(Failing().eval(), noisy_net, images, TrainSettings(batch_size=20, max_shift=1))
    record = next(going)
    before = copy.deepcopy(record.net.state_dict())
    with pytest.raises(ValueError, match="its logits are NaN or infinite for 20 of 20 samples"):
        next(going)
    assert all(torch.equal(before[k], v) for k, v in record.net.state_dict().items())


def test_bad_teachers(net, teacher, data):
    with pytest.raises(TypeError, match=r"teacher must be a torch\.nn\.Module; got list"):
        distill([], net, data)
    with pytest.raises(TypeError, match=r"student must be a torch\.nn\.Module; got int"):
        distill(teacher, 3, data)
    teacher[2].train()
    with pytest.raises(ValueError, match=r"teacher: 2 in train mode.*call teacher\.eval\(\)"):
        distill(teacher, net, data)
    with pytest.raises(ValueError, match="itself, 0, 1 and 2 more in train mode"):
        teacher_logits(teacher.train(), data)
    four = nn.Linear(6, 4).eval()
    with pytest.raises(ValueError, match="student: it has 3 outputs, the teacher 4"):
        distill(four, net, data)
    with pytest.raises(ValueError, match=r"teacher fails on inputs of shape \(1, 6\)"):
        distill(nn.Linear(5, 3).eval(), net, data)
    with pytest.raises(ValueError, match="student fails on inputs of shape"):
        distill(four, nn.Linear(5, 4), data)
    with pytest.raises(ValueError, match=r"teacher: expected scores.*got \(1, 2, 3\)"):
        distill(nn.Sequential(nn.Linear(6, 6), nn.Unflatten(1, (2, 3))).eval(), net, data)
    with torch.no_grad():
        four.bias[2] = math.nan
    with pytest.raises(ValueError, match="logits are NaN or infinite for 96 of 96 samples"):
        teacher_logits(four, data)


@pytest.mark.parametrize(
    ("logits", "error", "words"),
    [
        (torch.zeros(95, 3), ValueError, r"logits must be of shape \(96, n_classes\).*\(95, 3\)"),
        (torch.zeros(96), ValueError, r"got \(96,\)"),
        (torch.zeros(96, 4), ValueError, "3 outputs, the teacher 4"),
        (torch.full((96, 3), math.inf), ValueError, "NaN or infinite for 96 of 96"),
        (torch.zeros(96, 3).long(), TypeError, "must be a floating-point tensor; got torch.int64"),
        ([[0.0]], TypeError, "must be a floating-point tensor; got list"),
    ],
)
def test_bad_logits(net, teacher, data, logits, error, words):
    with pytest.raises(error, match=words):
        distill(teacher, net, data, logits=logits)


def test_other_bad_arguments(net, teacher, data):
    with pytest.raises(TypeError, match=r"target must be HardLabels\(\).*got 'soft'"):
        distill(teacher, net, data, target="soft")
    with pytest.raises(TypeError, match="settings must be TrainSettings"):
        distill(teacher, net, data, {"n_epochs": 1})
    with pytest.raises(ValueError, match="labels must be from 0 to 2"):
        list(distill(teacher, net, (torch.zeros(4, 6), torch.tensor([0, 1, 2, 3]))))

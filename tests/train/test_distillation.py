"""Distillation: losses by hand, against plain torch loops, and a student that learns."""

import copy
import itertools
import json
import sys

import pytest
import torch
from sameness import assert_trained_alike
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.train.checkpoint import Checkpoint
from explorer.train.distillation import distill
from explorer.train.hints import Hints
from explorer.train.masks import pruning_masks
from explorer.train.penalties import L1
from explorer.train.settings import TrainSettings
from explorer.train.sharing import share_groups
from explorer.train.targets import HardLabels, MatchLogits, SoftTargets
from explorer.train.teacher import teacher_logits
from explorer.train.training import train

HOW = TrainSettings(n_epochs=3, batch_size=16, learning_rate=0.1, schedule="constant")


@pytest.fixture
def teacher():
    torch.manual_seed(11)
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, 3)).eval()


@pytest.fixture
def maps_teacher():
    torch.manual_seed(12)
    return nn.Sequential(
        nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(80, 3)
    ).eval()


def last(records):
    return list(records)[-1]


def same_state(one, other):
    state = other.state_dict()
    return all(torch.equal(tensor, state[name]) for name, tensor in one.state_dict().items())


def copied(net):
    return copy.deepcopy(net.state_dict())


TARGETS = {
    "soft": SoftTargets(temperature=3.0, mix=0.7),
    "logits": MatchLogits(),
    "hint": Hints("1", "0", strength=0.5, target=MatchLogits()),
}


def plain_loss(kind, own, theirs, labels, regress):
    middle, scores = own
    hint, answers = theirs
    if kind == "soft":
        student, soft = F.log_softmax(scores / 3, 1), F.log_softmax(answers / 3, 1)
        divergence = (soft.exp() * (soft - student)).sum(1).mean()
        return 0.7 * 9 * divergence + 0.3 * F.cross_entropy(scores, labels)
    loss = (scores - answers).square().mean()
    if kind == "hint":
        loss = loss + 0.5 * (regress(middle) - hint).square().mean()
    return loss


@pytest.mark.parametrize("kind", TARGETS)
def test_weights_are_those_of_a_plain_loop(net, teacher, data, kind):
    record = last(distill(teacher, net, data, HOW, target=TARGETS[kind]))
    torch.manual_seed(HOW.seed)
    regress, theirs = nn.Linear(8, 12), copy.deepcopy(net)
    trained = [*theirs.parameters(), *(regress.parameters() if kind == "hint" else ())]
    optimizer = torch.optim.SGD(trained, lr=0.1, momentum=0.9, nesterov=True)
    generator = torch.Generator().manual_seed(0)
    inputs, labels = data.tensors
    for _ in range(3):
        for chosen in torch.randperm(96, generator=generator).split(16):
            x = inputs[chosen]
            own = theirs[0](x), theirs(x)
            with torch.no_grad():
                known = teacher[:2](x), teacher(x)
            loss = plain_loss(kind, own, known, labels[chosen], regress)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    ours = record.net.state_dict()
    assert all(torch.allclose(ours[k], v, atol=1e-5) for k, v in theirs.state_dict().items())
    assert record.loss == pytest.approx(loss.item(), rel=1e-3)
    assert record.loss == pytest.approx(sum(record.parts.values()))
    assert not same_state(record.net, net)


def test_labels_alone_are_plain_training(noisy_net, maps_teacher, images):
    how = TrainSettings(n_epochs=2, batch_size=10, max_shift=1, seed=4)
    plainly = list(train(noisy_net, images, how))
    for target in (HardLabels(), SoftTargets(mix=0.0)):
        found = list(distill(maps_teacher, noisy_net, images, how, target=target))
        assert [r.loss for r in found] == pytest.approx([r.loss for r in plainly], rel=1e-4)
        assert_trained_alike(found[-1].net, plainly[-1].net)
    assert plainly[-1].parts == {"hard": plainly[-1].loss}


def test_a_student_comes_closer_and_nothing_else_changes(net, teacher, data):
    before = copied(net), copied(teacher)
    inputs, _ = data.tensors
    found = list(distill(teacher, net, data, HOW, target=MatchLogits(), validation=data))
    far, near = ((n(inputs) - teacher(inputs)).square().mean() for n in (net, found[-1].net))
    assert near < 0.2 * far
    assert all(torch.equal(before[0][k], v) for k, v in net.state_dict().items())
    assert all(torch.equal(before[1][k], v) for k, v in teacher.state_dict().items())
    assert all(p.grad is None for p in teacher.parameters())
    assert [r.step for r in found] == list(range(1, 19))
    assert found[-1].validation is not None
    assert not found[-1].net.training
    assert set(last(distill(teacher, net, data, HOW)).parts) == {"soft", "hard"}


class Counting(nn.Module):
    """Gives the mean of each image as logits and counts the samples it is asked for."""

    def __init__(self):
        super().__init__()
        self.n = 0
        self.seen = []

    def forward(self, inputs):
        self.n += len(inputs)
        self.seen.append(inputs.clone())
        mean = inputs.flatten(1).mean(1, keepdim=True)
        return torch.cat([mean, -mean, mean], 1)


def test_the_teacher_is_asked_once_for_each_sample(net, data):
    counting = Counting().eval()
    going = distill(counting, net, data, HOW)
    assert counting.n == 1
    list(going)
    assert counting.n == 1 + 96
    given = Counting().eval()
    kept = last(distill(given, net, data, HOW, logits=teacher_logits(counting, data)))
    assert given.n == 0
    assert_trained_alike(kept.net, last(distill(given, net, data, HOW)).net)


def test_moved_images_are_answered_where_they_are(noisy_net, images):
    counting = Counting().eval()
    how = TrainSettings(n_epochs=2, batch_size=10, max_shift=2)
    seen = []
    noisy_net.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].clone()))
    list(distill(counting, noisy_net, images, how))
    assert counting.n == 1 + 80 + 1
    assert all(torch.equal(a, b) for a, b in zip(seen[1:], counting.seen[2:], strict=True))
    logits = teacher_logits(counting, images)
    with pytest.raises(ValueError, match="max_shift=2 moves them: leave logits out"):
        distill(counting, noisy_net, images, how, logits=logits)
    list(distill(counting, noisy_net, images, how, logits=logits, target=HardLabels()))


class Pairs(Dataset):
    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        inputs, label = self.data[i]
        return inputs, int(label)


def test_logits_of_data_of_every_kind(teacher, data, monkeypatch):
    class Split:
        tune, eval = data, None

    inputs, _ = data.tensors
    monkeypatch.setattr(sys.modules["explorer.train.teacher"], "BATCH", 40)
    for kind in (data, data.tensors, Pairs(data), Split()):
        found = teacher_logits(teacher, kind)
        assert torch.allclose(found, teacher(inputs), atol=1e-6)
        assert not found.requires_grad
        assert not found.is_inference()


def test_within_inference_mode(net, teacher, data):
    with torch.inference_mode():
        record = last(distill(teacher, net, data, HOW, target=Hints("1", "0")))
        logits = teacher_logits(teacher, data)
    assert not same_state(record.net, net)
    assert not logits.is_inference()


@pytest.mark.parametrize("stop_at", [2, 3])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("kind", ["soft", "hint", "moved", "masks", "groups"])
def test_going_on_is_bit_identical(
    noisy_net, maps_teacher, images, tmp_path, stop_at, kind, optimizer
):
    how = TrainSettings(
        n_epochs=3, batch_size=20, optimizer=optimizer, seed=3, max_shift=int(kind == "moved")
    )
    more = {"target": Hints("2", "0") if kind == "hint" else SoftTargets()}
    if kind == "masks":
        more |= {"masks": pruning_masks(noisy_net, Prune(sparsity=0.5)), "penalties": [L1()]}
    if kind == "groups":
        more |= {"groups": share_groups(noisy_net, {"0": [Share(4)]})}
    whole = list(distill(maps_teacher, noisy_net, images, how, **more))
    path = tmp_path / "run.safetensors"
    for record in distill(maps_teacher, noisy_net, images, how, **more):
        if record.step == stop_at:
            record.checkpoint().save(path)
            break
    torch.rand(3)
    rest = list(distill(maps_teacher, noisy_net, images, how, resume=Checkpoint.load(path), **more))
    assert [r.step for r in rest] == list(range(stop_at + 1, 7))
    assert [dict(r.parts) for r in rest] == [dict(r.parts) for r in whole[stop_at:]]
    assert same_state(rest[-1].net, whole[-1].net)
    if kind == "hint":
        ours, theirs = (r.checkpoint().part("along") for r in (rest[-1], whole[-1]))
        assert set(ours) == {"weight", "bias"}
        assert all(torch.equal(ours[k], theirs[k]) for k in theirs)


def test_what_must_be_the_same_to_go_on(net, teacher, data):
    checkpoint = next(distill(teacher, net, data, HOW)).checkpoint()
    json.dumps(checkpoint.meta)
    with pytest.raises(ValueError, match=r"targets differ.*mix=0\.9.*mix=0\.5"):
        distill(teacher, net, data, HOW, target=SoftTargets(mix=0.5), resume=checkpoint)
    other = copy.deepcopy(teacher)
    with torch.no_grad():
        other[0].bias[0] += 1
    with pytest.raises(ValueError, match=r"targets differ from the checkpoint's \{'teacher'"):
        distill(other, net, data, HOW, resume=checkpoint)
    with pytest.raises(ValueError, match=r"targets differ.*got None"):
        train(net, data, HOW, resume=checkpoint)


def test_stopping(net, data):
    asked = itertools.count()
    found = list(distill(Counting().eval(), net, data, HOW, should_stop=lambda: next(asked) >= 3))
    assert [r.step for r in found] == [1, 2]
    counting = Counting().eval()
    assert list(distill(counting, net, data, HOW, should_stop=lambda: True)) == []
    assert counting.n == 1 + 96


def test_nothing_to_do_asks_nothing(net, data):
    counting = Counting().eval()
    (record,) = distill(counting, net, data, TrainSettings(n_epochs=0), validation=data)
    assert counting.n == 1
    assert record.validation is not None
    assert dict(record.parts) == {}

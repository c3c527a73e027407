"""Training: by hand, against torch's own loop, and what ends it."""

import copy
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sameness import assert_trained_alike
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from explorer.measure.accuracy import evaluate
from explorer.train.penalties import L1, L2, IncomingNorm, OutgoingNorm
from explorer.train.resume import record_of
from explorer.train.run import Run
from explorer.train.samples import Samples, shifted
from explorer.train.settings import TrainSettings
from explorer.train.training import train


class Pairs(Dataset):
    """The samples one by one, labels as plain integers."""

    def __init__(self, tensors):
        self.tensors = tensors

    def __len__(self):
        return len(self.tensors)

    def __getitem__(self, index):
        inputs, label = self.tensors[index]
        return inputs, int(label)


def last(records):
    return list(records)[-1]


def same_weights(one, other):
    state = other.state_dict()
    return all(torch.equal(tensor, state[name]) for name, tensor in one.state_dict().items())


def test_two_steps_by_hand():
    net = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        net.weight.zero_()
    data = (torch.tensor([[2.0]]), torch.tensor([0]))
    how = TrainSettings(
        n_epochs=2, learning_rate=0.5, schedule="constant", momentum=0.5, nesterov=False
    )
    first, second = (r.net.weight.flatten().tolist() for r in train_and_copy(net, data, how))
    # Scores 0, 0: the gradient of the scores is p - 1, p = -0.5, 0.5; times the input 2.
    assert first == pytest.approx([0.5, -0.5], rel=1e-6)
    # Scores 1, -1: p1 = 1 / (1 + e^2); the gradient is -2 p1, 2 p1, and half of the last stays.
    step = 0.5 * (2 / (1 + math.exp(2)) + 0.5 * 1.0)
    assert second == pytest.approx([0.5 + step, -0.5 - step], rel=1e-6)


def train_and_copy(*arguments, **options):
    for record in train(*arguments, **options):
        yield copy.copy(record).__class__(**{**vars(record), "net": copy.deepcopy(record.net)})


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_as_the_plain_loop(net, data, name):
    how = TrainSettings(
        n_epochs=3,
        batch_size=20,
        learning_rate=0.1,
        optimizer=name,
        schedule="constant",
        weight_decay=0.01,
        seed=5,
    )
    ours = last(train(net, data, how)).net
    theirs = copy.deepcopy(net).train()
    optimizer = OPTIMIZERS[name](theirs.parameters())
    generator = torch.Generator().manual_seed(5)
    inputs, labels = data.tensors
    for _ in range(3):
        order = torch.randperm(96, generator=generator)
        for chosen in order[:80].split(20):
            loss = nn.functional.cross_entropy(theirs(inputs[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert_trained_alike(ours, theirs)
    assert not same_weights(ours, net)


def test_dropout_and_running_means_are_those_of_the_plain_loop(noisy_net, images):
    how = TrainSettings(n_epochs=2, batch_size=10, schedule="constant", momentum=0.0, seed=6)
    ours = last(train(noisy_net, images, how)).net
    theirs = copy.deepcopy(noisy_net).train()
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.05)
    generator = torch.Generator().manual_seed(6)
    inputs, labels = images.tensors
    torch.manual_seed(6)
    for _ in range(2):
        for chosen in torch.randperm(40, generator=generator).split(10):
            loss = nn.functional.cross_entropy(theirs(inputs[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert_trained_alike(ours, theirs)


def test_penalties_are_added_to_the_loss(net, data):
    how = TrainSettings(n_epochs=1, batch_size=96, learning_rate=0.1, momentum=0.0)
    penalties = (
        L1(strength=1e-2),
        L2(strength=2e-2, pattern="0"),
        IncomingNorm(strength=3e-2),
        OutgoingNorm(strength=4e-2),
    )
    record = last(train(net, data, how, penalties=penalties))
    inputs, labels = data.tensors
    order = torch.randperm(96, generator=torch.Generator().manual_seed(0))
    a, b = (net[i].weight for i in (0, 2))
    loss = nn.functional.cross_entropy(net(inputs[order]), labels[order])
    terms = {
        "L1": 1e-2 * (a.abs().sum() + b.abs().sum()),
        "L2": 2e-2 * a.square().sum(),
        "li": 3e-2 * sum(w.square().sum(1).sqrt().sum() for w in (a, b)),
        "lo": 4e-2 * sum(w.square().sum(0).sqrt().sum() for w in (a, b)),
    }
    (loss + sum(terms.values())).backward()
    assert torch.allclose(record.net[0].weight, a - 0.1 * a.grad, atol=1e-6)
    assert record.penalties == pytest.approx({k: v.item() for k, v in terms.items()}, rel=1e-5)
    assert record.total_loss == pytest.approx(record.loss + sum(record.penalties.values()))


def test_a_network_learns_and_the_source_is_left_alone(net, data):
    before = copy.deepcopy(net.state_dict())
    found = list(train(net, data, TrainSettings(n_epochs=20, batch_size=16), validation=data))
    assert evaluate(found[-1].net, data).top1 > 0.95
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert not found[-1].net.training
    assert [r.step for r in found] == list(range(1, 121))
    assert [r.epoch for r in found] == [1 + i // 6 for i in range(120)]
    assert [r.validation is not None for r in found] == [i % 6 == 5 for i in range(120)]
    assert found[-1].validation == evaluate(found[-1].net, data)
    assert found[-1].done
    assert not found[0].done
    assert found[-1].remaining_s == 0
    assert 0 < found[0].elapsed_s < found[-1].elapsed_s
    assert found[-1].density == {"0": 1.0, "2": 1.0}
    assert found[-1].train_accuracy > 0.95


def test_reports_now_and_then(net, data):
    how = TrainSettings(n_epochs=2, batch_size=16, report_every=4)
    assert [r.step for r in train(net, data, how)] == [4, 6, 8, 12]


def test_data_of_every_kind_train_alike(net, data):
    class Split:
        tune, eval = data, data

    how = TrainSettings(n_epochs=1, batch_size=16)
    kinds = [data, data.tensors, Pairs(data), Split()]
    found = [last(train(net, kind, how)) for kind in kinds]
    for record in found[1:]:
        assert_trained_alike(record.net, found[0].net)
    assert found[-1].validation == evaluate(found[-1].net, data)
    assert found[0].validation is None


def test_little_data_make_one_small_batch(net):
    data = (torch.randn(3, 6), torch.tensor([0, 1, 2]))
    assert last(train(net, data, TrainSettings(n_epochs=2))).step == 2


def test_nothing_to_do_yields_one_record(net, data):
    (record,) = train(net, data, TrainSettings(n_epochs=0), validation=data)
    assert same_weights(record.net, net)
    assert record.validation == evaluate(net, data)
    assert math.isnan(record.loss)


def test_random_numbers_of_others_are_left_alone(noisy_net, images):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    list(train(noisy_net, images, TrainSettings(n_epochs=1, batch_size=20)))
    assert torch.equal(torch.rand(3), expected)


def test_stopping_between_steps(net, data):
    asked = itertools.count()
    how = TrainSettings(n_epochs=5, batch_size=16, report_every=100)
    found = list(train(net, data, how, should_stop=lambda: next(asked) >= 4))
    assert [r.step for r in found] == [4]
    assert list(train(net, data, how, should_stop=lambda: True)) == []


def test_closing_leaves_the_network_whole(net, data):
    how = TrainSettings(n_epochs=5, batch_size=16)
    going = train(net, data, how)
    record = next(going)
    going.close()
    (alone,) = train(net, data, how, should_stop=stop_after(1))
    assert_trained_alike(record.net, alone.net)


def stop_after(n_steps):
    asked = itertools.count()
    return lambda: next(asked) >= n_steps


@pytest.mark.parametrize("where", ["forward", "update"])
def test_an_interrupt_within_a_step_leaves_nothing_half_done(noisy_net, images, monkeypatch, where):
    how = TrainSettings(n_epochs=3, batch_size=20, momentum=0.9)
    going = train(noisy_net, images, how)
    next(going)
    record = next(going)
    expected = copy.deepcopy(record.net.state_dict())
    checkpoint = record.checkpoint()

    def interrupted(self, *arguments, **options):
        if where == "update":
            with torch.no_grad():
                for group in self.param_groups:
                    for parameter in group["params"][:2]:
                        parameter.add_(1)
                        self.state[parameter]["momentum_buffer"].add_(1)
        raise KeyboardInterrupt

    target = torch.optim.SGD if where == "update" else nn.Linear
    monkeypatch.setattr(target, "step" if where == "update" else "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(going)
    assert all(torch.equal(expected[k], v) for k, v in record.net.state_dict().items())
    assert not record.net.training
    again = record.checkpoint().tensors
    assert all(
        torch.equal(v, again[k])
        for k, v in checkpoint.tensors.items()
        if k.startswith(("net", "optimizer"))
    )


def test_a_loss_that_explodes_keeps_the_last_good_weights(net, data):
    how = TrainSettings(n_epochs=50, batch_size=16, learning_rate=1e30, schedule="constant")
    going = train(net, data, how)
    record = next(going)
    with pytest.raises(ValueError, match=r"loss is not finite at step \d+; the last good.*1e\+30"):
        list(going)
    inputs, labels = data.tensors
    scores = record.net(inputs)
    assert bool(torch.isfinite(scores).all())
    assert math.isfinite(nn.functional.cross_entropy(scores, labels).item())


BAD_DATA = [
    ((torch.full((4, 6), math.nan), torch.zeros(4).long()), ValueError, "4 of 4 inputs hold NaN"),
    ((torch.zeros(0, 6), torch.zeros(0).long()), ValueError, "at least one labeled sample"),
    ((torch.zeros(4, 6), torch.zeros(3).long()), ValueError, "labels of shape"),
    ((torch.zeros(4, 6), torch.zeros(4)), TypeError, "labels must be class numbers"),
    ([1, 2, 3], TypeError, "expected pairs"),
    (DataLoader(TensorDataset(torch.zeros(4))), TypeError, "of 1 parts"),
]


@pytest.mark.parametrize(("data", "error", "words"), BAD_DATA)
def test_bad_data_is_refused_at_once(net, data, error, words):
    with pytest.raises(error, match=words):
        train(net, data)


@pytest.mark.parametrize(
    ("inputs", "labels", "words"),
    [
        (torch.zeros(4, 6), torch.tensor([0, 1, 2, 3]), "labels must be from 0 to 2.*got 0 to 3"),
        (torch.zeros(4, 6), torch.tensor([0, -1, 2, 2]), "got -1 to 2"),
        (torch.zeros(4, 2, 6), torch.zeros(4).long(), "expected scores of shape"),
    ],
)
def test_data_that_do_not_fit_the_network(net, inputs, labels, words):
    with pytest.raises(ValueError, match=words):
        list(train(net, (inputs, labels)))


def test_nan_in_a_batch_of_a_plain_dataset(net, data):
    inputs, labels = data.tensors
    inputs = inputs.clone()
    inputs[3, 2] = math.nan
    with pytest.raises(ValueError, match="batch of step 1 holds NaN"):
        list(train(net, Pairs(TensorDataset(inputs, labels)), TrainSettings(batch_size=96)))


def test_other_bad_arguments(net, data):
    with pytest.raises(TypeError, match="settings must be TrainSettings; got dict"):
        train(net, data, {"n_epochs": 1})
    with pytest.raises(TypeError, match="resume must be a Checkpoint"):
        train(net, data, resume="file")
    frozen = copy.deepcopy(net).requires_grad_(False)
    with pytest.raises(ValueError, match="no parameter requires a gradient"):
        train(frozen, data)
    with pytest.raises(ValueError, match="max_shift is for images"):
        list(train(net, data, TrainSettings(max_shift=1)))


def test_frozen_layers_stay(net, data):
    net[0].requires_grad_(False)
    trained = last(train(net, data, TrainSettings(n_epochs=1))).net
    assert torch.equal(trained[0].weight, net[0].weight)
    assert not torch.equal(trained[2].weight, net[2].weight)


def test_a_run_within_inference_mode(net, data):
    with torch.inference_mode():
        record = last(train(net, data, TrainSettings(n_epochs=1)))
    assert not same_weights(record.net, net)


@settings(max_examples=25)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(0, 100))
def test_shifts_move_whole_images(n, height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, 2, height, width, generator=generator)
    moved = shifted(images, 2, generator)
    padded = nn.functional.pad(images, [2] * 4, mode="replicate")
    cuts = [padded[:, :, i : i + height, j : j + width] for i in range(5) for j in range(5)]
    for k in range(n):
        assert any(torch.equal(moved[k], cut[k]) for cut in cuts)


def test_shifts_are_used(images, noisy_net):
    plain, moved = (
        last(train(noisy_net, images, TrainSettings(n_epochs=1, max_shift=shift))).net
        for shift in (0, 2)
    )
    assert not same_weights(plain, moved)


def test_the_record_of_a_run_has_a_checkpoint_and_others_have_none(net, data):
    record = record_of(Run(net, Samples(data), TrainSettings()))
    assert record.checkpoint().step == 0
    alone = record.__class__(**{**vars(record), "_checkpoint": None})
    with pytest.raises(ValueError, match="belongs to no run"):
        alone.checkpoint()

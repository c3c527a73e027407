"""Masks: pruned weights, their gradients and their momentum stay zero."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from explorer.compress.methods.prune import Prune
from explorer.train.masks import clear_pruned, masks_of, pruning_masks
from explorer.train.run import Run
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings
from explorer.train.training import train


def test_a_step_by_hand():
    net = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[1.0, 5.0]]))
    net = nn.Sequential(net, nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[1.0], [-1.0]]))
    data = (torch.tensor([[1.0, 1.0]]), torch.tensor([1]))
    how = TrainSettings(n_epochs=1, learning_rate=0.5, schedule="constant", momentum=0.0)
    (record,) = train(net, data, how, masks={"0": torch.tensor([[True, False]])})
    # The pruned 5 does not count: scores 1, -1; p = 1 / (1 + e^-2) of class 0.
    p = 1 / (1 + torch.tensor(-2.0).exp())
    expected = 1.0 - 0.5 * float(p * 1.0 + p * 1.0)
    assert record.net[0].weight.flatten().tolist() == pytest.approx([expected, 0.0])
    assert record.density == {"0": 0.5, "1": 1.0}


def test_masked_training_is_that_of_torchs_own_pruning(net, data):
    masks = pruning_masks(net, Prune(sparsity=0.6))
    how = TrainSettings(
        n_epochs=2, batch_size=16, learning_rate=0.1, schedule="constant", weight_decay=0.01
    )
    ours = list(train(net, data, how, masks=masks))[-1].net
    theirs = copy.deepcopy(net).train()
    for i in (0, 2):
        prune.custom_from_mask(theirs[i], "weight", masks[str(i)])
    optimizer = torch.optim.SGD(
        theirs.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01
    )
    generator = torch.Generator().manual_seed(0)
    inputs, labels = data.tensors
    for _ in range(2):
        for chosen in torch.randperm(96, generator=generator).split(16):
            loss = nn.functional.cross_entropy(theirs(inputs[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for i in (0, 2):
        assert torch.allclose(ours[i].weight, theirs[i].weight_orig * masks[str(i)], atol=1e-6)


@settings(max_examples=15)
@given(
    st.floats(0, 1),
    st.sampled_from(["sgd", "adam"]),
    st.sampled_from([0.0, 0.1]),
    st.integers(0, 9),
)
def test_pruned_weights_stay_exactly_zero(sparsity, optimizer, weight_decay, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    data = (torch.randn(20, 5), torch.arange(20) % 3)
    how = TrainSettings(
        n_epochs=2, batch_size=5, optimizer=optimizer, weight_decay=weight_decay, seed=seed
    )
    masks = pruning_masks(net, Prune(sparsity=sparsity))
    for record in train(net, data, how, masks=masks):
        for name, mask in masks.items():
            weight = record.net.get_submodule(name).weight
            assert not weight[~mask].any()
            assert record.density[name] <= mask.float().mean().item() + 1e-6


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_momentum_of_pruned_weights_is_zero(net, data, optimizer):
    how = TrainSettings(n_epochs=1, batch_size=16, optimizer=optimizer)
    run = Run(net, Samples(data), how)
    run.step()
    key = "momentum_buffer" if optimizer == "sgd" else "exp_avg"
    weight = run.layers["0"]
    masks = {"0": torch.zeros_like(weight, dtype=torch.bool)}
    assert run.optimizer.state[weight][key].any()
    clear_pruned(run.layers, masks, run.optimizer)
    assert not run.optimizer.state[weight][key].any()
    assert not weight.any()
    run.masks = masks
    run.step()
    assert not run.optimizer.state[weight][key].any()
    assert not weight.any()


def test_masks_of_a_networks_zeros(net, data):
    assert masks_of(net) == {}
    with torch.no_grad():
        net[0].weight[2] = 0
    (mask,) = masks_of(net).values()
    assert torch.equal(mask, net[0].weight != 0)


def test_masks_of_pruning(net):
    masks = pruning_masks(net, {"0": [Prune(sparsity=0.75)]})
    assert list(masks) == ["0"]
    assert int((~masks["0"]).sum()) == 36
    kept, gone = net[0].weight[masks["0"]].abs(), net[0].weight[~masks["0"]].abs()
    assert kept.min() > gone.max()
    assert pruning_masks(net, Prune(sparsity=0.0)) == {}


def test_masks_by_saliency(net, data):
    masks = pruning_masks(net, Prune(sparsity=0.5, criterion="obd"), [data.tensors])
    assert [int(mask.sum()) for mask in masks.values()] == [24, 12]
    by_size = pruning_masks(net, Prune(sparsity=0.5))
    assert any(not torch.equal(masks[k], by_size[k]) for k in masks)


@pytest.mark.parametrize(
    ("masks", "error", "words"),
    [
        ({"1": torch.ones(8, 6).bool()}, ValueError, "masks: '1' is not a layer.*0, 2"),
        ({"0": torch.ones(8, 6)}, TypeError, "'0' must be a bool tensor.*got torch.float32"),
        ({"0": [True]}, TypeError, "'0' must be a bool tensor.*got list"),
        ({"0": torch.ones(6, 8).bool()}, ValueError, r"shape \(8, 6\); got \(6, 8\)"),
    ],
)
def test_bad_masks(net, data, masks, error, words):
    with pytest.raises(error, match=words):
        train(net, data, masks=masks)

"""Weight sharing while training: gradients against autograd, and exact storing."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

import explorer as ex
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.train.centroids import Centroids, cluster_sums, codes_of
from explorer.train.settings import TrainSettings
from explorer.train.sharing import share_groups, train_shared
from explorer.train.training import train

HOW = TrainSettings(n_epochs=2, batch_size=16, learning_rate=1e-2)


def test_sums_by_hand():
    gradient = torch.tensor([[1.0, 2.0], [4.0, 8.0]])
    codes = torch.tensor([2, 0, 2, 1], dtype=torch.int32)
    assert cluster_sums(gradient, codes, 3).tolist() == [8.0, 5.0, 0.0]


def test_a_step_of_sgd_by_hand():
    net = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[0.5], [0.5]]))
    data = (torch.tensor([[2.0]]), torch.tensor([0]))
    how = TrainSettings(n_epochs=1, learning_rate=1.0, schedule="constant", momentum=0.0)
    (record,) = train_shared(net, data, Share(1), how)
    # The two gradients, -1 and 1, cancel: both weights share one value.
    assert record.net.weight.flatten().tolist() == pytest.approx([0.5, 0.5], abs=1e-6)
    assert record.centroids[""].tolist() == pytest.approx([0.5], abs=1e-6)


@settings(max_examples=20)
@given(st.integers(1, 8), st.floats(0, 0.9), st.integers(0, 99), st.sampled_from([0.0, 0.1]))
def test_gradients_are_those_of_autograd_through_the_codebook(k, sparsity, seed, weight_decay):
    torch.manual_seed(seed)
    layer = nn.Linear(6, 5)
    steps = [Prune(sparsity=sparsity), Share(k)]
    (record,) = share_groups(layer, steps).values()
    centroids = Centroids.of(layer.weight, record)
    inputs, labels = torch.randn(7, 6), torch.randint(0, 5, (7,))
    nn.functional.cross_entropy(layer(inputs), labels).backward()
    centroids.gather(weight_decay)

    codebook = record.codebook.restore().clone().requires_grad_()
    padded = torch.cat([torch.zeros(1), codebook])
    weight = padded[codes_of(record).long()]
    loss = nn.functional.cross_entropy(inputs @ weight.T + layer.bias.detach(), labels)
    (loss + weight_decay / 2 * weight.square().sum()).backward()
    assert torch.allclose(centroids.values.grad, codebook.grad, atol=1e-6)
    assert torch.equal(layer.weight, weight)


def test_training_is_that_of_a_network_with_a_codebook_for_parameter(net, data):
    how = TrainSettings(
        n_epochs=2, batch_size=16, learning_rate=0.01, schedule="constant", weight_decay=0.01
    )
    groups = share_groups(net, {"0": [Prune(sparsity=0.3), Share(4)]})
    ours = list(train(net, data, how, groups=groups))[-1]
    record = groups["0"]
    theirs = copy.deepcopy(net).train()
    codebook = record.codebook.restore().clone().requires_grad_()
    others = [theirs[0].bias, theirs[2].weight, theirs[2].bias]
    parts = [{"params": others, "weight_decay": 0.01}, {"params": [codebook]}]
    optimizer = torch.optim.SGD(parts, lr=0.01, momentum=0.9, nesterov=True)
    generator = torch.Generator().manual_seed(0)
    inputs, labels = data.tensors
    for _ in range(2):
        for chosen in torch.randperm(96, generator=generator).split(16):
            weight = torch.cat([torch.zeros(1), codebook])[codes_of(record).long()]
            hidden = nn.functional.linear(inputs[chosen], weight, theirs[0].bias).relu()
            loss = nn.functional.cross_entropy(theirs[2](hidden), labels[chosen])
            optimizer.zero_grad()
            (loss + 0.005 * weight.square().sum()).backward()
            optimizer.step()
    assert torch.allclose(ours.centroids["0"], codebook, atol=1e-5)
    assert torch.allclose(ours.net[2].weight, theirs[2].weight, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_weights_go_on_sharing_and_zeros_stay(net, data, optimizer):
    how = TrainSettings(n_epochs=2, batch_size=16, learning_rate=1e-2, optimizer=optimizer)
    recipe = [Prune(sparsity=0.5), Share(3)]
    groups = share_groups(net, recipe)
    seen = []
    for record in train_shared(net, data, recipe, how):
        for name, group in groups.items():
            weight = record.net.get_submodule(name).weight.detach()
            codes = codes_of(group).long()
            assert not weight[codes == 0].any()
            for i, value in enumerate(record.centroids[name].tolist()):
                assert (weight[codes == i + 1] == value).all()
        seen.append(record.centroids["0"])
    assert not torch.equal(seen[0], seen[-1])
    assert len({tuple(c.tolist()) for c in seen}) == len(seen)


@pytest.mark.parametrize("k", [1, 2, 5, 16])
def test_compressing_afterwards_keeps_the_values_exactly(net, data, k):
    end = list(train_shared(net, data, [Prune(sparsity=0.4), Share(k)], HOW))[-1]
    small = ex.compress(end.net, [Prune(sparsity=0.0), Share(k)])
    restored = small.restore()
    expected = end.net.state_dict()
    assert all(torch.equal(expected[key], v) for key, v in restored.state_dict().items())
    for name in ("0", "2"):
        stored = small[name].codebook.restore()
        assert set(stored.tolist()) == set(end.centroids[name].tolist())


def test_some_layers_may_share_alone(net, data):
    record = list(train_shared(net, data, {"2": [Share(2)]}, HOW))[-1]
    assert list(record.centroids) == ["2"]
    assert len(record.net[2].weight.unique()) == 2
    assert len(record.net[0].weight.unique()) == 48
    assert not torch.equal(record.net[0].weight, net[0].weight)


def test_bad_recipes(net, data):
    with pytest.raises(ValueError, match=r"steps of '0' must end with Share.*got Prune 50%"):
        train_shared(net, data, Prune(sparsity=0.5))
    with pytest.raises(ValueError, match="must end with Share"):
        share_groups(net, [Share(4), Quantize(bits=4)])
    with pytest.raises(ValueError, match="no layer shares weights"):
        share_groups(net, [])


def test_zeros_of_a_pruning_mask_stay_and_the_others_share(data):
    masked = nn.Sequential(*[nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)])
    prune.random_unstructured(masked[0], "weight", 0.5)
    zeros = masked[0].weight == 0
    *_, record = train_shared(masked, data, [Share(4)], HOW)
    weight = record.net[0].weight
    assert torch.equal(weight == 0, zeros)
    assert len(weight[~zeros].unique()) == 4


def test_bad_groups(net, data):
    groups = share_groups(net, Share(2))
    mask = {"0": torch.ones(8, 6, dtype=torch.bool)}
    with pytest.raises(ValueError, match="groups: '0' has a mask as well"):
        train(net, data, groups=groups, masks=mask)
    with pytest.raises(ValueError, match=r"'2' must have the weight's shape \(3, 8\); got \(8, 6"):
        train(net, data, groups={"2": groups["0"]})
    with pytest.raises(ValueError, match=r"groups: '7' is not a layer.*0, 2"):
        train(net, data, groups={"7": groups["0"]})
    with pytest.raises(TypeError, match=r"must be a record of Share.*got Sparse"):
        train(net, data, groups={"0": Prune(sparsity=0.5)(net[0].weight)})

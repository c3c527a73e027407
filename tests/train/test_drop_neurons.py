"""DropNeuron from training to a smaller network."""

import pytest
import torch
from torch import nn

from explorer.train.neurons import Dropped, drop_dead, drop_neurons
from explorer.train.penalties import L1, IncomingNorm, OutgoingNorm
from explorer.train.record import TrainRecord
from explorer.train.settings import TrainSettings

STRONG = (L1(strength=1e-4), IncomingNorm(strength=1e-2), OutgoingNorm(strength=1e-2))


def wide_net():
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 3)).eval()


def test_neurons_vanish_and_the_outputs_stay(data):
    how = TrainSettings(n_epochs=40, batch_size=16)
    *records, dropped = drop_neurons(
        wide_net(), data, how, penalties=STRONG, threshold=0.02, validation=data
    )
    assert all(isinstance(record, TrainRecord) for record in records)
    before, after = dropped.neurons["0"]
    assert before == 24
    assert after < 18
    assert dropped.neurons["2"] == (3, 3)
    assert dropped.net[0].weight.shape == (after, 6)
    assert dropped.net[2].weight.shape == (3, after)
    inputs, _ = data.tensors
    assert torch.allclose(dropped.net(inputs), dropped.thresholded(inputs), atol=1e-5)
    assert dropped.before.top1 == dropped.after.top1 > 0.95
    assert set(records[-1].penalties) == {"L1", "li", "lo"}


def test_dead_neurons_by_hand():
    net = wide_net()
    with torch.no_grad():
        for layer in (net[0], net[2]):
            layer.weight.copy_(layer.weight.sign())
        net[0].weight[3] = 0.005
        net[2].weight[:, 5] = -0.005
        net[0].weight[7, 1] = 0.005
    dropped = drop_dead(net, 0.01, (6,))
    assert dropped.neurons == {"0": (24, 22), "2": (3, 3)}
    assert dropped.weights == {"0": (144, 22 * 6 - 1), "2": (72, 66)}
    assert (dropped.before, dropped.after) == (None, None)
    assert net[0].weight[3, 0].item() == pytest.approx(0.005)
    assert isinstance(dropped, Dropped)


def test_filters_vanish_with_their_flattened_maps(noisy_net):
    with torch.no_grad():
        noisy_net[0].weight[1] = 0
        noisy_net[5].weight[:, 48:] = 0
    dropped = drop_dead(noisy_net, 1e-6, (1, 6, 6))
    assert dropped.neurons["0"] == (4, 2)
    assert dropped.net[5].weight.shape == (3, 32)
    images = torch.randn(9, 1, 6, 6)
    assert torch.allclose(dropped.net(images), dropped.thresholded(images), atol=1e-5)


def test_stopping_drops_all_the_same(data):
    *records, dropped = drop_neurons(wide_net(), data, should_stop=lambda: True)
    assert records == []
    assert isinstance(dropped, Dropped)


def test_bad_thresholds(data):
    with pytest.raises(ValueError, match="threshold must be finite and at least 0; got -1"):
        drop_neurons(wide_net(), data, threshold=-1)
    with pytest.raises(TypeError, match="threshold must be a number"):
        drop_dead(wide_net(), None, (6,))

"""Gauss-Newton diagonal: by hand, and against one gradient for each sample and class."""

import copy

import pytest
import torch
from sameness import assert_same_outputs
from torch import nn

import explorer as ex
from explorer.compress.networks import sample_gradients
from explorer.compress.networks.curvature import Curvature, saliencies
from explorer.compress.networks.weights import compressible


def sample_by_sample(net, inputs):
    """Mean over samples of ``sum_c p_c (d log p_c / d w) ** 2``, word for word."""
    net = copy.deepcopy(net).eval().requires_grad_(True)
    weights = compressible(net)
    found = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for i in range(len(inputs)):
        logs = net(inputs[i : i + 1]).log_softmax(1)[0]
        for log in logs:
            slopes = torch.autograd.grad(
                log, list(weights.values()), retain_graph=True, allow_unused=True
            )
            for name, slope in zip(weights, slopes, strict=True):
                if slope is not None:
                    found[name] += log.detach().exp() * slope**2 / len(inputs)
    return {name: total.detach() for name, total in found.items()}


def check(net, inputs):
    curvature = Curvature(net)
    curvature.add(inputs[:2])
    curvature.add(inputs[2:])
    assert curvature.n_samples == len(inputs)
    expected = sample_by_sample(net, inputs)
    found = curvature.diagonal()
    assert list(found) == list(expected)
    for name, diagonal in found.items():
        assert diagonal.dtype == torch.float32
        assert float(expected[name].max()) > 0
        torch.testing.assert_close(
            diagonal, expected[name], rtol=1e-4, atol=1e-5 * float(expected[name].max())
        )
    return curvature


class Pooled(nn.Module):
    """A layer of any kind, then the mean over its places, then classes."""

    def __init__(self, layer, n_channels, n_classes=3):
        super().__init__()
        self.layer = layer
        self.act = nn.ReLU(inplace=True)
        self.top = nn.Linear(n_channels, n_classes)

    def forward(self, x):
        return self.top(self.act(self.layer(x)).flatten(2).add(1).square().mean(2))


CONVOLUTIONS = {
    "conv1d": (nn.Conv1d(2, 4, 3, stride=2, padding=1), (2, 9)),
    "conv1d, dilated": (nn.Conv1d(2, 4, 3, dilation=2, bias=False), (2, 9)),
    "conv1d, same": (nn.Conv1d(2, 4, 4, padding="same", dilation=3), (2, 9)),
    "conv1d, valid": (nn.Conv1d(2, 4, 2, padding="valid"), (2, 9)),
    "conv2d": (nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0)), (2, 6, 5)),
    "conv2d, circular": (nn.Conv2d(2, 4, 3, padding=(2, 1), padding_mode="circular"), (2, 6, 5)),
    "conv2d, in groups": (nn.Conv2d(4, 6, 3, groups=2), (4, 6, 5)),
    "conv2d, depthwise": (nn.Conv2d(4, 4, 3, groups=4, padding=1), (4, 6, 5)),
    "conv3d": (nn.Conv3d(2, 3, (1, 2, 3), padding=1, stride=(1, 2, 1)), (2, 3, 4, 5)),
    "transposed 1d": (nn.ConvTranspose1d(2, 4, 3, stride=2, padding=1), (2, 5)),
    "transposed 2d": (
        nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, groups=2),
        (4, 3, 2),
    ),
    "transposed 2d, dilated": (
        nn.ConvTranspose2d(2, 4, 2, dilation=3, output_padding=2, padding=(1, 2)),
        (2, 4, 5),
    ),
    "transposed 3d": (nn.ConvTranspose3d(2, 3, 2, stride=(1, 2, 1)), (2, 2, 2, 3)),
}


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_convolutions_of_all_kinds(monkeypatch, kind):
    torch.manual_seed(0)
    layer, shape = CONVOLUTIONS[kind]
    channels = layer.out_channels
    inputs = torch.randn(5, *shape)
    assert not check(Pooled(layer, channels), inputs)._one_by_one
    monkeypatch.setattr(sample_gradients, "CHUNK_NUMBERS", 1)
    check(Pooled(layer, channels), inputs)


def test_by_hand():
    # Logits (1, 0), p the probability of the first class: its weight has the slope 1 - p with
    # probability p, and -p with probability 1 - p, so h = p (1 - p); so has the other one.
    net = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[1.0], [0.0]]))
    p = torch.tensor(1.0).sigmoid()
    h = p * (1 - p)
    curvature = Curvature(net)
    curvature.add(torch.ones(1, 1))
    torch.testing.assert_close(curvature.diagonal()[""], torch.stack([h, h])[:, None])
    found = saliencies(net, [(torch.ones(1, 1), None)])
    torch.testing.assert_close(found[""], torch.stack([h / 2, 0 * h])[:, None])


class Sequence(nn.Module):
    """Dense layers along a sequence, one of them applied twice, and a weight tied to another's."""

    def __init__(self):
        super().__init__()
        self.inward = nn.Linear(3, 4)
        self.twice = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.twice.weight
        self.top = nn.Linear(4, 3)

    def forward(self, x):
        x = self.twice(torch.tanh(self.twice(torch.tanh(self.inward(x)))))
        return self.top(self.tied(torch.relu(x)).mean(1))


def test_layers_along_a_sequence_used_twice_and_tied():
    torch.manual_seed(1)
    assert not check(Sequence(), torch.randn(6, 5, 3))._one_by_one


class TwiceConvolved(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.top = nn.Linear(2, 4)

    def forward(self, x):
        return self.top(self.conv(torch.tanh(self.conv(x))).amax((2, 3)))


def test_a_convolution_used_twice():
    torch.manual_seed(2)
    assert not check(TwiceConvolved(), torch.randn(5, 2, 4, 4))._one_by_one


class Rows(nn.Module):
    """A dense layer whose rows are windows or time steps."""

    def __init__(self, order):
        super().__init__()
        self.order = order
        self.dense = nn.Linear(3, 4)
        self.top = nn.Linear(4, 3)

    def forward(self, x):
        n, steps, _ = x.shape
        if self.order == "samples first":
            x = torch.tanh(self.dense(x.reshape(n * steps, 3))).reshape(n, steps, 4).mean(1)
        elif self.order == "steps first":
            x = torch.tanh(self.dense(x.transpose(0, 1))).mean(0)
        else:
            x = torch.tanh(nn.functional.linear(x, self.dense.weight)).mean(1)
        return self.top(x)


@pytest.mark.parametrize(
    ("order", "one_by_one"),
    [("samples first", []), ("steps first", ["dense"]), ("outside", ["dense"])],
)
def test_rows_that_are_no_samples_are_noticed(order, one_by_one):
    torch.manual_seed(3)
    # As many steps as samples in the first batch, so that shapes alone do not tell.
    assert check(Rows(order), torch.randn(7, 2, 3))._one_by_one == one_by_one


def test_attention_uses_a_weight_behind_its_layers_back():
    torch.manual_seed(4)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = nn.MultiheadAttention(4, 2, batch_first=True)
            self.top = nn.Linear(4, 3)

        def forward(self, x):
            return self.top(self.heads(x, x, x, need_weights=False)[0].mean(1))

    assert check(Attention(), torch.randn(5, 3, 4))._one_by_one == ["heads.out_proj"]


def test_drawn_labels_come_near_the_exact_sum_where_there_are_many_classes():
    torch.manual_seed(5)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 20))
    inputs = torch.randn(40, 3)
    expected = sample_by_sample(net, inputs)
    drawn = Curvature(net, 2000)
    drawn.add(inputs)
    for name, diagonal in drawn.diagonal().items():
        assert float((diagonal / expected[name] - 1).abs().max()) < 0.08


def test_drawn_labels_are_the_same_each_time():
    net = nn.Linear(3, 20)
    batches = [(torch.eye(3), None)] * 2
    first, again = (saliencies(net, batches, n_draws=3)[""] for _ in range(2))
    assert_same_outputs(first, again)


def test_a_bundled_network():
    net, data = ex.load("lenet-5")
    check(net, torch.stack([data.tune[i][0] for i in range(4)]))


class Noise(nn.Module):
    """Draws random numbers in eval mode as well."""

    def forward(self, x):
        return x + torch.rand(x.shape)


def test_the_network_and_the_random_numbers_stay_as_they_were():
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), Noise(), nn.Flatten(), nn.Linear(8, 3)
    )
    net.train().requires_grad_(False)
    net[4].weight.requires_grad_(True)
    before = copy.deepcopy(net.state_dict())
    torch.manual_seed(6)
    expected = torch.rand(3)
    torch.manual_seed(6)
    with torch.no_grad():
        found = saliencies(net, [(torch.ones(2, 1, 4, 4), torch.zeros(2))])
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.rand(3), expected)
    assert set(found) == {"0", "4"}
    with pytest.raises(ValueError, match="NaN"):
        saliencies(net, [(torch.full((2, 1, 4, 4), torch.nan), None)])
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert [p.requires_grad for p in net.parameters()] == [False] * 4 + [True, False]
    assert all(p.grad is None for p in net.parameters())
    assert all(module.training and not module._forward_hooks for module in net.modules())

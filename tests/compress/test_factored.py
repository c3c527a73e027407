"""Split layers: by hand, the same outputs as the whole ones, why some stay whole, bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.compress.methods.low_rank import LowRank, LowRanked, break_even_rank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.networks.compressed import compress_planned
from explorer.compress.networks.factored import factored
from explorer.compress.networks.layer import index_layers
from explorer.compress.networks.planner import Planner
from explorer.compress.networks.recipe import Recipe
from explorer.compress.records.record import Dense
from explorer.measure.profile import profile
from explorer.zoo.architectures import lenet_5


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def restored(net, recipe):
    """A compressed network's restored copy, and its records."""
    small = compress_planned(net, Planner(net, index_layers(net)).plan(Recipe.of(recipe)))
    return small.restore(), small.records


def check_same(net, split, inputs):
    with torch.no_grad():
        torch.testing.assert_close(split(inputs), net(inputs), rtol=1e-4, atol=1e-4)


def test_by_hand_a_dense_layer():
    # 2 (x1, x2)' (3, 0, 4): through one value, 3 x1 + 4 x3 over its norm, times 10.
    layer = nn.Linear(3, 2)
    record = LowRanked(
        Dense(torch.tensor([[0.6], [0.8]])),
        torch.tensor([10.0]),
        Dense(torch.tensor([[0.6, 0.0, 0.8]])),
        torch.Size((2, 3)),
        torch.float32,
    )
    found = factored(layer, {"": record})
    first, second = found.net
    assert (found.split, found.dense) == (("",), {})
    assert first.bias is None
    assert first.weight.tolist() == [[pytest.approx(0.6), 0, pytest.approx(0.8)]]
    assert second.weight.tolist() == [[pytest.approx(6)], [pytest.approx(8)]]
    assert torch.equal(second.bias, layer.bias)
    output = found.net(torch.tensor([1.0, 7.0, 1.0])) - layer.bias
    assert output.tolist() == pytest.approx([1.4 * 6, 1.4 * 8], rel=1e-5)


def test_by_hand_the_multiplications():
    net, records = restored(lenet_5(), {"fc2": [LowRank(rank=4)], "conv2": [LowRank(rank=6)]})
    rows = profile(factored(net, records).net, (1, 28, 28))
    macs = {row.name: row.macs for row in rows}
    # conv2 has 8 x 8 places, kernels of 20 x 5 x 5 and 50 filters.
    assert (macs["conv2.0"], macs["conv2.1"]) == (64 * 500 * 6, 64 * 6 * 50)
    assert (macs["fc2.0"], macs["fc2.1"]) == (500 * 4, 4 * 10)


KINDS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
triple = st.tuples(*[st.integers(1, 3)] * 3)


@settings(max_examples=40)
@given(
    st.sampled_from([1, 2, 3]),
    st.tuples(triple, triple, triple, triple),
    st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    st.sampled_from(["numbers", "same", "valid"]),
    st.booleans(),
)
def test_a_convolution_gives_the_same(n_axes, sizes, mode, padding, bias):
    kernel, stride, dilation, pad = (size[:n_axes] for size in sizes)
    torch.manual_seed(sum(map(sum, sizes)))
    if padding == "same":  # torch warns of even kernels, and wants no stride
        kernel, stride = tuple(size | 1 for size in kernel), 1
    layer = KINDS[n_axes](
        4,
        9,
        kernel,
        stride=stride,
        dilation=dilation,
        padding=pad if padding == "numbers" else padding,
        padding_mode=mode,
        bias=bias,
    )
    net, records = restored(layer, [LowRank(rank=2)])
    found = factored(net, records)
    assert found.split == ("",)
    check_same(net, found.net, torch.randn(2, 4, *(9, 8, 7)[:n_axes]))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.booleans())
def test_a_dense_layer_gives_the_same_or_stays_whole(n_in, n_out, rank, bias):
    torch.manual_seed(n_in)
    net, records = restored(nn.Linear(n_in, n_out, bias=bias), [LowRank(rank=rank)])
    found = factored(net, records)
    pays = records[""].rank <= break_even_rank(n_out, n_in)
    assert found.split == (("",) if pays else ())
    assert list(found.dense) == ([] if pays else [""])
    check_same(net, found.net, torch.randn(2, 5, n_in))
    count = sum(p.numel() for p in found.net.parameters())
    assert count <= sum(p.numel() for p in net.parameters())


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, padding=1)
        self.norm = nn.BatchNorm2d(12)
        self.body = nn.ModuleDict({"a": nn.Sequential(nn.Conv2d(12, 12, 3, padding=1), nn.ReLU())})
        self.again = self.body["a"]
        self.head = nn.Linear(12, 10)

    def forward(self, x):
        x = self.norm(self.stem(x)).relu()
        x = self.again(x + self.body["a"](x))
        return self.head(x.mean((2, 3)))


def test_a_nested_network_with_a_layer_used_twice():
    net, records = restored(Residual(), [LowRank(rank=3)])
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    random_state = torch.get_rng_state()
    found = factored(net, records)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert found.split == ("stem", "body.a.0", "head")
    assert found.net.again is found.net.body["a"]
    assert isinstance(found.net.body["a"][0], nn.Sequential)
    assert not any(module.training for module in found.net.modules())
    check_same(net, found.net, torch.randn(2, 3, 8, 8))
    found.net.head[1].bias.data.zero_()
    found.net.norm.weight.data.zero_()
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_compressed_factors_are_those_of_the_file():
    net, records = restored(nn.Sequential(nn.Linear(40, 30)), [LowRank(rank=5), Quantize(bits=4)])
    found = factored(net, records)
    assert found.split == ("0",)
    check_same(net, found.net, torch.randn(3, 40))
    assert torch.equal(found.net[0][0].weight, records["0"].right.restore())


def test_half_weights_keep_their_type():
    net, records = restored(nn.Linear(40, 30).bfloat16(), [LowRank(rank=2)])
    split = factored(net, records).net
    assert {p.dtype for p in split.parameters()} == {torch.bfloat16}
    inputs = torch.randn(2, 40).bfloat16()
    with torch.no_grad():
        torch.testing.assert_close(split(inputs), net(inputs), rtol=0.05, atol=0.05)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(9, 9), nn.Linear(9, 9)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x))


def hooked():
    layer = nn.Linear(20, 20)
    layer.register_forward_hook(lambda *_: None)
    return layer


@pytest.mark.parametrize(
    ("net", "shape", "steps", "name", "words"),
    [
        (nn.Conv2d(8, 8, 3, groups=2), (8, 8, 8), [], "", "its filters are grouped"),
        (nn.ConvTranspose2d(8, 8, 3), (8, 8, 8), [], "", "a ConvTranspose2d is not split"),
        (nn.Linear(20, 20), (20,), [Prune(sparsity=0.5)], "", "single weights are pruned"),
        (nn.Linear(3, 3), (3,), [], "", "two layers are faster up to rank 1; its rank is 2"),
        (Tied(), (9,), [], "first", "its weight is that of 'second', too"),
        (hooked(), (20,), [], "", "it has hooks"),
        (
            nn.TransformerEncoderLayer(16, 2, 32, batch_first=True),
            (5, 16),
            [],
            "linear1",
            "TransformerEncoderLayer reads its weight directly",
        ),
        (
            nn.TransformerEncoderLayer(16, 2, 32, batch_first=True),
            (5, 16),
            [],
            "self_attn.out_proj",
            "a NonDynamicallyQuantizableLinear is not split",
        ),
    ],
)
def test_some_layers_stay_whole(net, shape, steps, name, words):
    net, records = restored(net, [*steps, LowRank(rank=2)])
    found = factored(net, records)
    assert found.dense[name].startswith(words)
    assert found.split == ()
    check_same(net, found.net, torch.randn(2, *shape))


def test_what_is_left_of_rank_zero_stays_whole():
    empty = LowRanked(
        Dense(torch.empty(5, 0)),
        torch.empty(0),
        Dense(torch.empty(0, 4)),
        torch.Size((5, 4)),
        torch.float32,
    )
    assert factored(nn.Linear(4, 5), {"": empty}).dense == {"": "nothing of it is left"}


def test_other_records_are_passed_over():
    net, records = restored(lenet_5(), {"fc2": [LowRank(rank=4)], "conv*": [Quantize(bits=8)]})
    found = factored(net, records)
    assert (found.split, found.dense) == (("fc2",), {})
    assert torch.equal(found.net.conv1.weight, net.conv1.weight)


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (nn.Sequential(nn.Linear(20, 20)), r"records: 'fc' is no layer of net"),
        (nn.Sequential(), r"records: 'fc' is no layer of net"),
        (nn.ModuleDict({"fc": nn.Linear(9, 9)}), r"shape \(20, 30\), the layer of net \(9, 9\)"),
        (nn.ModuleDict({"fc": nn.ReLU()}), r"shape \(20, 30\), the layer of net None"),
    ],
)
def test_records_of_another_network_are_refused(net, words):
    record = LowRank(rank=2)(torch.randn(20, 30))
    with pytest.raises(ValueError, match=words):
        factored(net, {"fc": record})

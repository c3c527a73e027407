import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.compress.networks.weights import compressible
from explorer.measure.activity import input_density
from explorer.measure.profile import profile
from explorer.measure.published.pruning import (
    ALEXNET,
    LENET_5,
    LENET_300_100,
    VGG16,
    layer_costs,
    published_pruning,
)
from explorer.measure.result import LayerFigures, Result
from explorer.torchvision_import import import_torchvision
from explorer.zoo.architectures import lenet_5, lenet_300_100


def figures(name, n_weights, n_nonzero, macs=None):
    left = None if macs is None else macs * n_nonzero // n_weights
    shape = (n_weights,)
    return LayerFigures(name, shape, n_weights, n_nonzero, 32 * n_weights, 1, 0.0, left, macs)


def result(*layers):
    return Result(layers, 1000, 500, 0)


def test_by_hand():
    found = layer_costs(
        result(figures("a", 100, 50, 1000), figures("b", 300, 30, 300)), {"a": 1.0, "b": 0.4}, 8
    )
    assert [(row.kept, row.flops) for row in found.layers] == [(0.5, 0.5), (0.1, 0.1 * 0.4)]
    assert found.total.kept == pytest.approx(80 / 400)
    assert found.total.flops == pytest.approx((500 + 12) / 1300)
    assert found.n_samples == 8


def test_without_samples_only_zeros_among_weights_count():
    found = layer_costs(result(figures("a", 100, 50, 1000), figures("b", 300, 30, 300)))
    assert [row.flops for row in found.layers] == [row.kept for row in found.layers]
    assert found.layers[0].density is None and found.n_samples == 0


def test_without_an_input_shape_weights_stand_for_operations():
    found = layer_costs(result(figures("a", 100, 50), figures("b", 300, 30)))
    assert found.total.flops == pytest.approx(80 / 400)


def test_factors_multiply_less_than_the_weights_they_make():
    factored = LayerFigures("a", (10, 10), 100, 100, 3200, 1, 0.0, macs=40, original_macs=100)
    (row,) = layer_costs(result(factored), {"a": 0.5}, 1).layers
    assert (row.kept, row.flops) == (1.0, 0.4 * 0.5)


@given(st.floats(0, 1), st.integers(0, 100))
def test_never_more_operations_than_weights(density, kept):
    (row,) = layer_costs(result(figures("a", 100, kept, 100)), {"a": density}, 1).layers
    assert 0 <= row.flops <= row.kept + 1e-12


def test_a_layer_without_weights_left_does_nothing():
    found = layer_costs(result(figures("a", 100, 0, 50)), {"a": 0.7}, 1)
    assert found.layers[0].flops == found.total.flops == 0


# Printed in percent in Han et al. 2015, arXiv:1506.02626, tables 3 to 6.
KEPT = {
    LENET_300_100: [8, 9, 26, 8],
    LENET_5: [66, 12, 8, 19, 8],
    ALEXNET: [84, 38, 35, 37, 37, 9, 9, 25, 11],
    VGG16: [58, 22, 34, 36, 53, 24, 42, 32, 27, 34, 35, 29, 36, 4, 4, 23, 7.5],
}
FLOP = {
    LENET_300_100: [8, 4, 17, 8],
    LENET_5: [66, 10, 6, 10, 16],
    VGG16: [58, 12, 30, 29, 43, 16, 29, 21, 14, 15, 12, 9, 11, 1, 2, 9, 21],
}


@pytest.mark.parametrize(("column", "printed"), [("kept", KEPT), ("flops", FLOP)])
def test_tables_are_the_published_ones(column, printed):
    for table, percents in printed.items():
        fractions = [getattr(row, column) for row in (*table.layers, table.total)]
        assert fractions == [pytest.approx(percent / 100) for percent in percents], table.network


def shapes_of(net):
    return [tuple(weight.shape) for weight in compressible(net).values()]


@pytest.mark.parametrize(
    ("net", "shape", "table"),
    [(lenet_300_100(), (1, 28, 28), LENET_300_100), (lenet_5(), (1, 28, 28), LENET_5)],
)
def test_the_papers_totals_follow_from_its_rows(net, shape, table):
    found = published_pruning(shapes_of(net))
    assert (found.network, found.layers, found.same) == (table.network, table.layers, True)
    rows = profile(net, shape)
    for figure, column in (("weights", "kept"), ("macs", "flops")):
        counts = [getattr(row, figure) for row in rows]
        parts = [getattr(layer, column) for layer in found.layers]
        left = sum(c * p for c, p in zip(counts, parts, strict=True)) / sum(counts)
        assert left == pytest.approx(getattr(found.total, column), abs=0.0055), figure


def test_vgg16s_totals_follow_from_its_rows():
    with torch.device("meta"):
        net = import_torchvision().models.vgg16()
    found = published_pruning(shapes_of(net))
    assert found.network == "VGG-16" and found.same
    counts = [row.weights for row in profile(net, (3, 224, 224))]
    left = sum(c * layer.kept for c, layer in zip(counts, VGG16.layers, strict=True)) / sum(counts)
    assert left == pytest.approx(VGG16.total.kept, abs=0.005)


def test_torchvisions_alexnet_is_told_from_the_papers():
    with torch.device("meta"):
        shapes = shapes_of(import_torchvision().models.alexnet())
    assert published_pruning(shapes).layers == ALEXNET.layers
    assert not published_pruning(shapes).same
    shapes[:3] = [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3)]
    shapes[3:5] = [(384, 192, 3, 3), (256, 192, 3, 3)]
    assert published_pruning(shapes).same
    assert all(layer.flops is None for layer in ALEXNET.layers)
    assert ALEXNET.total.flops == 0.30


def test_other_networks_have_no_table():
    assert published_pruning([(10, 784)]) is None
    assert published_pruning([(300, 784), (100, 300), (11, 100)]) is None


def test_densities_by_hand():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2, bias=False), nn.Linear(2, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.eye(2))
        net[0].bias.zero_()
        net[2].weight.fill_(1.0)
    inputs = torch.tensor([[1.0, -1.0], [0.0, -2.0], [3.0, 4.0], [-1.0, 0.0]])
    # After the ReLU 3 of 8 values are not zero; their sums are not zero in 2 of 4 samples.
    assert input_density(net, inputs) == {"0": 1.0, "2": 3 / 8, "3": 0.5}


def test_densities_agree_with_hooks_on_the_whole_lenet():
    net = lenet_5().eval()
    inputs = torch.randn(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first = net[:3](inputs)
        second = net[3:7](first)
        third = net[7:9](second)
    found = input_density(net, inputs)
    for name, entering in {"conv2": first, "fc1": second, "fc2": third}.items():
        assert found[name] == pytest.approx(float((entering != 0).double().mean()))
    assert found["conv1"] == 1.0


def test_a_layer_that_is_called_by_keyword_is_passed_over():
    class ByName(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 1)

        def forward(self, x):
            return self.b(torch.relu(self.a(input=x)))

    assert list(input_density(ByName(), torch.ones(1, 2))) == ["b"]


def test_measuring_leaves_the_network_as_it_was():
    net = lenet_5()
    input_density(net, torch.zeros(1, 1, 28, 28))
    assert net.training
    assert all(not module._forward_pre_hooks for module in net.modules())


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="inputs: expected at least one sample, got none"):
        input_density(lenet_5(), torch.zeros(0, 1, 28, 28))
    with pytest.raises(ValueError, match=r"published: expected 1 layers, .* got 4 of LeNet-5"):
        layer_costs(result(figures("a", 1, 1)), published=LENET_5)

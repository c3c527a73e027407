"""Every method on networks of every kind that torchvision has, with random weights."""

import pytest
import torch
from sameness import assert_same_outputs, assert_same_tensors

import explorer as ex
from explorer.codec import file
from explorer.compress.networks.weights import compressible

METHODS = [
    [ex.Prune(sparsity=0.7)],
    [ex.Prune(sparsity=0.5, criterion="random")],
    [ex.Quantize(bits=5)],
    [ex.Quantize(bits=3, granularity="channel")],
    [ex.Binarize("channel")],
    [ex.Share(16)],
    [ex.Prune(sparsity=0.8), ex.Share(16), ex.RelativeIndex(5), ex.Entropy("huffman")],
    [ex.Product(n_subvectors=32, n_centroids=16)],
    [ex.Residual(n_stages=2, n_centroids=16)],
    [ex.LowRank(rank=8)],
    [ex.Share(32), ex.Entropy("ans")],
]
SIZES = {
    "squeezenet1_1": 64,
    "resnet18": 64,
    "regnet_x_400mf": 64,
    "densenet121": 64,
    "shufflenet_v2_x0_5": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "mnasnet0_5": 64,
    "efficientnet_b0": 64,
    "regnet_y_400mf": 64,
    "googlenet": 64,
    "convnext_tiny": 64,
    "swin_t": 64,
}


def outputs(net, inputs):
    with torch.no_grad():
        found = net.eval()(inputs)
    return found[0] if isinstance(found, tuple) else found


@pytest.fixture(params=SIZES)
def network(request):
    net = ex.load(request.param, weights=None).net.eval()
    shape = (3, SIZES[request.param], SIZES[request.param])
    inputs = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    return net, shape, inputs


def assert_file_holds(small, net, inputs):
    data = file.encode(small)
    assert len(data) == small.size_bytes
    restored, expected = file.decode(data).restore(net), small.restore()
    assert_same_tensors(restored, expected)
    assert_same_outputs(outputs(restored, inputs), outputs(expected, inputs))
    assert len(data) < small.original_bytes


def test_every_method_compresses_restores_and_runs(network):
    net, _, inputs = network
    layers = list(compressible(net))
    recipe = {name: METHODS[i % len(METHODS)] for i, name in enumerate(layers)}
    small = ex.compress(net, recipe)
    assert_file_holds(small, net, inputs)
    whole, split = (outputs(small.restore(factored=f), inputs) for f in (False, True))
    assert torch.allclose(whole, split, atol=1e-4 * float(whole.abs().max()))


def test_neurons_go_or_the_layer_says_why_not(network):
    net, shape, inputs = network
    small = ex.compress(net, [ex.PruneNeurons(fraction=0.3), ex.Share(16)], input_shape=shape)
    assert_file_holds(small, net, inputs)
    weights = compressible(net)
    for name, record in small.records.items():
        whole = record.shape[0] == weights[name].shape[0]
        assert not whole or small.notes.get(name), name
    assert not weights.keys() <= small.notes.keys()

"""Neurons taken out of published architectures, and of the bundled trained networks."""

import pytest
import torch
from sameness import assert_same_outputs, assert_same_tensors

import explorer as ex
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.networks.removal.removal import remove_neurons
from explorer.compress.networks.resizing import fit_shapes
from explorer.compress.networks.weights import compressible
from explorer.torchvision_import import import_torchvision

CLASSES = "its outputs are the network's classes"
EVERY_LAYER = ("squeezenet1_1", "resnet18", "densenet121", "mobilenet_v3_small", "regnet_y_400mf")


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing from more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random_network(name):
    """Make an architecture whose weights, biases and statistics are all far from zero."""
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = import_torchvision().models.get_model(name, weights=None, num_classes=10, **options)
        for key, tensor in net.state_dict().items():
            if key.endswith(("bias", "running_mean")):
                tensor.uniform_(-0.1, 0.1)
    return net.eval()


def removed(net, shape, fraction=0.3):
    """Remove neurons everywhere; compare with the silent network and with a refilled original."""
    layers = compressible(net)
    reduced = remove_neurons(net, dict.fromkeys(layers, PruneNeurons(fraction)), shape)
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        small, masked = reduced.net(x), reduced.masked(x)
    assert float((small - masked).abs().max()) <= 1e-5 * float(masked.abs().max())
    for name, (rows, columns) in reduced.kept.items():
        weight = reduced.masked.get_submodule(name).weight.flatten(1)
        left = reduced.net.get_submodule(name).weight.flatten(1)
        assert torch.equal(weight[rows][:, columns], left)
    return reduced


def n_weights(net):
    return sum(weight.numel() for weight in compressible(net).values())


@pytest.mark.parametrize("name", EVERY_LAYER)
def test_every_layer_but_the_last_shrinks(name):
    net = random_network(name)
    reduced = removed(net, (3, 64, 64))
    assert list(reduced.notes.values()) == [CLASSES]
    for layer, weight in compressible(net).items():
        smaller = len(reduced.kept[layer][0]) < weight.shape[0]
        assert smaller is (layer not in reduced.notes), layer
    assert 0.4 < n_weights(reduced.net) / n_weights(net) < 0.65
    again = random_network(name)
    fit_shapes(again, reduced.net.state_dict())
    again.load_state_dict(reduced.net.state_dict())
    assert_same_tensors(again, reduced.net)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        assert_same_outputs(again(x), reduced.net(x))


def test_a_transformer_loses_hidden_neurons_only():
    net = random_network("swin_t")
    reduced = removed(net, (3, 64, 64))
    for layer, weight in compressible(net).items():
        hidden = layer.endswith("mlp.0")
        assert (len(reduced.kept[layer][0]) < weight.shape[0]) is hidden, layer
        assert (layer in reduced.notes) is not hidden
    assert "normalizes all channels together" in reduced.notes["features.0.0"]
    assert reduced.notes["features.1.0.attn.qkv"].endswith("not call it as a layer of its own")


def test_shuffled_channels_stay_and_those_between_the_shuffles_go():
    net = random_network("shufflenet_v2_x0_5")
    reduced = removed(net, (3, 64, 64))
    for layer, weight in compressible(net).items():
        smaller = len(reduced.kept[layer][0]) < weight.shape[0]
        assert smaller is (layer not in reduced.notes), layer
        assert smaller or not layer.endswith(("branch2.0", "branch2.3"))
    mixed = "its channels are mixed with others in a way that cannot be followed"
    assert set(reduced.notes.values()) == {CLASSES, mixed}
    assert reduced.notes["stage2.0.branch2.5"] == mixed


@pytest.mark.parametrize(("name", "kept"), [("lenet-300-100", 0.68), ("lenet-5", 0.50)])
def test_bundled_networks(name, kept):
    net = ex.load(name).net
    reduced = removed(net, (1, 28, 28))
    assert n_weights(reduced.net) / n_weights(net) == pytest.approx(kept, abs=0.02)
    images, _ = next(iter(ex.load(name).data.eval))
    images = images.reshape(-1, 1, 28, 28)[:50]
    with torch.no_grad():
        # Neurons without bias or input are dead: nothing changes without them.
        same = removed(net, (1, 28, 28), fraction=0.0).net
        assert torch.allclose(same(images), net(images), rtol=1e-5, atol=1e-5)

"""Architectures without weights: the same as real ones, but for the room that they take."""

import copy
import struct
import zlib

import pytest
import torch
from sameness import assert_same_outputs, assert_same_tensors
from torch import nn

import explorer as ex
from explorer import zoo
from explorer.codec.header import MAGIC, as_text, deflated
from explorer.zoo.meta import hollow_copy, hollow_network

TINY = [["features.0.weight", [1, 3, 3, 3], "float32"]]


def facts(net):
    return {name: (t.shape, t.dtype) for name, t in net.state_dict().items()}


@pytest.mark.parametrize(
    "name", ["lenet-5", "squeezenet1_1", "regnet_y_400mf", "shufflenet_v2_x0_5"]
)
def test_it_is_the_network_without_its_weights(name):
    hollow, real = hollow_network(name), zoo.load(name, weights=None).net
    assert facts(hollow) == facts(real)
    assert str(hollow) == str(real)
    assert (hollow.input_shape, hollow.network_name) == (real.input_shape, name)
    assert not hollow.training
    hollow.load_state_dict(real.state_dict(), assign=True)
    assert_same_tensors(hollow, real)
    inputs = torch.zeros(1, *real.input_shape)
    with torch.inference_mode():
        assert_same_outputs(hollow(inputs), real(inputs))


@pytest.mark.parametrize("name", ["vgg16", "regnet_y_128gf", "vit_h_14"])
def test_large_networks_take_no_room(name):
    tensors = hollow_network(name).state_dict().values()
    assert sum(t.numel() for t in tensors) > 100_000_000
    assert sum(t.numel() for t in tensors if not t.is_meta) < 1_000_000


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"expected one of catalog\(\), got 'lenet'"):
        hollow_network("lenet")


def test_a_copy_keeps_what_no_file_holds_and_what_layers_share():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
            self.b.weight = self.a.weight
            self.a.bias.requires_grad_(False)
            self.register_buffer("known", torch.arange(3.0), persistent=False)

    net = Net()
    before = copy.deepcopy(net.state_dict())
    hollow = hollow_copy(net)
    assert all(tensor.is_meta for tensor in hollow.state_dict().values())
    assert hollow.b.weight is hollow.a.weight
    assert not hollow.a.bias.requires_grad
    assert hollow.a.weight.requires_grad
    assert torch.equal(hollow.known, torch.arange(3.0))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_an_opened_file_makes_none_but_its_own_tensors(tmp_path):
    header = {"network": "vgg16", "recipe": {"version": 1, "layers": {"*": []}}, "tensors": TINY}
    text, section = deflated(as_text(header).encode()), bytes(4 * 27)
    parts = [MAGIC, struct.pack("<I", len(text)), text, struct.pack("<I", zlib.crc32(text))]
    parts += [section, struct.pack("<I", zlib.crc32(section))]
    (tmp_path / "tiny.cmpx").write_bytes(b"".join(parts))
    opened = ex.open(tmp_path / "tiny.cmpx")
    assert opened.template.classifier[0].weight.is_meta
    with pytest.raises(ValueError, match="net does not fit this file"):
        opened.restore()


@pytest.mark.parametrize("factored", [False, True])
def test_an_opened_file_restores_whole(factored, tmp_path):
    net, data = ex.load("lenet-5")
    recipe = {"fc1": [ex.PruneNeurons(fraction=0.5)], "*": [ex.LowRank(rank=8)]}
    small = ex.compress(net, recipe)
    small.save(tmp_path / "small.cmpx")
    again = ex.open(tmp_path / "small.cmpx").restore(factored=factored)
    assert not any(tensor.is_meta for tensor in again.state_dict().values())
    assert all(parameter.requires_grad for parameter in again.parameters())
    expected = small.restore(factored=factored)
    assert facts(again) == facts(expected)
    assert ex.evaluate(again, data.eval) == ex.evaluate(expected, data.eval)

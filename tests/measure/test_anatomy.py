import gc
import weakref
from itertools import pairwise
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.measure.anatomy import anatomy
from explorer.measure.profile import profile
from explorer.torchvision_import import import_torchvision
from explorer.zoo.architectures import lenet_5, lenet_300_100

ALEXNET = {
    "conv1": ("35K", "105M"),
    "conv2": ("307K", "223M"),
    "conv3": ("884K", "149M"),
    "conv4": ("1.3M", "112M"),
    "conv5": ("442K", "74M"),
    "fc6": ("37M", "37M"),
    "fc7": ("16M", "16M"),
    "fc8": ("4M", "4M"),
}
# Han et al. 2015: weights, and operations that count a multiply and an add as two; the last
# row is the sum.
VGG16 = """
2K 0.2B, 37K 3.7B, 74K 1.8B, 148K 3.7B, 295K 1.8B, 590K 3.7B, 590K 3.7B, 1M 1.8B, 2M 3.7B,
2M 3.7B, 2M 925M, 2M 925M, 2M 925M, 103M 206M, 17M 34M, 4M 8M, 138M 30.9B
"""


def printed(figure):
    """Turn "3.7B" into 3.7e9 within one unit of its last digit, as tables round both ways."""
    digits, unit = figure[:-1], {"K": 1e3, "M": 1e6, "B": 1e9}[figure[-1]]
    return pytest.approx(float(digits) * unit, abs=unit * 10.0 ** -len(digits.partition(".")[2]))


def on_meta(name):
    with torch.device("meta"):
        return getattr(import_torchvision().models, name)()


def two_towers():
    """Krizhevsky's AlexNet, whose second, fourth and fifth convolutions are split in two."""
    convolutions = [
        nn.Conv2d(3, 96, 11, 4),
        nn.Conv2d(96, 256, 5, padding=2, groups=2),
        nn.Conv2d(256, 384, 3, padding=1),
        nn.Conv2d(384, 384, 3, padding=1, groups=2),
        nn.Conv2d(384, 256, 3, padding=1, groups=2),
    ]
    net, pooled = nn.Sequential(), {1, 2, 5}
    for i, layer in enumerate(convolutions, 1):
        net.add_module(f"conv{i}", layer)
        if i in pooled:
            net.add_module(f"pool{i}", nn.MaxPool2d(3, 2))
    net.add_module("flatten", nn.Flatten())
    for i, (into, out) in enumerate([(9216, 4096), (4096, 4096), (4096, 1000)], 6):
        net.add_module(f"fc{i}", nn.Linear(into, out))
    return net.to("meta")


def test_the_original_alexnet_has_the_lectures_figures():
    found = {layer.name: layer for layer in anatomy(two_towers(), (3, 227, 227)).rows}
    assert list(found) == list(ALEXNET)
    assert {name: layer.macs for name, layer in found.items()} == {
        name: printed(macs) for name, (_, macs) in ALEXNET.items()
    }
    # The table prints conv4's weights as if it were not split: 1.3 million, where its 112
    # million operations are those of half as many.
    assert 2 * found["conv4"].weights == printed(ALEXNET["conv4"][0])
    for name in set(ALEXNET) - {"conv4"}:
        assert found[name].weights == printed(ALEXNET[name][0]), name
    whole = anatomy(two_towers(), (3, 227, 227))
    assert whole.weights == pytest.approx(60e6, rel=0.02)  # "60 million parameters = 240 MB"
    assert whole.bytes == pytest.approx(240e6, rel=0.02)


def test_torchvisions_alexnet_has_the_lectures_dense_layers_and_other_convolutions():
    # One tower of 64, 192, 384, 256 and 256 filters, after Krizhevsky's "One weird trick for
    # parallelizing convolutional neural networks", arXiv:1404.5997.
    found = anatomy(on_meta("alexnet"), (3, 224, 224)).rows
    lecture = list(ALEXNET.values())
    for layer, (weights, macs) in zip(found[5:], lecture[5:], strict=True):
        assert (layer.weights, layer.macs) == (printed(weights), printed(macs))
    assert [layer.shape[0] for layer in found[:5]] == [64, 192, 384, 256, 256]
    differing = [i for i, (_, macs) in enumerate(lecture[:5]) if found[i].macs != printed(macs)]
    assert differing == [0, 2, 3, 4]


def test_vgg16_has_the_published_figures():
    found = anatomy(on_meta("vgg16"), (3, 224, 224))
    table = [row.split() for row in VGG16.split(",")]
    ours = [
        *((layer.weights, 2 * layer.macs) for layer in found.rows),
        (found.weights, 2 * found.macs),
    ]
    assert ours == [(printed(weights), printed(flop)) for weights, flop in table]


def test_lenet_5_by_hand():
    found = anatomy(lenet_5(), (1, 28, 28))
    weights = [500, 25_000, 400_000, 5_000]
    macs = [24 * 24 * 500, 8 * 8 * 25_000, 400_000, 5_000]
    shares = [found.share([layer]) for layer in found.rows]
    assert [share.weight_share for share in shares] == [w / sum(weights) for w in weights]
    assert [share.mac_share for share in shares] == [m / sum(macs) for m in macs]
    dense = found.share(found.rows[2:])
    assert (dense.weights, dense.macs) == (405_000, 405_000)
    assert (dense.bytes, dense.activations) == (4 * 405_510, 510)
    assert dense.weight_share == 405_000 / 430_500
    assert found.bytes == 4 * 431_080
    assert found.heaviest("weights") == ("fc1", 1, 400_000 / 430_500)
    assert found.heaviest("macs") == ("conv2", 1, 1_600_000 / 2_293_000)


def test_where_no_layer_stands_out_its_kind_is_named():
    found = anatomy(on_meta("vgg16"), (3, 224, 224))
    kind, count, share = found.heaviest("macs")
    assert (kind, count) == ("Conv2d", 13)
    assert share == pytest.approx(0.992, abs=1e-3)
    assert found.heaviest("weights")[0] == "classifier.0"


def test_layers_that_only_normalize_are_summed_up():
    found = anatomy(on_meta("resnet18"), (3, 224, 224))
    assert {layer.kind for layer in found.rows} == {"Conv2d", "Linear"}
    assert {layer.kind for layer in found.others} == {"BatchNorm2d"}
    assert len(found.rows) + len(found.others) == len(found.layers)


def test_an_embedding_is_listed_though_it_multiplies_nothing():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.out = nn.Embedding(50, 8), nn.Linear(8, 2)

        def forward(self, x):
            return self.out(self.words(x.long()).mean(1))

    found = anatomy(Words(), (5,))
    assert [layer.name for layer in found.rows] == ["words", "out"]
    assert found.heaviest("weights") == ("words", 1, 400 / 416)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=6))
def test_shares_sum_to_one_and_nothing_is_computed_differently(sizes):
    net = nn.Sequential(*(nn.Linear(into, out) for into, out in pairwise(sizes)))
    found = anatomy(net, (sizes[0],))
    assert found.layers == profile(net, (sizes[0],))
    for figure in ("weight_share", "mac_share"):
        shares = [getattr(found.share([layer]), figure) for layer in found.rows]
        assert sum(shares) == pytest.approx(getattr(found.share(found.layers), figure)) == 1


def test_without_an_input_shape_the_weights_are_still_told():
    found = anatomy(lenet_300_100(), None)
    assert [layer.weights for layer in found.rows] == [235_200, 30_000, 1_000]
    assert found.bytes == 4 * 266_610
    assert found.heaviest("macs") == ("", 0, 0.0)
    assert found.share(found.layers).mac_share == 0.0


def test_a_network_is_taken_apart_once_and_not_held():
    net = lenet_5()
    assert anatomy(net, (1, 28, 28)) is anatomy(net, [1, 28, 28])
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


class Notes(nn.Linear):
    """Notes where its inputs lie."""

    seen: ClassVar[set[str]] = set()

    def forward(self, x):
        self.seen.add(x.device.type)
        return super().forward(x)


@pytest.mark.parametrize(("computed", "device"), [(0, "meta"), (10**6, "cpu")])
def test_only_small_networks_compute_and_all_are_left_as_they_were(computed, device, monkeypatch):
    monkeypatch.setattr("explorer.measure.anatomy.COMPUTED_WEIGHTS", computed)
    Notes.seen.clear()
    net = nn.Sequential(Notes(4, 3), nn.BatchNorm1d(3))
    before = {name: tensor.data_ptr() for name, tensor in net.state_dict().items()}
    assert anatomy(net, (4,)).macs == 12
    assert Notes.seen == {device}
    assert {name: tensor.data_ptr() for name, tensor in net.state_dict().items()} == before
    assert net.training and not net[0]._forward_hooks


def test_a_network_that_looks_at_values_is_run_for_real(monkeypatch):
    monkeypatch.setattr("explorer.measure.anatomy.COMPUTED_WEIGHTS", 0)

    class Looks(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 2)

        def forward(self, x):
            return self.a(x) if float(x.sum()) == 0 else x

    assert anatomy(Looks(), (3,)).macs == 6


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"does not take an input of shape \(3, 28, 28\)"):
        anatomy(lenet_5(), (3, 28, 28))
    with pytest.raises(ValueError, match="figure: expected 'weights' or 'macs', got 'bytes'"):
        anatomy(lenet_5(), None).heaviest("bytes")

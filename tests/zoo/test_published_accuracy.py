import pytest
import torch

from explorer.measure.profile import profile
from explorer.measure.published.networks import same_network
from explorer.torchvision_import import import_torchvision
from explorer.zoo.torchvision_networks import published_accuracy, torchvision_names


def test_every_network_is_there_with_sound_figures():
    found = published_accuracy()
    assert [network.name for network in found] == list(torchvision_names())
    for network in found:
        assert 0.5 < network.top1 < network.top5 < 1, network.name
        assert network.size_bytes == pytest.approx(4 * network.n_params, rel=0.03) or (
            network.name in ("googlenet", "inception_v3")  # the file holds auxiliary outputs
        ), network.name


def test_figures_are_those_of_the_network_and_are_read_once():
    alexnet = next(network for network in published_accuracy() if network.name == "alexnet")
    assert (alexnet.top1, alexnet.top5) == (0.56522, 0.79066)
    assert published_accuracy() is published_accuracy()


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "mobilenet_v2"])
def test_a_network_is_found_by_its_parameters_and_operations(name):
    with torch.device("meta"):
        net = import_torchvision().models.get_model(name)
    macs = sum(row.macs for row in profile(net, (3, 224, 224)))
    n_params = sum(parameter.numel() for parameter in net.parameters())
    assert same_network(published_accuracy(), n_params, macs).name == name

"""Which tensors of a network are compressed."""

import pytest
import torch
from torch import nn

from explorer.compress.networks.weights import compressible, parameter_name
from explorer.compress.records.record import as_matrix


def test_dense_and_convolutional_weights_alone():
    net = nn.Sequential(
        nn.Conv1d(2, 3, 2),
        nn.BatchNorm1d(3),
        nn.Sequential(nn.ConvTranspose2d(1, 1, 2), nn.Conv3d(1, 1, 2)),
        nn.Embedding(4, 2),
        nn.Linear(2, 2),
    )
    assert list(compressible(net)) == ["0", "2.0", "2.1", "4"]


def test_a_shared_tensor_is_listed_once():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    net[2].weight = net[0].weight
    assert list(compressible(net)) == ["0"]


def test_a_bare_layer_has_an_empty_name():
    assert list(compressible(nn.Linear(2, 2))) == [""]
    assert parameter_name("") == "weight"
    assert parameter_name("a.b") == "a.b.weight"


def test_a_network_without_layers_is_refused():
    with pytest.raises(ValueError, match=r"net \(ReLU\) has no dense or convolutional layer"):
        compressible(nn.ReLU())
    with pytest.raises(TypeError, match=r"net must be a torch.nn.Module; got list"):
        compressible([nn.Linear(2, 2)])


@pytest.mark.parametrize(
    ("shape", "matrix"), [((4,), (1, 4)), ((2, 3), (2, 3)), ((5, 2, 3, 3), (5, 18))]
)
def test_the_matrix_of_a_tensor(shape, matrix):
    assert as_matrix(torch.zeros(shape)).shape == matrix

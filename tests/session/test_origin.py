"""A session on a network that was trained further, compared with the one it began with."""

import pytest
import torch
from torch import nn

from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.session import Session


def net(hidden):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, hidden), nn.ReLU(), nn.Linear(hidden, 4)).eval()


@pytest.fixture
def pair():
    """A network of 6 * 8 + 4 * 6 weights and 10 biases that became one half as wide."""
    return net(6), net(3)


def session_of(small, big):
    return Session(small, input_shape=(8,), origin=big)


def test_sizes_are_compared_with_the_first_network(pair):
    big, small = pair
    session = session_of(small, big)
    result = session.figures([Prune(sparsity=0.0)])
    assert result.original_bytes == 4 * (48 + 24 + 10)
    assert [row.n_weights for row in result.layers] == [48, 24]
    assert [row.original_macs for row in result.layers] == [48, 24]
    assert [row.macs for row in result.layers] == [24, 12]
    assert session.original_shape("0") == (6, 8)
    session.close()


def test_errors_are_taken_from_the_weights_that_are_compressed(pair):
    big, small = pair
    session = session_of(small, big)
    assert [row.error for row in session.figures([]).layers] == [0.0, 0.0]
    weight = small[0].weight.detach()
    half = weight.flatten().abs().sort().values[:12]
    error = session.figures([Prune(sparsity=0.5)])["0"].error
    assert error == pytest.approx(float(half.norm() / weight.norm()), rel=1e-5)
    session.close()


def test_the_file_is_as_large_as_the_figures_say_and_tells_the_first_size(pair, tmp_path):
    from explorer.library import open_model

    big, small = pair
    session = session_of(small, big)
    for recipe in ([Prune(sparsity=0.5)], [PruneNeurons(fraction=0.4), Prune(sparsity=0.5)]):
        result = session.apply(recipe)
        model = session.compress()
        assert model.save(tmp_path / "small.cmpx") == result.size_bytes
        opened = open_model(tmp_path / "small.cmpx")
        assert opened.original_bytes == result.original_bytes == 328
    session.close()


def test_accuracy_is_compared_with_the_first_network(pair):
    big, small = pair
    inputs = torch.randn(50, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        labels = big(inputs).argmax(1)
    data = torch.utils.data.TensorDataset(inputs, labels)
    session = Session(small, data, origin=big)
    session.apply([])
    result = session.wait(60)
    assert result.original_accuracy.top1 == 1.0
    assert result.accuracy.top1 < 1.0
    session.close()


def test_a_network_of_the_same_size_leaves_no_trace_in_the_file():
    session = Session(net(6), origin=net(6))
    alone = Session(net(6))
    assert session.figures([]).size_bytes == alone.figures([]).size_bytes
    session.close()
    alone.close()


def test_other_layers_are_refused():
    with pytest.raises(ValueError, match=r"origin: expected the layers of net, 0, 2; got 0"):
        Session(net(3), origin=nn.Sequential(nn.Linear(8, 4)))

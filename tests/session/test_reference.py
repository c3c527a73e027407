"""Figures of a real pruned and shared network, against its own file."""

import os
from pathlib import Path

import pytest
import torch

import explorer as ex

FOLDER = os.environ.get("EXPLORER_REFERENCE_DATA")
FILE = "squeezenet1_0-deepcompressed.safetensors"
PUBLISHED_BYTES = 660_000

pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="EXPLORER_REFERENCE_DATA is not set: no SqueezeNet to look at"
)


@pytest.fixture(scope="module")
def net():
    return ex.load("squeezenet1_0", weights=Path(FOLDER or "") / FILE).net


def test_zeros_that_are_there_stay_and_are_counted(net):
    session = ex.Session(net)
    result = session.figures([ex.Share(n_clusters=256)])
    session.close()
    assert 1 - result.sparsity == pytest.approx(0.334, abs=0.002)


def test_the_values_that_it_shares_already_are_found(net):
    session = ex.Session(net)
    result = session.apply([ex.Share(n_clusters=256)])
    for name, tensor in session.compressed_net().state_dict().items():
        assert torch.equal(tensor, net.state_dict()[name])
    session.close()
    assert max(layer.error for layer in result.layers) < 1e-6
    assert result.compression_ratio > 6


@pytest.mark.parametrize("coder", ["huffman", "ans"])
def test_its_own_file_is_as_small_as_the_published_one(net, coder, tmp_path):
    recipe = [ex.Prune(sparsity=0.0), ex.Share(n_clusters=256), ex.Entropy(coder)]
    small = ex.compress(net, recipe)
    n_weights = sum(record.n_weights for record in small.records.values())
    kept = [int(record.mask.sum()) for record in small.records.values()]
    assert sum(kept) / n_weights == pytest.approx(0.334, abs=0.002)
    for record in small.records.values():
        values = record.restore()[record.mask].unique()
        assert len(values) <= record.inner.codebook.n_weights <= 256
    n_bytes = small.save(tmp_path / "small.cmpx")
    assert n_bytes == small.size_bytes <= PUBLISHED_BYTES
    again = ex.open(tmp_path / "small.cmpx").restore().state_dict()
    for name, tensor in net.state_dict().items():
        assert torch.equal(again[name].view(torch.uint8), tensor.view(torch.uint8)), name


@pytest.mark.parametrize(
    "recipe",
    [
        [ex.Prune(sparsity=0.8), ex.Share(n_clusters=32)],
        [ex.Prune(sparsity=0.9, scope="model"), ex.Quantize(bits=5)],
        {"classifier*": [ex.LowRank(rank=50)], "*": [ex.Binarize(scale="channel")]},
    ],
    ids=str,
)
def test_figures_are_those_of_the_file(net, recipe, tmp_path):
    session = ex.Session(net)
    result = session.figures(recipe)
    session.close()
    small = ex.compress(net, recipe)
    assert small.save(tmp_path / "small.cmpx") == result.size_bytes == small.size_bytes
    again = ex.open(tmp_path / "small.cmpx").restore()
    for name, tensor in small.restore().state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    for layer in result.layers:
        weight = again.get_submodule(layer.name).weight
        assert layer.n_nonzero == int(torch.count_nonzero(weight))

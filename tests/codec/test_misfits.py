"""Files that are sound, but whose tensors do not fit the network that they name."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from explorer.codec import file
from explorer.codec.model import compress
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.quantize import Quantize
from explorer.library import open_model
from tests.codec.corpus import mended, network, sections_of

SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 32, 64, 1000]


@pytest.fixture(scope="module")
def small():
    return compress(network("norm"), [Quantize(4)], network="lenet-300-100")


def opened(tmp_path, header, sections):
    path = tmp_path / "a.cmpx"
    path.write_bytes(mended(header, sections, np.random.default_rng(0)))
    return open_model(path)


def with_source(header, source_bytes):
    """The header with other original bytes; without where there are none."""
    without = {key: value for key, value in header.items() if key != "source_bytes"}
    return without if source_bytes is None else without | {"source_bytes": source_bytes}


@pytest.mark.parametrize("source_bytes", [None, 5000])
@pytest.mark.parametrize("name", ["lenet-300-100", "lenet-5"])
def test_a_name_of_the_catalog_with_other_tensors(small, tmp_path, name, source_bytes):
    header, sections = sections_of(file.encode(small))
    header = with_source(header | {"network": name}, source_bytes)
    with pytest.raises(ValueError, match="net does not fit this file"):
        opened(tmp_path, header, sections).restore()


@pytest.mark.parametrize("name", ["", "no such network", "../../etc/passwd", "\ud800", "a" * 5000])
def test_a_name_that_the_catalog_does_not_have(small, tmp_path, name):
    header, sections = sections_of(file.encode(small))
    model = opened(tmp_path, header | {"network": name}, sections)
    with pytest.raises(ValueError, match="not in the catalog"):
        model.restore()
    assert isinstance(model.restore(network("norm")), nn.Module)


@pytest.mark.parametrize(
    "name", ["weight", "", "0", "0.weight.x", "a b", "0..bias", "\ud800", "_x"]
)
def test_names_that_are_no_keys(small, name):
    header, sections = sections_of(file.encode(small))
    header["tensors"][-1][0] = name
    model = file.decode(mended(header, sections, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="net does not fit this file"):
        model.restore(network("norm"))


@pytest.mark.parametrize("source_bytes", [None, 5000])
def test_any_shapes_fit_or_are_refused(source_bytes):
    net = network("norm")
    less = compress(net, [PruneNeurons(0.4), Quantize(4)], input_shape=(2, 4, 4))
    header, sections = sections_of(file.encode(less))
    header = with_source(header, source_bytes)
    fitted = 0
    for seed in range(300):
        generator = np.random.default_rng(seed)
        changed = json.loads(json.dumps(header))
        for _ in range(int(generator.integers(1, 4))):
            shape = changed["tensors"][int(generator.integers(0, len(sections)))][1]
            if shape and generator.integers(0, 4):
                shape[int(generator.integers(0, len(shape)))] = int(generator.choice(SIZES))
            elif generator.integers(0, 2):
                shape.append(1)
        for item in changed["tensors"]:
            if len(item) == 4:
                item[3] = {"kind": "pruned", "kept": 0}
        model = file.decode(mended(changed, sections, generator))
        try:
            state = model.restore(net).state_dict()
        except ValueError as error:
            assert "net does not fit this file" in str(error)
        else:
            fitted += 1
            for name, tensor in model.state_dict().items():
                assert torch.equal(state[name].isnan(), tensor.isnan())
                assert state[name].shape == tensor.shape
    assert (fitted > 0) == (source_bytes is not None)

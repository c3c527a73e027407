"""Opening compressed files: the architecture comes from the catalog, or from the caller."""

import pytest
import torch
from torch import nn

from explorer import zoo
from explorer.codec.header import DamagedFile
from explorer.codec.model import compress
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.library import open_model


@pytest.mark.parametrize("name", ["lenet-300-100", "lenet-5"])
def test_a_network_of_the_catalog_restores_by_itself(name, tmp_path):
    net = zoo.load(name).net
    small = compress(net, [Prune(sparsity=0.8), Quantize(bits=5)])
    small.save(tmp_path / "a.cmpx")
    restored = open_model(tmp_path / "a.cmpx").restore()
    expected = small.restore().state_dict()
    assert restored.state_dict().keys() == expected.keys()
    for key, tensor in restored.state_dict().items():
        assert torch.equal(tensor, expected[key]), key
    assert not restored.training


def test_another_network_needs_its_module(tmp_path):
    net = nn.Sequential(nn.Linear(3, 2))
    compress(net, []).save(tmp_path / "a.cmpx")
    opened = open_model(str(tmp_path / "a.cmpx"))
    with pytest.raises(ValueError, match=r"pass an instance of its module, as in restore\(net\)"):
        opened.restore()
    assert torch.equal(opened.restore(nn.Sequential(nn.Linear(3, 2)))[0].weight, net[0].weight)


def test_a_file_that_lies_about_its_network_does_not_fit(tmp_path):
    compress(nn.Linear(3, 2), [], network="lenet-5").save(tmp_path / "a.cmpx")
    with pytest.raises(ValueError, match="net does not fit this file"):
        open_model(tmp_path / "a.cmpx").restore()


def test_what_is_not_there_or_damaged(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no compressed file at .*none.cmpx"):
        open_model(tmp_path / "none.cmpx")
    with pytest.raises(TypeError, match="path must be a str or a Path; got int"):
        open_model(3)
    with pytest.raises(FileNotFoundError, match="no compressed file at"):
        open_model(tmp_path)
    (tmp_path / "a.cmpx").write_bytes(b"CMPX\x01")
    with pytest.raises(DamagedFile, match=r"a.cmpx: "):
        open_model(tmp_path / "a.cmpx")

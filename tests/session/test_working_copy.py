"""The copy that is evaluated holds the decoded weights, directly written or through a scratch."""

import pytest
import torch
from torch import nn

from explorer import Binarize, LowRank, Prune, Quantize, Session, Share, compress

RECIPES = [
    [Prune(sparsity=0.5), Share(n_clusters=4)],
    [Quantize(bits=3)],
    [Binarize(scale="channel")],
    [LowRank(rank=2)],
]


def network(dtype):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)).to(dtype)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("device", ["auto", "cpu", torch.device("cpu")])
def test_the_copy_holds_what_the_file_would(dtype, recipe, device):
    net = network(dtype)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    session = Session(net, device=device)
    session.apply(recipe)
    expected = compress(net, recipe).restore().state_dict()
    for name, tensor in session.compressed_net().state_dict().items():
        assert tensor.device.type == session.device.type
        assert torch.equal(tensor.cpu(), expected[name])
        assert torch.equal(net.state_dict()[name], before[name])
    session.close()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="device: torch sees no GPU here, got 'cuda'; use 'auto'"):
        Session(network(torch.float32), device="cuda")

"""Networks of every kind that a file has to hold."""

import pytest
import torch
from torch import nn


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 6)
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)
        self.head = nn.Linear(6, 9, bias=False)
        self.second.weight = self.first.weight
        self.head.weight = self.table.weight


def with_buffers():
    net = nn.Sequential(nn.Linear(5, 4))
    net.register_buffer("steps", torch.tensor(7, dtype=torch.int16))
    net.register_buffer("flags", torch.tensor([True, False]))
    net.register_buffer("phases", torch.tensor([1 + 2j, 3 - 1j]))
    net.register_buffer("bytes", torch.tensor([-3, 4], dtype=torch.int8))
    net.register_buffer("nothing", torch.empty(0, 3))
    return net


NETWORKS = {
    "bare": lambda: nn.Linear(13, 7),
    "norm": lambda: nn.Sequential(
        nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(32, 10)
    ),
    "conv1d": lambda: nn.Sequential(nn.Conv1d(3, 5, 4), nn.ConvTranspose1d(5, 2, 3)),
    "conv3d": lambda: nn.Sequential(nn.Conv3d(2, 4, 2, groups=2), nn.ConvTranspose3d(4, 1, 2)),
    "tied": Tied,
    "buffers": with_buffers,
    "half": lambda: nn.Sequential(nn.Linear(9, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)).half(),
    "bfloat16": lambda: nn.Sequential(nn.Linear(9, 8), nn.Linear(8, 3)).bfloat16(),
    "channels_last": lambda: nn.Conv2d(3, 6, 3).to(memory_format=torch.channels_last),
}


@pytest.fixture(params=sorted(NETWORKS))
def net(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NETWORKS[request.param]().eval()


@pytest.fixture
def small_net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NETWORKS["norm"]().eval()

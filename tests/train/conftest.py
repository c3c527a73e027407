"""Small networks and data to train on."""

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset


@pytest.fixture(autouse=True)
def one_thread():
    """Small networks gain nothing from threads that wait for each other."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def blobs(n=96, n_features=6, n_classes=3, seed=0):
    """Well separated classes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % n_classes
    centers = 2 * torch.randn(n_classes, n_features, generator=generator)
    noise = 0.3 * torch.randn(n, n_features, generator=generator)
    return TensorDataset(centers[labels] + noise, labels)


@pytest.fixture
def data():
    return blobs()


@pytest.fixture
def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


@pytest.fixture
def noisy_net():
    """A network with state of every kind: buffers, dropout, a convolution."""
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(4 * 16, 3),
    ).eval()


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(3)
    return TensorDataset(
        torch.randn(40, 1, 6, 6, generator=generator),
        torch.randint(0, 3, (40,), generator=generator),
    )

"""Networks and data for the tests of sweeps, in a module that worker processes can import."""

import os
import pickle
import signal
from concurrent.futures import Executor, Future

import torch
from torch import nn
from torch.utils.data import TensorDataset

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share


def small_net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 7)).eval()


def small_data(n=700):
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(n, 6, generator=generator)
    return TensorDataset(inputs, torch.randint(0, 7, (n,), generator=generator))


def weight_norm(net):
    return 100 * float(net[0].weight.detach().norm())


def broken(net):
    return 1 / 0


def loaded():
    return small_net(), small_data()


def another():
    return small_net(seed=1), small_data()


RECIPES = [[Prune(sparsity=s / 10), Share(n_clusters=k)] for s in range(3, 9) for k in (2, 5)]


class Deadly(nn.Module):
    """A network that kills its process where its weights are all zero."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 7)

    def forward(self, inputs):
        if not self.fc.weight.any():
            os.kill(os.getpid(), signal.SIGKILL)
        return self.fc(inputs)


class Apart(Executor):
    """An executor whose calls see nothing of this process but what is pickled to them."""

    def __init__(self, pool):
        self.pool = pool
        self.sent = []

    def submit(self, fn, /, *args, **kwargs):
        self.sent.append(len(pickle.dumps((fn, args, kwargs))))
        return self.pool.submit(fn, *args, **kwargs)


class Failing(Executor):
    """An executor that answers the first calls and fails the others."""

    def __init__(self, n_good, *, closing=False):
        self.n_good = n_good
        self.closing = closing

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.n_good -= 1
        if self.n_good >= 0:
            future.set_result(fn(*args, **kwargs))
        elif self.closing:
            raise RuntimeError("the line is closed")
        else:
            future.set_exception(ConnectionError("the line is dead"))
        return future


def figures(points):
    """What must be the same however points were computed."""
    return {p.key: (p.recipe, p.size_bytes, p.original_bytes, p.accuracy) for p in points}

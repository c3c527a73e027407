"""Kept activations: the same results as calling the network, with less work."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sameness import assert_same_outputs
from torch import nn

from explorer.session.prefix_cache import PrefixCache


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Linear(6, 6) for _ in range(3))
        self.norm = nn.BatchNorm1d(6)

    def forward(self, x):
        y = torch.relu(self.a(x))
        z = self.norm(self.b(y)) + y
        return self.c(torch.cat([z, y], 1)[:, :6]) + x.mean()


def chain():
    layers = [nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6)]
    return nn.Sequential(*layers)


class Watched:
    """Rewrites a layer and counts how often each is called."""

    def __init__(self, net, names, budget=10**9):
        torch.manual_seed(0)
        self.net = net.eval().requires_grad_(False)
        self.names = names
        self.state = {name: object() for name in names}
        self.calls = dict.fromkeys(names, 0)
        self.cache = PrefixCache(self.net, names, budget)
        self.inputs = [torch.randn(4, 6), torch.randn(3, 6)]
        for name in names:
            net.get_submodule(name).register_forward_hook(self._count(name))

    def _count(self, name):
        def hook(*_):
            self.calls[name] += 1

        return hook

    def change(self, name):
        weight = self.net.get_submodule(name).weight
        weight.copy_(torch.randn_like(weight))
        self.state[name] = object()

    def evaluate(self):
        self.cache.begin(self.state)
        outputs, start = [], 0
        with torch.inference_mode():
            for inputs in self.inputs:
                outputs.append(self.cache.run((start, len(inputs)), inputs))
                start += len(inputs)
        return outputs

    def calls_of_one(self, name):
        self.change(name)
        before = dict(self.calls)
        self.evaluate()
        return {n: self.calls[n] - before[n] for n in self.names}


@pytest.mark.parametrize(("make", "names"), [(chain, ["0", "2", "4"]), (Residual, ["a", "b", "c"])])
@given(changes=st.lists(st.sets(st.integers(0, 2)), max_size=8))
def test_results_are_those_of_calling_the_network(make, names, changes):
    watched = Watched(make(), names)
    for change in changes:
        for number in change:
            watched.change(names[number])
        outputs = watched.evaluate()
        for inputs, output in zip(watched.inputs, outputs, strict=True):
            assert_same_outputs(output, watched.net(inputs))


def test_a_second_change_of_a_late_layer_runs_only_what_follows():
    watched = Watched(chain(), ["0", "2", "4"])
    watched.evaluate()
    assert watched.calls_of_one("4") == {"0": 2, "2": 2, "4": 2}
    assert watched.calls_of_one("4") == {"0": 0, "2": 0, "4": 2}
    assert watched.cache.n_bytes == 7 * 6 * 4
    assert watched.calls_of_one("2") == {"0": 2, "2": 2, "4": 2}
    assert watched.calls_of_one("2") == {"0": 0, "2": 2, "4": 2}
    assert watched.calls_of_one("4") == {"0": 0, "2": 2, "4": 2}
    assert watched.calls_of_one("4") == {"0": 0, "2": 0, "4": 2}
    assert watched.calls_of_one("0") == {"0": 2, "2": 2, "4": 2}


def test_batches_beyond_the_budget_are_run_whole():
    watched = Watched(chain(), ["0", "2", "4"], budget=4 * 6 * 4)
    watched.evaluate()
    watched.calls_of_one("4")
    assert watched.cache.n_bytes == 4 * 6 * 4
    assert watched.calls_of_one("4") == {"0": 1, "2": 1, "4": 2}


def test_a_network_that_cannot_be_traced_is_called():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(6, 2)

        def forward(self, x):
            return self.a(x) if x.sum() > 0 else -self.a(x)

    watched = Watched(Branching(), ["a"])
    outputs = watched.evaluate()
    assert_same_outputs(outputs[0], watched.net(watched.inputs[0]))

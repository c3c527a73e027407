"""A network is traced in one thread while others run theirs."""

import threading

import pytest
import torch
from sameness import assert_same_outputs
from torch import nn

from explorer.session.prefix_cache import trace

WAIT_S = 30


class Waiting(nn.Module):
    """Passes its input on once it is told to; torch looks into it while tracing."""

    def __init__(self):
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        self.entered.set()
        assert self.go.wait(WAIT_S)
        return x * self.scale


@pytest.fixture
def under_trace():
    """A network that another thread is in the middle of tracing, and how to let it end."""
    waiting = Waiting()
    net = nn.Sequential(nn.Linear(3, 4), waiting, nn.Linear(4, 2))
    found = []
    thread = threading.Thread(target=lambda: found.append(trace(net)))
    thread.start()
    assert waiting.entered.wait(WAIT_S)

    def end():
        waiting.go.set()
        thread.join(WAIT_S)
        return found[0]

    yield net, end
    end()


def test_a_traced_network_gives_the_same():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.randn(5, 3)
    assert_same_outputs(trace(net)(x), net(x))


def test_control_flow_by_values_cannot_be_traced():
    class Branching(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    assert trace(Branching()) is None
    assert torch.equal(nn.Identity()(torch.ones(1)), torch.ones(1))


def test_other_networks_run_meanwhile(under_trace):
    _, end = under_trace
    other, x = nn.Sequential(nn.Linear(3, 2), nn.Tanh()), torch.randn(5, 3)
    expected = torch.tanh(x @ other[0].weight.T + other[0].bias)
    torch.testing.assert_close(other(x), expected)
    end()


def test_parts_of_the_same_network_run_meanwhile(under_trace):
    net, end = under_trace
    x = torch.randn(5, 3)
    torch.testing.assert_close(net[0](x), x @ net[0].weight.T + net[0].bias)
    graph = end()
    assert_same_outputs(graph(x), net(x))


def test_networks_are_traced_one_after_the_other(under_trace):
    net, end = under_trace
    second = []
    thread = threading.Thread(target=lambda: second.append(trace(nn.Linear(3, 2))))
    thread.start()
    end()
    thread.join(WAIT_S)
    x = torch.ones(1, 3)
    assert second[0] is not None
    assert isinstance(net(x), torch.Tensor)
    assert nn.Module.__call__.__name__ != "module_call_wrapper"

"""Trials: whatever comes in between, the latest recipe is the one that is judged and told."""

import threading

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from explorer.codec.model import compress
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.networks import layer as indexed
from explorer.compress.networks.recipe import Recipe
from explorer.measure import metric as metric_module
from explorer.measure.accuracy import evaluate
from explorer.measure.metric import Metric
from explorer.session import Session, trials

WAIT_S = 60
OLD, NEW = Recipe.of([LowRank(rank=2)]), Recipe.of([Prune(sparsity=0.9)])


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 5)).eval()


def samples(n=60):
    inputs = torch.randn(n, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return TensorDataset(inputs, network()(inputs).argmax(1))


class Gate(Dataset):
    """Samples that come when they are let through."""

    def __init__(self):
        self.samples, self.served = samples(), 0
        self.open, self.asked = threading.Event(), threading.Event()

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        if threading.current_thread() is threading.main_thread():
            return self.samples[index]  # the shape of an input
        self.asked.set()
        assert self.open.wait(WAIT_S)
        self.served += 1
        return self.samples[index]


@pytest.fixture
def sessions():
    made = []

    def make(data):
        made.append(Session(network(), data))
        return made[-1]

    yield make
    for session in made:
        session.close()


@pytest.fixture
def randomized(monkeypatch, tmp_path):
    """Factors of these small layers are randomized first, and none are kept from before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(indexed, "is_quick", lambda _weight: False)


def test_apply_stops_the_evaluation_of_the_older_recipe(sessions):
    gate = Gate()
    session = sessions(gate)
    gate.open.set()
    session.submit([])
    session.wait(WAIT_S)
    gate.open.clear()
    gate.asked.clear()
    gate.served = 0
    session._original.evaluator._evaluation._batch = 1
    session.submit(OLD)
    assert gate.asked.wait(WAIT_S)
    applied = threading.Thread(target=session.apply, args=(NEW,), daemon=True)
    applied.start()
    while session.recipe != NEW:
        applied.join(0.001)
    gate.open.set()
    applied.join(WAIT_S)
    assert gate.served <= 2
    assert session.wait(WAIT_S).accuracy == evaluate(compress(network(), NEW).restore(), samples())


@pytest.mark.usefixtures("randomized")
def test_exact_factors_bring_no_older_recipe_back(sessions, monkeypatch):
    """A newer recipe is taken up while the older one is planned again with exact factors."""
    session = sessions(samples())
    trials, plan, replanned = session._trials, session._trials.plan, threading.Event()

    def planned(recipe):
        found = plan(recipe)
        if recipe == OLD and threading.current_thread().name == "explorer-factors":
            session.submit(NEW)
            replanned.set()
        return found

    monkeypatch.setattr(trials, "plan", planned)
    session.submit(OLD)
    assert replanned.wait(WAIT_S)
    told = []
    session.observe(told.append)
    result = session.wait(WAIT_S)
    assert session.recipe == NEW
    assert result.accuracy == evaluate(compress(network(), NEW).restore(), samples())
    trials._factor_worker.close()
    assert {one.size_bytes for one in told} <= {result.size_bytes}


@pytest.mark.usefixtures("randomized")
def test_exact_factors_are_told(sessions):
    session, exact = sessions(samples()), threading.Event()

    def hear(result):
        if not any("randomized" in layer.note for layer in result.layers):
            exact.set()

    session.observe(hear)
    assert "randomized" in session.submit(OLD)["1"].note
    assert exact.wait(WAIT_S)
    assert session.wait(WAIT_S).accuracy == evaluate(compress(network(), OLD).restore(), samples())


def test_a_metric_that_never_answers_is_told_of_and_keeps_nothing_alive(monkeypatch):
    monkeypatch.setattr(trials, "TELL_AFTER_S", 0.0)
    monkeypatch.setattr(metric_module, "PATIENCE_S", 0.01)
    release, heard = threading.Event(), []

    def stuck(_net):
        release.wait(WAIT_S)
        return 1.0

    session = Session(network(), metric=Metric(stuck, longest_s=0.3))
    session.observe(heard.append)
    session.submit(OLD)
    result = session.wait(WAIT_S)
    assert result.error_message.startswith("TimeoutError: metric: stuck has not answered within")
    assert "stuck has not answered yet" in {one.waiting for one in heard}
    release.set()
    session.submit(NEW)
    assert session.wait(WAIT_S).error_message == ""
    session.close()


def test_a_session_closes_while_a_metric_hangs():
    release, asked = threading.Event(), threading.Event()

    def stuck(_net):
        asked.set()
        release.wait(WAIT_S)

    session = Session(network(), metric=stuck)
    session.submit(OLD)
    assert asked.wait(WAIT_S)
    with pytest.raises(TimeoutError):
        session.wait(0.01)
    session.close()
    assert not session._trials._worker._thread.is_alive()
    with pytest.raises(RuntimeError, match="closed before accuracy was complete"):
        session.wait(WAIT_S)
    release.set()


def test_a_metric_that_spoils_its_network_spoils_no_figure():
    def rough(net):
        norm = float(net[1].weight.norm())
        net.train()
        net[1].weight.data.zero_()
        return norm

    session = Session(network(), metric=rough)
    norms = {}
    for recipe in (Recipe(), NEW, Recipe()):
        session.submit(recipe)
        result = session.wait(WAIT_S)
        norms[recipe] = result.accuracy.value
    assert result.original_accuracy.value == norms[Recipe()]
    assert norms[Recipe()] == pytest.approx(float(network()[1].weight.detach().norm()))
    assert 0 < norms[NEW] < norms[Recipe()]
    assert not session.compressed_net().training
    session.close()

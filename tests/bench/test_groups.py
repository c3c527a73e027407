"""What the groups measure is what they say."""

import copy
import mmap

import pytest
import torch

from explorer.bench import compression, memory, peers
from explorer.bench.peers import pruning
from explorer.bench.session import NEW, OLD, _Watch
from explorer.bench.subject import METHODS, forget
from explorer.bench.timing import BenchRow, Effort, Skipped, alternate
from explorer.compress.methods.prune import Prune
from explorer.session.session import Session

QUICK = Effort(n_runs=1, budget_s=0, n_sample=1000, n_moves=8)
MOVE_BYTES = 8_000_000


def test_bundled_weights_are_measured(subject):
    weight = subject.net.get_parameter("fc1.weight")
    assert subject.data is not None
    assert torch.equal(subject.layers["fc1"].source, weight)
    assert subject.n_weights == 784 * 300 + 300 * 100 + 100 * 10
    assert subject.largest == subject.largest_quick == "fc1"


def test_copying_copies(subject):
    subject.copy("fc2")
    assert torch.equal(subject.kept["fc2"], subject.layers["fc2"].source)
    assert not subject.kept["fc1"].any()
    subject.copy()
    for name, layer in subject.layers.items():
        assert torch.equal(subject.kept[name], layer.source)


@pytest.mark.parametrize("name", METHODS)
def test_no_plan_outlives_forgetting(subject, name):
    layer = subject.layers["fc2"]
    steps = METHODS[name](0)
    plan = layer.plan(steps)
    assert layer.plan(steps) is plan
    forget(layer)
    assert layer.plan(steps) is not plan


@pytest.mark.parametrize("name", METHODS)
def test_the_timed_jobs_rewrite_every_layer(subject, name):
    steps = METHODS[name]
    alternate({"job": compression._rewrite(subject, steps)}, QUICK)
    alternate({"job": compression._apply(subject, steps)}, QUICK)
    net = subject.session.compressed_net()
    for layer, indexed in subject.layers.items():
        expected = steps(1)[0](indexed.source).restore()
        assert torch.equal(subject.kept[layer], expected)
        assert torch.equal(net.get_parameter(f"{layer}.weight"), expected)


def test_one_layer_alone_is_changed(subject):
    alternate({"job": compression._apply_to(subject, "fc1", METHODS["Share(32)"])}, QUICK)
    net = subject.session.compressed_net()
    assert len(net.get_parameter("fc1.weight").unique()) <= 33
    assert len(net.get_parameter("fc2.weight").unique()) > 1000


@pytest.mark.parametrize("scope", ["layer", "model"])
def test_pruning_peers_prune_what_they_are_compared_with(subject, scope):
    net = copy.deepcopy(subject.net)
    modules = {name: net.get_submodule(name) for name in subject.layers}
    ours, theirs = pruning._ours(subject, scope), pruning.PEERS[scope]
    ours.run(ours.prepare(1))
    theirs(modules, pruning.SHARES[1])
    compressed = subject.session.compressed_net()
    for name, module in modules.items():
        weight = compressed.get_parameter(f"{name}.weight")
        assert (weight != 0).sum() == (module.weight != 0).sum()


def test_a_peer_starts_each_round_from_the_original_weights(subject):
    seen = []

    def note_and_prune(modules, share):
        seen.append(modules["fc2"].weight.detach().clone())
        pruning.PEERS["layer"](modules, share)

    job = pruning._theirs(subject, note_and_prune)
    for i in range(2):
        job.run(job.prepare(i))
    assert len(seen) == 2
    for weight in seen:
        assert torch.equal(weight, subject.layers["fc2"].source)


def test_missing_peers_are_listed(subject, monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    found = list(peers.peers(subject, QUICK))
    assert all(isinstance(finding, Skipped) for finding in found)
    assert (
        Skipped("lenet-300-100", "kmeans1d, k = 16", "package kmeans1d is not installed") in found
    )


def test_memory_needs_a_system_that_tells(subject, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "RESET", tmp_path / "none" / "clear_refs")
    (finding,) = memory.growth(subject, QUICK)
    assert isinstance(finding, Skipped)
    assert "does not offer" in finding.reason


def test_a_leak_shows(subject, monkeypatch):
    leaked = []

    def move(*given):
        page = mmap.mmap(-1, MOVE_BYTES)  # not of the heap, which may have room left
        page.write(b"\x01" * MOVE_BYTES)
        leaked.append(page)
        return 0.001

    monkeypatch.setattr(memory, "_move", move)
    (finding,) = memory.growth(subject, QUICK)
    if isinstance(finding, Skipped):
        pytest.skip(finding.reason)
    assert isinstance(finding, BenchRow)
    assert finding.growth_bytes >= 0.9 * QUICK.n_moves * MOVE_BYTES
    assert finding.ratio == pytest.approx(finding.growth_bytes / (4 * subject.n_weights))


def test_the_watch_tells_the_old_recipe_from_the_new(subject):
    session = Session(subject.net, subject.data, device="cpu")
    watch = _Watch(session)
    session.submit([Prune(sparsity=NEW)])
    session.wait(60)
    assert not watch._old()
    session.submit([Prune(sparsity=OLD)])
    session.wait(60)
    assert watch._old()
    assert watch.stop() >= 0
    assert not watch._old()
    first, complete = watch.estimates()
    assert 0 < first <= complete
    session.close()

"""Recipes that take more than the weights: neurons that go, saliencies that are measured."""

import pytest
import torch
from sameness import assert_same_outputs
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.measure.disk_cache import TensorCache
from explorer.measure.saliency import SaliencyIndex
from explorer.zoo.loaded import Data

WAIT_S = 60


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Linear(12, 10), nn.ReLU(), nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 4)
        return nn.Sequential(*layers).eval()


def data(n=120):
    inputs = torch.randn(n, 12, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        labels = network()(inputs).argmax(1)
    part = TensorDataset(inputs, labels)
    return Data(part, part, "made")


@pytest.fixture
def session(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    session = ex.Session(network(), data())
    yield session
    session.close()


def state_of(session, recipe):
    networks = session._subjects
    return networks.state(networks.planner.plan(recipe))


def test_neurons_go_for_real_and_dials_after_them_do_not_remove_them_again(session):
    steps = [ex.PruneNeurons(fraction=0.3)]
    first = session.figures(steps)
    assert [layer.shape for layer in first.layers] == [(7, 12), (6, 7), (4, 6)]
    assert [layer.n_weights for layer in first.layers] == [120, 80, 32]
    assert first.sparsity == pytest.approx(1 - (84 + 42 + 24) / 232)
    assert first.layers[2].note == "its outputs are the network's classes"
    subject = state_of(session, ex.Recipe.of(steps))
    for k in (2, 4, 8):
        recipe = ex.Recipe.of([*steps, ex.Share(k)])
        assert session.ready(recipe) or session.prepare(recipe) is None
        assert state_of(session, recipe) is subject
    assert state_of(session, ex.Recipe.of([ex.Share(4)])).net is session.net


def test_the_file_of_a_reduced_network_has_the_size_on_the_screen(session, tmp_path):
    recipe = [ex.Prune(sparsity=0.3), ex.PruneNeurons(fraction=0.2), ex.Share(5), ex.Entropy()]
    session.submit(recipe)
    result = session.wait(WAIT_S)
    small = session.compress()
    assert small.save(tmp_path / "a.cmpx") == result.size_bytes == small.size_bytes
    assert small.compression_ratio == result.compression_ratio
    back = ex.open(tmp_path / "a.cmpx")
    assert back.original_bytes == result.original_bytes
    restored = back.restore(network())
    assert ex.evaluate(restored, session.data.eval) == result.accuracy
    assert restored[0].out_features == 8
    assert session.breakdown().size_bytes == result.size_bytes
    assert session.waterfall().stages[-1] == ("Huffman", result.size_bytes)


def test_saliency_is_measured_once_and_kept_on_disk(session, tmp_path):
    recipe = ex.Recipe.of([ex.Prune(sparsity=0.5, criterion="obd")])
    assert not session.ready(recipe)
    assert not session.is_quick(recipe)
    told = []
    session.prepare(recipe, lambda what, share: told.append((what, share)))
    assert ("Second derivatives", 1.0) in told
    assert session.ready(recipe)
    assert session.is_quick(recipe)
    expected = ex.compress(network(), recipe, data=data())
    session.apply(recipe)
    for name, tensor in session.compressed_net().state_dict().items():
        assert torch.equal(tensor, expected.state_dict()[name])
    (kept,) = (tmp_path / "compression-explorer" / "saliency").iterdir()
    before = kept.stat().st_mtime_ns
    again = SaliencyIndex(network(), session._original.layers, data()).tensors()
    assert kept.stat().st_mtime_ns >= before
    for name, tensor in session._subjects.saliency.tensors().items():
        assert torch.equal(again[name], tensor)


def test_a_damaged_cache_is_measured_anew(session, tmp_path):
    index = session._subjects.saliency
    made = index.tensors()
    (kept,) = (tmp_path / "compression-explorer" / "saliency").iterdir()
    kept.write_bytes(b"nonsense")
    cache = TensorCache(kept.parent)
    again = SaliencyIndex(network(), session._original.layers, data(), cache).tensors()
    for name in made:
        assert_same_outputs(again[name], made[name], nearly=1e-4)


def test_obd_over_the_model_prunes_the_lowest_of_all(session):
    step = ex.Prune(sparsity=0.4, criterion="obd", scope="model")
    small = ex.compress(network(), [step], data=data())
    saliency = session._subjects.saliency.tensors()
    kept = torch.cat([saliency[n][small[n].mask] for n in small.records])
    gone = torch.cat([saliency[n][~small[n].mask] for n in small.records])
    assert gone.numel() == round(0.4 * 232)
    assert gone.max() <= kept.min()


def test_what_is_missing_is_said_with_its_cure():
    with pytest.raises(ValueError, match=r"need data: pass data .*compress\(net, recipe, data="):
        ex.compress(network(), [ex.Prune(sparsity=0.5, criterion="obd")])
    with pytest.raises(ValueError, match="criterion='obd' needs a network and data"):
        ex.Prune(sparsity=0.5, criterion="obd")(torch.ones(3))
    with pytest.raises(ValueError, match=r"pass the shape of one input"):
        ex.compress(network(), [ex.PruneNeurons(fraction=0.5)])
    shape = {"input_shape": (12,)}
    with pytest.raises(ValueError, match="PruneNeurons must come first, or right after Prune"):
        ex.compress(network(), [ex.Share(4), ex.PruneNeurons(fraction=0.5)], **shape)
    with pytest.raises(ValueError, match="PruneNeurons may come once a layer; '0' has 2"):
        ex.compress(network(), [ex.PruneNeurons(fraction=0.5)] * 2, **shape)
    late = [ex.PruneNeurons(fraction=0.5), ex.Prune(sparsity=0.5, criterion="obd")]
    with pytest.raises(ValueError, match="criterion='obd'\\) must come before PruneNeurons"):
        ex.compress(network(), late, data=data(), **shape)


def test_measured_speed_has_two_times(session):
    session.submit([ex.PruneNeurons(fraction=0.5)])
    (row,) = session.network_speed().rows
    assert row.before_ms > 0
    assert row.after_ms > 0
    assert session.network_speed(lambda: True) is None
    assert session.network_speed() is session.network_speed()
    assert {row.label for row in session.product_speed("0").rows} >= {"Signs, 64 a word, batch 1"}


def test_close_ups_of_every_method(session):
    session.submit([ex.Residual(n_stages=2, n_centroids=3), ex.Entropy("huffman")])
    close_up = session.close_up("0")
    assert len(close_up.stage_errors.errors) == 2
    assert close_up.error_map.relative_error == pytest.approx(close_up.stage_errors.errors[-1])
    session.submit([ex.Product(n_subvectors=3, n_centroids=2)])
    assert session.close_up("0").stage_errors.kind == "block"
    session.submit([ex.Prune(sparsity=0.5), ex.Share(4), ex.Entropy()])
    close_up = session.close_up("0")
    assert close_up.codebook.counts.sum() == 60
    assert set(close_up.formulas) >= {"Prune", "Share"}
    session.submit([ex.Quantize(4)])
    assert set(session.close_up("0").formulas) == {"Quantize"}
    session.submit([ex.LowRank(rank=2)])
    formula = session.close_up("0").formulas["Factorize"][0]
    assert formula.value_text == formula.measured_text

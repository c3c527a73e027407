"""Layers with no weight left, none from the start, one alone, or all alike."""

import math

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.chapters.goals import layer_smaller
from explorer.measure.published.pruning import layer_costs
from explorer.views.layers import LayersView

WAIT_S = 60
EMPTIED = [
    [ex.Prune(sparsity=1.0)],
    [ex.Prune(threshold=10.0)],
    [ex.Prune(sparsity=0.999, scope="model")],
    [ex.Prune(sparsity=1.0, criterion="random")],
    [ex.Quantize(bits=4), ex.Prune(sparsity=1.0)],
]
AFTER = [
    [],
    [ex.Share(n_clusters=4)],
    [ex.Share(n_clusters=4), ex.Entropy("huffman")],
    [ex.Share(n_clusters=4), ex.RelativeIndex()],
    [ex.Quantize(bits=4), ex.Entropy("ans")],
    [ex.Binarize("channel")],
    [ex.LowRank(rank=1)],
    [ex.Product(n_subvectors=1, n_centroids=2)],
    [ex.Residual(n_stages=2, n_centroids=2)],
    [ex.PruneNeurons(fraction=0.5)],
]


def usual():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


def filled(value, *layers):
    net = usual()
    for i in layers:
        nn.init.constant_(net[i].weight, value)
    return net


def one_weight():
    return nn.Sequential(nn.Linear(12, 1), nn.Linear(1, 1), nn.Linear(1, 3)).eval()


class WithAnEmptyBranch(nn.Module):
    def __init__(self):
        super().__init__()
        self.full, self.empty = usual(), nn.Linear(12, 0)

    def forward(self, x):
        return torch.cat([self.full(x), self.empty(x)], 1)


NETWORKS = {
    "usual": usual,
    "head at zero": lambda: filled(0.0, 2),
    "all at zero": lambda: filled(0.0, 0, 2),
    "negative zeros": lambda: filled(-0.0, 0),
    "constant": lambda: filled(0.25, 0, 2),
    "constant, negative": lambda: filled(-0.3, 0),
    "one weight": one_weight,
    "half": lambda: filled(0.0, 2).half(),
    "empty branch": lambda: WithAnEmptyBranch().eval(),
}
pytestmark = pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")


def samples(net):
    dtype = next(net.parameters()).dtype
    inputs = torch.randn(30, 12, generator=torch.Generator().manual_seed(0)).to(dtype)
    return TensorDataset(inputs, torch.arange(30) % 3)


def bits(tensor):
    return tensor.contiguous().flatten().view(torch.uint8).tolist() if tensor.numel() else []


def same(first, second):
    first, second = first.state_dict(), second.state_dict()
    assert first.keys() == second.keys()
    return all(bits(first[name]) == bits(second[name]) for name in first)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_figures_views_and_files_work(make, tmp_path):
    net = make()
    session = ex.Session(net, samples(net), input_shape=(12,))
    for recipe in [*EMPTIED, *([*EMPTIED[0], *more] for more in AFTER), *AFTER]:
        session.apply(recipe)
        result = session.wait(WAIT_S)
        assert not result.error_message
        for layer in result.layers:
            infinite = layer.size_bits == 0
            assert math.isinf(layer.compression_ratio) is infinite
            assert math.isfinite(layer.error)
            session.close_up(layer.name)
        assert math.isfinite(result.compression_ratio) and result.energy_pj > 0
        assert sum(session.breakdown().totals.values()) == 8 * result.size_bytes
        assert session.waterfall().ratios[0] == 1
        assert 0 <= layer_costs(result).total.flops <= 1
        small = session.compress()
        assert small.save(tmp_path / "a.cmpx") == result.size_bytes == small.size_bytes
        opened = ex.open(tmp_path / "a.cmpx").restore(net)
        assert same(small.restore(), session.compressed_net())
        assert same(small.restore(), opened)
    session.close()


@pytest.mark.parametrize("name", ["usual", "head at zero", "constant", "one weight"])
def test_exports_and_training_work(name, tmp_path):
    net = NETWORKS[name]()
    data, settings = samples(net), ex.TrainSettings(n_epochs=1, batch_size=10)
    small = ex.compress(net, [ex.Prune(sparsity=1.0), ex.Share(n_clusters=4)])
    assert small.export_safetensors(tmp_path / "a.safetensors") > 0
    assert small.export_onnx(tmp_path / "a.onnx", (12,)) > 0
    assert ex.evaluate(small.restore(), data).n == 30
    *_, last = ex.retrain(net, data, [0.0], settings)
    assert last.density == dict.fromkeys(last.density, 0.0)
    *_, last = ex.train_shared(net, data, [ex.Prune(sparsity=1.0), ex.Share(4)], settings)
    assert math.isfinite(last.loss)
    *_, last = ex.recover(small.restore(), data, budget_s=0.05)
    assert math.isfinite(last.loss)


def test_points_of_sweeps_are_finite(tmp_path):
    net = filled(0.0, 2)
    recipes = [[ex.Prune(sparsity=1.0)], [ex.Prune(sparsity=1.0, scope="model")]]
    points = list(ex.sweep(net, samples(net), recipes, store=tmp_path / "p.sqlite"))
    again = list(ex.sweep(net, samples(net), recipes, store=tmp_path / "p.sqlite"))
    ratios = [sorted(point.compression_ratio for point in found) for found in (points, again)]
    assert len(points) == 2
    assert ratios[0] == ratios[1]
    assert all(math.isfinite(point.compression_ratio) for point in points)
    assert len(list(ex.sensitivity(net, samples(net)))) > 0


@pytest.mark.parametrize("name", ["usual", "head at zero", "all at zero", "empty branch"])
@pytest.mark.parametrize("tab", ["Anatomy", "Prune", "Quantize", "Share", "Factorize", "Combine"])
def test_the_page_opens_and_its_dial_goes_to_the_end(name, tab):
    net = NETWORKS[name]()
    app = ex.Explorer(net, samples(net), input_shape=(12,), tab=tab)
    try:
        for recipe in ([ex.Prune(sparsity=1.0)], [ex.Prune(sparsity=1.0), ex.LowRank(rank=1)]):
            app.recipe = recipe
            assert app.wait(WAIT_S).sparsity == 1.0
            for layer in app.session.layers:
                app.layer = layer
        assert ex.State.from_link(app.state.to_link()) == app.state
    finally:
        app.close()


def test_it_is_told_in_words():
    net = usual()
    session = ex.Session(net)
    result = session.figures([ex.Prune(sparsity=1.0)])
    session.close()
    view = LayersView()
    view.draw(result)
    spoken = [row[4] for row in view._list.rows]
    assert spoken[0] == "0: 0.0% of weights kept, 384 B to 0 B, no weight left"
    view.close()
    verdict = layer_smaller("0", 20).judge(result, ex.Recipe())
    assert verdict.met
    assert verdict.words.startswith("compression of 0 infinite, no weight left, asked for 20.0")


def test_a_layer_without_a_weight_is_left_alone():
    net = WithAnEmptyBranch().eval()
    session = ex.Session(net, input_shape=(12,))
    assert session.layers == ("full.0", "full.2")
    session.close()
    assert [row.macs for row in ex.profile(net, (12,))] == [96, 24, 0]
    with pytest.raises(ValueError, match="no dense or convolutional layer to compress"):
        ex.compress(nn.Sequential(nn.Linear(3, 0), nn.Linear(0, 2)), [])

"""Sweeps in threads: each point is what compress and evaluate give."""

import inspect
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from sweep_subjects import RECIPES, Failing, figures, small_data, small_net
from torch import nn
from torch.nn.utils import parametrizations
from torch.utils.data import DataLoader, Dataset, TensorDataset

from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.library import compress
from explorer.measure.accuracy import evaluate
from explorer.sweep import dispatch
from explorer.sweep.dispatch import SweepIncomplete
from explorer.sweep.measurement import Measurement
from explorer.sweep.point import Progress
from explorer.sweep.run import sweep
from explorer.sweep.task import Lacking
from explorer.zoo import load
from explorer.zoo.loaded import Data

EVERY_KIND = [
    [],
    [Prune(sparsity=0.5)],
    {"0": [Quantize(bits=3)]},
    [Prune(sparsity=0.4, scope="model"), Share(n_clusters=3), Entropy("huffman")],
    {"2": [LowRank(rank=2)], "*": [Product(n_subvectors=2, n_centroids=4)]},
    [PruneNeurons(fraction=0.3), Quantize(bits=8)],
    [Prune(sparsity=0.5, criterion="obd")],
]


@pytest.fixture
def alone():
    """Torch on one thread, as in a sweep."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_point_by_hand():
    net = nn.Linear(2, 2, bias=False)
    net.weight.data = torch.tensor([[1.0, 0.25], [0.5, 2.0]])
    inputs = torch.tensor([[1.0, 5.0], [5.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    data = [(inputs, torch.tensor([0, 0, 1, 1]))]
    points = {p.recipe: p for p in sweep(net, data, [[], [Prune(sparsity=0.5)]])}
    whole, pruned = (points[recipe] for recipe in sorted(points, key=lambda r: len(r.entries)))
    # Scores x0 + x1 / 4 and x0 / 2 + 2 x1: the last three are right; pruned, x0 and 2 x1: too.
    assert (whole.accuracy.top1, pruned.accuracy.top1) == (0.75, 0.75)
    assert whole.accuracy.n == 4
    assert whole.original_bytes == pruned.original_bytes == 16
    assert pruned.size_bytes == compress(net, [Prune(sparsity=0.5)]).size_bytes
    assert pruned.compression_ratio == 16 / pruned.size_bytes
    assert whole.error_message == pruned.error_message == ""
    assert whole.seconds > 0


def test_every_kind_of_step_is_what_compress_and_evaluate_give(alone):
    net, data = small_net(), small_data()
    points = list(sweep(net, data, EVERY_KIND, input_shape=(6,)))
    assert len(points) == len(EVERY_KIND)
    for point in points:
        assert point.error_message == ""
        small = compress(net, point.recipe, data=data, input_shape=(6,))
        assert point.size_bytes == small.size_bytes
        assert point.original_bytes == small.original_bytes
        assert point.accuracy == evaluate(small.restore(), data)


def test_accuracy_is_that_of_a_plain_loop():
    net, data = small_net(), small_data()
    (point,) = sweep(net, data, [[Quantize(bits=2)]])
    restored = compress(net, [Quantize(bits=2)]).restore()
    right = sum(int(restored(x[None]).argmax()) == int(y) for x, y in data)
    assert point.accuracy.top1 == right / len(data)


def test_a_bundled_network_with_both_parts_of_its_data(alone):
    net, data = load("lenet-300-100")
    obd = [Prune(sparsity=0.9, criterion="obd")]
    points = {p.recipe: p for p in sweep(net, data, [obd, [PruneNeurons(fraction=0.5)]])}
    for recipe, point in points.items():
        small = compress(net, recipe, data=data)
        assert point.size_bytes == small.size_bytes
        assert point.accuracy == evaluate(small.restore(), data.eval)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    net = small_net().to(dtype)
    inputs, labels = small_data().tensors
    data = [(inputs.to(dtype), labels)]
    (point,) = sweep(net, data, [[Prune(sparsity=0.5), Share(n_clusters=4)]])
    small = compress(net, point.recipe)
    assert (point.size_bytes, point.original_bytes) == (small.size_bytes, small.original_bytes)
    assert point.accuracy == evaluate(small.restore(), data)


def test_order_and_company_do_not_matter():
    net, data = small_net(), small_data()
    forth = figures(sweep(net, data, RECIPES))
    with ThreadPoolExecutor(3) as pool:
        back = figures(sweep(net, data, RECIPES[::-1] + RECIPES, executor=pool))
    each = {k: v for r in RECIPES for k, v in figures(sweep(net, data, [r])).items()}
    assert len(forth) == len(RECIPES)
    assert forth == back == each


def test_the_network_is_left_alone_and_so_are_torchs_threads():
    net, before = small_net(), torch.get_num_threads()
    saved = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    list(sweep(net.train(), small_data(), RECIPES))
    assert net.training
    assert torch.get_num_threads() == before
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, saved[name]), name


def test_a_recipe_that_fails_is_a_point_with_the_words():
    bad = {"nothing": [Prune(sparsity=0.5)]}
    points = list(sweep(small_net(), small_data(), [bad, *RECIPES[:2]]))
    failed = [point for point in points if point.error_message]
    assert len(points) == 3
    assert len(failed) == 1
    assert "pattern 'nothing' matches no layer" in failed[0].error_message
    assert failed[0].accuracy is None
    assert math.isnan(failed[0].compression_ratio)


def test_data_that_do_not_fit_leave_the_bytes():
    inputs, labels = small_data().tensors
    (point,) = sweep(small_net(), [(inputs, labels + 7)], [RECIPES[0]])
    assert "labels must be from 0 to 6" in point.error_message
    assert point.size_bytes == compress(small_net(), RECIPES[0]).size_bytes
    (point,) = sweep(small_net(), [], [RECIPES[0]])
    assert "at least one labeled sample" in point.error_message


def test_without_data_there_are_bytes_alone():
    points = list(sweep(small_net(), None, RECIPES))
    assert {p.accuracy for p in points} == {None}
    assert all(p.size_bytes and not p.error_message for p in points)
    (point,) = sweep(small_net(), None, [[Prune(sparsity=0.5, criterion="obd")]])
    assert "need data" in point.error_message


def test_a_weight_that_is_computed_is_folded():
    net = nn.Sequential(parametrizations.weight_norm(nn.Linear(6, 7)))
    (point,) = sweep(net, small_data(), [[Prune(sparsity=0.5)]])
    small = compress(net, [Prune(sparsity=0.5)])
    assert point.accuracy == evaluate(small.restore(), small_data())


def test_tied_weights_stay_tied():
    net = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    net[1].weight = net[0].weight
    inputs, labels = small_data().tensors
    data = TensorDataset(inputs, labels % 6)
    (point,) = sweep(net, data, [[Quantize(bits=2)]])
    assert point.accuracy == evaluate(compress(net, [Quantize(bits=2)]).restore(), data)


def test_keys_tell_networks_data_and_recipes_apart():
    def key(net, data, recipe, **others):
        (point,) = sweep(net, data, [recipe], **others)
        return point.key

    recipe, data = [Prune(sparsity=0.5)], small_data()
    same = key(small_net(), data, recipe)
    assert key(small_net(), Data(data, data), recipe) == same
    assert key(small_net(), DataLoader(data, 256), recipe) == same
    changed = small_net()
    changed[0].bias.data[0] += 1
    tanh = small_net()
    tanh[1] = nn.Tanh()
    keys = [
        same,
        key(small_net(1), data, recipe),
        key(changed, data, recipe),
        key(tanh, data, recipe),
        key(small_net(), small_data(699), recipe),
        key(small_net(), None, recipe),
        key(small_net(), data, [Prune(sparsity=0.6)]),
        key(small_net(), data, {"0": recipe}),
        key(small_net(), data, [PruneNeurons(fraction=0.2)], input_shape=(6,)),
        key(small_net(), data, [PruneNeurons(fraction=0.2)], input_shape=(2, 6)),
    ]
    assert len(set(keys)) == len(keys)


def test_a_sweep_is_a_generator_that_stops_when_left():
    points = sweep(small_net(), small_data(), RECIPES)
    assert inspect.isgenerator(points)
    next(points)
    points.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("sweep")]


class Slow(Dataset):
    """Data of which each sample takes a moment, and tells that it was read."""

    def __init__(self):
        self.data = small_data(600)
        self.read = threading.Event()
        self.go_on = threading.Event()
        self.n_read = 0

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        self.n_read += 1
        if self.n_read > 600 + 300:
            self.read.set()
            self.go_on.wait(10)
        return self.data[i]


def test_should_stop_ends_a_point_between_batches():
    data = Slow()
    points = sweep(small_net(), data, RECIPES, should_stop=data.read.is_set)
    threading.Thread(target=lambda: data.read.wait(10) and data.go_on.set()).start()
    found = list(points)
    assert len(found) < len(RECIPES)
    assert data.n_read < 600 * len(RECIPES)


def test_progress_counts_up():
    told = []
    list(sweep(small_net(), small_data(), RECIPES, progress=told.append))
    assert [p.done for p in told] == list(range(1, len(RECIPES) + 1))
    assert {p.total for p in told} == {len(RECIPES)}
    assert told[-1].remaining_s == 0
    assert Progress.after(3.0, 4, 10, 1) == Progress(4, 10, 1, 6.0)
    assert math.isnan(Progress.after(0.0, 1, 10, 1).remaining_s)


def test_workers_that_fail_leave_what_is_missing():
    found, sent = [], RECIPES[:5]
    subject = Measurement(small_net(), small_data())
    with pytest.raises(SweepIncomplete, match=r"3 point\(s\) of the sweep are missing") as caught:
        for point in sweep(subject.net, subject.data, sent, executor=Failing(2)):
            found.append(point.recipe)
    assert "ConnectionError: the line is dead" in str(caught.value)
    assert len(found) == 2
    assert not set(found) & set(caught.value.missing)
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    with pytest.raises(SweepIncomplete, match="cannot schedule new futures"):
        list(sweep(subject.net, subject.data, sent, executor=closed))


@pytest.mark.parametrize("closing", [False, True])
def test_what_waits_for_a_lost_parcel_is_missing_too(closing, monkeypatch):
    monkeypatch.setattr(dispatch, "run_task", lambda task: Lacking("worker"))
    executor = Failing(len(RECIPES), closing=closing)
    with pytest.raises(SweepIncomplete, match="the line is") as caught:
        list(sweep(small_net(), small_data(), RECIPES, executor=executor))
    assert len(set(caught.value.missing)) == len(caught.value.missing) == len(RECIPES)


@pytest.mark.parametrize(
    ("recipes", "words"),
    [
        ([[Prune(sparsity=0.5)], 3], r"recipes\[1\]: recipe must be a list of steps"),
        (Prune(sparsity=0.5), "recipes must be a list of recipes; got Prune"),
        ("grid.toml", "recipes must be a list of recipes; got str"),
    ],
)
def test_bad_recipes_are_refused_at_once(recipes, words):
    with pytest.raises(TypeError, match=words):
        sweep(small_net(), small_data(), recipes)


def test_data_that_can_be_read_once_are_refused():
    with pytest.raises(TypeError, match="a list_iterator can be read only once"):
        sweep(small_net(), iter([]), RECIPES)


def test_nothing_to_compress_is_refused():
    with pytest.raises(ValueError, match="no dense or convolutional layer"):
        sweep(nn.ReLU(), None, RECIPES)
    with pytest.raises(TypeError, match=r"got str; explorer\.load\('lenet-5'\)\.net gives one"):
        sweep("lenet-5", None, RECIPES)


def test_no_executor_and_no_store_are_refused():
    with pytest.raises(TypeError, match=r"executor must have submit\(\), as .* has; got int"):
        sweep(small_net(), None, RECIPES, executor=3)
    with pytest.raises(TypeError, match="store must be a str or a Path; got int"):
        list(sweep(small_net(), None, RECIPES, store=3))


def test_no_recipe_is_no_point():
    assert list(sweep(small_net(), small_data(), [])) == []

"""The session: the model's own figures, the latest recipe's accuracy, errors in words."""

import copy
import threading
import time

import pytest
import torch
from sameness import assert_same_outputs
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from explorer.codec.model import compress
from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share
from explorer.measure.accuracy import evaluate
from explorer.session import Session
from explorer.zoo.loaded import Data

WAIT_S = 60
RECIPES = [
    [],
    [Prune(sparsity=0.6)],
    [Prune(sparsity=0.7, scope="model"), Share(9)],
    [Prune(threshold=0.1), Quantize(4)],
    [Quantize(3, "channel")],
    [Binarize("channel")],
    [Binarize("tensor")],
    [LowRank(rank=2)],
    [LowRank(energy=0.7), Share(8), Quantize(8)],
    {"0": [Share(4), Quantize(6)], "5": [Prune(sparsity=0.5, criterion="random")]},
    {"[35]": [LowRank(rank=3)], "*": [Prune(sparsity=0.2)]},
    [Prune(sparsity=0.7), Share(6), RelativeIndex(3), Entropy("huffman")],
    [Quantize(3), Entropy("ans")],
    [Product(n_subvectors=4, n_centroids=3)],
    [Residual(n_stages=2, n_centroids=3), Entropy("ans")],
    [PruneNeurons(fraction=0.3), Share(5)],
    {"3": [Prune(sparsity=0.5), PruneNeurons(fraction=0.2), Quantize(4), Entropy()]},
]


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.Flatten(),
            nn.Linear(64, 12),
            nn.ReLU(inplace=True),
            nn.Linear(12, 7),
        ).eval()
    net[1].running_mean.data += 0.1
    return net


def samples(n=300):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(n, 1, 6, 6, generator=generator)
    with torch.no_grad():
        return inputs, network()(inputs).argmax(1)


class Pairs(Dataset):
    def __len__(self):
        return 300

    def __getitem__(self, index):
        return samples()[0][index].numpy(), int(samples()[1][index])


class Stream(IterableDataset):
    """Batches of one size whose samples come in another order each time."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(0)

    def __iter__(self):
        inputs, labels = samples()
        order = torch.randperm(300, generator=self.generator)
        for part in order.split(100):
            yield inputs[part], labels[part]


class Gate(Dataset):
    """Samples that come when they are let through, one batch of one."""

    def __init__(self, n=50, open_=True):
        self.inputs, self.labels = samples(n)
        self.open, self.asked, self.served = threading.Event(), threading.Event(), 0
        if open_:
            self.open.set()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        if threading.current_thread() is threading.main_thread():
            return self.inputs[index], int(self.labels[index])  # the shape of an input
        self.asked.set()
        assert self.open.wait(WAIT_S)
        self.served += 1
        return self.inputs[index], int(self.labels[index])


@pytest.fixture
def sessions():
    """Make sessions that are closed at the end."""
    made = []

    def make(*args, **options):
        made.append(Session(*args, **options))
        return made[-1]

    yield make
    for session in made:
        session.close()


def data():
    return TensorDataset(*samples())


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "channels_last"])
def test_figures_weights_and_accuracy_are_those_of_the_compressed_model(sessions, kind):
    net, judged = network(), data()
    if kind == "bfloat16":
        net, judged = net.bfloat16(), TensorDataset(samples()[0].bfloat16(), samples()[1])
    if kind == "channels_last":
        net = net.to(memory_format=torch.channels_last)
    session = sessions(net, judged)
    for recipe in RECIPES:
        model = compress(net, recipe, input_shape=(1, 6, 6))
        figures = session.figures(recipe)
        assert session.submit(recipe).size_bytes == figures.size_bytes == model.size_bytes
        for layer in figures.layers:
            restored = model[layer.name].restore()
            assert layer.size_bits == model[layer.name].size_bits
            assert layer.n_nonzero == int(restored.count_nonzero())
            assert layer.n_weights == net.get_submodule(layer.name).weight.numel()
            if restored.numel() < layer.n_weights:
                continue
            weight = net.get_submodule(layer.name).weight.detach().double()
            error = float((restored.double() - weight).norm() / weight.norm())
            assert layer.error == pytest.approx(error, rel=1e-4, abs=1e-7)
        result = session.wait(WAIT_S)
        assert result.layers == figures.layers
        restored = model.restore()
        for name, tensor in session.compressed_net().state_dict().items():
            expected = restored.state_dict()[name]
            if name.endswith("bias"):  # means of removed neurons are added to it
                assert_same_outputs(tensor, expected)
            else:
                assert torch.equal(tensor, expected), (recipe, name)
        assert result.error_message == ""
        assert result.accuracy == evaluate(restored, judged), recipe
        assert result.original_accuracy == evaluate(net, judged)
        assert session.compress().state_dict().keys() == model.state_dict().keys()


@pytest.mark.parametrize(
    "kind",
    [
        data,
        Pairs,
        Stream,
        lambda: DataLoader(data(), batch_size=50, shuffle=True),
        lambda: [tuple(part[:90] for part in samples()), tuple(part[90:] for part in samples())],
        lambda: Data(tune=TensorDataset(torch.zeros(1), torch.zeros(1)), eval=data()),
    ],
)
def test_every_kind_of_data(sessions, kind):
    session = sessions(network(), kind())
    late = [Prune(sparsity=0.8)], [Binarize()], [Share(2)], [Quantize(1)]
    for recipe in ([Prune(sparsity=0.8)], *({"5": steps} for steps in late)):
        assert session.apply(recipe).accuracy is None
        result = session.wait(WAIT_S)
        assert result.error_message == ""
        expected = evaluate(compress(network(), recipe).restore(), data())
        assert result.accuracy.top1 == pytest.approx(expected.top1)
        assert result.original_accuracy.top1 == 1.0


def test_the_source_is_never_touched(sessions):
    net = network().train()
    state = copy.deepcopy(net.state_dict())
    rng = torch.random.get_rng_state()
    session = sessions(net, data())
    for recipe in RECIPES:
        session.apply(recipe)
    session.wait(WAIT_S)
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert torch.equal(torch.random.get_rng_state(), rng)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_apply_rewrites_only_what_changed(sessions):
    session = sessions(network())
    session.apply([Prune(sparsity=0.5)])
    weights = {n: m.weight for n, m in session.compressed_net().named_modules() if n in "035" and n}
    before = {name: weight._version for name, weight in weights.items()}
    pointers = {name: weight.data_ptr() for name, weight in weights.items()}
    for weight in weights.values():
        weight.data.fill_(7)
    session.apply({"3": [Share(4)], "*": [Prune(sparsity=0.5)]})
    untouched = {name for name, weight in weights.items() if (weight == 7).all()}
    assert untouched == {"0", "5"}
    assert {name: weight.data_ptr() for name, weight in weights.items()} == pointers
    assert before.keys() == {"0", "3", "5"}


def test_the_latest_recipe_wins(sessions):
    session = sessions(network(), data())
    complete = []
    session.observe(lambda result: complete.append(result) if result.complete else None)
    for percent in range(80):
        session.submit([Prune(sparsity=percent / 100)])
    result = session.wait(WAIT_S)
    last = compress(network(), [Prune(sparsity=0.79)])
    assert result.size_bytes == last.size_bytes
    assert result.accuracy == evaluate(last.restore(), data())
    assert complete[-1] is result
    for told in complete:
        percent = int(told.layers[0].steps[0].split()[1].removesuffix("%"))
        expected = compress(network(), [Prune(sparsity=percent / 100)])
        assert told.size_bytes == expected.size_bytes
        assert told.accuracy == evaluate(expected.restore(), data())


def test_a_newer_recipe_stops_the_evaluation_of_the_older_also_after_a_pause(sessions):
    gate = Gate(open_=False)
    session = sessions(network(), metric=None, data=gate)
    session.submit([])
    gate.open.set()
    session.wait(WAIT_S)
    time.sleep(0.6)
    gate.open.clear()
    gate.asked.clear()
    gate.served = 0
    session._original.evaluator._evaluation._batch = 1
    session.submit([Prune(sparsity=0.5)])
    assert gate.asked.wait(WAIT_S)
    session.submit([Prune(sparsity=0.6)])
    gate.open.set()
    session.wait(WAIT_S)
    assert gate.served <= len(gate) + 2


def test_no_result_of_one_recipe_is_told_as_that_of_another(sessions, monkeypatch):
    session = sessions(network(), data())
    session.submit([])
    session.wait(WAIT_S)
    trials, evaluating = session._trials, threading.Event()
    original = trials._evaluate

    def slow_to_start(*args):
        if not evaluating.is_set():
            evaluating.set()
            between.wait(WAIT_S)
        original(*args)

    between = threading.Event()
    monkeypatch.setattr(trials, "_evaluate", slow_to_start)
    session.submit([Prune(sparsity=0.5)])
    assert evaluating.wait(WAIT_S)
    # The next recipe is taken up before the older one's evaluation begins.
    trials._take_up(trials.plan(session.recipe.of([Prune(sparsity=0.9)])))
    told = []
    session.observe(told.append)
    between.set()
    time.sleep(0.2)
    assert [result.sparsity for result in told] == []
    assert session.result.accuracy is None


def test_waiting_has_an_end(sessions):
    gate = Gate(open_=False)
    session = sessions(network(), gate)
    session.submit([])
    with pytest.raises(TimeoutError, match=r"accuracy is not complete after 0.05 s"):
        session.wait(0.05)
    with pytest.raises(TypeError, match="timeout must be a number of seconds, or None; got '9'"):
        session.wait("9")
    gate.open.set()
    assert session.wait(WAIT_S).complete


def test_closing_ends_the_threads_and_the_waiting(sessions):
    before = {thread for thread in threading.enumerate() if thread.name.startswith("explorer-")}
    gate = Gate(open_=False)
    session = sessions(network(), gate)
    session.submit([])
    ended = []

    def wait():
        try:
            session.wait()
        except RuntimeError as error:
            ended.append(str(error))

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert gate.asked.wait(WAIT_S)
    threading.Timer(0.05, gate.open.set).start()
    session.close()
    waiting.join(WAIT_S)
    assert not waiting.is_alive()
    assert ended in ([], ["the session was closed before accuracy was complete"])
    left = {thread for thread in threading.enumerate() if thread.name.startswith("explorer-")}
    assert left <= before
    with pytest.raises(RuntimeError, match="the session is closed; make a new one"):
        session.submit([])
    assert session.figures([Prune(sparsity=0.5)]).sparsity == pytest.approx(0.5, abs=0.01)
    session.close()


def test_without_data_everything_is_complete_at_once(sessions):
    result = sessions(network()).apply([Prune(sparsity=0.5)])
    assert result.complete
    assert result.accuracy is None
    assert result.macs is None


def test_a_metric_of_ones_own(sessions):
    def share_of_zeros(net):
        return float((net[3].weight == 0).float().mean())

    session = sessions(network(), metric=share_of_zeros)
    session.submit([Prune(sparsity=0.75)])
    result = session.wait(WAIT_S)
    assert (result.accuracy.top1, result.original_accuracy.top1) == (0.75, 0.0)
    both = sessions(network(), data(), metric=share_of_zeros)
    both.submit([Prune(sparsity=0.75)])
    assert both.wait(WAIT_S).accuracy == result.accuracy
    assert both.behavior().n == 300
    with pytest.raises(TypeError, match=r"data: expected a Dataset .* or a DataLoader; got int"):
        Session(network(), 3)
    with pytest.raises(TypeError, match="data: a generator is empty after its first run"):
        Session(network(), (batch for batch in [samples()]))


class Broken(Dataset):
    def __len__(self):
        return 30

    def __getitem__(self, index):
        raise KeyError("image 0 is gone")


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        (Broken(), "KeyError.*image 0 is gone"),
        (TensorDataset(torch.zeros(0, 1, 6, 6), torch.zeros(0)), "at least one labeled sample"),
        ([], "at least one labeled sample"),
        (TensorDataset(samples()[0], samples()[1] + 1), "labels must be from 0 to 6"),
        (TensorDataset(torch.zeros(4, 9), torch.zeros(4).long()), "the network fails on inputs"),
    ],
)
def test_what_goes_wrong_with_data_is_said_in_words(sessions, judged, words):
    session = sessions(network(), judged)
    session.submit([Prune(sparsity=0.5)])
    result = session.wait(WAIT_S)
    assert result.accuracy is None
    assert result.sparsity == pytest.approx(0.5, abs=0.01)
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(result.error_message)


def test_a_metric_that_fails_is_said_in_words(sessions):
    session = sessions(network(), metric=lambda net: 1 / 0)
    session.submit([])
    assert session.wait(WAIT_S).error_message == "ZeroDivisionError: division by zero"


def test_observers_hear_every_estimate_and_an_error_of_theirs_is_told(sessions):
    session = sessions(network(), data())
    heard = []
    session.observe(heard.append)
    session.submit([Share(4)])
    result = session.wait(WAIT_S)
    session.submit([Share(5)])
    session.wait(WAIT_S)
    assert result in heard
    assert all(one.accuracy is not None for one in heard)


def test_weights_that_are_not_numbers_are_named_by_their_layer():
    net = network()
    net[3].weight.data[2, 2] = float("inf")
    with pytest.raises(ValueError, match=r"layer '3': weight holds NaN or infinite .*\(1 of 768\)"):
        Session(net)
    with pytest.raises(ValueError, match="has no dense or convolutional layer"):
        Session(nn.ReLU())
    with pytest.raises(TypeError, match=r"net must be a torch.nn.Module; got str"):
        Session("lenet-5")


def test_bad_recipes_are_refused_and_leave_the_last_one(sessions):
    session = sessions(network())
    session.submit([Prune(sparsity=0.5)])
    with pytest.raises(ValueError, match="pattern 'fc1' matches no layer; the layers are: 0, 3, 5"):
        session.submit({"fc1": [Share(4)]})
    with pytest.raises(TypeError, match="recipe must be a list of steps"):
        session.submit("prune")
    assert session.result.sparsity == pytest.approx(0.5, abs=0.01)


def test_a_close_up_of_a_layer(sessions):
    session = sessions(network())
    session.submit([Prune(sparsity=0.5)])
    shown = session.close_up("3")
    assert shown.layer == "3"
    assert shown.histogram.before.sum() == 768
    assert shown.histogram.after.sum() == 384
    assert shown.sparsity.kept.mean() == pytest.approx(0.5)
    assert shown.spectrum.full_rank == 12
    with pytest.raises(KeyError, match="layer 'fc1' is not one of 0, 3, 5"):
        session.close_up("fc1")


@pytest.mark.parametrize(
    ("recipe", "stages"),
    [
        pytest.param(
            {"0": [Quantize(8)], "*": [Prune(sparsity=0.5), Share(4)]},
            ["Prune 50% or Quantize 8 bits", "Share 4 values"],
            id="most-weights-first",
        ),
        pytest.param(
            {"0": [Prune(sparsity=0.5), Entropy()], "*": [Prune(sparsity=0.5), Share(4)]},
            ["Prune 50%", "Share 4 values or Huffman"],
            id="the-same-said-once",
        ),
        pytest.param(
            {"0": [Quantize(8)], "3": [Prune(sparsity=0.5)], "*": [Quantize(4)]},
            ["Prune 50% or 2 others"],
            id="many",
        ),
        pytest.param({"3": [Quantize(8)]}, ["Quantize 8 bits"], id="one-layer"),
        pytest.param(
            {"[035]": [Quantize(8)], "*": [Prune(sparsity=0.5), Share(4)]},
            ["Quantize 8 bits"],
            id="a-pattern-without-layers",
        ),
    ],
)
def test_the_stages_of_a_file_name_what_each_layer_takes(sessions, recipe, stages):
    session = sessions(network())
    session.submit(recipe)
    found = session.waterfall().stages
    assert [words for words, _ in found] == ["Original", *stages]
    firsts = [{p: steps[:n] for p, steps in recipe.items()} for n in range(1, len(found))]
    assert [n for _, n in found[1:]] == [compress(network(), each).size_bytes for each in firsts]


def test_input_shape_gives_operations_and_energy(sessions):
    session = sessions(network(), input_shape=(1, 6, 6))
    result = session.figures([Prune(sparsity=0.5)])
    assert result.original_macs == 16 * 36 + 768 + 84
    assert result.macs == result.original_macs // 2
    assert result.energy_pj < result.original_energy_pj
    assert session.matrix_shape("0") == (4, 9)
    assert session.layers == ("0", "3", "5")


class InPlace(nn.Module):
    """Writes into what the branch that changes was given before."""

    def __init__(self):
        super().__init__()
        self.body, self.down, self.head = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x):
        out = self.body(x)
        out.add_(self.down(x))
        return self.head(nn.functional.relu(out, inplace=True))


class Twins(nn.Module):
    """The layer that names a shared weight is run last."""

    def __init__(self):
        super().__init__()
        self.a, self.middle, self.b = (nn.Linear(6, 6) for _ in range(3))
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.a(self.middle(torch.relu(self.b(x))))


@pytest.mark.parametrize(("kind", "layer"), [(InPlace, "down"), (Twins, "a")])
def test_activations_that_are_kept_are_still_true(sessions, kind, layer):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = kind().eval()
    inputs = torch.randn(400, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        judged = TensorDataset(inputs, net(inputs).argmax(1))
    session = sessions(net, judged)
    for sparsity in (0.3, 0.5, 0.9, 0.1):
        recipe = {layer: [Prune(sparsity=sparsity)]}
        session.submit(recipe)
        expected = evaluate(compress(net, recipe).restore(), judged)
        assert session.wait(WAIT_S).accuracy == expected

"""Data of every kind gives the same answers and is left as it was; the first offender is named."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import explorer as ex
from explorer.compress.networks.forward import scores_of
from explorer.measure.data import batches, first_inputs

N = 40
INPUTS = torch.rand(N, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(N) % 3
FEW = ex.TrainSettings(n_epochs=1, batch_size=20)


class Samples(Dataset):
    def __init__(self, item=lambda i: (INPUTS[i], int(LABELS[i]))):
        self.item = item

    def __len__(self):
        return N

    def __getitem__(self, i):
        return self.item(i)


class Stream(IterableDataset):
    def __iter__(self):
        return iter([(INPUTS[i], int(LABELS[i])) for i in range(N)])


class StreamWithLength(Stream):
    def __len__(self):
        return N


class InPlace(nn.Module):
    """Scales its inputs where they lie."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.dense = nn.Linear(6, 3)

    def forward(self, x):
        return self.dense(x.mul_(3).sub_(1))


def pairs():
    return TensorDataset(INPUTS.clone(), LABELS)


KINDS = {
    "tensors": pairs,
    "a pair": lambda: (INPUTS.clone(), LABELS),
    "samples": Samples,
    "stream": Stream,
    "stream with a length": StreamWithLength,
    "loader": lambda: DataLoader(pairs(), 7),
    "batches": lambda: [(INPUTS[i : i + 7].clone(), LABELS[i : i + 7]) for i in range(0, N, 7)],
    "list of samples": lambda: [(INPUTS[i], int(LABELS[i])) for i in range(N)],
    "dicts": lambda: Samples(lambda i: {"x": INPUTS[i], "labels": int(LABELS[i])}),
    "dicts of batches": lambda: DataLoader(KINDS["dicts"](), 7),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_accuracy_to_a_network_that_writes_into_its_inputs(kind):
    data, net = KINDS[kind](), InPlace().eval()
    with torch.no_grad():
        expected = (net(INPUTS.clone()).argmax(1) == LABELS).float().mean().item()
    kept = INPUTS.clone()
    for _ in range(3):
        found = ex.evaluate(net, data)
        assert (found.top1, found.n) == (pytest.approx(expected), N)
    session = ex.Session(net, ex.Data(data, data))
    assert session.wait(30).accuracy.top1 == pytest.approx(expected)
    session.close()
    assert torch.equal(INPUTS, kept)
    for inputs, _ in batches(data, 7):
        del inputs
    if isinstance(data, TensorDataset):
        assert torch.equal(data.tensors[0], INPUTS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_tuned_and_trained_on(kind):
    data, net = KINDS[kind](), nn.Sequential(InPlace(), nn.ReLU(), nn.Linear(3, 3)).eval()
    if "dicts" in kind:
        net = InPlace().eval()
    both = ex.Data(data, data)
    assert first_inputs(both) is not None
    obd = ex.Prune(sparsity=0.5, criterion="obd")
    assert ex.compress(net, [obd], data=both).size_bytes > 0
    *_, last = ex.retrain(net, both, 0.5, FEW)
    assert last.validation.n == N
    *_, last = ex.distill(net, net, both, settings=FEW)
    assert last.loss == pytest.approx(last.loss)
    assert len(list(ex.sensitivity(net, both, values=[0.5]))) > 0


INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integer_labels_of_every_width(dtype):
    net = nn.Linear(6, 3).eval()
    data = TensorDataset(INPUTS, LABELS.to(dtype))
    assert ex.evaluate(net, data) == ex.evaluate(net, pairs())
    losses = [list(ex.train(net, given, FEW))[-1].loss for given in (data, pairs())]
    assert losses[0] == losses[1]


BAD = {
    "float": (
        lambda i: (INPUTS[i], 0.5),
        TypeError,
        r"got torch.float64, 0.5 for sample 0.*metric=",
    ),
    "bool": (lambda i: (INPUTS[i], True), TypeError, "got torch.bool"),
    "text": (lambda i: (INPUTS[i], "cat"), TypeError, "got str, 'cat' for sample 0"),
    "column": (lambda i: (INPUTS[i], LABELS[i : i + 1]), ValueError, r"labels\.squeeze\(1\)"),
    "high": (lambda i: (INPUTS[i], 7 if i == 33 else 0), ValueError, "first 7 for sample 33"),
    "low": (lambda i: (INPUTS[i], -1 if i == 5 else 0), ValueError, "first -1 for sample 5"),
    "nameless": (lambda i: {"x": INPUTS[i]}, TypeError, "got a dict with x"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_labels_are_told_by_the_first(name):
    item, error, words = BAD[name]
    net, data = nn.Linear(6, 3).eval(), Samples(item)
    with pytest.raises(error, match=words):
        ex.evaluate(net, data)
    session = ex.Session(net, data)
    assert session.wait(30).error_message
    session.close()
    with pytest.raises((TypeError, ValueError), match="data: "):
        list(ex.train(net, data, FEW))


class Answering(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.dense, self.how = nn.Linear(6, 3), how

    def forward(self, x):
        return self.how(self.dense(x))


class Output:
    def __init__(self, logits):
        self.logits = logits


HOW = (lambda s: (s, 1), lambda s: {"logits": s, "hidden": s[:1]}, lambda s: {"out": s}, Output)


@pytest.mark.parametrize("how", HOW)
def test_scores_are_found_in_every_output(how):
    net = Answering(how).eval()
    assert ex.evaluate(net, pairs()) == ex.evaluate(net.dense, pairs())
    *_, last = ex.retrain(net, pairs(), 0.5, FEW)
    assert last.n_steps == 2


def test_other_outputs_are_refused_in_words():
    for output, words in ((None, "got NoneType"), ({"a": INPUTS, "b": INPUTS}, "dict with a, b")):
        with pytest.raises(TypeError, match=rf"{words}\. Judge other outputs by metric="):
            scores_of(output)


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.hidden, self.out = nn.Embedding(50, 8), nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, ids):
        return self.out(torch.relu(self.hidden(self.embed(ids).mean(1))))


def test_token_ids_are_taken_everywhere(tmp_path):
    ids = torch.randint(0, 50, (N, 7), generator=torch.Generator().manual_seed(0))
    part, net = TensorDataset(ids, LABELS), Words().eval()
    for data in (part, ex.Data(part, part), DataLoader(part, 8)):
        session = ex.Session(net, data)
        assert session.input_shape == (7,)
        assert session.wait(30).accuracy.n == N
        session.close()
        small = ex.compress(net, [ex.PruneNeurons(fraction=0.5)], data=data)
        assert small.restore().hidden.out_features == 8
    assert {row.name: row.macs for row in ex.profile(net, (7,))} == {
        "embed": 0,
        "hidden": 8 * 16,
        "out": 16 * 3,
    }
    assert small.export_onnx(tmp_path / "words.onnx", (7,)) > 0


def test_scores_that_are_no_numbers_count_as_wrong_and_name_the_layer():
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)).eval()
    with torch.no_grad():
        net[2].weight[0, 0] = torch.inf
    found = ex.evaluate(net, pairs())
    bad = int((~net(INPUTS).isfinite()).any(1).sum())
    assert bad > 0
    assert found.n_not_finite == bad
    assert found.top1 <= 1 - bad / N
    words = f"{bad} of {N} samples are answered by NaN or infinite scores, from layer 2 (Linear) on"
    assert found.note.startswith(words)


def test_inputs_that_are_no_numbers_are_told_by_the_first():
    bad = INPUTS.clone()
    bad[11, 2] = torch.nan
    with pytest.raises(ValueError, match="data: the input of sample 11 holds NaN"):
        ex.evaluate(nn.Linear(6, 3).eval(), TensorDataset(bad, LABELS))
    with pytest.raises(ValueError, match="first sample 11; leave them out"):
        list(ex.train(nn.Linear(6, 3), TensorDataset(bad, LABELS), FEW))


def test_a_network_that_repairs_its_inputs_is_judged():
    bad = INPUTS.clone()
    bad[11, 2] = torch.nan
    net = nn.Sequential(nn.Linear(6, 3)).eval()
    net.register_forward_pre_hook(lambda module, args: (args[0].nan_to_num(),))
    assert ex.evaluate(net, TensorDataset(bad, LABELS)).note == ""


def dense(*more):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 3), *more)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint64, np.int8])
def test_labels_that_are_scalars_of_numpy_are_taken(dtype):
    net, rows = dense().eval(), INPUTS.tolist()
    labels = LABELS.numpy().astype(dtype)
    expected = ex.evaluate(net, (INPUTS, LABELS))
    samples = Samples(lambda i: (INPUTS[i].numpy(), labels[i]))
    assert ex.evaluate(net, samples) == expected
    assert ex.evaluate(net, list(zip(rows, labels, strict=True))).top1 == expected.top1


def test_a_network_in_train_mode_keeps_its_statistics():
    net = dense(nn.BatchNorm1d(3))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    ex.evaluate(net, (INPUTS, LABELS))
    after = net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert net.training


def test_inputs_that_the_network_does_not_take_are_told():
    net, data = dense().eval(), TensorDataset(INPUTS.to(torch.uint8), LABELS)
    words = r"the network fails on inputs \(\d+, 6\) torch.uint8"
    with pytest.raises(ValueError, match=words):
        ex.evaluate(net, data)
    (point,) = ex.sweep(net, data, [[]])
    assert "the network fails on inputs" in point.error_message
    session = ex.Session(net, data)
    assert "the network fails on inputs" in session.wait(30).error_message
    session.close()
    with pytest.raises(ValueError, match="fails on inputs"):
        list(ex.train(net, data, FEW))


def test_layers_without_a_size_are_refused_and_left_so():
    net = nn.Sequential(nn.LazyLinear(3))
    for opened in (ex.evaluate, ex.Session, lambda net, data: ex.compress(net, [], data=data)):
        with pytest.raises(ValueError, match=r"layer '0' \(LazyLinear\) has no weights yet"):
            opened(net, pairs())
    assert nn.parameter.is_lazy(net[0].weight)


def test_weights_in_another_order_of_memory_are_pruned_by_their_curvature():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).eval()
    data = TensorDataset(torch.randn(12, 3, 4, 4), LABELS[:12])
    obd = [ex.Prune(sparsity=0.5, criterion="obd")]
    expected = ex.compress(net, obd, data=data).restore()
    found = ex.compress(net.to(memory_format=torch.channels_last), obd, data=data).restore()
    assert torch.allclose(found[0].weight, expected[0].weight)


class ByName(nn.Module):
    """Takes its input by name only."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 3)

    def forward(self, *, x):
        return self.last(torch.relu(self.first(x)))


def test_neurons_of_a_network_that_takes_names_only_are_refused_in_words():
    with pytest.raises(ValueError, match="input_shape: the network does not take an input"):
        ex.compress(ByName(), [ex.PruneNeurons(fraction=0.5)], input_shape=(3,))


def test_ids_that_an_embedding_does_not_have_are_told():
    net = nn.Sequential(nn.EmbeddingBag(10, 4), nn.Linear(4, 3)).eval()
    data = TensorDataset(torch.arange(N)[:, None], LABELS)
    with pytest.raises(ValueError, match=r"fails on inputs \(40, 1\) torch.int64 from 0 to 39"):
        ex.evaluate(net, data)
    with pytest.raises(ValueError, match="fails on inputs"):
        list(ex.train(net, data, FEW))
    with pytest.raises(ValueError, match="fails on inputs"):
        ex.compress(net, [ex.Prune(sparsity=0.5, criterion="obd")], data=data)


def test_samples_of_unequal_shapes_are_told():
    with pytest.raises(ValueError, match="data: samples of unequal shapes do not fit in one batch"):
        ex.evaluate(dense().eval(), [(INPUTS[0], 0), (INPUTS[1, :5], 1)])


def test_a_network_made_in_inference_mode_is_pruned_by_its_curvature():
    obd = [ex.Prune(sparsity=0.5, criterion="obd")]
    expected = ex.compress(dense().eval(), obd, data=pairs()).restore()
    with torch.inference_mode():
        net = dense().eval()
    assert torch.equal(ex.compress(net, obd, data=pairs()).restore()[0].weight, expected[0].weight)

"""A session tells how its compressed network behaves, whatever happens meanwhile."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from explorer.codec.model import compress
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.measure.predictions import predict
from explorer.session import Session
from explorer.zoo.loaded import Data

WAIT_S = 60


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 5)).eval()


def samples(n=300):
    inputs = torch.randn(n, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        labels = network()(inputs).argmax(1)
    labels[::7] = (labels[::7] + 1) % 5
    return TensorDataset(inputs, labels)


@pytest.fixture
def opened():
    sessions = []

    def make(data, **options):
        sessions.append(Session(network(), data, input_shape=(1, 6, 6), **options))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


def scores(recipe, data):
    return predict(compress(network(), recipe, input_shape=(1, 6, 6)).restore(), data)


def counts(found):
    return found.confusion.before.tolist(), found.confusion.after.tolist()


@pytest.mark.parametrize(
    "recipe", [[Prune(sparsity=0.7)], [PruneNeurons(fraction=0.4), Quantize(bits=4)], []], ids=str
)
@pytest.mark.parametrize("form", ["dataset", "data", "stream"])
def test_it_is_that_of_the_compressed_network(opened, recipe, form):
    data = samples()
    given = {
        "dataset": data,
        "data": Data(data, data, classes=tuple("abcde")),
        "stream": DataLoader(data, batch_size=50),
    }
    session = opened(given[form])
    session.apply(recipe)
    result = session.wait(WAIT_S)
    found = session.behavior()
    after = scores(recipe, data)
    assert found.n == found.n_total == 300
    assert found.n_after == int(after.right.sum()) == round(result.accuracy.top1 * 300)
    assert found.n_before == round(result.original_accuracy.top1 * 300)
    assert found.confusion.after[2, 3] == int(((data[:][1] == 2) & (after.answers == 3)).sum())
    assert found.confusion.names == tuple("abcde" if form == "data" else "01234")
    assert found.galleries["next"].pictures[0].pixels.shape == (6, 6, 1)


def test_the_untouched_network_agrees_with_itself(opened):
    session = opened(samples())
    session.apply([])
    session.wait(WAIT_S)
    found = session.behavior().agreement
    assert (found.share, found.kl_bits) == (1.0, pytest.approx(0.0, abs=1e-6))


def test_answers_need_not_wait_for_the_accuracy(opened):
    session, other = opened(samples()), opened(samples())
    session.apply([Prune(sparsity=0.7)])
    other.apply([Prune(sparsity=0.7)])
    other.wait(WAIT_S)
    assert counts(session.behavior()) == counts(other.behavior())


@pytest.mark.parametrize("recipe", [[Prune(sparsity=0.7)], [PruneNeurons(fraction=0.4)]], ids=str)
def test_answers_that_accuracy_counted_are_not_asked_again(opened, monkeypatch, recipe):
    session = opened(samples())
    session.apply(recipe)
    session.wait(WAIT_S)
    monkeypatch.setattr("explorer.session.behavior.WritableCopy", None)
    assert session.behavior().n == 300


def test_it_is_made_once_for_a_recipe(opened):
    session = opened(samples())
    session.apply([Prune(sparsity=0.5)])
    first = session.behavior()
    session.apply([Prune(sparsity=0.5)])
    assert session.behavior() is first
    session.apply([Prune(sparsity=0.6)])
    assert session.behavior() is not first


def test_without_labels_there_is_none(opened):
    assert opened(None).behavior() is None
    judged = opened(None, metric=lambda net: 0.5)
    assert judged.behavior() is None and not judged.has_labels
    assert opened(samples()).has_labels


def test_one_that_is_stopped_goes_on_later(opened):
    session = opened(DataLoader(samples(), batch_size=50))
    calls = []

    def fourth():
        calls.append(1)
        return len(calls) % 4 == 0

    tries = 0
    found = None
    while found is None and tries < 60:
        found = session.behavior(fourth if tries < 3 else lambda: False)
        tries += 1
    assert 1 < tries < 60
    assert found.n == 300
    assert session.behavior(lambda: True) is found


def test_a_stale_one_leaves_nothing_behind(opened):
    session = opened(samples())
    session.apply([Prune(sparsity=0.5)])
    session.wait(WAIT_S)
    session.behavior()
    trial = session._trials.current
    session.apply([Prune(sparsity=0.9)])
    session.wait(WAIT_S)
    assert session._behaviors.of(trial, lambda: True) is not None
    kept = session.behavior()
    assert session._behaviors.of(trial, lambda: True) is None
    assert session.behavior() is kept


@pytest.mark.parametrize("stream", [False, True])
def test_a_rewrite_in_the_middle_tears_nothing(opened, stream):
    data = samples()
    session = opened(DataLoader(data, batch_size=20) if stream else data)
    session.apply([Prune(sparsity=0.5)])
    session.wait(WAIT_S)
    trial = session._trials.current
    session.apply([Prune(sparsity=0.8)])
    session.wait(WAIT_S)
    sparsities = iter([0.1, 0.95, 0.3, 0.99])

    def rewriting():
        sparsity = next(sparsities, None)
        if sparsity is not None:
            session.apply([Prune(sparsity=sparsity)])
        return False

    found = session._behaviors.of(trial, rewriting)
    assert next(sparsities, None) is None
    after = scores([Prune(sparsity=0.5)], data)
    assert torch.equal(found.confusion.after.sum(0), torch.bincount(after.answers, minlength=5))
    assert found.n_after == int(after.right.sum())


def test_of_much_data_a_part_is_judged(opened, monkeypatch):
    monkeypatch.setattr("explorer.measure.data.MOST_SAMPLES", 100)
    session = opened(samples())
    session.apply([Prune(sparsity=0.7)])
    session.wait(WAIT_S)
    found = session.behavior()
    assert (found.n, found.n_total) == (100, 300)
    part = TensorDataset(*(tensor[::3] for tensor in samples().tensors))
    assert found.n_after == int(scores([Prune(sparsity=0.7)], part).right.sum())


def test_what_is_no_number_is_told_in_words(opened):
    inputs, labels = samples(30).tensors
    inputs[4, 0, 0, 0] = torch.inf
    session = opened(TensorDataset(inputs, labels))
    session.apply([])
    session.wait(WAIT_S)
    with pytest.raises(ValueError, match=r"expected finite numbers, got .* for sample 4"):
        session.behavior()


def test_images_are_shown_as_they_were_before_they_were_normalized(opened):
    inputs, labels = samples(20).tensors
    plain, known = (
        opened(Data(*[TensorDataset(inputs, labels)] * 2, mean=mean, std=std))
        for mean, std in (((0.0,), (1.0,)), ((0.5,), (0.1,)))
    )
    for session, lowest in ((plain, 0), (known, None)):
        first = session.behavior().galleries["next"].pictures[0]
        image = inputs[first.sample]
        expected = (image * 0.1 + 0.5).clamp(0, 1)
        if lowest is not None:
            expected = (image - image.min()) / (image.max() - image.min())
        assert torch.equal(first.pixels[..., 0], (expected[0] * 255).round().to(torch.uint8))


def test_data_that_fail_once_are_read_from_the_start(opened):
    class Failing(Dataset):
        failed = False

        def __len__(self):
            return 40

        def __getitem__(self, index):
            if index == 30 and not self.failed:
                self.failed = True
                raise OSError("the disk is busy")
            return samples()[index]

    session = opened(Failing())
    with pytest.raises(OSError, match="the disk is busy"):
        session._behaviors.of(session._trials.plan(session.recipe))
    assert session._behaviors.of(session._trials.plan(session.recipe)).n == 40


def test_no_samples_are_refused(opened):
    with pytest.raises(ValueError, match="at least one labeled sample"):
        opened([]).behavior()

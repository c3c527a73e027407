"""What a network answers: margins, confidence, batches, stopping, samples that are chosen."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from explorer.measure.accuracy import evaluate
from explorer.measure.data import evaluation_subset, most_samples
from explorer.measure.predictions import Asking, Predictions, predict


class Squares(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return torch.tensor([float(index), 0.0]), index % 2


def data(n=50, n_classes=4):
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(n, n_classes, generator=generator)
    return TensorDataset(inputs, torch.randint(n_classes, (n,), generator=generator))


def test_margins_confidence_and_rivals_by_hand():
    scores = torch.tensor([[0.0, math.log(3.0), 0.0], [2.0, 5.0, 4.0]])
    found = Predictions.of(scores, torch.tensor([1, 0]))
    assert found.answers.tolist() == [1, 1]
    assert found.right.tolist() == [True, False]
    assert found.rivals.tolist() == [0, 1]
    assert found.margins.tolist() == pytest.approx([math.log(3), -3.0], abs=1e-6)
    assert found.confidence.tolist() == pytest.approx([0.6, 0.70538], abs=1e-5)


def test_logits_log_probabilities_and_probabilities_say_the_same():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    first, *others = (
        Predictions.of(scores, labels).log_probabilities
        for scores in (logits, logits.log_softmax(1), logits.softmax(1))
    )
    for other in others:
        torch.testing.assert_close(first, other)


def test_a_probability_of_zero_stays_a_number():
    found = Predictions.of(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    assert found.log_probabilities.isfinite().all() and found.margins.item() < -100


@pytest.mark.parametrize("batch", [1, 7, 256])
def test_answers_are_those_that_accuracy_counts(batch):
    samples = data()
    net = nn.Linear(4, 4)
    found = predict(net, samples, batch=batch)
    assert found.n == 50 and found.n_classes == 4
    assert found.right.double().mean().item() == evaluate(net, samples).top1
    expected = net(samples.tensors[0]).detach().log_softmax(1)
    torch.testing.assert_close(found.log_probabilities, expected)
    stream = predict(net, DataLoader(samples, batch_size=8))
    torch.testing.assert_close(stream.log_probabilities, expected)


def test_it_stops_between_batches_and_goes_on_where_it_was():
    calls, asked = [], []
    net = nn.Identity()
    net.register_forward_pre_hook(lambda _net, inputs: asked.append(len(inputs[0])))

    def third():
        calls.append(1)
        return len(calls) == 3

    asking = Asking(net, data(), batch=10)
    assert asking.go_on(third) is None
    assert asked == [10, 10]
    assert asking.go_on().n == 50
    assert asked == [10] * 5
    assert predict(net, data(), lambda: True) is None


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (torch.zeros(3, 2), [0, 1], r"got scores \(3, 2\) for labels \(2,\)"),
        (torch.zeros(2, 2, 2), [0, 1], r"expected shape \(n, n_classes\)"),
        (torch.zeros(0, 2), [], "n at least 1"),
        (torch.zeros(2, 1), [0, 0], "at least two classes to tell apart, got 1"),
        (torch.zeros(2, 2), [0, 2], "classes from 0 to 1, .* got 0 to 2"),
        (torch.zeros(2, 2), [-1, 1], "got -1 to 1"),
        (torch.tensor([[0.0, 1.0], [math.nan, 0.0]]), [0, 1], r"got \[nan, 0.0\] for sample 1"),
        (torch.tensor([[0.0, math.inf]]), [0], r"finite numbers, got \[0.0, inf\] for sample 0"),
    ],
)
def test_what_does_not_fit_is_refused(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        Predictions.of(scores, torch.tensor(labels, dtype=torch.int64))


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="at least one labeled sample"):
        predict(nn.Identity(), [])
    with pytest.raises(ValueError, match="at least one labeled sample"):
        evaluation_subset([])


@given(n=st.integers(1, 60), most=st.integers(1, 60))
def test_chosen_samples_are_spread_evenly(n, most):
    labels = torch.arange(n)
    found = evaluation_subset(TensorDataset(labels[:, None], labels), most)
    numbers = torch.tensor([int(found.samples[i][1]) for i in range(found.n)])
    assert found.n == min(n, most) and found.n_total == n
    assert numbers[0] == 0
    gaps = numbers.diff()
    assert n <= most or (len(gaps) == 0 or (gaps.max() - gaps.min() <= 1 and gaps.min() >= 1))


def test_a_dataset_is_read_anew_and_a_stream_is_kept():
    assert isinstance(evaluation_subset(Squares(), 4).samples, Subset)
    assert [evaluation_subset(Squares(), 4).samples[i][0][0].item() for i in range(4)] == [
        0,
        2,
        5,
        7,
    ]
    loader = DataLoader(Squares(), batch_size=4, shuffle=True)
    part, whole = evaluation_subset(loader, 6), evaluation_subset(loader, 10)
    assert (part.n, part.n_total, whole.n, whole.n_total) == (6, 10, 10, 10)
    assert torch.equal(part.samples[5][0], part.samples[5][0])
    nameless = [(torch.zeros(3, 1), torch.zeros(3).long())] * 2
    assert (evaluation_subset(nameless, 4).n, evaluation_subset(nameless, 4).n_total) == (4, 0)
    assert (evaluation_subset(nameless).n, evaluation_subset(nameless).n_total) == (6, 6)
    assert evaluation_subset(nameless, should_stop=lambda: True) is None


def test_memory_bounds_the_samples(monkeypatch):
    assert [most_samples(n) for n in (10, 1000, 50_000, 10**9)] == [10_000, 10_000, 200, 1]
    monkeypatch.setattr("explorer.measure.data.MOST_BYTES", 100)
    stream = [(torch.zeros(4, 5), torch.zeros(4).long())] * 3
    assert (evaluation_subset(stream).n, evaluation_subset(stream).n_total) == (4, 0)


def test_inputs_of_a_stream_must_be_tensors():
    with pytest.raises(TypeError, match="expected inputs in a tensor, got int"):
        evaluation_subset([({"pixels": 1}, [0])])

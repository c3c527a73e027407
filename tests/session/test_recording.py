"""What a network answered while its accuracy was counted."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from explorer.measure.accuracy import accuracy_so_far
from explorer.session.evaluation import Evaluation, Recording

ONE, OTHER = object(), object()


def data():
    inputs = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    return TensorDataset(inputs, inputs.argmax(1))


def test_it_keeps_what_is_judged():
    recording = Recording({})
    for accuracy in accuracy_so_far(nn.Identity(), data(), 16, recording.add):
        found = recording.predictions(accuracy.n)
        assert found.n == accuracy.n and int(found.right.sum()) == accuracy.n
    torch.testing.assert_close(found.log_probabilities, data().tensors[0].log_softmax(1))


def test_there_are_none_for_another_number_of_samples():
    recording = Recording({})
    assert recording.predictions(0) is None
    recording.add(torch.zeros(2, 3), torch.zeros(2))
    assert recording.predictions(3) is None
    assert recording.predictions(2).n == 2


def test_it_knows_what_the_layers_held():
    recording = Recording({"a": ONE})
    assert recording.is_of({"a": ONE})
    assert not recording.is_of({"a": OTHER})
    assert not recording.is_of({"b": ONE})


def test_it_keeps_nothing_beyond_the_limit(monkeypatch):
    monkeypatch.setattr("explorer.measure.data.MOST_SAMPLES", 5)
    recording = Recording({})
    for n in (4, 4, 1):
        recording.add(torch.zeros(n, 3), torch.zeros(n))
    assert recording.predictions(9) is None and recording.predictions(4) is None


@pytest.mark.parametrize("stream", [False, True])
def test_an_evaluation_records_data_that_keep_their_order(stream):
    evaluation = Evaluation(DataLoader(data(), 10) if stream else data(), None)
    assert evaluation.recording is None
    net, state = nn.Linear(3, 3).eval(), {"": ONE}
    list(evaluation.run(net, state, lambda: False))
    if stream:
        assert evaluation.recording is None
    else:
        assert evaluation.recording.is_of(state)
        assert evaluation.recording.predictions(40).n == 40

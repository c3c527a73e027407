import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.zoo.architectures import lenet_300_100
from explorer.zoo.mnist import read_sample
from explorer.zoo.train import Schedule, shifted, train


@given(st.integers(0, 3), st.integers(0, 1000))
def test_a_shifted_image_is_a_window_of_the_padded_one(max_shift, seed):
    padded = torch.arange(2 * (5 + 2 * max_shift) ** 2).reshape(2, 5 + 2 * max_shift, -1)
    cut = shifted(padded, torch.tensor([1, 0]), max_shift, torch.Generator().manual_seed(seed))
    for image, source in zip(cut, padded.flip(0), strict=True):
        windows = source.unfold(0, 5, 1).unfold(1, 5, 1).reshape(-1, 5, 5)
        assert (windows == image).all(dim=(1, 2)).any()


def test_every_shift_occurs():
    padded = torch.arange(9).reshape(1, 3, 3)
    cut = shifted(padded, torch.zeros(400, dtype=torch.int64), 1, torch.Generator().manual_seed(0))
    assert set(cut.flatten().tolist()) == set(range(9))


def test_training_learns_and_repeats_exactly():
    pixels, labels = read_sample()
    schedule = Schedule(n_epochs=2)
    nets = []
    for _ in range(2):
        torch.manual_seed(0)
        net = lenet_300_100()
        losses = [loss for _, loss in train(net, pixels, labels, schedule)]
        nets.append((net, losses))
    assert nets[0][1][1] < nets[0][1][0] < 2.3
    assert not nets[0][0].training
    assert nets[0][1] == pytest.approx(nets[1][1], rel=1e-6)

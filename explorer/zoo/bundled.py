"""The trained networks that come with the package."""

from __future__ import annotations

import zlib
from importlib.resources import as_file, files
from pathlib import Path

import torch
from torch import nn

from explorer.measure.profile import INPUT_SHAPE_ATTRIBUTE
from explorer.zoo.architectures import BUNDLED, LENET_INPUT_SHAPE
from explorer.zoo.loaded import Data, Loaded
from explorer.zoo.mnist import DIGITS, mnist_sample, test_split
from explorer.zoo.tensor_files import from_half, put_tensors, read_tensors

RANDOM_SEED = 0
CHECKSUMS = {
    "lenet-300-100": 0xB87BE2CC,
    "lenet-5": 0x80EB2144,
    "mnist-teacher": 0xA3107248,
    "mnist-student": 0x816978D6,
    "mnist-student-distilled": 0xEA45156D,
}


def load_bundled(
    name: str,
    weights: str | Path | None = "default",
    data: Data | None = None,
    *,
    download: bool = False,
) -> Loaded:
    """Load one of the bundled networks; needs no connection.

    `name`: a key of `BUNDLED`. `weights`: one of "default"}, path or None; ``"default"``: the
    trained weights; float32 is mapped into memory, float16 becomes float32. A path ending in
    ``.safetensors``: that file, likewise. None: random weights, the same each time. `data`: in
    place of the MNIST sample. `download`: judge on MNIST's whole test split, fetched on first use,
    instead of the sample's 2,000 images. Raises DataUnavailable if the sample is damaged; or if the
    test split is asked for, not kept, and cannot be downloaded. Raises ValueError,
    FileNotFoundError if the file is missing, damaged, has another format or does not fit the
    network.
    """
    net, source = load_net(name, weights)
    if data is None:
        data = _with_test_split(mnist_sample()) if download else mnist_sample()
    return Loaded(
        net=net,
        data=data,
        name=name,
        source=source,
        trained=weights is not None,
        classes=DIGITS,
    )


def load_net(name: str, weights: str | Path | None) -> tuple[nn.Module, str]:
    """Load one of the bundled networks without data; parameters and errors as `load_bundled`.

    Returns: `net`: in eval mode; `source`: where the weights come from, in words.
    """
    net: nn.Module
    if weights is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(RANDOM_SEED)
            net, source = BUNDLED[name](), f"random weights, seed {RANDOM_SEED}"
    elif weights == "default":
        with as_file(files("explorer.zoo") / "weights" / f"{name}.safetensors") as path:
            _check(path, CHECKSUMS[name])
            net, source = _from_file(name, path), "bundled weights"
    else:
        net, source = _from_file(name, Path(weights)), str(weights)
    setattr(net, INPUT_SHAPE_ATTRIBUTE, LENET_INPUT_SHAPE)
    return net.eval(), source


def _check(path: Path, checksum: int) -> None:
    """Raise ValueError where a bundled file is not what it was when it was packed."""
    if path.is_file() and zlib.crc32(path.read_bytes()) != checksum:
        raise ValueError(
            f"weights: the bundled file {str(path)!r} is damaged. Install compression-explorer "
            "again, or give weights of your own: load(name, 'path.safetensors')."
        )


def _from_file(name: str, path: Path) -> nn.Module:
    with torch.device("meta"):
        net = BUNDLED[name]()
    return put_tensors(net, from_half(read_tensors(path)), repr(str(path)))


def _with_test_split(sample: Data) -> Data:
    return Data(
        tune=sample.tune,
        eval=test_split(),
        name="MNIST",
        classes=sample.classes,
        note=(
            "Handwritten digits: MNIST's 10,000 test images to judge on; 3,000 training images, "
            "kept out of the bundled networks' training, to tune with."
        ),
        mean=sample.mean,
        std=sample.std,
    )

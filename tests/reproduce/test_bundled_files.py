import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

import explorer as ex
from explorer.reproduce import bundled, bundled_file
from explorer.reproduce.log import n_left
from explorer.reproduce.reproductions import PLANS
from explorer.zoo.mnist import REFERENCE_VARIABLE
from explorer.zoo.mnist import test_split as mnist_test_split

NAMES = bundled()
LEAST_RATE = {
    "deep-compression-lenet-300-100": 40,
    "deep-compression-lenet-5": 39,
    "record-lenet-5": 150,
}
MOST_ERROR = {
    "deep-compression-lenet-300-100": 0.0158,
    "deep-compression-lenet-5": 0.0080,
    "record-lenet-5": 0.0090,
}


def told(name):
    return json.loads(bundled_file(name).with_suffix(".json").read_text("utf-8"))


def n_wrong(net, split):
    images, labels = split.tensors
    with torch.inference_mode():
        return sum(
            int((net(x).argmax(1) != y).sum())
            for x, y in zip(images.split(1000), labels.split(1000), strict=True)
        )


def test_all_results_with_a_file_are_there():
    assert set(LEAST_RATE) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_bytes_and_ratio_are_those_told(name):
    path, record = bundled_file(name), told(name)
    small = ex.open(path)
    assert path.stat().st_size == small.size_bytes == record["reached"]["size_bytes"]
    assert small.compression_ratio == pytest.approx(record["reached"]["rate"])
    assert small.compression_ratio >= LEAST_RATE[name]
    assert record["reproduced"]


@pytest.mark.parametrize("name", NAMES)
def test_it_restores_through_the_catalog(name):
    small = ex.open(bundled_file(name))
    net = small.restore()
    assert small.network in ex.catalog()
    assert n_left(net) == told(name)["reached"]["n_weights"]


@pytest.mark.parametrize("name", NAMES)
def test_the_error_on_the_sample(name):
    small = ex.open(bundled_file(name))
    data = ex.load(small.network).data
    wrong = sum(n_wrong(small.restore(), part) for part in (data.tune, data.eval))
    # The sample is what settings were chosen by; other processors may round a few answers over.
    assert wrong == pytest.approx(5000 * (1 - told(name)["validation"]["top1"]), abs=3)
    assert wrong / 5000 < 0.02


@pytest.mark.skipif(
    not os.environ.get(REFERENCE_VARIABLE), reason=f"{REFERENCE_VARIABLE} names no MNIST"
)
@pytest.mark.parametrize("name", NAMES)
def test_the_error_on_the_test_split(name):
    wrong = n_wrong(ex.open(bundled_file(name)).restore(), mnist_test_split())
    assert wrong == pytest.approx(10_000 * (1 - told(name)["test"]["top1"]), abs=3)
    assert wrong / 10_000 <= MOST_ERROR[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_settings_told_are_those_it_would_be_made_with(name):
    plan = json.loads(json.dumps(asdict(PLANS[name].settings)))
    assert told(name)["settings"] == plan


def test_an_unknown_name_lists_the_bundled():
    with pytest.raises(ValueError, match=r"one of .*deep-compression-lenet-5.*; got 'lenet-5'"):
        bundled_file("lenet-5")


def test_bundled_files_are_small():
    folder = Path(bundled_file(NAMES[0])).parent
    assert sum(path.stat().st_size for path in folder.iterdir()) < 300_000

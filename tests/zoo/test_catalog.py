import subprocess
import sys

import pytest
import torch

from explorer.zoo import catalog, load


def test_bundled_first_then_torchvision():
    names = catalog()
    assert names[:5] == (
        "lenet-300-100",
        "lenet-5",
        "mnist-teacher",
        "mnist-student",
        "mnist-student-distilled",
    )
    assert {"alexnet", "vgg16", "squeezenet1_0", "resnet50", "vit_b_16"} < set(names[5:])
    assert len(set(names)) == len(names)
    assert not [n for n in names if "rcnn" in n or "quantized" in n or "segment" in n]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("vg16", "'vgg16'"),
        ("LeNet-5", "'lenet-5'"),
        ("lenet300", "lenet-300-100"),
        ("mnist_student", "'mnist-student'"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(name, near):
    with pytest.raises(ValueError, match=f"got '{name}'. Did you mean .*{near}"):
        load(name)


def test_a_name_like_no_other():
    with pytest.raises(ValueError, match=r"got 'xyz'\. catalog\(\) lists all names"):
        load("xyz")


@pytest.mark.parametrize("weights", [True, 3, {}, torch.zeros(1)])
def test_weights_of_a_wrong_type(weights):
    with pytest.raises(TypeError, match=r'weights: expected "default", None or the path'):
        load("lenet-5", weights)


def test_download_is_refused_where_there_is_nothing_to_download():
    with pytest.raises(ValueError, match="download: expected False for 'vgg16'"):
        load("vgg16", None, download=True)


def test_unpacks_into_exactly_two():
    assert len(tuple(load("lenet-5"))) == 2


def test_import_is_light():
    code = "import sys, explorer.zoo; print('torchvision' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

"""Files for other programs, read back by those programs."""

from importlib.machinery import ModuleSpec

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from safetensors import safe_open
from safetensors.torch import load_file
from sameness import assert_same_outputs, assert_same_tensors
from torch import nn

from explorer.codec import export
from explorer.codec.export import save_onnx, save_safetensors
from explorer.codec.model import compress
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import recipe_from_json
from explorer.zoo.architectures import lenet_5

RECIPE = [Prune(sparsity=0.6), Share(n_clusters=4)]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.body = nn.Conv2d(8, 8, 3, stride=1, padding=1)
        self.drop = nn.Dropout()
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.norm(self.stem(x)).relu()
        x = (x + self.body(x)).relu()
        return self.head(self.drop(x.mean((2, 3))))


class Undecided(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)


def test_safetensors_hold_the_decoded_weights(net, tmp_path):
    small = compress(net, RECIPE, network="a-net")
    state = small.restore().state_dict()
    target = tmp_path / "net.safetensors"
    written = save_safetensors(small, target)
    assert written == target.stat().st_size
    found = load_file(target)
    assert found.keys() == state.keys()
    assert all(same_bits(found[key], tensor) for key, tensor in state.items())
    with safe_open(target, "pt") as opened:
        metadata = opened.metadata()
    assert metadata["network"] == "a-net"
    assert recipe_from_json(metadata["recipe"]) == small.recipe
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors"]


def test_the_networks_own_loading_takes_it(small_net, tmp_path):
    small = compress(small_net, RECIPE)
    save_safetensors(small, tmp_path / "net.safetensors")
    small_net.load_state_dict(load_file(tmp_path / "net.safetensors"))
    restored = small.restore()
    assert_same_tensors(small_net, restored)
    inputs = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    assert_same_outputs(small_net(inputs), restored(inputs))


def test_tensors_that_share_memory_are_written_each(tmp_path):
    flat = torch.randn(8, generator=torch.Generator().manual_seed(0))
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    net[0].weight = nn.Parameter(flat[:4].view(2, 2))
    net[1].weight = nn.Parameter(flat[4:].view(2, 2).T)
    net.register_buffer("turned", flat.view(4, 2).T)
    save_safetensors(compress(net, []), tmp_path / "net.safetensors")
    found = load_file(tmp_path / "net.safetensors")
    assert found.keys() == net.state_dict().keys()
    assert all(torch.equal(found[key], tensor) for key, tensor in net.state_dict().items())


def test_a_type_that_the_file_cannot_hold_is_told(tmp_path):
    net = nn.Linear(2, 2)
    net.register_buffer("phases", torch.zeros(2, dtype=torch.complex128))
    with pytest.raises(TypeError, match=r"'phases' is of type torch\.complex128, which a safetens"):
        save_safetensors(compress(net, []), tmp_path / "net.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing", ["safetensors.torch.save_file", "torch.onnx.export"])
def test_a_failed_write_leaves_the_old_file(failing, small_net, tmp_path, monkeypatch):
    def fail(*arguments, **_):
        for path in arguments:
            if hasattr(path, "write_text"):
                path.write_text("half")
        raise OSError("disk full")

    target = tmp_path / "net.file"
    target.write_text("old")
    monkeypatch.setattr(failing, fail)
    with pytest.raises(OSError, match="disk full"):
        if "onnx" in failing:
            save_onnx(small_net, (2, 4, 4), target)
        else:
            save_safetensors(compress(small_net, []), target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def run(path, inputs):
    return ReferenceEvaluator(onnx.load(path)).run(["output"], {"input": inputs.numpy()})[0]


@pytest.mark.parametrize(
    ("build", "shape", "recipe"),
    [
        (lenet_5, (1, 28, 28), RECIPE),
        (Residual, (3, 8, 8), [Quantize(bits=5)]),
        (lambda: nn.Linear(30, 20), (30,), [LowRank(rank=3)]),
    ],
    ids=["lenet-5", "residual", "bare"],
)
def test_onnx_gives_the_networks_outputs(build, shape, recipe, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = compress(build(), recipe).restore()
    target = tmp_path / "net.onnx"
    assert save_onnx(net, shape, target) == target.stat().st_size
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]
    onnx.checker.check_model(target, full_check=True)
    for n in (1, 5):
        inputs = torch.randn(n, *shape, generator=torch.Generator().manual_seed(n))
        with torch.no_grad():
            expected = net(inputs).numpy()
        np.testing.assert_allclose(run(target, inputs), expected, rtol=1e-5, atol=1e-5)


def test_onnx_is_of_eval_mode_and_leaves_the_network_as_it_was(tmp_path):
    net = Residual()
    net.norm.eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    save_onnx(net, (3, 6, 6), tmp_path / "net.onnx")
    assert [m.training for m in net.children()] == [True, False, True, True, True]
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    model = onnx.load(tmp_path / "net.onnx")
    assert "Dropout" not in {node.op_type for node in model.graph.node}


def test_onnx_tells_nothing_of_the_source_files(tmp_path):
    save_onnx(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), (3,), tmp_path / "net.onnx")
    nodes = onnx.load(tmp_path / "net.onnx").graph.node
    assert [node.op_type for node in nodes] == ["Gemm", "Relu"]
    assert not any(node.metadata_props or node.doc_string for node in nodes)


@pytest.mark.parametrize(
    ("net", "shape", "words"),
    [
        (Undecided(), (3,), "net cannot be exported as ONNX: Could not guard on data-dependent"),
        (nn.Linear(3, 2), (4,), r"the network does not take an input of shape \(4,\)"),
        (nn.Linear(3, 2), 3, "input_shape: expected the positive sizes of one input"),
    ],
)
def test_what_cannot_be_exported_is_told(net, shape, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        save_onnx(net, shape, tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_network_too_large_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MAX_ONNX_BYTES", 31)
    with pytest.raises(
        ValueError, match="net has 32 bytes of weights; one ONNX file holds at most"
    ):
        save_onnx(nn.Linear(3, 2), (3,), tmp_path / "net.onnx")


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        (["onnxscript"], r"the package onnxscript: pip install 'compression-explorer\[onnx\]'"),
        (["onnx", "onnxscript"], r"the packages onnx and onnxscript: pip install"),
    ],
)
def test_a_missing_package_is_told_with_its_cure(absent, words, tmp_path, monkeypatch):
    monkeypatch.setattr(
        export, "find_spec", lambda name: None if name in absent else ModuleSpec(name, None)
    )
    with pytest.raises(ModuleNotFoundError, match=words) as raised:
        save_onnx(nn.Linear(3, 2), (3,), tmp_path / "net.onnx")
    assert raised.value.name == absent[0]

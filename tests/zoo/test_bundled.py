import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.fx import symbolic_trace

import explorer as ex
from explorer.zoo import Data, load
from explorer.zoo.architectures import BUNDLED, LENETS
from explorer.zoo.catalog import load_spare

WEIGHTS = Path(ex.__file__).parent / "zoo" / "weights"
IN_HALF_PRECISION = [name for name in BUNDLED if name not in LENETS]
N_PARAMETERS = {
    "lenet-300-100": 266_610,
    "lenet-5": 431_080,
    "mnist-teacher": 2_171_786,
    "mnist-student": 1_276_810,
    "mnist-student-distilled": 1_276_810,
}
# About the errors that Han et al. 2015 (arXiv:1506.02626) print before pruning: 1.64 and 0.8 %;
# and that Hinton et al. 2015 (arXiv:1503.02531) print: 0.67, 1.46 and 0.74 %.
MAX_TEST_ERROR = {
    "lenet-300-100": 0.016,
    "lenet-5": 0.009,
    "mnist-teacher": 0.0085,
    "mnist-student": 0.019,
    "mnist-student-distilled": 0.0110,
}


def n_wrong(net, split):
    images, labels = split.tensors
    with torch.inference_mode():
        return int((net(images).argmax(1) != labels).sum())


def mapped_file(tensor):
    """Name the file that holds a tensor's memory."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("this system does not tell which files are mapped into memory")
    for line in maps.read_text().splitlines():
        start, end = (int(x, 16) for x in line.split()[0].split("-"))
        if start <= tensor.data_ptr() < end:
            return line.split()[-1]
    return ""


@pytest.mark.parametrize("name", BUNDLED)
def test_sizes_and_shapes(name):
    net = BUNDLED[name]()
    assert sum(p.numel() for p in net.parameters()) == N_PARAMETERS[name]
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize("name", BUNDLED)
def test_can_be_traced(name):
    net, data = load(name)
    images = data.eval.tensors[0][:8]
    torch.testing.assert_close(symbolic_trace(net)(images), net(images))


@pytest.mark.parametrize("name", BUNDLED)
def test_agrees_with_numpy_on_the_dense_layers(name):
    net, data = load(name)
    images = data.eval.tensors[0][:4]
    dense = [m for m in net if isinstance(m, torch.nn.Linear)]
    with torch.no_grad():
        values = net[: list(net).index(dense[0])](images).numpy()
        expected = net(images).numpy()
    for i, layer in enumerate(dense):
        values = values @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        values = np.maximum(values, 0) if i < len(dense) - 1 else values
    np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", BUNDLED)
def test_error_on_the_offline_sample(name):
    net, data = load(name)
    assert n_wrong(net, data.eval) <= MAX_TEST_ERROR[name] * 2_000


@pytest.mark.parametrize("name", BUNDLED)
def test_error_on_the_mnist_test_images(name, reference):
    net, data = load(name, download=True)
    assert len(data.eval) == 10_000
    assert len(data.tune) == 3_000
    assert n_wrong(net, data.eval) <= MAX_TEST_ERROR[name] * 10_000


@pytest.mark.parametrize("name", LENETS)
def test_weights_are_mapped_not_copied(name):
    net = load(name).net
    for tensor in net.state_dict().values():
        assert mapped_file(tensor).endswith(f"{name}.safetensors")


@pytest.mark.parametrize("name", IN_HALF_PRECISION)
def test_half_precision_is_only_on_the_disk(name):
    stored = load_file(WEIGHTS / f"{name}.safetensors")
    net = load(name).net
    assert set(stored) == set(net.state_dict())
    for key, tensor in net.state_dict().items():
        assert (stored[key].dtype, tensor.dtype) == (torch.float16, torch.float32)
        assert torch.equal(tensor, stored[key].float())
        assert tensor.abs().max() > 0


def test_all_weights_fit_a_small_download():
    n_bytes = {path.stem: path.stat().st_size for path in WEIGHTS.glob("*.safetensors")}
    assert set(n_bytes) == set(BUNDLED)
    assert sum(n_bytes[name] for name in IN_HALF_PRECISION) < 11_000_000


def test_the_two_students_are_alike_but_for_what_they_learned():
    plain, distilled = load("mnist-student"), load("mnist-student-distilled")
    assert str(plain.net) == str(distilled.net)
    assert not torch.equal(plain.net.fc1.weight, distilled.net.fc1.weight)
    assert n_wrong(distilled.net, distilled.data.tune) < n_wrong(plain.net, plain.data.tune)


@pytest.mark.parametrize("name", IN_HALF_PRECISION)
def test_they_compress_and_lose_neurons_like_any_other(name):
    net = load(name).net
    small = ex.compress(net, [ex.PruneNeurons(fraction=0.5), ex.Quantize(bits=8)])
    again = small.restore()
    assert again.fc1.out_features == net.fc1.out_features // 2
    assert small.network == name
    assert small.compression_ratio > 4


def test_two_loads_do_not_share_changes():
    first, second = load("lenet-5").net, load("lenet-5").net
    with torch.no_grad():
        first.fc2.weight.zero_()
    assert second.fc2.weight.abs().sum() > 0
    assert load("lenet-5").net.fc2.weight.abs().sum() > 0


@pytest.mark.parametrize("name", BUNDLED)
def test_loaded_says_what_it_is(name):
    loaded = load(name)
    net, data = loaded
    assert (net, data) == (loaded.net, loaded.data)
    assert not net.training
    assert all(p.requires_grad for p in net.parameters())
    assert net.input_shape == (1, 28, 28)
    assert net.network_name == loaded.name == name
    assert (loaded.trained, loaded.source) == (True, "bundled weights")


def test_random_weights_are_the_same_each_time_and_leave_the_generator_alone():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, second = load("lenet-300-100", None), load("lenet-300-100", None)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.net.fc1.weight, second.net.fc1.weight)
    assert not first.trained


def test_own_file_and_own_data(tmp_path):
    net, sample = load("lenet-300-100", None)
    save_file(net.state_dict(), tmp_path / "own.safetensors")
    own = Data(sample.tune, sample.tune)
    again, data = load("lenet-300-100", tmp_path / "own.safetensors", data=own)
    assert data is own
    assert torch.equal(again.fc3.weight, net.fc3.weight)


def test_a_file_of_another_network_is_refused(tmp_path):
    save_file(load("lenet-5", None).net.state_dict(), tmp_path / "five.safetensors")
    with pytest.raises(ValueError, match=r"not in the file: fc3\.weight, fc3\.bias"):
        load("lenet-300-100", tmp_path / "five.safetensors")


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """Read the bundled weights from a copy that a test may damage."""
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr("explorer.zoo.bundled.files", lambda _package: tmp_path)
    return tmp_path / "weights"


@pytest.mark.parametrize("damage", ["one bit", "cut short"])
@pytest.mark.parametrize("name", BUNDLED)
def test_damaged_weights_are_told_and_others_still_load(name, damage, weights):
    path = weights / f"{name}.safetensors"
    content = bytearray(path.read_bytes())
    content[-9] ^= 4
    path.write_bytes(content if damage == "one bit" else content[:-9])
    with pytest.raises(ValueError, match=rf"{name}\.safetensors' is damaged\. Install compression"):
        load(name)
    spare = load_spare(name)
    assert (spare.trained, spare.data) == (False, None)
    other = "lenet-5" if name != "lenet-5" else "lenet-300-100"
    assert load(other).trained
    assert load_spare(other).trained
    path.unlink()
    with pytest.raises(FileNotFoundError, match="weights: no file"):
        load(name)
    assert not load_spare(name).trained

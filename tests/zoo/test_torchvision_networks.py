import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from sameness import assert_same_outputs, assert_same_tensors

from explorer.measure.profile import profile
from explorer.torchvision_import import import_torchvision
from explorer.zoo import WeightsUnavailable, load
from explorer.zoo.torchvision_networks import ONLY_TENSORS_VARIABLE

SMALL = "shufflenet_v2_x0_5"


def published_file(name, tmp_path):
    url = import_torchvision().models.get_model_weights(name).DEFAULT.url
    path = tmp_path / "torch" / "hub" / "checkpoints" / Path(url).name
    path.parent.mkdir(parents=True)
    return path


def test_random_weights_are_the_same_each_time():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, second = load(SMALL, None), load(SMALL, None)
    assert torch.equal(torch.get_rng_state(), state)
    pairs = zip(first.net.parameters(), second.net.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert (first.data, first.trained) == (None, False)
    assert not first.net.training


def test_knows_its_input_classes_and_transforms():
    loaded = load(SMALL, None)
    assert loaded.net.input_shape == (3, 224, 224)
    assert len(loaded.classes) == 1000
    assert loaded.transforms.crop_size == [224]
    assert "_metrics" in loaded.metadata


@pytest.mark.parametrize("name", [SMALL, "regnet_y_400mf", "mnasnet0_5", "swin_t"])
def test_a_file_of_weights_gives_the_same_network(name, tmp_path):
    net = load(name, None).net
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    again = load(name, tmp_path / "net.safetensors")
    assert again.trained
    assert_same_tensors(again.net, net)
    images = torch.rand(1, *net.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert_same_outputs(again.net(images), net(images))


@pytest.mark.parametrize("auxiliary", [False, True])
def test_googlenet_with_and_without_auxiliary_outputs(auxiliary, tmp_path):
    models = import_torchvision().models
    net = models.googlenet(weights=None, init_weights=False, aux_logits=auxiliary)
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    again = load("googlenet", tmp_path / "net.safetensors").net
    assert list(again.state_dict()) == list(net.state_dict())
    assert again.transform_input


def test_without_connection_the_address_and_the_cures_are_told(offline, capsys):
    with pytest.raises(WeightsUnavailable, match=r"shufflenet.*\.pth") as raised:
        load(SMALL)
    assert isinstance(raised.value, RuntimeError)
    assert 'weights="file.safetensors"' in str(raised.value)
    assert "weights=None" in str(raised.value)
    assert capsys.readouterr() == ("", "")


def test_published_weights_are_kept_and_mapped(tmp_path, own_cache, offline, monkeypatch):
    monkeypatch.delenv(ONLY_TENSORS_VARIABLE, raising=False)
    net = load(SMALL, None).net
    path = published_file(SMALL, tmp_path)
    torch.save(net.state_dict(), path)
    first = load(SMALL)
    assert torch.equal(first.net.fc.weight, net.fc.weight)
    assert "DEFAULT" in first.source or "IMAGENET1K" in first.source
    kept = list((own_cache / "weights").iterdir())
    assert [p.name for p in kept] == [f"{path.stem}.safetensors"]
    path.unlink()
    assert torch.equal(load(SMALL).net.fc.weight, net.fc.weight)
    kept[0].write_bytes(b"damaged")
    torch.save(net.state_dict(), path)
    assert torch.equal(load(SMALL).net.fc.weight, net.fc.weight)
    assert kept[0].stat().st_size > 1000


def test_an_unwritable_cache_does_no_harm(tmp_path, own_cache, offline):
    own_cache.write_text("a file where the folder should be")
    net = load(SMALL, None).net
    torch.save(net.state_dict(), published_file(SMALL, tmp_path))
    assert torch.equal(load(SMALL).net.fc.weight, net.fc.weight)


class RunsCode:
    def __reduce__(self):
        return (Path.touch, (Path("touched-by-the-file"),))


def test_code_in_a_published_file_is_not_run(tmp_path, offline, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"fc.weight": RunsCode()}, published_file(SMALL, tmp_path))
    with pytest.raises(WeightsUnavailable, match="holds more than tensors, or is damaged"):
        load(SMALL)
    assert not Path("touched-by-the-file").exists()


def test_a_really_compressed_squeezenet_loads(reference):
    file = f"{reference}/squeezenet1_0-deepcompressed.safetensors"
    net, data = load("squeezenet1_0", file)
    assert data is None
    weights = torch.cat([p.flatten() for n, p in net.named_parameters() if n.endswith("weight")])
    assert float((weights != 0).float().mean()) == pytest.approx(0.334, abs=0.01)
    assert len(profile(net, net.input_shape)) == 26


@pytest.mark.parametrize("name", ["vit_b_32", "inception_v3"])
def test_the_input_shape_fits(name):
    net = load(name, None).net
    assert sum(row.macs for row in profile(net.to("meta"), net.input_shape)) > 0


def test_other_failures_of_the_import_are_not_hidden(tmp_path):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('something else')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from explorer.torchvision_import import import_torchvision; import_torchvision()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "RuntimeError: something else" in done.stderr


def test_networks_work_after_the_import():
    torchvision = import_torchvision()
    assert import_torchvision() is torchvision
    assert torchvision.models.squeezenet1_1(weights=None)(torch.zeros(1, 3, 64, 64)).shape == (
        (1, 1000)
    )

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from explorer.zoo.tensor_files import keep_tensors, put_tensors, read_tensors


def test_what_is_kept_comes_back(tmp_path):
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    assert keep_tensors(net, tmp_path / "new" / "net.safetensors")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["net.safetensors"]
    with torch.device("meta"):
        other = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    put_tensors(other, read_tensors(tmp_path / "new" / "net.safetensors"), "the file")
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in net.state_dict().items())


def test_keeping_where_nothing_can_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert not keep_tensors(nn.Linear(1, 1), tmp_path / "file" / "net.safetensors")


def test_tensors_are_used_not_copied():
    tensors = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    net = put_tensors(nn.Linear(3, 2), tensors, "mine")
    assert net.weight.data_ptr() == tensors["weight"].data_ptr()
    assert net.weight.requires_grad


def test_counters_of_batch_normalization_may_be_missing():
    tensors = {k: v for k, v in nn.BatchNorm1d(2).state_dict().items() if "num" not in k}
    assert put_tensors(nn.BatchNorm1d(2), tensors, "old").num_batches_tracked == 0


def test_writing_into_a_tensor_leaves_the_file_alone(tmp_path):
    save_file({"a": torch.ones(4)}, tmp_path / "a.safetensors")
    read_tensors(tmp_path / "a.safetensors")["a"].zero_()
    assert torch.equal(load_file(tmp_path / "a.safetensors")["a"], torch.ones(4))


def test_every_kind_of_mismatch_is_named():
    tensors = {"weight": torch.ones(3, 3), "extra": torch.ones(1)}
    with pytest.raises(ValueError, match="mine does not fit the network") as raised:
        put_tensors(nn.Linear(3, 2), tensors, "mine")
    text = str(raised.value)
    assert "not in the file: bias" in text
    assert "not in the network: extra" in text
    assert "weight (expected (2, 3), got (3, 3))" in text


def test_a_long_list_of_names_is_cut():
    net = nn.Sequential(*[nn.Linear(1, 1) for _ in range(4)])
    with pytest.raises(ValueError, match=r"0\.weight, 0\.bias, 1\.weight and 5 more"):
        put_tensors(net, {}, "an empty file")


@pytest.mark.parametrize("name", ["net.pth", "net.pt", "net.bin", "net"])
def test_formats_that_may_run_code_are_refused_with_the_cure(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"ending in \.safetensors.*safetensors\.torch\.save_file"):
        read_tensors(tmp_path / name)


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"no file 'nowhere\.safetensors'"):
        read_tensors("nowhere.safetensors")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"not a safetensors file")
    with pytest.raises(ValueError, match="is not a readable safetensors file"):
        read_tensors(tmp_path / "bad.safetensors")

"""What is kept on disk: never in the way, and never believed when it is damaged."""

import errno
import os

import pytest
import torch
from sameness import assert_same_outputs
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.compress.methods.svd import factorize
from explorer.measure import disk_cache as tensor_cache
from explorer.measure.disk_cache import FactorCache, TensorCache
from explorer.measure.saliency import SaliencyIndex

KEY = "key"
TENSORS = {"a": torch.arange(12.0).reshape(3, 4), "b": torch.tensor([1, 2], dtype=torch.int32)}


@pytest.fixture
def cache(tmp_path):
    return TensorCache(tmp_path / "kept")


def full(*_args, **_options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def weight():
    return torch.randn(6, 9, generator=torch.Generator().manual_seed(0))


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()


def data():
    inputs = torch.randn(60, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return TensorDataset(inputs, network()(inputs).argmax(1))


def test_what_is_put_is_found_with_its_remarks(cache):
    cache.put(KEY, TENSORS, {"norm": "3"})
    tensors, remarks = cache.get(KEY)
    assert remarks == {"norm": "3"}
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_every_flipped_bit_is_noticed(cache):
    cache.put(KEY, TENSORS, {"norm": "3"})
    sound = cache.path(KEY).read_bytes()
    start = 8 + int.from_bytes(sound[:8], "little")
    for at in range(start, len(sound)):
        damaged = bytearray(sound)
        damaged[at] ^= 1 << at % 8
        cache.path(KEY).write_bytes(damaged)
        assert cache.get(KEY) is None
        assert not cache.path(KEY).exists()


def test_a_changed_remark_is_noticed(cache):
    cache.put(KEY, TENSORS, {"norm": "3"})
    path = cache.path(KEY)
    path.write_bytes(path.read_bytes().replace(b'"norm":"3"', b'"norm":"4"'))
    assert cache.get(KEY) is None


def test_every_length_that_a_file_can_be_cut_to_is_noticed(cache):
    cache.put(KEY, TENSORS, {})
    sound = cache.path(KEY).read_bytes()
    for n_bytes in range(len(sound)):
        cache.path(KEY).write_bytes(sound[:n_bytes])
        assert cache.get(KEY) is None


@pytest.mark.parametrize("name", ["save_file", "mkdir", "replace", "iterdir"])
def test_a_full_disk_leaves_no_half_file(name, cache, monkeypatch):
    owner = tensor_cache if name == "save_file" else tensor_cache.Path
    monkeypatch.setattr(owner, name, full)
    cache.put(KEY, TENSORS, {})
    monkeypatch.undo()
    assert cache.problem.endswith("the disk is full; make room and try again") or name == "iterdir"
    assert not list(cache.folder.glob("*.part"))
    assert cache.get(KEY) is None or name == "iterdir"


def test_a_disk_that_turns_read_only_is_no_error(cache, monkeypatch):
    monkeypatch.setattr(tensor_cache, "save_file", full)
    monkeypatch.setattr(tensor_cache.Path, "unlink", full)
    cache.put(KEY, TENSORS, {})
    assert cache.get(KEY) is None


def test_a_folder_that_may_not_be_read_is_no_error(cache, monkeypatch):
    def denied(_path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    cache.put(KEY, TENSORS, {})
    monkeypatch.setattr(tensor_cache.Path, "is_file", denied)
    assert cache.get(KEY) is None


def test_damaged_factors_are_made_again(tmp_path):
    cache = FactorCache(tmp_path)
    cache.put(weight(), factorize(weight()))
    path = cache.path(weight())
    sound = bytearray(path.read_bytes())
    sound[-1] ^= 64
    path.write_bytes(sound)
    assert cache.get(weight()) is None
    cache.put(weight(), factorize(weight()))
    assert torch.equal(cache.get(weight()).right, factorize(weight()).right)


@pytest.mark.parametrize("damage", [b"", b"\x10" * 400, None])
def test_damaged_saliencies_are_measured_again(damage, tmp_path):
    def measured():
        layers = dict.fromkeys(["1", "3"])
        for name in layers:
            layers[name] = network()[int(name)].weight
        return SaliencyIndex(network(), layers, data(), TensorCache(tmp_path)).tensors()

    first = measured()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-3] if damage is None else damage)
    again = measured()
    for name in ("1", "3"):
        assert_same_outputs(again[name], first[name], nearly=1e-4)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_session_works_without_a_place_for_its_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    recipe = [ex.Prune(sparsity=0.5, criterion="obd"), ex.LowRank(rank=3)]
    session = ex.Session(network(), data())
    session.apply(recipe)
    assert session.wait(60).accuracy.n == 60
    assert session._subjects.problem.startswith(f"nothing could be kept in {tmp_path}")
    session.close()

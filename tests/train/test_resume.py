"""Checkpoints: going on is as if nothing had happened, and files are whole."""

import copy
import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from sameness import assert_same_tensors, shifted

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.train.checkpoint import Checkpoint
from explorer.train.masks import pruning_masks
from explorer.train.penalties import L1
from explorer.train.settings import TrainSettings
from explorer.train.sharing import share_groups
from explorer.train.training import train

HOW = TrainSettings(n_epochs=4, batch_size=16, max_shift=1, seed=3)


def options(net, kind):
    if kind == "masks":
        return {"masks": pruning_masks(net, Prune(sparsity=0.5))}
    if kind == "groups":
        return {"groups": share_groups(net, {"0": [Prune(sparsity=0.3), Share(4)]})}
    return {"penalties": [L1(strength=1e-3)]}


# Step 2 ends an epoch, step 3 is within one; 0 is before any.
@pytest.mark.parametrize("stop_at", [2, 3])
@pytest.mark.parametrize(
    ("kind", "optimizer"),
    [("penalties", "sgd"), ("masks", "sgd"), ("groups", "sgd"), ("groups", "adam")],
)
def test_going_on_is_bit_identical(noisy_net, images, tmp_path, stop_at, kind, optimizer):
    how = TrainSettings(**{**vars(HOW), "optimizer": optimizer})
    more = options(noisy_net, kind)
    whole = list(train(noisy_net, images, how, **more))
    path = tmp_path / "run.safetensors"
    for record in train(noisy_net, images, how, **more):
        if record.step == stop_at:
            record.checkpoint().save(path)
            break
    torch.rand(3)
    rest = list(train(noisy_net, images, how, resume=Checkpoint.load(path), **more))
    assert [r.step for r in rest] == list(range(stop_at + 1, 9))
    for ours, theirs in zip(rest, whole[stop_at:], strict=True):
        assert (ours.loss, ours.epoch, ours.train_accuracy, ours.learning_rate) == (
            theirs.loss,
            theirs.epoch,
            theirs.train_accuracy,
            theirs.learning_rate,
        )
    end = whole[-1].net.state_dict()
    assert all(torch.equal(end[k], v) for k, v in rest[-1].net.state_dict().items())
    assert rest[0].elapsed_s > record.elapsed_s


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_where_a_checkpoint_lies_in_memory_makes_no_difference(noisy_net, images, optimizer):
    how = TrainSettings(**{**vars(HOW), "optimizer": optimizer})
    for record in train(noisy_net, images, how):
        if record.step == 3:
            checkpoint = record.checkpoint()
    elsewhere = {name: shifted(tensor) for name, tensor in checkpoint.tensors.items()}
    moved = Checkpoint(elsewhere, checkpoint.meta)
    one, other = (
        list(train(noisy_net, images, how, resume=start))[-1] for start in (checkpoint, moved)
    )
    assert_same_tensors(one.net, other.net)
    assert one.loss == other.loss
    assert all(tensor.data_ptr() % 64 == 0 for tensor in other.net.parameters())


def test_a_checkpoint_is_a_copy(net, data):
    going = train(net, data, TrainSettings(n_epochs=2, batch_size=16))
    checkpoint = next(going).checkpoint()
    before = copy.deepcopy(checkpoint.tensors)
    list(going)
    assert all(torch.equal(before[k], v) for k, v in checkpoint.tensors.items())
    assert checkpoint.step == 1


def test_a_checkpoint_before_any_step(net, data):
    how = TrainSettings(n_epochs=1, batch_size=16)
    (start,) = train(net, data, TrainSettings(n_epochs=0, batch_size=16))
    assert start.checkpoint().step == 0
    whole = list(train(net, data, how))
    whole[-1].checkpoint()
    after = list(train(net, data, how, resume=whole[-1].checkpoint()))
    assert [r.step for r in after] == [whole[-1].step]


def checkpoint_after(net, data, how, n_steps=1, **more):
    for record in train(net, data, how, **more):
        if record.step == n_steps:
            return record.checkpoint()
    return None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"settings": TrainSettings(n_epochs=9)}, r"settings differ.*'n_epochs': 4.*'n_epochs': 9"),
        ({"penalties": [L1()]}, "penalties differ"),
        ({"masks": "half"}, "masks differ"),
        ({"groups": "all"}, "groups differ"),
        ({"data": "fewer"}, "samples differ from the checkpoint's 96; got 90"),
        ({"net": "wider"}, "checkpoint is of another network"),
    ],
)
def test_what_must_be_the_same(net, data, change, words):
    how = TrainSettings(n_epochs=4)
    checkpoint = checkpoint_after(net, data, how)
    given = {"net": net, "data": data, "settings": how} | change
    if "masks" in change:
        given["masks"] = pruning_masks(net, Prune(sparsity=0.5))
    if "groups" in change:
        given["groups"] = share_groups(net, Share(2))
    if "data" in change:
        given["data"] = tuple(t[:90] for t in data.tensors)
    if "net" in change:
        given["net"] = torch.nn.Sequential(torch.nn.Linear(6, 3))
    with pytest.raises(ValueError, match=words):
        train(**given, resume=checkpoint)


def test_how_often_records_come_may_change(net, data):
    how = TrainSettings(n_epochs=2, batch_size=16)
    checkpoint = checkpoint_after(net, data, how)
    rare = TrainSettings(**{**vars(how), "report_every": 5})
    assert [r.step for r in train(net, data, rare, resume=checkpoint)] == [5, 6, 10, 12]


def test_a_failed_write_leaves_the_old_file(net, data, tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    checkpoint = checkpoint_after(net, data, TrainSettings())
    checkpoint.save(path)
    before = path.read_bytes()

    def cut_short(self, content):
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError("no space left")

    monkeypatch.setattr(type(path), "write_bytes", cut_short)
    with pytest.raises(OSError, match="no space left"):
        checkpoint.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_files_that_are_no_checkpoints(net, data, tmp_path):
    path = tmp_path / "run.safetensors"
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        Checkpoint.load(path)
    path.write_bytes(b"not one")
    with pytest.raises(ValueError, match="is damaged or none"):
        Checkpoint.load(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="is no checkpoint of a training run"):
        Checkpoint.load(path)
    save_file({"a": torch.zeros(1)}, path, metadata={"explorer": "{"})
    with pytest.raises(ValueError, match="its header is no JSON"):
        Checkpoint.load(path)
    save_file({"a": torch.zeros(1)}, path, metadata={"explorer": json.dumps({"format": "9"})})
    with pytest.raises(ValueError, match="is no checkpoint of a training run"):
        Checkpoint.load(path)
    checkpoint_after(net, data, TrainSettings()).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="is damaged or none"):
        Checkpoint.load(path)


def test_the_file_is_plain_tensors(net, data, tmp_path):
    path = tmp_path / "run.safetensors"
    checkpoint_after(net, data, TrainSettings()).save(path)
    names = set(load_file(path))
    assert {"net.0.weight", "optimizer.0.momentum_buffer", "rng.dropout"} <= names

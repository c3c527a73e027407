"""Run by test_full_disk.py in a process that has a small disk of its own, given as argument."""

import json
import os
import sys
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.compress.methods.svd import factorize
from explorer.errors import error_message
from explorer.measure.disk_cache import FactorCache
from explorer.sweep import command
from explorer.train.settings import TrainSettings
from explorer.train.training import train

ROOM_BYTES = 100 * 1024


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 300), nn.ReLU(), nn.Linear(300, 7)).eval()


def data():
    inputs = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    return TensorDataset(inputs, torch.arange(64) % 7)


def grid(n):
    return [[ex.Prune(sparsity=i / n)] for i in range(n)]


def fill(disk):
    """Leave no room on the disk."""
    with (disk / "full").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def make_room(disk):
    """Leave a little room."""
    os.truncate(disk / "full", (disk / "full").stat().st_size - ROOM_BYTES)


def written(path, write):
    """Tell how writing to a file went that was there before."""
    before = path.read_bytes()
    words = ""
    try:
        write(path)
    except OSError as error:
        words = error_message(error)
    left = [each.name for each in path.parent.iterdir() if each.name.endswith(".part")]
    for name in left:
        (path.parent / name).unlink()
    return {"words": words, "kept": path.read_bytes() == before, "left": left}


def factors(folder):
    weight = torch.randn(200, 200)
    cache = FactorCache(folder)
    cache.put(weight, factorize(weight))
    kept = cache.get(weight) is None
    return {"words": cache.problem, "kept": kept, "left": [p.name for p in folder.iterdir()]}


def new_store(disk):
    def sweep():
        return list(ex.sweep(network(), data(), grid(3), store=disk / "points.sqlite"))

    words = ""
    try:
        sweep()
    except OSError as error:
        words = str(error)
    (disk / "full").unlink()
    return {"words": words, "n_points": len(sweep())}


def filling_store(disk):
    path, told, asked = disk / "other.sqlite", [], grid(800)
    list(ex.sweep(network(), data(), asked[:3], store=path))
    fill(disk)
    make_room(disk)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        points = list(ex.sweep(network(), None, asked, store=path))
    words = [str(each.message) for each in found]
    (disk / "full").unlink()
    list(ex.sweep(network(), None, asked, store=path, progress=told.append))
    again = []
    list(ex.sweep(network(), data(), asked[:3], store=path, progress=again.append))
    return {
        "words": words,
        "n_points": len(points),
        "n_asked": len(asked),
        "n_known": told[-1].n_known,
        "n_before": again[-1].n_known,
    }


def main(disk):
    torch.set_num_threads(1)
    *_, record = train(network(), data(), TrainSettings(n_epochs=1, batch_size=32))
    small = ex.compress(network(), [ex.Prune(sparsity=0.1)])
    points = list(ex.sweep(network(), None, grid(300)))
    names = ("run.safetensors", "net.cmpx", "dense.safetensors", "points.json")
    for name in names:
        (disk / name).write_text("what was there before", encoding="utf-8")
    fill(disk)
    run, compressed, dense, table = (disk / name for name in names)
    told = {
        "checkpoint": written(run, record.checkpoint().save),
        "compressed file": written(compressed, small.save),
        "dense weights": written(dense, small.export_safetensors),
        "table of a sweep": written(table, lambda path: command.write(points, path)),
        "factors": factors(disk / "factors"),
        "new store": new_store(disk),
        "store": filling_store(disk),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Sweeps in processes of their own: what travels, and what happens when somebody is killed."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from sweep_subjects import (
    RECIPES,
    Apart,
    Deadly,
    another,
    figures,
    loaded,
    small_data,
    small_net,
)
from torch import nn

from explorer.compress.methods.prune import Prune
from explorer.sweep.dispatch import SweepIncomplete
from explorer.sweep.distribution import Delivery
from explorer.sweep.run import sweep
from explorer.sweep.store import Store
from explorer.sweep.workers import WorkerProcesses
from explorer.zoo import load

DEATH = [Prune(sparsity=1.0)]
ALIVE = [[Prune(sparsity=s / 10)] for s in range(8)]
BIG = nn.Sequential(nn.Linear(6, 4000), nn.ReLU(), nn.Linear(4000, 7))
BIG_BYTES = 4 * 4000 * 15


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield pool


def test_processes_find_what_threads_find(pool):
    net, data = small_net(), small_data()
    recipes = [*RECIPES, {"none": []}, [Prune(sparsity=0.5, criterion="obd")]]
    here = figures(sweep(net, data, recipes))
    there = figures(sweep(net, data, recipes, executor=pool))
    assert there == here
    assert len(there) == len(recipes)


def test_networks_of_torchvision_travel():
    net, data = load("squeezenet1_0", weights=None).net, None
    recipes = [[Prune(sparsity=0.5)]]
    with WorkerProcesses(1) as fresh:
        there = figures(sweep(net, data, recipes, executor=fresh))
    assert there == figures(sweep(net, data, recipes))


def test_recipes_travel_light(pool):
    apart = Apart(pool)
    points = figures(sweep(BIG, small_data(), ALIVE, executor=apart))
    assert points == figures(sweep(BIG, small_data(), ALIVE))
    assert len(apart.sent) == len(ALIVE)
    assert max(apart.sent) < 2000 < BIG_BYTES


def test_workers_without_the_file_ask_once_each(pool, monkeypatch):
    apart = Apart(pool)
    monkeypatch.setattr(Delivery, "write", lambda self: None)
    net = nn.Sequential(nn.Linear(6, 5000), nn.ReLU(), nn.Linear(5000, 7))
    recipes = [[Prune(sparsity=s / 50)] for s in range(40)]
    points = figures(sweep(net, small_data(), recipes, executor=apart))
    assert points == figures(sweep(net, small_data(), recipes))
    parcels = [n for n in apart.sent if n > 4 * 5000 * 14]
    assert 1 <= len(parcels) <= 4
    assert all(n < 2000 for n in apart.sent if n not in parcels)


def test_workers_load_by_themselves(pool):
    apart = Apart(pool)
    net, data = loaded()
    points = figures(sweep(net, data, RECIPES, executor=apart, loader=loaded))
    assert points == figures(sweep(net, data, RECIPES))
    assert max(apart.sent) < 2000


def test_a_loader_of_another_network_is_not_believed(pool):
    apart = Apart(pool)
    net = nn.Sequential(nn.Linear(6, 9), nn.Linear(9, 7))
    points = figures(sweep(net, small_data(), ALIVE, executor=apart, loader=another))
    assert points == figures(sweep(net, small_data(), ALIVE))
    assert max(apart.sent) > 2000


def test_the_file_is_gone_afterwards(pool, tmp_path):
    points = sweep(small_net(), small_data(), ALIVE, executor=pool, folder=tmp_path)
    next(points)
    assert len(list(tmp_path.glob("sweep-*/sweep.pt"))) == 1
    points.close()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_sent_is_told(pool):
    net = small_net(seed=7)
    net.register_forward_hook(lambda module, inputs, output: output)
    with pytest.raises(ValueError, match="net, data or metric cannot be sent to worker processes"):
        list(sweep(net, small_data(), ALIVE, executor=pool))
    assert len(list(sweep(net, small_data(), ALIVE))) == len(ALIVE)


def test_what_workers_cannot_rebuild_is_told(pool, monkeypatch):
    class Vanishing(nn.Linear):
        pass

    Vanishing.__qualname__ = "Vanishing"
    monkeypatch.setattr(sys.modules[__name__], "Vanishing", Vanishing, raising=False)
    with pytest.raises(ValueError, match=r"workers cannot rebuild them .*Vanishing"):
        list(sweep(Vanishing(6, 7), small_data(), ALIVE, executor=pool))


def test_a_recipe_that_kills_its_worker_is_a_point_and_the_others_go_on(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "points.sqlite"
    with WorkerProcesses(1) as workers:
        recipes = [*ALIVE, DEATH]
        points = list(sweep(Deadly(), small_data(), recipes, executor=workers, store=path))
    failed = [point for point in points if point.error_message]
    assert len(points) == len(recipes)
    assert [point.recipe.steps_for("fc") for point in failed] == [tuple(DEATH)]
    assert "the worker process died while it measured this recipe, alone" in failed[0].error_message
    assert all(point.accuracy for point in points if point not in failed)


def test_a_pool_that_breaks_leaves_the_finished_points_and_names_the_others(tmp_path):
    net, data, path = Deadly(), small_data(), tmp_path / "points.sqlite"
    recipes = [*ALIVE, DEATH]
    found = []
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
        pytest.raises(SweepIncomplete, match=r"workers failed: BrokenProcessPool") as caught,
    ):
        for point in sweep(net, data, recipes, executor=pool, store=path):
            found.append(point)
    missing = caught.value.missing
    assert tuple(DEATH) in [recipe.steps_for("fc") for recipe in missing]
    assert len(found) + len(missing) == len(recipes)
    told = []
    again = list(sweep(net, data, ALIVE, store=path, progress=told.append))
    assert len(again) == len(ALIVE)
    assert told[-1].n_known == len(found)


def test_worker_processes_are_numbers_from_one_up():
    with pytest.raises(ValueError, match="n_workers: expected a whole number from 1 up, got 0"):
        WorkerProcesses(0)


UNGUARDED = """
import explorer as ex
from explorer.sweep.run import sweep
from explorer.sweep.workers import WorkerProcesses

net, data = ex.load("lenet-300-100")
with WorkerProcesses(1) as workers:
    list(sweep(net, data, [[ex.Prune(sparsity=0.5)]] * 3, executor=workers))
"""


def test_a_script_without_a_guard_is_told(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert "SweepIncomplete: 1 point(s) of the sweep are missing" in done.stderr
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]


CLIENT = """
import sys, time
import explorer as ex
from explorer.sweep.run import sweep
from explorer.sweep.workers import WorkerProcesses

if __name__ == "__main__":
    net, data = ex.load("lenet-300-100")
    recipes = [[ex.Prune(sparsity=s / 100)] for s in range(40)]
    with WorkerProcesses(1) as workers:
        for point in sweep(net, data.eval, recipes, executor=workers, store=sys.argv[1]):
            print(point.key, flush=True)
            time.sleep(0.05)
"""


def test_a_client_that_is_killed_goes_on_where_it_was(tmp_path):
    script, path, told = tmp_path / "client.py", tmp_path / "points.sqlite", []
    script.write_text(CLIENT, encoding="utf-8")
    client = subprocess.Popen(
        [sys.executable, str(script), str(path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    with client:
        seen = [client.stdout.readline().decode().strip() for _ in range(5)]
        workers = children(client.pid)
        os.kill(client.pid, signal.SIGKILL)
    store = Store(path)
    kept = store.known(seen)
    store.close()
    assert list(kept) == seen
    assert workers
    assert all(gone(pid) for pid in workers)

    net, data = load("lenet-300-100")
    recipes = [[Prune(sparsity=s / 100)] for s in range(40)]
    points = list(sweep(net, data.eval, recipes, store=path, progress=told.append))
    assert len({point.key for point in points}) == 40
    assert 5 <= told[-1].n_known < 40
    assert {point.key: point for point in points if point.key in kept} == kept


def children(pid):
    """Process ids of the spawned workers of a process."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
            command = status.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == pid and b"spawn_main" in command:
            found.append(int(status.parent.name))
    return found


def gone(pid, patience_s=20):
    """Whether a process ends, or is but a zombie, before patience does."""
    for _ in range(patience_s * 20):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        except OSError:
            return True
        if state.split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False

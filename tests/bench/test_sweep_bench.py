"""What the rows about sweeps measure is what they say."""

import explorer
from explorer.bench import sweeping
from explorer.bench.rows import BenchRow, Skipped
from explorer.bench.timing import Effort

QUICK = Effort(n_runs=1, budget_s=0)


def test_a_sweep_and_the_loop_measure_the_same_recipes(subject, monkeypatch):
    seen = []
    real = explorer.compress
    monkeypatch.setattr(
        explorer, "compress", lambda net, recipe: seen.append(recipe) or real(net, recipe)
    )
    (row,) = sweeping.cost(subject, QUICK)
    assert isinstance(row, BenchRow)
    assert row.measures == "8 points, bytes and accuracy, indexing included"
    assert seen == sweeping.recipes(0) + sweeping.recipes(1)
    assert row.ratio > 0


def test_recipes_are_new_each_round():
    tried = [recipe for number in range(30) for recipe in sweeping.recipes(number)]
    assert len(set(tried)) == 30 * sweeping.N_RECIPES


def test_one_core_has_nothing_to_scale_over(subject, monkeypatch):
    monkeypatch.setattr(sweeping, "n_cores", lambda: 1)
    (row,) = sweeping.scaling(subject, QUICK)
    assert isinstance(row, Skipped)


def test_threads_and_processes_are_timed(subject, monkeypatch):
    started = []
    monkeypatch.setattr(sweeping, "n_cores", lambda: 2)
    monkeypatch.setattr(
        sweeping, "WorkerProcesses", lambda n: started.append(n) or sweeping._threads(n)
    )
    told = [row.measures for row in sweeping.scaling(subject, QUICK)]
    assert told == ["8 points on two threads", "8 points on two processes"]
    assert started == [1, 2]

"""What the rows about sweeps measure is what they say."""

import explorer
from explorer.bench import session
from explorer.bench.timing import BenchRow, Effort, Skipped

QUICK = Effort(n_runs=1, budget_s=0)


def test_a_sweep_and_the_loop_measure_the_same_recipes(subject, monkeypatch):
    seen = []
    real = explorer.compress
    monkeypatch.setattr(
        explorer, "compress", lambda net, recipe: seen.append(recipe) or real(net, recipe)
    )
    (row,) = session.cost(subject, QUICK)
    assert isinstance(row, BenchRow)
    assert row.measures == "8 points, bytes and accuracy, indexing included"
    assert seen == session.recipes(0) + session.recipes(1)
    assert row.ratio > 0


def test_recipes_are_new_each_round():
    tried = [recipe for number in range(30) for recipe in session.recipes(number)]
    assert len(set(tried)) == 30 * session.N_RECIPES


def test_one_core_has_nothing_to_scale_over(subject, monkeypatch):
    monkeypatch.setattr(session, "n_cores", lambda: 1)
    (row,) = session.scaling(subject, QUICK)
    assert isinstance(row, Skipped)


def test_threads_and_processes_are_timed(subject, monkeypatch):
    started = []
    monkeypatch.setattr(session, "n_cores", lambda: 2)
    monkeypatch.setattr(
        session, "WorkerProcesses", lambda n: started.append(n) or session._threads(n)
    )
    told = [row.measures for row in session.scaling(subject, QUICK)]
    assert told == ["8 points on two threads", "8 points on two processes"]
    assert started == [1, 2]

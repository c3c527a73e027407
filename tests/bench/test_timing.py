"""Jobs are timed in turn."""

import pytest

from explorer.bench.timing import Effort, Job, Timing, alternate


def test_figures_by_hand():
    mine = Timing((0.004, 0.002, 0.009))
    theirs = Timing((0.002, 0.002, 0.003))
    assert mine.n_runs == 3
    assert mine.median_ms == pytest.approx(4)
    assert mine.p95_ms == pytest.approx(8.5)
    assert mine.over(theirs) == pytest.approx(2)  # of 2, 1 and 3
    assert mine.best_over(theirs) == pytest.approx(1)
    assert theirs.best_over(Timing((0.004, 0.008, 0.004))) == pytest.approx(0.5)


def test_rounds_of_different_length_do_not_pair():
    with pytest.raises(ValueError, match="shorter"):
        Timing((1.0, 2.0)).over(Timing((1.0,)))


def test_jobs_take_turns_and_get_what_was_prepared():
    told = []
    jobs = {
        "a": Job(lambda given: told.append(("a", given)), lambda i: 10 * i),
        "b": Job(lambda given: told.append(("b", given))),
    }
    timings = alternate(jobs, Effort(n_runs=2))
    assert told == [("a", 0), ("b", 0), ("a", 10), ("b", 1), ("a", 20), ("b", 2)]
    assert {name: timing.n_runs for name, timing in timings.items()} == {"a": 2, "b": 2}


def test_preparing_and_the_first_round_are_not_timed(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr("explorer.bench.timing.time.perf_counter", lambda: clock[0])
    clock = [0.0]

    def advance(seconds):
        clock[0] += seconds

    job = Job(advance, lambda i: advance(1000) or (5.0, 1.0, 2.0)[next(now)])
    assert alternate({"job": job}, Effort(n_runs=2, budget_s=1e9))["job"].seconds == (1.0, 2.0)


def test_a_spent_budget_leaves_one_timed_run():
    runs = []
    timings = alternate({"job": Job(runs.append)}, Effort(n_runs=30, budget_s=0))
    assert runs == [0, 1]
    assert timings["job"].n_runs == 1

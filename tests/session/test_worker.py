"""One background thread: the latest job runs, older ones stop, it ends when told to."""

import threading
import time

import pytest

from explorer.session.latest_wins import LatestWins


@pytest.fixture
def worker():
    worker = LatestWins("test-latest")
    yield worker
    worker.close()


def test_a_waiting_job_is_replaced_and_the_running_one_turns_stale(worker):
    started, go_on, done = threading.Event(), threading.Event(), threading.Event()
    ran = []

    def first(stale):
        started.set()
        go_on.wait(10)
        ran.append(("first", stale()))

    worker.submit(first)
    assert started.wait(10)
    for number in range(20):
        worker.submit(lambda stale, n=number: (ran.append((n, stale())), done.set()))
    go_on.set()
    assert done.wait(10)
    assert ran == [("first", True), (19, False)]


def test_the_only_job_is_never_stale(worker):
    done, told = threading.Event(), []
    worker.submit(lambda stale: (told.append(stale()), done.set()))
    assert done.wait(10)
    assert told == [False]


def test_closing_turns_the_running_job_stale_and_ends_the_thread(worker):
    started, seen = threading.Event(), []

    def work(stale):
        started.set()
        while not stale():
            threading.Event().wait(0.001)
        seen.append("stopped")

    worker.submit(work)
    assert started.wait(10)
    worker.close()
    assert seen == ["stopped"]
    assert "test-latest" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError, match="the session is closed; make a new one"):
        worker.submit(work)


def test_closing_twice_or_unused_is_no_error():
    worker = LatestWins("test-unused")
    worker.close()
    worker.close()


def test_a_job_may_close_its_own_worker(worker):
    done = threading.Event()
    worker.submit(lambda stale: (worker.close(), done.set()))
    assert done.wait(10)


def test_a_job_that_raises_is_told_of_and_does_not_stop_the_next(worker, monkeypatch):
    told, raised, done = [], threading.Event(), threading.Event()
    monkeypatch.setattr(
        threading, "excepthook", lambda args: (told.append(args.exc_value), raised.set())
    )

    def work(stale):
        raise ZeroDivisionError("no result")

    worker.submit(work)
    assert raised.wait(10)
    worker.submit(lambda stale: done.set())
    assert done.wait(10)
    assert [str(error) for error in told] == ["no result"]


@pytest.fixture
def told(monkeypatch):
    """What is reported as uncaught errors of threads."""
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_value))
    return told


def test_what_goes_wrong_once_the_worker_is_closed_is_nobodys_concern(worker, told):
    started, go_on = threading.Event(), threading.Event()

    def work(stale):
        started.set()
        go_on.wait(10)
        raise ZeroDivisionError("what it worked for is gone")

    worker.submit(work)
    assert started.wait(10)
    closer = threading.Thread(target=worker.close)
    closer.start()
    while not worker._closed:
        threading.Event().wait(0.001)
    go_on.set()
    closer.join(10)
    assert "test-latest" not in {thread.name for thread in threading.enumerate()}
    assert told == []


def test_a_job_that_comes_upon_a_closed_worker_ends_and_the_next_one_runs(worker, told):
    other, done = LatestWins("test-other"), threading.Event()
    other.close()
    met = threading.Event()

    def work(stale):
        met.set()
        other.submit(work)

    worker.submit(work)
    assert met.wait(10)
    worker.submit(lambda stale: done.set())
    assert done.wait(10)
    assert told == []


def test_a_thread_that_cannot_start_leaves_a_worker_that_can_be_closed(worker, monkeypatch):
    def start(_thread):
        raise RuntimeError("can't start new thread")

    done = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            worker.submit(lambda stale: done.set())
    worker.submit(lambda stale: done.set())
    assert done.wait(10)


def test_jobs_that_keep_coming_put_off_the_latest_for_so_long_only(monkeypatch):
    monkeypatch.setattr("explorer.session.latest_wins.SETTLE_S", 60.0)
    worker, ran = LatestWins("test-patience", patience_s=0.1), threading.Event()
    end = time.monotonic() + 20
    while not ran.wait(0.005) and time.monotonic() < end:
        worker.submit(lambda stale: ran.set())
    assert ran.is_set()
    worker.close()


def test_a_job_waits_until_no_other_came_in_for_the_time_given():
    worker = LatestWins("test-rested", settle_s=0.3)
    done, begun = threading.Event(), []
    for number in range(4):
        worker.submit(lambda _stale, n=number: (begun.append((n, time.monotonic())), done.set()))
        submitted = time.monotonic()
        time.sleep(0.1)
    assert done.wait(10)
    worker.close()
    ((number, when),) = begun
    assert number == 3
    assert when - submitted > 0.25

"""Runs in the background: paused, resumed, stopped, failed, and never two at once."""

import sys
import threading
import time

import pytest
from waiting import until

from explorer.session.background import BackgroundRun, State

WAIT_S = 20


class Watched:
    """A run, its records, and the states that it went through."""

    def __init__(self):
        self.records, self.states = [], []
        self.run = BackgroundRun(self.records.append, lambda run: self.states.append(run.state))


def counting(upto=10**9, pause_s=0.001):
    for i in range(upto):
        yield i
        time.sleep(pause_s)


def test_a_run_goes_to_its_end():
    watched = Watched()
    watched.run.start(counting(5))
    assert watched.run.join(WAIT_S) is State.DONE
    assert watched.records == [0, 1, 2, 3, 4]
    assert watched.states == [State.RUNNING, State.DONE]


def test_paused_nothing_comes_and_resumed_nothing_is_lost():
    watched = Watched()
    watched.run.start(counting())
    until(lambda: len(watched.records) > 3)
    watched.run.pause()
    time.sleep(0.02)
    held = len(watched.records)
    time.sleep(0.05)
    assert len(watched.records) == held
    watched.run.resume()
    until(lambda: len(watched.records) > held + 3)
    watched.run.stop()
    assert watched.run.join(WAIT_S) is State.STOPPED
    assert watched.records == list(range(len(watched.records)))


def test_stopped_while_paused_and_the_generator_is_closed():
    closed = threading.Event()

    def records():
        try:
            yield from counting()
        finally:
            closed.set()

    watched = Watched()
    watched.run.start(records())
    until(lambda: watched.records)
    watched.run.pause()
    watched.run.stop()
    assert watched.run.join(WAIT_S) is State.STOPPED
    assert closed.is_set()


def test_a_failure_is_kept_and_the_next_run_begins_anew():
    def broken():
        yield 1
        raise ValueError("loss is not a number")

    watched = Watched()
    watched.run.start(broken())
    assert watched.run.join(WAIT_S) is State.FAILED
    assert str(watched.run.error) == "loss is not a number"
    assert watched.records == [1]
    watched.run.start(counting(2))
    assert watched.run.join(WAIT_S) is State.DONE
    assert watched.run.error is None


def test_never_two_at_once():
    watched = Watched()
    watched.run.start(counting())
    with pytest.raises(RuntimeError, match="a run is under way; stop it before the next one"):
        watched.run.start(counting())
    with pytest.raises(TimeoutError, match=r"the run has not ended after 0\.01 s"):
        watched.run.join(0.01)
    watched.run.stop()
    watched.run.join(WAIT_S)


def test_buttons_out_of_turn_do_nothing():
    watched = Watched()
    for press in (watched.run.pause, watched.run.resume, watched.run.stop):
        press()
    assert watched.run.state is State.IDLE
    assert watched.states == []


def test_a_pause_that_comes_at_the_end_leaves_no_run_that_never_ends():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(200):
            watched = Watched()
            watched.run.start(iter(range(3)))
            end = time.monotonic() + WAIT_S
            while watched.run.active:
                assert time.monotonic() < end
                watched.run.pause()
                watched.run.resume()
            assert watched.run.join(WAIT_S) is State.DONE
    finally:
        sys.setswitchinterval(before)


def test_a_run_that_is_paused_after_its_last_record_is_done():
    def records():
        yield 1
        watched.run.pause()

    watched = Watched()
    watched.run.start(records())
    assert watched.run.join(WAIT_S) is State.DONE
    assert watched.states == [State.RUNNING, State.PAUSED, State.DONE]
    watched.run.start(counting(2))
    assert watched.run.join(WAIT_S) is State.DONE


def test_who_is_told_of_the_end_and_fails_ends_the_run_all_the_same():
    def changed(run):
        if not run.active:
            raise ZeroDivisionError("nothing to draw on")

    run = BackgroundRun(lambda _record: None, changed)
    run.start(iter([1]))
    assert run.join(WAIT_S) is State.FAILED
    assert str(run.error) == "nothing to draw on"

"""Latency: counted runs on a false clock, nothing changed, bounded, stopped, bad input."""

import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.compress.networks import forward
from explorer.measure.latency import Latency, compare, timed_rounds


class Clock:
    """A clock that only jobs advance."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def job(self, *seconds):
        """Take each of `seconds` in turn, the last again and again."""
        left = list(seconds)

        def run():
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run

    def net(self, *seconds):
        run = self.job(*seconds)

        class Slow(nn.Module):
            def forward(self, x):
                run()
                return x

        return Slow()


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_by_hand_median_and_quartiles_without_the_warm_up(clock):
    first = clock.net(9.0, 0.001, 0.005, 0.002, 0.004, 0.003)
    found = compare(first, clock.net(8.0, 0.001), (2,), 7, 5, budget_s=9)
    assert found.first == Latency(pytest.approx(3), pytest.approx(2), pytest.approx(4), 5, 7)
    assert found.second == Latency(*[pytest.approx(1)] * 3, 5, 7)


def test_by_hand_the_speedup_is_that_of_rounds(clock):
    # Whatever slows the machine in the second round slows both; the ratios of the rounds
    # are 4, 2, 4.
    first, second = clock.net(1, 4, 40, 8), clock.net(1, 1, 20, 2)
    found = compare(first, second, (2,), n_runs=3, budget_s=1000)
    assert found.speedup == 4
    assert (found.low, found.high) == (3, 4)
    assert (found.first.median_ms, found.second.median_ms) == (8000, 2000)


def test_every_other_round_goes_in_reverse_order():
    order = []
    jobs = {name: lambda name=name: order.append(name) for name in "ab"}
    timed_rounds(jobs, 3, 10.0)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"


@given(st.integers(1, 12), st.floats(0, 10))
def test_no_run_begins_after_the_budget(n_runs, budget_s):
    with pytest.MonkeyPatch.context() as patch:
        found = timed_rounds({"job": Clock(patch).job(1.0)}, n_runs, budget_s)["job"]
    assert len(found) == min(n_runs, max(1, int(np.ceil(budget_s))))
    assert (found == 1).all()


def test_a_stop_keeps_whole_rounds_only(clock):
    answers = iter([False] * 5 + [True])
    found = timed_rounds({"a": clock.job(1.0), "b": clock.job(2.0)}, 9, 99, lambda: next(answers))
    assert {name: list(seconds) for name, seconds in found.items()} == {"a": [1], "b": [2]}


def test_stopped_before_the_first_run_there_is_none():
    net = nn.Linear(3, 2)
    assert compare(net, net, (3,), should_stop=lambda: True) is None


def test_the_networks_own_time_is_measured():
    class Sleeping(nn.Module):
        def forward(self, x):
            time.sleep(0.002)
            return x

    found = compare(Sleeping(), nn.Identity(), (4,), n_runs=3)
    assert found.first.low_ms >= 2
    assert found.first.n_runs == found.second.n_runs == 3
    assert found.speedup > 1


def test_the_network_is_left_as_it_was():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 2))
    net[3].eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    random_state = torch.get_rng_state()
    seen = []
    net.register_forward_hook(
        lambda *_: seen.append(
            [not torch.is_inference_mode_enabled(), *(m.training for m in net.modules())]
        )
    )
    found = compare(net, net, (3,), batch_size=5, n_runs=2)
    assert found.first.batch_size == found.second.batch_size == 5
    assert len(seen) == 2 * 3
    assert not any(any(flags) for flags in seen)
    assert [m.training for m in net] == [True, True, True, False]
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)


def test_the_input_has_the_weights_type_and_is_the_same_each_time():
    net = nn.Linear(3, 2).to(torch.bfloat16)
    drawn = forward.random_input(net, (3,), 6)
    assert drawn.shape == (6, 3)
    assert drawn.dtype == torch.bfloat16
    assert len(drawn.unique()) > 6
    assert torch.equal(drawn, forward.random_input(net, (3,), 6))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input_shape": (4,)}, r"does not take an input of shape \(4,\)"),
        ({"input_shape": 3}, "input_shape: expected the positive sizes of one input"),
        ({"input_shape": (0,)}, "input_shape: expected the positive sizes of one input"),
        ({"batch_size": 0}, "batch_size: expected a whole number from 1 up, got 0"),
        ({"n_runs": 0}, "n_runs: expected a whole number from 1 up, got 0"),
    ],
)
def test_bad_input_is_told_and_the_flags_stay(arguments, words):
    net = nn.Linear(3, 2)
    with pytest.raises(ValueError, match=words):
        compare(nn.Identity(), net, **{"input_shape": (3,)} | arguments)
    assert net.training


def test_a_network_elsewhere_is_refused():
    with pytest.raises(ValueError, match=r"net is on meta, .* copy\.deepcopy\(net\)\.cpu\(\)"):
        compare(nn.Linear(3, 2), nn.Linear(3, 2, device="meta"), (3,))

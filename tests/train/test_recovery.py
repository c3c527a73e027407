"""Recovery in bursts of compute."""

import itertools

import pytest
import torch

import explorer as ex
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.train.recovery import recover
from explorer.train.settings import TrainSettings
from explorer.train.sharing import share_groups


def test_lenet_recovers_most_of_what_pruning_took():
    net, data = ex.load("lenet-300-100")
    small = ex.compress(net, [Prune(sparsity=0.9)]).restore()
    how = TrainSettings(learning_rate=0.05, batch_size=64, max_steps=40)
    records = list(recover(small, data, settings=how, budget_s=1e6))
    before, after = (ex.evaluate(n, data.eval).top1 for n in (small, records[-1].net))
    assert before < 0.75
    assert after > 0.93
    assert records[-1].density == pytest.approx(dict.fromkeys(("fc1", "fc2", "fc3"), 0.1))
    assert records[-1].step == 40


def test_each_burst_is_a_step_or_more(net, data):
    found = list(itertools.islice(recover(net, data, budget_s=1e6, burst_s=1e-9), 5))
    assert [record.step for record in found] == [1, 2, 3, 4, 5]
    (burst,) = recover(
        net, data, burst_s=1e6, budget_s=1e6, settings=TrainSettings(n_epochs=2, batch_size=16)
    )
    assert burst.step == 12


def test_the_budget_ends_it(net, data):
    how = TrainSettings(n_epochs=10**6, batch_size=16)
    found = list(recover(net, data, settings=how, budget_s=1e-3, burst_s=1e-9))
    assert found[-2].elapsed_s < 1e-3 if len(found) > 1 else found[-1].step == 1


def test_stopping(net, data):
    asked = itertools.count()
    found = list(recover(net, data, burst_s=1e6, should_stop=lambda: next(asked) >= 3))
    assert [record.step for record in found] == [3]
    (record,) = recover(net, data, should_stop=lambda: True)
    assert record.step == 0
    state = net.state_dict()
    assert all(torch.equal(state[k], v) for k, v in record.net.state_dict().items())


def test_zeros_stay_by_themselves_and_groups_share(net, data):
    with torch.no_grad():
        net[2].weight[:, 3] = 0
    groups = share_groups(net, {"0": [Prune(sparsity=0.5), Share(2)]})
    *_, record = recover(
        net, data, groups=groups, settings=TrainSettings(n_epochs=1, batch_size=16)
    )
    assert not record.net[2].weight[:, 3].any()
    assert len(record.net[0].weight.unique()) == 3
    free = list(recover(net, data, masks={}, settings=TrainSettings(n_epochs=1, batch_size=16)))
    assert free[-1].net[2].weight[:, 3].any()


def test_bad_times(net, data):
    with pytest.raises(ValueError, match="budget_s must be finite and positive; got 0"):
        recover(net, data, budget_s=0)
    with pytest.raises(ValueError, match="burst_s must be finite and positive"):
        recover(net, data, burst_s=-1)

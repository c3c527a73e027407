import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.measure.metric import Metric, Score

SHORT = ex.TrainSettings(n_epochs=1, batch_size=16)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


def samples():
    generator = torch.Generator().manual_seed(1)
    return TensorDataset(
        torch.randn(32, 6, generator=generator), torch.randint(0, 3, (32,), generator=generator)
    )


def norm(net):
    assert not net.training
    return float(net[0].weight.detach().norm())


NORM = Metric(norm, unit="kg", higher_is_better=False)


@pytest.mark.parametrize(
    "run",
    [
        lambda net, data: ex.train(net, data, SHORT, metric=NORM),
        lambda net, data: ex.retrain(net, data, 0.5, SHORT, metric=NORM),
        lambda net, data: ex.distill(net, network(), data, SHORT, metric=NORM),
        lambda net, data: ex.train_shared(net, data, [ex.Share(n_clusters=4)], SHORT, metric=NORM),
        lambda net, data: ex.recover(net, data, budget_s=0.05, metric=NORM),
    ],
    ids=["train", "retrain", "distill", "train_shared", "recover"],
)
def test_a_run_is_judged_by_the_metric(run):
    last = list(run(network(), samples()))[-1]
    assert last.validation == Score(norm(last.net), "norm", "kg", False)


def test_networks_before_and_after_neurons_went_are_judged_by_it():
    dropped = list(ex.drop_neurons(network(), samples(), SHORT, metric=NORM))[-1]
    assert dropped.before.value == norm(dropped.thresholded)
    assert dropped.after == Score(norm(dropped.net), "norm", "kg", False)


def test_what_goes_wrong_with_it_ends_the_run_in_words():
    with pytest.raises(ValueError, match=r"metric: expected a finite number.*got nan"):
        list(ex.train(network(), samples(), SHORT, metric=lambda net: float("nan")))

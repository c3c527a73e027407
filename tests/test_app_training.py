"""The tab on training in the whole page: a trained network takes the place of the first."""

import threading

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.experiments.pruning import Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.session.background import State
from explorer.zoo.loaded import Data

WAIT_S = 30


@pytest.fixture
def app():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 3)).eval()
    inputs = torch.randn(160, 6)
    labels = inputs[:, :3].argmax(1)
    data = Data(TensorDataset(inputs[:96], labels[:96]), TensorDataset(inputs[96:], labels[96:]))
    made = ex.Explorer(net, data, recipe=[ex.Prune(sparsity=0.5)])
    made.wait(WAIT_S)
    yield made
    made.close()


def opened(app):
    topics = app._topics
    topics.open("Train")
    return topics["Train"]


def test_the_trained_network_is_shown_with_its_zeros_kept(app):
    train = opened(app)
    first = app.session.net
    train.setup.plan = Retrain(sparsity=0.8, n_stages=2, n_epochs=1)
    train.start()
    assert train.training.join(WAIT_S) is State.DONE
    last = train.training.log.accuracies()[""][1]
    train.use_trained()
    result = app.wait(WAIT_S)
    assert app.session.net is not first
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.0)])
    assert result.sparsity == pytest.approx(0.8)
    assert result.accuracy == last
    assert train.training is None
    assert "ex.load" not in app._topics.loading


def test_a_run_goes_on_while_the_recipe_moves_and_ends_with_the_page(app):
    train = opened(app)
    train.setup.plan = Regularize(n_epochs=50_000)
    train.start()
    running = train.training
    app.recipe = [ex.Prune(sparsity=0.9)]
    assert app.wait(WAIT_S).sparsity == pytest.approx(0.9)
    assert running.active
    app.close()
    running.join(WAIT_S)
    assert not running.active


def test_recovery_begins_once_the_figures_are_complete(app, monkeypatch):
    train, begun = opened(app), threading.Event()
    train.recovery = Recover(budget_s=0.5)
    started = []

    def start(session, result, plan):
        started.append((result.complete, plan))
        begun.set()

    monkeypatch.setattr(train._live, "start", start)
    app.recipe = [ex.Prune(sparsity=0.7)]
    assert begun.wait(WAIT_S)
    assert started[0] == (True, Recover(budget_s=0.5))

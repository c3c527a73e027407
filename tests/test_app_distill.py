"""The tab on distillation in the whole page: a student takes the place of its teacher."""

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.experiments.students import StudentBesideStudent
from explorer.session.background import State
from explorer.zoo.loaded import Data

WAIT_S = 30


@pytest.fixture
def data():
    torch.manual_seed(0)
    inputs = torch.randn(160, 6)
    labels = inputs[:, :3].argmax(1)
    return Data(TensorDataset(inputs[:96], labels[:96]), TensorDataset(inputs[96:], labels[96:]))


@pytest.fixture
def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 3)).eval()


def opened(app):
    tab = next(tab for tab in app._topics._panels.values() if tab.topic.title == "Distill")
    app._topics.topic = tab.topic
    return tab


def test_the_student_is_shown_under_the_recipe_of_the_page(net, data):
    app = ex.Explorer(net, data, recipe=[ex.Prune(sparsity=0.5)])
    app.wait(WAIT_S)
    tab = opened(app)
    tab.setup.plan = StudentBesideStudent(width=8, n_seeds=1, n_epochs=2)
    tab.start()
    assert tab.training.join(WAIT_S) is State.DONE
    tab.use_trained()
    result = app.wait(WAIT_S)
    assert list(app.session.layers) == ["fc1", "fc2", "fc3"]
    assert app.session.origin is app.session.net
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.5)])
    assert result.sparsity == pytest.approx(0.5, abs=0.01)
    app.close()


def test_a_students_own_shape_is_handed_in_with_the_network(net, data):
    own = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
    app = ex.Explorer(net, data, student=own)
    tab = opened(app)
    tab.setup.plan = StudentBesideStudent(width=None, n_seeds=1, n_epochs=1)
    tab.start()
    assert tab.training.join(WAIT_S) is State.DONE
    tab.use_trained()
    app.wait(WAIT_S)
    assert app.session.net[0].weight.shape == (4, 6)
    app.close()

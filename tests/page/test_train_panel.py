"""The tab on training: plans, runs, what is drawn when, and what is handed over."""

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from explorer.compress.methods.prune import Prune
from explorer.compress.networks.recipe import Recipe
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons
from explorer.page.cards import Scene
from explorer.page.train import TrainTab
from explorer.page.words import PLANS, recovered_text, seconds_text
from explorer.session import Session
from explorer.session.background import State
from explorer.session.live_recovery import Recovered
from explorer.zoo.loaded import Data

WAIT_S = 30
HIDDEN = "ex-hidden"
WEIGHTS = "Weight distribution"
L1_WEIGHTS, L2_WEIGHTS = f"{WEIGHTS}, L1", f"{WEIGHTS}, L2"
SETUP, PAPERS = "Training", "Results of papers"


@pytest.fixture
def session():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3)).eval()
    inputs = torch.randn(96, 6)
    labels = inputs[:, :3].argmax(1)
    data = Data(TensorDataset(inputs[:64], labels[:64]), TensorDataset(inputs[64:], labels[64:]))
    found = Session(net, data)
    found.apply([Prune(sparsity=0.4)])
    found.wait(WAIT_S)
    yield found
    found.close()


class Page:
    """A panel, and what it told."""

    def __init__(self, session, results=()):
        self.used, self.said = [], []
        self.panel = TrainTab(
            lambda net, recipe: self.used.append((net, recipe)), self.said.append, lambda: results
        )
        self.session = session

    def draw(self, layer="0"):
        session = self.session
        self.panel.draw(Scene(session, session.result, session.close_up(layer)), ())

    def run(self, plan):
        self.panel.setup.plan = plan
        self.panel.start()
        return self.panel.training.join(WAIT_S)

    def shown(self):
        return set(self.panel.visible)

    @property
    def hint(self):
        return self.panel.setup._hint


@pytest.fixture
def page(session):
    made = Page(session)
    made.draw()
    yield made
    made.panel.close()


def test_nothing_is_made_before_the_tab_is_opened(session):
    panel = TrainTab(lambda _net, _steps: None, lambda _words: None)
    panel.moved()
    panel.completed(session, session.result)
    panel.hide()
    assert panel.children == ()
    assert "setup" not in vars(panel)
    panel.close()


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.title)
def test_every_plan_has_its_views_before_a_run(page, plan):
    page.panel.setup.plan = plan
    compares = isinstance(plan, CompareNorms)
    assert {"Accuracy", "Loss"} <= page.shown()
    assert page.shown() & {WEIGHTS, L1_WEIGHTS, L2_WEIGHTS} == (
        {L1_WEIGHTS, L2_WEIGHTS} if compares else {WEIGHTS}
    )
    assert ("Penalties" in page.shown()) == bool(plan.penalties)
    assert page.panel.setup._about.value == plan.about
    assert HIDDEN in page.hint._dom_classes


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.title)
def test_no_card_stands_alone_in_half_a_row(page, plan):
    page.panel.setup.plan = plan
    [grid] = page.panel.children
    left, right, *below = grid.children
    assert left.children[0].view is page.panel.setup
    assert below.pop().card.title == PAPERS
    below = [box for box in below if box.shown]
    assert len(below) % 2 == 0
    cards = {box.card.title for box in (*left.children, *right.children, *below) if box.shown}
    assert cards == page.shown()


def test_a_run_is_drawn_told_and_handed_over(page):
    assert page.run(Retrain(sparsity=0.75, n_stages=2, n_epochs=1)) is State.DONE
    setup = page.panel.setup
    words = setup._hint._sentence.value
    assert words.startswith("Done: ")
    assert "pruned at once, not retrained: " in words
    assert "75.0% of the weights are zero" in words
    assert page.panel["Weights left"].view._front[0].y[-1] == 0.25
    page.panel.use_trained()
    net, recipe = page.used[0]
    assert recipe == Recipe.of([Prune(sparsity=0.0)])
    assert sum(int((layer.weight == 0).sum()) for layer in (net[0], net[2])) == 81


def test_two_norms_have_a_button_that_says_which(page):
    page.run(CompareNorms(n_epochs=1))
    assert page.panel.setup._hint._button.description == "Use the L1 network"


def test_dropped_neurons_are_counted_and_the_network_loses_its_name(page):
    page.session.net.network_name = "lenet-5"
    page.run(DropNeurons(li=0.1, lo=0.1, learning_rate=0.05, n_epochs=20))
    words = page.panel.setup._hint._sentence.value
    assert "of 12 neurons" in words
    assert "before the removal" in words
    page.panel.use_trained()
    assert page.used[0][0].network_name == ""


def test_dials_move_the_formulas_until_there_is_a_run(page):
    page.panel.setup.plan = Regularize(l1=1e-3)
    box = page.panel["Penalties"].view._box
    first = box.items[0]["value"]
    page.panel.setup.plan = Regularize(l1=2e-3)
    weight = sum(layer.weight.abs().sum().item() for layer in (page.session.net[i] for i in (0, 2)))
    assert first == f"{1e-3 * weight:.3g}"
    assert box.items[0]["value"] == f"{2e-3 * weight:.3g}"


def test_another_layer_is_shown_and_hidden_nothing_is_drawn(page):
    histogram = page.panel["Weight distribution"].view
    assert "of 72 weights" in histogram._caption.value
    page.draw("2")
    assert "of 36 weights" in histogram._caption.value
    page.panel.hide()
    accuracy = page.panel["Accuracy"].view
    page.run(Regularize(n_epochs=1))
    assert accuracy._front[0].x.size == 0
    page.draw("2")
    assert accuracy._front[0].x.tolist() == [0, 1]
    assert HIDDEN not in page.hint._dom_classes


def test_a_plan_keeps_its_last_run_while_others_run(page):
    page.run(Regularize(n_epochs=1))
    page.run(Retrain(n_stages=1, n_epochs=1))
    page.panel.setup.plan = Regularize()
    assert page.panel.training.plan == Regularize(n_epochs=1)
    assert HIDDEN not in page.hint._dom_classes


def test_another_network_ends_the_runs(page, session):
    page.panel.setup.plan = Regularize(n_epochs=20_000)
    page.panel.start()
    old = page.panel.training
    other = Session(session.net, session.data)
    other.apply([])
    page.session = other
    page.draw()
    old.join(WAIT_S)
    assert page.panel.training is None
    assert not page.panel.busy
    other.close()


def test_what_goes_wrong_is_said_in_words(page):
    error = page.panel.setup._bar._status
    assert page.run(Regularize(learning_rate=1e30, l1=0.1, n_epochs=3)) is State.FAILED
    assert "the loss is not finite" in error.error
    assert "Ended early" in page.panel.setup._hint._sentence.value
    page.run(Regularize(n_epochs=1))
    assert error.error == ""
    page.session = Session(page.session.net)
    page.session.apply([])
    page.draw()
    page.panel.start()
    assert "there is none to train on" in error.error
    page.session.close()


def test_live_recovery_is_said_and_waits_for_the_switch(page):
    import threading

    session, heard = page.session, threading.Event()
    page.panel.completed(session, session.result)
    page.panel._live._heard = lambda recovered: (
        page.said.append(recovered_text(recovered)),
        heard.set(),
    )
    page.panel.recovery = Recover(budget_s=0.5)
    assert page.said == []
    page.panel.completed(session, session.result)
    assert heard.wait(WAIT_S)
    page.panel.moved()
    assert page.said[0].startswith("Retrained for ")


def test_reproduced_results_have_a_card_where_there_are_any(session):
    found = {
        "name": "a",
        "published": {"source": "b", "figures": {"rate": 12}},
        "reached": {"rate": 13},
        "test": {"top1": 0.98, "low": 0.97, "high": 0.985, "n": 2000},
        "seconds": 12,
        "reproduced": True,
    }
    for results, hidden in (((), True), ((found,), False)):
        page = Page(session, results)
        page.draw()
        assert (HIDDEN in page.panel[PAPERS]._dom_classes) == hidden
        page.panel.close()


def test_times_and_recovery_in_words(session):
    assert [seconds_text(s) for s in (0.2, 12.4, 89, 200)] == [
        "1 s",
        "12 s",
        "89 s",
        "3 min",
    ]
    accuracy = session.result.accuracy
    told = recovered_text(Recovered(accuracy, accuracy, 1.25))
    assert told.startswith("Retrained for 1.2 s: accuracy ")

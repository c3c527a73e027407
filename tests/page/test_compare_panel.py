"""The tab on comparing: what is measured when, what is drawn, and what is handed over."""

import threading

import pytest
import torch
from ipywidgets import VBox
from torch import nn
from torch.utils.data import TensorDataset

from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.page.cards import Scene
from explorer.page.compare import CompareTab
from explorer.page.sensitivity import dial_value, with_layer_dial
from explorer.session import Session
from explorer.session.background import State
from explorer.session.survey import MethodsJob, SensitivityJob
from explorer.sweep.dials import DIALS
from explorer.sweep.methods import METHODS
from explorer.sweep.solver import Budget
from explorer.zoo.loaded import Data

WAIT_S = 30
HIDDEN = "ex-hidden"


def made_session(data=True, seed=0):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 3)).eval()
    inputs = torch.randn(96, 6)
    labels = inputs[:, :3].argmax(1)
    parts = Data(TensorDataset(inputs[:64], labels[:64]), TensorDataset(inputs[64:], labels[64:]))
    session = Session(net, parts if data else None)
    session.apply([Prune(sparsity=0.4)])
    session.wait(WAIT_S)
    return session


class Page:
    """A panel with what a page does for it."""

    def __init__(self, session, extra=()):
        self.session, self.layer = session, "0"
        self.recipes, self.failed = [], []
        self.panel = CompareTab(self.select, self.recipes.append, self.failed.append, *extra)

    def select(self, layer):
        self.layer = layer
        self.draw()

    def draw(self):
        session = self.session
        self.panel.draw(Scene(session, session.result, session.close_up(self.layer)), ())

    def apply(self, recipe):
        self.session.apply(recipe)
        self.session.wait(WAIT_S)
        self.draw()

    def measured(self, start):
        start()
        return self.panel.survey.join(WAIT_S)


@pytest.fixture
def page():
    made = Page(made_session())
    made.draw()
    yield made
    made.panel.close()
    made.session.close()


def test_nothing_is_made_before_the_tab_is_opened():
    panel = CompareTab(print, print, print)
    panel.moved()
    panel.hide()
    panel.forget()
    assert panel.children == ()
    assert not {"methods", "sensitivity", "budget"} & set(vars(panel))
    panel.close()


def test_methods_are_measured_unasked_once_the_tab_is_open(page):
    session = page.session
    page.panel.hide()
    page.panel.completed(session, session.result)
    assert page.panel.survey.job is None
    page.draw()
    page.panel.completed(session, session.result)
    assert page.panel.survey.join(WAIT_S) is State.DONE
    assert page.panel.survey.job == MethodsJob()
    view = page.panel.methods._view
    assert len(page.panel.survey.curves) == sum(len(m.values) for m in METHODS.values())
    assert len(view.table.rows) == len(view.best) > 0
    page.panel.completed(session, session.result)
    assert not page.panel.survey.active


def test_the_mark_follows_the_recipe(page):
    view = page.panel.methods._view
    for sparsity in (0.2, 0.8):
        page.apply([Prune(sparsity=sparsity)])
        result = page.session.result
        assert view._here.x.tolist() == [result.compression_ratio]
        assert view._here.y.tolist() == [result.accuracy.top1]


def test_dragging_draws_only_what_moved(page, monkeypatch):
    drawn = []
    for card in (page.panel.methods, page.panel.sensitivity, page.panel.budget):
        draw = card.draw
        monkeypatch.setattr(card, "draw", lambda draw=draw: (drawn.append(draw), draw()))
    page.panel.sensitivity.dial = "bits"
    drawn.clear()
    page.apply([Prune(sparsity=0.7)])
    page.draw()
    assert drawn == []


def test_top5_and_retraining(page):
    panel = page.panel.methods
    panel.start()
    survey = page.panel.survey
    while survey.active and not any(again for _, _, again in list(survey.curves)):
        threading.Event().wait(0.02)
    survey.stop()
    survey.join(WAIT_S)
    assert any(again for _, _, again in survey.curves)
    panel._metric.value = "top5"
    assert panel._view._here.y.tolist() == [page.session.result.accuracy.top5]
    assert "top-5" in panel._view._y_axis.label


def test_a_best_point_is_handed_over(page):
    panel = page.panel.methods
    assert panel._use.disabled
    page.panel.completed(page.session, page.session.result)
    page.panel.survey.join(WAIT_S)
    best = panel._view.best
    panel._pick.value = len(best) - 1
    panel._use.click()
    panel._ringed(best[0])
    assert page.recipes == [best[-1].point.recipe, best[0].point.recipe]


def test_sensitivity_of_the_layers(page):
    panel = page.panel.sensitivity
    assert page.measured(panel.start) is State.DONE
    assert page.panel.survey.job == SensitivityJob("density")
    lines = panel._view._lines
    assert [line.x.size for line in lines] == [len(DIALS["density"].values)] * 2
    assert lines[0].stroke_width > lines[1].stroke_width
    page.select("2")
    assert lines[1].stroke_width > lines[0].stroke_width
    assert panel._layer.value == "2"


def test_a_layer_and_its_dial_by_mouse_and_by_keyboard(page):
    panel = page.panel.sensitivity
    page.measured(panel.start)
    panel._view._lines[1]._handle_custom_msgs(None, {"event": "element_click", "data": {}})
    assert page.layer == "2"
    panel._view._point_clicked({"data": {"index": 0}})
    everywhere = ("*", (Prune(sparsity=0.4),))
    assert page.recipes.pop() == Recipe((("2", (Prune(sparsity=0.98),)), everywhere))
    panel._layer.value = "0"
    assert page.layer == "0"
    panel._value.value = 0.5
    panel._set.click()
    assert page.recipes.pop() == Recipe((("0", (Prune(sparsity=0.5),)), everywhere))


def test_a_budget_is_fitted_and_handed_over(page):
    panel = page.panel.budget
    panel.budget = Budget(size_bytes=900)
    assert HIDDEN in panel._hint._dom_classes
    assert "Press Fit" in panel._view._caption.value
    assert page.measured(panel.start) is State.DONE
    fitted = page.panel.survey.fits[Budget(size_bytes=900)]
    assert panel._view._caption.value.startswith("Budget met, at most 900 B")
    assert HIDDEN not in panel._hint._dom_classes
    panel._use()
    assert page.recipes == [fitted.recipe]
    panel.budget = Budget(accuracy=0.4)
    assert panel.budget == Budget(accuracy=0.4)
    assert panel._view._caption.value.startswith("Predicted for at least 40.0%")
    assert HIDDEN in panel._hint._dom_classes
    assert HIDDEN in panel._size._dom_classes


def test_the_dials_fit_the_network(page):
    result = page.session.result
    accuracy = page.panel.budget._accuracy.value
    assert accuracy == pytest.approx(100 * result.original_accuracy.top1 - 1)
    size = page.panel.budget._size
    assert 10**size.max == pytest.approx(result.original_bytes / 1000)
    assert page.panel.budget.budget.size_bytes == round(result.original_bytes / 20)


def test_one_run_at_a_time_and_its_buttons(page):
    methods, sensitivity = page.panel.methods, page.panel.sensitivity
    methods.start()
    sensitivity.start()
    assert page.panel.survey.join(WAIT_S) is State.DONE
    buttons = {b.description: b for b in sensitivity._bar.children[0].children}
    assert not buttons["Measure"].disabled
    assert buttons["Stop"].disabled


def test_what_was_measured_is_there_when_the_tab_is_opened_again(page):
    page.measured(page.panel.sensitivity.start)
    survey = page.panel.survey
    page.panel.hide()
    page.draw()
    assert page.panel.survey is survey
    assert survey.sensitivities


def test_another_network_ends_and_forgets(page):
    survey = page.panel.survey
    page.panel.methods.start()
    old = page.session
    page.session = made_session(seed=1)
    page.panel.forget()
    assert page.panel.survey is None
    assert not survey.active
    page.draw()
    assert page.panel.survey is not survey
    assert page.panel.methods._view.best == []
    old.close()


def test_without_data_it_says_what_is_missing():
    made = Page(made_session(data=False))
    made.draw()
    panel = made.panel
    assert panel.survey is None
    assert HIDDEN not in panel._missing._dom_classes
    panel.methods.start()
    panel.sensitivity.start()
    panel.budget.start()
    panel.completed(made.session, made.session.result)
    panel.close()
    made.session.close()


def test_errors_are_told_in_words(page):
    def refuse(_recipe):
        raise ValueError("no such layer")

    page.panel._set_recipe = refuse
    page.panel.sensitivity.set_layer("0", 0.5)
    assert page.failed == ["no such layer (ValueError)"]


def test_cards_of_others_are_shown_and_left_open():
    beside, card = VBox(), VBox()
    made = Page(made_session(), [beside, card])
    made.draw()
    *_, column, last = made.panel.children[-1].children
    assert last.view.children == (card,)
    budget, past = column.children
    assert (budget.view, past.view.children) == (made.panel.budget, (beside,))
    made.panel.methods.start()
    made.panel.close()
    assert card.comm is not None and beside.comm is not None
    assert not [t for t in threading.enumerate() if t.name == "explorer-training"]
    made.session.close()
    card.close()
    beside.close()


@pytest.mark.parametrize(
    ("steps", "dial", "value", "expected"),
    [
        ((), "density", 0.25, (Prune(sparsity=0.75),)),
        ((Prune(sparsity=0.1), Share(n_clusters=4)), "density", 1.0, (Share(n_clusters=4),)),
        (
            (Prune(sparsity=0.1), Share(n_clusters=4), Entropy("huffman")),
            "bits",
            3,
            (Prune(sparsity=0.1), Quantize(bits=3), Entropy("huffman")),
        ),
        ((Share(n_clusters=4),), "density", 0.5, (Prune(sparsity=0.5), Share(n_clusters=4))),
    ],
)
def test_one_layers_dial_in_a_recipe(steps, dial, value, expected):
    recipe = Recipe((("*", steps),))
    found = with_layer_dial(recipe, "fc", DIALS[dial], value, (8, 8))
    assert found.steps_for("fc") == expected
    assert found.steps_for("other") == steps
    again = with_layer_dial(found, "fc", DIALS[dial], value, (8, 8))
    assert again == found


def test_where_a_dial_stands(page):
    page.apply({"0": [Prune(sparsity=0.5), Share(n_clusters=8)], "2": [Quantize(bits=5)]})
    recipe, result = page.session.recipe, page.session.result
    values = {
        (name, dial): dial_value(recipe, result[name], DIALS[dial], (40, 6))
        for name in ("0", "2")
        for dial in ("density", "k", "bits")
    }
    assert values == {
        ("0", "density"): 0.5,
        ("0", "k"): 8,
        ("0", "bits"): None,
        ("2", "density"): None,
        ("2", "k"): None,
        ("2", "bits"): 5,
    }

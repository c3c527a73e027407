"""Undo, redo and the tree, without a browser."""

import pytest

from explorer.compress.methods.prune import Prune
from explorer.compress.networks.recipe import Recipe
from explorer.history.figures import KeptFigures
from explorer.history.history import History
from explorer.history.state import State
from explorer.measure.accuracy import Accuracy
from explorer.page.history import HistoryPanel


def pruned(percent):
    return State("lenet-5", recipe=Recipe.of([Prune(sparsity=percent / 100)]))


@pytest.fixture
def history():
    clock = iter(range(0, 1000, 10))
    history = History(clock=lambda: next(clock))
    for percent in (0, 10, 20):
        history.visit(pruned(percent))
    return history


@pytest.fixture
def panel(history):
    panel = HistoryPanel(history, lambda entry: history.go(entry.number))
    panel.draw()
    yield panel
    panel.close()


def press(widget, **content):
    widget._handle_custom_msg(content, [])


def rows(panel):
    return panel._tree._tree.rows


def test_buttons_say_what_they_undo(panel, history):
    assert (panel.buttons.undo, panel.buttons.redo) == ("Prune 20%", "")
    press(panel.buttons, type="undo")
    panel.draw()
    assert history.present.state == pruned(10)
    assert (panel.buttons.undo, panel.buttons.redo) == ("Prune 10%", "Prune 20%")
    press(panel.buttons, type="redo")
    assert history.present.state == pruned(20)
    press(panel.buttons, type="redo")
    press(panel.buttons, type="erase")
    assert history.present.state == pruned(20)


def test_the_tree_shows_figures_and_the_present(panel, history):
    figures = KeptFigures(10_000, 2_000, 0.2, Accuracy.from_counts(9, 10, 10))
    history.measured(pruned(20), figures)
    panel.draw()
    assert rows(panel) == [
        [0, 0, "Start", "", False],
        [1, 0, "Prune 10%", "", False],
        [2, 0, "Prune 20%", "2.0 KB, 90.0%", True],
    ]


def test_only_a_row_that_is_there_can_be_gone_to(panel, history):
    press(panel._tree._tree, type="go", number=0)
    assert history.present.number == 0
    for number in (99, "0", None, [1]):
        press(panel._tree._tree, type="go", number=number)
    assert history.present.number == 0


def test_the_mouse_holds_a_drag_together(panel, history):
    panel.buttons.held = True
    history.visit(pruned(30))
    history.visit(pruned(40))
    panel.buttons.held = False
    assert [entry.words for entry in history.entries][-2:] == ["Prune 20%", "Prune 40%"]


def test_an_empty_history_has_nothing_to_undo():
    panel = HistoryPanel(History(), lambda entry: None)
    panel.draw()
    assert (panel.buttons.undo, panel.buttons.redo) == ("", "")
    assert rows(panel) == []
    panel.close()

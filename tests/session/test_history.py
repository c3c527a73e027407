"""Undo and redo: a tree that loses nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.history.figures import KeptFigures
from explorer.history.history import History, change_between, recipe_words
from explorer.history.state import State

FIGURES = KeptFigures(1000, 100, 0.5)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def state(*steps, **others):
    return State("lenet-5", recipe=Recipe.of([*steps]), **others)


def pruned(percent, *more, **others):
    return state(Prune(sparsity=percent / 100), *more, **others)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def history(clock):
    return History(clock=clock)


def undo(history):
    return history.go(history.before.number) if history.before else None


def redo(history):
    return history.go(history.after.number) if history.after else None


def words(history):
    return [entry.words for entry in history.entries]


def test_a_drag_is_one_entry(history, clock):
    history.visit(pruned(0))
    for percent in (10, 20, 30):
        clock.now += 0.9
        history.visit(pruned(percent))
    assert words(history) == ["Start", "Prune 30%"]
    clock.now += 1.1
    history.visit(pruned(40))
    assert words(history) == ["Start", "Prune 30%", "Prune 40%"]
    assert undo(history).state == pruned(30)
    assert undo(history).state == pruned(0)
    assert undo(history) is None


def test_a_slow_drag_is_one_entry_while_the_mouse_is_down(history, clock):
    history.visit(pruned(0))
    history.held = True
    for percent in (10, 20):
        clock.now += 60
        history.visit(pruned(percent))
    history.held = False
    clock.now += 60
    history.visit(pruned(30))
    assert words(history) == ["Start", "Prune 20%", "Prune 30%"]


def test_another_dial_begins_another_entry(history):
    history.visit(pruned(0, Share(4)))
    history.visit(pruned(10, Share(4)))
    history.visit(pruned(10, Share(8)))
    history.visit(pruned(20, Share(8)))
    assert words(history) == ["Start", "Prune 10%", "Share 8 values", "Prune 20%"]


def test_a_dial_that_is_turned_back_leaves_nothing(history):
    history.visit(pruned(0))
    history.visit(pruned(10))
    history.visit(pruned(0))
    assert words(history) == ["Start"] and history.before is None
    history.visit(pruned(20))
    assert words(history) == ["Start", "Prune 20%"]


def test_a_turn_after_undo_changes_nothing_that_was(history):
    history.visit(pruned(0))
    history.visit(pruned(10))
    undo(history)
    history.visit(pruned(20))
    assert words(history) == ["Start", "Prune 10%", "Prune 20%"]
    assert [entry.parent for entry in history.entries] == [None, 0, 0]


def test_looking_elsewhere_is_no_change(history):
    history.visit(pruned(0, tab="Prune"))
    history.visit(pruned(0, tab="Share", layer="fc1"))
    assert words(history) == ["Start"]
    assert history.present.state.layer == "fc1"


def test_redo_goes_the_way_that_was_last_gone(history, clock):
    for steps in ((0,), (10,)):
        history.visit(pruned(*steps))
    undo(history)
    history.visit(pruned(20))
    undo(history)
    assert history.after.state == pruned(20)
    history.go(1)
    undo(history)
    assert redo(history).state == pruned(10)
    assert redo(history) is None


def test_the_same_change_again_is_the_same_entry(history):
    history.visit(pruned(0))
    history.visit(pruned(10))
    undo(history)
    history.visit(pruned(10, tab="Share"))
    assert words(history) == ["Start", "Prune 10%"]
    assert history.present.state.tab == "Share"


def test_the_tree_keeps_the_way_to_the_present_at_the_left(history, clock):
    history.visit(pruned(0))
    history.visit(pruned(10))
    clock.now = 5
    history.visit(pruned(20))
    history.go(0)
    history.visit(pruned(30))
    lines = [(line.entry.words, line.depth) for line in history.lines()]
    assert lines == [("Start", 0), ("Prune 10%", 1), ("Prune 20%", 1), ("Prune 30%", 0)]
    history.go(1)
    lines = [(line.entry.words, line.depth) for line in history.lines()]
    assert lines == [("Start", 0), ("Prune 30%", 1), ("Prune 10%", 0), ("Prune 20%", 0)]


def test_figures_belong_to_the_state_that_they_were_measured_of(history):
    history.visit(pruned(0))
    history.measured(pruned(10), FIGURES)
    assert history.present.figures is None
    history.measured(pruned(0), FIGURES)
    assert history.present.figures == FIGURES
    history.visit(pruned(10))
    history.measured(pruned(10), FIGURES)
    history.visit(pruned(20))
    assert history.present.figures is None


def test_unknown_entries_are_refused(history):
    history.visit(pruned(0))
    with pytest.raises(KeyError, match="7 is no entry of the history"):
        history.go(7)


def test_oldest_branches_go_first_then_oldest_entries(clock):
    history = History(limit=3, clock=clock)
    history.visit(pruned(0))
    history.visit(pruned(10))
    undo(history)
    history.visit(pruned(20))
    clock.now = 5
    history.visit(pruned(30))
    assert words(history) == ["Start", "Prune 20%", "Prune 30%"]
    clock.now = 10
    history.visit(pruned(40))
    assert words(history) == ["Prune 20%", "Prune 30%", "Prune 40%"]
    assert history.entries[0].parent is None
    undo(history)
    assert undo(history).state == pruned(20) and history.before is None


def test_a_history_of_one_entry_follows(clock):
    history = History(limit=1, clock=clock)
    for percent in (0, 10, 20):
        history.visit(pruned(percent))
    assert [entry.state for entry in history.entries] == [pruned(20)]


@pytest.mark.parametrize("limit", [4, 500])
@given(st.lists(st.one_of(st.integers(0, 5), st.sampled_from(["undo", "redo", "go"]))))
def test_undo_gives_the_former_state_after_any_sequence(limit, actions):
    clock = Clock()
    history = History(limit, clock)
    history.visit(pruned(0))
    for action in actions:
        clock.now += 10
        former = history.present.state
        if action == "undo":
            undo(history)
        elif action == "redo":
            redo(history)
        elif action == "go":
            history.go(history.entries[len(history.entries) // 2].number)
        else:
            entry = history.visit(pruned(action, Share(4 + action)))
            assert entry.state == pruned(action, Share(4 + action))
            if entry.state != former:
                assert undo(history).state == former
                assert redo(history) == entry
        check_tree(history, limit)


def check_tree(history, limit):
    entries = {entry.number: entry for entry in history.entries}
    assert len(entries) <= limit
    roots = [entry for entry in entries.values() if entry.parent is None]
    assert len(roots) == 1 and history.present.number in entries
    assert all(entry.parent in entries for entry in entries.values() if entry is not roots[0])
    lines = history.lines()
    assert sorted(line.entry.number for line in lines) == sorted(entries)
    assert next(line.depth for line in lines if line.entry is history.present) == 0


RECIPES = [
    ([Prune(sparsity=0.5)], [Prune(sparsity=0.9)], "Prune 90%", True),
    ([Prune(sparsity=0.5)], [Prune(threshold=0.1)], "Prune below 0.1", True),
    ([], [Share(8)], "Share 8 values added", False),
    ([Share(8), Entropy()], [Share(8)], "Huffman removed", False),
    ([Share(8), Entropy()], [Entropy(), Share(8)], "Huffman, Share 8 values", False),
    ([Share(8)], {"fc1": [Share(9)], "*": [Share(8)]}, "fc1: Share 9 values", True),
    ({"fc1": [Share(9)], "*": [Share(8)]}, [Share(8)], "fc1: no steps of its own", False),
    ([Share(8)], {"fc1": [], "*": [Entropy()]}, "Huffman; fc1: no steps", False),
]


@pytest.mark.parametrize(("old", "new", "said", "by_dial"), RECIPES)
def test_changes_in_words(old, new, said, by_dial):
    change = change_between(*(State(recipe=Recipe.of(recipe)) for recipe in (old, new)))
    assert change.words == said
    assert (change.dial is not None) is by_dial


def test_another_network_in_words():
    assert change_between(State("a"), State("b", "random")).words == "Network b, random weights"
    assert change_between(State("a"), State()).words == "Network without a name"
    assert recipe_words(Recipe()) == "no steps"

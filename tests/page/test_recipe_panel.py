"""The recipe by hand: what the dials stand for is the recipe that was shown or turned."""

import pytest
import torch
from torch import nn

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.page.recipe import RecipePanel
from explorer.session import Session

LAYERS = ("fc1", "fc2", "head")
RECIPES = [
    [],
    [Prune(sparsity=0.123456)],
    [Prune(threshold=0.02), Share(300, "density"), Quantize(3, "channel")],
    {"head": [], "*": [Binarize("none")]},
    {"fc*": [LowRank(energy=0.93)], "*": [Prune(sparsity=1.0, scope="model")]},
    {"fc1": [Share(4)], "fc*": [Share(8)]},
    {"*": [Share(4)], "fc1": [Quantize(2)]},
    {"fc*": [Share(4)], "fc1": [Quantize(2)], "*": [Prune(sparsity=0.3)]},
]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(9, 8), nn.Linear(8, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.head(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


@pytest.fixture
def turned():
    return []


@pytest.fixture
def panel(turned):
    session = Session(Net())
    panel = RecipePanel(lambda: turned.append(panel.recipe))
    panel.bind(session)
    yield panel
    panel.close()
    session.close()


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_that_is_shown_means_the_same_for_every_layer(panel, turned, recipe):
    wanted = Recipe.of(recipe)
    panel.show(wanted)
    for layer in LAYERS:
        assert panel.recipe.steps_for(layer) == wanted.steps_for(layer)
    assert turned == []


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
@pytest.mark.parametrize("layer", LAYERS)
def test_steps_for_one_layer_take_effect_there_and_nowhere_else(panel, turned, recipe, layer):
    wanted = Recipe.of(recipe)
    panel.show(wanted)
    panel._scope.value = layer
    panel._stack.value = (Quantize(bits=7),)
    assert turned[-1].steps_for(layer) == (Quantize(bits=7),)
    for other in set(LAYERS) - {layer}:
        assert turned[-1].steps_for(other) == wanted.steps_for(other)


def test_choosing_a_scope_changes_nothing_by_itself(panel, turned):
    panel.show(Recipe.of([Share(8)]))
    for scope in ("fc1", "*", "head"):
        panel._scope.value = scope
        assert panel._stack.value == (Share(8),)
    assert turned == []
    assert panel.recipe == Recipe.of([Share(8)])


def hidden(panel):
    return "ex-hidden" in panel._as_all._dom_classes


def test_a_layer_goes_back_to_the_steps_of_all_layers(panel, turned):
    panel.show(Recipe.of([Share(8)]))
    panel._scope.value = "fc1"
    assert hidden(panel)
    panel._as_all.click()
    assert turned == []
    panel._stack.value = (Quantize(bits=7),)
    assert not hidden(panel) and len(turned) == 1
    panel._scope.value = "fc2"
    assert hidden(panel)
    panel._scope.value = "fc1"
    panel._as_all.click()
    assert turned[1:] == [Recipe.of([Share(8)])]
    assert panel._scope.value == "fc1" and panel._stack.value == (Share(8),)
    assert hidden(panel) and ("fc1", "fc1") in panel._scope.options
    panel._as_all.click()
    assert len(turned) == 2


def test_a_layer_goes_back_to_the_pattern_that_it_matches(panel, turned):
    panel.show(Recipe.of({"fc1": [Share(4)], "fc*": [Share(8)], "*": [Prune(sparsity=0.3)]}))
    panel._scope.value = "fc1"
    panel._as_all.click()
    assert turned == [Recipe.of({"fc*": [Share(8)], "*": [Prune(sparsity=0.3)]})]
    assert panel._stack.value == (Share(8),)
    panel._scope.value = "fc*"
    assert not hidden(panel)
    panel._as_all.click()
    assert turned[-1] == Recipe.of([Prune(sparsity=0.3)])
    assert (panel._scope.value, panel._stack.value) == ("*", (Prune(sparsity=0.3),))
    assert hidden(panel)


def test_the_steps_of_a_pattern_show_for_a_layer_that_it_matches(panel):
    panel.show(Recipe.of({"fc*": [Share(8)], "*": [Prune(sparsity=0.3)]}))
    panel._scope.value = "fc2"
    assert panel._stack.value == (Share(8),)
    panel._scope.value = "head"
    assert panel._stack.value == (Prune(sparsity=0.3),)


def test_neurons_are_removed_before_the_steps_that_it_would_undo(panel):
    panel.show(Recipe.of([Prune(sparsity=0.5), Share(8)]))
    panel.add(PruneNeurons(fraction=0.2))
    panel.add(Quantize(bits=4))
    kinds = [type(step) for step in panel.recipe.steps_for("fc1")]
    assert kinds == [Prune, PruneNeurons, Share, Quantize]


def test_another_network_keeps_the_steps_for_all_layers(panel):
    panel.show(Recipe.of({"fc1": [Share(4)], "*": [Prune(sparsity=0.4)]}))
    session = Session(nn.Sequential(nn.Linear(30, 20)))
    panel.bind(session)
    assert panel.recipe == Recipe.of([Prune(sparsity=0.4)])
    assert [value for _, value in panel._scope.options] == ["*", "0"]
    session.close()

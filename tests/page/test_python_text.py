import pytest
from hypothesis import given
from hypothesis import strategies as st

import explorer as ex
from explorer.page.code import loading_text, python_text, recipe_text, setting_text

SETTINGS = st.sampled_from(
    [
        ex.Prune(sparsity=0.9),
        ex.Prune(threshold=0.01, scope="model"),
        ex.Quantize(bits=3, granularity="channel"),
        ex.Share(),
        ex.LowRank(energy=0.5),
        ex.Entropy("ans"),
    ]
)
STEPS = st.lists(SETTINGS, max_size=3)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (ex.Prune(sparsity=0.9), "ex.Prune(sparsity=0.9)"),
        (ex.Share(), "ex.Share()"),
        (ex.Share(n_clusters=8, init="density"), "ex.Share(n_clusters=8, init='density')"),
        (ex.Binarize(scale="none"), "ex.Binarize(scale='none')"),
    ],
)
def test_a_step_names_what_differs_from_its_defaults(setting, text):
    assert setting_text(setting) == text


def test_steps_for_all_layers_are_a_list_and_others_a_dict():
    steps = [ex.Prune(sparsity=0.5), ex.Share()]
    assert recipe_text(ex.Recipe.of(steps)) == "[\n    ex.Prune(sparsity=0.5),\n    ex.Share(),\n]"
    text = recipe_text(ex.Recipe.of({"fc1": [ex.Share(4)], "*": []}))
    assert text == "{\n    'fc1': [\n        ex.Share(n_clusters=4),\n    ],\n}"
    assert recipe_text(ex.Recipe()) == "[]"


@given(st.dictionaries(st.sampled_from(["fc1", "conv*", "*"]), STEPS, max_size=3))
def test_the_text_evaluates_to_the_recipe(entries):
    recipe = ex.Recipe.of(entries)
    again = ex.Recipe.of(eval(recipe_text(recipe), {"ex": ex}))
    for layer in ("fc1", "conv7", "other"):
        assert again.steps_for(layer) == recipe.steps_for(layer)


def test_the_script_makes_the_same_file(tmp_path):
    recipe = ex.Recipe.of([ex.Prune(sparsity=0.8), ex.Share(8), ex.Entropy()])
    path = tmp_path / "small.cmpx"
    script = python_text(recipe, loading_text("lenet-300-100", None), str(path))
    exec(script, {})
    net, _ = ex.load("lenet-300-100", weights=None)
    assert ex.open(path).size_bytes == ex.compress(net, recipe).size_bytes == path.stat().st_size


def test_networks_of_ones_own_are_left_to_be_filled_in():
    assert loading_text("lenet-5") == "net, data = ex.load('lenet-5')"
    assert "my_net" in loading_text("")

"""Recipes: lists, patterns, JSON there and back, JSON from strangers."""

import json
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune, PruneBySaliency
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.registry import STEPS
from explorer.compress.methods.setting import Setting
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import MAX_JSON, MAX_STEPS, Recipe, recipe_from_json

fractions = st.floats(0, 1)
scopes, criteria = st.sampled_from(["layer", "model"]), st.sampled_from(["magnitude", "random"])
steps = st.one_of(
    st.builds(Prune, sparsity=fractions, scope=scopes, criterion=criteria),
    st.builds(Prune, threshold=st.floats(0, 1e30), scope=scopes),
    st.builds(Quantize, bits=st.integers(1, 8), granularity=st.sampled_from(["tensor", "channel"])),
    st.builds(Binarize, scale=st.sampled_from(["none", "tensor", "channel"])),
    st.builds(
        Share,
        n_clusters=st.integers(1, 4096),
        init=st.sampled_from(["linear", "density", "random"]),
    ),
    st.builds(LowRank, rank=st.integers(1, 1 << 20)),
    st.builds(LowRank, energy=fractions),
)
recipes = st.one_of(
    st.lists(steps, max_size=5),
    st.dictionaries(st.text(max_size=9), st.lists(steps, max_size=4), max_size=4),
).map(Recipe.of)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def wrap(step):
    return json.dumps({"version": 1, "layers": {"*": [step]}})


@given(recipes)
def test_json_there_and_back(recipe):
    text = recipe.to_json()
    assert recipe_from_json(text) == recipe
    assert recipe_from_json(text).to_json() == text


def test_by_hand_json_leaves_defaults_out():
    recipe = Recipe.of({"fc1": [Prune(sparsity=0.0), Share()], "*": [Quantize(bits=4)]})
    assert json.loads(recipe.to_json()) == {
        "version": 1,
        "layers": {
            "fc1": [{"step": "Prune", "sparsity": 0.0}, {"step": "Share"}],
            "*": [{"step": "Quantize", "bits": 4}],
        },
    }


def test_every_kind_of_step_can_be_read():
    def leaves(kind):
        return [leaf for sub in kind.__subclasses__() for leaf in leaves(sub)] or [kind]

    own = {kind for kind in leaves(Setting) if kind.__module__.startswith("explorer.")}
    assert set(STEPS.values()) == own - {PruneBySaliency}
    assert list(STEPS) == [kind.__name__ for kind in STEPS.values()]


def test_every_step_says_what_it_does_and_what_it_leaves():
    for kind in STEPS.values():
        assert kind.help.endswith(".") and kind.help[0].isupper()
        assert kind.records
    roles = {name: kind.role for name, kind in STEPS.items() if kind.role != "codes"}
    assert roles == {
        "Prune": "prunes", "PruneNeurons": "removes",
        "RelativeIndex": "writes", "Entropy": "writes",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "entries"),
    [
        (None, ()),
        ([], ()),
        (Binarize(), (("*", (Binarize(),)),)),
        ([Binarize()], (("*", (Binarize(),)),)),
        ((Share(), Quantize()), (("*", (Share(), Quantize())),)),
        ({"a*": [Binarize()], "*": []}, (("a*", (Binarize(),)), ("*", ()))),
        ({"a": Binarize()}, (("a", (Binarize(),)),)),
    ],
)
def test_what_makes_a_recipe(given_, entries):
    recipe = Recipe.of(given_)
    assert recipe.entries == entries
    assert Recipe.of(recipe) is recipe


def test_the_first_pattern_that_matches_wins():
    recipe = Recipe.of(
        {"features.[02]": [Share()], "features.*": [], "*": [Binarize()], "fc": [Quantize()]}
    )
    assert recipe.steps_for("features.0") == (Share(),)
    assert recipe.steps_for("features.1") == ()
    assert recipe.steps_for("fc") == (Binarize(),)
    assert Recipe.of({"a": [Share()]}).steps_for("b") == ()
    assert Recipe.of({"A": [Share()]}).steps_for("a") == ()


@pytest.mark.parametrize("kind", STEPS.values(), ids=list(STEPS))
def test_nothing_is_no_value_where_a_field_needs_one(kind):
    for each in fields(kind):
        if each.default is not None:
            with pytest.raises(TypeError, match=f"{kind.__name__}: {each.name} must have a value"):
                kind(**{each.name: None})


def test_a_pattern_that_comes_twice_is_refused():
    entries = (("fc1", (Share(4),)), ("*", ()), ("fc1", (Share(8),)))
    with pytest.raises(ValueError, match="pattern 'fc1' comes twice; the first match wins"):
        Recipe(entries)
    assert len(Recipe(entries[:2]).as_dict()["layers"]) == 2


def test_a_pattern_without_a_layer_is_refused():
    recipe = Recipe.of({"fc?": [Share()], "conv": [Share()], "*": []})
    words = r"pattern 'conv' matches no layer; the layers are: fc1, fc2"
    with pytest.raises(ValueError, match=words):
        recipe.check_layers(["fc1", "fc2"])
    recipe.check_layers(["fc1", "conv"])


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ("prune", "recipe must be a list of steps .*; got str"),
        (3, "recipe must be a list of steps .*; got int"),
        ([Prune], r"steps are settings such as Prune\(sparsity=0.9\); got <class"),
        (["prune"], "steps are settings .*; got 'prune'"),
        ({1: [Share()]}, "patterns are strings over layer names; got 1"),
        ({"*": "prune"}, "expected a list of steps; got 'prune'"),
        ({"*": None}, "expected a list of steps; got None"),
    ],
)
def test_what_is_no_recipe_is_refused(given_, words):
    with pytest.raises(TypeError, match=words):
        Recipe.of(given_)


def test_what_is_no_text_is_refused():
    with pytest.raises(TypeError, match="recipe: expected JSON in a str; got int"):
        recipe_from_json(3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("1" * 5000, "not valid JSON"),
        ("[]", r'expected \{"version": 1'),
        ("null", r'expected \{"version": 1'),
        ('{"version": 2, "layers": {}}', r"expected .*; got .*version.*2"),
        ('{"version": 1}', '"layers" must be an object'),
        ('{"version": 1, "layers": []}', '"layers" must be an object'),
        ('{"version": 1, "layers": {"*": 1}}', r"steps of '\*' must be a list"),
        (wrap(1), '"step" must be one of Prune, .*; got 1'),
        (wrap({"step": "os.system"}), "got .*os.system"),
        (wrap({"step": ["Prune"]}), '"step" must be one of'),
        (wrap({"step": "__class__"}), '"step" must be one of'),
        (wrap({"step": "Prune", "sparsity": 2}), r"sparsity must be in \[0, 1\]; got 2"),
        (wrap({"step": "Prune", "sparsity": "0.5"}), "recipe: Prune: sparsity must be a number"),
        (wrap({"step": "Prune"}), "exactly one of sparsity, threshold"),
        (wrap({"step": "Prune", "sparsity": float("nan")}), "got nan"),
        (wrap({"step": "Prune", "threshold": float("inf")}), "must be finite"),
        (wrap({"step": "Prune", "sparsity": 10**400}), r"must be in \[0, 1\]"),
        (wrap({"step": "Prune", "sparsity": 0.5, "scope": []}), "scope must be one of"),
        (wrap({"step": "Share", "k": 3}), "Share has no field 'k'; its fields are init, n_clu"),
        (wrap({"step": "Share", "n_clusters": 1e3}), "must be an integer"),
        (wrap({"step": "Quantize", "bits": True}), "must be an integer"),
        (wrap({"step": "Quantize", "bits": None}), "Quantize: bits must have a value; got None"),
        (wrap({"step": "Share", "init": None}), "Share: init must have a value; got None"),
        (wrap({"step": "PruneNeurons", "fraction": None}), "fraction must have a value"),
        (wrap({"step": "LowRank", "rank": None}), "exactly one of rank, energy"),
        ('{"version": 1, "layers": {"a": [], "b": [], "a": []}}', "'a' comes twice in one object"),
        ('{"version": 1, "version": 1, "layers": {}}', "'version' comes twice in one object"),
    ],
    ids=range(29),
)
def test_json_from_strangers_is_refused_in_words(text, words):
    with pytest.raises(ValueError, match=words):
        recipe_from_json(text)


def test_too_much_json_is_refused():
    with pytest.raises(ValueError, match=f"at most {MAX_JSON} are read"):
        recipe_from_json(" " * (MAX_JSON + 1))
    steps_ = [{"step": "Share"}] * (MAX_STEPS + 1)
    with pytest.raises(ValueError, match=f"a list of at most {MAX_STEPS}"):
        recipe_from_json(json.dumps({"version": 1, "layers": {"*": steps_}}))


@settings(max_examples=300)
@given(st.sampled_from(sorted(STEPS)), st.dictionaries(st.text(max_size=6), anything), anything)
def test_any_other_json_gives_a_recipe_or_a_value_error(name, extra, value):
    given = {"sparsity": value, "bits": value, "n_clusters": value, "rank": value}
    for item in (
        value,
        {"step": name} | extra,
        {"step": name} | given,
        {"step": name, **{key: value for key in given if key in STEPS[name].__dataclass_fields__}},
    ):
        try:
            recipe = recipe_from_json(wrap(item))
        except ValueError:
            continue
        assert recipe_from_json(recipe.to_json()) == recipe

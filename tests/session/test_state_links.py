"""States as links: what is written reads back, and nothing else is read."""

import base64
import json
import string
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.history.state import State

STATE = State(
    "lenet-5",
    "random",
    Recipe.of({"fc1": [], "*": [Prune(sparsity=0.9), Share(n_clusters=16)]}),
    "fc1",
    "Prune",
)
FRACTIONS = st.floats(0, 1)
STEPS = st.one_of(
    st.builds(Prune, sparsity=FRACTIONS, criterion=st.sampled_from(["magnitude", "random"])),
    st.builds(Prune, threshold=st.floats(1e-6, 10)),
    st.builds(PruneNeurons, fraction=st.floats(0, 0.99)),
    st.builds(Quantize, bits=st.integers(1, 8), granularity=st.sampled_from(["tensor", "channel"])),
    st.builds(Binarize, scale=st.sampled_from(["none", "tensor", "channel"])),
    st.builds(Share, n_clusters=st.integers(1, 256), refine=st.booleans()),
    st.builds(Product, n_subvectors=st.integers(1, 64), axis=st.integers(0, 1)),
    st.builds(Residual, n_stages=st.integers(1, 4)),
    st.builds(LowRank, rank=st.integers(1, 500)),
    st.builds(LowRank, energy=FRACTIONS),
    st.builds(RelativeIndex, bits=st.integers(1, 8)),
    st.builds(Entropy, coder=st.sampled_from(["huffman", "ans"])),
)
NAMES = st.text(string.ascii_letters + string.digits + "._*-[]é \"'&=?#%", max_size=30)
RECIPES = st.dictionaries(NAMES, st.lists(STEPS, max_size=5), max_size=4).map(Recipe.of)
STATES = st.builds(State, NAMES, st.sampled_from(["default", "random"]), RECIPES, NAMES, NAMES)


def link_of(value):
    """A link by hand."""
    return packed(json.dumps(value).encode())


def packed(content):
    return "1." + base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")


@given(STATES)
def test_every_state_reads_back_from_its_link(state):
    link = state.to_link()
    assert State.from_link(link) == state
    assert set(link) <= set(string.ascii_letters + string.digits + "-_.")


def test_a_link_is_json_that_is_deflated_and_written_in_base64url():
    body = STATE.to_link().removeprefix("1.")
    content = zlib.decompress(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    steps = [{"step": "Prune", "sparsity": 0.9}, {"step": "Share", "n_clusters": 16}]
    expected = {
        "model": "lenet-5",
        "weights": "random",
        "layer": "fc1",
        "tab": "Prune",
        "recipe": {"version": 1, "layers": {"fc1": [], "*": steps}},
    }
    assert json.loads(content) == expected
    assert State.from_link(link_of(expected)) == STATE
    assert State.from_link(link_of({})) == State()


def layers(value):
    return {"recipe": {"version": 1, "layers": value}}


def step(**fields):
    return layers({"*": [fields]})


HOSTILE = {
    "nothing": ("", "expected text that begins with '1.'; got ''"),
    "another version": ("2.abcd", "open it with the version of the explorer that made it"),
    "too long": ("1." + "A" * 9000, "more than the 8,192 characters that are read"),
    "no base64": ("1.$$$$", "it is damaged .* copy the whole link again"),
    "not ascii": ("1.é", "it is damaged"),
    "not deflated": ("1.AAAA", "it is damaged"),
    "cut off": (STATE.to_link()[:-9], "a part is missing|it is damaged"),
    "two in one": (
        "1." + base64.urlsafe_b64encode(zlib.compress(b"{}") * 2).decode().rstrip("="),
        "there is more than one",
    ),
    "a bomb": (packed(b" " * 5_000_000), "it inflates to more than 65,536 bytes"),
    "not utf-8": (packed(b"\xff\xfe"), "it is damaged"),
    "no json": (packed(b"{"), "link: not the JSON that it should be"),
    "nested deep": (packed(b"[" * 60_000), "link: not the JSON that it should be"),
    "a key twice": (packed(b'{"model":"a","model":"b"}'), "a key occurs twice"),
    "not a number": (packed(b'{"model":NaN}'), "NaN is no number"),
    "infinite": (packed(b'{"model":1e999}'), "too large a number"),
    "long integer": (packed(b'{"model":' + b"9" * 5000 + b"}"), "too long a number"),
    "a list": (link_of([1]), "link: expected an object in braces; got"),
    "unknown part": (link_of({"path": "/etc"}), "no part is called 'path'; its parts are model"),
    "model no text": (link_of({"model": 3}), "link: model: expected at most 200 characters"),
    "model too long": (link_of({"model": "x" * 201}), "link: model: expected at most 200"),
    "unprintable": (link_of({"layer": "a\nb"}), "link: layer: expected .* plain text"),
    "half a pair": (link_of({"tab": "\ud800"}), "link: tab: expected .* plain text"),
    "a path": (link_of({"weights": "/etc/passwd"}), "one of 'default', 'random', never a path"),
    "no recipe": (link_of({"recipe": 3}), "link: recipe: expected an object"),
    "recipe of another kind": (link_of({"recipe": {"version": 2}}), 'expected {"version": 1'),
    "more in the recipe": (
        link_of({"recipe": {"version": 1, "layers": {}, "x": 1}}),
        "link: recipe: no part is called 'x'",
    ),
    "unknown step": (link_of(step(step="Exec")), '"step" must be one of Prune'),
    "unknown field": (link_of(step(step="Share", k=3)), "Share has no field 'k'"),
    "out of range": (link_of(step(step="Quantize", bits=99)), "bits must be from 1 to 8; got 99"),
    "percent": (link_of(step(step="Prune", sparsity=90)), "write 0.9"),
    "null": (link_of(step(step="Quantize", bits=None)), "Quantize: bits must have a value"),
    "no threshold": (link_of(step(step="Prune")), "exactly one of sparsity, threshold"),
    "many patterns": (
        link_of(layers({str(i): [] for i in range(65)})),
        "65 patterns of layer names; at most 64",
    ),
    "many steps": (
        link_of(layers({"*": [{"step": "Entropy"}] * 17})),
        r"17 steps for '\*'; at most 16",
    ),
    "a long pattern": (link_of(layers({"x" * 201: []})), "recipe: pattern: expected at most 200"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused_in_words(name):
    link, words = HOSTILE[name]
    with pytest.raises(ValueError, match=words) as raised:
        State.from_link(link)
    assert len(str(raised.value)) < 1000


def test_what_is_no_text_is_refused_too():
    with pytest.raises(ValueError, match="link: expected text; got NoneType"):
        State.from_link(None)


def sound_or_refused(link):
    try:
        state = State.from_link(link)
    except ValueError:
        return
    assert State.from_link(state.to_link()) == state


@settings(max_examples=300)
@given(st.data())
def test_mutated_links_give_a_sound_state_or_are_refused(data):
    link = list(STATE.to_link())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(link) - 1))
        link[place] = data.draw(st.sampled_from("ABab01-_.= \0é"))
    sound_or_refused("".join(link[: data.draw(st.integers(0, len(link)))] or link))


@settings(max_examples=300)
@given(st.data())
def test_mutated_contents_give_a_sound_state_or_are_refused(data):
    content = bytearray(json.dumps(STATE.as_dict()).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.sampled_from(b'0123456789eE.-+"{}[],: nulltrsx\\'))
    sound_or_refused(packed(bytes(content)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
KEYS = ["model", "weights", "recipe", "layer", "tab", "x"]


@given(st.dictionaries(st.sampled_from(KEYS), JSON | st.just({"version": 1, "layers": {}})))
def test_other_contents_give_a_sound_state_or_are_refused(value):
    sound_or_refused(link_of(value))


@given(st.sampled_from(["Prune", "Share", "Quantize", "LowRank", "Product"]), JSON)
def test_other_values_of_fields_give_a_sound_state_or_are_refused(name, value):
    for field in ("sparsity", "n_clusters", "bits", "rank", "axis", "refine", "scope"):
        sound_or_refused(link_of(step(step=name, **{field: value})))


def test_what_no_link_holds_is_said():
    recipe = Recipe.of({str(i): [] for i in range(65)})
    with pytest.raises(ValueError, match=r"65 patterns.*export the recipe instead"):
        State(recipe=recipe).to_link()


def test_weights_are_never_a_path():
    with pytest.raises(ValueError, match="weights must be one of 'default', 'random', never"):
        State("lenet-5", "weights.safetensors")


def test_states_of_the_same_work_may_be_seen_differently():
    other = State("lenet-5", "random", STATE.recipe, "fc2", "Share")
    assert STATE.same_work(other)
    assert STATE.seen_as(other) == other
    elsewhere = State("lenet-300-100", layer="fc3", tab="Share")
    assert not STATE.same_work(elsewhere)
    assert STATE.seen_as(elsewhere).layer == "fc1"
    assert STATE.seen_as(elsewhere).tab == "Share"

"""The picture that stays in a notebook: what it says, and that any words are harmless in it."""

import base64
import re
from xml.etree import ElementTree

import numpy as np

from explorer.measure.maps import Histogram
from explorer.views.still import PLOT, SENTENCE, Still

FIGURES = {"Size on disk": ("80 KB", "2.0\N{MULTIPLICATION SIGN} smaller", "from 160 KB")}
WEIGHTS = Histogram(np.linspace(-1, 1, 5), np.array([0, 4, 16, 1]), np.array([0, 0, 4, 1]))


def drawn(still):
    """The picture inside the markup, read as XML."""
    (data,) = re.findall(r"base64,([^\"]+)", still.html("k"))
    return ElementTree.fromstring(base64.b64decode(data))


def words(still):
    return [each.text for each in drawn(still).iter() if each.tag.endswith("text")]


def test_figures_recipe_and_layer_are_told():
    still = Still(FIGURES, "Prune 90%", "fc1", WEIGHTS)
    assert words(still) == [
        "Size on disk",
        "80 KB",
        "2.0\N{MULTIPLICATION SIGN} smaller",
        "from 160 KB",
        "Recipe: Prune 90%",
        "Weights of layer fc1, before (grey) and after (blue)",
    ]
    assert still.text == "Size on disk 80 KB. Recipe: Prune 90%."
    assert f"<figcaption>{SENTENCE}</figcaption>" in still.html("k")
    assert 'class="ex-still ex-still-k"' in still.html("k")


def test_bars_grow_with_the_square_root_of_the_tallest_count():
    paths = [each.get("d") for each in drawn(Still({}, "", "a", WEIGHTS)).iter() if each.get("d")]
    before, after = ([float(y) for y in re.findall(r"V([\d.]+)h", path)] for path in paths)
    base = max(before)
    assert np.allclose((base - np.array(before)) / PLOT, [0, 0.5, 1, 0.25], atol=0.01)
    assert np.allclose((base - np.array(after)) / PLOT, [0, 0, 0.5, 0.25], atol=0.01)


def test_without_weights_and_with_a_long_recipe_it_is_small():
    bare = Still(FIGURES, "as it is", "", None)
    long = Still(FIGURES, "Prune 90%, " * 400, "fc1", None)
    assert not list(drawn(bare).iter("{http://www.w3.org/2000/svg}path"))
    assert words(long)[-1].endswith("\N{HORIZONTAL ELLIPSIS}")
    assert len(words(long)) == 7


def test_markup_in_names_stays_text():
    hostile = '"><script>alert(1)</script>&\N{SNOWMAN}'
    still = Still({"A": (hostile, "", "")}, hostile, hostile, WEIGHTS)
    assert "<script" not in still.html("k")
    assert hostile in words(still)

"""Colors that stand for different things stay apart for color-blind readers.

The matrices are those of Machado, Oliveira, Fernandes, "A physiologically-based model for
simulation of color vision deficiency", IEEE TVCG 2009, for severity 1, on linear sRGB.
"""

import re
from itertools import combinations

import numpy as np
import pytest

from explorer.views.assets import stylesheet

CSS = stylesheet()
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(1)
PAIRS = (
    ("accent", "before"),
    ("accent", "mark"),
    ("before", "mark"),
    ("accent", "card"),
    ("before", "card"),
    ("mark", "card"),
    ("good", "bad"),
    ("heat-0", "heat-1"),
    ("heat-1", "heat-2"),
    ("error-0", "error-1"),
    ("error-1", "error-2"),
)
ROLES = ("values", "indices", "fillers", "codebooks", "tables", "header", "untouched")
APART, NEIGHBORS_APART = 20, 15


def color(name, scheme):
    found = re.search(rf"--ex-{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", CSS)
    return found[1 if scheme == "light" else 2]


def linear(hexa):
    parts = np.array([int(hexa[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(hexa, vision):
    seen = np.clip(VISION[vision] @ linear(hexa), 0, 1)
    ratio = TO_XYZ @ seen / WHITE
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def distance(one, other, vision):
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))


def test_the_formula_gives_known_values():
    np.testing.assert_allclose(lab("#ffffff", "full"), [100, 0, 0], atol=0.1)
    np.testing.assert_allclose(lab("#ff0000", "full"), [53.24, 80.09, 67.20], atol=0.3)
    assert distance("#d02020", "#208020", "full") > 2 * distance("#d02020", "#208020", "protanopia")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISION)
def test_colors_side_by_side_stay_apart(vision, scheme):
    near = {
        pair: round(found)
        for pair in PAIRS
        if (found := distance(*(color(name, scheme) for name in pair), vision)) < APART
    }
    assert near == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISION)
def test_what_bytes_are_spent_on_is_told_apart(vision, scheme):
    colors = {role: color(f"role-{role}", scheme) for role in ROLES}
    near = {
        (one, other): round(found)
        for one, other in combinations(ROLES, 2)
        if (found := distance(colors[one], colors[other], vision)) < NEIGHBORS_APART
    }
    assert near == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scales_of_maps_grow_in_one_direction_of_lightness(scheme):
    for scale in ("heat", "error"):
        levels = [lab(color(f"{scale}-{i}", scheme), "full")[0] for i in range(3)]
        assert levels in (sorted(levels), sorted(levels, reverse=True))

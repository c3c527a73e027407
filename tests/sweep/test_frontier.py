"""The points that no other beats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.networks.recipe import Recipe
from explorer.measure.accuracy import Accuracy
from explorer.sweep.curves import CurvePoint, frontier
from explorer.sweep.dials import coarse_to_fine
from explorer.sweep.point import Point


def point(size, top1, top5=1.0):
    return Point("", Recipe(), size, 1000, Accuracy(top1, top5, 10, 0.0, 1.0), 0.0)


PLACES = st.tuples(st.integers(1, 12), st.sampled_from([0.1, 0.3, 0.5, 0.9]))


def place(found):
    return found.compression_ratio, found.accuracy.top1


def beats(one, other):
    return one != other and one[0] >= other[0] and one[1] >= other[1]


def test_by_hand():
    points = [point(100, 0.9), point(50, 0.8), point(60, 0.7), point(200, 0.95), point(50, 0.5)]
    assert frontier(points) == [points[3], points[0], points[1]]


def test_the_other_accuracy_and_curve_points():
    points = [point(100, 0.9, 0.9), point(50, 0.8, 0.95)]
    assert frontier(points, "top5") == [points[1]]
    curve = [CurvePoint("prune", 0.5, one) for one in points]
    assert frontier(curve) == curve


@given(st.lists(PLACES, max_size=12))
def test_no_point_of_it_beats_another_and_each_one_left_out_is_beaten(places):
    points = [point(*each) for each in places]
    found = frontier(points)
    assert not any(beats(place(a), place(b)) for a in found for b in found)
    left = [one for one in points if not any(one is other for other in found)]
    assert all(any(beats(place(a), place(one)) for a in found) for one in left)
    assert [place(one)[0] for one in found] == sorted(place(one)[0] for one in found)


@given(st.lists(PLACES, min_size=1, max_size=8), st.integers(0, 7))
def test_a_beaten_point_changes_nothing(places, which):
    points = [point(*each) for each in places]
    size, top1 = places[which % len(places)]
    before = frontier(points)
    assert frontier([*points, point(size + 1, top1)]) == before


def test_what_was_not_judged_is_left_out():
    lost = Point("", Recipe(), 0, 1000, None, 0.0, "ValueError: no")
    assert frontier([lost]) == []


def test_bad_input():
    with pytest.raises(ValueError, match="metric must be 'top1' or 'top5'; got 'top3'"):
        frontier([], "top3")
    with pytest.raises(TypeError, match=r"points must be what sweep, .* yield; got int"):
        frontier([3])


@given(st.lists(st.integers(), max_size=20, unique=True))
def test_coarse_to_fine_keeps_every_value(values):
    found = coarse_to_fine(values)
    assert sorted(found) == sorted(values)
    if len(values) > 1:
        assert found[:2] == [values[-1], values[0]]

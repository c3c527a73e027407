"""Lines of a run: thinned, jumps kept, the newest point always there."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measure.curves import MAX_POINTS, CentroidPaths, Curves, Line, Reference, Track


def test_few_points_are_all_there_and_a_jump_keeps_both_its_ends():
    track = Track()
    for step, value in [(0, 0.9), (5, 0.95), (5, 0.4), (10, 0.8)]:
        track.add(step, value)
    line = track.line()
    assert line.steps.tolist() == [0, 5, 5, 10]
    assert line.values.tolist() == [0.9, 0.95, 0.4, 0.8]


def test_lines_of_several_seeds_are_not_joined():
    track = Track()
    track.part()
    for step, value in [(0, 0.9), (5, 0.95)]:
        track.add(step, value)
    track.part()
    for step, value in [(5, 0.1), (10, 0.8)]:
        track.add(step, value)
    line = track.line()
    assert line.steps.tolist() == [0, 5, 5, 5, 10]
    assert np.array_equal(line.values, [0.9, 0.95, np.nan, 0.1, 0.8], equal_nan=True)
    assert line.highest > 0.9


@given(st.integers(0, 3000), st.integers(2, 50))
def test_thinned_points_are_among_those_added_evenly_and_the_ends_stay(n, limit):
    track = Track(limit)
    for step in range(n):
        track.add(step, 2.0 * step)
    line = track.line()
    assert len(line.steps) <= limit
    assert line.values.tolist() == (2.0 * line.steps).tolist()
    if n:
        assert (line.steps[0], line.steps[-1]) == (0, n - 1)
        assert len(set(np.diff(line.steps)[:-1])) <= 1
        assert len(line.steps) >= min(n, limit // 2)


def test_arrays_become_rows():
    track = Track()
    for step in range(2 * MAX_POINTS):
        track.add(step, np.array([step, -step]))
    line = track.line()
    assert line.values.shape == (len(line.steps), 2)
    assert line.values[-1].tolist() == [2 * MAX_POINTS - 1, 1 - 2 * MAX_POINTS]


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="max_points must be at least 2; got 1"):
        Track(1)


def test_how_far_shared_values_moved_by_hand():
    values = np.array([[-1.0, 0.0, 2.0, 3.0, 9.0], [5.0] * 5, [-1.5, 0.0, 3.0, 3.0, 9.0]])
    paths = CentroidPaths(np.array([0, 1, 4]), values, 4)
    assert (paths.mean_move, paths.largest_move) == (pytest.approx(0.3), 1.0)
    assert paths.drawn(3).tolist() == values[:, [0, 2, 4]].tolist()
    assert paths.drawn(9).tolist() == values.tolist()


def test_what_the_axes_are_made_from():
    held_out, training = (
        Line(np.arange(2), np.array(values)) for values in ([0.9, 0.4], [np.nan, 0.7])
    )
    loss = Line(np.arange(1000), np.r_[100.0, np.full(999, 2.0)])
    curves = Curves({"": loss}, {"": training}, {"": held_out}, {}, 1000)
    assert curves.highest_loss == 2.0
    assert curves.lowest_accuracy == 0.4
    assert replace(curves, reference=Reference("pruned", 0.1)).lowest_accuracy == 0.1
    empty = Curves({}, {}, {"": Line(np.zeros(0, np.int64), np.zeros(0))}, {}, 0)
    assert (empty.highest_loss, empty.lowest_accuracy) == (0.0, 1.0)

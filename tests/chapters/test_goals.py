"""Goals say what there is, what is asked for, and what is missing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import explorer as ex
from explorer.chapters import goals
from explorer.chapters.goals import Uses
from explorer.measure.accuracy import Accuracy
from explorer.measure.result import LayerFigures, Result

LAYER = LayerFigures("fc1", (10, 10), 100, 25, 3200, 400, 0.25)
RESULT = Result(
    (LAYER,),
    original_bytes=1000,
    size_bytes=120,
    overhead_bytes=20,
    accuracy=Accuracy.from_counts(191, 200, 200),
    complete=True,
)
NOTHING = ex.Recipe()


@pytest.mark.parametrize(
    ("goal", "met", "words"),
    [
        (goals.smaller(8), True, "compression 8.3×, asked for 8.0× or more"),
        (goals.smaller(10), False, "compression 8.3×, asked for 10.0× or more: 1.7× are missing"),
        (goals.accuracy(0.95), True, "accuracy 95.5%, asked for 95.0% or more"),
        (
            goals.accuracy(0.97),
            False,
            "accuracy 95.5%, asked for 97.0% or more: 1.5 points are missing",
        ),
        (goals.file_below(120), True, "file 120 bytes, asked for 120 bytes or less"),
        (
            goals.file_below(90),
            False,
            "file 120 bytes, asked for 90 bytes or less: 30 bytes too much",
        ),
        (goals.zeros(0.75), True, "zeros 75.0%, asked for 75.0% or more"),
        (
            goals.zeros(0.8, "fc1"),
            False,
            "zeros in fc1 75.0%, asked for 80.0% or more: 5.0 points are missing",
        ),
        (goals.zeros_below(0.75), True, "zeros 75.0%, asked for 75.0% or less"),
        (
            goals.zeros_below(0.01, "fc1"),
            False,
            "zeros in fc1 75.0%, asked for 1.0% or less: 74.0 points too much",
        ),
        (goals.layer_smaller("fc1", 8), True, "compression of fc1 8.0×, asked for 8.0× or more"),
        (
            goals.error_below("fc1", 0.2),
            False,
            "error of fc1 0.25, asked for 0.20 or less: 0.05 too much",
        ),
        (goals.operations_below(0.5), False, "operations left: not known yet"),
    ],
)
def test_a_figure_is_compared_with_its_bound(goal, met, words):
    verdict = goal.judge(RESULT, NOTHING)
    assert (verdict.met, verdict.words) == (met, words)


def test_accuracy_counts_once_all_data_are_judged():
    partial = replace(RESULT, complete=False)
    assert goals.accuracy(0.5).judge(partial, NOTHING) == goals.Verdict(
        False, "accuracy: not known yet"
    )
    assert goals.accuracy(0.5).now(partial) == "accuracy …"


@given(st.floats(0.001, 1000), st.floats(0.001, 1000))
def test_a_figure_that_misses_its_bound_reads_otherwise_than_the_bound(value, bound):
    result = replace(RESULT, original_bytes=10**9, size_bytes=max(1, round(10**9 / value)))
    verdict = goals.smaller(bound).judge(result, NOTHING)
    assert verdict.met == (result.compression_ratio >= bound)
    there, asked = verdict.words.split(", asked for ")
    if abs(result.compression_ratio - bound) > 2e-4:
        assert there.removeprefix("compression ") != asked.split(" or more")[0] or verdict.met


@pytest.mark.parametrize(
    ("steps", "wanted", "met", "words"),
    [
        ([], True, False, "Share is not in the recipe: add it"),
        ([ex.Share()], True, True, "Share is in the recipe"),
        ([ex.Share()], False, False, "Share is in the recipe: remove it"),
        ({"fc1": [ex.Prune(sparsity=0.5)]}, False, True, "Share is not in the recipe"),
    ],
)
def test_a_step_is_asked_for_or_excluded(steps, wanted, met, words):
    verdict = Uses(ex.Share, wanted).judge(RESULT, ex.Recipe.of(steps))
    assert (verdict.met, verdict.words) == (met, words)
    assert Uses(ex.Share).now(RESULT) == ""

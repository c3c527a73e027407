"""A typed number is judged in words that do not give the answer away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.chapters.goals import NumberGoal


@pytest.mark.parametrize("typed", ["23520", "23,520", " 23 520 ", "23_520", "2.352e4"])
def test_a_right_number_is_taken_however_it_is_written(typed):
    verdict = NumberGoal(23520, unit="weights").judge(typed)
    assert (verdict.met, verdict.words) == (True, "Right: 23,520 weights.")


def test_a_number_within_the_tolerance_is_right_and_hears_the_exact_one():
    verdict = NumberGoal(95.96, 0.6, "percent").judge("96 %")
    assert (verdict.met, verdict.words) == (
        True,
        "Right: 95.96 percent; 96 is close enough.",
    )


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2352", "2,352 is too small, by a factor of about 10."),
        ("30000", "30,000 is too large, by about 28 percent."),
        ("23500", "23,500 is too small, by less than 1 percent: count exactly."),
        ("-1", "-1 is too small, and not even of the right sign."),
        ("2352000", "2,352,000 is too large, by a factor of about 100."),
        ("23,5", "Write a decimal point, not a comma: 12.5."),
        ("many", "'many' is not a number: type digits, such as 12.5."),
        ("inf", "Type a finite number."),
        ("nan", "Type a finite number."),
    ],
)
def test_a_wrong_number_is_told_how_far_off_it_is(typed, words):
    verdict = NumberGoal(23520).judge(typed)
    assert (verdict.met, verdict.words) == (False, words)


def test_zero_can_be_asked_for():
    assert NumberGoal(0).judge("0").met
    assert NumberGoal(0).judge("3").words == "3 is too large, by 3."


@given(st.floats(-1e6, 1e6), st.floats(0, 100), st.floats(-1e6, 1e6))
def test_what_is_right_is_within_the_tolerance(answer, tolerance, typed):
    assert NumberGoal(answer, tolerance).judge(repr(typed)).met == (
        abs(typed - answer) <= tolerance
    )


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ((float("nan"),), "answer must be a finite number; got nan"),
        ((1, -1), "tolerance must be 0"),
    ],
)
def test_a_goal_that_cannot_be_reached_is_refused(given_, message):
    with pytest.raises(ValueError, match=message):
        NumberGoal(*given_)

"""Questions follow the explorer, and say what is missing."""

import pytest
import torch
from ipywidgets import Button
from torch import nn
from waiting import until

import explorer as ex
from explorer.chapters.goals import smaller, zeros
from explorer.chapters.questions import ask_number, question

WAIT_S = 30


@pytest.fixture
def app():
    torch.manual_seed(0)
    made = ex.Explorer(nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 3)).eval())
    made.wait(WAIT_S)
    yield made
    made.close()


def press(asked):
    def buttons(box):
        for child in getattr(box, "children", ()):
            yield from [child] if isinstance(child, Button) else buttons(child)

    (button,) = buttons(asked)
    button.click()


def said(asked):
    return asked._verdict.message


def test_the_button_says_what_is_missing_and_then_that_it_is_answered(app):
    asked = question(app, "More zeros?", zeros(0.8), hint="Drag <right>.")
    press(asked)
    assert not asked.met
    assert said(asked) == "Not yet: zeros 0.0%, asked for 80.0% or more: 80.0 points are missing."
    app.recipe = [ex.Prune(sparsity=0.9)]
    press(asked)
    assert asked.met
    assert said(asked).startswith("Answered: zeros 90.0%")
    assert "ex-met" in asked._card._dom_classes
    assert "ex-missed" not in asked._card._dom_classes
    asked.close()


def test_all_goals_must_be_reached_at_once(app):
    asked = question(app, "Both?", zeros(0.5), smaller(1000))
    app.recipe = [ex.Prune(sparsity=0.5)]
    assert not asked.check()
    assert said(asked).startswith("Not yet: compression")
    assert "zeros" not in said(asked)
    asked.close()


def test_the_current_figure_is_that_of_the_dials_as_they_stand(app):
    asked = question(app, "More zeros?", zeros(0.99))
    assert asked._now.value == "Now: zeros 0.0%"
    app.recipe = [ex.Prune(sparsity=0.5)]
    app.wait(WAIT_S)
    asked._look()
    assert asked._now.value == "Now: zeros 50.0%"
    asked.close()


def test_a_question_is_answered_as_soon_as_a_complete_result_is(app):
    net, data = ex.load("lenet-300-100")
    shown = ex.Explorer(net, data)
    asked = question(shown, "Zeros?", zeros(0.6))
    shown.recipe = [ex.Prune(sparsity=0.7)]
    until(lambda: asked.met)
    assert asked._now.value == "Now: zeros 70.0%"
    shown.recipe = [ex.Prune(sparsity=0.1)]
    until(lambda: asked._now.value == "Now: zeros 10.0%")
    assert asked.met
    asked.close()
    shown.close()


def test_a_question_without_a_goal_is_refused(app):
    with pytest.raises(ValueError, match="goals must hold at least one goal"):
        question(app, "Nothing?")


def test_markup_in_a_question_is_shown_as_text(app):
    asked = question(app, "a < b?", zeros(0.5), hint="c & d")
    texts = [child.value for child in asked._card.children if hasattr(child, "value")]
    assert "a &lt; b?" in texts[0]
    assert "c &amp; d" in texts[-1]
    asked.close()


def test_a_number_is_judged_when_it_is_typed_and_when_the_button_is_pressed():
    right = [4]
    asked = ask_number("Two and two?", lambda: right[0], unit="in all", hint="Count.")
    press(asked)
    assert said(asked) == "Type a number first."
    asked.typed.value = "5"
    assert said(asked) == "5 in all is too large, by about 25 percent."
    right[0] = 5
    press(asked)
    assert asked.met
    asked.close()


def test_what_goes_wrong_while_checking_is_said():
    asked = ask_number("Broken?", lambda: 1 / 0)
    asked.typed.value = "1"
    assert "ZeroDivisionError" in asked._verdict.error
    asked.close()

from dataclasses import dataclass, make_dataclass

import pytest
from ipywidgets.widgets.widget import _instances

from explorer.compress.methods.setting import dial
from explorer.controls.help_text import help_of, title_of
from explorer.controls.steps import StepStack


@dataclass(frozen=True)
class Cut:
    """Cut some away."""

    part: float = dial(0.5, "fraction", "Part", "Share cut.")


@dataclass(frozen=True)
class LowRank:
    """Keep `rank` directions."""

    rank: int = dial(8, "integer", "Rank", "Kept.", low=1, high=64, step=1)


def test_a_step_that_is_removed_leaves_the_kernel_with_all_its_parts():
    stack = StepStack([Cut(part=0.9), LowRank], [Cut()])
    before = set(_instances)
    for remove in (
        lambda: press(stack.steps[1], 2),
        lambda: setattr(stack, "value", (Cut(),)),
    ):
        stack.value = (Cut(), LowRank())
        assert len(set(_instances) - before) > 10
        remove()
        assert len(stack.steps) == 1 and set(_instances) <= before
    stack.close()


@pytest.fixture
def stack():
    stack = StepStack([Cut(part=0.9), LowRank], [Cut(), LowRank()])
    stack.seen = []
    stack.observe(lambda change: stack.seen.append(change["new"]), "value")
    yield stack
    stack.close()


def press(step, position):
    step.children[0].children[2 + position].click()


def test_it_starts_with_the_given_steps(stack):
    assert stack.value == (Cut(), LowRank())
    assert all("ex-step" in step._dom_classes for step in stack.steps)


def test_moving_a_dial_changes_the_value_and_no_widget(stack):
    before = stack.steps, stack._list.children
    stack.steps[1].control._dials["rank"].widget.value = 5
    assert stack.seen == [(Cut(), LowRank(5))]
    assert (stack.steps, stack._list.children) == before


def test_assigning_the_same_kinds_moves_dials_only(stack):
    before = stack.steps
    stack.value = (Cut(0.1), LowRank(3))
    assert stack.steps == before
    assert stack.seen == [(Cut(0.1), LowRank(3))]
    assert before[1].control._dials["rank"].widget.value == 3


def test_assigning_other_kinds_reuses_steps(stack):
    low_rank = stack.steps[1]
    stack.value = (LowRank(2), Cut(0.2), Cut(0.3))
    assert stack.steps[0] is low_rank
    assert [step.control.value for step in stack.steps] == [LowRank(2), Cut(0.2), Cut(0.3)]
    assert len(stack.seen) == 1


def test_steps_move_and_leave(stack):
    first, second = stack.steps
    press(second, 0)
    assert stack.value == (LowRank(), Cut())
    press(second, 0)
    assert stack.value == (LowRank(), Cut())
    press(second, 1)
    assert stack.steps == (first, second)
    press(first, 2)
    assert stack.value == (LowRank(),)


def test_a_step_switched_off_stays_but_does_not_count(stack):
    stack.steps[0].switch.value = False
    assert stack.value == (LowRank(),)
    assert len(stack.steps) == 2
    stack.value = (LowRank(4),)
    assert len(stack.steps) == 2
    stack.steps[0].switch.value = True
    assert stack.value == (Cut(), LowRank(4))


def test_buttons_add_from_classes_and_from_instances(stack):
    for button in stack._add.children:
        button.click()
    assert stack.value == (Cut(), LowRank(), Cut(part=0.9), LowRank())


def test_limits_reach_steps_now_and_later(stack):
    stack.set_limits({"rank": (1, 10)})
    stack.add(LowRank(3))
    assert [stack.steps[i].control._dials["rank"].widget.max for i in (1, 2)] == [10, 10]


def test_titles_and_help_come_from_the_class():
    assert (title_of(LowRank), help_of(LowRank)) == ("Low rank", "Keep rank directions.")


def test_a_stack_that_offers_many_kinds_is_brief_on_a_narrow_page():
    kinds = [make_dataclass(f"Kind{i}", [], frozen=True) for i in range(5)]
    stack = StepStack(kinds)
    assert "ex-brief" in stack._dom_classes
    stack.offer(kinds[:4])
    assert "ex-brief" not in stack._dom_classes
    stack.offer(kinds)
    assert "ex-brief" in stack._dom_classes
    stack.close()

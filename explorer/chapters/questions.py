"""Questions: answered by moving the explorer's dials, or by typing a number."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Button, HBox, Text, VBox, Widget

from explorer.chapters.goals import Goal, NumberGoal, Verdict
from explorer.closing import close_all
from explorer.measure.result import Result
from explorer.views.parts import caption
from explorer.views.run_bar import StatusView

if TYPE_CHECKING:
    from explorer.page.app import Explorer
    from explorer.session import Session

__all__ = ["NumberQuestion", "Question", "ask_number", "question"]

WAIT_S = 30.0
MET, MISSED = "ex-met", "ex-missed"


class _Asked(VBox):
    """A card with a question, a button, and what is said of the answer.

    `words`, `hint`: plain text; "" for no hint. `inputs`: what stands beside the button.
    """

    def __init__(self, words: str, hint: str, inputs: Sequence[Widget] = ()) -> None:
        self.met = False
        self._verdict = StatusView()
        button = Button(description="Check")
        button.tooltip = f"Check: {words}"
        button.on_click(lambda _button: self._press())
        row = HBox([*inputs, button])
        row.add_class("ex-question-row")
        parts: list[Any] = [HTML(f'<p class="ex-asked">{escape(words)}</p>'), row]
        parts.append(self._verdict.widget)
        if hint:
            parts.append(HTML(f"<details><summary>Hint</summary>{escape(hint)}</details>"))
        card = VBox(parts)
        for name in ("ex-card", "ex-question"):
            card.add_class(name)
        self._card = card
        super().__init__([card])
        for name in ("ex-root", "ex-aside"):
            self.add_class(name)

    def check(self) -> bool:
        """Judge the answer as it stands, say what comes of it, and return whether it is right."""
        raise NotImplementedError

    def _press(self) -> None:
        try:
            self.check()
        except Exception as error:
            self._verdict.fail(f"{error} ({type(error).__name__})")

    def _tell(self, verdict: Verdict) -> None:
        self.met = verdict.met
        self._card.remove_class(MISSED if verdict.met else MET)
        self._card.add_class(MET if verdict.met else MISSED)
        self._verdict.draw(verdict.words)

    def close(self) -> None:
        """Release the widgets in the browser and the kernel."""
        close_all(self._card)
        super().close()


class Question(_Asked):
    """A question that the explorer's dials answer.

    It is taken for answered as soon as a complete result reaches all goals, and stays so.

    `met`: whether it has been answered.
    """

    def __init__(self, app: Explorer, words: str, goals: Sequence[Goal], hint: str = "") -> None:
        self._app, self._goals = app, tuple(goals)
        self._session: Session | None = None
        self._lock = threading.Lock()
        self._now = caption()
        self._now.add_class("ex-question-now")
        super().__init__(words, hint, [self._now])
        self._follow()
        self._look()

    def check(self) -> bool:
        """Wait for the current result, and judge it."""
        self._follow()
        result = self._app.wait(WAIT_S)
        with self._lock:
            self._draw(result)
            self._tell(self._judge(result))
        return self.met

    def _follow(self) -> None:
        """Observe the session that is shown now."""
        if self._session is not self._app.session:
            self._session = self._app.session
            self._session.observe(lambda _result: self._look())

    def _look(self) -> None:
        """Draw the newest figures; take a result that reaches all goals for an answer."""
        with self._lock:
            result = self._app.session.result
            self._draw(result)
            if self.met or not result.complete:
                return
            verdict = self._judge(result)
            if verdict.met:
                self._tell(verdict)

    def _judge(self, result: Result) -> Verdict:
        judged = [goal.judge(result, self._app.session.recipe) for goal in self._goals]
        missing = [verdict.words for verdict in judged if not verdict.met]
        if missing:
            return Verdict(False, f"Not yet: {'; '.join(missing)}.")
        return Verdict(True, f"Answered: {'; '.join(verdict.words for verdict in judged)}.")

    def _draw(self, result: Result) -> None:
        figures = [words for goal in self._goals if (words := goal.now(result))]
        self._now.value = f"Now: {', '.join(figures)}" if figures else ""


class NumberQuestion(_Asked):
    """A question that a typed number answers.

    `goal`: a callable returns one when the answer is checked, so that it may follow the dials.
    `met`: whether the last answer that was checked is right.
    """

    def __init__(
        self, words: str, goal: NumberGoal | Callable[[], NumberGoal], hint: str = ""
    ) -> None:
        self._goal = goal
        self.typed = Text(description="Answer", continuous_update=False)
        self.typed.observe(lambda _change: self._press(), "value")
        super().__init__(words, hint, [self.typed])

    def check(self) -> bool:
        """Judge what was typed."""
        goal = self._goal if isinstance(self._goal, NumberGoal) else self._goal()
        typed = str(self.typed.value).strip()
        self._tell(goal.judge(typed) if typed else Verdict(False, "Type a number first."))
        return self.met


def question(app: Explorer, words: str, *goals: Goal, hint: str = "") -> Question:
    """Ask a question that the explorer's dials answer.

    `*goals`: all of them are to be reached at once; see `explorer.chapters.goals`. `hint`: shown on
    demand. Returns: a widget to display. Raises ValueError if there is no goal.
    """
    if not goals:
        raise ValueError("goals must hold at least one goal, such as smaller(10)")
    return Question(app, words, goals, hint)


def ask_number(
    words: str,
    answer: float | Callable[[], float],
    *,
    tolerance: float = 0.0,
    unit: str = "",
    hint: str = "",
) -> NumberQuestion:
    """Ask for a number.

    `answer`: a callable is asked when the answer is checked, so that it may follow the dials.
    `tolerance`: how far off an answer may be. `unit`: such as ``"bytes"``. `hint`: shown on demand.
    Returns: a widget to display.
    """
    if callable(answer):
        return NumberQuestion(words, lambda: NumberGoal(answer(), tolerance, unit), hint)
    return NumberQuestion(words, NumberGoal(answer, tolerance, unit), hint)

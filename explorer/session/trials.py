"""A recipe that is tried: what it is tried on, and what becomes of each layer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from explorer.compress.networks.plan import Plan
from explorer.compress.networks.planner import PlannedRecipe
from explorer.compress.networks.recipe import Recipe
from explorer.errors import error_message
from explorer.measure.result import Result
from explorer.session.latest_wins import LatestWins
from explorer.session.networks import NetworkState, NetworkStates
from explorer.stopping import Stop, never


@dataclass(frozen=True)
class Trial:
    """A recipe that is tried.

    `state`: the network that it compresses. `planned`: what it asks of that. `plans`: what becomes
    of each layer. `result`: the figures, without accuracy.
    """

    recipe: Recipe
    state: NetworkState
    planned: PlannedRecipe
    plans: Mapping[str, Plan]
    result: Result


TELL_AFTER_S = 3.0
Observer = Callable[[Result], None]


class Trials:
    """Takes recipes up; figures at once, accuracy from a background thread.

    Each recipe takes the place of the one before, whose evaluation stops; nothing of the older
    one is told as the newer one's.

    `subjects`: the networks that recipes are tried on.
    """

    def __init__(self, subjects: NetworkStates) -> None:
        self._subjects = subjects
        self._changed = threading.Condition()
        self._observers: list[Observer] = []
        self._trial: Trial | None = None
        self._result: Result | None = None
        self._closed = False
        self._worker = LatestWins("explorer-evaluation")
        self._factor_worker = LatestWins("explorer-factors")

    @property
    def recipe(self) -> Recipe:
        """The recipe that was last taken up; an empty one before the first."""
        return self._trial.recipe if self._trial else Recipe()

    @property
    def current(self) -> Trial:
        """The latest trial; the network as it is before the first."""
        return self._trial or self._submitted(Recipe())

    @property
    def result(self) -> Result:
        """What is known of the latest trial so far."""
        current = self.current
        return self._result or current.result

    def plan(self, recipe: Recipe) -> Trial:
        """Find what becomes of each layer, and the figures; nothing is taken up."""
        planned = self._subjects.planner.plan(recipe)
        state = self._subjects.state(planned)
        return Trial(recipe, state, planned, *state.figures(planned))

    def submit(self, recipe: Recipe) -> Result:
        """Take up a recipe; weights and accuracy follow in the background."""
        return self._submitted(recipe).result

    def apply(self, recipe: Recipe) -> Result:
        """Take up a recipe and rewrite the weights; accuracy follows in the background."""
        trial = self._planned(recipe)
        with self._changed:
            self._take_up(trial)
            self._worker.submit(lambda _stale: None)
        trial.state.evaluator.rewrite(trial.plans, never)
        with self._changed:
            if self._trial is trial:
                self._worker.submit(lambda stale: self._evaluate(trial, stale))
        return trial.result

    def wait(self, timeout: float | None = None) -> Result:
        """Wait until the latest result is complete.

        Raises TypeError if `timeout` is no number of seconds. Raises TimeoutError if it is not
        complete after `timeout` seconds. Raises RuntimeError if there was a `close` before it was
        complete.
        """
        if timeout is not None and not isinstance(timeout, (int, float)):
            raise TypeError(f"timeout must be a number of seconds, or None; got {timeout!r}")
        _ = self.result
        with self._changed:
            if not self._changed.wait_for(lambda: self.result.complete or self._closed, timeout):
                told = self.result.waiting
                because = f": {told}" if told else ""
                raise TimeoutError(f"accuracy is not complete after {timeout} s{because}")
            if not self.result.complete:
                raise RuntimeError("the session was closed before accuracy was complete")
            return self.result

    def observe(self, observer: Observer) -> None:
        """Call `observer` with each new result, from the background thread."""
        self._observers.append(observer)

    def close(self) -> None:
        """Stop the background work; whoever waits for it is told."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.close()
        self._factor_worker.close()
        self._observers.clear()

    def _planned(self, recipe: Recipe) -> Trial:
        """Plan a recipe, with what is known of accuracy already."""
        trial, judge = self.plan(recipe), self._subjects.first.evaluator
        result = replace(
            trial.result, original_accuracy=judge.original, complete=not judge.possible
        )
        return replace(trial, result=result)

    def _submitted(self, recipe: Recipe) -> Trial:
        trial = self._planned(recipe)
        self._start(trial)
        return trial

    def _start(self, trial: Trial) -> None:
        """Take up a trial, and begin its work in the background."""
        with self._changed:
            self._take_up(trial)
            self._worker.submit(lambda stale: self._evaluate(trial, stale))
            self._refine(trial)

    def _take_up(self, trial: Trial) -> None:
        with self._changed:
            self._trial, self._result = trial, trial.result
            self._changed.notify_all()

    def _refine(self, trial: Trial) -> None:
        """Replace randomized factors by exact ones in the background, then try again."""
        rough = trial.state.preparation.rough(trial.planned.steps)
        if not rough:
            return

        def work(stale: Stop) -> None:
            for layer in rough:
                if stale():
                    return
                layer.refine_factors()
                self._try_again(trial.recipe)

        self._factor_worker.submit(work)

    def _try_again(self, recipe: Recipe) -> None:
        """Take up a recipe once more and tell, unless a newer one took its place."""
        if self.recipe != recipe:
            return
        trial = self._planned(recipe)
        with self._changed:
            if self._closed or self.recipe != recipe:
                return
            self._start(trial)
        self._tell(trial.result)

    def _evaluate(self, trial: Trial, stale: Stop) -> None:
        """Measure a trial's accuracy, telling every estimate."""
        judge, result = self._subjects.first.evaluator, trial.result
        asked = self._telling(trial, stale)
        try:
            judge.judge_original(asked)
            for accuracy in trial.state.evaluator.run(trial.plans, asked):
                result = replace(
                    result,
                    accuracy=accuracy,
                    original_accuracy=judge.original,
                    complete=accuracy.complete,
                )
                self._publish(result, trial)
        except Exception as error:
            words = f"{type(error).__name__}: {error_message(error)}"
            self._publish(replace(result, error_message=words, complete=True), trial)

    def _telling(self, trial: Trial, stale: Stop) -> Stop:
        """Return `stale`, which where a metric takes long tells of it when it is asked."""
        metric, started = trial.state.evaluator.metric, time.monotonic()
        told = metric is None

        def asked() -> bool:
            nonlocal told
            if not told and metric is not None and time.monotonic() - started > TELL_AFTER_S:
                told = True
                words = f"{metric.name} has not answered yet"
                self._publish(replace(trial.result, waiting=words), trial)
            return stale()

        return asked

    def _publish(self, result: Result, trial: Trial) -> None:
        with self._changed:
            if self._trial is not trial:
                return
            self._result = result
            self._changed.notify_all()
        self._tell(result)

    def _tell(self, result: Result) -> None:
        for observer in list(self._observers):
            observer(result)

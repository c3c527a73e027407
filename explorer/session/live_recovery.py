"""Recovery that begins by itself after each move, and ends with the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explorer.experiments.experiment import TrainingContext
from explorer.experiments.recovery import Recover
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.measure.result import Result
from explorer.session.background import one_thread
from explorer.session.latest_wins import LatestWins
from explorer.session.session import Session
from explorer.stopping import Stop
from explorer.train.record import TrainRecord


@dataclass(frozen=True)
class Recovered:
    """How far recovery has come.

    `before`, `now`: of the network as the recipe compresses it, and after training. `elapsed_s`:
    seconds of computing.
    """

    before: Accuracy | Score
    now: Accuracy | Score
    elapsed_s: float


class LiveRecovery:
    """Trains the network that the latest recipe left, in the background.

    `heard`: called with a `Recovered`, from the thread. `failed`: called with the exception, where
    it cannot be done.
    """

    def __init__(
        self, heard: Callable[[Recovered], None], failed: Callable[[Exception], None]
    ) -> None:
        self._heard, self._failed = heard, failed
        self._worker = LatestWins("explorer-recovery")
        self._result: Result | None = None

    def start(self, session: Session, result: Result, plan: Recover) -> None:
        """Begin for a complete result; once for each."""
        if result is self._result:
            return
        self._result = result
        self._worker.submit(lambda stale: self._work(session, plan, stale))

    def stop(self) -> None:
        """End at once: after the step at hand."""
        if self._result is not None:
            self._result = None
            self._worker.submit(lambda _stale: None)

    def close(self) -> None:
        """End, and let nothing begin any more."""
        self._worker.close()

    def _work(self, session: Session, plan: Recover, stale: Stop) -> None:
        try:
            with one_thread():
                metric = session.metric
                net, data = session.net, session.data
                context = TrainingContext(net, data, session.compress, metric=metric)
                self._train(context, plan, stale)
        except Exception as error:
            if not stale():
                self._failed(error)

    def _train(self, context: TrainingContext, plan: Recover, stale: Stop) -> None:
        before: Accuracy | Score | None = None
        for moment in plan.events(context, stale):
            record = moment.record
            if stale():
                return
            if not isinstance(record, TrainRecord) or record.validation is None:
                continue
            before = before or record.validation
            if record.step:
                self._heard(Recovered(before, record.validation, record.elapsed_s))

"""Training under the hand: prune and retrain, penalties, shared values, live recovery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from ipywidgets import Checkbox, Widget

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.controls.help_text import explain
from explorer.experiments.experiment import Experiment
from explorer.experiments.recovery import Recover
from explorer.measure.result import Result
from explorer.panels.reproduced_panel import ReproducedPanel, Results, none
from explorer.panels.run_panel import RunPanel, Use
from explorer.panels.run_views import Run, RunViews
from explorer.panels.topic import Topic
from explorer.panels.train_views import SHOWN, VIEWS
from explorer.panels.train_words import PLANS, failure_text, recovered_text
from explorer.session import Session
from explorer.session.live_recovery import LiveRecovery


class TrainPanel(RunPanel):
    """The tab on training.

    Parameters
    ----------
    use : callable
        As for `RunPanel`.
    say : callable
        Called with a sentence on live recovery, from its thread.
    results : callable
        Returns reproduced results, as `ReproducedPanel` takes them.
    """

    topic = Topic(
        "Train",
        "retrains the network while it is pruned or shares values",
        (Prune(sparsity=0.5), Share(n_clusters=32)),
        (),
        (),
    )
    plans = PLANS
    heading = ("Training", "on the training samples")

    def __init__(self, use: Use, say: Callable[[str], None], results: Results = none) -> None:
        super().__init__(use)
        self._results = results
        self._live = LiveRecovery(
            lambda recovered: say(recovered_text(recovered)),
            lambda error: say(f"Not retrained: {failure_text(error)}"),
        )

    @cached_property
    def _keep(self) -> Checkbox:
        box = Checkbox(description="Keep retraining after each move", indent=False)
        explain(box, "After each change of the recipe, train for as many seconds as set above.")
        box.add_class("ex-train-keep")
        return box

    @cached_property
    def _table(self) -> ReproducedPanel:
        return ReproducedPanel(self._results)

    @property
    def asides(self) -> Mapping[type[Experiment], Widget]:
        """The switch of live recovery."""
        return {Recover: self._keep}

    @property
    def recovery(self) -> Recover | None:
        """How to retrain after each move; assign None where that is not wanted."""
        plan = self.setup.plan_of(Recover)
        return plan if self._keep.value and isinstance(plan, Recover) else None

    @recovery.setter
    def recovery(self, plan: Recover | None) -> None:
        if plan is not None:
            self.setup.set_plan_of(plan)
        self._keep.value = plan is not None

    def make_views(self) -> RunViews:
        """Make the cards, and that of the reproduced results below them."""
        return RunViews(VIEWS, SHOWN, self.setup.card, (self._table.card,))

    def moved(self) -> None:
        """Stop live recovery: the recipe is changing."""
        self._live.stop()

    def completed(self, session: Session, result: Result) -> None:
        """Begin live recovery, where it is wanted: the recipe's figures are all there."""
        plan = self.recovery if "setup" in vars(self) else None
        if plan is not None and result.accuracy is not None and not self.busy:
            self._live.start(session, result, plan)

    def start(self) -> None:
        """Begin a run of the plan; live recovery stops."""
        self._live.stop()
        super().start()

    def turned(self, run: Run) -> None:
        """Draw the penalties as the dials stand."""
        self.views.redraw("formula", run)

    def forget(self) -> None:
        """End all runs and live recovery, and drop what they made."""
        self._live.stop()
        super().forget()

    def close(self) -> None:
        """End the runs, and release the widgets."""
        super().close()
        self._live.close()
        for made in ("_table", "_keep"):
            if made in vars(self):
                getattr(self, made).close()

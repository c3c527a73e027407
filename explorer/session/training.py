"""Training in the background: started, paused, resumed and stopped by hand."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from torch import nn

from explorer.compress.networks.copied import copied
from explorer.compress.networks.recipe import Recipe
from explorer.experiments.experiment import Event, Experiment, TrainingContext
from explorer.session.background import BackgroundRun, State, one_thread
from explorer.session.training_log import TrainingLog

SHOW_EVERY_S = 0.2
WAIT_S = 5.0


class Training:
    """One run of a plan.

    Parameters
    ----------
    plan : Experiment
    trainee : TrainingContext
    heard : callable
        Called with the training at most five times a second, from its thread, between two
        steps: the networks hold still meanwhile.
    changed : callable
        Called with the training whenever its state changes.

    Attributes
    ----------
    log : TrainingLog
        What the run has told so far.
    stopping : bool
        Whether it was asked to stop.
    """

    def __init__(
        self,
        plan: Experiment,
        trainee: TrainingContext,
        heard: Callable[[Training], None],
        changed: Callable[[Training], None],
    ) -> None:
        self.plan, self._trainee = plan, trainee
        self._heard, self._changed = heard, changed
        self._shown = 0.0
        self.stopping = False
        self.log = TrainingLog(plan, trainee.net)
        self._run: BackgroundRun[Event] = BackgroundRun(
            self._arrived, lambda _run: self._changed(self)
        )

    @property
    def state(self) -> State:
        """What it is doing; STOPPED once it has ended early."""
        state = self._run.state
        return State.STOPPED if state is State.DONE and self.stopping else state

    @property
    def active(self) -> bool:
        """Whether there is something to pause or stop."""
        return self._run.active

    @property
    def still(self) -> bool:
        """Whether the networks hold still until somebody goes on."""
        return not self._run.active or self._run.state is State.PAUSED

    @property
    def error(self) -> BaseException | None:
        """What ended it, where it failed; the network then has its last good weights."""
        return self._run.error

    def start(self) -> None:
        """Begin."""
        self._run.start(self._moments())

    def pause(self) -> None:
        """Stand still after the step at hand, until `resume`."""
        self._run.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._run.resume()

    def stop(self) -> None:
        """End after the step at hand; what was reached stays."""
        self.stopping = True
        self._run.resume()

    def close(self) -> None:
        """End, and tell nobody any more."""
        self._heard = self._changed = lambda _training: None
        self.stop()
        self._run.stop()

    def join(self, timeout: float | None = None) -> State:
        """Wait until it has ended; raises TimeoutError as `BackgroundRun.join`."""
        self._run.join(timeout)
        return self.state

    def trained(self) -> nn.Module:
        """Return a copy of what was trained; of ``plan.lane_used``, where there are several.

        Raises
        ------
        RuntimeError
            If the run is under way, or that network has not done a step yet.
        """
        if not self.usable:
            raise RuntimeError("training is under way; pause or stop it to use the network")
        return copied(self.log.nets()[self.plan.lane_used]).eval().requires_grad_(True)

    @property
    def usable(self) -> bool:
        """Whether there is a network to hand over."""
        return self.still and self.plan.lane_used in self.log.nets()

    @property
    def recipe_after(self) -> Recipe:
        """The recipe that keeps what was trained as it is."""
        return self.plan.recipe_after(self._trainee.recipe)

    def _moments(self) -> Iterator[Event]:
        atexit.register(self._end)
        try:
            with one_thread():
                yield from self.plan.events(self._trainee, lambda: self.stopping)
        finally:
            atexit.unregister(self._end)

    def _end(self) -> None:
        """End before the interpreter takes its threads down."""
        self.close()
        with suppress(TimeoutError):
            self.join(WAIT_S)

    def _arrived(self, moment: Event) -> None:
        self.log.add(moment)
        now = time.perf_counter()
        if now - self._shown >= SHOW_EVERY_S:
            self._shown = now
            self._heard(self)

"""What follows the hand: the network recompressed, and all that is shown of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ipywidgets import Dropdown

from explorer.compress.networks.preparation import Progress, unheard
from explorer.compress.networks.recipe import Recipe
from explorer.errors import error_message
from explorer.measure.result import Result
from explorer.page.recipe import RecipePanel
from explorer.page.tabs import TopicsPanel
from explorer.session import Session
from explorer.session.latest_wins import LatestWins
from explorer.stopping import Stop
from explorer.views.figures import FiguresView
from explorer.views.format import count_text
from explorer.views.run_bar import StatusView

ESTIMATE_S = 0.1
RESTED_S = 0.4


@dataclass(frozen=True)
class Shown:
    """The parts of the page that follow the hand. `layer`: the layer on screen."""

    recipe: RecipePanel
    layer: Dropdown
    figures: FiguresView
    status: StatusView
    topics: TopicsPanel


class Live:
    """Recompresses one session's network as the dials are turned, and draws what comes of it.

    `lock`: held while something is drawn. `visited`, `measured`: called when another state is
    shown, and when its figures are all there.
    """

    def __init__(
        self,
        session: Session,
        shown: Shown,
        lock: threading.RLock,
        visited: Callable[[], None],
        measured: Callable[[], None],
    ) -> None:
        self.session = session
        self._shown, self._lock = shown, lock
        self._visited, self._measured = visited, measured
        self._took_ms = self._last_estimate = 0.0
        self._preparer = LatestWins("explorer-preparation")
        self._timer = LatestWins("explorer-timing", settle_s=RESTED_S)
        shown.layer.observe(lambda _change: self.guarded(self.draw_layer), "value")

    @property
    def layer(self) -> str:
        """Name of the layer on screen."""
        return self._shown.layer.value

    @property
    def recipe(self) -> Recipe:
        """The recipe that the dials stand for; assign another to move them."""
        return self._shown.recipe.recipe

    @recipe.setter
    def recipe(self, recipe: Recipe) -> None:
        recipe.check_layers(self.session.layers)
        with self._lock:
            self._shown.recipe.show(recipe)
            self.recompress()

    def bind(self, session: Session) -> None:
        """Show another session from now on; draws nothing yet."""
        self.session = session
        layer = self._shown.layer
        layer.options = [(name or "(the layer)", name) for name in session.layers]
        layer.value = _largest(session)
        self._shown.recipe.bind(session)
        session.observe(self._arrived)

    def guarded(self, action: Callable[[], None]) -> None:
        """Run an action of the person's; show what goes wrong in words."""
        try:
            with self._lock:
                action()
        except Exception as error:
            self._fail(error)

    def turned(self) -> None:
        """Follow the dials."""
        self.guarded(self.recompress)

    def recompress(self) -> None:
        """Show the current recipe; what it needs first is made in the background."""
        session, recipe = self.session, self.recipe
        self._shown.topics.moved()
        self._visited()
        if not session.ready(recipe) and session.is_quick(recipe):
            _make_ready(session, recipe, unheard)
        if not session.ready(recipe):
            self._preparer.submit(lambda stale: self._prepare(session, recipe, stale))
            return
        started = time.perf_counter()
        result = session.submit(recipe)
        self._shown.figures.draw(result)
        if self.layer is not None:
            self._shown.topics.draw(session, result, self.layer)
        self._took_ms = 1000 * (time.perf_counter() - started)
        self._shown.status.clear()
        if result.complete:
            self._completed(result)

    def settle(self) -> None:
        """Catch up with the dials where preparation is still under way."""
        if self.session.recipe != self.recipe:
            self.session.prepare(self.recipe)
            with self._lock:
                self.recompress()

    def draw_layer(self) -> None:
        """Draw the tab that is shown, with the layer on screen."""
        if self.layer is not None and self.session.ready(self.recipe):
            result = self.session.result
            self._visited()
            self._shown.topics.draw(self.session, result, self.layer)
            if result.complete:
                self._completed(result)

    def close(self) -> None:
        """Stop the background work."""
        self._preparer.close()
        self._timer.close()
        self.session.close()

    def _fail(self, error: Exception) -> None:
        self._shown.status.fail(f"{error_message(error)} ({type(error).__name__})")

    def _prepare(self, session: Session, recipe: Recipe, stale: Stop) -> None:
        try:
            _make_ready(session, recipe, self._shown.status.work)
        except Exception as error:
            self._fail(error)
            return
        if session is self.session and not stale():
            self.guarded(self.recompress)

    def _arrived(self, result: Result) -> None:
        """Show a result from the background, unless a newer recipe has been taken up."""

        def draw() -> None:
            partial = not result.complete
            if result is not self.session.result or (partial and self._drawn_lately()):
                return
            self._shown.figures.draw(result)
            if result.error_message:
                words = f"accuracy could not be measured: {result.error_message}"
                self._shown.status.fail(words)
            elif result.complete:
                self._completed(result)

        self.guarded(draw)

    def _drawn_lately(self) -> bool:
        """Whether an estimate was drawn less than a tenth of a second ago; if not, one is now."""
        now = time.perf_counter()
        lately = now - self._last_estimate < ESTIMATE_S
        self._last_estimate = self._last_estimate if lately else now
        return lately

    def _completed(self, result: Result) -> None:
        """Say that a recipe's figures are all there, and measure what takes long."""
        self._say(result)
        session, layer = self.session, self.layer
        self._shown.topics.completed(session, result)
        self._measured()

        def measure(stale: Stop) -> None:
            def outdated() -> bool:
                return stale() or session.result is not result or layer != self.layer

            try:
                self._shown.topics.draw_slowly(session, result, layer, outdated)
            except Exception as error:
                self._fail(error)

        self._timer.submit(measure)

    def _say(self, result: Result) -> None:
        n_weights = sum(layer.n_weights for layer in result.layers)
        accuracy = result.accuracy
        judged = f"; accuracy on {accuracy.n:,} images" if accuracy and accuracy.n else ""
        problem = self.session.problem
        self._shown.status.draw(
            f"{count_text(n_weights)} weights recompressed in {_time_text(self._took_ms)}{judged}."
            + (f" For next time, {problem}." if problem else "")
        )


def _make_ready(session: Session, recipe: Recipe, progress: Progress) -> None:
    session.prepare(recipe, progress)
    session.figures(recipe)


def _largest(session: Session) -> str:
    return max(session.layers, key=lambda name: _size(session.matrix_shape(name)))


def _size(shape: tuple[int, int]) -> int:
    return shape[0] * shape[1]


def _time_text(took_ms: float) -> str:
    return f"{took_ms:.0f} ms" if took_ms < 1000 else f"{took_ms / 1000:.1f} s"

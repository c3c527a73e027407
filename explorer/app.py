"""The explorer: the panels together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ipywidgets import Dropdown, VBox
from torch import nn

from explorer import zoo
from explorer.codec.model import CompressedModel
from explorer.compress.neurons import PruneNeurons
from explorer.compress.prune import Prune
from explorer.compress.recipe import Recipe
from explorer.measure.result import Result
from explorer.measure.story import Story
from explorer.panels.model_picker import Finished, ModelPicker
from explorer.panels.python_text import OWN_NETWORK, loading_text
from explorer.panels.recipe_panel import RecipePanel
from explorer.panels.reproduced_panel import story_of
from explorer.panels.topic import Topic
from explorer.panels.topics_panel import TopicsPanel
from explorer.session import Session
from explorer.session.preparation import Progress, unheard
from explorer.session.worker import LatestWins, Stale
from explorer.views.figures import FiguresView
from explorer.views.format import count_text
from explorer.views.layout import page as page_layout
from explorer.views.layout import title
from explorer.views.status import StatusView

ESTIMATE_S = 0.1
SUBTITLE = (
    "Turn a dial: the network is really recompressed, and its size, accuracy and weights follow."
)


class Explorer(VBox):
    """A network under the hand: a widget to display.

    Parameters
    ----------
    net : Module
        Any network with dense or convolutional layers; left unchanged.
    data : Data, Dataset or iterable of batches, optional
        What accuracy is measured on: pairs of input and class index.
    metric : callable, optional
        In place of data: called with the compressed module, returns a fraction.
    input_shape : sequence of int, optional
        Shape of one input without the batch, for operations and energy.
    recipe : Recipe, list of Setting, or dict of patterns, optional
        Where the dials start; by default a pruning dial at 0 %.
    picker : Loaded, optional
        Offer the networks of the catalog, this one being shown.

    Attributes
    ----------
    session : Session
        What the widget drives.

    Raises
    ------
    TypeError, ValueError
        If the network has nothing to compress, or holds a NaN.

    Examples
    --------
    >>> import explorer as ex
    >>> app = ex.Explorer(*ex.load("lenet-300-100"))
    >>> app.recipe = [ex.Prune(sparsity=0.9), ex.Share(n_clusters=32)]
    >>> app.wait(timeout=30).accuracy.n
    2000
    >>> app.close()
    """

    _is_open = False

    def __init__(
        self,
        net: nn.Module,
        data: Any = None,
        *,
        metric: Callable[[nn.Module], float] | None = None,
        input_shape: tuple[int, ...] | None = None,
        recipe: Any = None,
        picker: zoo.Loaded | None = None,
    ) -> None:
        self.session = Session(net, data, metric=metric, input_shape=input_shape)
        self._lock = threading.RLock()
        self._took_ms = 0.0
        self._last_estimate = 0.0
        self._preparer = LatestWins("explorer-preparation")
        self._timer = LatestWins("explorer-timing")
        self._figures = FiguresView()
        self._status = StatusView()
        self._recipe_panel = RecipePanel(self._turned)
        self._topics = TopicsPanel(
            self._select, self._recipe_panel.add, self._opened, self._use, self._status.draw
        )
        self._recipe_panel.offer(self._topics.topic.kinds)
        trained = picker is None or picker.trained
        self._topics.loading = _loading_text(getattr(net, "network_name", ""), trained)
        self._layer = Dropdown(description="Layer up close")
        self._layer.add_class("ex-layer-picker")
        self._layer.observe(lambda _change: self._guarded(self._draw_layer), "value")
        self._picker = None
        head: list[Any] = [title("Compression Explorer", SUBTITLE)]
        if picker is not None:
            told = (self._status.work, self._loaded, self._status.fail, self._finished)
            self._picker = ModelPicker(picker.name, *told, trained=picker.trained)
            head.append(self._picker.widget)
        head.append(self._layer)
        layout = page_layout(
            head,
            [self._figures.widget, self._status.widget],
            [self._recipe_panel.widget],
            [self._topics.widget],
        )
        super().__init__(layout.children)
        self._is_open = True
        self.add_class("ex-root")
        self._bind(self.session)
        self.recipe = [Prune(sparsity=0.0)] if recipe is None else recipe

    @property
    def recipe(self) -> Recipe:
        """The recipe that the dials stand for; assign a list, a dict or a Recipe to move them."""
        return self._recipe_panel.recipe

    @recipe.setter
    def recipe(self, recipe: Any) -> None:
        parsed = Recipe.of(recipe)
        parsed.check_layers(self.session.layers)
        with self._lock:
            self._recipe_panel.show(parsed)
            self._recompress()

    @property
    def layer(self) -> str:
        """Name of the layer that the close-up views show; assign to choose another."""
        return self._layer.value

    @layer.setter
    def layer(self, name: str) -> None:
        if name not in self.session.layers:
            raise ValueError(f"layer must be one of {', '.join(self.session.layers)}; got {name!r}")
        self._layer.value = name

    @property
    def result(self) -> Result:
        """The latest figures; accuracy grows until ``result.complete``."""
        self._settle()
        return self.session.result

    def wait(self, timeout: float | None = None) -> Result:
        """Wait until the current recipe's result is complete, and return it.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Raises
        ------
        TimeoutError
            If it is not complete in time.
        """
        self._settle()
        return self.session.wait(timeout)

    def compress(self) -> CompressedModel:
        """Return the compressed model that is on the screen, ready to save."""
        self._settle()
        return self.session.compress()

    def close(self) -> None:
        """Stop the background work and release every widget in the browser and the kernel."""
        if not self._is_open:
            return
        self._is_open = False
        self._preparer.close()
        self._timer.close()
        self.session.close()
        parts = [self._figures, self._status, self._recipe_panel, self._topics, self._layer]
        for part in (*parts, *([self._picker] if self._picker else [])):
            part.close()
        super().close()

    def loaded_by(self, code: str) -> None:
        """Say what Python loads the network and its data, for the code that is exported."""
        self._topics.loading = code

    def show_error(self, words: str) -> None:
        """Show an error to the person until the next change."""
        self._status.fail(words)

    def _bind(self, session: Session) -> None:
        self._layer.options = [(name or "(the layer)", name) for name in session.layers]
        self._layer.value = _largest(session)
        self._recipe_panel.bind(session)
        session.observe(self._arrived)

    def _guarded(self, action: Callable[[], None]) -> None:
        """Run an action of the person's; show what goes wrong in words."""
        try:
            with self._lock:
                action()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._status.fail(f"{error} ({type(error).__name__})")

    def _turned(self) -> None:
        self._guarded(self._recompress)

    def _recompress(self) -> None:
        """Show the current recipe; what it needs first is made in the background."""
        session, recipe = self.session, self.recipe
        self._topics.moved()
        if not session.ready(recipe) and session.is_quick(recipe):
            self._make_ready(session, recipe, unheard)
        if not session.ready(recipe):
            self._preparer.submit(lambda stale: self._prepare(session, recipe, stale))
            return
        started = time.perf_counter()
        result = session.submit(recipe)
        self._figures.draw(result)
        if self.layer is not None:
            self._topics.draw(self.session, result, self.layer)
        self._took_ms = 1000 * (time.perf_counter() - started)
        self._status.clear()
        if result.complete:
            self._completed(result)

    @staticmethod
    def _make_ready(session: Session, recipe: Recipe, progress: Progress) -> None:
        session.prepare(recipe, progress)
        session.figures(recipe)

    def _prepare(self, session: Session, recipe: Recipe, stale: Stale) -> None:
        try:
            self._make_ready(session, recipe, self._status.work)
        except Exception as error:
            self._fail(error)
            return
        if session is self.session and not stale():
            self._guarded(self._recompress)

    def _settle(self) -> None:
        """Catch up with the dials where preparation is still under way."""
        if self.session.recipe != self.recipe:
            self.session.prepare(self.recipe)
            with self._lock:
                self._recompress()

    def _draw_layer(self) -> None:
        if self.layer is not None and self.session.ready(self.recipe):
            result = self.session.result
            self._topics.draw(self.session, result, self.layer)
            if result.complete:
                self._completed(result)

    def _opened(self, topic: Topic) -> None:
        self._recipe_panel.offer(topic.kinds)
        self._guarded(self._draw_layer)

    def _select(self, name: str) -> None:
        self._guarded(lambda: setattr(self._layer, "value", name))

    def _arrived(self, result: Result) -> None:
        """Show a result from the background, unless a newer recipe has been taken up."""

        def draw() -> None:
            partial = not result.complete
            if result is not self.session.result or (partial and self._drawn_lately()):
                return
            self._figures.draw(result)
            if result.error_message:
                self._status.fail(f"accuracy could not be measured: {result.error_message}")
            elif result.complete:
                self._completed(result)

        self._guarded(draw)

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
        self._topics.completed(session, result)

        def measure(stale: Stale) -> None:
            def outdated() -> bool:
                return stale() or session.result is not result or layer != self.layer

            try:
                self._topics.draw_slowly(session, result, layer, outdated)
            except Exception as error:
                self._fail(error)

        self._timer.submit(measure)

    def _say(self, result: Result) -> None:
        n_weights = sum(layer.n_weights for layer in result.layers)
        judged = f"; accuracy on {result.accuracy.n:,} images" if result.accuracy else ""
        self._status.draw(
            f"{count_text(n_weights)} weights recompressed in {self._took_ms:.0f} ms{judged}."
        )

    def _loaded(self, loaded: zoo.Loaded) -> None:
        """Show another network, from the picker's thread."""
        data = loaded.data if loaded.trained else None
        self._adopt(Session(loaded.net, data), _loading_text(loaded.name, loaded.trained))

    def _finished(self, finished: Finished) -> None:
        """Show a network from a compressed file, under the steps that store it as it is."""
        recipe, origin = keeping(finished.model.recipe), finished.origin
        session = Session(finished.model.restore(), origin.data, origin=origin.net)
        self._guarded(lambda: self._adopt(session, OWN_NETWORK, recipe, story_of(finished.name)))

    def _use(self, net: nn.Module, recipe: Recipe) -> None:
        """Go on with a network that was trained here, under a recipe that keeps it as it is."""
        session = Session(net, self.session.data, origin=self.session.origin)
        self._guarded(lambda: self._adopt(session, OWN_NETWORK, recipe))

    def _adopt(
        self,
        session: Session,
        loading: str,
        recipe: Recipe | None = None,
        story: Story | None = None,
    ) -> None:
        """Go on with another session, under the same steps for all layers or another recipe."""
        with self._lock:
            old, self.session = self.session, session
            self._topics.forget()
            self._topics.loading, self._topics.story = loading, story
            self._bind(session)
            if recipe is not None:
                self._recipe_panel.show(recipe)
        self._guarded(self._recompress)
        old.close()


def keeping(recipe: Recipe) -> Recipe:
    """Return the steps of a file's recipe that store its decoded network as it is."""
    return Recipe(
        tuple(
            (pattern, tuple(step for step in steps if not isinstance(step, PruneNeurons)))
            for pattern, steps in recipe.entries
        )
    )


def _loading_text(name: str, trained: bool) -> str:
    return loading_text(name, "default" if trained else None)


def _largest(session: Session) -> str:
    return max(session.layers, key=lambda name: _size(session.matrix_shape(name)))


def _size(shape: tuple[int, int]) -> int:
    return shape[0] * shape[1]

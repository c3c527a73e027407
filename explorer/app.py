"""The explorer: the panels together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ipywidgets import Dropdown, VBox
from torch import nn

from explorer import zoo
from explorer.codec.model import CompressedModel
from explorer.compress.prune import Prune
from explorer.compress.recipe import Recipe
from explorer.measure.result import Result
from explorer.panels.kept_tab import KeptTab
from explorer.panels.model_picker import ModelPicker
from explorer.panels.opening import Opened
from explorer.panels.python_text import OWN_NETWORK, loading_text
from explorer.panels.recipe_panel import RecipePanel
from explorer.panels.state_keeper import Page, StateKeeper
from explorer.panels.tabs import FIRST, make_tabs
from explorer.panels.topic import Topic
from explorer.panels.topics_panel import TopicsPanel
from explorer.session import Session
from explorer.session.kept_figures import KeptFigures
from explorer.session.preparation import Progress, unheard
from explorer.session.state import State
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
        self._keeper = StateKeeper(
            Page(
                lambda: self.state,
                self._known_figures,
                lambda: self.session,
                lambda: self._topics.titles,
                self._show,
                self._lock,
                self._status.work,
                self._status.fail,
            )
        )
        kept = KeptTab([self._keeper.history.widget, self._keeper.bookmarks.widget])
        tabs = make_tabs(self._select, self._recipe_panel.add, self._use, self._status.draw, kept)
        self._topics = TopicsPanel(tabs, FIRST, self._opened)
        self._recipe_panel.offer(self._topics.topic.kinds)
        self._network = (
            getattr(net, "network_name", ""),
            "default" if picker is None or picker.trained else "random",
        )
        self._topics.loading = loading_text(*self._network)
        self._layer = Dropdown(description="Layer up close")
        self._layer.add_class("ex-layer-picker")
        self._layer.observe(lambda _change: self._guarded(self._draw_layer), "value")
        self._picker = None
        head: list[Any] = [title("Compression Explorer", SUBTITLE)]
        if picker is not None:
            self._picker = ModelPicker(
                picker.name,
                self._status.work,
                self._adopt,
                self._status.fail,
                trained=picker.trained,
            )
            head.append(self._picker.widget)
        head += [self._layer, self._keeper.tools]
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
        self._keeper.keep(
            Opened(self.session, self._network, self._topics.loading),
            lambda: Session(net, data, metric=metric, input_shape=input_shape),
        )
        self.recipe = [Prune(sparsity=0.0)] if recipe is None else recipe
        self._keeper.listen()

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
    def state(self) -> State:
        """Network, recipe, layer and tab that are shown; assign another to have all of it back."""
        return State(*self._network, self.recipe, self.layer or "", self._topics.topic.title)

    @state.setter
    def state(self, state: State) -> None:
        self._keeper.open(state)

    def open_link(self, text: str) -> None:
        """Show the state that `State.to_link` wrote; say in words on the page what goes wrong."""
        self._keeper.open_link(text)

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
        self._keeper.close()
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

    def _known_figures(self) -> KeptFigures | None:
        """Return the figures of what is shown, unless they are still those of another recipe."""
        known = self.session.recipe == self.recipe
        return KeptFigures.of(self.session.result) if known else None

    def _show(self, state: State, opened: Opened | None) -> None:
        """Show a state that fits, on the session that is shown or another."""
        if opened is None:
            self.recipe = state.recipe
        else:
            self._adopt(replace(opened, recipe=state.recipe))
        self._layer.value = state.layer if state.layer in self.session.layers else self.layer
        if state.tab:
            self._topics.open(state.tab)

    def _turned(self) -> None:
        self._guarded(self._recompress)

    def _recompress(self) -> None:
        """Show the current recipe; what it needs first is made in the background."""
        session, recipe = self.session, self.recipe
        self._topics.moved()
        self._keeper.visited()
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
            self._keeper.visited()
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
        self._keeper.measured()

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

    def _use(self, net: nn.Module, recipe: Recipe) -> None:
        """Go on with a network that was trained here, under a recipe that keeps it as it is."""
        data, origin = self.session.data, self.session.origin

        def again() -> Session:
            return Session(net, data, origin=origin)

        opened = Opened(again(), (self._keeper.networks.new_name(), "default"), OWN_NETWORK, recipe)
        self._keeper.keep(opened, again)
        self._guarded(lambda: self._adopt(opened))

    def _adopt(self, opened: Opened) -> None:
        """Go on with another session, under the same steps for all layers or another recipe."""
        with self._lock:
            old, self.session, self._network = self.session, opened.session, opened.network
            self._topics.forget()
            self._topics.loading, self._topics.story = opened.loading, opened.story
            if self._picker is not None:
                self._picker.show(*opened.network)
            self._bind(opened.session)
            if opened.recipe is not None:
                self._recipe_panel.show(opened.recipe)
        self._guarded(self._recompress)
        old.close()


def _largest(session: Session) -> str:
    return max(session.layers, key=lambda name: _size(session.matrix_shape(name)))


def _size(shape: tuple[int, int]) -> int:
    return shape[0] * shape[1]

"""The explorer: the panels together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ipywidgets import Dropdown, VBox, Widget
from torch import nn

from explorer import zoo
from explorer.codec.model import CompressedModel
from explorer.compress.prune import Prune
from explorer.compress.recipe import Recipe
from explorer.controls.explain import explain
from explorer.measure.result import Result
from explorer.panels.code_panel import CodePanel
from explorer.panels.compare_panel import ComparePanel
from explorer.panels.live import Live, Shown
from explorer.panels.model_picker import ModelPicker
from explorer.panels.opening import Opened
from explorer.panels.python_text import OWN_NETWORK, loading_text
from explorer.panels.recipe_panel import RecipePanel
from explorer.panels.state_keeper import Page, StateKeeper
from explorer.panels.tab import Tab
from explorer.panels.tab_code import Seen
from explorer.panels.tabs import FIRST, make_tabs
from explorer.panels.topic import Topic
from explorer.panels.topics_panel import TopicsPanel
from explorer.panels.tour_steps import TOUR
from explorer.panels.upload_panel import UploadPanel
from explorer.session import Session
from explorer.session.kept_figures import KeptFigures
from explorer.session.state import State
from explorer.views.figures import FiguresView
from explorer.views.layout import page as page_layout
from explorer.views.layout import title
from explorer.views.status import StatusView
from explorer.views.tour import TourBox

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
    student : Module, optional
        Your own small network, to be taught on the tab Distill.
    picker : Loaded, optional
        Offer the networks of the catalog, this one being shown.
    tab : str, optional
        Title of the tab that is open at the start.

    Attributes
    ----------
    session : Session
        What the widget drives.

    Raises
    ------
    TypeError, ValueError
        If the network has nothing to compress, or holds a NaN, or there is no such tab.

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
        student: nn.Module | None = None,
        picker: zoo.Loaded | None = None,
        tab: str = FIRST,
    ) -> None:
        def make() -> Session:
            return Session(net, data, metric=metric, input_shape=input_shape)

        self._lock = threading.RLock()
        self._figures, self._status = FiguresView(), StatusView()
        self._recipe_panel = RecipePanel(self._turned)
        self._code, self._tour = CodePanel(self._seen), TourBox(TOUR)
        self._layer = Dropdown(description="Layer up close")
        explain(self._layer, "The layer that histogram, maps, formulas and spectrum show.")
        self._layer.add_class("ex-layer-picker")
        self._keeper = StateKeeper(self._page())
        self._topics = TopicsPanel(self._tabs(student), tab, self._opened)
        self._recipe_panel.offer(self._topics.topic.kinds)
        shown = Shown(self._recipe_panel, self._layer, self._figures, self._status, self._topics)
        heard = (self._keeper.visited, self._keeper.measured)
        self._live = Live(make(), shown, self._lock, *heard)
        weights = "default" if picker is None or picker.trained else "random"
        self._network = (getattr(net, "network_name", ""), weights)
        self._topics.loading = loading_text(*self._network)
        self._picker = None if picker is None else self._picker_of(picker)
        told = (self._status.work, self._go_on, self._status.fail)
        self._upload = UploadPanel(lambda: self.session, *told)
        super().__init__(self._layout())
        self._is_open = True
        self.add_class("ex-root")
        self._live.bind(self.session)
        self._keeper.keep(Opened(self.session, self._network, self._topics.loading), make)
        self.recipe = [Prune(sparsity=0.0)] if recipe is None else recipe
        self._keeper.listen()

    def _seen(self) -> Seen:
        topics, shape = self._topics, self.session.input_shape
        tab = topics.topic.title
        return Seen(tab, topics.loading, self.recipe, self.layer or "", shape, topics.plan)

    def _page(self) -> Page:
        """Return what the keeper of states asks of the page."""
        return Page(
            lambda: self.state,
            self._known_figures,
            lambda: self.session,
            lambda: self._topics.titles,
            self._show,
            self._lock,
            self._status.work,
            self._status.fail,
        )

    def _tabs(self, student: nn.Module | None) -> Sequence[Tab]:
        cards = [self._keeper.history.widget, self._keeper.bookmarks.widget]
        compare = ComparePanel(self._select, self._take, self._status.fail, cards)
        add = self._recipe_panel.add
        return make_tabs(self._select, add, self._use, self._status.draw, compare, student)

    def _take(self, recipe: Recipe) -> None:
        """Go on with a recipe that was found."""
        self.recipe = recipe

    def _picker_of(self, loaded: zoo.Loaded) -> ModelPicker:
        told = (self._status.work, self._adopt, self._status.fail)
        return ModelPicker(loaded.name, *told, trained=loaded.trained)

    def _layout(self) -> Sequence[Widget]:
        picker = [] if self._picker is None else [self._picker.widget]
        choices = [*picker, self._upload.widget, self._layer]
        tools = [*choices, self._keeper.tools, self._tour]
        head = [title("Compression Explorer", SUBTITLE), *tools]
        layout = page_layout(
            head,
            [self._figures.widget, self._status.widget],
            [self._recipe_panel.widget, self._code.widget],
            [self._topics.widget],
        )
        return layout.children

    @property
    def session(self) -> Session:
        """What the widget drives."""
        return self._live.session

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
            self._live.recompress()

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
    def code(self) -> str:
        """Python that computes what is shown: network, recipe, and the tab's figures."""
        return self._code.code

    @property
    def result(self) -> Result:
        """The latest figures; accuracy grows until ``result.complete``."""
        self._live.settle()
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
        self._live.settle()
        return self.session.wait(timeout)

    def compress(self) -> CompressedModel:
        """Return the compressed model that is on the screen, ready to save."""
        self._live.settle()
        return self.session.compress()

    def close(self) -> None:
        """Stop the background work and release every widget in the browser and the kernel."""
        if not self._is_open:
            return
        self._is_open = False
        self._upload.close()
        self._keeper.close()
        self._live.close()
        parts = [self._figures, self._status, self._recipe_panel, self._topics, self._layer]
        parts += [self._code, self._tour]
        for part in (*parts, *([self._picker] if self._picker else [])):
            part.close()
        super().close()

    def loaded_by(self, code: str) -> None:
        """Say what Python loads the network and its data, for the code that is exported."""
        self._topics.loading = code

    def show_error(self, words: str) -> None:
        """Show an error to the person until the next change."""
        self._status.fail(words)

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
        self._live.turned()

    def _opened(self, topic: Topic) -> None:
        self._recipe_panel.offer(topic.kinds)
        self._live.guarded(self._live.draw_layer)

    def _select(self, name: str) -> None:
        self._live.guarded(lambda: setattr(self._layer, "value", name))

    def _use(self, net: nn.Module, recipe: Recipe, fresh: bool = False) -> None:
        """Go on with a network that was trained here, under a recipe that keeps it as it is."""
        data, metric = self.session.data, self.session.metric
        origin = None if fresh else self.session.origin

        def again() -> Session:
            return Session(net, data, metric=metric, origin=origin)

        name = (self._keeper.networks.new_name(), "default")
        self._go_on(Opened(again(), name, OWN_NETWORK, recipe), again)

    def _go_on(self, opened: Opened, again: Callable[[], Session]) -> None:
        """Go on with a network that no name brings back, but what makes its session again."""
        self._keeper.keep(opened, again)
        self._live.guarded(lambda: self._adopt(opened))

    def _adopt(self, opened: Opened) -> None:
        """Go on with another session, under the same steps for all layers or another recipe."""
        with self._lock:
            old, self._network = self.session, opened.network
            self._topics.forget()
            self._topics.loading, self._topics.story = opened.loading, opened.story
            if self._picker is not None:
                self._picker.show(*opened.network)
            self._live.bind(opened.session)
            if opened.recipe is not None:
                self._recipe_panel.show(opened.recipe)
        self._live.turned()
        old.close()

"""The explorer: the panels together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ipywidgets import VBox
from torch import nn

from explorer import zoo
from explorer.closing import close_all
from explorer.codec.model import CompressedModel
from explorer.compress.methods.prune import Prune
from explorer.compress.networks.recipe import Recipe
from explorer.history.history import recipe_words
from explorer.history.state import State
from explorer.measure.metric import Metric
from explorer.measure.result import Result
from explorer.page.cards import Topic
from explorer.page.code import CodePanel
from explorer.page.compare import CompareTab
from explorer.page.head import Head, Opening
from explorer.page.history import Page, StateKeeper
from explorer.page.live import Live, Shown
from explorer.page.open import Opened, handed_over
from explorer.page.recipe import RecipePanel
from explorer.page.showing import Showing
from explorer.page.still import CELLS, StillPanel
from explorer.page.tabs import FIRST, TopicsPanel, make_tabs
from explorer.session import Session
from explorer.views.figures import FiguresView
from explorer.views.parts import page as page_layout
from explorer.views.run_bar import StatusView
from explorer.views.still import Still


class Explorer(VBox):
    """A network under the hand: a widget to display.

    A notebook's cell that is run again closes the explorers that it made when it was run
    before; those of other cells live on.

    Parameters
    ----------
    net : Module
        Any network with dense or convolutional layers; left unchanged.
    data : Data, Dataset or iterable of batches, optional
        What accuracy is measured on: pairs of input and class index.
    metric : Metric or callable, optional
        Judges in place of data: called with a copy of the compressed module, returns a finite
        number. Data, where they are given too, serve tuning, training and the behavior.
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
        metric: Metric | Callable[[nn.Module], Any] | None = None,
        input_shape: tuple[int, ...] | None = None,
        recipe: Any = None,
        student: nn.Module | None = None,
        picker: zoo.Loaded | None = None,
        tab: str = FIRST,
    ) -> None:
        def make() -> Session:
            return Session(net, data, metric=metric, input_shape=input_shape)

        first = handed_over(make(), picker)
        self._lock = threading.RLock()
        self._figures, self._status = FiguresView(), StatusView()
        self._recipe_panel = RecipePanel(self._turned)
        self._code = CodePanel(lambda: self._showing.seen)
        self._keeper = StateKeeper(self._page())
        opening = Opening(lambda: self.session, self._adopt, self._go_on)
        self._head = Head(opening, self._status, self._keeper.tools, picker)
        self._topics = self._make_topics(student, tab)
        self._live, self._showing = self._follow(first.session)
        figures = [self._figures.widget, self._figures.notes, self._status.widget]
        side, main = [self._recipe_panel.widget, self._code.widget], [self._topics.widget]
        shell = page_layout(self._head.widgets, figures, side, main)
        super().__init__(shell.children)
        shell.children = ()
        close_all(shell)
        self._is_open = True
        self._still = StillPanel(self._draw_still)
        for name in ("ex-root", f"ex-shows-{self._still.key}"):
            self.add_class(name)
        self._showing.begin(first, make)
        try:
            self.recipe = [Prune(sparsity=0.0)] if recipe is None else recipe
        except BaseException:
            self.close()
            raise
        self._keeper.listen()
        CELLS.made(self)

    def _page(self) -> Page:
        """Return what the keeper of states asks of the page."""
        return Page(
            lambda: self.state,
            lambda: self._showing.figures,
            lambda: self.session,
            lambda: self._topics.titles,
            self._show,
            self._lock,
            self._status.work,
            self._status.fail,
        )

    def _make_topics(self, student: nn.Module | None, first: str) -> TopicsPanel:
        cards = [self._keeper.history.widget, self._keeper.bookmarks.widget]
        compare = CompareTab(self._select, self._take, self._status.fail, *cards)
        told = (self._select, self._recipe_panel.add, self._use, self._status.draw)
        topics = TopicsPanel(make_tabs(*told, compare, student), first, self._opened)
        self._recipe_panel.offer(topics.topic.kinds)
        return topics

    def _follow(self, session: Session) -> tuple[Live, Showing]:
        """Make what follows the hand, and what knows what is shown."""
        parts = (self._recipe_panel, self._head.layer, self._figures, self._status, self._topics)
        shown = Shown(*parts)
        live = Live(session, shown, self._lock, self._keeper.visited, self._measured)
        return live, Showing(live, shown, self._keeper, self._head.name, self._lock)

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
        self._live.recipe = Recipe.of(recipe)

    @property
    def layer(self) -> str:
        """Name of the layer that the close-up views show; assign to choose another."""
        return self._head.layer.value

    @layer.setter
    def layer(self, name: str) -> None:
        if name not in self.session.layers:
            raise ValueError(f"layer must be one of {', '.join(self.session.layers)}; got {name!r}")
        self._head.layer.value = name

    @property
    def state(self) -> State:
        """Network, recipe, layer and tab that are shown; assign another to have all of it back."""
        return self._showing.state

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
        self._still.close()
        self._head.stop()
        self._keeper.close()
        self._live.close()
        views = (self._figures, self._status)
        for part in (self._head, *views, self._recipe_panel, self._topics, self._code):
            part.close()
        close_all(*self.children)
        self.layout.close()
        super().close()

    def loaded_by(self, code: str) -> None:
        """Say what Python loads the network and its data, for the code that is exported."""
        self._topics.loading = code

    def show_error(self, words: str) -> None:
        """Show an error to the person until the next change."""
        self._status.fail(words)

    def _repr_mimebundle_(self, **how: Any) -> Any:
        self._still.show()
        return super()._repr_mimebundle_(**how)

    def _draw_still(self) -> Still:
        with self._lock:
            session, recipe, layer = self.session, self.recipe, self.layer
            is_ready = layer is not None and session.ready(recipe) and session.recipe == recipe
            weights = session.close_up(layer).histogram if is_ready else None
            return Still(self._figures.words, recipe_words(recipe), layer or "", weights)

    def _measured(self) -> None:
        self._keeper.measured()
        self._still.renew()

    def _turned(self) -> None:
        self._live.turned()

    def _opened(self, topic: Topic) -> None:
        self._recipe_panel.offer(topic.kinds)
        self._live.guarded(self._live.draw_layer)

    def _select(self, name: str) -> None:
        self._live.guarded(lambda: setattr(self._head.layer, "value", name))

    def _take(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def _show(self, state: State, opened: Opened | None) -> None:
        self._showing.show(state, opened)

    def _adopt(self, opened: Opened) -> None:
        self._showing.adopt(opened)

    def _go_on(self, opened: Opened, again: Callable[[], Session]) -> None:
        self._showing.go_on(opened, again)

    def _use(self, net: nn.Module, recipe: Recipe, fresh: bool = False) -> None:
        self._showing.use(net, recipe, fresh)

"""What the page shows, and how another network or another state takes its place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from torch import nn

from explorer.compress.networks.recipe import Recipe
from explorer.history.figures import KeptFigures
from explorer.history.state import State
from explorer.page.code import OWN_NETWORK, Seen
from explorer.page.history import StateKeeper
from explorer.page.live import Live, Shown
from explorer.page.open import Again, Network, Opened
from explorer.session import Session


class Showing:
    """The network, recipe, layer and tab that are on the page.

    `live`: what follows the hand; bound to the session of each network that is shown. `shown`: the
    parts of the page that follow the hand. `keeper`: told of networks that no name brings back.
    `named`: called with name and weights when another network takes its place. `lock`: held
    meanwhile. `network`: its name, "" for none, and ``"default"`` or ``"random"`` for its weights.
    """

    network: Network = ("", "default")

    def __init__(
        self,
        live: Live,
        shown: Shown,
        keeper: StateKeeper,
        named: Callable[[str, str], None],
        lock: threading.RLock,
    ) -> None:
        self._live, self._shown, self._keeper = live, shown, keeper
        self._named, self._lock = named, lock

    @property
    def state(self) -> State:
        """All of it, as far as a link holds it."""
        tab = self._shown.topics.topic.title
        return State(*self.network, self._live.recipe, self._live.layer or "", tab)

    @property
    def seen(self) -> Seen:
        """All of it, as far as the code needs it."""
        topics, live = self._shown.topics, self._live
        shape, layer = live.session.input_shape, live.layer or ""
        by_metric = live.session.metric is not None
        seen = (topics.topic.title, topics.loading, live.recipe, layer, shape, topics.plan)
        return Seen(*seen, by_metric)

    @property
    def figures(self) -> KeptFigures | None:
        """Its figures, unless they are still those of another recipe."""
        session = self._live.session
        return KeptFigures.of(session.result) if session.recipe == self._live.recipe else None

    def begin(self, opened: Opened, again: Again) -> None:
        """Show the first network; `again` makes its session once more."""
        self.network = opened.network
        self._shown.topics.loading = opened.loading
        self._live.bind(opened.session)
        self._keeper.keep(opened, again)

    def show(self, state: State, opened: Opened | None) -> None:
        """Show a state that fits, on the session that is shown or another."""
        if opened is None:
            self._live.recipe = state.recipe
        else:
            self.adopt(replace(opened, recipe=state.recipe))
        if state.layer in self._live.session.layers:
            self._shown.layer.value = state.layer
        if state.tab:
            self._shown.topics.open(state.tab)

    def adopt(self, opened: Opened) -> None:
        """Go on with another session, under the same steps for all layers or another recipe."""
        topics = self._shown.topics
        with self._lock:
            old, self.network = self._live.session, opened.network
            topics.forget()
            topics.loading, topics.story = opened.loading, opened.story
            self._named(*opened.network)
            self._live.bind(opened.session)
            if opened.recipe is not None:
                self._shown.recipe.show(opened.recipe)
        self._live.turned()
        old.close()

    def go_on(self, opened: Opened, again: Again) -> None:
        """Go on with a network that no name brings back, but what makes its session again."""
        self._keeper.keep(opened, again)
        self._live.guarded(lambda: self.adopt(opened))

    def use(self, net: nn.Module, recipe: Recipe, fresh: bool = False) -> None:
        """Go on with a network that was trained here, under a recipe that keeps it as it is.

        `fresh`: whether it did not begin as the network that is shown.
        """
        before = self._live.session
        data, metric, shape = before.data, before.metric, before.input_shape
        origin = None if fresh else before.origin

        def again() -> Session:
            return Session(net, data, metric=metric, input_shape=shape, origin=origin)

        network = (self._keeper.networks.new_name(), "default")
        self.go_on(Opened(again(), network, OWN_NETWORK, recipe), again)

"""A bar of tabs over the content of the one that is selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets
from ipywidgets import Box, Widget

from explorer.views.assets import text
from explorer.widgets import ScriptView, View, show


class TabBar(ScriptView):
    """Buttons with the roles of tabs: arrow keys, Home and End move between them."""

    _esm = text("tabs.js")

    titles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    helps = traitlets.List(traitlets.Unicode()).tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("Topics").tag(sync=True)
    prefix = traitlets.Unicode("").tag(sync=True)


class TabsView(View):
    """Tabs whose content reaches the browser when it is first selected and then stays there."""

    selected = traitlets.Unicode()

    def __init__(
        self,
        titles: Sequence[str],
        contents: Sequence[Widget],
        first: str = "",
        helps: Sequence[str] = (),
    ) -> None:
        self._panels: list[Box] = []
        if not titles or len(set(titles)) < len(titles) or len(titles) != len(contents):
            raise ValueError(
                "titles must be different and have one content each, "
                f"got {list(titles)} and {len(contents)} contents"
            )
        if len(helps) not in (0, len(titles)):
            raise ValueError(f"helps must be one a title, got {len(helps)} for {len(titles)}")
        self._titles = list(titles)
        self._bar = TabBar(titles=self._titles, helps=list(helps), selected=first or titles[0])
        self._bar.prefix = f"ex-tab-{self._bar.model_id}"
        self._bar.add_class("ex-tab-bar")
        self._panels = [self._panel(i, content) for i, content in enumerate(contents)]
        self._shown = Box()
        self._shown.add_class("ex-tab-panels")
        super().__init__([self._bar, self._shown], "ex-tabs", selected=first or titles[0])
        self._show()
        self._bar.observe(self._chosen, "selected")
        self.observe(lambda _change: self._show(), "selected")

    def close(self) -> None:
        """Leave the browser and the kernel; the contents belong to whoever made them."""
        for panel in self._panels:
            panel.children = ()
        super().close()

    @traitlets.validate("selected")
    def _known(self, proposal: Any) -> str:
        if proposal["value"] not in self._titles:
            raise traitlets.TraitError(
                f"selected must be one of {', '.join(self._titles)}; got {proposal['value']!r}"
            )
        return str(proposal["value"])

    def _panel(self, index: int, content: Widget) -> Box:
        panel = Box([content])
        panel.add_class("ex-tab-panel")
        panel.add_class(f"ex-of-{self._bar.prefix}-{index}")
        return panel

    def _chosen(self, change: Any) -> None:
        self.selected = change["new"]

    def _show(self) -> None:
        self._bar.selected = self.selected
        chosen = self._panels[self._titles.index(self.selected)]
        for panel in self._panels:
            show(panel, panel is chosen)
        if chosen not in self._shown.children:
            self._shown.children = (*self._shown.children, chosen)

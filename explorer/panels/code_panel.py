"""The button that shows the tab on the screen as Python."""

from __future__ import annotations

from collections.abc import Callable

from explorer.panels.python_text import OWN_NETWORK
from explorer.panels.tab_code import Seen, tab_text
from explorer.views.export import CodeView

NOTE = "Run this wherever the explorer is installed: it computes what this tab shows."
OWN = "Put your own network and data in the place of my_net and my_data."


class CodePanel:
    """A button that opens the code of what is shown now.

    Parameters
    ----------
    shown : callable
        Returns what is `Seen`.

    Attributes
    ----------
    widget : CodeView
    """

    def __init__(self, shown: Callable[[], Seen]) -> None:
        self._shown = shown
        self._view = CodeView(self._asked)
        self.widget = self._view

    @property
    def code(self) -> str:
        """Python that computes what is shown now."""
        return tab_text(self._shown())

    def close(self) -> None:
        """Release the widget."""
        self._view.close()

    def _asked(self) -> None:
        """Open the window; say in words why there is no code."""
        try:
            shown = self._shown()
            note = f"{NOTE} {OWN}" if OWN_NETWORK in shown.loading else NOTE
            self._view.draw(f"Python for the tab {shown.tab}", tab_text(shown), note)
        except Exception as error:
            self._view.draw("Python", "", error=f"{error} ({type(error).__name__})")

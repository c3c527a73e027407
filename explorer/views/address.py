"""The page's address, which holds its state, and what the visitor's browser keeps."""

from __future__ import annotations

from collections.abc import Callable

import anywidget
import traitlets

from explorer.closing import close_all
from explorer.views.front_end import text


class AddressBox(anywidget.AnyWidget):
    """A button that copies a link; asks no server.

    The browser sets `asked`, the address's ``?state=``, and `stored`, what it keeps for this
    page. Python sets `link`, the text for ``?state=`` ("" where there is none, and then `problem`
    says why), `note`, a remark on the link, and `kept`, what the browser is to keep. `unkept`
    says why it could not. With `unreadable` it first puts what it keeps aside.
    """

    _esm = text("address.js")

    asked = traitlets.Unicode("").tag(sync=True)
    stored = traitlets.Unicode("").tag(sync=True)
    link = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    kept = traitlets.Unicode("").tag(sync=True)
    unkept = traitlets.Unicode("").tag(sync=True)
    unreadable = traitlets.Bool(False).tag(sync=True)


class AddressView:
    """The address bar, a button that copies the link, and the browser's own storage.

    Parameters
    ----------
    asked : callable
        Called with the text after ``?state=`` that the page was opened with, if there is one.
    stored : callable
        Called with what the browser keeps, and whether this is the first time; later it
        comes from another window of the same browser.
    unkept : callable
        Called with words on why the browser keeps nothing.

    Attributes
    ----------
    widget : AddressBox
    """

    def __init__(
        self,
        asked: Callable[[str], None],
        stored: Callable[[str, bool], None],
        unkept: Callable[[str], None],
    ) -> None:
        self._asked, self._stored, self._unkept = asked, stored, unkept
        self._first = True
        self.widget = AddressBox()
        self.widget.add_class("ex-address")

    def listen(self) -> None:
        """Hand over what the browser told already, and all that it tells from now on."""
        for name, tell in (
            ("asked", self._asked),
            ("stored", self._tell_stored),
            ("unkept", self._unkept),
        ):
            if getattr(self.widget, name):
                tell(getattr(self.widget, name))
            self.widget.observe(lambda change, tell=tell: tell(change["new"]), name)

    def draw(self, link: str, problem: str = "", note: str = "") -> None:
        """Show a state's text in the address, and offer to copy the link."""
        with self.widget.hold_sync():
            self.widget.link, self.widget.problem, self.widget.note = link, problem, note

    def keep(self, text: str) -> None:
        """Let the browser keep a text for the next visit."""
        self.widget.kept = text
        self.widget.unreadable = False

    def spare(self) -> None:
        """Let the browser put what it keeps now aside, before it keeps anything else."""
        self.widget.unreadable = True

    def close(self) -> None:
        """Release the widget in the browser and the kernel."""
        close_all(self.widget)

    def _tell_stored(self, text: str) -> None:
        first, self._first = self._first, False
        self._stored(text, first)

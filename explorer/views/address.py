"""The page's address, which holds its state, and what the visitor's browser keeps."""

from __future__ import annotations

from collections.abc import Callable

import traitlets

from explorer.views.front_end import text
from explorer.widgets import ScriptView


class AddressView(ScriptView):
    """The address bar, a button that copies the link, and the browser's own storage.

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

    def __init__(
        self,
        asked: Callable[[str], None],
        stored: Callable[[str, bool], None],
        unkept: Callable[[str], None],
    ) -> None:
        self._asked, self._stored, self._unkept = asked, stored, unkept
        self._first = True
        super().__init__("ex-address")

    def listen(self) -> None:
        """Hand over what the browser told already, and all that it tells from now on."""
        for name, tell in (
            ("asked", self._asked),
            ("stored", self._tell_stored),
            ("unkept", self._unkept),
        ):
            if getattr(self, name):
                tell(getattr(self, name))
            self.observe(lambda change, tell=tell: tell(change["new"]), name)

    def draw(self, link: str, problem: str = "", note: str = "") -> None:
        """Show a state's text in the address, and offer to copy the link."""
        with self.hold_sync():
            self.link, self.problem, self.note = link, problem, note

    def keep(self, text: str) -> None:
        """Let the browser keep a text for the next visit."""
        self.kept = text
        self.unreadable = False

    def spare(self) -> None:
        """Let the browser put what it keeps now aside, before it keeps anything else."""
        self.unreadable = True

    def _tell_stored(self, text: str) -> None:
        first, self._first = self._first, False
        self._stored(text, first)

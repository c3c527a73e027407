"""Kept states as Python that makes their networks again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from explorer.history.bookmarks import Bookmark
from explorer.history.state import State
from explorer.panels.python_text import OWN_NETWORK, loading_text, python_text
from explorer.reproduce.table import bundled
from explorer.zoo import catalog

IMPORT = "import explorer as ex\n\n"


def loading_of(state: State) -> str:
    """Return the Python line that makes a state's network, and its data where it has any."""
    if state.model in bundled():
        return f"net, data = ex.open({state.model!r}).restore(), None"
    if state.model not in catalog():
        return OWN_NETWORK
    return loading_text(state.model, None if state.weights == "random" else "default")


def bookmarks_python(bookmarks: Iterable[Bookmark]) -> str:
    """Return a script that compresses the network of each kept state, and writes its file."""
    blocks: list[str] = []
    taken: set[str] = set()
    for item in bookmarks:
        name = _file_name(item.name, taken)
        taken.add(name)
        code = python_text(item.state.recipe, loading_of(item.state), f"{name}.cmpx")
        blocks.append(f"# {item.name}\n{code.removeprefix(IMPORT)}")
    return IMPORT + "\n".join(blocks)


def _file_name(name: str, taken: set[str]) -> str:
    """Return a file name of plain letters, digits and hyphens that is not taken."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "network"
    found, number = plain, 1
    while found in taken:
        number += 1
        found = f"{plain}-{number}"
    return found

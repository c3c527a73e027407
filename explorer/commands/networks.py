"""Networks by name, for commands."""

from __future__ import annotations

import difflib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.zoo import Loaded


def names() -> list[str]:
    """List the names that can be loaded, bundled networks first."""
    from explorer.zoo import catalog

    return list(catalog())


def load(name: str) -> Loaded:
    """Load a network; raises ValueError also where its weights or data cannot be had."""
    from explorer import zoo

    try:
        return zoo.load(name)
    except (zoo.DataUnavailable, zoo.WeightsUnavailable) as error:
        raise ValueError(str(error)) from error


def require(name: str) -> None:
    """Raise ValueError where there is no network of this name; nothing heavy stays imported."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        known = child.submit(names).result()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3) or known[:3]
        raise ValueError(
            f"model must be a name that `compression-explorer models` lists, such as "
            f"{', '.join(near)}; got {name!r}"
        )

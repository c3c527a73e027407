"""Where the packaged page and its Voila template lie."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SHARE", "TEMPLATE", "notebook_path"]

TEMPLATE = "compression-explorer"
SHARE = Path(__file__).parent / "share" / "jupyter"


def notebook_path() -> Path:
    """Return the path of the notebook that Voila serves as the explorer's page.

    An installed package holds a copy beside this file; a working tree holds the one that the copy
    is made from, ``notebooks/app.ipynb``.

    Raises FileNotFoundError if the page is in neither place.
    """
    places = (
        Path(__file__).with_name("app.ipynb"),
        Path(__file__).parents[2] / "notebooks" / "app.ipynb",
    )
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(
        f"the explorer's page was expected at {' or '.join(map(str, places))}, found at neither: "
        "install compression-explorer again"
    )

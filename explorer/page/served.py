"""The page that Voila serves."""

from __future__ import annotations

import os
from urllib.parse import parse_qs

from explorer import zoo
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.errors import error_message
from explorer.page.app import Explorer
from explorer.page.code import loading_text
from explorer.zoo.catalog import load_spare
from explorer.zoo.loaded import Loaded

FIRST_MODEL = "lenet-300-100"
MODEL_VARIABLE = "EXPLORER_MODEL"
WEIGHTS_VARIABLE = "EXPLORER_WEIGHTS"
QUERY_VARIABLE = "QUERY_STRING"


def page() -> Explorer:
    """Return the page that Voila serves, on the network that ``EXPLORER_MODEL`` names.

    Its weights are those of ``EXPLORER_WEIGHTS``: ``default``, ``random`` or a safetensors
    file. What cannot be loaded gives the first bundled network, or what is left of it, and says
    so. A ``?state=`` in the page's address is opened.
    """
    wanted = os.environ.get(MODEL_VARIABLE) or FIRST_MODEL
    weights = os.environ.get(WEIGHTS_VARIABLE) or "default"
    problem = ""
    try:
        app = _opened(zoo.load(wanted, weights=None if weights == "random" else weights))
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        problem = f"{wanted} could not be loaded: {error_message(error)}"
        app = _opened(load_spare(FIRST_MODEL))
    if not problem and weights not in ("default", "random"):
        app.loaded_by(loading_text(wanted, weights))
    if problem:
        app.show_error(problem)
    asked = parse_qs(os.environ.get(QUERY_VARIABLE, "")).get("state", [""])[0]
    if asked:
        app.open_link(asked)
    return app


def _opened(loaded: Loaded) -> Explorer:
    """Show a network with its first figures."""
    start = [Prune(sparsity=0.5), Share(n_clusters=32)]
    data = loaded.data if loaded.trained else None
    app = Explorer(loaded.net, data, recipe=start, picker=loaded)
    _ = app.result
    return app

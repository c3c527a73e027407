"""Where the browser code of the views lies."""

from __future__ import annotations

from pathlib import Path

SHEETS = (
    "colors",
    "page",
    "controls",
    "parts",
    "runs",
    "states",
    "anatomy",
    "help",
    "comparison",
    "chapters",
    "phone",
)


def source(name: str) -> Path:
    """Path of a script or stylesheet that is packaged beside the views."""
    return Path(__file__).parent / name


def text(name: str) -> str:
    """Text of a script or stylesheet; given as a path, it would hold each widget for ever."""
    return source(name).read_text("utf-8")


def script(*names: str) -> str:
    """Text of a view's scripts, one after the other, behind what all of them share."""
    return "\n".join(map(text, ("elements.js", *names)))


def stylesheet() -> str:
    """Text of all stylesheets; colors come first, and of two equal rules the later wins."""
    return "\n".join(text(f"styles/{name}.css") for name in SHEETS)

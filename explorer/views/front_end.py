"""Where the browser code of the views lies."""

from __future__ import annotations

from pathlib import Path


def source(name: str) -> Path:
    """Path of a script or stylesheet that is packaged beside the views."""
    return Path(__file__).with_name(name)

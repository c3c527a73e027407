"""Names and help of kinds of settings, in words."""

from __future__ import annotations

import re


def title_of(kind: type) -> str:
    """Name of a kind of setting in words: its ``title``, or ``LowRank`` as ``"Low rank"``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__)
    return getattr(kind, "title", words.capitalize())


def help_of(kind: type) -> str:
    """One line on a kind of setting: its ``help``, or the first line of its docstring."""
    lines = (kind.__doc__ or "").strip().splitlines() or [""]
    return getattr(kind, "help", lines[0].replace("`", ""))

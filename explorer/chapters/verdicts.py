"""What is said of an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """Whether an answer, or a part of it, is right. `words`: what there is, and what is missing."""

    met: bool
    words: str

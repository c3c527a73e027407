"""The notebooks that a server offers, and the front page that lists them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["APP", "Chapter", "chapters"]

APP = "app.ipynb"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.ipynb")


@dataclass(frozen=True)
class Chapter:
    """A notebook that can be opened as a page.

    `file`: its name in the folder. `title`, `description`: from the notebook's metadata; without a
    title, the name in words.
    """

    file: str
    title: str
    description: str


def chapters(folder: Path) -> list[Chapter]:
    """Return the notebooks of a folder, the explorer's page first, the others by name.

    `folder`: notebooks below it are not looked for; what is hidden or cannot be read is left out.
    """
    found = [_chapter(path) for path in sorted(folder.glob("*.ipynb")) if NAME.fullmatch(path.name)]
    known = [each for each in found if each is not None]
    return sorted(known, key=lambda each: each.file != APP)


def _chapter(path: Path) -> Chapter | None:
    try:
        metadata: Any = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        title, description = (str(metadata.get(key, "")) for key in ("title", "description"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    words = path.stem.replace("_", " ").strip().lstrip("0123456789 ") or path.stem
    return Chapter(path.name, title or words[0].upper() + words[1:], description)

"""Files written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def checked_path(path: Any, name: str = "path") -> Path:
    """Return a path; raise TypeError unless it is a str or a Path."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{name} must be a str or a Path; got {type(path).__name__}")
    return Path(path)


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a scratch file that takes the place of `path` once it is complete.

    Parameters
    ----------
    path : str or Path
        Replaced where it exists; left as it is where writing ends in an error.

    Raises
    ------
    TypeError
        If `path` is none.
    OSError
        If it is a folder, or lies in none.
    """
    target = checked_path(path)
    if target.is_dir():
        raise IsADirectoryError(f"path: {str(target)!r} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"path: there is no folder {str(target.parent)!r} for {target.name!r}; make it first"
        )
    scratch = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield scratch
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)

"""Compressed networks that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

FOLDER = "compressed"
SUFFIX = ".cmpx"


def bundled() -> tuple[str, ...]:
    """Return the names of the compressed networks that come with the package."""
    return tuple(sorted(path.stem for path in _folder().glob(f"*{SUFFIX}")))


def bundled_file(name: str) -> Path:
    """Return where a compressed network is that comes with the package.

    Parameters
    ----------
    name : str
        One of `bundled`, such as ``"deep-compression-lenet-5"``.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    names = bundled()
    if name not in names:
        raise ValueError(
            f"name: expected a compressed network that comes with the package, one of "
            f"{', '.join(names)}; got {name!r}"
        )
    return _folder() / f"{name}{SUFFIX}"


def _folder() -> Path:
    return Path(str(files("explorer.zoo"))) / FOLDER

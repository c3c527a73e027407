"""Where files that can be made again are kept between runs."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Give the folder of this user's kept files; it may not exist yet.

    Returns
    -------
    Path
        As the operating system has it, for example ``~/.cache/compression-explorer``.
    """
    return Path(platformdirs.user_cache_dir("compression-explorer"))

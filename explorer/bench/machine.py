"""What of a machine bears on how fast it is; nothing that names it."""

from __future__ import annotations

import os
import platform
from typing import Any

import numba
import numpy as np
import torch


def machine() -> dict[str, Any]:
    """Describe the machine and the libraries that the figures depend on.

    Returns
    -------
    dict
        Ready for JSON: cores, threads of torch, kind of processor, and versions.
    """
    return {
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
    }

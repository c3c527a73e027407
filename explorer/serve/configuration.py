"""The settings that the pages are served with."""

from __future__ import annotations

import tempfile

from traitlets.config import Config

from explorer.serve.access import ADDRESS
from explorer.serve.connection import GuardedConnection
from explorer.serve.forking import can_fork
from explorer.serve.handlers import APP
from explorer.serve.kernels import Kernels
from explorer.serve.page import TEMPLATE
from explorer.serve.scripts import EXTENSIONS

__all__ = ["LEFT_SECONDS", "configuration"]

CHECK_SECONDS = 5
LEFT_SECONDS = 120.0
MOST_FOLDER = 32
REFILL_SECONDS = 3.0
PROBLEM = "Load the page again; if that does not help, tell whoever runs this server."


def _transport() -> str:
    """Return how the server talks to kernels: by files rather than ports, which can be taken."""
    short_enough = len(tempfile.gettempdir()) <= MOST_FOLDER
    return "ipc" if can_fork() and short_enough else "tcp"


def configuration(
    port: int,
    open_browser: bool = True,
    *,
    notebook: str = APP,
    max_kernels: int = 2,
    kernel_memory: int = 0,
    n_ready: int = 1,
    left_seconds: float = LEFT_SECONDS,
    address: str = ADDRESS,
) -> Config:
    """Return the settings that the explorer's pages are served with.

    `port`: the port to listen on. No other is tried. `open_browser`: whether to open the page in
    the user's browser once it answers. `notebook`: name of the notebook that pages are made of in
    advance. `max_kernels`: how many visitors there may be at a time. A single one's kernel may use
    all cores, several have one each. `kernel_memory`: how many bytes a kernel may take beyond what
    is imported; 0 for as many as there are. `n_ready`: how many pages are made in advance, each
    with a kernel of its own, on top of `max_kernels`. `left_seconds`: after how long a kernel is
    ended that no page is connected to. `address`: the address to listen on, the loopback address by
    default. Returns: settings for ``Voila``. Sources are left out of the page and tracebacks are
    not shown; a kernel whose page has gone is ended at once, or, failing that, after
    `left_seconds`.
    """
    pools = {"default": {"pool_size": 0}, notebook: {"pool_size": n_ready}}
    return Config(
        {
            "Voila": {
                "ip": address,
                "port": port,
                "port_retries": 0,
                "open_browser": open_browser,
                "log_level": "ERROR",
                "config_file_paths": [],
                "kernel_websocket_connection_class": GuardedConnection,
            },
            "VoilaConfiguration": {
                "template": TEMPLATE,
                "strip_sources": True,
                "show_tracebacks": False,
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "extension_allowlist": list(EXTENSIONS),
                "multi_kernel_manager_class": Kernels,
                "preheat_kernel": n_ready > 0,
            },
            "VoilaExecutor": {"cell_error_instruction": PROBLEM},
            "VoilaKernelManager": {"kernel_pools_config": pools, "fill_delay": REFILL_SECONDS},
            "MappingKernelManager": {
                "cull_idle_timeout": 1,
                "cull_interval": max(1, min(CHECK_SECONDS, int(left_seconds))),
                "allow_tracebacks": False,
            },
            "Kernels": {
                "all_cores": max_kernels == 1,
                "left_seconds": left_seconds,
                "memory_bytes": kernel_memory,
            },
            "KernelManager": {"transport": _transport()},
            "KernelRestarter": {"restart_limit": 0, "time_to_dead": 1.0},
        }
    )

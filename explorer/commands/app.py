"""``compression-explorer app``: the page, served to a browser."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from explorer.commands import networks


def add(commands: Any) -> None:
    """Add the command's parser."""
    app = commands.add_parser("app", help="open the explorer in a browser")
    app.add_argument("--port", type=int, help="port to listen on (default: 8866, or a free one)")
    app.add_argument("--no-browser", action="store_true", help="only print the address")
    app.add_argument("--model", help="network to start with, a name that `models` lists")
    app.add_argument(
        "--weights", help="'default', 'random' or a .safetensors file (default: 'default')"
    )
    app.add_argument("--address", help="to listen on (default: 127.0.0.1, this machine only)")
    app.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name or address that visitors type, once for each (default: localhost only)",
    )
    app.add_argument("--max-kernels", type=int, metavar="N", help="visitors (default: by memory)")
    app.add_argument(
        "--kernel-memory", metavar="SIZE", help="of each visitor, such as 6G (default: by memory)"
    )
    app.add_argument("--ready", type=int, default=1, metavar="N", help="pages made in advance")
    app.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Serve until interrupted."""
    from explorer.serve.limits import bytes_of
    from explorer.serve.server import choose_port, serve

    if options.model is not None:
        networks.require(options.model)
    serve(
        choose_port(options.port),
        not options.no_browser,
        options.model,
        options.weights,
        max_kernels=options.max_kernels,
        hosts=options.host,
        kernel_memory=bytes_of(options.kernel_memory) if options.kernel_memory else None,
        n_ready=options.ready,
        **({"address": options.address} if options.address else {}),
    )

"""``compression-explorer models``: the networks that can be loaded by name."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from explorer.commands import networks


def add(commands: Any) -> None:
    """Add the command's parser."""
    models = commands.add_parser("models", help="list the networks that can be loaded by name")
    models.set_defaults(run=run)


def run(_options: Namespace) -> None:
    """Print a table of the names, and where their weights come from."""
    from explorer.zoo.architectures import BUNDLED

    names = networks.names()
    width = max(map(len, names))
    sys.stdout.write(f"{'name':{width}}  weights\n")
    for name in names:
        origin = "bundled" if name in BUNDLED else "downloaded on first use"
        sys.stdout.write(f"{name:{width}}  {origin}\n")

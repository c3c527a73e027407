"""``compression-explorer evaluate``: the accuracy of a compressed file."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from explorer.commands import networks


def add(commands: Any) -> None:
    """Add the command's parser."""
    evaluate = commands.add_parser("evaluate", help="measure the accuracy of a compressed file")
    evaluate.add_argument("file", help="a .cmpx file")
    evaluate.add_argument("--model", help="network whose data to use (default: the file's own)")
    evaluate.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Print the accuracy, on data that the network was not trained on."""
    import explorer

    small = explorer.open(options.file)
    name = options.model or small.network
    if not name:
        raise ValueError(
            "model must be given, for the file does not name its network: --model NAME, "
            "one that `compression-explorer models` lists"
        )
    loaded = networks.load(name)
    if loaded.data is None:
        raise ValueError(
            f"model must be a network that comes with data, got {name!r}: "
            "for data of your own use explorer.evaluate in Python"
        )
    accuracy = explorer.evaluate(small.restore(loaded.net), loaded.data.eval)
    sys.stdout.write(
        f"top-1 {accuracy.top1:.2%} (95 % interval {accuracy.low:.2%} to {accuracy.high:.2%}, "
        f"n = {accuracy.n:,})\n"
    )

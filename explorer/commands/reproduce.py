"""``compression-explorer reproduce``: a published result, done again."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command's parser."""
    reproduce = commands.add_parser("reproduce", help="reproduce a published result")
    reproduce.add_argument("name", help="such as deep-compression-lenet-5; 'list' lists them")
    reproduce.add_argument(
        "-o", "--output", type=Path, default=Path("reproduced"), help="folder for JSON and files"
    )
    reproduce.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Print each moment as it comes, then the table beside the published figures."""
    from explorer.reproduce import reproductions
    from explorer.reproduce.record import Moment
    from explorer.reproduce.table import table, write

    if options.name == "list":
        sys.stdout.write("\n".join(reproductions.names()) + "\n")
        return
    for record in reproductions.run(options.name):
        if isinstance(record, Moment):
            sys.stdout.write(
                f"{record.seconds:6.0f} s  {record.stage}, epoch {record.epoch}: density "
                f"{record.density:.2%}, {record.size_bytes:,} bytes, {record.accuracy:.2%}\n"
            )
            sys.stdout.flush()
        else:
            path = write(record, options.output)
            sys.stdout.write(f"{table(options.output)}\nwritten to {path}\n")

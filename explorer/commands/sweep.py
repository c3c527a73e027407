"""``compression-explorer sweep``: a grid of recipes, measured side by side."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

from explorer.commands import metrics, networks


def add(commands: Any) -> None:
    """Add the command's parser."""
    sweep = commands.add_parser("sweep", help="measure a grid of recipes, side by side")
    sweep.add_argument("model", help="a name that `models` lists")
    sweep.add_argument("--grid", type=Path, required=True, help="TOML file with values to try")
    sweep.add_argument("--store", type=Path, help="SQLite file that keeps points, to go on from")
    sweep.add_argument("--workers", type=int, metavar="N", help="default: one for each core")
    where = sweep.add_mutually_exclusive_group()
    where.add_argument("--processes", action="store_true", help="workers are processes")
    where.add_argument("--dask", metavar="ADDRESS", help="a cluster, such as tcp://host:8786")
    sweep.add_argument("-o", "--output", type=Path, help="file to write (.csv or .json)")
    metrics.add(sweep)
    sweep.set_defaults(run=run)


def run(options: Namespace) -> int:
    """Measure, and print the points; returns 1 where some are missing, or failed."""
    from explorer.sweep import command
    from explorer.zoo import load

    metric = metrics.load(options.metric) if options.metric else None
    loaded = networks.load(options.model)
    return command.run(loaded.net, loaded.data, options, partial(load, options.model), metric)

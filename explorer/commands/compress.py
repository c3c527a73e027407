"""``compression-explorer compress``: a network of the catalog, compressed into a file."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.commands import networks


def add(commands: Any) -> None:
    """Add the command's parser."""
    compress = commands.add_parser("compress", help="write a compressed network to a file")
    compress.add_argument("model", help="a name that `models` lists")
    compress.add_argument("--recipe", type=Path, required=True, help="JSON file with the recipe")
    compress.add_argument("-o", "--output", type=Path, required=True, help="file to write (.cmpx)")
    compress.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Write the file, and print its size."""
    import explorer

    recipe = explorer.recipe_from_json(options.recipe.read_text(encoding="utf-8"))
    net, data = networks.load(options.model)
    small = explorer.compress(net, recipe, data=data, network=options.model)
    small.save(options.output)
    sys.stdout.write(
        f"{options.output}: {small.size_bytes:,} bytes, {small.compression_ratio:.2f}x smaller\n"
    )
    sys.stderr.write(f"{small.coverage}\n")

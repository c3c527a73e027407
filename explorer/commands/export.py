"""``compression-explorer export``: a compressed file as a plain network."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command's parser."""
    export = commands.add_parser("export", help="write a compressed file as a plain network")
    export.add_argument("file", help="a .cmpx file of a network that `models` lists")
    export.add_argument(
        "-o", "--output", type=Path, required=True, help="file to write (.safetensors or .onnx)"
    )
    export.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Write the file, and print its size."""
    import explorer

    small = explorer.open(options.file)
    writers = {".safetensors": small.export_safetensors, ".onnx": small.export_onnx}
    kind = options.output.suffix.lower()
    if kind not in writers:
        raise ValueError(
            f"output must end in {' or '.join(writers)}, got {str(options.output)!r}: "
            "the ending says what is written"
        )
    n_bytes = writers[kind](options.output)
    sys.stdout.write(f"{options.output}: {n_bytes:,} bytes\n")

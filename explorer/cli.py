"""The command line, ``compression-explorer``: app, models, compress, evaluate and the others.

Everything heavy is imported inside the command that needs it, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from typing import Any

from explorer.commands import app, compress, evaluate, export, models, reproduce, sweep

__all__ = ["main"]

COMMANDS = (app, models, compress, evaluate, export, sweep, reproduce)
USER_ERRORS = (ValueError, LookupError, OSError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``compression-explorer``.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments after the program's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        Exit status: 0 when done, 2 after an error of the user's, which is told in one line on
        standard error.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["bench"]:
        return _guarded(_bench, given[1:])
    options = _parser().parse_args(given)
    return _guarded(options.run, options)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="compression-explorer",
        description="See what compressing a neural network does.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    commands.add_parser("bench", help="measure how fast this machine recompresses (see --help)")
    return parser


def _bench(arguments: Sequence[str]) -> int:
    """Run the benchmarks, which parse their arguments themselves."""
    from explorer.bench import main as bench

    return bench(arguments)


def _guarded(command: Callable[[Any], int | None], options: Any) -> int:
    try:
        status = command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except USER_ERRORS as error:
        sys.stderr.write(f"compression-explorer: {_one_line(error)}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return int(status or 0)


def _one_line(error: Exception) -> str:
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(text).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())

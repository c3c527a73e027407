"""The command line, ``compression-explorer``: app, models, compress, evaluate and the others.

Everything heavy is imported inside the subcommand that needs it, so that ``--help`` is quick.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.measure.accuracy import Accuracy
    from explorer.zoo import Loaded

__all__ = ["main"]

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
    told = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(told).split()) or type(error).__name__


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="compression-explorer",
        description="See what compressing a neural network does.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_app, _add_files, _add_runs):
        add(commands)
    commands.add_parser("bench", help="measure how fast this machine recompresses (see --help)")
    return parser


def _add_app(commands: Any) -> None:
    app = commands.add_parser("app", help="open the explorer in a browser")
    app.add_argument("--port", type=int, help="port to listen on (default: 8866, or a free one)")
    app.add_argument("--no-browser", action="store_true", help="only print the address")
    app.add_argument("--model", help="network to start with, a name that `models` lists")
    app.add_argument(
        "--weights", help="'default', 'random' or a .safetensors file (default: 'default')"
    )
    app.add_argument("--address", help="to listen on (default: 127.0.0.1, this machine only)")
    app.add_argument("--max-kernels", type=int, metavar="N", help="visitors (default: by memory)")
    app.add_argument("--ready", type=int, default=1, metavar="N", help="pages made in advance")
    app.set_defaults(run=_app)


def _add_files(commands: Any) -> None:
    models = commands.add_parser("models", help="list the networks that can be loaded by name")
    models.set_defaults(run=_models)

    compress = commands.add_parser("compress", help="write a compressed network to a file")
    compress.add_argument("model", help="a name that `models` lists")
    compress.add_argument("--recipe", type=Path, required=True, help="JSON file with the recipe")
    compress.add_argument("-o", "--output", type=Path, required=True, help="file to write (.cmpx)")
    compress.set_defaults(run=_compress)

    evaluate = commands.add_parser("evaluate", help="measure the accuracy of a compressed file")
    evaluate.add_argument("file", help="a .cmpx file")
    evaluate.add_argument("--model", help="network whose data to use (default: the file's own)")
    evaluate.set_defaults(run=_evaluate)

    export = commands.add_parser("export", help="write a compressed file as a plain network")
    export.add_argument("file", help="a .cmpx file of a network that `models` lists")
    export.add_argument(
        "-o", "--output", type=Path, required=True, help="file to write (.safetensors or .onnx)"
    )
    export.set_defaults(run=_export)


def _add_runs(commands: Any) -> None:
    sweep = commands.add_parser("sweep", help="measure a grid of recipes, side by side")
    sweep.add_argument("model", help="a name that `models` lists")
    sweep.add_argument("--grid", type=Path, required=True, help="TOML file with values to try")
    sweep.add_argument("--store", type=Path, help="SQLite file that keeps points, to go on from")
    sweep.add_argument("--workers", type=int, metavar="N", help="default: one for each core")
    where = sweep.add_mutually_exclusive_group()
    where.add_argument("--processes", action="store_true", help="workers are processes")
    where.add_argument("--dask", metavar="ADDRESS", help="a cluster, such as tcp://host:8786")
    sweep.add_argument("-o", "--output", type=Path, help="file to write (.csv or .json)")
    sweep.set_defaults(run=_sweep)

    reproduce = commands.add_parser("reproduce", help="reproduce a published result")
    reproduce.add_argument("name", help="such as deep-compression-lenet-5; 'list' lists them")
    reproduce.add_argument(
        "-o", "--output", type=Path, default=Path("reproduced"), help="folder for JSON and files"
    )
    reproduce.set_defaults(run=_reproduce)


def _app(options: argparse.Namespace) -> None:
    from explorer.serve.port import choose_port
    from explorer.serve.server import serve

    if options.model is not None:
        _require_model(options.model)
    serve(
        choose_port(options.port),
        not options.no_browser,
        options.model,
        options.weights,
        max_kernels=options.max_kernels,
        n_ready=options.ready,
        **({"address": options.address} if options.address else {}),
    )


def _require_model(name: str) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        names = child.submit(_catalog).result()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3) or names[:3]
        raise ValueError(
            f"model must be a name that `compression-explorer models` lists, such as "
            f"{', '.join(near)}; got {name!r}"
        )


def _catalog() -> list[str]:
    """List the names; run in a child, for the server must not hold what this imports."""
    from explorer.zoo import catalog

    return list(catalog())


def _models(options: argparse.Namespace) -> None:
    from explorer.zoo.digit_networks import BUNDLED

    names = _catalog()
    width = max(map(len, names))
    sys.stdout.write(f"{'name':{width}}  weights\n")
    for name in names:
        origin = "bundled" if name in BUNDLED else "downloaded on first use"
        sys.stdout.write(f"{name:{width}}  {origin}\n")


def _load(name: str) -> Loaded:
    from explorer.zoo import DataUnavailable, WeightsUnavailable, load

    try:
        return load(name)
    except (DataUnavailable, WeightsUnavailable) as error:
        raise ValueError(str(error)) from error


def _compress(options: argparse.Namespace) -> None:
    import explorer

    recipe = explorer.recipe_from_json(options.recipe.read_text(encoding="utf-8"))
    net, data = _load(options.model)
    small = explorer.compress(net, recipe, data=data, network=options.model)
    small.save(options.output)
    sys.stdout.write(
        f"{options.output}: {small.size_bytes:,} bytes, {small.compression_ratio:.2f}x smaller\n"
    )


def _evaluate(options: argparse.Namespace) -> None:
    import explorer

    small = explorer.open(options.file)
    name = options.model or small.network
    if not name:
        raise ValueError(
            "model must be given, for the file does not name its network: --model NAME, "
            "one that `compression-explorer models` lists"
        )
    loaded = _load(name)
    if loaded.data is None:
        raise ValueError(
            f"model must be a network that comes with data, got {name!r}: "
            "for data of your own use explorer.evaluate in Python"
        )
    _print_accuracy(explorer.evaluate(small.restore(loaded.net), loaded.data.eval))


def _sweep(options: argparse.Namespace) -> int:
    from explorer.sweep.command import run
    from explorer.zoo import load

    loaded = _load(options.model)
    return run(loaded.net, loaded.data, options, partial(load, options.model))


def _export(options: argparse.Namespace) -> None:
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


def _reproduce(options: argparse.Namespace) -> None:
    from explorer.reproduce.plans import names, run
    from explorer.reproduce.records import Moment
    from explorer.reproduce.table import table, write

    if options.name == "list":
        sys.stdout.write("\n".join(names()) + "\n")
        return
    for record in run(options.name):
        if isinstance(record, Moment):
            sys.stdout.write(
                f"{record.seconds:6.0f} s  {record.stage}, epoch {record.epoch}: density "
                f"{record.density:.2%}, {record.size_bytes:,} bytes, {record.accuracy:.2%}\n"
            )
            sys.stdout.flush()
        else:
            path = write(record, options.output)
            sys.stdout.write(f"{table(options.output)}\nwritten to {path}\n")


def _print_accuracy(accuracy: Accuracy) -> None:
    sys.stdout.write(
        f"top-1 {accuracy.top1:.2%} (95 % interval {accuracy.low:.2%} to {accuracy.high:.2%}, "
        f"n = {accuracy.n:,})\n"
    )


def _bench(arguments: Sequence[str]) -> int:
    from explorer.bench import main as bench

    return bench(arguments)


if __name__ == "__main__":
    sys.exit(main())
